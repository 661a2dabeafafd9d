"""Puts the photos of one object into one group, and each group into one part of the grouped split."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.duplicates import conflicts, groups, perceptual_hash
from training.data.splits import PARTS, assign_parts, photo_names

Row = tuple[str, int, str]  # part, group, "class/file", as `write_groups` takes them


def group_photos(
    classes: Mapping[str, Sequence[Path]], pixels: NDArray[np.uint8], features: NDArray[np.float32]
) -> tuple[list[Row], list[list[str]]]:
    """Assign each photo to a group and each group to a part.

    Args:
        classes: Class name to photos, each somewhere in a folder of the class's name.
        pixels: The same photos in the same order, uint8, (n, side, side, 3), RGB.
        features: What a network makes of them, float32, (n, channels).

    Returns:
        One row per photo, ordered by class and group; and the names of photos that are dropped because the same file is
        found under two labels, a list for each such file.
    """
    name_of = photo_names(classes)
    paths, names = list(name_of), list(name_of.values())
    number = [int(group) for group in groups(np.stack([perceptual_hash(rgb) for rgb in pixels]), features)]
    conflicting = conflicts(classes)
    dropped = {path for copies in conflicting for path in copies}
    kept = [index for index, path in enumerate(paths) if path not in dropped]
    parts = ["dropped"] * len(paths)
    for index, part in zip(kept, assign_parts([names[i] for i in kept], [number[i] for i in kept]), strict=True):
        parts[index] = part
    rows = sorted(zip(parts, number, names, strict=True), key=lambda row: (row[2].split("/")[0], row[1], row[2]))
    return rows, [[name_of[path] for path in copies] for copies in conflicting]


def summary(rows: Sequence[Row]) -> str:
    """How many groups of several photos there are, and how many photos each part has, as two lines."""
    sizes, counts = Counter(group for part, group, _ in rows if part != "dropped"), Counter(part for part, _, _ in rows)
    several = [size for size in sizes.values() if size > 1]
    return (
        f"{len(several)} groups of several photos, {sum(several)} photos in them, "
        f"the largest of {max(several, default=1)}\n" + ", ".join(f"{part} {counts[part]}" for part in PARTS)
    )
