"""Finds the item in a photo that was taken before a plain background, so that it can be put before another one.

The background's colour, which changes slowly as the light falls off across it, is fitted to the photo's border. What
differs from the fit is where GrabCut (Rother et al. 2004) starts, which then finds the outline. This is done once per
photo; training only warps the result.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
SIDE_PX = 128  # of the outlines; they need no more, and GrabCut's time grows with the area
RING_PX = 10  # width of the border that the background is fitted to
PLAIN_SHARE = 0.6  # of the border; if less of it follows the fit, the background is not plain
ITEM_AREAS = (0.05, 0.85)  # the smallest and the largest share of the photo that is believed to be an item
STAIN_AREA = 0.02  # share of the photo; a smaller piece is taken for a stain on the background
LAB_WEIGHTS = np.array([0.6, 1.5, 1.5], np.float32)  # a shadow changes the lightness L, and a and b hardly
CUTOUT_THREADS = 2  # OpenCV releases Python's global lock


def cutout(rgb: Pixels) -> Pixels | None:
    """Find the item of a photo.

    Args:
        rgb: uint8, (height, width, 3), RGB.

    Returns:
        Its outline over the whole photo, uint8, (SIDE_PX, SIDE_PX), from 0 (background) to 255 (item), soft at the
        edge. None if the background is not plain or no outline is credible.
    """
    small = cv2.resize(rgb, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) * LAB_WEIGHTS
    border = np.ones((SIDE_PX, SIDE_PX), np.bool_)
    border[RING_PX:-RING_PX, RING_PX:-RING_PX] = False
    distance, plain = _distance(cast(Floats, lab), border)
    if plain < PLAIN_SHARE:
        return None
    mask = np.where(distance > 3, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[distance > 7] = cv2.GC_FGD
    mask[(distance < 1.8) & border] = cv2.GC_BGD
    if not (mask == cv2.GC_BGD).any() or not (mask & 1).any():
        return None
    # Its colour models start from OpenCV's generator; seeded, the same photo always gives the same outline
    cv2.setRNGSeed(0)
    cv2.grabCut(cast(Pixels, small), mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    item = _tidy((mask & 1).astype(np.uint8))
    if not ITEM_AREAS[0] < item.mean() < ITEM_AREAS[1]:
        return None
    return cast(Pixels, cv2.GaussianBlur(item * np.uint8(255), (0, 0), 1.0))


def cutouts(pixels: Sequence[Pixels] | Pixels) -> Pixels:
    """Find the item of each picture, as `cutout` does: uint8, (n, SIDE_PX, SIDE_PX), all zero where there is none."""
    result = np.zeros((len(pixels), SIDE_PX, SIDE_PX), np.uint8)

    def fill(index: int) -> None:
        found = cutout(pixels[index])
        if found is not None:
            result[index] = found

    with ThreadPoolExecutor(CUTOUT_THREADS) as pool:
        list(pool.map(fill, range(len(pixels))))
    return result


def cached_cutouts(pixels: Pixels, cache: Path) -> Pixels:
    """Do as `cutouts`, and keep the result for the next call with the same pixels.

    Args:
        pixels: uint8, (n, height, width, 3), RGB.
        cache: A folder; the file's name in it carries a hash of the pixels.
    """
    file = cache / f"outlines-{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}.npy"
    if file.exists():
        return cast(Pixels, np.load(file))
    print(f"cutting out the items of {len(pixels)} photos", flush=True)
    found = cutouts(pixels)
    print(f"{(found.max(axis=(1, 2)) > 0).mean():.0%} of them stand before a plain background", flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as handle:
        np.save(handle, found)
    partial.replace(file)
    return found


def _distance(lab: Floats, border: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Fit the background's colour as a quadratic surface, again and again without what is far from it: the item.

    Args:
        lab: The photo's weighted CIELAB colours, float32, (SIDE_PX, SIDE_PX, 3).
        border: Which pixels the surface is fitted to, bool, (SIDE_PX, SIDE_PX).

    Returns:
        Each pixel's distance from the surface, in standard deviations of the border's, and the share of the border that
        was still used in the last fit.
    """
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j]
    surface = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).astype(np.float32)
    design, values = surface[border], lab[border]
    used = np.ones(len(values), np.bool_)
    for _ in range(4):
        fit = np.linalg.lstsq(design[used], values[used], rcond=None)[0]
        error = np.linalg.norm(values - design @ fit, axis=1)
        closer = error < max(3 * float(np.median(error[used])), 4.0)
        if closer.mean() < 0.2:
            break
        used = closer
    spread = max(float(np.sqrt((error[used] ** 2).mean())), 1.0)
    return np.linalg.norm(lab - surface @ fit, axis=2) / spread, float(used.mean())


def _tidy(item: Pixels) -> Pixels:
    """Remove stains and hair-thin parts, close gaps, and fill holes: what is seen through glass belongs to the item."""
    item = cast(Pixels, cv2.morphologyEx(item, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    item = cast(Pixels, cv2.morphologyEx(item, cv2.MORPH_CLOSE, round_))
    count, pieces, sizes, _ = cv2.connectedComponentsWithStats(item)
    for piece in range(1, count):
        if sizes[piece, cv2.CC_STAT_AREA] < STAIN_AREA * SIDE_PX * SIDE_PX:
            item[pieces == piece] = 0
    outside = cv2.copyMakeBorder(item, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(outside, None, (0, 0), 2)
    return np.asarray(outside[1:-1, 1:-1] != 2, np.uint8)
