"""What one epoch consists of: balanced draws from the photos, a share of empty views, each freshly augmented."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.augmentation import augment, photometric
from training.background import background_view
from training.scene import before_another, disturb

BACKGROUND_SHARE = 0.1
EXTRA_WEIGHT = 0.35  # extra photos often come from few scenes, so each counts for about a third of a main one
REPLACED_SHARE = 0.5  # of the photos with an outline, how many a hard stage puts before another background
MIXED_SHARE = 0.4  # of the pictures in a hard stage


class Sampler(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """A tf.data pipeline whose every batch follows from (seed, epoch, batch number), so a resumed run continues alike.

    As a Keras callback it learns which epoch begins. Classes are drawn in proportion to the square root of their
    size: halfway between balanced and as they come.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        labels: NDArray[np.int64],
        outlines: NDArray[np.uint8],
        main: int,
        scenes: NDArray[np.uint8],
        classes: int,
        size: int,
        batch_size: int,
        seed: tuple[int, ...],
        least_area: float = 0.45,
        hard: bool = False,
        most: int | None = None,
    ) -> None:
        """pixels: (n, h, w, 3), RGB; the first `main` are the main folder's, the others extra photos.

        labels: (n,), below `classes`; the background is class number `classes`. outlines: (n, k, k), of `cutouts`.
        scenes: (m, h, w, 3), RGB, m >= 0. size: side of the pictures that come out. least_area: of a crop, as a share
        of the photo. hard: whether items are put before other backgrounds, disturbed, and
        mixed with others of their batch. most: pictures an epoch.
        """
        super().__init__()
        self.pixels, self.labels, self.outlines, self.scenes, self.hard = pixels, labels, outlines, scenes, hard
        self.outlined = outlines.max(axis=(1, 2)) > 127
        self.classes, self.size, self.batch_size = classes, size, batch_size
        self.seed, self.epoch, self.least_area = seed, 0, least_area
        weight = np.where(np.arange(len(labels)) < main, 1.0, EXTRA_WEIGHT)
        of_class = np.bincount(labels, weight, minlength=classes)
        self.chance = weight / np.sqrt(of_class[labels])
        self.chance /= self.chance.sum()
        pictures = main / (1 - BACKGROUND_SHARE)
        self.steps = int(np.ceil(min(pictures, most or pictures) / batch_size))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.epoch = epoch

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pictures, float32 0..255, (batch, size, size, 3), RGB, and one-hot targets, (batch, classes + 1)."""
        rng = np.random.default_rng([*self.seed, self.epoch, number])
        pictures = np.empty((self.batch_size, self.size, self.size, 3), np.float32)
        targets = np.zeros((self.batch_size, self.classes + 1), np.float32)
        for row, index in enumerate(rng.choice(len(self.labels), self.batch_size, p=self.chance)):
            if rng.random() < BACKGROUND_SHARE:
                pictures[row] = background_view(self.scenes, self.size, rng)
                targets[row, self.classes] = 1
            else:
                pictures[row] = self.item(index, rng)
                targets[row, self.labels[index]] = 1
        if self.hard:
            mix(pictures, targets, rng)
        return pictures, targets

    def item(self, index: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """One fresh view of a photo: (size, size, 3), RGB."""
        if not self.hard:
            return augment(self.pixels[index], self.size, rng, self.least_area)
        if self.outlined[index] and rng.random() < REPLACED_SHARE:
            view = before_another(self.pixels[index], self.outlines[index], self.scenes, self.size, rng)
            return disturb(photometric(view, rng), rng)
        return disturb(augment(self.pixels[index], self.size, rng, self.least_area), rng)

    def dataset(self) -> tf.data.Dataset:
        """One epoch's batches, made on two threads while the network works."""

        def make(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            pictures, targets = tf.numpy_function(
                lambda n: self.batch(int(n)), [number], (tf.float32, tf.float32), stateful=True
            )
            pictures.set_shape((self.batch_size, self.size, self.size, 3))
            targets.set_shape((self.batch_size, self.classes + 1))
            return pictures, targets

        numbers = tf.data.Dataset.range(self.steps)
        return numbers.map(make, num_parallel_calls=2, deterministic=True).prefetch(2)


def mix(pictures: NDArray[np.float32], targets: NDArray[np.float32], rng: np.random.Generator) -> None:
    """In place, mix MIXED_SHARE of the pictures (n, size, size, 3) and targets (n, classes) with others of the batch.

    One half is blended (mixup, Zhang et al. 2018, arXiv:1710.09412), the other gets a square of the other picture
    (CutMix, Yun et al. 2019, arXiv:1905.04899).
    """
    count, size = len(pictures), pictures.shape[1]
    others, other_targets = pictures.copy(), targets.copy()
    for row in np.flatnonzero(rng.random(count) < MIXED_SHARE):
        other = int(rng.integers(count))
        if rng.random() < 0.5:
            share = float(rng.beta(0.4, 0.4))
            pictures[row] = others[row] * (1 - share) + others[other] * share
        else:
            side = int(np.sqrt(rng.uniform(0, 0.6)) * size)
            top, left = rng.integers(0, size - side + 1, 2)
            box = np.s_[top : top + side, left : left + side]
            pictures[row][box] = others[other][box]
            share = (side / size) ** 2
        targets[row] = other_targets[row] * (1 - share) + other_targets[other] * share
