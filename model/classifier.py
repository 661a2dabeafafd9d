"""Runs an artifact with LiteRT."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
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
    activation: what each place of the picture says for the label, float32, (rows, columns) over the whole picture,
        (7, 7) for 224 pixels, from 0 (least) to 1 (most): the class activation map (Zhou et al. 2016,
        arXiv:1512.04150). None where the artifact's network does not give it. Comparing predictions leaves it out.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    known: bool
    score: float
    activation: NDArray[np.float32] | None = field(default=None, compare=False)


class Classifier:
    """An artifact, ready to classify. One instance may be called from many threads: calls take turns."""

    def __init__(self, interpreter: Interpreter, metadata: Metadata) -> None:
        self.metadata = metadata
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        # The converter gives no order: the logits are flat, the activation maps are not
        outputs = {len(details["shape"]): details for details in interpreter.get_output_details()}
        self._output, self._maps = outputs[2], outputs.get(4)
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
        _check_shapes(interpreter, metadata, file)
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
        return self._interpret(*self._run(preprocess(check_image(rgb), self.metadata.input_size)))

    def classify_batch(self, pictures: Iterable[NDArray[np.uint8]]) -> list[Prediction]:
        """Classify several pictures, each as `classify` does, and return the predictions in order."""
        return [self.classify(rgb) for rgb in pictures]

    def _run(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Logits, (outputs,), and activation maps, (rows, columns, outputs), or None."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], pixels[None].astype(self._input["dtype"]))
            self._interpreter.invoke()
            raw = self._interpreter.get_tensor(self._output["index"])[0]
            maps = None if self._maps is None else self._interpreter.get_tensor(self._maps["index"])[0]
        logits = np.asarray(raw, np.float64)
        scale, zero = self._output["quantization"]  # (0, 0) for a float output
        return (logits - zero) * scale if scale else logits, maps

    def _interpret(self, logits: NDArray[np.float64], maps: NDArray[np.float32] | None) -> Prediction:
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
            activation=None if maps is None else _stretch(maps[..., best].astype(np.float32)),
        )


def _stretch(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same map from 0 to 1; all 0 where every place says the same. A quantised map's scale cancels out."""
    least, most = activation.min(), activation.max()
    return (activation - least) / (most - least) if most > least else np.zeros_like(activation)


def _check_shapes(interpreter: Interpreter, metadata: Metadata, file: Path) -> None:
    """Raise ArtifactError unless the network takes and gives what its metadata says."""
    size, outputs = metadata.input_size, metadata.outputs
    taken = tuple(int(n) for n in interpreter.get_input_details()[0]["shape"])
    given = sorted((tuple(int(n) for n in x["shape"]) for x in interpreter.get_output_details()), key=len)
    if taken != (1, size, size, 3):
        raise ArtifactError(f"{file}: input has shape {taken}, metadata.json asks for {(1, size, size, 3)}")
    if given[0] != (1, outputs):
        raise ArtifactError(f"{file}: output has shape {given[0]}, metadata.json asks for {(1, outputs)}")
    if len(given) > 2 or any(len(maps) != 4 or (maps[0], maps[3]) != (1, outputs) for maps in given[1:]):
        raise ArtifactError(f"{file}: expected at most one more output, (1, rows, columns, {outputs}); got {given[1:]}")
