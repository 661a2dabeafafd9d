"""Calibrates a converted network through the public Classifier, and writes the artifact that the app serves."""

import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from model import Classifier
from model.artifact import METADATA_FILE, MODEL_FILE
from training.report.calibrate import ACCEPTANCE, ECE_BINS, TINY, ece, fit_temperature, nll, rejection_threshold
from training.report.measure import Results, classify_folders, figures_of
from training.report.model_card import CARD_FILE, render

# A rejection threshold below every score; JSON has no infinity
ACCEPT_ALL = -1e30
LATENCY_RUNS = 50
# Split -> what the metadata calls the figures of its validation photos
VALIDATION_FIGURES = {"reference": "reference", "grouped": "grouped_validation"}


def finish(
    content: bytes,
    labels: tuple[str, ...],
    input_size: int,
    background: bool,
    validation: dict[str, list[Path]] | None,
    training: dict[str, Any],
    out: Path,
) -> dict[str, Any]:
    """Calibrate and measure a LiteRT file on validation photos, and write it as an artifact.

    Args:
        content: The LiteRT file. Its input is (1, input_size, input_size, 3), its logits (1, labels and background).
        labels: The class names, in the order of the logits.
        input_size: Side of the input in pixels.
        background: Whether one more logit follows those of the labels, for "none of these".
        validation: Class name to photos. Without them the temperature stays 1 and every picture is known, and the
            metadata says so.
        training: What the metadata is to say about the training.
        out: The artifact's folder. An artifact that is there already is replaced only when the new one is complete.

    Returns:
        The metadata.
    """
    metadata: dict[str, Any] = {
        "labels": list(labels),
        "input_size": input_size,
        "background": background,
        "temperature": 1.0,
        "rejection_threshold": ACCEPT_ALL,
        "calibrated": validation is not None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "training": training,
        "figures": {},
    }
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=out) as name:
        folder = Path(name)
        _write(folder, content, metadata)
        if validation is not None:
            raw = classify_folders(Classifier.load(folder), validation)
            metadata |= _calibration(raw)
            _write(folder, content, metadata)
            key = VALIDATION_FIGURES[training.get("split", "reference")]
            metadata["figures"] = {key: _held_back(raw, classify_folders(Classifier.load(folder), validation))}
        metadata["figures"]["file"] = _speed(folder)
        _write_metadata(folder, metadata)
        _write_card(folder, metadata)
        # If this is cut short between two files, the hash does not fit, and loading the artifact says so
        for file in (MODEL_FILE, METADATA_FILE, CARD_FILE):
            (folder / file).replace(out / file)
    return metadata


def update(folder: Path, kind: str, name: str, figures: dict[str, Any]) -> None:
    """Add figures to an artifact's metadata, and write its model card anew.

    Args:
        folder: The artifact.
        kind: "sets" for the figures of one set of photos, "spread" for those of several runs of a recipe.
        name: Of the set or of the recipe.
        figures: By `figures_of` or `spread`.
    """
    metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    metadata.setdefault("figures", {}).setdefault(kind, {})[name] = figures
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as temporary:
        _write_metadata(Path(temporary), metadata)
        _write_card(Path(temporary), metadata)
        for file in (METADATA_FILE, CARD_FILE):
            (Path(temporary) / file).replace(folder / file)


def _calibration(raw: Results) -> dict[str, float]:
    """The temperature and the rejection threshold that predictions at temperature 1 ask for."""
    logits = np.log(np.maximum(raw.probabilities, TINY))  # the network's own, up to a constant per photo
    return {
        "temperature": fit_temperature(logits, raw.truth),
        "rejection_threshold": rejection_threshold(raw.scores),
    }


def _held_back(raw: Results, calibrated: Results) -> dict[str, Any]:
    """The figures of the validation photos, after calibration and, some, before."""
    return figures_of(calibrated) | {
        "ece_before": ece(raw.probabilities, raw.truth),
        "nll_before": nll(raw.probabilities, raw.truth),
        "ece_bins": ECE_BINS,
        "acceptance": ACCEPTANCE,
    }


def _speed(folder: Path) -> dict[str, float]:
    """How large an artifact is, and how long it takes on this machine."""
    started = time.perf_counter()
    classifier = Classifier.load(folder)
    ready = time.perf_counter() - started
    picture = np.random.default_rng(0).integers(0, 256, (480, 480, 3), np.uint8)
    times = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        classifier.classify(picture)
        times.append(time.perf_counter() - started)
    return {
        "bytes": (folder / MODEL_FILE).stat().st_size,
        "load_ms": round(ready * 1000, 1),
        "classify_ms_median": round(float(np.median(times)) * 1000, 2),
    }


def _write(folder: Path, content: bytes, metadata: dict[str, Any]) -> None:
    (folder / MODEL_FILE).write_bytes(content)
    _write_metadata(folder, metadata)


def _write_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    (folder / METADATA_FILE).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def _write_card(folder: Path, metadata: dict[str, Any]) -> None:
    (folder / CARD_FILE).write_text(render(metadata), encoding="utf-8")
