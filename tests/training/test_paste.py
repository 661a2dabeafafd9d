"""training.paste: items before other pictures, as class folders that evaluate takes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from model import read_photo
from training import paste
from training.errors import TrainingError

RED, GREEN = (30, 30, 220), (40, 200, 40)  # BGR


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Red squares on white, and one photo that is red all over; and one green picture to put them before."""
    for name in ("metal", "paper"):
        (tmp_path / "items" / name).mkdir(parents=True)
        for number in range(5):
            photo = np.full((96, 128, 3), 245, np.uint8)
            photo[30:66, 40:80] = RED
            cv2.imwrite(str(tmp_path / "items" / name / f"{number}.png"), photo)
    cv2.imwrite(str(tmp_path / "items" / "paper" / "0.png"), np.full((96, 128, 3), RED, np.uint8))
    (tmp_path / "place").mkdir()
    cv2.imwrite(str(tmp_path / "place" / "wall.png"), np.full((50, 70, 3), GREEN, np.uint8))
    return tmp_path / "items", tmp_path / "place"


def options(items: Path, place: Path, out: Path, *more: str) -> paste.PasteOptions:
    return paste.PasteOptions.parse(
        "training.paste", None, ["--data", str(items), "--before", str(place), "--out", str(out), *more]
    )


def test_items_stand_before_the_other_pictures(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert paste.paste(options(*folders, out, "--split", "all", "--each", "3")) == 9
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*.jpg"))
    assert files[:4] == ["metal/0-1.jpg", "metal/0-2.jpg", "metal/0-3.jpg", "metal/1-1.jpg"]
    assert len(files) == 27
    assert not any(name.startswith("paper/0-") for name in files)  # no plain background, so no item was found
    greens, whites = [], []
    for name in files:
        red, green, _ = np.moveaxis(read_photo(out / name).astype(int), 2, 0)
        assert (red > green + 100).mean() > 0.03, name  # the item
        greens.append((green > red).mean())
        whites.append((np.minimum(red, green) > 200).mean())
    # Under any light and colour cast, so not each of them
    assert np.mean(greens) > 0.25  # what they were put before
    assert np.mean(whites) < 0.1  # nothing of the white board


def test_the_same_seed_gives_the_same_pictures(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for out in ("a", "b"):
        paste.paste(options(*folders, tmp_path / out))
    paste.paste(options(*folders, tmp_path / "c", "--seed", "2"))
    name = "metal/0-1.jpg"  # of the reference split's validation photos, the first fifth
    first, again, other = ((tmp_path / out / name).read_bytes() for out in ("a", "b", "c"))
    assert first == again != other


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("no items", "no photo has an item that stands before a plain background"),
        ("no place", "place: holds no photos"),
        ("used", "out: is not empty; name a new folder with --out"),
    ],
)
def test_trouble_is_said(trouble: str, said: str, folders: tuple[Path, Path], tmp_path: Path) -> None:
    items, place = folders
    if trouble == "no items":
        for file in items.rglob("*.png"):
            cv2.imwrite(str(file), np.full((96, 128, 3), RED, np.uint8))
    elif trouble == "no place":
        (place / "wall.png").unlink()
    else:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "kept.txt").touch()
    with pytest.raises(TrainingError, match=said):
        paste.paste(options(items, place, tmp_path / "out"))
