"""The public classifier and its artifact."""

import json
import shutil
import threading

import numpy as np
import pytest

from model import ArtifactError, Classifier
from model.artifact import SHIPPED


@pytest.fixture
def artifact(tmp_path):
    """A copy of the shipped artifact, to be damaged."""
    return shutil.copytree(SHIPPED, tmp_path / "artifact")


def pictures(count: int = 6) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (90 + 40 * n, 160, 3), np.uint8) for n in range(count)]


def edit(artifact, **changes):
    path = artifact / "metadata.json"
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (metadata | changes).items() if value is not None}))


def test_prediction_keeps_the_contract(classifier):
    assert isinstance(classifier.labels, tuple)
    assert classifier.labels == ("cardboard", "glass", "metal", "paper", "plastic", "trash")
    prediction = classifier.classify(pictures(1)[0])
    assert tuple(prediction.probabilities) == classifier.labels
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.confidence == max(prediction.probabilities.values()) == prediction.probabilities[prediction.label]
    assert isinstance(prediction.known, bool)
    assert 0 <= prediction.confidence <= 1


def test_activation_is_a_map_of_the_picture(classifier):
    picture = np.full((300, 400, 3), 128, np.uint8)
    picture[40:140, 200:360] = pictures()[0][:90, :160].mean(axis=1, keepdims=True)[:1].astype(np.uint8)
    activation = classifier.classify(picture).activation
    assert activation.shape == (7, 7)
    assert activation.dtype == np.float32
    assert (activation.min(), activation.max()) == (0, 1)
    mirrored = classifier.classify(np.ascontiguousarray(picture[:, ::-1])).activation
    assert np.corrcoef(mirrored[:, ::-1].ravel(), activation.ravel())[0, 1] > 0.8
    assert np.corrcoef(mirrored.ravel(), activation.ravel())[0, 1] < 0.8


@pytest.mark.parametrize("shape", [(1, 1), (2, 4000), (4000, 2), (224, 224), (1080, 1920)])
def test_any_size(classifier, shape):
    assert classifier.classify(np.zeros((*shape, 3), np.uint8)).label in classifier.labels


def test_pictures_are_told_apart(classifier):
    assert len({classifier.classify(picture).score for picture in pictures()}) == 6


def test_batch_equals_one_by_one(classifier):
    assert classifier.classify_batch(pictures()) == [classifier.classify(picture) for picture in pictures()]
    assert classifier.classify_batch([]) == []


def test_many_threads_get_the_same_as_one(classifier):
    expected = [classifier.classify(picture) for picture in pictures()]
    wrong = []

    def work():
        for _ in range(5):
            wrong.extend(a for a, b in zip(classifier.classify_batch(pictures()), expected, strict=True) if a != b)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_bad_pictures_are_refused_with_what_was_received(classifier):
    with pytest.raises(TypeError, match="float64"):
        classifier.classify(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        classifier.classify(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="at least one pixel"):
        classifier.classify(np.zeros((0, 0, 3), np.uint8))


def test_a_view_of_a_larger_picture_is_taken(classifier):
    picture = pictures(4)[3]
    turned = picture[::-1, ::2]
    assert classifier.classify(turned) == classifier.classify(np.ascontiguousarray(turned))


def test_a_missing_folder(tmp_path):
    with pytest.raises(ArtifactError, match="no such folder"):
        Classifier.load(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["classifier.tflite", "metadata.json"])
def test_a_missing_file_is_named(artifact, name):
    (artifact / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: cannot be read"):
        Classifier.load(artifact)


def test_a_damaged_model_is_refused(artifact):
    path = artifact / "classifier.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"classifier\.tflite: is damaged"):
        Classifier.load(artifact)


def test_a_model_that_litert_cannot_load_is_refused(artifact):
    import hashlib

    (artifact / "classifier.tflite").write_bytes(b"not a model")
    edit(artifact, sha256=hashlib.sha256(b"not a model").hexdigest())
    with pytest.raises(ArtifactError, match="LiteRT cannot load it"):
        Classifier.load(artifact)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ["a", "b"]}, "output has shape"),
        ({"labels": "glass"}, "'labels' must be"),
        ({"labels": ["a", "a", "b", "c", "d", "e"]}, "different"),
        ({"labels": None}, "'labels' must be"),
        ({"input_size": 100}, "input has shape"),
        ({"input_size": True}, "'input_size' must be"),
        ({"input_size": 0}, "at least 1 pixel"),
        ({"labels": ["glass"]}, "two or more"),
        ({"labels": ["a", "", "b", "c", "d", "e"]}, "non-empty"),
        ({"temperature": 0}, "above 0"),
        ({"temperature": "warm"}, "'temperature' must be"),
        ({"rejection_threshold": None}, "'rejection_threshold' must be"),
        ({"background": 1}, "'background' must be"),
        ({"sha256": 5}, "'sha256' must be"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(artifact, changes, words):
    edit(artifact, **changes)
    with pytest.raises(ArtifactError, match=words):
        Classifier.load(artifact)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_metadata_that_is_no_object_is_refused(artifact, text):
    (artifact / "metadata.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"metadata\.json"):
        Classifier.load(artifact)


def test_temperature_softens_and_threshold_rejects(artifact, classifier):
    picture = pictures(1)[0]
    plain = classifier.classify(picture)
    edit(artifact, temperature=classifier.metadata.temperature * 4, rejection_threshold=plain.score + 0.01)
    softer = Classifier.load(artifact).classify(picture)
    assert softer.label == plain.label
    assert softer.confidence < plain.confidence
    assert not softer.known
    edit(artifact, rejection_threshold=plain.score - 0.01)
    assert Classifier.load(artifact).classify(picture).known


def test_the_shipped_artifact_is_small_and_documented():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 10 * 1024 * 1024
    assert (SHIPPED / "MODEL_CARD.md").read_text().strip()
