"""An artifact on disk: `classifier.tflite` and the `metadata.json` that makes its outputs mean something."""

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
    """What the weights need to be understood. Everything else in the file (training, figures) is in `raw`.

    labels: class names in the order of the network's outputs.
    input_size: side of the square input in pixels.
    background: whether one more output follows the labels, for "none of these"; it is never a label.
    temperature: the logits are divided by it before the softmax (Guo et al. 2017, arXiv:1706.04599).
    rejection_threshold: a picture whose score is below it is not `known`.
    sha256: of the model file.
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
        """How many logits the network must have."""
        return len(self.labels) + self.background


def read_artifact(folder: Path) -> tuple[bytes, Metadata]:
    """Return the model file's bytes and its metadata, checked against each other. Raises ArtifactError."""
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
            f"{path}: damaged or not the file that {METADATA_FILE} describes; "
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
        # bool is an int to isinstance; a flag where a number belongs is a mistake
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
