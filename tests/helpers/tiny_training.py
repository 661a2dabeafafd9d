"""What the training tests share: tiny photos, and commands run in this process."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from training.errors import run_command
from training.network.architecture import BACKBONE, frozen_part
from training.network.conversion import to_litert
from training.network.features import Features
from training.network.sampler import Sampler

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


FROZEN = "frozen"  # the last layer of `tiny_network` that does not learn


def tiny_network(size: int = 16, classes: int = 4) -> keras.Model:
    """A stand-in with the layer names that the stages rely on, trained in milliseconds."""
    pixels = keras.Input((size, size, 3))
    scaled = keras.Input((size, size, 3))
    frozen = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name=FROZEN)(scaled)
    norm = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, use_bias=False)(frozen))
    backbone = keras.Model(scaled, keras.layers.ReLU()(norm), name=BACKBONE)
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(keras.layers.Rescaling(1 / 127.5, -1)(pixels)))
    return keras.Model(pixels, keras.layers.Dense(classes)(keras.layers.Dropout(0.3)(pooled)))


def tiny_sampler(seed: int = 0) -> Sampler:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (12, 20, 20, 3), np.uint8), np.repeat(np.arange(3), 4)
    outlines = np.zeros((12, 8, 8), np.uint8)
    outlines[::2, 2:6, 2:6] = 255
    scenes = np.empty((0, 20, 20, 3), np.uint8)
    return Sampler(pixels, labels, np.ones(12), outlines, scenes, 3, 16, 4, (seed,))


def tiny_features(network: keras.Model) -> Features:
    return Features(to_litert(frozen_part(network, FROZEN), 16, "float32"))
