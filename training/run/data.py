"""Everything that a training run reads, checked before anything is trained."""

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
    say_copies,
    without,
)
from training.data.splits import split_photos
from training.errors import TrainingError
from training.network.starting_weights import check_weights
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


@dataclass(frozen=True)
class FoundPhotos:
    """The photos that a run will use, all of which can be decoded.

    Attributes:
        classes: Class name to photos of the main folder.
        extras: The same of each extra folder.
        scenes: Pictures of none of the classes.
        training: Those of `classes` that are trained on.
        validation: Those that are held back.
    """

    classes: dict[str, list[Path]]
    extras: list[dict[str, list[Path]]]
    scenes: list[Path]
    training: dict[str, list[Path]]
    validation: dict[str, list[Path]]


def find_photos(options: TrainOptions) -> FoundPhotos:
    """Find and check every photo, and check every other file that the options name.

    Raises:
        TrainingError: A folder, a photo or another file cannot be used.
    """
    check_weights(options.weights)
    if options.start and not options.start.is_file():
        raise TrainingError(f"--start {options.start}: no such file; give the network.keras of an earlier run")
    classes = class_folders(options.data, warn_of_copies=not options.extra)
    extras = [class_folders(extra.folder, classes, warn_of_copies=False) for extra in options.extra]
    for extra, found in zip(options.extra, extras, strict=True):
        if unknown := sorted(set(found) - set(classes)):
            raise TrainingError(
                f"{extra.folder}: unknown classes {', '.join(unknown)}; --data has {', '.join(classes)}"
            )
    if options.extra:
        say_copies({name: [path for group in (classes, *extras) for path in group.get(name, ())] for name in classes})
    scenes = [path for folder in options.background for path in photos_in(folder)]
    paths = [path for group in (classes, *extras) for of_class in group.values() for path in of_class] + scenes
    print(f"checking {len(paths)} photos", flush=True)
    bad = check_photos(paths, options.skip_bad)
    classes, *extras = (without(bad, group) for group in (classes, *extras))
    check_classes(classes, options.data)
    training, validation = split_photos(classes, options.split, options.groups)
    return FoundPhotos(classes, extras, [path for path in scenes if path not in bad], training, validation)


def load_photos(options: TrainOptions, found: FoundPhotos) -> TrainingData:
    """Decode what `find_photos` found, and cut the items out."""
    labels, cache, size = tuple(found.classes), options.out / CACHE_FOLDER, round(options.size * CACHED_SIZE)
    parts = [load_classes(group, labels, size, cache) for group in (found.training, *found.extras)]
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
        validation=found.validation,
        scenes=load_pixels(found.scenes, size, cache),
        folders=[{name: len(paths) for name, paths in group.items()} for group in (found.classes, *found.extras)],
    )


def _no_outlines(photos: Photos) -> NDArray[np.uint8]:
    return np.zeros((len(photos), 1, 1), np.uint8)
