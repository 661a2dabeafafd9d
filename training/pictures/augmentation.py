"""Makes each photo look as if someone else had taken it: other framing, other light, another camera.

It works on uint8 with one affine warp, one lookup table and one small colour matrix per photo. That takes about a
millisecond, so it hides behind the network's own time. All randomness comes from the generator that is handed in.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
# The largest crop, as a share of the picture; beyond 1 the picture is mirrored at its edges and its items look smaller
MOST_AREA = 1.2
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def augment(rgb: Pixels, size: int, rng: np.random.Generator, least_area: float = 0.45) -> Pixels:
    """Draw one random view of a picture, with other framing, light and colours.

    Args:
        rgb: uint8, (height, width, 3), RGB.
        size: Side of the view in pixels.
        rng: Source of all randomness.
        least_area: The smallest crop, as a share of the picture's area.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    return photometric(geometric(rgb, size, rng, (least_area, MOST_AREA)), rng)


def geometric(rgb: Pixels, size: int, rng: np.random.Generator, scale: tuple[float, float]) -> Pixels:
    """Crop, stretch, mirror and rotate a picture at random, in one warp.

    An item at a bin is held at any orientation, so quarter turns come on top of a small angle. Where the crop reaches
    past the picture's edges, the picture is mirrored.

    Args:
        rgb: uint8, (height, width, 3), RGB.
        size: Side of the result in pixels.
        rng: Source of all randomness.
        scale: The smallest and the largest crop, as shares of the picture's area.

    Returns:
        uint8, (size, size, 3), RGB.
    """
    height, width = rgb.shape[:2]
    area = rng.uniform(*scale)
    aspect = float(np.exp(rng.uniform(-0.35, 0.35)))
    crop_w, crop_h = width * np.sqrt(area * aspect), height * np.sqrt(area / aspect)
    centre_x = width / 2 + rng.uniform(-0.5, 0.5) * max(0.0, width - crop_w)
    centre_y = height / 2 + rng.uniform(-0.5, 0.5) * max(0.0, height - crop_h)
    angle = np.radians(rng.uniform(-20, 20)) + rng.integers(4) * np.pi / 2
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    # From output to input coordinates, which is what WARP_INVERSE_MAP wants
    matrix = np.array([[crop_w * cos * flip, -crop_h * sin], [crop_w * sin * flip, crop_h * cos]]) / size
    offset = np.array([centre_x, centre_y]) - matrix @ np.array([size / 2, size / 2])
    shrink = max(crop_w, crop_h) / size
    flags = (cv2.INTER_AREA if shrink > 2 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        rgb, np.column_stack([matrix, offset]), (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return cast(Pixels, warped)


def photometric(rgb: Pixels, rng: np.random.Generator, strength: float = 0.75) -> Pixels:
    """Change exposure, contrast, gamma, colour cast and saturation at random, and sometimes blur or add noise.

    Args:
        rgb: uint8, (height, width, 3), RGB. It is left alone.
        rng: Source of all randomness.
        strength: How much, from 0 (blur and noise alone) to 1 (strong).

    Returns:
        A new array of the same shape.
    """
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    gamma = np.exp(rng.normal(0, 0.22 * strength))
    cast_ = np.exp(rng.normal(0, 0.08 * strength, 3))
    gain = np.exp(rng.normal(0, 0.16 * strength)) * cast_
    contrast = np.exp(rng.normal(0, 0.16 * strength))
    table = np.clip((levels**gamma * gain - 0.5) * contrast + 0.5, 0, 1) * 255
    result = cv2.LUT(rgb, table.astype(np.uint8).reshape(256, 1, 3))

    if rng.random() < 0.6:
        saturation = np.clip(rng.normal(1, 0.35 * strength), 0, 2)
        grey = np.tile(LUMA, (3, 1)) * (1 - saturation)
        result = cv2.transform(result, grey + np.eye(3, dtype=np.float32) * saturation)
    chance = rng.random()
    if chance < 0.15:
        result = cv2.GaussianBlur(result, (0, 0), rng.uniform(0.4, 1.6))
    elif chance < 0.35:
        noise = rng.integers(-128, 128, result.shape, dtype=np.int8) * np.float32(rng.uniform(0.01, 0.12))
        result = np.clip(result + noise, 0, 255).astype(np.uint8)
    return cast(Pixels, result)
