"""Photos on disk to arrays in memory, with everything that is wrong with them said before training starts."""

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

FEW = 10  # photos of a class
READ_THREADS = 4  # decoding releases the GIL


@dataclass(frozen=True)
class Photos:
    """Decoded photos. pixels: uint8, (n, size, size, 3), RGB. labels: int64, (n,), indices of class names."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)


def photos_in(folder: Path, recursive: bool = False) -> list[Path]:
    """Every file in `folder` that is not hidden, sorted by name; files of other kinds count as bad photos later."""
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder")
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        (p for p in found if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)),
        key=lambda path: (path.name, str(path)),
    )


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """Class name to its photos, for a folder of class folders; names sorted, hidden folders ignored.

    Raises TrainingError if there is no such folder or it has no class folders.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; expected a folder with one folder of photos per class")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not names:
        raise TrainingError(f"{folder}: has no class folders; put the photos of each class in a folder of its name")
    return {name: photos_in(folder / name) for name in names}


def check_classes(classes: Mapping[str, Sequence[Path]], folder: Path) -> None:
    """Raise TrainingError unless there are two classes or more with two photos or more each.

    Classes with fewer than FEW photos are named on stderr, with their photos: training goes on, but worth little.
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
        if len(paths) < FEW:
            files = ", ".join(path.name for path in paths)
            print(f"warning: {folder / name}: only {len(paths)} photos ({files}); expect little of it", file=sys.stderr)


def check_photos(paths: Sequence[Path], skip_bad: bool = False) -> set[Path]:
    """Decode every photo once; return those that cannot be used.

    Every bad file is named on stderr. Raises TrainingError if there are any, unless `skip_bad`.
    """
    with ThreadPoolExecutor(READ_THREADS) as pool:
        problems = {p: e for p, e in zip(paths, pool.map(_problem, paths), strict=True) if e}
    for path, error in problems.items():
        print(f"{path}: {error}", file=sys.stderr)
    if problems and not skip_bad:
        raise TrainingError(
            f"{len(problems)} of {len(paths)} photos cannot be used (listed above); "
            "mend or remove them, or leave them out with --skip-bad"
        )
    return set(problems)


def load_pixels(paths: Sequence[Path], size: int, cache: Path | None = None) -> NDArray[np.uint8]:
    """Read and resize photos: uint8, (n, size, size, 3), RGB, through the preprocessing that serving uses.

    cache: a folder for the decoded pixels, so that a resumed run starts in seconds. Its file names carry a hash of
    the photos' paths, sizes and times: changed photos are decoded again. Raises PhotoError for a bad photo.
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
    """Read a class-name-to-paths mapping; labels index into `labels`."""
    paths = [path for of_class in classes.values() for path in of_class]
    targets = [labels.index(name) for name, of_class in classes.items() for _ in of_class]
    return Photos(load_pixels(paths, size, cache), np.array(targets, np.int64), tuple(paths))


def _problem(path: Path) -> str | None:
    if path.suffix.lower().lstrip(".") not in EXTENSIONS:
        return f"is not a photo by its name; expected one of {', '.join(EXTENSIONS)}"
    try:
        read_photo(path)
    except PhotoError as error:
        return str(error)
    return None
