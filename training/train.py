"""Trains a classifier on any folder of class folders and writes an artifact that the app can serve.

python -m training.train --data DIR --out DIR
"""

import argparse
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.preprocessing import INPUT_SIZE, preprocess
from training.data.photos import (
    Photos,
    check_classes,
    check_photos,
    class_folders,
    load_classes,
    load_pixels,
    photos_in,
)
from training.data.splits import GROUPS_FILE, split_photos
from training.errors import TrainingError, run_command
from training.export import PRECISIONS, REPRESENTATIVE, read_keras, to_litert
from training.network.architecture import LAST_FROZEN, build_network, frozen_part
from training.network.features import Features
from training.network.sampler import BACKGROUND_SHARE, HARD_SHARE, MIXED_SHARE, REPLACED_SHARE, Sampler
from training.network.stages import HEAD_SHARE, HISTORY_FILE, RUNS, Stage, mean, read_history, run_stage, schedule
from training.pictures.cutout import cached_cutouts
from training.pictures.scene import SEE_THROUGH
from training.report.artifact_writer import VALIDATION_FIGURES, finish
from training.report.curves import CURVES_FILE, write_curves
from training.report.measure import table

CACHED_SIZE = 8 / 7  # of the input size: crops lose no detail and 256 x 256 x 3 bytes a photo fit in memory
RECIPE = (
    f"The backbone after {LAST_FROZEN} and the head learn, head first; Adam, cosine decay, label smoothing, "
    "BatchNorm's statistics as ImageNet left them; several runs from the same head, of each the later half of its "
    f"epochs' weights averaged, then these, and {HEAD_SHARE:.0%} of the weights with which the runs began mixed in. "
    "Easy pictures: random crops, rotations, mirroring, exposure, contrast, gamma, colour cast, saturation, blur and "
    f"noise. Hard ones, {HARD_SHARE:.0%}: also, items before a plain background are cut out and, {REPLACED_SHARE:.0%} "
    "of the time, put before another, a photo or a synthetic wall, which shows through see-through ones, at any place, "
    "size and orientation, partly out of view; shadows, fingers, erased patches and JPEG. Mixup and CutMix of features "
    f"on {MIXED_SHARE:.0%}. A part of the pictures is hardly cropped. Classes drawn by the square root of their size, "
    f"{BACKGROUND_SHARE:.0%} of the pictures for the background output."
)
QUICK_EPOCHS, QUICK_PICTURES = 8, 2000  # the most pictures an epoch; nothing is cut out
QUICK_RECIPE = f" This was a quick run: nothing was cut out, and an epoch had at most {QUICK_PICTURES} pictures."
STATE_FOLDER, STATE_FILE = "checkpoints", "run.json"


@dataclass(frozen=True)
class Extra:
    """A folder of class folders that is only trained on. weight: of a photo, beside 1 of the main folder's."""

    folder: Path
    weight: float = 0.35  # extra photos often come from few scenes

    @classmethod
    def parse(cls, text: str) -> "Extra":
        """DIR or DIR=WEIGHT. Raises ValueError, which argparse turns into its own message."""
        folder, _, weight = text.rpartition("=")
        if not folder:
            return cls(Path(text))
        if not 0 < float(weight) <= 1:
            raise ValueError(weight)
        return cls(Path(folder), float(weight))


