"""Looks through folders of photos as people have them. Whatever is left out is counted on stderr, with the reason.

Every command of this package finds its photos through this module, so that they all see the same ones.
"""

import os
import re
import stat
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.photos import EXTENSIONS
from training.errors import TrainingError, readable

# Names, in lower case, under which operating systems, file servers and synchronising programs keep files of their own
# beside people's. The names that begin with a dot (.DS_Store, ._photo.jpg) are hidden ones and need no list.
SYSTEM_NAMES = frozenset({
    "__macosx", "icon\r", "thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
    "$recycle.bin", "recycler", "system volume information",
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "lost+found",
    "picasa.ini", "zbthumbnail.info", "__pycache__",
})  # fmt: skip
# Words in the names of folders that hold the parts of a data set, with class folders in each: train, Test_set ...
PARTS_TO_TRAIN_ON = frozenset({"train", "training", "trainset"})
PARTS_TO_MEASURE_ON = frozenset(
    {"test", "testing", "testset", "eval", "evaluation", "val", "valid", "validation", "valset", "dev", "holdout"}
)
ARCHIVES = {
    ".zip": "unzip {0} -d {1}", ".tar": "tar xf {0}", ".gz": "tar xf {0}", ".tgz": "tar xf {0}", ".bz2": "tar xf {0}",
    ".xz": "tar xf {0}", ".7z": "7z x {0}", ".rar": "unrar x {0}",
}  # fmt: skip
NAMED = 3  # so many files are named in a line that counts more


@dataclass
class Listing:
    """What a folder holds.

    Attributes:
        files: Every file in it and its sub-folders that may be a photo, whatever its name.
        folders: The names of the folders directly in it, sorted, without those of operating systems.
        left_out: Reason to the files that are not used for it.
    """

    files: list[Path] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)

    def leave_out(self, path: Path, reason: str) -> None:
        """Note that a file is not used, and why."""
        self.left_out.setdefault(reason, []).append(path)


def look_into(folder: Path, expected: str = "") -> Listing:
    """List the files of a folder and of all folders in it. Links to other folders are followed.

    Args:
        folder: The folder.
        expected: What to add to the message that there is no such folder.

    Raises:
        TrainingError: It is no folder (such as an archive of one), or a folder may not be read.
    """
    if not folder.is_dir():
        raise TrainingError(_no_folder(folder, expected))
    found = Listing()
    for place, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(place)
        for name in [name for name in folders if _leads_back(here / name)]:
            folders.remove(name)
            found.leave_out(here / name, "a link to a folder that it is in itself")
        folders.sort()
        if here == folder:
            found.folders = [name for name in folders if not is_system(name)]
        for path in (here / name for name in names):
            if any(map(is_system, path.relative_to(folder).parts)):
                found.leave_out(path, "hidden, or kept there by an operating system")
            elif path.exists() and not stat.S_ISREG(path.stat().st_mode):
                found.leave_out(path, "a device, socket or pipe instead of a file")
            else:  # a link to nothing is among these, and is named when the photos are checked
                found.files.append(path)
    found.files.sort(key=lambda path: (path.name, str(path)))
    return found


def is_system(name: str) -> bool:
    """Whether a file or folder of this name is hidden or an operating system's own."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def say_left_out(folder: Path, found: Listing) -> None:
    """Say how many files of a folder are not used, and why: one line on stderr for each reason."""
    for reason, paths in found.left_out.items():
        print(f"{folder}: left out {counted(len(paths), 'file')}: {reason} ({_some(folder, paths)})", file=sys.stderr)


def say_subfolders(folder: Path, files: Sequence[Path]) -> None:
    """Say on stderr how many photos of a class come from folders in the class's folder."""
    deeper = [path for path in files if path.parent != folder]
    if deeper:
        names = sorted({path.relative_to(folder).parts[0] for path in deeper})
        some = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        print(
            f"{folder}: {len(deeper)} of its {counted(len(files), 'file')} are in folders in it ({some}) and are used, "
            "too",
            file=sys.stderr,
        )


