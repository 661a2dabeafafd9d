"""The schedule of a training run: the head learns first, then there are several runs from there. Resumable."""

import csv
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from training.network.architecture import LAST_FROZEN, learning_part
from training.network.features import Features
from training.network.sampler import Sampler

Weights = list[NDArray[np.float32]]

LABEL_SMOOTHING = 0.05
CLIP_NORM = 5.0  # of all gradients together
HEAD_RATE, RUN_RATE = 2e-3, 1e-4  # the highest learning rates, of the head alone and of the runs
FINAL_RATE_SHARE = 0.1  # of a stage's highest learning rate, at its end
RAMP_BATCHES = 100  # in which the learning rate climbs to its highest
# Some of what ImageNet taught about other people's photos fades while the runs learn these; mixing in the weights from
# before them brings it back (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903). Measured in docs/experiments, 21
HEAD_SHARE = 0.25  # of these weights
HISTORY_FILE = "history-{name}.csv"


@dataclass(frozen=True)
class Stage:
    """One part of a training run, with a learning-rate schedule of its own.

    Attributes:
        name: For its files.
        epochs: How many it takes.
        rate: The highest learning rate. It falls to FINAL_RATE_SHARE of that along a cosine (Loshchilov & Hutter 2017,
            arXiv:1608.03983).
        head_only: Whether the backbone stays as it is.
        averaged: Of how many of the last epochs the weights are averaged in the end (stochastic weight averaging,
            Izmailov et al. 2018, arXiv:1803.05407); 0 keeps the weights of the best epoch instead.
    """

    name: str
    epochs: int
    rate: float
    head_only: bool = False
    averaged: int = 0


def schedule(runs: Sequence[int], warm_up: int, started: bool = False) -> list[Stage]:
    """Plan a training run: a warm-up for the head alone, then several runs from where the head ended.

    Args:
        runs: How many epochs each run takes; the weights of the later half of them are averaged.
        warm_up: How many epochs the head learns alone.
        started: Whether the network has learned the labels before and needs no warm-up.
    """
    head = Stage("head", 0 if started else warm_up, HEAD_RATE, head_only=True)
    several = [Stage(f"run{n}", epochs, RUN_RATE, averaged=(epochs + 1) // 2) for n, epochs in enumerate(runs, 1)]
    return [stage for stage in (head, *several) if stage.epochs > 0]


def run_stage(
    stage: Stage,
    network: keras.Model,
    sampler: Sampler,
    features: Features,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    state: Path,
    extra: Sequence[keras.callbacks.Callback] = (),
    last: str = LAST_FROZEN,
) -> None:
    """Train a network in place, and leave it with the weights that the stage ends with.

    A stage that is finished already is only loaded, and one that was cut short continues.

    Args:
        stage: What to do.
        network: By `build_network`.
        sampler: Makes the batches.
        features: The frozen part of the network.
        validation: The features of n photos, (n, height, width, channels), and their labels, int64, (n,).
        state: A folder for the history, the weights, and a backup after each epoch.
        extra: More callbacks.
        last: Name of the last frozen layer.
    """
    network = learning_part(network, last, stage.head_only)  # shares its weights with the whole network
    best, done = state / f"{stage.name}-best.weights.h5", state / f"{stage.name}.done"
    if not done.exists():
        _fit(stage, network, sampler, features, validation, best, extra)
        done.touch()
        shutil.rmtree(state / f"{stage.name}-backup", ignore_errors=True)
    if not stage.averaged:
        network.load_weights(best)
        return
    kept = sorted(state.glob(f"{stage.name}-epoch-*.weights.h5"))[-stage.averaged :]
    weights = []
    for path in kept:
        network.load_weights(path)
        weights.append(network.get_weights())
    # BatchNorm's statistics never changed, so they need not be collected anew for the mean
    network.set_weights(mean(weights))


def mean(weights: Sequence[Weights], shares: Sequence[float] | None = None) -> Weights:
    """Average the weights of several networks.

    Args:
        weights: Of each network, as Keras's `get_weights` gives them.
        shares: How much each network counts; by default all count alike.
    """
    together = (np.asarray(same, np.float64) for same in zip(*weights, strict=True))
    return [np.asarray(np.average(same, axis=0, weights=shares), np.float32) for same in together]


def _fit(
    stage: Stage,
    network: keras.Model,
    sampler: Sampler,
    features: Features,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    best: Path,
    extra: Sequence[keras.callbacks.Callback],
) -> None:
    # Adam's first steps would be as large as any and undo what ImageNet taught, so the learning rate climbs at first
    ramp = 0 if stage.head_only else min(RAMP_BATCHES, stage.epochs * sampler.steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        stage.rate / 10 if ramp else stage.rate,
        stage.epochs * sampler.steps - ramp,
        alpha=FINAL_RATE_SHARE,
        warmup_target=stage.rate if ramp else None,
        warmup_steps=ramp,
    )
    network.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=CLIP_NORM),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    found, labels = validation
    targets = np.eye(sampler.classes + 1, dtype=np.float32)[labels]
    history = best.parent / HISTORY_FILE.format(name=stage.name)
    reached = max((float(row["val_accuracy"]) for row in read_history(history)), default=None)
    every = best.parent / f"{stage.name}-epoch-{{epoch:03d}}.weights.h5"
    averaged = [keras.callbacks.ModelCheckpoint(every, save_weights_only=True)] if stage.averaged else []
    print(f"stage {stage.name}: {asdict(stage)}, {sampler.steps} batches an epoch", flush=True)
    network.fit(
        sampler.dataset(features),
        validation_data=(found, targets),
        validation_batch_size=sampler.batch_size,
        epochs=stage.epochs,
        callbacks=[
            sampler,
            _Dropout(sampler.seed),
            keras.callbacks.ModelCheckpoint(
                best, "val_accuracy", mode="max", save_best_only=True, save_weights_only=True,
                initial_value_threshold=reached,
            ),
            *averaged,
            keras.callbacks.CSVLogger(str(history), append=True),
            # Comes after the callbacks that save: an epoch is finished once its weights and figures are on disk
            keras.callbacks.BackupAndRestore(best.parent / f"{stage.name}-backup", delete_checkpoint=False),
            *extra,
        ],
    )  # fmt: skip


class _Dropout(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Makes what dropout drops follow from the seed and the epoch, as the sampler's pictures do.

    Keras's backups do not hold the state of dropout's random numbers, so a resumed run would not go on as it was.
    """

    def __init__(self, seed: tuple[int, ...]) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        rng = np.random.default_rng([*self.seed, epoch])
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign(rng.integers(2**31, size=2))


def read_history(path: Path) -> list[dict[str, str]]:
    """Read the finished epochs of a stage: a row for each, with epoch, accuracy, loss, val_accuracy and val_loss."""
    if not path.exists():
        return []
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))
