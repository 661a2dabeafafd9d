"""Photos on disk to arrays in memory. What is wrong with them is said before any training starts."""

import hashlib
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model import PhotoError, read_photo
from model.preprocessing import preprocess
from training.data.duplicates import conflicts
from training.data.folders import (
    archives_in,
    check_class_name,
    check_layout,
    counted,
    look_into,
    say_left_out,
    say_subfolders,
)
from training.errors import TrainingError, readable

FEW_PHOTOS = 10  # a class with fewer is warned about
READ_THREADS = 4  # decoding releases Python's global lock
MOST_WARNINGS = 10  # about photos that are in two classes; more of them are only counted


@dataclass(frozen=True)
class Photos:
    """Decoded photos.

    Attributes:
        pixels: uint8, (n, size, size, 3), RGB.
        labels: int64, (n,), the index of each photo's class name.
        paths: Where each photo was read from.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)


def photos_in(folder: Path) -> list[Path]:
    """List the photos of a folder and of all folders in it, sorted by name.

    What `look_into` leaves out is counted on stderr. Files that are no photos are listed, too; `check_photos` names
    them.

    Raises:
        TrainingError: There is no such folder.
    """
    found = look_into(folder)
    say_left_out(folder, found)
    return found.files


def class_folders(folder: Path, labels: Collection[str] = (), warn_of_copies: bool = True) -> dict[str, list[Path]]:
    """List the photos of each class, those of folders in its folder among them.

    What is left out is counted on stderr, with the reason. So are photos from folders within class folders, and photos
    that are in two classes.

    Args:
        folder: Holds one folder per class, of the class's name.
        labels: Names that are known to be those of classes, if any are.
        warn_of_copies: Whether to look for photos that are in two classes.

    Returns:
        Class name to photos, the names sorted.

    Raises:
        TrainingError: There is no such folder, it has no class folders, or the folders in it are something else than
            classes. The message says what to give instead.
    """
    found = look_into(folder, "; expected a folder with one folder of photos per class")
    classes: dict[str, list[Path]] = {name: [] for name in found.folders}
    beside = [path for path in found.files if path.parent == folder]
    if not classes:
        packed = "".join(f"unpack {path.name}, or " for path in archives_in(beside))
        raise TrainingError(
            f"{folder}: has no class folders; {packed}put the photos of each class in a folder of its name"
        )
    check_layout(folder, found, labels)
    for path in found.files:
        if path.parent == folder:
            found.leave_out(path, "beside the class folders, and so of no class")
        else:
            classes[path.relative_to(folder).parts[0]].append(path)
    say_left_out(folder, found)
    for name, paths in classes.items():
        check_class_name(folder, name)
        say_subfolders(folder / name, paths)
    if warn_of_copies:
        say_copies(classes)
    return classes


def say_copies(classes: Mapping[str, Sequence[Path]]) -> None:
    """Warn on stderr of each photo that is in several classes, with all of its places."""
    several = conflicts(classes)
    for copies in several[:MOST_WARNINGS]:
        places = " and ".join(readable(path) for path in copies)
        print(f"warning: one photo in several classes, of which at most one is right: {places}", file=sys.stderr)
    if len(several) > MOST_WARNINGS:
        print(f"warning: {len(several) - MOST_WARNINGS} more photos are in several classes", file=sys.stderr)


def without(bad: Collection[Path], classes: Mapping[str, Sequence[Path]]) -> dict[str, list[Path]]:
    """The photos of each class that are not among the bad ones."""
    return {name: [path for path in paths if path not in bad] for name, paths in classes.items()}


def check_classes(classes: Mapping[str, Sequence[Path]], folder: Path) -> None:
    """Check that there are at least two classes with at least two photos each.

    Classes with fewer than FEW_PHOTOS photos are named on stderr, together with these photos.

    Args:
        classes: Class name to photos.
        folder: Where they are, for the messages.

    Raises:
        TrainingError: There are fewer classes or photos.
    """
    if len(classes) < 2:
        raise TrainingError(f"{folder}: has only one class ({next(iter(classes))}); a classifier needs at least two")
    small = {name: len(paths) for name, paths in classes.items() if len(paths) < 2}
    if small:
        listed = ", ".join(f"{name} ({count})" for name, count in small.items())
        raise TrainingError(
            f"{folder}: too few photos in {listed}; each class needs at least 2, one to train on and one to validate"
        )
    for name, paths in classes.items():
        if len(paths) < FEW_PHOTOS:
            files = ", ".join(readable(path.name) for path in paths)
            print(
                f"warning: {folder / name}: only {len(paths)} photos ({files}), too few to learn much from",
                file=sys.stderr,
            )


def check_photos(paths: Sequence[Path], skip_bad: bool = False) -> set[Path]:
    """Decode every photo once, and name each one that cannot be used on stderr.

    Args:
        paths: The photos.
        skip_bad: Whether bad photos may be left out.

    Returns:
        The bad photos.

    Raises:
        TrainingError: There are bad photos, and they may not be left out.
    """
    with ThreadPoolExecutor(READ_THREADS) as pool:
        problems = {p: e for p, e in zip(paths, pool.map(_problem, paths), strict=True) if e}
    for path, error in problems.items():
        print(f"{readable(path)}: {error}", file=sys.stderr)
    if problems and not skip_bad:
        raise TrainingError(
            f"{len(problems)} of {len(paths)} photos cannot be used (listed above); "
            "repair or remove them, or leave them out with --skip-bad"
        )
    if problems:
        print(f"left out {counted(len(problems), 'file')} of {len(paths)}, as --skip-bad asks", file=sys.stderr)
    return set(problems)


def load_pixels(paths: Sequence[Path], size: int, cache: Path | None = None) -> NDArray[np.uint8]:
    """Read and resize photos, with the preprocessing that serving uses.

    Args:
        paths: The photos.
        size: Side of the result in pixels.
        cache: A folder to keep the decoded pixels in, so that a resumed run starts within seconds. The files' names
            carry a hash of the photos' paths, sizes and modification times, so changed photos are decoded again.

    Returns:
        uint8, (n, size, size, 3), RGB.

    Raises:
        PhotoError: A photo cannot be used.
    """
    file = None
    if cache is not None:
        stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
        key = hashlib.sha256(repr((size, stats)).encode()).hexdigest()[:16]
        file = cache / f"photos-{size}-{key}.npy"
        if file.exists():
            stored: NDArray[np.uint8] = np.load(file)
            return stored
    pixels = np.empty((len(paths), size, size, 3), np.uint8)

    def fill(index: int) -> None:
        pixels[index] = preprocess(read_photo(paths[index]), size)

    with ThreadPoolExecutor(READ_THREADS) as pool:
        list(pool.map(fill, range(len(paths))))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part")
        with partial.open("wb") as handle:
            np.save(handle, pixels)
        partial.replace(file)
    return pixels


def load_classes(
    classes: Mapping[str, Sequence[Path]], labels: Sequence[str], size: int, cache: Path | None = None
) -> Photos:
    """Read the photos of several classes.

    Args:
        classes: Class name to photos.
        labels: All class names; a photo's label is the index of its class among them.
        size: Side of the pixels.
        cache: See `load_pixels`.
    """
    paths = [path for of_class in classes.values() for path in of_class]
    targets = [labels.index(name) for name, of_class in classes.items() for _ in of_class]
    return Photos(load_pixels(paths, size, cache), np.array(targets, np.int64), tuple(paths))


def _problem(path: Path) -> str | None:
    """Why a file cannot be used as a photo, or None. What its name ends in does not matter."""
    try:
        read_photo(path)
    except PhotoError as error:
        return str(error)
    return None
