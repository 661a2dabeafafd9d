"""Classifiers of Keras 2 and 3, Teachable Machine and TensorFlow turned into artifacts, or refused with the reason."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.helpers.foreign_models import (
    MINUS_ONE_TO_ONE,
    PICTURES,
    SIDE,
    Run,
    answers,
    head,
    lambdas_of_tensorflow,
    of_version,
    shares,
    source_answers,
    teachable_machine,
    tflite,
)
from tests.helpers.tiny_training import eagerly
from training.foreign.kinds import identify
from training.foreign.labels import read_labels
from training.foreign.loading import load_keras
from training.foreign.ranges import INPUT_RANGES

_eagerly = pytest.fixture(autouse=True)(eagerly)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for models that several tests read."""
    return tmp_path_factory.mktemp("models")


class TestSources:
    @pytest.mark.parametrize("precision", ["float32", "float16"])
    @pytest.mark.parametrize("version", ["2.4.0", "2.15.0"])
    def test_teachable_machine_of_keras_2(
        self, version: str, precision: str, files: Path, tmp_path: Path, run: Run
    ) -> None:
        network, file = teachable_machine(), files / "keras_model.h5"
        network.save(file)
        (files / "labels.txt").write_text("0 Paper\n1 Glass\n2 Old metal\n")
        metadata = run(of_version(file, version), "--precision", precision)
        assert metadata["labels"] == ["Paper", "Glass", "Old metal"]
        expected = network(MINUS_ONE_TO_ONE).numpy()
        assert np.ptp(expected, axis=0).max() > 0.05  # the pictures are told apart
        np.testing.assert_allclose(answers(tmp_path / "out"), expected, atol=1e-5 if precision == "float32" else 5e-3)

    @pytest.mark.parametrize("suffix", [".h5", ".keras"])
    def test_operations_of_tensorflow(self, suffix: str, tmp_path: Path, run: Run, capsys: Any) -> None:
        network, file = lambdas_of_tensorflow(), tmp_path / f"m{suffix}"
        network.save(file)
        run(of_version(file, "2.9.0") if suffix == ".h5" else file, "--labels", "a,b,c")
        np.testing.assert_allclose(
            answers(tmp_path / "out"), network(PICTURES * np.float32(1), training=False).numpy(), atol=1e-4
        )
        assert "0 to 255 become -1 to 1" in capsys.readouterr().err

    @pytest.mark.parametrize("suffix", [".h5", ".keras", ".hdf5", ""])
    def test_the_content_says_the_format_and_not_the_name(self, suffix: str, tmp_path: Path) -> None:
        network = teachable_machine()
        for written in (".h5", ".keras"):
            network.save(tmp_path / f"m{written}")
            file = shutil.copy(tmp_path / f"m{written}", tmp_path / f"copy{suffix}")
            loaded = load_keras(identify(Path(file)))
            np.testing.assert_allclose(loaded(MINUS_ONE_TO_ONE).numpy(), network(MINUS_ONE_TO_ONE).numpy(), atol=1e-6)

    @pytest.mark.parametrize("maker", ["keras 2", "keras 3"])
    def test_saved_model(self, maker: str, tmp_path: Path, run: Run) -> None:
        folder = tmp_path / "model.savedmodel"
        if maker == "keras 2":
            network = teachable_machine()
            network.save(folder, save_format="tf")
        else:
            network = head("dense softmax")
            network.export(folder, verbose=False)
        (tmp_path / "labels.txt").write_text("Paper\nGlass\nMetal\n")
        assert run(folder)["labels"] == ["Paper", "Glass", "Metal"]
        np.testing.assert_allclose(answers(tmp_path / "out"), np.asarray(network(MINUS_ONE_TO_ONE)), atol=1e-5)

    @pytest.mark.parametrize("kind", ["float", "uint8", "int8"])
    def test_tflite(self, kind: str, tmp_path: Path, run: Run) -> None:
        network, file = teachable_machine(), tmp_path / "model.tflite"
        file.write_bytes(tflite(network, kind))
        (tmp_path / "labels.txt").write_text("0 Paper\n1 Glass\n2 Metal\n")
        assert run(file)["labels"] == ["Paper", "Glass", "Metal"]
        expected = source_answers(file)
        np.testing.assert_allclose(answers(tmp_path / "out"), expected, atol=1e-5 if kind == "float" else 0.01)
        assert np.abs(expected - network(MINUS_ONE_TO_ONE).numpy()).max() < (1e-4 if kind == "float" else 0.1)

    @pytest.mark.parametrize("units", [1, 3])
    def test_tflite_with_sigmoids(self, units: int, tmp_path: Path, run: Run) -> None:
        network, file = head(f"{units} sigmoid"), tmp_path / "model.tflite"
        file.write_bytes(tflite(network, "float"))
        run(file, "--labels", "a,b,c" if units == 3 else "a,b")
        np.testing.assert_allclose(answers(tmp_path / "out"), shares(np.asarray(network(MINUS_ONE_TO_ONE))), atol=1e-5)

    @pytest.mark.parametrize("input_range", INPUT_RANGES)
    def test_tflite_takes_every_range(self, input_range: str, tmp_path: Path, run: Run) -> None:
        network, file, scaling = teachable_machine(), tmp_path / "model.tflite", INPUT_RANGES[input_range]
        file.write_bytes(tflite(network, "float"))
        run(file, "--labels", "a,b,c", f"--input-range={input_range}")
        ordered = PICTURES[..., ::-1] if scaling.bgr else PICTURES
        scaled = (ordered * np.array(scaling.scale) + np.array(scaling.offset)).astype(np.float32)
        np.testing.assert_allclose(answers(tmp_path / "out"), network(scaled).numpy(), atol=1e-4)


