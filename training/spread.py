"""Compares finished runs of one recipe that differ in their seed: means, least and most of what was recorded.

python -m training.spread RUN RUN ...
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.artifact import METADATA_FILE
from training.errors import TrainingError, run_command
from training.report.artifact_writer import update
from training.report.model_card import spread_table

MEASURED = ("accuracy", "ece", "known_rate")
REJECTION = ("auroc", "fpr95")
# What may differ between the runs of one recipe
FREE = ("seed", "date", "versions", "stages", "data_notes")


def spread(folders: Sequence[Path]) -> dict[str, Any]:
    """What the artifacts in `folders` have recorded of each set, a value for each of them in their order.

    Returns seeds, and sets: name to accuracy, ece and known_rate, and to the auroc and fpr95 of the kind of pictures
    without an item that is told apart worst. Raises TrainingError where one is missing, has not recorded the same sets
    or is of another recipe.
    """
    runs = [_metadata(folder) for folder in folders]
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


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        metadata: dict[str, Any] = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder}: holds no artifact: {error}") from error
    if "stages" not in metadata.get("training", {}):
        raise TrainingError(f"{folder}: was not made by python -m training.train")
    return metadata


def _recipe(training: dict[str, Any]) -> dict[str, Any]:
    stages = [(stage["name"], stage["epochs"], stage["rate"], stage["averaged"]) for stage in training["stages"]]
    return {key: value for key, value in training.items() if key not in FREE} | {"stages": stages}


def _values(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    values = {key: [row[key] for row in rows] for key in MEASURED}
    if all(row.get("not_items") for row in rows):
        worst = [min(row["not_items"].values(), key=lambda kind: kind["auroc"]) for row in rows]
        values |= {key: [kind[key] for kind in worst] for key in REJECTION}
    return values


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.spread", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="an artifact folder of training.train")
    parser.add_argument("--record", type=Path, metavar="DIR", help="also add them to this artifact's model card")
    parser.add_argument("--name", default="this recipe", help="what to call them there (%(default)s)")
    options = parser.parse_args()
    found = spread(options.runs)
    if options.record:
        _metadata(options.record)
        update(options.record, "spread", options.name, found)
    print(spread_table({options.name: found}))
    print(json.dumps(found))


if __name__ == "__main__":
    run_command(main)
