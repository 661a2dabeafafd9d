"""What one epoch consists of: balanced draws from the photos, a share of empty views, each freshly augmented."""

from collections.abc import Collection

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.network.features import Features
from training.pictures.augmentation import augment, photometric
from training.pictures.background import background_view
from training.pictures.scene import CLEAR_SHARE, before_another, disturb

BACKGROUND_SHARE = 0.13
DISTURBED_SHARE = 0.4  # of the empty views: a hand alone is no item
HARD_SHARE, WHOLE_SHARE = 0.45, 0.2  # of the items; the others are easy
REPLACED_SHARE = 0.6  # of the hard ones with an outline, how many are put before another background
MIXED_SHARE = 0.4  # of the pictures, with another of their batch
CROP_AREA, CLOSE_AREA, WHOLE_AREA = 0.45, 0.3, 0.85  # least area of a crop: of an easy, a hard and a whole picture


class Sampler(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """A tf.data pipeline whose every batch follows from (seed, epoch, batch number), so a resumed run continues alike.

    As a Keras callback it learns which epoch begins. Classes are drawn in proportion to the square root of their
    size: halfway between balanced and as they come.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        labels: NDArray[np.int64],
        weights: NDArray[np.float64],
        outlines: NDArray[np.uint8],
        scenes: NDArray[np.uint8],
        classes: int,
        size: int,
        batch_size: int,
        seed: tuple[int, ...],
        clear: Collection[int] = (),
        most: int | None = None,
    ) -> None:
        """pixels: (n, h, w, 3), RGB. labels: (n,), below `classes`; the background is class number `classes`.

        weights: (n,), how often a photo is drawn beside others of its class. outlines: (n, k, k), of `cutouts`.
        scenes: (m, h, w, 3), RGB, m >= 0. size: side of the pictures that come out. clear: labels whose items may be
        see-through. most: pictures an epoch.
        """
        super().__init__()
        self.pixels, self.labels, self.outlines, self.scenes = pixels, labels, outlines, scenes
        self.outlined = outlines.max(axis=(1, 2)) > 127
        self.classes, self.size, self.batch_size, self.clear = classes, size, batch_size, frozenset(clear)
        self.seed, self.epoch = seed, 0
        of_class = np.bincount(labels, weights, minlength=classes)
        self.chance = weights / np.sqrt(of_class[labels])
        self.chance /= self.chance.sum()
        pictures = weights.sum() / (1 - BACKGROUND_SHARE)
        self.steps = int(np.ceil(min(pictures, most or pictures) / batch_size))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.epoch = epoch

    def batch(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], np.random.Generator]:
        """Pictures, uint8, (batch, size, size, 3), RGB; one-hot targets, (batch, classes + 1); the generator after."""
        rng = np.random.default_rng([*self.seed, self.epoch, number])
        pictures = np.empty((self.batch_size, self.size, self.size, 3), np.uint8)
        targets = np.zeros((self.batch_size, self.classes + 1), np.float32)
        for row, index in enumerate(rng.choice(len(self.labels), self.batch_size, p=self.chance)):
            if rng.random() < BACKGROUND_SHARE:
                view = background_view(self.scenes, self.size, rng)
                pictures[row] = disturb(view, rng) if rng.random() < DISTURBED_SHARE else view
                targets[row, self.classes] = 1
            else:
                pictures[row] = self.item(index, rng)
                targets[row, self.labels[index]] = 1
        return pictures, targets, rng

    def item(self, index: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """One fresh view of a photo: (size, size, 3), RGB."""
        kind = rng.random()
        if kind >= HARD_SHARE:
            # Crops make things look larger in training than whole pictures do in serving; some are not cropped
            # (Touvron et al. 2019, arXiv:1906.06423)
            whole = kind < HARD_SHARE + WHOLE_SHARE
            return augment(self.pixels[index], self.size, rng, WHOLE_AREA if whole else CROP_AREA)
        if self.outlined[index] and rng.random() < REPLACED_SHARE:
            clear = self.labels[index] in self.clear and rng.random() < CLEAR_SHARE
            view = before_another(self.pixels[index], self.outlines[index], self.scenes, self.size, rng, clear)
            return disturb(photometric(view, rng, 1.0), rng)
        return disturb(photometric(augment(self.pixels[index], self.size, rng, CLOSE_AREA), rng, 0.6), rng)

    def dataset(self, features: Features) -> tf.data.Dataset:
        """One epoch's features and targets, made on two threads while the network learns."""

        def fill(number: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            pictures, targets, rng = self.batch(int(number))
            found = features(pictures)
            mix(found, targets, rng)
            return found, targets

        def make(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            found, targets = tf.numpy_function(fill, [number], (tf.float32, tf.float32), stateful=True)
            found.set_shape((self.batch_size, *features.shape))
            targets.set_shape((self.batch_size, self.classes + 1))
            return found, targets

        numbers = tf.data.Dataset.range(self.steps)
        return numbers.map(make, num_parallel_calls=2, deterministic=True).prefetch(2)


def mix(features: NDArray[np.float32], targets: NDArray[np.float32], rng: np.random.Generator) -> None:
    """In place, mix MIXED_SHARE of the features (n, h, w, c) and targets (n, classes) with others of the batch.

    One half is blended (manifold mixup, Verma et al. 2019, arXiv:1806.05236), the other gets a rectangle of the other's
    (as CutMix, Yun et al. 2019, arXiv:1905.04899, does with pictures).
    """
    count, height, width = features.shape[:3]
    others, other_targets = features.copy(), targets.copy()
    for row in np.flatnonzero(rng.random(count) < MIXED_SHARE):
        other = int(rng.integers(count))
        if rng.random() < 0.5:
            share = float(rng.beta(0.4, 0.4))
            features[row] = others[row] * (1 - share) + others[other] * share
        else:
            side = np.sqrt(rng.uniform(0, 0.6))
            rows, columns = round(side * height), round(side * width)
            top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
            box = np.s_[top : top + rows, left : left + columns]
            features[row][box] = others[other][box]
            share = rows * columns / (height * width)
        targets[row] = other_targets[row] * (1 - share) + other_targets[other] * share
