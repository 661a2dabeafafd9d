"""The frozen part of the network through LiteRT: seven times faster than through TensorFlow, on one thread each."""

import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class Features:
    """Pictures to what the learning part of the network is fed. May be called from many threads at once."""

    def __init__(self, content: bytes) -> None:
        """content: a LiteRT file with input (1, size, size, 3), RGB 0..255, and output (1, h, w, c)."""
        self._content = content
        self._local = threading.local()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture's features: (h, w, c)."""
        h, w, c = self._interpreter().get_output_details()[0]["shape"][1:]
        return int(h), int(w), int(c)

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features, float32, (n, h, w, c), of pictures, uint8, (n, size, size, 3), RGB."""
        interpreter = self._interpreter()
        taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        features = np.empty((len(pictures), *self.shape), np.float32)
        for row, picture in enumerate(pictures):
            interpreter.set_tensor(taken, picture[None].astype(np.float32))
            interpreter.invoke()
            features[row] = interpreter.get_tensor(given)[0]
        return features

    def _interpreter(self) -> Interpreter:
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = Interpreter(model_content=self._content, num_threads=1)
            self._local.interpreter.allocate_tensors()
        interpreter: Interpreter = self._local.interpreter
        return interpreter
