"""Compares finished runs that differ in their random numbers alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.artifact import METADATA_FILE
from training.errors import TrainingError

MEASURED = ("accuracy", "ece", "known_rate")
REJECTION = ("auroc", "fpr95")
# What may differ between runs of one recipe
FREE = ("seed", "date", "versions", "stages", "data_notes")


def spread(folders: Sequence[Path]) -> dict[str, Any]:
    """Collect what several artifacts of one recipe have recorded.

    Args:
        folders: The artifacts, made by `training.train` and measured by `training.evaluate --record`.

    Returns:
        `seeds`, a list, and `sets`: for the name of each set, `accuracy`, `ece` and `known_rate`, and the `auroc` and
        `fpr95` of the kind of pictures without an item that is told apart worst. Each is a list with one value per
        artifact, in the order of the folders.

    Raises:
        TrainingError: An artifact is missing, has not recorded the same sets, or is of another recipe.
    """
    runs = [read_run(folder) for folder in folders]
    recipes = [_recipe(run["training"]) for run in runs]
    sets = [run["figures"].get("sets", {}) for run in runs]
    for folder, recipe, recorded in zip(folders, recipes, sets, strict=True):
        if different := [key for key, value in recipes[0].items() if recipe.get(key) != value]:
            raise TrainingError(f"{folder}: not of the same recipe as {folders[0]}: other {', '.join(different)}")
        if not recorded or sorted(recorded) != sorted(sets[0]):
            raise TrainingError(
                f"{folder}: has recorded {', '.join(recorded) or 'no set'}, but {folders[0]} "
                f"{', '.join(sets[0]) or 'no set'}; record the same for each: python -m training.evaluate --record NAME"
            )
    return {
        "seeds": [run["training"]["seed"] for run in runs],
        "sets": {name: _values([recorded[name] for recorded in sets]) for name in sets[0]},
    }


def read_run(folder: Path) -> dict[str, Any]:
    """The metadata of an artifact that `training.train` made. Raises TrainingError for anything else."""
    try:
        metadata: dict[str, Any] = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder}: holds no artifact: {error}") from error
    if "stages" not in metadata.get("training", {}):
        raise TrainingError(f"{folder}: was not made by python -m training.train")
    return metadata


def _recipe(training: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for two runs to be of one recipe."""
    stages = [(stage["name"], stage["epochs"], stage["rate"], stage["averaged"]) for stage in training["stages"]]
    return {key: value for key, value in training.items() if key not in FREE} | {"stages": stages}


def _values(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    values = {key: [row[key] for row in rows] for key in MEASURED}
    if all(row.get("not_items") for row in rows):
        worst = [min(row["not_items"].values(), key=lambda kind: kind["auroc"]) for row in rows]
        values |= {key: [kind[key] for kind in worst] for key in REJECTION}
    return values
