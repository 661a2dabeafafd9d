"""Writes what was measured on a set as one page with plots, which needs no other file and no internet."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model import read_photo
from training.errors import readable
from training.report.calibrate import ECE_BINS
from training.report.measure import Results

WORST_SHOWN = 24
THUMBNAIL_PX = 160  # longest side
BLUE, ORANGE, GREY = "#2563a8", "#c2610f", "#8a8f98"


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_report(
    file: Path,
    title: str,
    figures: dict[str, Any],
    results: Results,
    others: Mapping[str, NDArray[np.float64]],
    threshold: float,
) -> None:
    """Write a page in HTML.

    Args:
        file: The page; its folder is made where it is missing.
        title: Its title, plain text.
        figures: By `figures_of`, with "command" and, if it was measured, "not_items".
        results: What the figures were computed from.
        others: For each kind of pictures that show no item, their scores.
        threshold: The score from which a picture is known.
    """
    plots = {
        "Which label is taken for which": _confusion(figures),
        "Precision and recall": _per_class(figures),
        "Does the confidence mean something?": _reliability(results, figures["ece"]),
        "Knowing what it does not know": _rejection(results, others, threshold),
    }
    page = _environment.get_template("page.html").render(
        title=title,
        command=figures["command"],
        summary=_summary(figures),
        not_items=figures.get("not_items", {}),
        plots=plots.items(),
        mistakes=[_mistake(results, index) for index in worst_mistakes(results)],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page + "\n", encoding="utf-8")


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count and average the predictions in each bin of confidence; the bins are those of `calibrate.ece`.

    Args:
        probabilities: (n, classes).
        truth: The true labels, (n,).

    Returns:
        float64, (ECE_BINS, 3): how many predictions are in a bin, their mean confidence and their accuracy; both means
        are NaN for an empty bin.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    which = np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    count = np.bincount(which, minlength=ECE_BINS).astype(np.float64)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(which, values, minlength=ECE_BINS) / count for values in (confidence, right)]
    return np.column_stack([count, *means])


def accuracy_by_coverage(results: Results, order: NDArray[np.float64]) -> NDArray[np.float64]:
    """The accuracy on the k photos that are highest in `order`, (n,), for every k from 1 to n: (n,)."""
    right = results.probabilities.argmax(axis=1) == results.truth
    best_first = np.argsort(-order, kind="stable")
    return np.cumsum(right[best_first]) / np.arange(1, len(right) + 1)


def worst_mistakes(results: Results, most: int = WORST_SHOWN) -> list[int]:
    """The indices of the wrong answers, the most confident first."""
    wrong = np.flatnonzero(results.probabilities.argmax(axis=1) != results.truth)
    return [int(i) for i in wrong[np.argsort(-results.probabilities[wrong].max(axis=1), kind="stable")][:most]]


def _axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = [figure.add_subplot(1, columns, number + 1) for number in range(columns)]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> Markup:
    """The plot as SVG, in which matplotlib has escaped every text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Markup(buffer.getvalue()[buffer.getvalue().index("<svg") :])


def _summary(figures: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("photos", f"{figures['count']}"),
        ("accuracy", f"{figures['accuracy']:.1%}"),
        ("balanced accuracy", f"{figures['balanced_accuracy']:.1%}"),
        (f"ECE, {ECE_BINS} bins", f"{figures['ece']:.1%}"),
        ("NLL", f"{figures['nll']:.3f}"),
        ("known", f"{figures['known_rate']:.1%}"),
    ]


def _confusion(figures: dict[str, Any]) -> Markup:
    labels, matrix = figures["labels"], np.array(figures["confusion_matrix"])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, (ax,) = _axes(2 + 0.75 * len(labels), 1.3 + 0.65 * len(labels))
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    ax.set_yticks(range(len(labels)), labels)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour)
    return _svg(figure)


def _per_class(figures: dict[str, Any]) -> Markup:
    labels = figures["labels"]
    figure, (ax,) = _axes(2 + 1.1 * len(labels), 3.2)
    for shift, (name, colour) in zip((-0.2, 0.2), (("precision", BLUE), ("recall", ORANGE)), strict=True):
        values = [figures["per_class"][label][name] for label in labels]
        bars = ax.bar(np.arange(len(labels)) + shift, [value or 0 for value in values], 0.38, color=colour, label=name)
        ax.bar_label(bars, ["none" if value is None else f"{value:.0%}" for value in values], fontsize=8)
    ax.set_xticks(range(len(labels)), [f"{label}\n{figures['per_class'][label]['count']} photos" for label in labels])
    ax.set_ylim(0, 1.1)
    ax.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.18))
    return _svg(figure)


def _reliability(results: Results, ece: float) -> Markup:
    bins = reliability(results.probabilities, results.truth)
    figure, (ax, counts) = _axes(9, 3.6, columns=2)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    ax.plot(bins[:, 1], bins[:, 2], color=BLUE, marker="o", label=f"measured, ECE {ece:.1%}")
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="mean confidence of a bin", ylabel="share that is right")
    ax.legend(frameon=False)
    counts.bar((np.arange(ECE_BINS) + 0.5) / ECE_BINS, bins[:, 0], 0.9 / ECE_BINS, color=BLUE)
    counts.set(xlim=(0, 1), xlabel="confidence", ylabel="photos")
    return _svg(figure)


def _rejection(results: Results, others: Mapping[str, NDArray[np.float64]], threshold: float) -> Markup:
    figure, axes = _axes(9 if others else 5, 3.6, columns=2 if others else 1)
    coverage = np.arange(1, len(results.truth) + 1) / len(results.truth)
    confidence = results.probabilities.max(axis=1)
    axes[0].plot(
        coverage, accuracy_by_coverage(results, confidence), color=BLUE, label="the least confident left out first"
    )
    axes[0].plot(
        coverage, accuracy_by_coverage(results, results.scores), color=ORANGE, label="the lowest score left out first"
    )
    axes[0].set(xlim=(0, 1), xlabel="share of photos answered", ylabel="share of answers that is right")
    axes[0].legend(frameon=False, loc="lower left")
    if others:
        span = np.concatenate([results.scores, *others.values()])
        least, most = (float(np.quantile(span, share)) for share in (0.005, 0.995))
        edges = np.linspace(least, most, 40).tolist()
        for name, scores in {"items": results.scores, **others}.items():
            axes[1].hist(scores, edges, density=True, histtype="step", linewidth=1.5, label=name)
        axes[1].axvline(threshold, color=GREY, linestyle="--", label="known from here on")
        axes[1].set(xlabel="score", yticks=[])
        axes[1].legend(frameon=False, fontsize=8)
    return _svg(figure)


def _mistake(results: Results, index: int) -> dict[str, object]:
    rgb = read_photo(results.paths[index])
    scale = THUMBNAIL_PX / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    said = int(results.probabilities[index].argmax())
    return {
        "picture_uri": f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}",
        "truth": results.labels[results.truth[index]],
        "said": results.labels[said],
        "confidence": f"{results.probabilities[index, said]:.0%}",
        "known": bool(results.known[index]),
        "name": readable(results.paths[index].name),
    }
