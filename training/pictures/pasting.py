"""Cuts the items out of photos and writes them before other pictures, to measure with."""

from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np

from training.data.photos import load_pixels
from training.pictures.cutout import cutouts
from training.pictures.scene import CLEAR_SHARE, before_another

SIDE_PX = 384  # the longer side of most training photos; what is written is resized once more when it is classified
JPEG_QUALITY = 95


def paste_items(
    paths: Sequence[Path], scenes: Sequence[Path], out: Path, each: int, see_through: Collection[str], seed: int
) -> int:
    """Write OUT/class/photo-N.jpg for every photo whose item stands before a plain background.

    Args:
        paths: The photos, each in a folder of its class's name.
        scenes: The pictures to put the items before.
        out: The folder to write into; it is made where it is missing.
        each: How many pictures of an item to make, each at another place, size and orientation.
        see_through: Classes whose items may let the new background through.
        seed: Where the random numbers start.

    Returns:
        How many items were found.
    """
    pixels, backgrounds = load_pixels(paths, SIDE_PX), load_pixels(scenes, SIDE_PX)
    outlines, rng, count = cutouts(pixels), np.random.default_rng(seed), 0
    for path, picture, outline in zip(paths, pixels, outlines, strict=True):
        if outline.max() <= 127:
            continue
        count += 1
        name = path.parent.name
        (out / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, each + 1):
            clear = name in see_through and rng.random() < CLEAR_SHARE
            view = before_another(picture, outline, backgrounds, SIDE_PX, rng, clear, synthetic=0)
            content = cv2.imencode(".jpg", view[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
            (out / name / f"{path.stem}-{number}.jpg").write_bytes(content.tobytes())
    return count
