"""Everything of training that needs no TensorFlow: splits, photos, calibration, figures, the card."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model import PhotoError, read_photo
from model.artifact import METADATA_FILE, SHIPPED
from model.preprocessing import preprocess
from training.data.photos import check_classes, check_photos, class_folders, load_classes, load_pixels, photos_in
from training.data.splits import reference_split
from training.errors import TrainingError, run_command
from training.report.calibrate import (
    ACCEPTANCE,
    auroc,
    ece,
    fit_temperature,
    fpr95,
    nll,
    rejection_threshold,
    softmax,
)
from training.report.measure import Results, figures_of, table
from training.report.model_card import CARD_FILE, render


def write_photo(path: Path, seed: int = 0, shape: tuple[int, int] = (30, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)
    assert cv2.imwrite(str(path), rgb)
    return path


class TestReferenceSplit:
    def test_first_fifth_by_name_as_string_is_validation(self) -> None:
        paths = [Path(f"glass{n}.jpg") for n in range(1, 13)]
        training, validation = reference_split({"glass": paths})
        # int(0.2 * 12) = 2; as strings, glass10 comes before glass2
        assert [p.name for p in validation["glass"]] == ["glass1.jpg", "glass10.jpg"]
        assert sorted(training["glass"] + validation["glass"]) == sorted(paths)

    def test_counts_of_trashnet(self) -> None:
        counts = {"cardboard": 403, "glass": 501, "metal": 410, "paper": 594, "plastic": 482, "trash": 137}
        training, validation = reference_split(
            {name: [Path(f"{name}{i}.jpg") for i in range(n)] for name, n in counts.items()}
        )
        assert sum(map(len, training.values())) == 2024
        assert sum(map(len, validation.values())) == 503

    def test_two_photos_are_one_and_one(self) -> None:
        training, validation = reference_split({"a": [Path("2.jpg"), Path("1.jpg")]})
        assert (training, validation) == ({"a": [Path("2.jpg")]}, {"a": [Path("1.jpg")]})


class TestDataset:
    def test_labels_are_sorted_folder_names_without_hidden_ones(self, tmp_path: Path) -> None:
        for name in ("wood", "foil", ".cache"):
            write_photo(tmp_path / name / "1.png")
        write_photo(tmp_path / "wood" / ".hidden.png")
        assert {k: len(v) for k, v in class_folders(tmp_path).items()} == {"foil": 1, "wood": 1}
        assert list(class_folders(tmp_path)) == ["foil", "wood"]

    def test_pixels_are_those_of_serving(self, tmp_path: Path) -> None:
        photos = [write_photo(tmp_path / "a" / f"{i}.jpg", i, (300 + i, 200)) for i in range(3)]
        loaded = load_classes({"a": photos}, ["z", "a"], 224)
        assert loaded.labels.tolist() == [1, 1, 1]
        for pixels, path in zip(loaded.pixels, photos, strict=True):
            np.testing.assert_array_equal(pixels, preprocess(read_photo(path), 224))

    def test_cache_is_used_until_a_photo_changes(self, tmp_path: Path) -> None:
        photo, cache = write_photo(tmp_path / "1.png", 1), tmp_path / "cache"
        first = load_pixels([photo], 16, cache)
        (stored,) = cache.iterdir()
        np.save(stored, first + 1)
        np.testing.assert_array_equal(load_pixels([photo], 16, cache), first + 1)
        write_photo(photo, 2, (50, 50))
        np.testing.assert_array_equal(load_pixels([photo], 16, cache)[0], preprocess(read_photo(photo), 16))

    @pytest.mark.parametrize(
        ("folders", "said"),
        [
            (None, "no such folder"),
            ({}, "no class folders"),
            ({"glass": 3}, "only one class (glass)"),
            ({"glass": 3, "foil": 1, "wood": 0}, "foil (1), wood (0)"),
        ],
    )
    def test_unusable_folders_are_named(self, tmp_path: Path, folders: dict[str, int] | None, said: str) -> None:
        root = tmp_path / "data"
        if folders is not None:
            root.mkdir()
        for name, count in (folders or {}).items():
            (root / name).mkdir()
            for i in range(count):
                write_photo(root / name / f"{i}.png", i)
        with pytest.raises(TrainingError, match=r"data: ") as raised:
            check_classes(class_folders(root), root)
        assert said in str(raised.value)

    def test_a_class_with_two_photos_is_named_with_them(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, count in (("glass", 2), ("metal", 10)):
            for i in range(count):
                write_photo(tmp_path / name / f"{name}-{i}.png", count + i)
        check_classes(class_folders(tmp_path), tmp_path)
        warned = capsys.readouterr().err
        assert "glass: only 2 photos (glass-0.png, glass-1.png)" in warned
        assert "metal" not in warned

    def test_every_bad_photo_is_listed_before_it_stops(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        good = write_photo(tmp_path / "good.jpg")
        cut = tmp_path / "cut.jpg"
        cut.write_bytes(good.read_bytes()[:200])
        (tmp_path / "words.jpg").write_text("not a photo")
        (tmp_path / "notes.txt").write_text("not a photo")
        with pytest.raises(TrainingError, match=r"3 of 4 photos.*--skip-bad"):
            check_photos(photos_in(tmp_path))
        listed = capsys.readouterr().err
        assert all(name in listed for name in ("cut.jpg", "words.jpg", "notes.txt"))
        assert "good.jpg" not in listed
        assert check_photos(photos_in(tmp_path), skip_bad=True) == set(photos_in(tmp_path)) - {good}

    def test_a_bad_photo_is_never_loaded_as_something(self, tmp_path: Path) -> None:
        (tmp_path / "words.jpg").write_text("not a photo")
        with pytest.raises(PhotoError):
            load_pixels([tmp_path / "words.jpg"], 16)

    def test_command_says_one_line_and_exits_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        def main() -> None:
            raise TrainingError("photos: no such folder")

        with pytest.raises(SystemExit) as exit_:
            run_command(main)
        assert exit_.value.code == 2
        assert capsys.readouterr().err == "error: photos: no such folder\n"


class TestCalibration:
    @pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
    def test_recovers_a_known_temperature(self, true_temperature: float) -> None:
        rng = np.random.default_rng(0)
        honest = rng.normal(0, 2, (20000, 5))
        labels = (honest + rng.gumbel(size=honest.shape)).argmax(axis=1)  # drawn from softmax(honest)
        logits = honest * true_temperature
        fitted = fit_temperature(logits, labels)
        assert fitted == pytest.approx(true_temperature, rel=0.05)
        before, after = softmax(logits), softmax(logits, fitted)
        assert nll(after, labels) <= nll(before, labels)
        assert ece(after, labels) < 0.01

    def test_ece_by_hand(self) -> None:
        probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.55, 0.45]])
        labels = np.array([0, 1, 1, 0])
        # bins of 1/10: 0.95 twice, half right: |0.5 - 0.95|; 0.65 right: 0.35; 0.55 right: 0.45
        assert ece(probabilities, labels, bins=10) == pytest.approx((2 * 0.45 + 0.35 + 0.45) / 4)

    def test_nll_by_hand(self) -> None:
        assert nll(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])) == pytest.approx(
            -(np.log(0.5) + np.log(0.75)) / 2
        )

    @pytest.mark.parametrize("count", [1, 7, 100, 503])
    def test_threshold_accepts_as_many_as_it_says_and_hardly_more(self, count: int) -> None:
        scores = np.random.default_rng(count).normal(size=count)
        accepted = (scores >= rejection_threshold(scores)).sum()
        assert ACCEPTANCE * count <= accepted < ACCEPTANCE * count + 1

    def test_auroc_and_fpr95_by_hand(self) -> None:
        items, others = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])
        assert auroc(items, others) == pytest.approx((1 + 1.5 + 2) / 6)
        assert fpr95(items, others) == pytest.approx(0.5)
        assert auroc(items, items - 10) == 1


def some_results() -> Results:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1]])
    return Results(
        labels=("can", "cup", "tin"),
        paths=(Path("1"), Path("2"), Path("3")),
        truth=np.array([0, 0, 1]),
        probabilities=probabilities,
        known=np.array([True, False, True]),
        scores=np.array([3.0, 1.0, 2.0]),
    )


class TestFigures:
    def test_by_hand(self) -> None:
        figures = figures_of(some_results())
        assert figures["confusion_matrix"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
        assert figures["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
        assert figures["balanced_accuracy"] == pytest.approx(0.75)  # mean of 1/2 and 1; no tin in the set
        assert figures["known_rate"] == pytest.approx(2 / 3, abs=1e-4)
        assert figures["per_class"]["cup"] == {"precision": 0.5, "recall": 1.0, "count": 1}
        assert figures["per_class"]["tin"] == {"precision": None, "recall": None, "count": 0}
        assert json.loads(json.dumps(figures)) == figures

    def test_table_shows_every_label(self) -> None:
        text = table(figures_of(some_results()))
        assert "accuracy 66.7%" in text
        assert all(text.count(label) == 3 for label in ("can", "cup", "tin"))


def test_model_card_says_what_the_metadata_says() -> None:
    metadata = {
        "labels": ["can", "cup", "tin"],
        "input_size": 32,
        "background": False,
        "calibrated": False,
        "temperature": 1.0,
        "rejection_threshold": -1e30,
        "sha256": hashlib.sha256(b"").hexdigest(),
        "training": {"source": "best_model.h5"},
        "figures": {"sets": {"kitchen": figures_of(some_results())}},
    }
    card = render(metadata)
    assert "best_model.h5" in card
    assert "can taken for cup: 1" in card
    assert "| kitchen | 3 | 66.7% | 75.0% |" in card
    assert "Nobody has written down where the photos come from" in card
    assert "confidences are the network's own" in card


def test_the_shipped_model_card_is_that_of_its_metadata() -> None:
    metadata = json.loads((SHIPPED / METADATA_FILE).read_text(encoding="utf-8"))
    assert (SHIPPED / CARD_FILE).read_text(encoding="utf-8") == render(metadata)
