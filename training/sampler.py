"""What one epoch consists of: balanced draws from the photos, a share of empty views, each freshly augmented."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.augmentation import augment
from training.background import background_view

BACKGROUND_SHARE = 0.1
EXTRA_WEIGHT = 0.35  # extra photos often come from few scenes, so each counts for about a third of a main one


class Sampler(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """A tf.data pipeline whose every batch follows from (seed, epoch, batch number), so a resumed run continues alike.

    As a Keras callback it learns which epoch begins. Classes are drawn in proportion to the square root of their
    size: halfway between balanced and as they come.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        labels: NDArray[np.int64],
        main: int,
        scenes: NDArray[np.uint8],
        classes: int,
        size: int,
        batch_size: int,
        seed: tuple[int, ...],
        least_area: float = 0.45,
    ) -> None:
        """pixels: (n, h, w, 3), RGB; the first `main` are the main folder's, the others extra photos.

        labels: (n,), below `classes`; the background is class number `classes`. scenes: (m, h, w, 3), RGB, m >= 0.
        size: side of the pictures that come out. least_area: of a crop, as a share of the photo.
        """
        super().__init__()
        self.pixels, self.labels, self.scenes = pixels, labels, scenes
        self.classes, self.size, self.batch_size = classes, size, batch_size
        self.seed, self.epoch, self.least_area = seed, 0, least_area
        weight = np.where(np.arange(len(labels)) < main, 1.0, EXTRA_WEIGHT)
        of_class = np.bincount(labels, weight, minlength=classes)
        self.chance = weight / np.sqrt(of_class[labels])
        self.chance /= self.chance.sum()
        self.steps = int(np.ceil(main / (1 - BACKGROUND_SHARE) / batch_size))

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
                pictures[row] = augment(self.pixels[index], self.size, rng, self.least_area)
                targets[row, self.labels[index]] = 1
        return pictures, targets

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
