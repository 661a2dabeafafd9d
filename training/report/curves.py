"""Draws the learning curves of a training run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

CURVES_FILE = "learning-curves.png"


def write_curves(file: Path, stages: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    """Write a PNG of the loss and the accuracy over the epochs of all stages, in training and in validation.

    The training figures are those of augmented pictures with smoothed and mixed targets, so they may well be worse than
    the validation's.

    Args:
        file: The PNG.
        stages: The name of each stage to its finished epochs, as `read_history` gives them.
    """
    rows = [row for of_stage in stages.values() for row in of_stage]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for place, name in ((1, "loss"), (2, "accuracy")):
        ax = figure.add_subplot(1, 2, place)
        for key, label in ((name, "training, augmented"), (f"val_{name}", "validation")):
            ax.plot(range(1, len(rows) + 1), [float(row[key]) for row in rows], marker=".", label=label)
        begin = 0
        for stage, of_stage in stages.items():
            if of_stage:
                ax.axvline(begin + 0.5, color="#c5c9d0", linewidth=0.8)
                ax.text(begin + 0.6, 1.01, stage, transform=ax.get_xaxis_transform(), fontsize=8)
            begin += len(of_stage)
        ax.set(xlabel="epoch", ylabel=name)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
    figure.savefig(file, dpi=120)