def check_layout(folder: Path, found: Listing, labels: Collection[str] = ()) -> None:
    """Check that the folders in a folder are classes, rather than parts of a data set or one folder around the classes.

    Args:
        folder: The folder that was given.
        found: What it holds.
        labels: Names that are known to be those of classes.

    Raises:
        TrainingError: They are not classes; the message says which folder to give instead.
    """
    holders = [path.relative_to(folder).parts[:-1] for path in found.files if looks_like_photo(path)]
    inner: tuple[str, ...] = ()
    while True:
        depth = len(inner)
        below = [parts for parts in holders if parts[:depth] == inner and len(parts) > depth]
        names = sorted({parts[depth] for parts in below})
        flat = {parts[depth] for parts in below if len(parts) == depth + 1}  # folders with photos directly in them
        around = [name for name in names if name not in flat]
        if not names or (not inner and set(names) <= set(labels)):
            break
        if all(_words(name) & (PARTS_TO_TRAIN_ON | PARTS_TO_MEASURE_ON) for name in names):
            deep = [name for name in names if any(parts[depth] == name and len(parts) > depth + 1 for parts in below)]
            raise TrainingError(_parts_of_a_set(folder.joinpath(*inner), names, deep))
        if len(names) > 1 or not around:
            break
        inner = (*inner, names[0])
    if inner and len(names) > 1:
        given = folder.joinpath(*inner)
        raise TrainingError(f"{folder}: the class folders are not directly in it, but deeper; give --data {given}")


def looks_like_photo(path: Path) -> bool:
    """Whether a file has the name of a photo."""
    return path.suffix.lower().lstrip(".") in EXTENSIONS


def archives_in(paths: Sequence[Path]) -> list[Path]:
    """Those of some files that have to be unpacked."""
    return [path for path in paths if path.suffix.lower() in ARCHIVES]


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 file", "3 files"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def check_class_name(folder: Path, name: str) -> None:
    """Raise TrainingError for the name of a class folder that cannot be a label, since it is not UTF-8."""
    if readable(name) != name:
        raise TrainingError(
            f"{readable(folder / name)}: the name of this class folder is not UTF-8 and cannot be a label; rename it"
        )


def _no_folder(folder: Path, expected: str) -> str:
    if not folder.exists():
        return f"{folder}: no such folder{expected}"
    command = ARCHIVES.get(folder.suffix.lower())
    if command is None:
        return f"{folder}: is a file, and no folder{expected}"
    unpacked = folder.with_suffix("")
    return (
        f"{folder}: is an archive, and no folder; unpack it ({command.format(folder, unpacked)}) and give the "
        "folder that comes out"
    )


def _parts_of_a_set(folder: Path, names: Sequence[str], deep: Sequence[str]) -> str:
    """What to say of a folder that holds train/, test/ and the like, of which those in `deep` have folders in them."""
    train = [f"--data {folder / name}" for name in deep if _words(name) & PARTS_TO_TRAIN_ON]
    measure = [f"--data {folder / name}" for name in deep if not _words(name) & PARTS_TO_TRAIN_ON]
    advice = [f"give {' or '.join(train)} to train on"] if train else []
    advice += [f"give {' or '.join(measure)} to training.evaluate"] if measure else []
    advice = advice or ["put the photos of each class in a folder of its name, and give the folder around these"]
    return f"{folder}: holds the parts of a data set ({', '.join(names)}), and no classes; {', and '.join(advice)}"


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))


def _leads_back(path: Path) -> bool:
    """Whether a folder is a link to one that it is in itself, so that following it would never end."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _refuse(error: OSError) -> None:
    raise TrainingError(f"{error.filename}: this folder cannot be read ({error.strerror})") from error


def _some(folder: Path, paths: Sequence[Path]) -> str:
    """The first few names, as seen from the folder."""
    return ", ".join(readable(path.relative_to(folder)) for path in paths[:NAMED]) + (
        ", ..." if len(paths) > NAMED else ""
    )
