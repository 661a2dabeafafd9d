"""The schedule: a head warm-up, then fine-tuning at a small resolution, then at the full one. Resumable."""

import csv
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from training.network import folded, set_trainable
from training.sampler import Sampler

LABEL_SMOOTHING = 0.05
CLIP_NORM = 5.0
PATIENCE = 10  # epochs without a better validation accuracy
HISTORY_FILE = "history-{name}.csv"


@dataclass(frozen=True)
class Stage:
    """One `fit`. size: pixels. rate: first learning rate, cosine-decayed to rate * floor (Loshchilov & Hutter 2017).

    first: name of the first backbone layer that learns; None for the head alone. averaged: how many of the last epochs
    end up averaged in the network (Izmailov et al. 2018, arXiv:1803.05407); 0 keeps the best epoch's weights instead.
    least_area: of the random crops, as a share of the picture. hard: whether items are put before other
    backgrounds, disturbed and mixed with each other.
    """

    name: str
    epochs: int
    size: int
    rate: float
    floor: float
    first: str | None
    averaged: int = 0
    least_area: float = 0.45
    hard: bool = False


# The first blocks hold edges and colours that ImageNet taught better than a few thousand photos can, and their large
# feature maps would take more than half of an epoch's time.
FIRST_TRAINED = {"small": "block_3_expand", "full": "block_6_expand"}


def schedule(epochs: int, size: int, warm_up: int = 2, started: bool = False) -> list[Stage]:
    """The default recipe: `warm_up` epochs for the head, then `epochs`, from easy to hard and from small to full size.

    Three fifths of them are at 5/7 of the size (160 pixels for 224), in half the time. Hard pictures come once easy
    ones are known: begun with, they teach far more slowly. started: the network has learned the labels before; then
    all epochs are hard and at the full size.
    """
    small = max(32, round(size * 5 / 7 / 32) * 32)
    at_small = round(epochs * 0.6) if small < size and not started else 0
    easy = round(at_small * 0.4)
    settle = min(3, epochs // 5)
    at_full = epochs - at_small - settle
    stages = [
        Stage("head", 0 if started else warm_up, small, 1e-3, 1.0, None),
        Stage("small", easy, small, 3e-4, 0.3, FIRST_TRAINED["small"]),
        Stage("hard", at_small - easy, small, 2e-4, 0.3, FIRST_TRAINED["small"], averaged=3, hard=True),
        Stage("full", at_full, size, 1.2e-4, 0.05, FIRST_TRAINED["full"], averaged=max(1, at_full // 2), hard=True),
        # Crops make things look larger in training than whole pictures do in serving; the last epochs undo that
        # (Touvron et al. 2019, arXiv:1906.06423)
        Stage("whole", settle, size, 4e-5, 0.1, FIRST_TRAINED["full"], averaged=settle, least_area=0.85),
    ]
    return [stage for stage in stages if stage.epochs > 0]


def run_stage(
    stage: Stage,
    network: keras.Model,
    sampler: Sampler,
    validation: tuple[NDArray[np.uint8], NDArray[np.int64]],
    state: Path,
    extra: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train `network` in place and leave it with its best epoch's weights, or the mean of its last epochs'.

    A stage that is finished already is only loaded.

    validation: uint8 pixels (n, size, size, 3), RGB, at the stage's size, and labels (n,).
    state: a folder for the history, the best weights, and a backup after each epoch from which a run that was cut
    short continues. extra: more callbacks.
    """
    set_trainable(network, stage.first)
    network = folded(network)  # it shares the weights: what happens to it below has happened to the network
    best, done = state / f"{stage.name}-best.weights.h5", state / f"{stage.name}.done"
    if not done.exists():
        _fit(stage, network, sampler, validation, best, extra)
        done.touch()
        shutil.rmtree(state / f"{stage.name}-backup", ignore_errors=True)
    if not stage.averaged:
        network.load_weights(best)
        return
    kept = sorted(state.glob(f"{stage.name}-epoch-*.weights.h5"))[-stage.averaged :]
    means = [np.zeros(weight.shape, np.float64) for weight in network.get_weights()]
    for path in kept:
        network.load_weights(path)
        for mean, weight in zip(means, network.get_weights(), strict=True):
            mean += weight / len(kept)
    # Without BatchNorm statistics of its own to collect again, the mean is ready as it is
    network.set_weights([mean.astype(np.float32) for mean in means])


def _fit(
    stage: Stage,
    network: keras.Model,
    sampler: Sampler,
    validation: tuple[NDArray[np.uint8], NDArray[np.int64]],
    best: Path,
    extra: Sequence[keras.callbacks.Callback],
) -> None:
    # Adam's first steps are as large as any and would undo what ImageNet taught, so the rate climbs to its top
    ramp = 0 if stage.first is None else sampler.steps // 2
    rate = keras.optimizers.schedules.CosineDecay(
        stage.rate / 10 if ramp else stage.rate,
        stage.epochs * sampler.steps - ramp,
        alpha=stage.floor,
        warmup_target=stage.rate if ramp else None,
        warmup_steps=ramp,
    )
    network.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=CLIP_NORM),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    pixels, labels = validation
    targets = np.eye(sampler.classes + 1, dtype=np.float32)[labels]
    history = best.parent / HISTORY_FILE.format(name=stage.name)
    reached = max((float(row["val_accuracy"]) for row in read_history(history)), default=None)
    every = best.parent / f"{stage.name}-epoch-{{epoch:03d}}.weights.h5"
    averaged = [keras.callbacks.ModelCheckpoint(every, save_weights_only=True)] if stage.averaged else []
    print(f"stage {stage.name}: {asdict(stage)}, {sampler.steps} batches an epoch", flush=True)
    network.fit(
        sampler.dataset(),
        validation_data=(pixels, targets),
        validation_batch_size=sampler.batch_size,
        epochs=stage.epochs,
        callbacks=[
            sampler,
            keras.callbacks.ModelCheckpoint(
                best, "val_accuracy", mode="max", save_best_only=True, save_weights_only=True,
                initial_value_threshold=reached,
            ),
            *averaged,
            keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=PATIENCE, baseline=reached),
            keras.callbacks.CSVLogger(str(history), append=True),
            # After the others: an epoch counts as finished only when its weights and figures are on disk
            keras.callbacks.BackupAndRestore(best.parent / f"{stage.name}-backup", delete_checkpoint=False),
            *extra,
        ],
    )  # fmt: skip


def read_history(path: Path) -> list[dict[str, str]]:
    """The finished epochs of a stage, one row each with epoch, accuracy, loss, val_accuracy, val_loss."""
    if not path.exists():
        return []
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))
