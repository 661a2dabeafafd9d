"""How networks from elsewhere end, and in which range they expect their pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from model import Classifier
from tests.helpers.foreign_models import (
    MINUS_ONE_TO_ONE,
    PICTURES,
    SIDE,
    Run,
    answers,
    head,
    shares,
    softmax,
    tells_brightness,
)
from tests.helpers.tiny_training import eagerly

_eagerly = pytest.fixture(autouse=True)(eagerly)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of grey pictures: dark, middling and bright."""
    folder = tmp_path_factory.mktemp("photos")
    for name, grey in (("a_dark", 40), ("b_middling", 128), ("c_bright", 215)):
        (folder / name).mkdir()
        for i in range(4):
            noise = np.random.default_rng([grey, i]).normal(grey, 10, (SIDE, SIDE, 3))
            assert cv2.imwrite(str(folder / name / f"{i}.png"), np.clip(noise, 0, 255).astype(np.uint8))
    return folder


class TestHeads:
    @pytest.mark.parametrize(
        ("kind", "meaning"),
        [
            ("nested", lambda x: x),
            ("softmax before dropout", lambda x: x),
            ("softmax then reshape", lambda x: x),
            ("log softmax", np.exp),
            ("1 sigmoid", shares),
            ("1 sigmoid layer", shares),
            ("3 sigmoid", shares),
            ("logits", softmax),
        ],
    )
    def test_every_end_gives_the_probabilities_that_it_means(
        self, kind: str, meaning: Callable[[np.ndarray], np.ndarray], tmp_path: Path, run: Run
    ) -> None:
        network, file = head(kind), tmp_path / "m.keras"
        network.save(file)
        run(file, "--labels", "no,yes" if kind.startswith("1") else "a,b,c")
        expected = meaning(np.asarray(network(MINUS_ONE_TO_ONE)))
        assert np.ptp(expected, axis=0).max() > 0.01
        np.testing.assert_allclose(answers(tmp_path / "out"), expected, atol=1e-5)
        known_by = [Classifier.load(tmp_path / "out").classify(picture).score for picture in PICTURES]
        assert np.ptp(known_by) > 1e-3  # the end was taken off: after a softmax, every energy is the same

    def test_an_average_of_two_softmaxes(self, tmp_path: Path, run: Run) -> None:
        pixels = keras.Input((SIDE, SIDE, 3))
        pooled = keras.layers.GlobalMaxPooling2D()(pixels)
        both = [keras.layers.Dense(3, activation="softmax")(pooled) for _ in range(2)]
        network = keras.Model(pixels, keras.layers.Average()(both))
        network.save(tmp_path / "m.keras")
        run(tmp_path / "m.keras", "--labels", "a,b,c")
        np.testing.assert_allclose(answers(tmp_path / "out"), np.asarray(network(MINUS_ONE_TO_ONE)), atol=1e-5)

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
    def test_half_precision_is_computed_in_float32(self, policy: str, tmp_path: Path, run: Run) -> None:
        network, file = head("float32 softmax", policy), tmp_path / "m.keras"
        network.save(file)
        run(file, "--labels", "a,b,c")
        expected = np.asarray(network(MINUS_ONE_TO_ONE), np.float64)
        np.testing.assert_allclose(answers(tmp_path / "out"), expected, atol=0.05 if "b" in policy else 0.01)

    def test_an_end_that_gives_no_probabilities_is_named(self, tmp_path: Path, refusal: Callable[..., str]) -> None:
        last = keras.layers.Dense(3, activation="tanh")
        keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten(), last]).save(tmp_path / "m.keras")
        assert "ends in Tanh" in refusal(tmp_path / "m.keras")


class TestInputRange:
    @pytest.mark.parametrize("input_range", ["-1..1", "0..1", "0..255", "caffe"])
    def test_photos_tell_the_range(
        self, input_range: str, photos: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tells_brightness(input_range).save(tmp_path / "m.keras")
        metadata = run(tmp_path / "m.keras", "--data", photos)
        assert metadata["training"]["input_range"] == input_range
        assert metadata["figures"]["reference"]["accuracy"] == 1
        said = capsys.readouterr().err
        assert f"pixels of {input_range} fit" in said
        assert "100.0% of 12 photos are right" in said

    def test_a_range_that_does_not_fit_is_named(
        self, photos: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tells_brightness("0..1").save(tmp_path / "m.keras")
        metadata = run(tmp_path / "m.keras", "--data", photos, "--input-range=-1..1")
        assert metadata["training"]["input_range"] == "-1..1"
        said = capsys.readouterr().err
        assert "warning: --input-range=-1..1 is applied, but 0..1 fits better" in said

    def test_labels_in_another_order_are_suspected(
        self, photos: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tells_brightness("0..1").save(tmp_path / "m.keras")
        run(tmp_path / "m.keras", "--data", photos, "--labels", "b_middling,c_bright,a_dark")
        assert "in the order of the outputs?" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("layer", "input_range", "said"),
        [
            (lambda: keras.layers.Rescaling(1 / 127.5, offset=-1), "0..255", "0 to 255 become -1 to 1"),
            (lambda: keras.layers.Rescaling(2, offset=-1), "0..1", "enlarge pixels"),
            (lambda: keras.layers.Normalization(mean=[0.5] * 3, variance=[0.25] * 3), "0..1", "enlarge pixels"),
            (lambda: keras.applications.vgg16.preprocess_input, "0..255", "0 to 255 become -124 to 151"),
            (lambda: keras.layers.BatchNormalization(), "-1..1", "-1..1 is assumed"),
            (lambda: keras.layers.Dropout(0.1), "-1..1", "-1..1 is assumed"),
        ],
    )
    def test_without_photos_the_networks_own_scaling_tells(
        self, layer: Callable[[], Any], input_range: str, said: str, tmp_path: Path, run: Run, capsys: Any
    ) -> None:
        layers = keras.layers
        ends = [layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
        pixels = keras.Input((SIDE, SIDE, 3))
        scaled = layer()(layers.RandomFlip()(pixels))
        network = keras.Model(pixels, keras.Sequential(ends)(scaled))
        network.save(tmp_path / "m.keras")
        metadata = run(tmp_path / "m.keras", "--labels", "a,b,c")
        assert metadata["training"]["input_range"] == input_range
        assert said in capsys.readouterr().err
        assert said in metadata["training"]["notes"]
