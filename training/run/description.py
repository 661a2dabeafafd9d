"""What an artifact's metadata says of the run that made it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.errors import readable
from training.network.architecture import LAST_FROZEN
from training.network.sampler import BACKGROUND_SHARE, HARD_SHARE, MIXED_SHARE, REPLACED_SHARE
from training.network.stages import HEAD_SHARE, Stage
from training.run.data import TrainingData
from training.run.options import QUICK_PICTURES, TrainOptions
from training.run.state import history_of

RECIPE = (
    f"The backbone's layers after {LAST_FROZEN} and the head learn, the head first; Adam, cosine decay, label "
    "smoothing, BatchNorm's statistics as ImageNet left them. There are several runs from the same head; of each, the "
    "weights of the later half of its epochs are averaged. These averages are averaged in turn, and the weights with "
    f"which the runs began are mixed in, {HEAD_SHARE:.0%} of the whole. Easy pictures get random crops, rotations, "
    "mirroring, exposure, contrast, gamma, colour casts, saturation, blur and noise. "
    f"{HARD_SHARE:.0%} of the pictures of items are hard ones: if the photo has a plain background, the item is cut "
    f"out and, {REPLACED_SHARE:.0%} of the time, put before another one, a photo or a synthetic wall, at any place, "
    "size and orientation, partly out of view; the new background shows through see-through items. Shadows, fingers, "
    "erased patches and JPEG artefacts come on top. Some easy pictures are hardly cropped. Mixup and CutMix are "
    f"applied to the features of {MIXED_SHARE:.0%} of the pictures. Classes are drawn in proportion to the square root "
    f"of their size, and {BACKGROUND_SHARE:.0%} of the pictures are for the background output."
)
QUICK_RECIPE = f" This was a quick run: nothing was cut out, and an epoch had at most {QUICK_PICTURES} pictures."


def describe(options: TrainOptions, data: TrainingData, stages: Sequence[Stage]) -> dict[str, Any]:
    """Describe a run whose stages are finished: folders by name and counts, never this machine's paths."""
    names = [readable(folder.name) for folder in (options.data, *(extra.folder for extra in options.extra))]
    main, *extras = ({"name": name, "classes": n} for name, n in zip(names, data.folders, strict=True))
    validation = sum(len(paths) for paths in data.validation.values())
    return {
        "data": main | {"training": data.main, "validation": validation},
        "extra": [row | {"weight": extra.weight} for row, extra in zip(extras, options.extra, strict=True)],
        "background_pictures": len(data.scenes),
        "data_notes": options.data_notes.read_text(encoding="utf-8") if options.data_notes else None,
        "split": options.split,
        "weights": readable(Path(options.weights).name),
        "start": readable(f"{options.start.parent.name}/{options.start.name}") if options.start else None,
        "seed": options.seed,
        "batch_size": options.batch_size,
        "precision": options.precision,
        "stages": [_ran(options, stage) for stage in stages],
        "recipe": RECIPE + QUICK_RECIPE if options.quick else RECIPE,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        "date": datetime.now(UTC).date().isoformat(),
    }


def _ran(options: TrainOptions, stage: Stage) -> dict[str, Any]:
    history = history_of(options, stage)
    best = max(float(row["val_accuracy"]) for row in history)
    return asdict(stage) | {"epochs_run": len(history), "best_val_accuracy": round(best, 4)}
