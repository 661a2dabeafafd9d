"""Cuts the items out of photos and writes them before other pictures, to measure with."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from training.data.photos import load_pixels
from training.data.splits import photo_names
from training.pictures.cutout import cutouts
from training.pictures.scene import CLEAR_SHARE, before_another

SIDE_PX = 384  # the longer side of most training photos; what is written is resized once more when it is classified
JPEG_QUALITY = 95


def paste_items(
    classes: Mapping[str, Sequence[Path]],
    scenes: Sequence[Path],
    out: Path,
    each: int,
    see_through: Collection[str],
    seed: int,
) -> int:
    """Write OUT/class/photo-N.jpg for every photo whose item stands before a plain background.

    A photo from a folder in its class's folder goes into such a folder again.

    Args:
        classes: Class name to photos, each somewhere in a folder of the class's name.
        scenes: The pictures to put the items before.
        out: The folder to write into; it is made where it is missing.
        each: How many pictures of an item to make, each at another place, size and orientation.
        see_through: Classes whose items may let the new background through.
        seed: Where the random numbers start.

    Returns:
        How many items were found.
    """
    names = photo_names(classes)
    stems = {path: str(Path(name).with_suffix("")) for path, name in names.items()}
    ambiguous = {stem for stem, count in Counter(stems.values()).items() if count > 1}  # such as a.jpg beside a.png
    pixels, backgrounds = load_pixels(list(names), SIDE_PX), load_pixels(scenes, SIDE_PX)
    outlines, rng, count = cutouts(pixels), np.random.default_rng(seed), 0
    for (path, photo), picture, outline in zip(names.items(), pixels, outlines, strict=True):
        if outline.max() <= 127:
            continue
        count += 1
        name = photo.split("/")[0]
        made = out / (photo if stems[path] in ambiguous else stems[path])
        made.parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, each + 1):
            clear = name in see_through and rng.random() < CLEAR_SHARE
            view = before_another(picture, outline, backgrounds, SIDE_PX, rng, clear, synthetic=0)
            content = cv2.imencode(".jpg", view[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
            made.with_name(f"{made.name}-{number}.jpg").write_bytes(content.tobytes())
    return count
