"""Saved Keras classifiers turned into artifacts, on tiny pictures."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from model import Classifier
from model.artifact import METADATA_FILE, MODEL_FILE
from model.runtime import LiteRT
from tests.helpers.tiny_training import COLOURS, command, eagerly, write_photos
from training import export
from training.errors import TrainingError
from training.foreign.network import read_network
from training.network.conversion import to_litert
from training.report import artifact_writer

_eagerly = pytest.fixture(autouse=True)(eagerly)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


def notebook_models() -> dict[str, keras.Model]:
    """Classifiers as notebooks save them; every last one ends in probabilities of three classes."""
    keras.utils.set_random_seed(0)  # now and then, weights give logits of hundreds, whose rounding shows
    layers = keras.layers

    def base() -> list[Any]:
        return [keras.Input((24, 24, 3)), layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()]

    pretrained = keras.Sequential([keras.Input((24, 24, 3)), layers.Conv2D(6, 3), layers.ReLU()])
    pixels = keras.Input((24, 24, 3))
    preprocessed = keras.applications.mobilenet_v2.preprocess_input(pixels)
    functional = layers.Dense(3, activation="softmax")(
        layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3)(preprocessed))
    )
    return {
        "dense": keras.Sequential([*base(), layers.Dense(3, activation="softmax")]),
        "softmax layer": keras.Sequential([*base(), layers.Dense(3), layers.Softmax()]),
        "activation layer": keras.Sequential([*base(), layers.Dense(3), layers.Activation("softmax")]),
        "transfer": keras.Sequential(
            [pretrained, layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(3, activation="softmax")]
        ),
        "preprocess_input": keras.Model(pixels, functional),
    }


def integer_network() -> tuple[keras.Model, np.ndarray]:
    """A network, and photos that show the ranges of its integers."""
    layers = [keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.GlobalAveragePooling2D()]
    network = keras.Sequential([keras.Input((24, 24, 3)), keras.layers.Rescaling(1 / 127.5, -1), *layers,
                                keras.layers.Dense(3)])  # fmt: skip
    photos = np.random.default_rng(0).integers(0, 256, (50, 24, 24, 3), np.uint8)
    photos[::2] //= 3
    return network, photos


def assert_close(runtime: LiteRT, network: keras.Model, photos: np.ndarray) -> None:
    """The runtime's logits are Keras's, up to what 8 bits round away."""
    expected = np.asarray(network(photos.astype(np.float32)))
    got = [output for photo in photos for output in runtime.run(photo) if output.ndim == 1]
    assert np.abs(np.array(got) - expected).max() < 0.05 * np.ptp(expected)


class TestExport:
    # Keras 3 cannot read back the operations of preprocess_input from .h5; that is refused below
    @pytest.mark.parametrize(
        ("kind", "suffix"),
        [(k, s) for k in notebook_models() for s in (".h5", ".keras") if (k, s) != ("preprocess_input", ".h5")],
    )
    def test_probabilities_are_those_of_keras(
        self, kind: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network = notebook_models()[kind]
        network.save(tmp_path / f"best_model{suffix}")
        out = tmp_path / "out"
        command(export, monkeypatch, "--keras", tmp_path / f"best_model{suffix}", "--out", out, "--labels", "a,b, c",
                "--precision", "float32")  # fmt: skip
        classifier = Classifier.load(out)
        for seed in range(3):
            rgb = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
            expects = rgb[None].astype(np.float32)
            expected = np.asarray(network(expects if kind == "preprocess_input" else expects / 127.5 - 1))[0]
            prediction = classifier.classify(rgb)
            np.testing.assert_allclose(list(prediction.probabilities.values()), expected, atol=1e-5)
            assert prediction.known
        metadata = json.loads((out / METADATA_FILE).read_text())
        assert metadata["calibrated"] is False
        assert metadata["labels"] == ["a", "b", "c"]

    @pytest.mark.parametrize(("input_range", "scale", "offset"), [("0..1", 1 / 255, 0), ("0..255", 1, 0)])
    def test_input_range_is_applied(self, input_range: str, scale: float, offset: float, tmp_path: Path) -> None:
        network = notebook_models()["dense"]
        network.save(tmp_path / "m.keras")
        pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
        expected = np.asarray(network(pixels[None] * np.float32(scale) + offset))[0]
        logits = read_network(tmp_path / "m.keras", 24).runner(input_range)(pixels)
        np.testing.assert_allclose(np.asarray(keras.ops.softmax(logits)), expected, atol=1e-5)

    def test_with_photos_it_is_calibrated(self, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        notebook_models()["dense"].save(tmp_path / "m.keras")
        command(export, monkeypatch, "--keras", tmp_path / "m.keras", "--out", tmp_path / "out", "--data", photos)
        metadata = json.loads((tmp_path / "out" / METADATA_FILE).read_text())
        assert metadata["calibrated"] is True
        assert metadata["labels"] == list(COLOURS)
        assert metadata["figures"]["reference"]["count"] == 3
        assert metadata["figures"]["reference"]["known_rate"] == 1  # 95 % of three photos is all of them
        assert metadata["figures"]["reference"]["nll"] <= metadata["figures"]["reference"]["nll_before"] + 1e-6

    @pytest.mark.parametrize(
        "trouble", ["labels", "two inputs", "one output", "relu", "weights", "operations", "words", "nothing"]
    )
    def test_what_cannot_be_exported_is_refused(
        self, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file, labels, said = tmp_path / "m.keras", "a,b,c", ""
        if trouble == "labels":
            notebook_models()["dense"].save(file)
            labels, said = "a,b", "3 outputs"
        elif trouble == "two inputs":
            pair = [keras.Input((24, 24, 3)), keras.Input((2,))]
            flat = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(pair[0]), pair[1]])
            keras.Model(pair, keras.layers.Dense(3)(flat)).save(file)
            said = "not an image classifier"
        elif trouble in ("one output", "relu"):
            units, said = (1, "has 2 outputs") if trouble == "one output" else (3, "ends in Relu")
            last = keras.layers.Dense(units, activation="relu" if units > 1 else "sigmoid")
            keras.Sequential([keras.Input((24, 24, 3)), keras.layers.GlobalAveragePooling2D(), last]).save(file)
        elif trouble == "weights":
            file = tmp_path / "m.weights.h5"
            notebook_models()["dense"].save_weights(file)
            said = "save the whole model"
        elif trouble == "operations":
            file = tmp_path / "best_model.h5"
            notebook_models()["preprocess_input"].save(file)
            said = "model.save('NAME.keras')"
        elif trouble == "words":
            file.write_text("not a model")
            said = "is not a model"
        else:
            said = "no such file"
        with pytest.raises(SystemExit) as refused:
            command(export, monkeypatch, "--keras", file, "--out", tmp_path / "out", "--labels", labels)
        printed = capsys.readouterr().err
        assert refused.value.code == 2
        assert said in printed
        assert len(printed.strip().splitlines()) == 1
        assert not (tmp_path / "out").exists()

    def test_an_interrupted_export_leaves_the_old_artifact(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content, out = to_litert(notebook_models()["dense"], 24), tmp_path / "out"
        artifact_writer.finish(content, ("a", "b", "c"), 24, False, None, {"source": "m.keras"}, out)
        before = {path.name: path.read_bytes() for path in out.iterdir()}
        assert MODEL_FILE in before

        def cut_short(_: Path) -> dict[str, float]:
            raise KeyboardInterrupt

        monkeypatch.setattr(artifact_writer, "_speed", cut_short)
        with pytest.raises(KeyboardInterrupt):
            artifact_writer.finish(content, ("x", "y", "z"), 24, False, None, {"source": "other.keras"}, out)
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before

    def test_half_precision_weights_halve_the_file_and_hardly_move_the_logits(self) -> None:
        layers = [keras.layers.Conv2D(256, 3), keras.layers.Conv2D(256, 3), keras.layers.GlobalAveragePooling2D()]
        network = keras.Sequential([keras.Input((24, 24, 3)), keras.layers.Rescaling(1 / 255), *layers])
        pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
        expected, sizes = np.asarray(network(pixels[None].astype(np.float32)))[0], []
        for precision, tolerance in (("float32", 1e-5), ("float16", 1e-3)):
            content = to_litert(network, 24, precision)
            sizes.append(len(content))
            (got,) = LiteRT(content).run(pixels)
            np.testing.assert_allclose(got, expected, atol=tolerance)
        assert sizes[1] < 0.55 * sizes[0]

    def test_whole_numbers_stay_close(self) -> None:
        network, photos = integer_network()
        content = to_litert(network, 24, "int8", photos)
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        taken = interpreter.get_input_details()[0]
        assert taken["dtype"] == np.uint8
        assert taken["quantization"] == (1.0, 0)  # the pixels go in as they are
        assert all(x["dtype"] != np.float32 or len(x["shape"]) in (2, 4) for x in interpreter.get_tensor_details())
        assert_close(LiteRT(content), network, photos[:20])

    def test_integer_outputs_come_back_as_the_numbers_that_they_stand_for(self) -> None:
        network, photos = integer_network()
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([photo[None].astype(np.float32)] for photo in photos)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
        runtime = LiteRT(converter.convert())
        assert runtime.run(photos[0])[0].dtype == np.float64
        assert_close(runtime, network, photos[:20])

    @pytest.mark.parametrize("trouble", ["two pictures", "two inputs"])
    def test_the_runtime_refuses_what_does_not_take_one_picture(self, trouble: str) -> None:
        shape = (2 if trouble == "two pictures" else 1, 8, 8, 3)
        specs = [tf.TensorSpec(shape, tf.float32)] * (2 if trouble == "two inputs" else 1)
        total = tf.function(lambda *pictures: tf.reduce_sum(tf.add_n(pictures), axis=(1, 2)))
        converter = tf.lite.TFLiteConverter.from_concrete_functions([total.get_concrete_function(*specs)])
        with pytest.raises(ValueError, match="expected one input"):
            LiteRT(converter.convert())

    def test_whole_numbers_need_photos(self) -> None:
        with pytest.raises(TrainingError, match="--data"):
            to_litert(notebook_models()["dense"], 24, "int8")


class TestActivation:
    @pytest.mark.parametrize("kind", ["dense", "softmax layer", "transfer", "preprocess_input"])
    def test_logits_are_the_means_of_the_maps(self, kind: str, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
        network = notebook_models()[kind]
        network.save(tmp_path / "m.keras")
        plain = kind == "preprocess_input"
        expected = np.asarray(network(pixels[None] if plain else pixels[None] / np.float32(127.5) - 1))[0]
        content = read_network(tmp_path / "m.keras", 24).to_litert("0..255" if plain else "-1..1", "float32", None)
        logits, maps = sorted(LiteRT(content).run(pixels), key=lambda output: output.ndim)
        assert maps.shape == (22, 22, 3)
        np.testing.assert_allclose(maps.mean(axis=(0, 1)), logits, atol=1e-5)
        np.testing.assert_allclose(np.asarray(keras.ops.softmax(logits)), expected, atol=1e-5)

    def test_another_end_gives_logits_alone(self, tmp_path: Path) -> None:
        flat = keras.Sequential([keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
        content = to_litert(flat, 24)
        artifact_writer.finish(content, ("a", "b", "c"), 24, False, None, {"source": "m.keras"}, tmp_path)
        assert Classifier.load(tmp_path).classify(np.zeros((9, 9, 3), np.uint8)).activation is None

    @pytest.mark.parametrize("precision", ["float16", "int8"])
    def test_shows_where_it_looks(self, precision: str, tmp_path: Path) -> None:
        """A network that says "red" of red and "blue" of blue must look at each where it is."""
        network = keras.Sequential([keras.Input((24, 24, 3)), keras.layers.AveragePooling2D(4),
                                    keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])  # fmt: skip
        network.layers[-1].set_weights([np.array([[1, 0], [0, 0], [0, 1]]) / 255, np.zeros(2)])
        colours = np.random.default_rng(0).integers(0, 256, (30, 24, 24, 3), np.uint8)
        colours[::2, :12], colours[1::2, 12:] = 0, 255
        content = to_litert(network, 24, precision, colours)
        artifact_writer.finish(content, ("red", "blue"), 24, False, None, {"source": "hand"}, tmp_path)
        picture = np.zeros((48, 48, 3), np.uint8)
        picture[:32, :, 0], picture[40:, :16, 2] = 250, 250
        prediction = Classifier.load(tmp_path).classify(picture)
        assert prediction.label == "red"
        assert prediction.activation is not None
        assert prediction.activation.dtype == np.float32
        expected = np.zeros((6, 6))
        expected[:4] = 1
        np.testing.assert_allclose(prediction.activation, expected, atol=0.02)
        assert not Classifier.load(tmp_path).classify(np.zeros((9, 9, 3), np.uint8)).activation.any()
