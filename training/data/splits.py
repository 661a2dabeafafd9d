"""Which photos are trained on and which are held back."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.errors import TrainingError

VALIDATION_SHARE = 0.2
# Held-back parts of the grouped split, filled in this order; the rest is trained on
HELD_SHARES = {"test": 0.15, "validation": 0.15}
PARTS = ("training", "validation", "test", "dropped")
SPLITS = ("reference", "grouped")  # what a run can hold back
EVALUATED = ("all", "validation", "grouped-validation", "grouped-test")  # what can be measured on
GROUPS_FILE = Path(__file__).parent / "trashnet_groups.tsv"
HEADER = "part\tgroup\tphoto"

Classes = Mapping[str, Sequence[Path]]


def reference_split(
    classes: Classes, share: float = VALIDATION_SHARE
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Split each class's photos into (training, validation).

    File names are sorted as strings; the first int(share * n) are validation. This is what Keras's
    `ImageDataGenerator(validation_split=0.2)` does, so figures compare with work that used it (TrashNet: 2024 / 503).
    A class always keeps at least one photo on either side; with fewer than 5 photos Keras would validate on none.
    """
    training, validation = {}, {}
    for name, paths in classes.items():
        ordered = sorted(paths, key=lambda path: path.name)
        held = max(1, int(share * len(ordered)))
        validation[name], training[name] = ordered[:held], ordered[held:]
    return training, validation


def assign_parts(photos: Sequence[str], groups: Sequence[int]) -> list[str]:
    """The part of each photo, "class/file", so that no group is in two parts: 70 % training, 15 % each held back.

    A group belongs to the class of its first photo. In each class the groups come in the order of a hash of that
    photo's name, which is as good as chance and always the same.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    by_class: dict[str, list[list[int]]] = {}
    for of_group in members.values():
        by_class.setdefault(photos[of_group[0]].split("/")[0], []).append(of_group)
    parts = ["training"] * len(photos)
    for of_class in by_class.values():
        of_class.sort(key=lambda of_group: hashlib.sha256(photos[of_group[0]].encode()).digest())
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
    """Write (part, group, "class/file") rows as a table that a person can read and a diff shows."""
    lines = [HEADER, *(f"{part}\t{group}\t{photo}" for part, group, photo in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_groups(file: Path) -> dict[str, str]:
    """ "class/file" to its part. Raises TrainingError for anything but a list of `write_groups`."""
    if not file.is_file():
        raise TrainingError(f"{file}: no such list of groups; make one with python -m training.group")
    lines = file.read_text(encoding="utf-8").splitlines()
    parts: dict[str, str] = {}
    of_group: dict[str, str] = {}
    if not lines or lines[0] != HEADER:
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
    """Part ("training", "validation", "test") to class to photos, as a list of `write_groups` says.

    Photos that the list drops are left out. Raises TrainingError where the list and the photos do not fit.
    """
    parts = read_groups(file)
    found = {f"{name}/{path.name}": (name, path) for name, paths in classes.items() for path in paths}
    for what, names in (("not in the list", found.keys() - parts), ("in the list and missing", parts.keys() - found)):
        if names:
            some = ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
            raise TrainingError(f"{file}: made of other photos: {len(names)} {what} ({some})")
    result: dict[str, dict[str, list[Path]]] = {part: {name: [] for name in classes} for part in PARTS[:3]}
    for photo, (name, path) in found.items():
        if parts[photo] != "dropped":
            result[parts[photo]][name].append(path)
    return result


def split_photos(
    classes: Classes, split: str, groups: Path = GROUPS_FILE
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """(training, validation) by the split "reference" or "grouped"; `groups` is the latter's list."""
    if split == "reference":
        return reference_split(classes)
    parts = grouped_split(classes, groups)
    return parts["training"], parts["validation"]


def chosen_part(classes: Classes, split: str, groups: Path = GROUPS_FILE) -> dict[str, list[Path]]:
    """The photos that `split`, one of EVALUATED, names; `groups` is the list of the grouped split."""
    if split == "all":
        return {name: list(paths) for name, paths in classes.items()}
    if split == "validation":
        return reference_split(classes)[1]
    return grouped_split(classes, groups)[split.removeprefix("grouped-")]
