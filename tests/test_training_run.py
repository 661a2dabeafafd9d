"""Training, export and evaluation with TensorFlow, on tiny pictures."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from model import Classifier, read_photo
from model.artifact import METADATA_FILE, MODEL_FILE
from model.preprocessing import preprocess
from training import artifact, evaluate, export, train
from training.errors import TrainingError, run_command
from training.network import BACKBONE, build_network, set_trainable
from training.sampler import Sampler
from training.stages import Stage, read_history, run_stage, schedule

COLOURS = {"blue": (30, 40, 220), "green": (40, 200, 40), "red": (220, 40, 30)}


@pytest.fixture(autouse=True)
def _eagerly() -> Iterator[None]:
    """Compiling MobileNetV2's training step takes half a minute; a few eager steps take less."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Class folders of noisy pictures in one colour each, five a class."""
    for seed, (name, colour) in enumerate(COLOURS.items()):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(5):
            noise = np.random.default_rng([seed, i]).normal(0, 20, (36, 48, 3))
            rgb = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(tmp_path / "photos" / name / f"{name}{i}.png"), rgb[..., ::-1])
    return tmp_path / "photos"


def command(module: Any, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
    run_command(module.main)


def tiny_network(size: int = 16, classes: int = 4) -> keras.Model:
    """A stand-in with the layer names that the stages rely on, trained in milliseconds."""
    pixels = keras.Input((size, size, 3))
    backbone = keras.Sequential([keras.Input((size, size, 3)), keras.layers.Conv2D(4, 3, name="conv")], name=BACKBONE)
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(keras.layers.Rescaling(1 / 127.5, -1)(pixels)))
    return keras.Model(pixels, keras.layers.Dense(classes)(pooled))


def tiny_sampler(seed: int = 0) -> Sampler:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (12, 20, 20, 3), np.uint8), np.repeat(np.arange(3), 4)
    return Sampler(pixels, labels, 12, np.empty((0, 20, 20, 3), np.uint8), 3, 16, 4, (seed,))


