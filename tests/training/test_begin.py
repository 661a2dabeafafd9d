"""How a training run begins: starting weights that cannot be had, and names that are not UTF-8."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.tiny_training import COLOURS, command, write_photos
from training import group, train
from training.data.splits import read_groups
from training.network.architecture import build_network
from training.network.starting_weights import HDF5_START
from training.run import trainer


class KilledError(BaseException):
    """Stands for a kill: nothing after it runs."""


def killed(*_: object) -> None:
    raise KilledError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


def test_what_could_not_begin_hinders_no_other_try(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights that cannot be had, weights that do not fit, and a run that was stopped in its first epoch."""
    arguments = ["--data", photos, "--out", tmp_path / "out", "--size", 32, "--quick", "--warm-up", 1]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nothing answers
    with pytest.raises(SystemExit):
        command(train, monkeypatch, *arguments)
    said = capsys.readouterr().err
    assert "the starting weights cannot be downloaded" in said
    assert "1.0_224_no_top.h5 on any machine that has internet, and give the file with --weights FILE" in said

    (tmp_path / "other.weights.h5").write_bytes(HDF5_START + b"and something else")
    with pytest.raises(SystemExit):
        command(train, monkeypatch, *arguments, "--weights", tmp_path / "other.weights.h5")
    assert "other.weights.h5: cannot be loaded into MobileNetV2" in capsys.readouterr().err
    assert not (tmp_path / "out" / "checkpoints").exists()

    build_network(4, 32, None).get_layer("backbone").save_weights(tmp_path / "fits.weights.h5")
    shutil.copy(tmp_path / "fits.weights.h5", tmp_path / "fits_too.weights.h5")
    for weights in ("fits.weights.h5", "fits_too.weights.h5"):
        monkeypatch.setattr(trainer, "run_stage", killed)
        with pytest.raises(KilledError):
            command(train, monkeypatch, *arguments, "--weights", tmp_path / weights)
        assert json.loads((tmp_path / "out" / "checkpoints" / "run.json").read_text())["weights"] == weights


def test_photos_whose_names_are_not_utf8_are_grouped_and_trained_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    (photos / "red" / "red0.png").rename(photos / "red" / odd)
    command(group, monkeypatch, "--data", photos, "--weights", "none", "--out", tmp_path / "list.tsv")
    assert f"red/{odd}" in read_groups(tmp_path / "list.tsv")
    assert len(read_groups(tmp_path / "list.tsv")) == 5 * len(COLOURS)

    arguments = ["--data", photos, "--out", tmp_path / "out", "--size", 32, "--quick", "--weights", "none"]
    monkeypatch.setattr(trainer, "run_stage", killed)
    with pytest.raises(KilledError):
        command(train, monkeypatch, *arguments)
    assert "stage" not in capsys.readouterr().err
    assert (tmp_path / "out" / "checkpoints" / "run.json").is_file()