@dataclass(frozen=True)
class Data:
    """Everything a run reads. `training` holds the main folder's photos first, `main` of them; `outlines` theirs.

    weights: float64, (photos,), how often a photo is drawn beside others of its class.
    folders: for the main and then each extra folder, class name to how many photos were used.
    scenes: uint8, (n, side, side, 3), RGB, pictures of none of the classes.
    """

    labels: tuple[str, ...]
    training: Photos
    outlines: NDArray[np.uint8]
    weights: NDArray[np.float64]
    main: int
    validation: dict[str, list[Path]]
    scenes: NDArray[np.uint8]
    folders: list[dict[str, int]]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with one folder of photos per class")
    parser.add_argument("--out", type=Path, required=True, help="folder for the artifact and, while it runs, its state")
    parser.add_argument(
        "--extra", type=Extra.parse, action="append", default=[], metavar="DIR[=WEIGHT]",
        help=f"more class folders, only trained on; how much a photo counts beside a main one (default {Extra.weight})",
    )  # fmt: skip
    parser.add_argument("--background", type=Path, action="append", default=[], help="pictures that are no class")
    parser.add_argument("--split", choices=["reference", "grouped"], default="reference", help="what is held back")
    parser.add_argument("--groups", type=Path, default=GROUPS_FILE, help="list of the grouped split (%(default)s)")
    parser.add_argument("--weights", default="imagenet", help="'imagenet' (downloaded), 'none' or a weights file")
    parser.add_argument(
        "--start", type=Path, help="network.keras of an earlier run with the same labels, to go on from"
    )
    parser.add_argument(
        "--see-through", nargs="*", default=SEE_THROUGH, help="classes that may be (default glass plastic)"
    )
    parser.add_argument(
        "--runs", type=int, nargs="+", default=RUNS, metavar="EPOCHS",
        help=f"epochs of each run; their weights are averaged (default {' '.join(map(str, RUNS))})",
    )  # fmt: skip
    parser.add_argument("--warm-up", type=int, default=2, help="epochs for the head alone (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few minutes: shorter, less exact")
    parser.add_argument("--size", type=int, default=INPUT_SIZE, help="input side in pixels (default %(default)s)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0], help="of the exported file")
    parser.add_argument("--data-notes", type=Path, help="a text file for the model card: sources and licences")
    parser.add_argument("--skip-bad", action="store_true", help="leave photos out that cannot be read")
    options = parser.parse_args(arguments)
    if options.quick:
        options.runs = [QUICK_EPOCHS]
    if options.data_notes and not options.data_notes.is_file():
        parser.error(f"--data-notes {options.data_notes}: no such file")
    if min(options.runs) < 1:
        parser.error(f"--runs must be at least 1 epoch each; got {min(options.runs)}")
    for name, least in (("warm_up", 0), ("size", 32), ("batch_size", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}; got {getattr(options, name)}")
    return options


def read_data(options: argparse.Namespace) -> Data:
    """Check every photo, then load all of them. Raises TrainingError before anything is trained."""
    classes = class_folders(options.data)
    labels = tuple(classes)
    extras = [class_folders(extra.folder) for extra in options.extra]
    for extra, found in zip(options.extra, extras, strict=True):
        if unknown := sorted(set(found) - set(labels)):
            raise TrainingError(f"{extra.folder}: unknown classes {', '.join(unknown)}; --data has {', '.join(labels)}")
    scenes = [path for folder in options.background for path in photos_in(folder, recursive=True)]
    paths = [path for group in (classes, *extras) for of_class in group.values() for path in of_class] + scenes
    print(f"checking {len(paths)} photos", flush=True)
    bad = check_photos(paths, options.skip_bad)

    def good(group: dict[str, list[Path]]) -> dict[str, list[Path]]:
        return {name: [path for path in of_class if path not in bad] for name, of_class in group.items()}

    classes = good(classes)
    check_classes(classes, options.data)
    training, validation = split_photos(classes, options.split, options.groups)
    cache, size = options.out / "cache", round(options.size * CACHED_SIZE)
    extras = [good(extra) for extra in extras]
    parts = [load_classes(group, labels, size, cache) for group in (training, *extras)]
    together = Photos(
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.labels for part in parts]),
        tuple(path for part in parts for path in part.paths),
    )
    background = load_pixels([path for path in scenes if path not in bad], size, cache)
    folders = [{name: len(paths) for name, paths in group.items()} for group in (classes, *extras)]
    counts = [1.0, *(extra.weight for extra in options.extra)]
    weights = np.concatenate([np.full(len(part), count) for part, count in zip(parts, counts, strict=True)])
    outlines = np.zeros((len(together), 1, 1), np.uint8) if options.quick else cached_cutouts(together.pixels, cache)
    return Data(labels, together, outlines, weights, len(parts[0]), validation, background, folders)


