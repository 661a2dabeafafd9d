"""An artifact on disk: a network, `classifier.tflite`, and the `metadata.json` that says what its outputs mean."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "artifact"
MODEL_FILE = "classifier.tflite"
METADATA_FILE = "metadata.json"


class ArtifactError(ValueError):
    """An artifact folder is missing, damaged or inconsistent. The message names the file and the reason."""


@dataclass(frozen=True)
class Metadata:
    """What one must know of a network to understand its outputs.

    Attributes:
        labels: The class names, in the order of the network's outputs.
        input_size: Side of the square input in pixels.
        background: Whether one more output follows those of the labels and stands for "none of these"; it is never
            given as a label.
        temperature: The logits are divided by it before the softmax (temperature scaling, Guo et al. 2017,
            arXiv:1706.04599).
        rejection_threshold: A picture whose score is below it is not `known`; in logits.
        sha256: Hexadecimal digest of the model file.
        raw: The whole JSON object, with what is written there about the training and the measured figures.
    """

    labels: tuple[str, ...]
    input_size: int
    background: bool
    temperature: float
    rejection_threshold: float
    sha256: str
    raw: dict[str, Any]

    @property
    def outputs(self) -> int:
        """How many logits the network must have: one per label, and one for the background if there is one."""
        return len(self.labels) + self.background


def read_artifact(folder: Path) -> tuple[bytes, Metadata]:
    """Read an artifact and check that its two files belong together.

    Args:
        folder: The artifact's folder.

    Returns:
        The model file's content, and its metadata.

    Raises:
        ArtifactError: A file is missing, damaged, or does not fit the other.
    """
    if not folder.is_dir():
        raise ArtifactError(f"{folder}: no such folder; an artifact is a folder with {MODEL_FILE} and {METADATA_FILE}")
    metadata = _read_metadata(folder / METADATA_FILE)
    path = folder / MODEL_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != metadata.sha256:
        raise ArtifactError(
            f"{path}: is damaged, or is not the file that {METADATA_FILE} describes; "
            f"expected SHA-256 {metadata.sha256}, got {digest} ({len(content)} bytes)"
        )
    return content, metadata


def _read_metadata(path: Path) -> Metadata:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: is not valid JSON ({error})") from error
    if not isinstance(raw, dict):
        raise ArtifactError(f"{path}: expected a JSON object, got {type(raw).__name__}")

    def field(key: str, kinds: type | tuple[type, ...], wanted: str) -> Any:
        value = raw.get(key)
        # To isinstance a bool is an int, but true or false where a number belongs is a mistake
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise ArtifactError(f"{path}: {key!r} must be {wanted}; got {value!r}")
        return value

    labels = field("labels", list, "a list of class names")
    if (
        len(labels) < 2
        or len(set(map(str, labels))) != len(labels)
        or not all(isinstance(x, str) and x for x in labels)
    ):
        raise ArtifactError(f"{path}: 'labels' must be two or more different, non-empty names; got {labels!r}")
    input_size = field("input_size", int, "a number of pixels")
    if input_size < 1:
        raise ArtifactError(f"{path}: 'input_size' must be at least 1 pixel; got {input_size}")
    temperature = float(field("temperature", (int, float), "a number above 0"))
    if not (math.isfinite(temperature) and temperature > 0):
        raise ArtifactError(f"{path}: 'temperature' must be a number above 0; got {temperature}")
    threshold = float(field("rejection_threshold", (int, float), "a number"))
    if math.isnan(threshold):
        raise ArtifactError(f"{path}: 'rejection_threshold' must be a number; got {threshold}")
    return Metadata(
        labels=tuple(labels),
        input_size=input_size,
        background=field("background", bool, "true or false"),
        temperature=temperature,
        rejection_threshold=threshold,
        sha256=field("sha256", str, "the SHA-256 of the model file"),
        raw=raw,
    )
