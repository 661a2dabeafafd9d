"""What predictions on a set of labelled photos are worth: its figures, and text that shows them to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import Classifier, read_photo
from training.report.calibrate import auroc, ece, fpr95, nll

DIGITS = 4  # of the figures written down


@dataclass(frozen=True)
class Results:
    """Predictions for n photos.

    Attributes:
        labels: The class names.
        paths: The photos.
        truth: The index of each photo's true label, int64, (n,).
        probabilities: float64, (n, labels).
        known: bool, (n,).
        scores: Of `Prediction.score`, in logits, float64, (n,).
    """

    labels: tuple[str, ...]
    paths: tuple[Path, ...]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]
    scores: NDArray[np.float64]


def classify_folders(classifier: Classifier, classes: Mapping[str, Sequence[Path]]) -> Results:
    """Classify every photo, with only one in memory at a time.

    Args:
        classifier: What to measure.
        classes: Class name to photos; the names are among the classifier's labels.

    Raises:
        PhotoError: A photo cannot be used.
    """
    labels = classifier.labels
    named = [(labels.index(name), path) for name, paths in classes.items() for path in paths]
    predictions = [classifier.classify(read_photo(path)) for _, path in named]
    return Results(
        labels=labels,
        paths=tuple(path for _, path in named),
        truth=np.array([label for label, _ in named], np.int64),
        probabilities=np.array([[p.probabilities[x] for x in labels] for p in predictions], np.float64),
        known=np.array([p.known for p in predictions], np.bool_),
        scores=np.array([p.score for p in predictions], np.float64),
    )


def figures_of(results: Results) -> dict[str, Any]:
    """Compute the figures of a set, as they go into the metadata.

    In the confusion matrix, rows are true labels and columns predicted ones. Precision is None for a label that was
    never predicted, and recall for one of which the set has no photo. The balanced accuracy is the mean recall of the
    labels in the set.
    """
    labels, truth = results.labels, results.truth
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (truth, results.probabilities.argmax(axis=1)), 1)
    hits, of_class, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)

    def share(part: int, whole: int) -> float | None:
        return round(float(part / whole), DIGITS) if whole else None

    return {
        "count": len(truth),
        "accuracy": share(hits.sum(), len(truth)),
        "balanced_accuracy": round(float((hits[of_class > 0] / of_class[of_class > 0]).mean()), DIGITS),
        "known_rate": round(float(results.known.mean()), DIGITS),
        "ece": round(ece(results.probabilities, truth), DIGITS),
        "nll": round(nll(results.probabilities, truth), DIGITS),
        "per_class": {
            label: {
                "precision": share(hits[i], predicted[i]),
                "recall": share(hits[i], of_class[i]),
                "count": int(of_class[i]),
            }
            for i, label in enumerate(labels)
        },
        "labels": list(labels),
        "confusion_matrix": confusion.tolist(),
    }


def not_items(items: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    """Compute how well the score tells items from pictures that show none.

    Args:
        items: The scores of n items, (n,).
        scores: The scores of m pictures that show no item, (m,).
        threshold: The score from which a picture is known.
    """
    return {
        "count": len(scores),
        "auroc": round(auroc(items, scores), DIGITS),
        "fpr95": round(fpr95(items, scores), DIGITS),
        "known_rate": round(float((scores >= threshold).mean()), DIGITS),
    }


def table(figures: dict[str, Any]) -> str:
    """Show the figures of a set as lines of text: those of each class, then the confusion matrix."""
    labels, width = figures["labels"], max(9, *(len(x) for x in figures["labels"]))

    def cell(value: float | None) -> str:
        return "     -" if value is None else f"{value:6.1%}"

    lines = [f"{'':{width}}  count  recall  precision"]
    for label, row in figures["per_class"].items():
        lines.append(f"{label:{width}}  {row['count']:5}  {cell(row['recall'])}  {cell(row['precision']):>9}")
    lines += [
        "",
        f"accuracy {figures['accuracy']:.1%}, balanced {figures['balanced_accuracy']:.1%}, "
        f"ECE {figures['ece']:.1%}, NLL {figures['nll']:.3f}, known {figures['known_rate']:.1%} "
        f"of {figures['count']} photos",
        "",
        "true label \\ predicted as",
        " " * width + "".join(f"  {label:>{width}}" for label in labels),
    ]
    for label, row in zip(labels, figures["confusion_matrix"], strict=True):
        lines.append(f"{label:{width}}" + "".join(f"  {count:{width}}" for count in row))
    return "\n".join(lines)


def not_items_lines(figures: dict[str, Any]) -> list[str]:
    """Show the figures of each kind of pictures without an item as one line of text."""
    return [
        f"not items, {name}: AUROC {row['auroc']:.3f}, FPR95 {row['fpr95']:.1%}, known {row['known_rate']:.1%}"
        for name, row in figures.get("not_items", {}).items()
    ]
