"""What the training tests share: tiny photos, and commands run in this process."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf

from training.errors import run_command

COLOURS = {"blue": (30, 40, 220), "green": (40, 200, 40), "red": (220, 40, 30)}


def eagerly() -> Iterator[None]:
    """Compiling MobileNetV2's training step takes half a minute; a few eager steps take less."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def write_photos(folder: Path) -> Path:
    """Class folders of noisy pictures in one colour each, five a class."""
    for seed, (name, colour) in enumerate(COLOURS.items()):
        (folder / name).mkdir(parents=True)
        for i in range(5):
            noise = np.random.default_rng([seed, i]).normal(0, 20, (36, 48, 3))
            rgb = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(folder / name / f"{name}{i}.png"), rgb[..., ::-1])
    return folder


def command(module: Any, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    """Run a training command's `main` with arguments."""
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
    run_command(module.main)
