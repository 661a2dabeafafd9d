"""A training run from photos to artifact."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from model.preprocessing import preprocess
from training.data.photos import load_classes
from training.errors import TrainingError
from training.network.architecture import build_network, frozen_part
from training.network.conversion import read_keras, to_litert
from training.network.features import Features
from training.network.precisions import REPRESENTATIVE
from training.network.sampler import Sampler
from training.network.stages import HEAD_SHARE, Stage, mean, run_stage, schedule
from training.report.artifact_writer import finish
from training.report.curves import CURVES_FILE, write_curves
from training.run.data import CACHE_FOLDER, TrainingData, read_data
from training.run.description import describe
from training.run.options import TrainOptions
from training.run.state import STATE_FOLDER, close_state, history_of, open_state

NETWORK_FILE = "network.keras"


def run(options: TrainOptions) -> dict[str, Any]:
    """Train a network and write its artifact into the folder `options.out`; go on if a run there was cut short.

    Returns:
        The artifact's metadata.

    Raises:
        TrainingError: The options, the photos or the state of an earlier run cannot be used.
    """
    stages = schedule(options.epochs, options.warm_up, started=bool(options.start))
    data = read_data(options)
    open_state(options, data, stages)
    network = train(options, data, stages)
    network.save(options.out / NETWORK_FILE)
    content = to_litert(network, options.size, options.precision, _representative(options, data))
    training = describe(options, data, stages)
    metadata = finish(content, data.labels, options.size, True, data.validation, training, options.out)
    close_state(options)
    return metadata


def train(options: TrainOptions, data: TrainingData, stages: Sequence[Stage]) -> keras.Model:
    """Run the stages; return the network with the mean weights of the runs and of where they began."""
    keras.utils.set_random_seed(options.seed)
    network = start_network(options, len(data.labels))
    features = Features(to_litert(frozen_part(network), options.size, "float32"))
    photos = load_classes(data.validation, data.labels, options.size, options.out / CACHE_FOLDER)
    validation = features(photos.pixels), photos.labels
    see_through = {data.labels.index(name) for name in options.see_through if name in data.labels}
    start, ends = network.get_weights(), []
    for number, stage in enumerate(stages):
        network.set_weights(start)
        sampler = Sampler(
            data.training.pixels,
            data.training.labels,
            data.weights,
            data.outlines,
            data.scenes,
            classes=len(data.labels),
            size=options.size,
            batch_size=options.batch_size,
            seed=(options.seed, number),
            clear=see_through,
            most=options.most_pictures,
        )
        run_stage(stage, network, sampler, features, validation, options.out / STATE_FOLDER)
        if stage.head_only:
            start = network.get_weights()
        else:
            ends.append(network.get_weights())
        done = stages[: number + 1]
        write_curves(options.out / CURVES_FILE, {stage.name: history_of(options, stage) for stage in done})
    network.set_weights(mean([mean(ends), start], [1 - HEAD_SHARE, HEAD_SHARE]))
    return network


def start_network(options: TrainOptions, labels: int) -> keras.Model:
    """The network that a run begins with: a new one, or that of an earlier run.

    Args:
        options: `weights` are a new network's; `start` is the file of an earlier one's.
        labels: How many labels the run has; the network has one more output, for the background.

    Raises:
        TrainingError: There is no such file, or the earlier network has other layers or another number of labels.
    """
    weights = None if options.start or options.weights == "none" else options.weights
    network = build_network(labels + 1, options.size, weights)
    if not options.start:
        return network
    earlier = read_keras(options.start)
    if [weight.shape for weight in earlier.weights] != [weight.shape for weight in network.weights]:
        raise TrainingError(
            f"{options.start}: is not a network to go on from; expected {NETWORK_FILE} of a training run with "
            f"{labels} labels"
        )
    return earlier


def _representative(options: TrainOptions, data: TrainingData) -> NDArray[np.uint8]:
    """Photos evenly spread over the main folder's, from which an int8 file learns its ranges."""
    spread = data.training.pixels[:: max(1, data.main // REPRESENTATIVE)][:REPRESENTATIVE]
    return np.stack([preprocess(picture, options.size) for picture in spread])
