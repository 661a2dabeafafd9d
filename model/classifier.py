"""What a network's numbers mean: calibrated probabilities, whether the picture is known, and where it was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.artifact import MODEL_FILE, SHIPPED, ArtifactError, Metadata, read_artifact
from model.preprocessing import check_image, preprocess
from model.runtime import Array, LiteRT, Runtime


@dataclass(frozen=True)
class Prediction:
    """What a classifier says about one picture.

    Attributes:
        label: The most probable class.
        confidence: Its calibrated probability, 0 to 1.
        probabilities: One probability per label, in the artifact's label order; they sum to 1.
        known: False if the picture looks unlike everything that the network was trained on.
        score: What `known` was decided on, in logits: the negative free energy of the labels (Liu et al. 2020,
            arXiv:2010.03759), less the logit of the background where the network has one. The higher, the more the
            picture looks like an item.
        activation: How much each place of the picture speaks for the label, from 0 (least) to 1 (most): the class
            activation map (Zhou et al. 2016, arXiv:1512.04150). float32, (rows, columns), spread over the whole
            picture; (7, 7) for a network that takes 224 pixels. None if the artifact's network does not give it.
            Comparing two predictions ignores it.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    known: bool
    score: float
    activation: NDArray[np.float32] | None = field(default=None, compare=False)


class Classifier:
    """An artifact that is ready to classify. One instance may be called from many threads; their calls take turns."""

    def __init__(self, runtime: Runtime, metadata: Metadata) -> None:
        """Join a network with what its numbers mean. Most callers want `Classifier.load`.

        Args:
            runtime: The network. Its one-dimensional output holds the logits; a three-dimensional one, (rows,
                columns, logits), holds the activation maps.
            metadata: What the artifact says about the network.

        Raises:
            ValueError: The network's input or outputs are not those that the metadata describes.
        """
        _check_shapes(runtime, metadata)
        self.metadata = metadata
        self._runtime = runtime

    @classmethod
    def load(cls, path: str | Path | None = None, threads: int = 1) -> "Classifier":
        """Load an artifact, and run it once so that the first picture is as fast as all others.

        Args:
            path: The artifact's folder; by default the one that is shipped with this package.
            threads: How many threads one picture may use. One is right for a server, where a second core is better
                spent on video.

        Raises:
            ArtifactError: The folder is missing or damaged, or its files do not fit each other.
        """
        folder = SHIPPED if path is None else Path(path)
        content, metadata = read_artifact(folder)
        try:
            classifier = cls(LiteRT(content, threads), metadata)
        except ValueError as error:
            raise ArtifactError(f"{folder / MODEL_FILE}: {error}") from error
        classifier.classify(np.zeros((metadata.input_size, metadata.input_size, 3), np.uint8))
        return classifier

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self.metadata.labels

    def classify(self, rgb: NDArray[np.uint8]) -> Prediction:
        """Classify one picture.

        Args:
            rgb: The picture, uint8, (height, width, 3), RGB, of any size. It is resized as a whole, never cropped.

        Raises:
            TypeError: `rgb` is not a uint8 array. The message says what was received.
            ValueError: `rgb` is not of this shape or has no pixel. The message says what was received.
        """
        return self._interpret(self._runtime.run(preprocess(check_image(rgb), self.metadata.input_size)))

    def classify_batch(self, pictures: Iterable[NDArray[np.uint8]]) -> list[Prediction]:
        """Classify several pictures one after the other, each as `classify` does, and keep their order."""
        return [self.classify(rgb) for rgb in pictures]

    def _interpret(self, outputs: tuple[Array, ...]) -> Prediction:
        by_rank = {output.ndim: output for output in outputs}  # a converter may give the two outputs in either order
        logits, maps = np.asarray(by_rank[1], np.float64), by_rank.get(3)
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
            activation=None if maps is None else _stretch(maps[..., best]),
        )


def _stretch(activation: Array) -> NDArray[np.float32]:
    """Scale a map so that it reaches from 0 to 1; it is 0 everywhere if all its places say the same."""
    least, most = activation.min(), activation.max()
    stretched = (activation - least) / (most - least) if most > least else np.zeros_like(activation)
    return stretched.astype(np.float32)


def _check_shapes(runtime: Runtime, metadata: Metadata) -> None:
    """Raise ValueError unless the network takes and gives what its metadata says."""
    wanted_input, outputs = (metadata.input_size, metadata.input_size, 3), metadata.outputs
    if runtime.input_shape != wanted_input:
        raise ValueError(f"input has shape {runtime.input_shape}, metadata.json asks for {wanted_input}")
    logits, *maps = sorted(runtime.output_shapes, key=len)
    if logits != (outputs,):
        raise ValueError(f"output has shape {logits}, metadata.json asks for {(outputs,)}")
    if len(maps) > 1 or any(len(shape) != 3 or shape[2] != outputs for shape in maps):
        raise ValueError(f"expected at most one more output, (rows, columns, {outputs}); got {maps}")
