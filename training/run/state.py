"""The folder from which a training run that was cut short continues."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from training.errors import TrainingError
from training.network.stages import HISTORY_FILE, Stage, read_history
from training.run.data import CACHE_FOLDER, TrainingData
from training.run.options import TrainOptions

STATE_FOLDER, STATE_FILE = "checkpoints", "run.json"


def open_state(options: TrainOptions, data: TrainingData, stages: Sequence[Stage]) -> None:
    """Make the state folder of a new run, or check that the one that is there belongs to the same run.

    A run that was cut short before its first epoch was over left nothing to go on from, and any other may take its
    place.

    Raises:
        TrainingError: The photos or options differ from those of the run that was cut short, so that its weights
            would quietly become part of something else.
    """
    names = [f"{path.parent.name}/{path.name}" for path in data.training.paths]
    run = {
        "labels": list(data.labels),
        "photos": hashlib.sha256(os.fsencode("\n".join(names))).hexdigest(),
        "backgrounds": len(data.scenes),
        "split": options.split,
        "weights": Path(options.weights).name,  # files by name, so that the run goes on though its data has moved
        "start": options.start.name if options.start else None,
        "batch_size": options.batch_size,
        "weights_of_photos": hashlib.sha256(data.weights.tobytes()).hexdigest(),
        "see_through": list(options.see_through),
        "seed": options.seed,
        "quick": options.quick,
        "stages": [asdict(stage) for stage in stages],
    }
    state = options.out / STATE_FOLDER
    file = state / STATE_FILE
    if not state.is_dir() or (file.exists() and not any(state.rglob("*.h5"))):
        state.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(run, indent=2), encoding="utf-8")
        return
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if different := [key for key, value in run.items() if stored.get(key) != value]:
        raise TrainingError(
            f"{state}: holds an unfinished run with other {', '.join(different)}; "
            "repeat its command to go on, remove the folder to start anew, or use another --out"
        )
    print(f"continuing the run in {state}", flush=True)


def history_of(options: TrainOptions, stage: Stage) -> list[dict[str, str]]:
    """A stage's finished epochs in an unfinished run."""
    return read_history(options.out / STATE_FOLDER / HISTORY_FILE.format(name=stage.name))


def close_state(options: TrainOptions) -> None:
    """Keep the stages' histories in the run's folder, and remove what only an unfinished run needs."""
    for history in (options.out / STATE_FOLDER).glob("*.csv"):
        history.replace(options.out / history.name)
    shutil.rmtree(options.out / STATE_FOLDER)
    shutil.rmtree(options.out / CACHE_FOLDER)