class TestRefusals:
    """Each for its own reason, in one line."""

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 57992224\n", "git lfs pull"),
            (b"", "is empty"),
            (b"\n<!DOCTYPE html><html>", "web page"),
            (b"\x80\x04\x95pickle", "pickle"),
            (b"\x89PNG\r\n\x1a\n", "is not a model"),
            (b"PK\x03\x04 and no more", "cut short"),
            (b"\x89HDF\r\n\x1a\n and no more", "cut short"),
            (b"\x1c\0\0\0TFL3 and no more", "cut short"),
        ],
    )
    def test_a_file_that_is_no_model(
        self, content: bytes, said: str, tmp_path: Path, refusal: Callable[..., str]
    ) -> None:
        (tmp_path / "best_model.h5").write_bytes(content)
        assert said in refusal(tmp_path / "best_model.h5")

    @pytest.mark.parametrize("suffix", [".h5", ".keras"])
    def test_a_file_that_was_cut_short(self, suffix: str, tmp_path: Path, refusal: Callable[..., str]) -> None:
        file = tmp_path / f"m{suffix}"
        head("nested").save(file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        assert "cut short or damaged" in refusal(file)

    @pytest.mark.parametrize("library", [keras, tf_keras])
    @pytest.mark.parametrize("suffix", [".h5", ".keras"])
    def test_python_code_is_not_run(
        self, suffix: str, library: Any, tmp_path: Path, refusal: Callable[..., str]
    ) -> None:
        layers, file = library.layers, tmp_path / f"m{suffix}"
        code = layers.Lambda(lambda x: x / 255, name="to_one")
        library.Sequential([layers.Input((SIDE, SIDE, 3)), code, layers.Flatten(), layers.Dense(3)]).save(file)
        said = refusal(file)
        assert "Lambda layer (to_one)" in said
        assert "Python code" in said
        assert "whole model" not in said

    @pytest.mark.parametrize("library", [keras, tf_keras])
    def test_weights_alone(self, library: Any, tmp_path: Path, refusal: Callable[..., str]) -> None:
        network = library.Sequential([library.layers.Input((SIDE, SIDE, 3)), library.layers.Flatten()])
        network.add(library.layers.Dense(3))
        network.save_weights(tmp_path / "m.weights.h5")
        said = refusal(tmp_path / "m.weights.h5")
        assert "weights alone" in said
        assert "save the whole model" in said

    @pytest.mark.parametrize("library", [keras, tf_keras])
    def test_a_layer_of_ones_own(self, library: Any, tmp_path: Path, refusal: Callable[..., str]) -> None:
        class Mine(library.layers.Layer):  # type: ignore[misc,name-defined]
            def call(self, inputs: Any) -> Any:
                return inputs

        layers, file = library.layers, tmp_path / "m.keras"
        library.Sequential([layers.Input((SIDE, SIDE, 3)), Mine(), layers.Flatten(), layers.Dense(3)]).save(file)
        said = refusal(file)
        assert "Mine" in said
        assert "model.export('FOLDER')" in said

    def test_a_packed_model_is_to_be_unpacked(self, tmp_path: Path, refusal: Callable[..., str]) -> None:
        with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w") as archive:
            archive.writestr("keras_model.h5", "model")
        assert "unpack it, and give what is in it: keras_model.h5" in refusal(tmp_path / "converted_keras.zip")

    def test_a_folder_that_is_no_saved_model(self, tmp_path: Path, refusal: Callable[..., str]) -> None:
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "keras_model.h5").touch()
        assert "give what is in it: keras_model.h5" in refusal(tmp_path / "models")
        (tmp_path / "models" / "saved_model.pb").touch()
        assert "variables" in refusal(tmp_path / "models")

    def test_an_operation_that_litert_lacks(self, tmp_path: Path, refusal: Callable[..., str]) -> None:
        network = tf.Module()
        network.call = tf.function(
            lambda pixels: tf.linalg.det(tf.reshape(pixels[:, :3, :3, :3], (1, 3, 3, 3))),
            input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32)],
        )
        tf.saved_model.save(network, str(tmp_path / "m"), signatures=network.call)
        said = refusal(tmp_path / "m")
        assert "LiteRT cannot run this network" in said
        assert "MatrixDeterminant" in said


class TestLabels:
    @pytest.mark.parametrize(
        ("text", "labels"),
        [
            ("0 Paper\n1 Glass\n", ("Paper", "Glass")),
            ("\ufeff1 Glass\r\n0 Old paper\r\n\r\n", ("Old paper", "Glass")),
            ("Paper\nGlass", ("Paper", "Glass")),
            ("7 Up\n4 Leaf", ("7 Up", "4 Leaf")),
            ("0: Paper\n1: Glass", ("Paper", "Glass")),
            ("paper, glass\n", ("paper", "glass")),
        ],
    )
    def test_a_file_of_labels(self, text: str, labels: tuple[str, ...], tmp_path: Path) -> None:
        (tmp_path / "labels.txt").write_text(text, encoding="utf-8", newline="")
        assert read_labels(tmp_path / "labels.txt") == labels

    def test_labels_that_are_not_there(self, tmp_path: Path, refusal: Callable[..., str]) -> None:
        head("logits").save(tmp_path / "m.keras")
        assert "no such file" in refusal(tmp_path / "m.keras", "--labels", tmp_path / "labels.txt").lower()
        assert "give --labels" in refusal(tmp_path / "m.keras", "--size", SIDE)
