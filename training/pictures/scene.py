"""Puts a cut-out item before another background, as a person at a bin holds it, and disturbs pictures.

The item appears at any place and size, and partly out of view. Any picture may get what happens before and in a camera:
shadows, fingers, occlusion, JPEG. All randomness comes from the generator that is handed in.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from training.pictures.augmentation import geometric, photometric
from training.pictures.background import empty_scene

Pixels = NDArray[np.uint8]
SKIN = np.array([[255, 219, 190], [234, 184, 148], [198, 134, 96], [141, 85, 54], [86, 50, 34]], np.float32)  # RGB
# An item that differs from the old background by this share of it lets nothing of the new one through
SOLID_DIFFERENCE = 0.5
SEE_THROUGH = ("glass", "plastic")  # classes whose items may be see-through
CLEAR_SHARE = 0.6  # of their items that are shown see-through
SYNTHETIC_SHARE = 0.4  # of the new backgrounds, which are walls and blurs rather than photos


def before_another(
    rgb: Pixels,
    alpha: Pixels,
    scenes: Pixels,
    size: int,
    rng: np.random.Generator,
    clear: bool = False,
    synthetic: float = SYNTHETIC_SHARE,
) -> Pixels:
    """Show the item of a photo before a random background.

    Args:
        rgb: The photo, uint8, (height, width, 3), RGB.
        alpha: The item's outline on it, uint8, (side, side), 0 to 255.
        scenes: Pictures to choose the background from, uint8, (n, height, width, 3), RGB. If there are none, it is
            synthetic.
        size: Side of the result in pixels.
        rng: Source of all randomness.
        clear: Whether the item may be see-through. Then, where it looks like the old background, the new one shows
            through, tinted as the old one was.
        synthetic: How likely the background is synthetic although there are scenes, 0 to 1.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    matrix = _placement(alpha, rgb.shape[1] / alpha.shape[1], rgb.shape[0] / alpha.shape[0], size, rng)
    flags = cv2.INTER_LINEAR
    item = cv2.warpAffine(rgb, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    of_alpha = matrix.copy()
    of_alpha[:, 0] *= rgb.shape[1] / alpha.shape[1]
    of_alpha[:, 1] *= rgb.shape[0] / alpha.shape[0]
    share = cv2.warpAffine(alpha, of_alpha, (size, size), flags=flags).astype(np.float32)[..., None] / 255
    new = behind(scenes, size, rng, synthetic).astype(np.float32)
    shown = item.astype(np.float32)
    if clear:
        board = _board(rgb, alpha)
        tint = shown / board  # what the item and its shading leave of the light from behind it
        solid = np.clip(np.abs(tint - 1).max(axis=2, keepdims=True) / SOLID_DIFFERENCE, 0.15, 1)
        shown = shown * solid + np.clip(new * np.minimum(tint, 1.2), 0, 255) * (1 - solid)
    return cast(Pixels, (new * (1 - share) + shown * share).astype(np.uint8))


def _board(rgb: Pixels, alpha: Pixels) -> NDArray[np.float32]:
    """The median colour around an item: float32, (3,), RGB, at least 1."""
    around = cv2.resize(alpha, (32, 32), interpolation=cv2.INTER_AREA) < 8
    if not around.any():
        return np.full(3, 255, np.float32)
    small = cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA)
    return np.asarray(np.maximum(np.median(small[around], axis=0), 1), np.float32)


def behind(scenes: Pixels, size: int, rng: np.random.Generator, synthetic: float = SYNTHETIC_SHARE) -> Pixels:
    """Draw a random background, often out of focus, as what is behind a held item is.

    Args:
        scenes: Pictures to choose from, uint8, (n, height, width, 3), RGB; there may be none.
        size: Side of the result in pixels.
        rng: Source of all randomness.
        synthetic: How likely the background is synthetic although there are scenes, 0 to 1.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    if not len(scenes) or rng.random() < synthetic:
        return empty_scene(size, rng)
    view = geometric(scenes[rng.integers(len(scenes))], size, rng, scale=(0.1, 1.0))
    view = photometric(view, rng)
    if rng.random() < 0.5:
        view = cast(Pixels, cv2.GaussianBlur(view, (0, 0), size * rng.uniform(0.005, 0.05)))
    return view


def disturb(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Sometimes add a shadow, fingers, a patch that hides a part, or JPEG's blocks.

    Args:
        rgb: uint8, (size, size, 3), RGB. It is left alone.
        rng: Source of all randomness.

    Returns:
        uint8, (size, size, 3), RGB; `rgb` itself if nothing was added.
    """
    if rng.random() < 0.2:
        rgb = _shadow(rgb, rng)
    chance = rng.random()
    if chance < 0.2:
        rgb = _fingers(rgb, rng)
    elif chance < 0.35:
        rgb = _patch(rgb, rng)
    if rng.random() < 0.15:
        _, content = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))])
        rgb = cast(Pixels, cv2.imdecode(content, cv2.IMREAD_COLOR))  # the codec takes RGB for BGR, both times
    return rgb


