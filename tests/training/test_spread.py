"""Several runs of one recipe, compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.artifact import METADATA_FILE
from training import spread
from training.errors import TrainingError
from training.report.model_card import CARD_FILE
from training.report.spread import spread as spread_of

STAGE = {"name": "run1", "epochs": 3, "rate": 1e-4, "averaged": 2, "epochs_run": 3, "head_only": False}


def a_run(folder: Path, seed: int, accuracy: float, aurocs: tuple[float, ...] = (), **changed: Any) -> Path:
    """An artifact's metadata as `training.train` and `training.evaluate --record` leave it."""
    kinds = {f"kind {i}": {"count": 9, "auroc": x, "fpr95": 1 - x, "known_rate": 0.5} for i, x in enumerate(aurocs)}
    row = {
        "count": 4, "accuracy": accuracy, "balanced_accuracy": accuracy, "ece": 0.03, "nll": 1.0, "known_rate": 0.9,
        "per_class": {}, "labels": [], "confusion_matrix": [], "not_items": kinds,
    }  # fmt: skip
    training = {
        "data": {"name": "photos", "classes": {"can": 4}, "training": 3, "validation": 1}, "extra": [],
        "background_pictures": 0, "weights": "none", "seed": seed, "versions": {}, "date": "2026-11-23", "recipe": "",
        "stages": [STAGE | {"best_val_accuracy": accuracy}],
    } | changed  # fmt: skip
    metadata = {
        "labels": ["can"], "input_size": 32, "background": False, "calibrated": False, "training": training,
        "figures": {"sets": {"kitchen": row}},
    }  # fmt: skip
    folder.mkdir(parents=True)
    (folder / METADATA_FILE).write_text(json.dumps(metadata), encoding="utf-8")
    return folder


def test_the_card_gets_mean_least_and_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [
        a_run(tmp_path / str(n), n, (0.8, 0.9, 0.7)[n], ((0.99, 0.95), (0.9, 0.99), (1.0, 1.0))[n]) for n in range(3)
    ]
    monkeypatch.setattr("sys.argv", ["spread", *map(str, runs), "--record", str(runs[0]), "--name", "plain"])
    spread.main()
    row = "| plain | 0, 1, 2 | kitchen | 80.0% (70.0-90.0) | 3.0% (3.0-3.0) | 90.0% (90.0-90.0) | 0.950 (0.900-1.000) |"
    table, last = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert row in table
    assert row in (runs[0] / CARD_FILE).read_text(encoding="utf-8")
    found = json.loads(last)
    assert found["sets"]["kitchen"]["auroc"] == [0.95, 0.9, 1.0]
    assert json.loads((runs[0] / METADATA_FILE).read_text(encoding="utf-8"))["figures"]["spread"] == {"plain": found}
    assert not (runs[1] / CARD_FILE).exists()


def test_one_run_has_no_range(tmp_path: Path) -> None:
    found = spread_of([a_run(tmp_path / "a", 7, 0.5)])
    table = spread.spread_table({"x": found})
    assert table.endswith("| x | 7 | kitchen | 50.0% | 3.0% | 90.0% | - | - |")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"recipe": "else"}, "other recipe"),
        ({"stages": [STAGE | {"epochs": 4, "best_val_accuracy": 0.5}]}, "other stages"),
        ({"extra": [{"name": "web"}]}, "other extra"),
    ],
)
def test_runs_of_other_recipes_are_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    runs = [a_run(tmp_path / "a", 0, 0.5), a_run(tmp_path / "b", 1, 0.5, **changed)]
    with pytest.raises(TrainingError, match=said):
        spread_of(runs)


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    one = a_run(tmp_path / "a", 0, 0.5)
    with pytest.raises(TrainingError, match="nowhere: holds no artifact"):
        spread_of([one, tmp_path / "nowhere"])
    other = a_run(tmp_path / "b", 1, 0.5)
    metadata = json.loads((other / METADATA_FILE).read_text(encoding="utf-8"))
    metadata["figures"] = {}
    (other / METADATA_FILE).write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(TrainingError, match="has recorded no set, but"):
        spread_of([one, other])
    metadata["training"] = {"source": "model.h5"}
    (other / METADATA_FILE).write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(TrainingError, match="was not made by"):
        spread_of([one, other])
