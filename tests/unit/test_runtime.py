"""The seam between a network and what its numbers mean."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from model import Classifier
from model.artifact import MODEL_FILE, SHIPPED, Metadata
from model.preprocessing import preprocess
from model.runtime import LiteRT
from tests.helpers.trashnet import ROOT

METADATA = Metadata(
    labels=("can", "cup", "tin"), input_size=2, background=True, temperature=2.0, rejection_threshold=4.0, sha256="",
    raw={},
)  # fmt: skip
LOGITS = np.array([1.0, 3.0, 2.0, -1.0])  # the last is the background's
MAPS = np.zeros((2, 2, 4), np.float32)
MAPS[..., 1] = [[-4, 0], [4, 0]]


class MadeUpRuntime:
    """A runtime that answers what it is told, and keeps what it was given."""

    def __init__(self, *outputs: np.ndarray, input_shape: Sequence[int] = (2, 2, 3)) -> None:
        self.outputs, self.input_shape = outputs, tuple(input_shape)
        self.output_shapes = tuple(output.shape for output in outputs)
        self.given: list[np.ndarray] = []

    def run(self, pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        self.given.append(pixels)
        return self.outputs


def red(height: int = 2, width: int = 2) -> np.ndarray:
    return np.full((height, width, 3), (250, 0, 0), np.uint8)


@pytest.mark.parametrize("outputs", [(LOGITS, MAPS), (MAPS, LOGITS)], ids=["logits first", "maps first"])
def test_any_runtime_makes_a_classifier(outputs):
    runtime = MadeUpRuntime(*outputs)
    prediction = Classifier(runtime, METADATA).classify(red(9, 5))
    np.testing.assert_array_equal(runtime.given, [red()])
    expected = np.exp(LOGITS[:3] / 2) / np.exp(LOGITS[:3] / 2).sum()
    assert prediction.label == "cup"
    assert prediction.confidence == prediction.probabilities["cup"]
    assert list(prediction.probabilities) == ["can", "cup", "tin"]
    assert list(prediction.probabilities.values()) == pytest.approx(expected)
    assert prediction.score == pytest.approx(np.log(np.exp(LOGITS[:3]).sum()) + 1)
    assert prediction.known
    assert prediction.activation.dtype == np.float32
    np.testing.assert_array_equal(prediction.activation, [[0, 0.5], [1, 0.5]])


def test_without_maps_and_without_background():
    plain = replace(METADATA, background=False, rejection_threshold=3.5)
    prediction = Classifier(MadeUpRuntime(LOGITS[:3]), plain).classify(red())
    assert prediction.activation is None
    assert prediction.score == pytest.approx(np.log(np.exp(LOGITS[:3]).sum()))
    assert not prediction.known


def test_a_map_that_says_the_same_everywhere_is_zero():
    activation = Classifier(MadeUpRuntime(LOGITS, np.full_like(MAPS, 3)), METADATA).classify(red()).activation
    np.testing.assert_array_equal(activation, np.zeros((2, 2)))


def test_a_picture_on_the_threshold_is_known():
    score = Classifier(MadeUpRuntime(LOGITS), METADATA).classify(red()).score
    assert Classifier(MadeUpRuntime(LOGITS), replace(METADATA, rejection_threshold=score)).classify(red()).known


@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        (MadeUpRuntime(LOGITS, input_shape=(3, 3, 3)), r"input has shape \(3, 3, 3\), .* asks for \(2, 2, 3\)"),
        (MadeUpRuntime(LOGITS[:3]), r"output has shape \(3,\), .* asks for \(4,\)"),
        (MadeUpRuntime(MAPS), r"output has shape \(2, 2, 4\)"),
        (MadeUpRuntime(LOGITS, MAPS[..., :3]), r"one more output, \(rows, columns, 4\); got \[\(2, 2, 3\)\]"),
        (MadeUpRuntime(LOGITS, LOGITS), "at most one more output"),
        (MadeUpRuntime(LOGITS, MAPS, MAPS), "at most one more output"),
    ],
)
def test_a_network_that_does_not_fit_its_metadata_is_refused(runtime, words):
    with pytest.raises(ValueError, match=words):
        Classifier(runtime, METADATA)


def test_litert_gives_arrays_of_the_shapes_that_it_names():
    metadata = json.loads((SHIPPED / "metadata.json").read_text())
    runtime = LiteRT((SHIPPED / MODEL_FILE).read_bytes())
    assert runtime.input_shape == (metadata["input_size"], metadata["input_size"], 3)
    pixels = preprocess(red(), metadata["input_size"])
    first, again = runtime.run(pixels), runtime.run(pixels // 2)
    for outputs in (first, again):
        assert tuple(output.shape for output in outputs) == runtime.output_shapes
    assert not np.array_equal(first[0], again[0])  # the second run has not written into the first one's arrays


def test_only_one_file_knows_the_inference_engine():
    sources = [path for folder in ("app", "model", "training") for path in (ROOT / folder).rglob("*.py")]
    knowing = [str(path.relative_to(ROOT)) for path in sources if "ai_edge_litert" in path.read_text()]
    assert knowing == ["model/runtime.py"]
