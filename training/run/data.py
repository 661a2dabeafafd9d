"""Everything that a training run reads, checked before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.photos import (
    Photos,
    check_classes,
    check_photos,
    class_folders,
    load_classes,
    load_pixels,
    photos_in,
)
from training.data.splits import split_photos
from training.errors import TrainingError
from training.pictures.cutout import cached_cutouts
from training.run.options import TrainOptions

CACHE_FOLDER = "cache"
# Side of the photos in memory, as a multiple of the network's: a crop loses no detail, and at 256 x 256 pixels
# thousands of photos fit
CACHED_SIZE = 8 / 7


@dataclass(frozen=True)
class TrainingData:
    """Decoded photos, and what is known of them.

    Attributes:
        labels: The class names, sorted.
        training: The photos that are trained on, those of the main folder first.
        main: How many of these are of the main folder.
        outlines: Where the item of each of these photos is: uint8, (photos, side, side), as `cutouts` gives them.
        weights: How often each of these photos is drawn beside others of its class: float64, (photos,).
        validation: Class name to the photos that are held back.
        scenes: Pictures of none of the classes: uint8, (pictures, side, side, 3), RGB.
        folders: For the main folder and then for each extra one, class name to how many photos were used.
    """

    labels: tuple[str, ...]
    training: Photos
    main: int
    outlines: NDArray[np.uint8]
    weights: NDArray[np.float64]
    validation: dict[str, list[Path]]
    scenes: NDArray[np.uint8]
    folders: list[dict[str, int]]


def read_data(options: TrainOptions) -> TrainingData:
    """Check every photo that the options name, then load all of them.

    Raises:
        TrainingError: A folder or photo cannot be used; nothing has been trained.
    """
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
    classes, *extras = (_without(bad, group) for group in (classes, *extras))
    check_classes(classes, options.data)
    training, validation = split_photos(classes, options.split, options.groups)

    cache, size = options.out / CACHE_FOLDER, round(options.size * CACHED_SIZE)
    parts = [load_classes(group, labels, size, cache) for group in (training, *extras)]
    together = Photos(
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.labels for part in parts]),
        tuple(path for part in parts for path in part.paths),
    )
    weight_of_part = [1.0, *(extra.weight for extra in options.extra)]
    return TrainingData(
        labels=labels,
        training=together,
        main=len(parts[0]),
        outlines=_no_outlines(together) if options.quick else cached_cutouts(together.pixels, cache),
        weights=np.concatenate([np.full(len(part), w) for part, w in zip(parts, weight_of_part, strict=True)]),
        validation=validation,
        scenes=load_pixels([path for path in scenes if path not in bad], size, cache),
        folders=[{name: len(paths) for name, paths in group.items()} for group in (classes, *extras)],
    )


def _without(bad: set[Path], classes: Mapping[str, list[Path]]) -> dict[str, list[Path]]:
    return {name: [path for path in paths if path not in bad] for name, paths in classes.items()}


def _no_outlines(photos: Photos) -> NDArray[np.uint8]:
    return np.zeros((len(photos), 1, 1), np.uint8)
