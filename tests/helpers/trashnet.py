"""Where TrashNet's photos are: TRASHNET_DIR, else ../shared/data/trashnet beside the repository."""

import os
from pathlib import Path

import pytest

from training.data.splits import reference_split

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(os.environ.get("TRASHNET_DIR") or ROOT.parent / "shared" / "data" / "trashnet")


def class_folders() -> Path:
    """The folder with one folder of photos a class. Skips the test, saying what is missing, if there is none."""
    for folder in (FOLDER, FOLDER / "dataset-resized"):
        if (folder / "cardboard").is_dir():
            return folder
    pytest.skip(f"TrashNet's photos are not at {FOLDER}; set TRASHNET_DIR to the folder of class folders")


def validation_photos(label: str) -> list[Path]:
    """The reference split's validation photos of a class."""
    photos = list((class_folders() / label).glob("*.jpg"))
    return reference_split({label: photos})[1][label]
