"""What one epoch consists of: photos drawn in balance and some views of nothing, each freshly augmented."""

from collections.abc import Collection

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.network.features import Features
from training.pictures.augmentation import augment, photometric
from training.pictures.background import background_view
from training.pictures.scene import CLEAR_SHARE, before_another, disturb

BACKGROUND_SHARE = 0.13  # of the pictures, which show nothing
DISTURBED_SHARE = 0.4  # of those that show nothing: a hand alone is no item
HARD_SHARE, WHOLE_SHARE = 0.45, 0.2  # of the items: hard pictures, and easy ones that are hardly cropped
REPLACED_SHARE = 0.6  # of the hard ones with an outline, which are put before another background
MIXED_SHARE = 0.4  # of the pictures, each mixed with another of its batch
# The smallest crop, as a share of the photo: of an easy picture, a hard one, and one that is hardly cropped
CROP_AREA, CLOSE_AREA, WHOLE_AREA = 0.45, 0.3, 0.85


class Sampler(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Makes batches of pictures, as a tf.data pipeline.

    Every batch follows from the seed, the epoch and the batch's number, so a resumed run continues as it would have
    gone on. As a Keras callback the sampler learns which epoch begins. Classes are drawn in proportion to the square
    root of their size: halfway between all alike and as they come.
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
        """Prepare to draw from some photos.

        Args:
            pixels: The photos, uint8, (n, height, width, 3), RGB.
            labels: Their classes, int64, (n,), below `classes`. The background is class number `classes`.
            weights: How often each is drawn beside others of its class, float64, (n,).
            outlines: Where the item of each is, uint8, (n, side, side), by `cutouts`.
            scenes: Pictures without an item, uint8, (m, height, width, 3), RGB; there may be none.
            classes: How many classes there are, without the background.
            size: Side of the pictures that come out, in pixels.
            batch_size: How many pictures a batch has.
            seed: Where all random numbers start.
            clear: Classes whose items may be see-through.
            most: The most pictures of an epoch; by default as many as there are photos, and the background's share.
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
        """Called by Keras: from now on, batches are those of this epoch."""
        self.epoch = epoch

    def batch(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], np.random.Generator]:
        """Make one batch of this epoch.

        Returns:
            Pictures, uint8, (batch, size, size, 3), RGB; their targets, one-hot, float32, (batch, classes + 1); and the
            generator that drew them, for what is still to be drawn for this batch.
        """
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
        """Draw one fresh view of a photo: uint8, (size, size, 3), RGB."""
        kind = rng.random()
        if kind >= HARD_SHARE:
            # Cropping makes things look larger in training than they are in the whole pictures that are served, so
            # some are hardly cropped (Touvron et al. 2019, arXiv:1906.06423)
            whole = kind < HARD_SHARE + WHOLE_SHARE
            return augment(self.pixels[index], self.size, rng, WHOLE_AREA if whole else CROP_AREA)
        if self.outlined[index] and rng.random() < REPLACED_SHARE:
            clear = self.labels[index] in self.clear and rng.random() < CLEAR_SHARE
            view = before_another(self.pixels[index], self.outlines[index], self.scenes, self.size, rng, clear)
            return disturb(photometric(view, rng, 1.0), rng)
        return disturb(photometric(augment(self.pixels[index], self.size, rng, CLOSE_AREA), rng, 0.6), rng)

    def dataset(self, features: Features) -> tf.data.Dataset:
        """The features and targets of one epoch, made on two threads while the network learns."""

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
    """Mix MIXED_SHARE of a batch's rows with other rows of it, in place.

    One half of them is blended (manifold mixup, Verma et al. 2019, arXiv:1806.05236); the other half gets a rectangle
    of another row (as CutMix, Yun et al. 2019, arXiv:1905.04899, does with pictures).

    Args:
        features: float32, (n, height, width, channels).
        targets: Probabilities of the classes, float32, (n, classes).
        rng: Source of all randomness.
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
