"""Runs an artifact with LiteRT."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from model.artifact import MODEL_FILE, SHIPPED, ArtifactError, Metadata, read_artifact
from model.preprocessing import check_image, preprocess


@dataclass(frozen=True)
class Prediction:
    """What the network says of one picture.

    label: the most probable class.
    confidence: its calibrated probability, 0 to 1.
    probabilities: one per label, in the artifact's label order, summing to 1.
    known: False where the picture looks like nothing the network was trained on.
    score: what `known` was decided on, in logits: free energy of the labels (Liu et al. 2020, arXiv:2010.03759), less
        the background's logit where the network has one. Higher is more like an item.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    known: bool
    score: float


class Classifier:
    """An artifact, ready to classify. One instance may be called from many threads: calls take turns."""

    def __init__(self, interpreter: Interpreter, metadata: Metadata) -> None:
        self.metadata = metadata
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        self._output = interpreter.get_output_details()[0]
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str | Path | None = None, threads: int = 1) -> "Classifier":
        """Load the artifact folder `path`, or the shipped one, and run it once so that the first picture is fast.

        threads: for LiteRT. One is right for a server: a second core is better spent on video.
        Raises ArtifactError where the folder is missing, damaged, or its files do not fit each other.
        """
        folder = SHIPPED if path is None else Path(path)
        content, metadata = read_artifact(folder)
        file = folder / MODEL_FILE
        try:
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{file}: LiteRT cannot load it ({error})") from error
        size = metadata.input_size
        for what, details, shape in (
            ("input", interpreter.get_input_details()[0], (1, size, size, 3)),
            ("output", interpreter.get_output_details()[0], (1, metadata.outputs)),
        ):
            got = tuple(int(n) for n in details["shape"])
            if got != shape:
                raise ArtifactError(f"{file}: {what} has shape {got}, metadata.json asks for {shape}")
        classifier = cls(interpreter, metadata)
        classifier.classify(np.zeros((size, size, 3), np.uint8))
        return classifier

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        return self.metadata.labels

    def classify(self, rgb: NDArray[np.uint8]) -> Prediction:
        """Classify one picture: uint8, shape (height, width, 3), RGB, any size. All of it is looked at.

        Raises TypeError or ValueError, saying what was received, for anything else.
        """
        return self._interpret(self._logits(preprocess(check_image(rgb), self.metadata.input_size)))

    def classify_batch(self, pictures: Iterable[NDArray[np.uint8]]) -> list[Prediction]:
        """Classify several pictures, each as `classify` does, and return the predictions in order."""
        return [self.classify(rgb) for rgb in pictures]

    def _logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], pixels[None].astype(self._input["dtype"]))
            self._interpreter.invoke()
            raw = self._interpreter.get_tensor(self._output["index"])[0]
        logits = np.asarray(raw, np.float64)
        scale, zero = self._output["quantization"]  # (0, 0) for a float output
        return (logits - zero) * scale if scale else logits

    def _interpret(self, logits: NDArray[np.float64]) -> Prediction:
        labels = self.metadata.labels
        of_labels = logits[: len(labels)]
        score = float(np.logaddexp.reduce(of_labels))
        if self.metadata.background:
            score -= float(logits[-1])
        scaled = of_labels / self.metadata.temperature
        probabilities = np.exp(scaled - np.logaddexp.reduce(scaled))
        best = int(probabilities.argmax())
        return Prediction(
            label=labels[best],
            confidence=float(probabilities[best]),
            probabilities={label: float(p) for label, p in zip(labels, probabilities, strict=True)},
            known=score >= self.metadata.rejection_threshold,
            score=score,
        )
