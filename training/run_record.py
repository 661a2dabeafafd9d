"""What a run notes down: while it is unfinished, which run it is; in the end, what the metadata says of it."""

import argparse
import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.errors import TrainingError
from training.run_data import Data
from training.sampler import BACKGROUND_SHARE, HARD_SHARE, MIXED_SHARE, REPLACED_SHARE
from training.stages import HEAD_SHARE, HISTORY_FILE, Stage, read_history
from training.teacher import SHARE

RECIPE = (
    "The backbone after its first half and the head learn, head first; Adam, cosine decay, label smoothing, "
    "BatchNorm's statistics as ImageNet left them; several runs from the same head, of each the later half of its "
    f"epochs' weights averaged, then these, and {HEAD_SHARE:.0%} of the weights with which the runs began mixed in. "
    "Easy pictures: random crops, "
    "rotations, mirroring, exposure, contrast, gamma, colour cast, saturation, blur and noise. Hard ones, "
    f"{HARD_SHARE:.0%}: also, items before a plain background are cut out and, {REPLACED_SHARE:.0%} of the time, put "
    "before another, a photo or a synthetic wall, which shows through see-through ones, at any place, size and "
    "orientation, partly out of view; shadows, fingers, erased patches and JPEG. Mixup and CutMix of features on "
    f"{MIXED_SHARE:.0%}. A part of the pictures is hardly cropped. Classes drawn by the square root of their size, "
    f"{BACKGROUND_SHARE:.0%} of the pictures for the background output."
)
QUICK_PICTURES = 2000  # the most an epoch; nothing is cut out
TEACHER_RECIPE = (
    f" Of what it was to answer, {SHARE:.0%} was what a larger network, the teacher, said of the same picture; beside "
    "that it imitated the teacher's features."
)
QUICK_RECIPE = f" This was a quick run: nothing was cut out, and an epoch had at most {QUICK_PICTURES} pictures."
STATE_FOLDER = "checkpoints"
STATE_FILE = "run.json"


def history_of(options: argparse.Namespace, stage: Stage) -> list[dict[str, str]]:
    """A stage's finished epochs in this run."""
    return read_history(options.out / STATE_FOLDER / HISTORY_FILE.format(name=stage.name))


def open_state(options: argparse.Namespace, data: Data, stages: list[Stage]) -> None:
    """Make the folder of a new run's state, or check that the one that is there is of the same run.

    Raises TrainingError where the photos or options differ: its weights would quietly belong to something else.
    """
    names = [f"{path.parent.name}/{path.name}" for path in data.training.paths]
    run = {
        "labels": list(data.labels),
        "photos": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "backgrounds": len(data.scenes),
        "split": options.split,
        "backbone": options.backbone,
        "weights": Path(options.weights).name,  # by name: the run goes on though its data has moved
        "start": options.start.name if options.start else None,
        "teacher": hashlib.sha256(options.teacher.read_bytes()).hexdigest() if options.teacher else None,
        "batch_size": options.batch_size,
        "weights_of_photos": hashlib.sha256(data.weights.tobytes()).hexdigest(),
        "see_through": list(options.see_through),
        "seed": options.seed,
        "quick": options.quick,
        "stages": [asdict(stage) for stage in stages],
    }
    state = options.out / STATE_FOLDER
    if not state.is_dir():
        state.mkdir(parents=True)
        (state / STATE_FILE).write_text(json.dumps(run, indent=2), encoding="utf-8")
        return
    file = state / STATE_FILE
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if different := [key for key, value in run.items() if stored.get(key) != value]:
        raise TrainingError(
            f"{state}: holds an unfinished run with other {', '.join(different)}; "
            "repeat its command to go on, remove the folder to start anew, or use another --out"
        )
    print(f"continuing the run in {state}", flush=True)


def describe(options: argparse.Namespace, data: Data, stages: list[Stage]) -> dict[str, Any]:
    """What the metadata says of a finished run: folders by name and counts, never this machine's paths."""

    def ran(stage: Stage) -> dict[str, Any]:
        history = history_of(options, stage)
        best = max(float(row["val_accuracy"]) for row in history)
        return asdict(stage) | {"epochs_run": len(history), "best_val_accuracy": round(best, 4)}

    folders = [
        {"name": folder.name, "classes": counts}
        for folder, counts in zip([options.data, *(extra.folder for extra in options.extra)], data.folders, strict=True)
    ]
    validation = sum(len(paths) for paths in data.validation.values())
    return {
        "data": folders[0] | {"training": data.main, "validation": validation},
        "extra": [row | {"weight": extra.weight} for row, extra in zip(folders[1:], options.extra, strict=True)],
        "background_pictures": len(data.scenes),
        "data_notes": options.data_notes.read_text(encoding="utf-8") if options.data_notes else None,
        "split": options.split,
        "backbone": options.backbone,
        "weights": Path(options.weights).name,
        "start": f"{options.start.parent.name}/{options.start.name}" if options.start else None,
        "teacher": f"{options.teacher.parent.name}/{options.teacher.name}" if options.teacher else None,
        "seed": options.seed,
        "batch_size": options.batch_size,
        "precision": options.precision,
        "stages": [ran(stage) for stage in stages],
        "recipe": RECIPE + TEACHER_RECIPE * bool(options.teacher) + QUICK_RECIPE * options.quick,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        "date": datetime.now(UTC).date().isoformat(),
    }
