"""Trains a classifier on any folder of class folders and writes an artifact that the app can serve.

python -m training.train --data DIR --out DIR
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from model.preprocessing import INPUT_SIZE, preprocess
from training.artifact import VALIDATION_FIGURES, finish
from training.curves import CURVES_FILE, write_curves
from training.dataset import load_classes
from training.errors import TrainingError, run_command
from training.export import PRECISIONS, REPRESENTATIVE, read_keras, to_litert
from training.features import Features
from training.measure import table
from training.network import BACKBONES, LAST_FROZEN, build_network, frozen_part
from training.run_data import Data, Extra, read_data
from training.run_record import QUICK_PICTURES, STATE_FOLDER, describe, history_of, open_state
from training.sampler import Sampler
from training.scene import SEE_THROUGH
from training.splits import GROUPS_FILE
from training.stages import HEAD_SHARE, RATE, RUNS, Stage, mean, run_stage, schedule
from training.teacher import read_teacher

QUICK_EPOCHS = 8


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
    parser.add_argument("--backbone", choices=BACKBONES, default=BACKBONES[0], help="(default %(default)s)")
    parser.add_argument("--weights", default="imagenet", help="'imagenet' (downloaded), 'none' or a weights file")
    parser.add_argument(
        "--start", type=Path, help="network.keras of an earlier run with the same labels, to go on from"
    )
    parser.add_argument("--teacher", type=Path, help="network.keras of a larger network's run, to learn from")
    parser.add_argument(
        "--see-through", nargs="*", default=SEE_THROUGH, help="classes that may be (default glass plastic)"
    )
    parser.add_argument(
        "--runs", type=int, nargs="+", default=RUNS, metavar="EPOCHS",
        help=f"epochs of each run; their weights are averaged (default {' '.join(map(str, RUNS))})",
    )  # fmt: skip
    parser.add_argument("--warm-up", type=int, default=2, help="epochs for the head alone (default %(default)s)")
    parser.add_argument(
        "--rate", type=float, default=RATE, help="first learning rate of the runs (default %(default)s)"
    )
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
    if options.teacher and not options.teacher.is_file():
        parser.error(f"--teacher {options.teacher}: no such file")
    if options.data_notes and not options.data_notes.is_file():
        parser.error(f"--data-notes {options.data_notes}: no such file")
    if min(options.runs) < 1:
        parser.error(f"--runs must be at least 1 epoch each; got {min(options.runs)}")
    if options.rate <= 0:
        parser.error(f"--rate must be above 0; got {options.rate}")
    for name, least in (("warm_up", 0), ("size", 32), ("batch_size", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}; got {getattr(options, name)}")
    return options


def train(options: argparse.Namespace, data: Data, stages: list[Stage]) -> keras.Model:
    """Run the stages; return the network with the mean weights of the runs and of where they began."""
    keras.utils.set_random_seed(options.seed)
    weights: str | None = None if options.weights == "none" else options.weights
    if options.start:
        network = start_network(options, data)
    else:
        network = build_network(len(data.labels) + 1, options.size, weights, options.backbone)
    last = LAST_FROZEN[options.backbone]
    features = Features(to_litert(frozen_part(network, last), options.size, "float32"))
    photos = load_classes(data.validation, data.labels, options.size, options.out / "cache")
    teacher = None
    found: Any = features(photos.pixels)
    if options.teacher:
        teacher = read_teacher(options.teacher, network, representative(options, data))
        found = found, teacher(photos.pixels)[1]
    clear = {data.labels.index(name) for name in options.see_through if name in data.labels}
    imitation = [teacher.imitation] if teacher else []
    start, ends = [part.get_weights() for part in (network, *imitation)], []
    for number, stage in enumerate(stages):
        for part, weights in zip((network, *imitation), start, strict=True):
            part.set_weights(weights)
        sampler = Sampler(
            data.training.pixels, data.training.labels, data.weights, data.outlines, data.scenes, len(data.labels),
            options.size, options.batch_size, (options.seed, number), clear,
            QUICK_PICTURES if options.quick else None,
        )  # fmt: skip
        run_stage(
            stage, network, sampler, features, (found, photos.labels), options.out / STATE_FOLDER,
            last=last, teacher=teacher,
        )  # fmt: skip
        if stage.head_only:
            start = [part.get_weights() for part in (network, *imitation)]
        else:
            ends.append(network.get_weights())
        done = stages[: number + 1]
        write_curves(options.out / CURVES_FILE, {stage.name: history_of(options, stage) for stage in done})
    network.set_weights(mean([mean(ends), start[0]], [1 - HEAD_SHARE, HEAD_SHARE]))
    return network


def representative(options: argparse.Namespace, data: Data) -> NDArray[np.uint8]:
    """Some of the training photos, (n, size, size, 3), RGB, of every class."""
    spread = data.training.pixels[:: max(1, data.main // REPRESENTATIVE)][:REPRESENTATIVE]
    return np.stack([preprocess(picture, options.size) for picture in spread])


def start_network(options: argparse.Namespace, data: Data) -> keras.Model:
    """The network to go on from. Raises TrainingError if its labels' number or its layers are not this run's."""
    network = read_keras(options.start)
    outputs = len(data.labels) + 1
    wanted = [weight.shape for weight in build_network(outputs, options.size, None, options.backbone).weights]
    if [weight.shape for weight in network.weights] != wanted:
        raise TrainingError(
            f"{options.start}: cannot be gone on from; expected network.keras of a training run with "
            f"{len(data.labels)} labels"
        )
    return network


def main() -> None:
    options = parse_arguments()
    stages = schedule(options.runs, options.warm_up, bool(options.start), options.rate)
    data = read_data(options)
    open_state(options, data, stages)
    network = train(options, data, stages)
    network.save(options.out / "network.keras")
    content = to_litert(network, options.size, options.precision, representative(options, data))
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
