"""Everything that a training run reads, checked before anything is trained."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cutout import cached_cutouts
from training.dataset import Photos, check_classes, check_photos, class_folders, load_classes, load_pixels, photos_in
from training.errors import TrainingError
from training.splits import split_photos

CACHED_SIZE = 8 / 7  # of the input size: crops lose no detail and 256 x 256 x 3 bytes a photo fit in memory


@dataclass(frozen=True)
class Extra:
    """A folder of class folders that is only trained on. weight: of a photo, beside 1 of the main folder's."""

    folder: Path
    weight: float = 0.35  # extra photos often come from few scenes

    @classmethod
    def parse(cls, text: str) -> "Extra":
        """DIR or DIR=WEIGHT. Raises ValueError, which argparse turns into its own message."""
        folder, _, weight = text.rpartition("=")
        if not folder:
            return cls(Path(text))
        if not 0 < float(weight) <= 1:
            raise ValueError(weight)
        return cls(Path(folder), float(weight))


@dataclass(frozen=True)
class Data:
    """Everything a run reads. `training` holds the main folder's photos first, `main` of them; `outlines` theirs.

    weights: float64, (photos,), how often a photo is drawn beside others of its class.
    folders: for the main and then each extra folder, class name to how many photos were used.
    scenes: uint8, (n, side, side, 3), RGB, pictures of none of the classes.
    """

    labels: tuple[str, ...]
    training: Photos
    outlines: NDArray[np.uint8]
    weights: NDArray[np.float64]
    main: int
    validation: dict[str, list[Path]]
    scenes: NDArray[np.uint8]
    folders: list[dict[str, int]]


def read_data(options: argparse.Namespace) -> Data:
    """Check every photo, then load all of them. Raises TrainingError before anything is trained."""
    classes = class_folders(options.data)
    labels = tuple(classes)
    extras = [class_folders(extra.folder) for extra in options.extra]
    for extra, found in zip(options.extra, extras, strict=True):
        if unknown := sorted(set(found) - set(labels)):
            raise TrainingError(f"{extra.folder}: unknown classes {', '.join(unknown)}; --data has {', '.join(labels)}")
    scenes = [path for folder in options.background for path in photos_in(folder, recursive=True)]
    paths = [path for group in (classes, *extras) for of_class in group.values() for path in of_class] + scenes
    print(f"checking {len(paths)} photos", flush=True)
    bad = check_photos(paths, options.skip_bad)

    def good(group: dict[str, list[Path]]) -> dict[str, list[Path]]:
        return {name: [path for path in of_class if path not in bad] for name, of_class in group.items()}

    classes = good(classes)
    check_classes(classes, options.data)
    training, validation = split_photos(classes, options.split, options.groups)
    cache, size = options.out / "cache", round(options.size * CACHED_SIZE)
    extras = [good(extra) for extra in extras]
    parts = [load_classes(group, labels, size, cache) for group in (training, *extras)]
    together = Photos(
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.labels for part in parts]),
        tuple(path for part in parts for path in part.paths),
    )
    background = load_pixels([path for path in scenes if path not in bad], size, cache)
    folders = [{name: len(paths) for name, paths in group.items()} for group in (classes, *extras)]
    counts = [1.0, *(extra.weight for extra in options.extra)]
    weights = np.concatenate([np.full(len(part), count) for part, count in zip(parts, counts, strict=True)])
    outlines = np.zeros((len(together), 1, 1), np.uint8) if options.quick else cached_cutouts(together.pixels, cache)
    return Data(labels, together, outlines, weights, len(parts[0]), validation, background, folders)
