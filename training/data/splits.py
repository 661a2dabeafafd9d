"""Which photos are trained on and which are held back."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.errors import TrainingError, readable

VALIDATION_SHARE = 0.2
# The parts of the grouped split that are held back, filled in this order; the network is trained on the rest
HELD_SHARES = {"test": 0.15, "validation": 0.15}
PARTS = ("training", "validation", "test", "dropped")
SPLITS = ("reference", "grouped")  # ways to hold photos back from training
EVALUATED = ("all", "validation", "grouped-validation", "grouped-test")  # parts that can be measured
GROUPS_FILE = Path(__file__).parent / "trashnet_groups.tsv"
HEADER = "part\tgroup\tphoto"

Classes = Mapping[str, Sequence[Path]]


def photo_names(classes: Classes) -> dict[Path, str]:
    """Name each photo as lists of groups do: "class/file", or "class/folder/file" for one deeper in its class's folder.

    Args:
        classes: Class name to photos, each somewhere in a folder of the class's name.
    """
    names: dict[Path, str] = {}
    for name, paths in classes.items():
        common = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
        of_class = next((place for place in (common, *common.parents) if place.name == name), common)
        names |= {path: f"{name}/{path.relative_to(of_class).as_posix()}" for path in paths}
    return names


def reference_split(
    classes: Classes, share: float = VALIDATION_SHARE
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Split each class's photos as Keras's `ImageDataGenerator(validation_split=0.2)` does.

    File names are sorted as strings, and the first int(share * n) are for validation. So figures compare with other
    work that used this split (TrashNet: 2024 and 503 photos). Unlike with Keras, which would take none of fewer than
    five photos, at least one photo of each class is for validation.

    Args:
        classes: Class name to photos, two or more each.
        share: How much of each class is for validation.

    Returns:
        The training photos and the validation photos of each class.
    """
    training, validation = {}, {}
    for name, paths in classes.items():
        ordered = sorted(paths, key=lambda path: path.name)
        held = max(1, int(share * len(ordered)))
        validation[name], training[name] = ordered[:held], ordered[held:]
    return training, validation


def assign_parts(photos: Sequence[str], groups: Sequence[int]) -> list[str]:
    """Divide photos into 70 % training, 15 % validation and 15 % test, so that no group is in two parts.

    A group counts as one of the class of its first photo. Within each class, groups are taken in the order of a hash of
    that photo's name, which is as good as chance and always the same.

    Args:
        photos: Their names, "class/file".
        groups: The group of each photo.

    Returns:
        The part of each photo.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    by_class: dict[str, list[list[int]]] = {}
    for of_group in members.values():
        by_class.setdefault(photos[of_group[0]].split("/")[0], []).append(of_group)
    parts = ["training"] * len(photos)
    for of_class in by_class.values():
        of_class.sort(key=lambda of_group: hashlib.sha256(os.fsencode(photos[of_group[0]])).digest())
        total, waiting = sum(map(len, of_class)), list(of_class)
        for part, share in HELD_SHARES.items():
            held = 0
            while waiting and held < round(share * total):
                of_group = waiting.pop()
                held += len(of_group)
                for index in of_group:
                    parts[index] = part
    return parts


def write_groups(file: Path, rows: Sequence[tuple[str, int, str]]) -> None:
    """Write rows of (part, group, "class/file") as tab-separated text, which a person can read and a diff shows.

    Names that are not UTF-8 are written byte by byte as the file system has them.

    Raises:
        TrainingError: A name holds a tab or a line break.
    """
    for _, _, photo in rows:
        if set(photo) & set("\t\n\r"):
            raise TrainingError(
                f"{photo!r}: the name holds a tab or a line break, so that no list can; rename the file"
            )
    lines = [HEADER, *(f"{part}\t{group}\t{photo}" for part, group, photo in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")


def read_groups(file: Path) -> dict[str, str]:
    """Read a list that `write_groups` wrote.

    Returns:
        "class/file" to the photo's part.

    Raises:
        TrainingError: There is no such file, it is damaged, or it has one group in two parts.
    """
    if not file.is_file():
        raise TrainingError(f"{file}: no such list of groups; make it with python -m training.group")
    # Not splitlines(), which takes some letters of file names for the ends of lines
    lines = file.read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n").split("\n")
    parts: dict[str, str] = {}
    of_group: dict[str, str] = {}
    if lines[0] != HEADER:
        raise TrainingError(f"{file}: is no list of groups; its first line must be {HEADER!r}")
    for number, line in enumerate(lines[1:], 2):
        part, group, photo = (*line.split("\t"), "", "", "")[:3]
        if part not in PARTS or not photo:
            raise TrainingError(f"{file}, line {number}: expected a part ({', '.join(PARTS)}), a group and a photo")
        if part != "dropped" and of_group.setdefault(group, part) != part:
            raise TrainingError(f"{file}, line {number}: group {group} is in {of_group[group]} and in {part}")
        parts[photo] = part
    return parts


def grouped_split(classes: Classes, file: Path = GROUPS_FILE) -> dict[str, dict[str, list[Path]]]:
    """Split photos as a list of groups says; photos that it drops are left out.

    Args:
        classes: Class name to photos.
        file: The list, by `write_groups`.

    Returns:
        Part ("training", "validation", "test") to class name to photos.

    Raises:
        TrainingError: The list cannot be read, or was made from other photos.
    """
    parts = read_groups(file)
    names = photo_names(classes)
    found = {names[path]: (name, path) for name, paths in classes.items() for path in paths}
    for what, strays in (("not in the list", found.keys() - parts), ("in the list and missing", parts.keys() - found)):
        if strays:
            some = ", ".join(map(readable, sorted(strays)[:3])) + (", ..." if len(strays) > 3 else "")
            raise TrainingError(f"{file}: was made from other photos: {len(strays)} {what} ({some})")
    result: dict[str, dict[str, list[Path]]] = {part: {name: [] for name in classes} for part in PARTS[:3]}
    for photo, (name, path) in found.items():
        if parts[photo] != "dropped":
            result[parts[photo]][name].append(path)
    return result


def split_photos(
    classes: Classes, split: str, groups: Path = GROUPS_FILE
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """The training and the validation photos of a split, one of SPLITS; `groups` is the list of the grouped one."""
    if split == "reference":
        return reference_split(classes)
    parts = grouped_split(classes, groups)
    return parts["training"], parts["validation"]


def chosen_part(classes: Classes, split: str, groups: Path = GROUPS_FILE) -> dict[str, list[Path]]:
    """The photos of a part, one of EVALUATED; `groups` is the list of the grouped split."""
    if split == "all":
        return {name: list(paths) for name, paths in classes.items()}
    if split == "validation":
        return reference_split(classes)[1]
    return grouped_split(classes, groups)[split.removeprefix("grouped-")]
