"""What a larger network makes of each training picture, for a smaller one to learn (distillation)."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.export import read_keras, to_litert
from training.features import Features
from training.network import BACKBONE, Imitation

SHARE = 0.7  # of the targets; the photos' labels have the rest
FLATTEST = 0.05  # least standard deviation of a feature, as a share of the usual one


class Teacher:
    """A trained network, through LiteRT. May be called from many threads at once."""

    def __init__(self, network: keras.Model, learner: keras.Model, photos: NDArray[np.uint8]) -> None:
        """network, learner: of `build_network`, with any backbones. photos: uint8, (n, size, size, 3), RGB: features
        are told as differences from their mean over these, in units of their standard deviation.
        """
        backbone = network.get_layer(BACKBONE)
        before = keras.Model(network.inputs, backbone(network.layers[network.layers.index(backbone) - 1].output))
        self._features = Features(to_litert(before, network.input_shape[1]))
        self._kernel, self._bias = (np.asarray(weight) for weight in network.layers[-1].weights)
        pooled = self._features(photos).mean(axis=(1, 2))
        deviation = pooled.std(axis=0)
        self._mean, self._deviation = pooled.mean(axis=0), np.maximum(deviation, FLATTEST * np.median(deviation))
        self.imitation = Imitation(learner.layers[-1].kernel.shape[0], self.width)

    @property
    def width(self) -> int:
        """How many features a picture has."""
        return len(self._mean)

    def __call__(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities, float32, (n, outputs), and features, float32, (n, width), of pictures, (n, size, size, 3)."""
        pooled = self._features(pictures).mean(axis=(1, 2))
        logits = pooled @ self._kernel + self._bias
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        return probabilities / probabilities.sum(axis=1, keepdims=True), (pooled - self._mean) / self._deviation


def read_teacher(file: Path, learner: keras.Model, photos: NDArray[np.uint8]) -> Teacher:
    """The teacher in a run's `network.keras`. Raises TrainingError unless it takes pictures of the learner's size and
    has as many outputs: the labels' order is that of their names in both.
    """
    network = read_keras(file)
    shapes = network.input_shape, network.output_shape
    if BACKBONE not in [layer.name for layer in network.layers] or shapes != (
        learner.input_shape, learner.output_shape,
    ):  # fmt: skip
        raise TrainingError(
            f"{file}: cannot teach this network; expected network.keras of a training run with "
            f"{learner.output_shape[1] - 1} labels and --size {learner.input_shape[1]}"
        )
    return Teacher(network, learner, photos)
