"""Runs a network, and knows nothing of what its numbers mean.

`Runtime` is all that the rest of the code asks of an inference engine. `LiteRT` is the one in use, and this is the only
file that imports it: to run networks with another engine, write another class like it.
"""

import threading
from typing import Any, Protocol

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Runtime(Protocol):
    """A loaded network that takes one picture at a time. It may be called from several threads.

    Attributes:
        input_shape: (height, width, channels) of the picture that it takes.
        output_shapes: The shape of each output for one picture, without a batch axis, in the order of `run`'s arrays.
    """

    @property
    def input_shape(self) -> tuple[int, ...]: ...

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]: ...

    def run(self, pixels: NDArray[np.uint8]) -> tuple[Array, ...]:
        """Run the network on one picture.

        Args:
            pixels: The picture, uint8, of `input_shape`, RGB, 0 to 255.

        Returns:
            One floating-point array per output, of `output_shapes`, that the caller may keep.
        """
        ...


class LiteRT:
    """A LiteRT (formerly TensorFlow Lite) network on the processor. Implements `Runtime`.

    An interpreter is not safe to share between threads, so calls take turns. Where several should run at once, give
    each thread an instance of its own.
    """

    def __init__(self, content: bytes, threads: int = 1) -> None:
        """Load a network.

        Args:
            content: The bytes of a `.tflite` file with one input, (1, height, width, channels), float32 or uint8.
            threads: How many threads LiteRT may use for one picture.

        Raises:
            ValueError: LiteRT cannot load the file, or it does not take exactly one picture at a time.
        """
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"LiteRT cannot load it ({error})") from error
        inputs, self._outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = [tuple(int(length) for length in tensor["shape"]) for tensor in (*inputs, *self._outputs)]
        if len(inputs) != 1 or any(shape[:1] != (1,) for shape in shapes):
            raise ValueError(f"expected one input, and 1 as the first length of every shape; got the shapes {shapes}")
        self._input = inputs[0]
        self._input_shape, *self._output_shapes = (shape[1:] for shape in shapes)
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """See `Runtime`."""
        return self._input_shape

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """See `Runtime`."""
        return tuple(self._output_shapes)

    def run(self, pixels: NDArray[np.uint8]) -> tuple[Array, ...]:
        """See `Runtime`. What a quantised network gives as integers comes back as the float64 that they stand for."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], pixels[None].astype(self._input["dtype"]))
            self._interpreter.invoke()
            found = [self._interpreter.get_tensor(output["index"])[0] for output in self._outputs]
        return tuple(_dequantised(raw, output) for raw, output in zip(found, self._outputs, strict=True))


def _dequantised(raw: NDArray[Any], output: dict[str, Any]) -> Array:
    scale, zero = output["quantization"]  # (0.0, 0) where the tensor is not quantised
    return (raw.astype(np.float64) - zero) * scale if scale else raw
