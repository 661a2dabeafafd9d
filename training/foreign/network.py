"""A classifier from elsewhere, ready to be measured and converted, whatever it came from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError
from training.foreign.flatbuffer import FlatNetwork
from training.foreign.graph import INDEPENDENT, ONE_OUTPUT, HeadError, Parts, take_apart, to_logits
from training.foreign.kinds import identify
from training.foreign.loading import load_function
from training.foreign.ranges import INPUT_RANGES, PLAIN, Logits
from training.network.conversion import convert

TRIAL_PICTURES = 8
HEAD_NOTES = {"one logit": (ONE_OUTPUT,), "sigmoids": (INDEPENDENT,)}  # what is assumed of a head


class Network(Protocol):
    """A classifier that takes pixels in some range.

    Attributes:
        size: Side of its pictures in pixels.
        outputs: How many logits it gives.
        scaled: What becomes of pixels 0 and 255 in its own scaling; None if it has none.
        fixed_range: A sentence that says so if the file itself fixes the range of its pixels; else None.
        notes: What was assumed about its outputs, as sentences.
    """

    size: int
    outputs: int
    scaled: tuple[float, float] | None
    fixed_range: str | None
    notes: tuple[str, ...]

    def runner(self, input_range: str) -> Callable[[NDArray[np.uint8]], Logits]:
        """Make a function from one picture, uint8, (size, size, 3), RGB, to logits, (outputs,)."""
        ...

    def to_litert(self, input_range: str, precision: str, representative: NDArray[np.uint8] | None) -> bytes:
        """Make a LiteRT file from pixels of 0 to 255 to logits; see `conversion.convert`."""
        ...


class GraphNetwork:
    """A Keras model or SavedModel. Implements `Network`."""

    fixed_range: str | None = None

    def __init__(self, parts: Parts, size: int) -> None:
        """Wrap a network that was taken apart, with pictures of a side in pixels."""
        self._parts = parts
        self.size, self.outputs, self.scaled = size, parts.outputs, parts.scaled
        self.notes: tuple[str, ...] = HEAD_NOTES.get(parts.head, ())

    def runner(self, input_range: str) -> Callable[[NDArray[np.uint8]], Logits]:
        """See `Network`."""
        function = self._function(input_range)

        def run(pixels: NDArray[np.uint8]) -> Logits:
            logits: Logits = function(tf.constant(pixels[None], tf.float32))[0].numpy()[0]
            return logits

        return run

    def to_litert(self, input_range: str, precision: str, representative: NDArray[np.uint8] | None) -> bytes:
        """See `Network`."""
        return convert(self._function(input_range), self.size, precision, representative)

    def _function(self, input_range: str) -> Any:
        scaling = INPUT_RANGES[input_range]

        def call(pixels: Any) -> tuple[Any, ...]:
            ordered = tf.reverse(pixels, [3]) if scaling.bgr else pixels
            if input_range != PLAIN:
                ordered = ordered * np.array(scaling.scale, np.float32) + np.array(scaling.offset, np.float32)
            return to_logits(self._parts, ordered)

        return tf.function(call, autograph=False)


def read_network(path: Path, size: int) -> Network:
    """Read a classifier from a file or SavedModel folder.

    Args:
        path: What Keras 2 or 3 or TensorFlow saved, or a `.tflite` file.
        size: Side of the pictures in pixels, for a network that takes any size.

    Raises:
        TrainingError: It is no usable classifier. The message says why.
    """
    file = identify(path)
    try:
        if file.kind == "tflite":
            return FlatNetwork(file.path)
        concrete = load_function(file, size)
        side = int(concrete.inputs[0].shape[1])
        trial = np.random.default_rng(0).uniform(-1, 1, (TRIAL_PICTURES, side, side, 3)).astype(np.float32)
        return GraphNetwork(take_apart(concrete, trial), side)
    except HeadError as error:
        raise TrainingError(f"{path}: {error}") from error
