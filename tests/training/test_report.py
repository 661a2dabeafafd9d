"""The page that evaluation writes."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.report.calibrate import ECE_BINS, ece
from training.report.measure import Results, figures_of, not_items
from training.report.page import accuracy_by_coverage, reliability, worst_mistakes, write_report


@pytest.fixture
def results(tmp_path: Path) -> Results:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([0.4, 0.4, 0.4], 40)
    truth = np.where(rng.random(40) < 0.7, probabilities.argmax(axis=1), rng.integers(0, 3, 40))
    for i in range(40):
        assert cv2.imwrite(str(tmp_path / f"photo{i}.png"), rng.integers(0, 256, (300, 200, 3), np.uint8))
    paths = tuple(tmp_path / f"photo{i}.png" for i in range(40))
    return Results(("can", "cup", "<tin>"), paths, truth, probabilities, rng.random(40) < 0.9, rng.normal(5, 1, 40))


def test_reliability_bins_are_those_of_the_ece(results: Results) -> None:
    bins = reliability(results.probabilities, results.truth)
    assert bins.shape == (ECE_BINS, 3)
    assert bins[:, 0].sum() == 40
    gap = np.nansum(bins[:, 0] * np.abs(bins[:, 1] - bins[:, 2])) / 40
    assert gap == pytest.approx(ece(results.probabilities, results.truth))


def test_accuracy_by_coverage_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    results = Results(("a", "b"), (Path(),) * 3, np.array([0, 0, 0]), probabilities, np.ones(3, np.bool_), np.zeros(3))
    assert accuracy_by_coverage(results, probabilities.max(axis=1)).tolist() == [1, 0.5, pytest.approx(2 / 3)]


def test_worst_mistakes_are_wrong_and_most_confident_first(results: Results) -> None:
    worst = worst_mistakes(results, most=5)
    confidence, said = results.probabilities.max(axis=1), results.probabilities.argmax(axis=1)
    wrong = said != results.truth
    assert worst == sorted(np.flatnonzero(wrong), key=lambda i: -confidence[i])[:5]


@pytest.mark.parametrize("with_others", [True, False])
def test_the_page_stands_alone(results: Results, tmp_path: Path, with_others: bool) -> None:
    others = {"nature & sky": np.random.default_rng(1).normal(0, 1, 30)} if with_others else {}
    figures = figures_of(results) | {"command": "python -m training.evaluate --data <d>"}
    if with_others:
        figures["not_items"] = {name: not_items(results.scores, of_kind, 3.0) for name, of_kind in others.items()}
    file = tmp_path / "deep" / "report.html"
    write_report(file, "model on <set>", figures, results, others, 3.0)
    page = file.read_text()
    assert 'src="http' not in page
    assert "<link" not in page
    assert page.count("<svg") == 4
    wrong = (results.probabilities.argmax(axis=1) != results.truth).sum()
    assert page.count("data:image/jpeg;base64,") == min(24, wrong)
    assert f"{figures['accuracy']:.1%}" in page
    assert "<tin>" not in re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    assert ("nature &amp; sky" in page) == with_others
    for start in [i for i in range(len(page)) if page.startswith("<svg", i)]:
        ET.fromstring(page[start : page.index("</svg>", start) + 6])
