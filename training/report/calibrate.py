"""Calibration: makes probabilities and scores mean something, from predictions on photos that were not trained on."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ECE_BINS = 15  # as in Guo et al. 2017
ACCEPTANCE = 0.98  # share of validation items that are `known`; with 0.95 a third of real items elsewhere were not
TINY = 1e-300  # stands for a probability that underflowed to 0, so that its logarithm is finite


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """The probabilities, (n, classes), of logits, (n, classes), that are divided by a temperature first."""
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float64)


def nll(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """The mean negative log-likelihood, in nats, of the true labels, (n,), under probabilities, (n, classes)."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], TINY)).mean())


def ece(probabilities: Floats, labels: NDArray[np.int64], bins: int = ECE_BINS) -> float:
    """The expected calibration error (Naeini et al. 2015; Guo et al. 2017), 0 to 1.

    It is the mean distance between confidence and accuracy over equally wide bins of confidence, each weighted by how
    many predictions fall into it.

    Args:
        probabilities: (n, classes).
        labels: The true labels, (n,).
        bins: How many bins there are.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(which, correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def fit_temperature(logits: Floats, labels: NDArray[np.int64]) -> float:
    """Find the temperature, from 0.05 to 20, that gives the least NLL (Guo et al. 2017, arXiv:1706.04599).

    The NLL has a single minimum in the temperature, so golden-section search on the temperature's logarithm finds it.

    Args:
        logits: (n, classes).
        labels: The true labels, (n,).
    """
    ratio = (np.sqrt(5) - 1) / 2
    low, high = np.log(0.05), np.log(20.0)

    def loss(log_temperature: float) -> float:
        return nll(softmax(logits, float(np.exp(log_temperature))), labels)

    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def rejection_threshold(scores: Floats, acceptance: float = ACCEPTANCE) -> float:
    """The highest threshold that at least a share `acceptance` of the items' scores, (n,), reach."""
    kept = int(np.ceil(acceptance * len(scores)))
    return float(np.sort(scores)[len(scores) - kept])


def auroc(items: Floats, others: Floats) -> float:
    """The chance that an item's score is above that of a picture without one; a tie counts half (Mann-Whitney U)."""
    ordered = np.sort(others)
    below, up_to = np.searchsorted(ordered, items, "left"), np.searchsorted(ordered, items, "right")
    return float((below + up_to).sum() / (2 * len(items) * len(others)))


def fpr95(items: Floats, others: Floats) -> float:
    """The share of pictures without an item that pass the threshold which 95 % of the items pass."""
    return float((others >= rejection_threshold(items, 0.95)).mean())
