"""Training, export and evaluation with TensorFlow, on tiny pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from model import Classifier, read_photo
from model.artifact import METADATA_FILE
from model.preprocessing import preprocess
from tests.helpers.tiny_training import (
    COLOURS,
    FROZEN,
    command,
    eagerly,
    tiny_features,
    tiny_network,
    tiny_sampler,
    write_photos,
)
from training import evaluate, train
from training.data.splits import write_groups
from training.errors import TrainingError
from training.network.architecture import build_network, learning_part
from training.network.sampler import Sampler
from training.network.stages import Stage, mean, read_history, run_stage, schedule
from training.run import trainer
from training.run.data import TrainingData, find_photos, load_photos
from training.run.options import TrainOptions

_eagerly = pytest.fixture(autouse=True)(eagerly)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


def read_data(options: TrainOptions) -> TrainingData:
    return load_photos(options, find_photos(options))


class TestTrainCommand:
    def test_from_photos_to_a_classified_picture(
        self, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        arguments = ["--data", photos, "--out", out, "--weights", "none", "--warm-up", 1]
        arguments += ["--size", 32, "--batch-size", 16, "--runs", 1, 1]

        # Cut short after the last epoch, as a full disk or a kill would
        def cut_short(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(trainer, "finish", cut_short)
            with pytest.raises(KeyboardInterrupt):
                command(train, monkeypatch, *arguments)
        assert not (out / METADATA_FILE).exists()
        part, began_and_ended = learning_part(build_network(4, 32, weights=None)), []
        for name in ("head-best", "run1-epoch-001", "run2-epoch-001"):
            part.load_weights(out / "checkpoints" / f"{name}.weights.h5")
            began_and_ended.append(part.get_weights())

        # Another run must not quietly take over its weights
        with pytest.raises(SystemExit) as refused:
            command(train, monkeypatch, *arguments, "--seed", 5)
        assert refused.value.code == 2
        assert "other seed" in capfd.readouterr().err

        command(train, monkeypatch, *arguments)
        printed = capfd.readouterr().out
        assert "continuing the run" in printed
        assert "stage run" not in printed  # finished before, so not trained again
        assert f"WHICHBIN_MODEL={out} make run" in printed
        assert not (out / "checkpoints").exists()
        assert {row["epoch"] for row in read_history(out / "history-run2.csv")} == {"0"}
        assert cv2.imread(str(out / "learning-curves.png")) is not None

        classifier = Classifier.load(out)
        assert classifier.labels == ("blue", "green", "red")
        prediction = classifier.classify(read_photo(photos / "red" / "red0.png"))
        assert sum(prediction.probabilities.values()) == pytest.approx(1)
        assert prediction.activation is not None
        assert prediction.activation.shape == (1, 1)
        metadata = json.loads((out / METADATA_FILE).read_text())
        assert metadata["background"] is True
        assert metadata["training"]["data"] == {
            "name": "photos", "classes": dict.fromkeys(COLOURS, 5), "training": 12, "validation": 3,
        }  # fmt: skip
        assert str(tmp_path) not in (out / METADATA_FILE).read_text() + (out / "MODEL_CARD.md").read_text()

        # The served file computes what Keras does, and evaluate finds the figures that the metadata claims
        network = keras.models.load_model(out / "network.keras")
        learned = learning_part(network).get_weights()
        for got, head, first, second in zip(learned, *began_and_ended, strict=True):
            np.testing.assert_allclose(got, 0.25 * head + 0.375 * (first + second), atol=1e-6)
        pixels = preprocess(read_photo(photos / "red" / "red0.png"), 32)
        logits = np.asarray(network(pixels[None].astype(np.float32)))[0, :3] / metadata["temperature"]
        expected = np.exp(logits - np.logaddexp.reduce(logits))
        np.testing.assert_allclose(list(prediction.probabilities.values()), expected, atol=5e-3)

        command(evaluate, monkeypatch, "--model", out, "--data", photos, "--split", "validation", "--record", "again",
                "--not-items", photos / "red", "--empty-scenes", 5, "--report", tmp_path / "page")  # fmt: skip
        assert "photos" in (tmp_path / "page" / "report.html").read_text()
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
            said = "nowhere.h5: no such weights file; download https://"
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


class TestOptions:
    def test_quick_is_short(self) -> None:
        options = TrainOptions.parse("training.train", None, ["--data", "d", "--out", "o", "--quick"])
        assert sum(stage.epochs for stage in schedule(options.epochs, options.warm_up)) == 10

    def test_a_run_of_no_epochs_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            TrainOptions.parse("training.train", None, ["--data", "d", "--out", "o", "--runs", "3", "0"])
        assert "--runs must be at least 1 epoch each; got 0" in capsys.readouterr().err

    def test_extra_folders_have_a_weight(
        self, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["--data", str(photos), "--out", str(tmp_path / "out"), "--size", "32", "--quick"]
        options = TrainOptions.parse(
            "training.train", None, [*arguments, "--extra", str(photos), "--extra", f"{photos}=0.7"]
        )
        data = read_data(options)
        np.testing.assert_array_equal(data.weights, [1.0] * 12 + [0.35] * 15 + [0.7] * 15)
        for weight in ("0", "much", "1.5"):
            with pytest.raises(SystemExit):
                TrainOptions.parse("training.train", None, [*arguments, "--extra", f"{photos}={weight}"])
            assert "--extra" in capsys.readouterr().err

    def test_grouped_split_reaches_training_and_the_card(self, photos: Path, tmp_path: Path) -> None:
        rows = [("validation" if i == 0 else "test" if i == 1 else "training", 5 * j + i, f"{name}/{name}{i}.png")
                for j, name in enumerate(COLOURS) for i in range(5)]  # fmt: skip
        write_groups(tmp_path / "groups.tsv", rows)
        arguments = ["--data", photos, "--out", tmp_path / "out", "--size", 32, "--split", "grouped"]
        options = TrainOptions.parse(
            "training.train", None, [str(x) for x in (*arguments, "--groups", tmp_path / "groups.tsv")]
        )
        data = read_data(options)
        assert data.main == 9
        assert {path.name for paths in data.validation.values() for path in paths} == {f"{n}0.png" for n in COLOURS}
        test_photos = {f"{name}1.png" for name in COLOURS}
        assert not test_photos & {path.name for path in data.training.paths}

    def test_another_runs_network_is_gone_on_from_and_a_stranger_is_not(self, photos: Path, tmp_path: Path) -> None:
        arguments = ["--data", str(photos), "--out", str(tmp_path / "out"), "--size", "32", "--quick"]
        before = build_network(4, 64, weights=None)
        before.save(tmp_path / "network.keras")
        options = TrainOptions.parse("training.train", None, [*arguments, "--start", str(tmp_path / "network.keras")])
        data = read_data(options)
        for got, wanted in zip(
            trainer.start_network(options, len(data.labels)).get_weights(), before.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(got, wanted)
        tiny_network().save(tmp_path / "network.keras")
        with pytest.raises(TrainingError, match="3 labels"):
            trainer.start_network(options, len(data.labels))

    def test_an_epoch_has_at_most_so_many_pictures(self) -> None:
        photos, labels = np.zeros((90, 4, 4, 3), np.uint8), np.arange(90) % 2
        arguments = (photos, labels, np.ones(90), np.zeros((90, 1, 1), np.uint8), photos[:0], 2, 4, 8, (0,))
        assert Sampler(*arguments).steps == 13
        assert Sampler(*arguments, most=30).steps == 4
        assert Sampler(*arguments, most=3000).steps == 13


class KilledError(Exception):
    """Stands for a kill: nothing after it runs."""


def run(stage: Stage, network: keras.Model, state: Path, extra: Sequence[keras.callbacks.Callback] = ()) -> None:
    """A stage on random pictures."""
    features = tiny_features(network)
    found = features(np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8))
    run_stage(stage, network, tiny_sampler(), features, (found, np.arange(6) % 3), state, extra, last=FROZEN)


class TestStages:
    def test_schedule_keeps_the_epochs(self) -> None:
        several = schedule((3, 5), 2)
        assert [(s.name, s.epochs, s.averaged) for s in several] == [("head", 2, 0), ("run1", 3, 2), ("run2", 5, 3)]
        assert [(s.name, s.epochs) for s in schedule([3], warm_up=0)] == [("run1", 3)]
        assert [(s.name, s.epochs) for s in schedule([5], 2, started=True)] == [("run1", 5)]

    def test_the_mean_of_networks_is_that_of_each_weight(self) -> None:
        one, other = tiny_network().get_weights(), tiny_network().get_weights()
        for middle, near, a, b in zip(mean([one, other]), mean([one, other], [0.9, 0.1]), one, other, strict=True):
            np.testing.assert_allclose(middle, (a + b) / 2, atol=1e-6)
            np.testing.assert_allclose(near, 0.9 * a + 0.1 * b, atol=1e-6)
            assert middle.dtype == near.dtype == np.float32

    def test_the_last_epochs_are_averaged(self, tmp_path: Path) -> None:
        network = tiny_network()
        run(Stage("s", 3, 1e-2, averaged=2), network, tmp_path)
        averaged, last = network.get_weights(), []
        for epoch in (2, 3):
            learning_part(network, FROZEN).load_weights(tmp_path / f"s-epoch-{epoch:03d}.weights.h5")
            last.append(network.get_weights())
        for got, second, third in zip(averaged, *last, strict=True):
            np.testing.assert_allclose(got, (second + third) / 2, atol=1e-6)
        assert any(not np.allclose(second, third) for second, third in zip(*last, strict=True))

    @pytest.mark.parametrize("averaged", [0, 2])
    def test_a_killed_run_continues_to_the_same_weights(self, averaged: int, tmp_path: Path) -> None:
        stage = Stage("full", 3, 1e-2, averaged=averaged)
        start = tiny_network().get_weights()

        def weights_after(state: Path, killed_in: int | None = None) -> list[np.ndarray]:
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

            run(stage, network, state, [Kill()])
            return network.get_weights()

        epochs: list[int] = []
        through = weights_after(tmp_path / "through")
        assert epochs == [0, 1, 2]
        with pytest.raises(KilledError):
            weights_after(tmp_path / "killed", killed_in=1)
        epochs.clear()
        resumed = weights_after(tmp_path / "killed")
        assert epochs == [1, 2]
        assert [row["epoch"] for row in read_history(tmp_path / "killed" / "history-full.csv")] == ["0", "1", "2"]
        for a, b in zip(through, resumed, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
        assert any(not np.allclose(a, b) for a, b in zip(start, resumed, strict=True))
        epochs.clear()
        weights_after(tmp_path / "killed")
        assert epochs == []


def test_missing_artifact_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such folder"):
        evaluate.evaluate(
            evaluate.EvaluateOptions.parse(
                "training.evaluate", None, ["--model", str(tmp_path / "none"), "--data", str(tmp_path)]
            )
        )
