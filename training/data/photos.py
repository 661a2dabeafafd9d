"""Photos on disk to arrays in memory. What is wrong with them is said before any training starts."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model import PhotoError, read_photo
from model.photos import EXTENSIONS
from model.preprocessing import preprocess
from training.errors import TrainingError

FEW_PHOTOS = 10  # a class with fewer is warned about
READ_THREADS = 4  # decoding releases Python's global lock


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


def photos_in(folder: Path, recursive: bool = False) -> list[Path]:
    """List every file in a folder that is not hidden, sorted by name.

    Files that are no photos are listed, too; `check_photos` names them.

    Args:
        folder: The folder.
        recursive: Whether to look into its subfolders as well.

    Raises:
        TrainingError: There is no such folder.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder")
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        (p for p in found if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)),
        key=lambda path: (path.name, str(path)),
    )


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """List the photos of each class.

    Args:
        folder: Holds one folder per class, of the class's name. Hidden folders are ignored.

    Returns:
        Class name to photos, the names sorted.

    Raises:
        TrainingError: There is no such folder, or it has no class folders.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; expected a folder with one folder of photos per class")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not names:
        raise TrainingError(f"{folder}: has no class folders; put the photos of each class in a folder of its name")
    return {name: photos_in(folder / name) for name in names}


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
            files = ", ".join(path.name for path in paths)
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
        print(f"{path}: {error}", file=sys.stderr)
    if problems and not skip_bad:
        raise TrainingError(
            f"{len(problems)} of {len(paths)} photos cannot be used (listed above); "
            "repair or remove them, or leave them out with --skip-bad"
        )
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
    """Why a file cannot be used as a photo, or None."""
    if path.suffix.lower().lstrip(".") not in EXTENSIONS:
        return f"does not have the name of a photo; expected an ending among {', '.join(EXTENSIONS)}"
    try:
        read_photo(path)
    except PhotoError as error:
        return str(error)
    return None