def _placement(
    alpha: Pixels, scale_x: float, scale_y: float, size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Bring the item's box to a random size, place and orientation.

    Args:
        alpha: The item's outline, uint8, (side, side).
        scale_x: How many pixels of the photo are one of the outline, across.
        scale_y: The same, down.
        size: Side of the result in pixels.
        rng: Source of all randomness.

    Returns:
        An affine matrix, float64, (2, 3), from the photo's pixels to the result's.
    """
    columns, rows = np.flatnonzero(alpha.max(axis=0) > 127), np.flatnonzero(alpha.max(axis=1) > 127)
    left, right, top, bottom = columns[0] * scale_x, columns[-1] * scale_x, rows[0] * scale_y, rows[-1] * scale_y
    longest = max(right - left, bottom - top, 1.0)
    zoom = size * rng.uniform(0.5, 1.2) / longest
    aspect = float(np.exp(rng.uniform(-0.2, 0.2)))
    angle = rng.uniform(0, 2 * np.pi)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = zoom * np.array([[cos * flip * aspect, -sin / aspect], [sin * flip * aspect, cos / aspect]])
    # The smaller the item, the farther it may be from the middle; a part of it may be out of view
    reach = max(0.08, 0.6 - zoom * longest / size / 2) * size
    place = size / 2 + rng.uniform(-reach, reach, 2)
    offset = place - matrix @ np.array([(left + right) / 2, (top + bottom) / 2])
    return np.column_stack([matrix, offset])


def _shadow(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Add a shadow over a half-plane, with a soft edge or a slow fall-off."""
    size = rgb.shape[0]
    angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(0.02, 0.8)
    axis = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    along = axis[None] * np.float32(np.cos(angle)) + axis[:, None] * np.float32(np.sin(angle))
    lit = np.clip((along - np.float32(rng.uniform(-0.35, 0.35))) / np.float32(soft) + 0.5, 0, 1)
    light = 1 - np.float32(rng.uniform(0.15, 0.6)) * (1 - lit)
    return np.asarray(rgb * light[..., None], np.uint8)


def _fingers(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Add one to four fingers: thick strokes with round ends in one skin colour, reaching in from an edge."""
    size = rgb.shape[0]
    tone = float(rng.uniform(0, len(SKIN) - 1))
    low = int(tone)
    skin = SKIN[low] + (SKIN[min(low + 1, len(SKIN) - 1)] - SKIN[low]) * (tone - low)
    skin = skin * rng.uniform(0.5, 1.0)
    mask = np.zeros((size, size), np.uint8)
    side, start = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    inward = np.array([np.cos(side), np.sin(side)])
    across = np.array([-inward[1], inward[0]])
    width = size * rng.uniform(0.06, 0.12)
    for finger in range(int(rng.integers(1, 5))):
        base = size / 2 - inward * size * 0.75 + across * (start * size + finger * width * 1.15)
        tip = base + inward * size * rng.uniform(0.35, 0.65) + across * rng.normal(0, 0.05) * size
        cv2.line(mask, base.astype(int).tolist(), tip.astype(int).tolist(), 255, max(1, int(width)), cv2.LINE_AA)
    share = cv2.GaussianBlur(mask, (0, 0), size * 0.006).astype(np.float32)[..., None] / 255
    shade = cv2.GaussianBlur(mask, (0, 0), float(width) * 0.35).astype(np.float32)[..., None] / 255  # round, not flat
    return np.asarray(rgb * (1 - share) + np.clip(skin * (0.55 + 0.5 * shade), 0, 255) * share, np.uint8)


def _patch(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Cover a random rectangle with one colour (random erasing, Zhong et al. 2020, arXiv:1708.04896)."""
    size = rgb.shape[0]
    height, width = (rng.uniform(0.1, 0.4, 2) * size).astype(int)
    top, left = int(rng.integers(0, size - height)), int(rng.integers(0, size - width))
    rgb = rgb.copy()
    rgb[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return rgb