class TestTrainCommand:
    def test_from_photos_to_a_classified_picture(
        self, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        arguments = ["--data", photos, "--out", out, "--weights", "none", "--epochs", 1, "--warm-up", 0]
        arguments += ["--size", 32, "--batch-size", 16]

        # Cut short after the last epoch, as a full disk or a kill would
        def cut_short(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(train, "finish", cut_short)
            with pytest.raises(KeyboardInterrupt):
                command(train, monkeypatch, *arguments)
        assert not (out / METADATA_FILE).exists()

        # Another run must not quietly take over its weights
        with pytest.raises(SystemExit) as refused:
            command(train, monkeypatch, *arguments, "--seed", 5)
        assert refused.value.code == 2
        assert "other seed" in capfd.readouterr().err

        command(train, monkeypatch, *arguments)
        printed = capfd.readouterr().out
        assert "continuing the run" in printed
        assert "stage full" not in printed  # finished before, so not trained again
        assert not (out / "checkpoints").exists()
        assert {row["epoch"] for row in read_history(out / "history-full.csv")} == {"0"}

        classifier = Classifier.load(out)
        assert classifier.labels == ("blue", "green", "red")
        prediction = classifier.classify(read_photo(photos / "red" / "red0.png"))
        assert sum(prediction.probabilities.values()) == pytest.approx(1)
        metadata = json.loads((out / METADATA_FILE).read_text())
        assert metadata["background"] is True
        assert metadata["training"]["data"] == {
            "name": "photos", "classes": dict.fromkeys(COLOURS, 5), "training": 12, "validation": 3,
        }  # fmt: skip
        assert str(tmp_path) not in (out / METADATA_FILE).read_text() + (out / "MODEL_CARD.md").read_text()

        # The served file computes what Keras does, and evaluate finds the figures that the metadata claims
        network = keras.models.load_model(out / "network.keras")
        pixels = preprocess(read_photo(photos / "red" / "red0.png"), 32)
        logits = np.asarray(network(pixels[None].astype(np.float32)))[0, :3] / metadata["temperature"]
        expected = np.exp(logits - np.logaddexp.reduce(logits))
        np.testing.assert_allclose(list(prediction.probabilities.values()), expected, atol=5e-3)

        command(evaluate, monkeypatch, "--model", out, "--data", photos, "--split", "validation", "--record", "again",
                "--not-items", photos / "red", "--empty-scenes", 5)  # fmt: skip
        figures = json.loads(capfd.readouterr().out.splitlines()[-1])
        assert figures.items() >= {k: metadata["figures"]["reference"][k] for k in ("accuracy", "count", "nll")}.items()
        assert {name: row["count"] for name, row in figures["not_items"].items()} == {"red": 5, "empty scenes": 5}
        assert json.loads((out / METADATA_FILE).read_text())["figures"]["sets"]["again"] == figures
        assert "| again | empty scenes | 5 |" in (out / "MODEL_CARD.md").read_text()
        assert Classifier.load(out).classify(read_photo(photos / "red" / "red0.png")) == prediction

        (photos / "gold").mkdir()
        (photos / "red" / "red0.png").rename(photos / "gold" / "1.png")
        with pytest.raises(SystemExit):
            command(evaluate, monkeypatch, "--model", out, "--data", photos)
        assert "knows no gold" in capfd.readouterr().err

    @pytest.mark.parametrize("trouble", ["cut photo", "unknown extra class", "missing weights", "two photos are bad"])
    def test_trouble_is_said_before_any_epoch(
        self, trouble: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        arguments: list[object] = ["--data", photos, "--out", tmp_path / "out", "--size", 32]
        if trouble == "cut photo":
            (photos / "red" / "red3.png").write_bytes(b"\x89PNG")
            said = "red3.png"
        elif trouble == "unknown extra class":
            (tmp_path / "more" / "gold").mkdir(parents=True)
            arguments += ["--extra", tmp_path / "more"]
            said = "unknown classes gold"
        elif trouble == "missing weights":
            arguments += ["--weights", tmp_path / "nowhere.h5"]
            said = "nowhere.h5: no such weights file"
        else:  # what is left after leaving them out is too little
            for i in range(4):
                (photos / "red" / f"red{i}.png").write_bytes(b"")
            arguments += ["--skip-bad"]
            said = "red (1)"
        with pytest.raises(SystemExit) as stopped:
            command(train, monkeypatch, *arguments)
        printed = capsys.readouterr()
        assert stopped.value.code == 2
        assert said in printed.err
        assert "Traceback" not in printed.err
        assert "stage" not in printed.out


class KilledError(Exception):
    """Stands for a kill: nothing after it runs."""


class TestStages:
    def test_schedule_grows_the_resolution_and_keeps_the_epochs(self) -> None:
        stages = schedule(19, 224)
        assert [(s.name, s.epochs, s.size) for s in stages] == [
            ("head", 2, 160),
            ("small", 7, 160),
            ("full", 9, 224),
            ("whole", 3, 224),
        ]
        assert [s.size for s in schedule(3, 32, warm_up=0)] == [32]

    def test_the_last_epochs_are_averaged(self, tmp_path: Path) -> None:
        validation = (np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8), np.arange(6) % 3)
        network = tiny_network()
        run_stage(Stage("s", 3, 16, 1e-2, 1.0, "conv", averaged=2), network, tiny_sampler(), validation, tmp_path)
        averaged, last = network.get_weights(), []
        for epoch in (2, 3):
            network.load_weights(tmp_path / f"s-epoch-{epoch:03d}.weights.h5")
            last.append(network.get_weights())
        for mean, second, third in zip(averaged, *last, strict=True):
            np.testing.assert_allclose(mean, (second + third) / 2, atol=1e-6)
        assert any(not np.allclose(second, third) for second, third in zip(*last, strict=True))

    @pytest.mark.parametrize("averaged", [0, 2])
    def test_a_killed_run_continues_to_the_same_weights(self, averaged: int, tmp_path: Path) -> None:
        stage = Stage("full", 3, 16, 1e-2, 0.1, "conv", averaged)
        validation = (np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8), np.arange(6) % 3)
        start = tiny_network().get_weights()

        def run(state: Path, killed_in: int | None = None) -> list[np.ndarray]:
            network = tiny_network()
            network.set_weights(start)
            state.mkdir(exist_ok=True)

            class Kill(keras.callbacks.Callback):
                epoch = 0

                def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
                    self.epoch = epoch
                    epochs.append(epoch)

                def on_train_batch_end(self, batch: int, logs: object = None) -> None:
                    if (self.epoch, batch) == (killed_in, 1):
                        raise KilledError

            run_stage(stage, network, tiny_sampler(), validation, state, [Kill()])
            return network.get_weights()

        epochs: list[int] = []
        through = run(tmp_path / "through")
        assert epochs == [0, 1, 2]
        with pytest.raises(KilledError):
            run(tmp_path / "killed", killed_in=1)
        epochs.clear()
        resumed = run(tmp_path / "killed")
        assert epochs == [1, 2]
        assert [row["epoch"] for row in read_history(tmp_path / "killed" / "history-full.csv")] == ["0", "1", "2"]
        for a, b in zip(through, resumed, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
        assert any(not np.allclose(a, b) for a, b in zip(start, resumed, strict=True))
        epochs.clear()
        run(tmp_path / "killed")
        assert epochs == []


class TestSampler:
    def test_batches_follow_from_seed_epoch_and_number(self) -> None:
        sampler = tiny_sampler()
        first = [sampler.batch(i)[0] for i in (0, 1)]
        assert not np.array_equal(*first)
        np.testing.assert_array_equal(sampler.batch(1)[0], first[1])
        sampler.on_epoch_begin(1)
        assert not np.array_equal(sampler.batch(0)[0], first[0])
        assert not np.array_equal(tiny_sampler(seed=1).batch(0)[0], first[0])

    def test_rare_classes_are_drawn_more_often_than_they_come(self) -> None:
        labels = np.array([0] * 90 + [1] * 10)
        sampler = Sampler(
            np.zeros((100, 4, 4, 3), np.uint8), labels, 100, np.empty((0, 4, 4, 3), np.uint8), 2, 4, 8, (0,)
        )
        assert sampler.chance[labels == 1].sum() == pytest.approx(np.sqrt(10) / (np.sqrt(10) + np.sqrt(90)))

    def test_pipeline_gives_pictures_and_one_hot_targets(self) -> None:
        batches = list(tiny_sampler().dataset())
        assert len(batches) == 4  # 12 photos and a share of empty views, in fours
        pictures = np.concatenate([np.asarray(x) for x, _ in batches])
        targets = np.concatenate([np.asarray(y) for _, y in batches])
        assert pictures.shape == (16, 16, 16, 3)
        assert pictures.dtype == np.float32
        assert 100 < pictures.max() <= 255
        assert targets.shape == (16, 4)
        assert (targets.sum(axis=1) == 1).all()


class TestNetwork:
    def test_takes_pixels_and_gives_logits(self) -> None:
        network = build_network(5, 32, weights=None)
        pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
        logits = np.asarray(network(pixels))
        assert logits.shape == (4, 5)
        assert (logits < 0).any()  # which no softmax gives

    def test_batchnorm_rests_while_the_rest_learns(self) -> None:
        network = build_network(5, 32, weights=None)
        pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
        backbone = network.get_layer(BACKBONE)
        statistics = [w for w in backbone.weights if "moving" in w.path]
        before = [np.asarray(w) for w in statistics]
        assert len(before) == 104  # 52 layers of BatchNorm, mean and variance
        set_trainable(network, "block_3_expand")
        inference = np.asarray(backbone(pixels, training=False))
        np.testing.assert_allclose(np.asarray(backbone(pixels, training=True)), inference, atol=1e-6)
        network(pixels, training=True)
        for old, new in zip(before, statistics, strict=True):
            np.testing.assert_array_equal(old, np.asarray(new))

    def test_trainable_from_a_layer_on(self) -> None:
        network = build_network(5, 32, weights=None)
        set_trainable(network, None)
        assert {w.path.split("/")[0] for w in network.trainable_weights} == {"logits"}
        set_trainable(network, "block_3_expand")
        backbone = network.get_layer(BACKBONE)
        assert not backbone.get_layer("block_2_expand").trainable_weights
        assert backbone.get_layer("block_3_expand").trainable_weights
        assert backbone.get_layer("Conv_1").trainable_weights


def notebook_models() -> dict[str, keras.Model]:
    """Classifiers as notebooks save them; every last one ends in probabilities of three classes."""
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
    def test_input_range_is_applied(self, input_range: str, scale: float, offset: float) -> None:
        network = notebook_models()["dense"]
        pixels = np.random.default_rng(0).uniform(0, 255, (2, 24, 24, 3)).astype(np.float32)
        expected = np.asarray(network(pixels * scale + offset))
        logits = np.asarray(export.image_classifier(network, Path("m.keras"), input_range)(pixels))
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
        "trouble", ["labels", "two inputs", "one output", "sigmoid", "weights", "operations", "words", "nothing"]
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
        elif trouble in ("one output", "sigmoid"):
            units, said = (1, "two classes or more") if trouble == "one output" else (3, "activation is sigmoid")
            last = keras.layers.Dense(units, activation="sigmoid")
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
            said = "Keras cannot load it"
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
        network = export.image_classifier(notebook_models()["dense"], Path("m.keras"), "-1..1")
        content, out = export.to_litert(network, 24), tmp_path / "out"
        artifact.finish(content, ("a", "b", "c"), 24, False, None, {"source": "m.keras"}, out)
        before = {path.name: path.read_bytes() for path in out.iterdir()}
        assert MODEL_FILE in before

        def cut_short(_: Path) -> dict[str, float]:
            raise KeyboardInterrupt

        monkeypatch.setattr(artifact, "_speed", cut_short)
        with pytest.raises(KeyboardInterrupt):
            artifact.finish(content, ("x", "y", "z"), 24, False, None, {"source": "other.keras"}, out)
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before

    def test_half_precision_weights_halve_the_file_and_hardly_move_the_logits(self) -> None:
        layers = [keras.layers.Conv2D(256, 3), keras.layers.Conv2D(256, 3), keras.layers.GlobalAveragePooling2D()]
        network = keras.Sequential([keras.Input((24, 24, 3)), keras.layers.Rescaling(1 / 255), *layers])
        pixels = np.random.default_rng(0).uniform(0, 255, (1, 24, 24, 3)).astype(np.float32)
        expected, sizes = np.asarray(network(pixels)), []
        for precision, tolerance in (("float32", 1e-5), ("float16", 1e-3)):
            content = export.to_litert(network, 24, precision)
            sizes.append(len(content))
            interpreter = Interpreter(model_content=content)
            interpreter.allocate_tensors()
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
            interpreter.invoke()
            got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            np.testing.assert_allclose(got, expected, atol=tolerance)
        assert sizes[1] < 0.55 * sizes[0]


def test_missing_artifact_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such folder"):
        evaluate.evaluate(evaluate.parse_arguments(["--model", str(tmp_path / "none"), "--data", str(tmp_path)]))
