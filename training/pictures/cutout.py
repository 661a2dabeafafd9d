"""Finds the item in a photo taken before a plain background, so that it can be put before another one.

The background's colour, with the light falling off across it, is fitted to the photo's border; what differs from it
starts GrabCut (Rother et al. 2004), which finds the outline. Done once per photo; training only warps the result.
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
SIDE = 128  # pixels; outlines need no more, and GrabCut's time grows with the area
RING = 10  # pixels of the border that are looked at
PLAIN = 0.6  # share of the border that must follow the fit, else the background is not plain
AREA = (0.05, 0.85)  # an item's least and most share of the photo; outside of it the outline is not believed
PIECE = 0.02  # share of the photo below which a piece is taken for a stain
WEIGHTS = np.array([0.6, 1.5, 1.5], np.float32)  # of L, a and b: a shadow changes lightness and hardly the colour
CUTOUT_THREADS = 2  # OpenCV releases the GIL


def cutout(rgb: Pixels) -> Pixels | None:
    """Where the item is: uint8, (SIDE, SIDE), 0 background to 255 item, soft at the edge.

    rgb: uint8, (h, w, 3), RGB. None where the background is not plain or no outline is credible.
    """
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) * WEIGHTS
    border = np.ones((SIDE, SIDE), np.bool_)
    border[RING:-RING, RING:-RING] = False
    distance, plain = _distance(cast(Floats, lab), border)
    if plain < PLAIN:
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
    if not AREA[0] < item.mean() < AREA[1]:
        return None
    return cast(Pixels, cv2.GaussianBlur(item * np.uint8(255), (0, 0), 1.0))


def cutouts(pixels: Sequence[Pixels] | Pixels) -> Pixels:
    """`cutout` of each picture: uint8, (n, SIDE, SIDE); all zero where there is none."""
    result = np.zeros((len(pixels), SIDE, SIDE), np.uint8)

    def fill(index: int) -> None:
        found = cutout(pixels[index])
        if found is not None:
            result[index] = found

    with ThreadPoolExecutor(CUTOUT_THREADS) as pool:
        list(pool.map(fill, range(len(pixels))))
    return result


def cached_cutouts(pixels: Pixels, cache: Path) -> Pixels:
    """`cutouts`, kept in the folder `cache` under a hash of the pixels, so that a resumed run starts in seconds."""
    file = cache / f"outlines-{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}.npy"
    if file.exists():
        return cast(Pixels, np.load(file))
    print(f"cutting out items: {len(pixels)} photos", flush=True)
    found = cutouts(pixels)
    print(f"{(found.max(axis=(1, 2)) > 0).mean():.0%} of them stand before a plain background", flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as handle:
        np.save(handle, found)
    partial.replace(file)
    return found


def _distance(lab: Floats, border: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Each pixel's distance from the background's colour, in standard deviations of the border's, and how much of the
    border was used: a quadratic surface, fitted again and again without what is far from it (the item)."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
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
    """Without stains and hair-thin parts, gaps closed and holes filled: one sees through glass, and it is the item."""
    item = cast(Pixels, cv2.morphologyEx(item, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    item = cast(Pixels, cv2.morphologyEx(item, cv2.MORPH_CLOSE, round_))
    count, pieces, sizes, _ = cv2.connectedComponentsWithStats(item)
    for piece in range(1, count):
        if sizes[piece, cv2.CC_STAT_AREA] < PIECE * SIDE * SIDE:
            item[pieces == piece] = 0
    outside = cv2.copyMakeBorder(item, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(outside, None, (0, 0), 2)
    return np.asarray(outside[1:-1, 1:-1] != 2, np.uint8)
