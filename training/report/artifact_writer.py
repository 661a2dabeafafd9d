"""Calibrates an exported network through the public Classifier, and writes the folder that the app serves."""

import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from model import Classifier
from model.artifact import METADATA_FILE, MODEL_FILE
from training.report.calibrate import ACCEPTANCE, ECE_BINS, ece, fit_temperature, nll, rejection_threshold
from training.report.measure import Results, classify_folders, figures_of
from training.report.model_card import CARD_FILE, render

# Lower than any score; JSON has no infinity
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
    """Calibrate and measure a LiteRT file on validation photos and write it to `out` as an artifact.

    content: the LiteRT file; input (1, input_size, input_size, 3), output (1, labels + background) logits.
    validation: class name to photos; None leaves temperature 1 and accepts everything, and the metadata says so.
    training: goes into the metadata as it is. Returns the metadata.
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
        # One rename after the other: were it cut short between them, the hash would not fit and the app would say so
        for file in (MODEL_FILE, METADATA_FILE, CARD_FILE):
            (folder / file).replace(out / file)
    return metadata


def update(folder: Path, kind: str, name: str, figures: dict[str, Any]) -> None:
    """Add figures to an artifact's metadata and write its model card anew.

    kind: "sets", for what one set of photos gave, or "spread", for what several runs of a recipe did.
    """
    metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    metadata.setdefault("figures", {}).setdefault(kind, {})[name] = figures
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as temporary:
        _write_metadata(Path(temporary), metadata)
        _write_card(Path(temporary), metadata)
        for file in (METADATA_FILE, CARD_FILE):
            (Path(temporary) / file).replace(folder / file)


def _calibration(raw: Results) -> dict[str, float]:
    logits = np.log(np.maximum(raw.probabilities, 1e-300))  # at temperature 1, logits up to a constant per photo
    return {
        "temperature": fit_temperature(logits, raw.truth),
        "rejection_threshold": rejection_threshold(raw.scores),
    }


def _held_back(raw: Results, calibrated: Results) -> dict[str, Any]:
    return figures_of(calibrated) | {
        "ece_before": ece(raw.probabilities, raw.truth),
        "nll_before": nll(raw.probabilities, raw.truth),
        "ece_bins": ECE_BINS,
        "acceptance": ACCEPTANCE,
    }


def _speed(folder: Path) -> dict[str, float]:
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