def train(options: argparse.Namespace, data: Data, stages: list[Stage]) -> keras.Model:
    """Run the stages; return the network with the mean weights of the runs and of where they began."""
    keras.utils.set_random_seed(options.seed)
    weights: str | None = None if options.weights == "none" else options.weights
    if options.start:
        network = start_network(options, data)
    else:
        network = build_network(len(data.labels) + 1, options.size, weights)
    features = Features(to_litert(frozen_part(network), options.size, "float32"))
    photos = load_classes(data.validation, data.labels, options.size, options.out / "cache")
    validation = features(photos.pixels), photos.labels
    clear = {data.labels.index(name) for name in options.see_through if name in data.labels}
    start, ends = network.get_weights(), []
    for number, stage in enumerate(stages):
        network.set_weights(start)
        sampler = Sampler(
            data.training.pixels, data.training.labels, data.weights, data.outlines, data.scenes, len(data.labels),
            options.size, options.batch_size, (options.seed, number), clear,
            QUICK_PICTURES if options.quick else None,
        )  # fmt: skip
        run_stage(stage, network, sampler, features, validation, options.out / STATE_FOLDER)
        if stage.head_only:
            start = network.get_weights()
        else:
            ends.append(network.get_weights())
        done = stages[: number + 1]
        write_curves(options.out / CURVES_FILE, {stage.name: history_of(options, stage) for stage in done})
    network.set_weights(mean([mean(ends), start], [1 - HEAD_SHARE, HEAD_SHARE]))
    return network


def start_network(options: argparse.Namespace, data: Data) -> keras.Model:
    """The network to go on from. Raises TrainingError if its labels' number or its layers are not this run's."""
    network = read_keras(options.start)
    wanted = [weight.shape for weight in build_network(len(data.labels) + 1, options.size, None).weights]
    if [weight.shape for weight in network.weights] != wanted:
        raise TrainingError(
            f"{options.start}: cannot be gone on from; expected network.keras of a training run with "
            f"{len(data.labels)} labels"
        )
    return network


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
        "weights": Path(options.weights).name,  # by name: the run goes on though its data has moved
        "start": options.start.name if options.start else None,
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
        "weights": Path(options.weights).name,
        "start": f"{options.start.parent.name}/{options.start.name}" if options.start else None,
        "seed": options.seed,
        "batch_size": options.batch_size,
        "precision": options.precision,
        "stages": [ran(stage) for stage in stages],
        "recipe": RECIPE + QUICK_RECIPE if options.quick else RECIPE,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    options = parse_arguments()
    stages = schedule(options.runs, options.warm_up, bool(options.start))
    data = read_data(options)
    open_state(options, data, stages)
    network = train(options, data, stages)
    network.save(options.out / "network.keras")
    spread = data.training.pixels[:: max(1, data.main // REPRESENTATIVE)][:REPRESENTATIVE]
    representative = np.stack([preprocess(picture, options.size) for picture in spread])
    content = to_litert(network, options.size, options.precision, representative)
    training = describe(options, data, stages)
    metadata = finish(content, data.labels, options.size, True, data.validation, training, options.out)
    for history in (options.out / STATE_FOLDER).glob("*.csv"):
        history.replace(options.out / history.name)
    shutil.rmtree(options.out / STATE_FOLDER)
    shutil.rmtree(options.out / "cache")
    print(table(metadata["figures"][VALIDATION_FIGURES[options.split]]))
    print(f"{options.out}: artifact written")


if __name__ == "__main__":
    run_command(main)
