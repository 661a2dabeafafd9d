"""The grouped split: photos of one object found, kept together, and written down."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.trashnet import class_folders as trashnet_folder
from training.data.duplicates import conflicts, groups, perceptual_hash
from training.data.photos import class_folders
from training.data.splits import (
    GROUPS_FILE,
    assign_parts,
    grouped_split,
    read_groups,
    reference_split,
    split_photos,
    write_groups,
)
from training.errors import TrainingError


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (90, 60), interpolation=cv2.INTER_CUBIC)


def test_hash_survives_a_camera_and_tells_pictures_apart() -> None:
    first, other = perceptual_hash(picture(0)), perceptual_hash(picture(1))
    darker = np.clip(picture(0) * 0.7 + np.random.default_rng(0).normal(0, 4, (60, 90, 3)), 0, 255).astype(np.uint8)
    assert first.shape == (64,)
    assert (first != perceptual_hash(darker)).sum() <= 6
    assert (first != other).sum() > 16


def test_near_pairs_make_chains_and_far_ones_do_not() -> None:
    hashes = np.zeros((6, 64), np.bool_)
    hashes[4:, ::2] = True
    angles = np.radians([0, 24, 48, 90, 20, 180])  # neighbours of the first three: cosine 0.91; first and third: 0.67
    features = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32) * 7
    assert groups(hashes, features).tolist() == [0, 0, 0, 1, 0, 2]
    # At cosine 0.87 it takes like hashes as well
    pair = np.array([[1, 0], [np.cos(0.51), np.sin(0.51)]], np.float32)
    assert groups(hashes[[0, 1]], pair).tolist() == [0, 0]
    assert groups(hashes[[0, 4]], pair).tolist() == [0, 1]


def test_only_copies_under_two_labels_conflict(tmp_path: Path) -> None:
    for name, content in (("a/1", b"x"), ("b/2", b"x"), ("a/3", b"y"), ("a/4", b"y"), ("b/5", b"z")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    classes = {name: sorted((tmp_path / name).iterdir()) for name in ("a", "b")}
    assert conflicts(classes) == [[tmp_path / "a" / "1", tmp_path / "b" / "2"]]


def test_parts_have_their_size_and_no_group_is_in_two() -> None:
    rng = np.random.default_rng(0)
    photos = [f"{name}/{i}.jpg" for name in ("can", "cup") for i in range(200)]
    of_photo = [int(g) for g in np.concatenate([rng.integers(0, 120, 200), rng.integers(100, 220, 200)])]
    parts = assign_parts(photos, of_photo)
    assert all(len({p for p, g in zip(parts, of_photo, strict=True) if g == group}) == 1 for group in set(of_photo))
    for part, share in (("training", 0.7), ("validation", 0.15), ("test", 0.15)):
        assert parts.count(part) / 400 == pytest.approx(share, abs=0.05)
    assert assign_parts(photos, of_photo) == parts
    other_names = assign_parts([f"x{photo}" for photo in photos], of_photo)
    assert other_names != parts  # by the names, not by the order


def write_list(folder: Path, *rows: tuple[str, int, str]) -> Path:
    write_groups(folder / "groups.tsv", rows)
    return folder / "groups.tsv"


ROWS = (
    ("training", 0, "can/1.jpg"),
    ("validation", 1, "can/2.jpg"),
    ("test", 2, "cup/3.jpg"),
    ("dropped", 2, "cup/4.jpg"),
)


def test_a_list_is_read_back_and_splits(tmp_path: Path) -> None:
    classes = {"can": [Path("can/1.jpg"), Path("can/2.jpg")], "cup": [Path("cup/3.jpg"), Path("cup/4.jpg")]}
    file = write_list(tmp_path, *ROWS)
    assert grouped_split(classes, file) == {
        "training": {"can": [Path("can/1.jpg")], "cup": []},
        "validation": {"can": [Path("can/2.jpg")], "cup": []},
        "test": {"can": [], "cup": [Path("cup/3.jpg")]},
    }
    assert split_photos(classes, "grouped", file)[1] == {"can": [Path("can/2.jpg")], "cup": []}
    assert split_photos(classes, "reference") == reference_split(classes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such list"),
        ("can/1.jpg\n", "first line"),
        ("part\tgroup\tphoto\ntraining\t0\n", "line 2: expected a part"),
        ("part\tgroup\tphoto\nlearning\t0\tcan/1.jpg\n", "line 2: expected a part"),
        (
            "part\tgroup\tphoto\ntraining\t0\tcan/1.jpg\ntest\t0\tcan/2.jpg\n",
            "line 3: group 0 is in training and in test",
        ),
    ],
)
def test_a_damaged_list_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "groups.tsv").write_text(text)
    with pytest.raises(TrainingError, match=said):
        read_groups(tmp_path / "groups.tsv")


def test_a_list_of_other_photos_is_refused(tmp_path: Path) -> None:
    file = write_list(tmp_path, *ROWS)
    with pytest.raises(TrainingError, match=r"1 not in the list \(can/9.jpg\)"):
        grouped_split({"can": [Path(f"can/{i}.jpg") for i in (1, 2, 9)], "cup": [Path("cup/3.jpg")]}, file)
    with pytest.raises(TrainingError, match=r"2 in the list and missing \(cup/3.jpg, cup/4.jpg\)"):
        grouped_split({"can": [Path(f"can/{i}.jpg") for i in (1, 2)]}, file)


def test_the_list_of_trashnet_fits_its_photos() -> None:
    classes = class_folders(trashnet_folder())
    parts = read_groups(GROUPS_FILE)
    assert {photo for photo, part in parts.items() if part == "dropped"} == {
        "metal/metal91.jpg", "glass/glass115.jpg", "plastic/plastic332.jpg",
        "glass/glass389.jpg", "plastic/plastic152.jpg", "glass/glass176.jpg",
    }  # fmt: skip
    split = grouped_split(classes)
    counts = {part: {name: len(paths) for name, paths in of_part.items()} for part, of_part in split.items()}
    for name, paths in classes.items():
        assert counts["test"][name] / len(paths) == pytest.approx(0.15, abs=0.02)
        assert counts["validation"][name] / len(paths) == pytest.approx(0.15, abs=0.02)
    assert sum(sum(of_part.values()) for of_part in counts.values()) == 2521
