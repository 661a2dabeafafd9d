"""Measures an artifact on folders of photos, through the Classifier that the app uses.

python -m training.evaluate --model DIR --data DIR
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import ArtifactError, Classifier, read_photo
from training.data.photos import check_photos, class_folders, photos_in
from training.data.splits import EVALUATED, GROUPS_FILE, chosen_part
from training.errors import TrainingError, run_command
from training.pictures.background import empty_scene
from training.report.artifact_writer import update
from training.report.measure import classify_folders, figures_of, not_items, table
from training.report.page import write_report


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Classify what the command's options name and return the figures. Raises TrainingError."""
    try:
        classifier = Classifier.load(options.model)
    except ArtifactError as error:
        raise TrainingError(str(error)) from error
    classes = {name: paths for name, paths in class_folders(options.data).items() if paths}
    if unknown := sorted(set(classes) - set(classifier.labels)):
        raise TrainingError(
            f"{options.data}: the model knows no {', '.join(unknown)}; its labels are {', '.join(classifier.labels)}"
        )
    if not classes:
        raise TrainingError(f"{options.data}: its class folders hold no photos")
    classes = chosen_part(classes, options.split, options.groups)
    others = {folder: photos_in(folder, recursive=True) for folder in options.not_items}
    for folder, paths in others.items():
        if not paths:
            raise TrainingError(f"{folder}: holds no pictures")
    check_photos([path for group in (classes, others) for paths in group.values() for path in paths])
    results = classify_folders(classifier, classes)
    scores = {folder.name: _scores(classifier, map(read_photo, paths)) for folder, paths in others.items()}
    if options.empty_scenes:
        rng = np.random.default_rng(options.seed)
        scenes = (empty_scene(classifier.metadata.input_size, rng) for _ in range(options.empty_scenes))
        scores["empty scenes"] = _scores(classifier, scenes)
    threshold = classifier.metadata.rejection_threshold
    rejected = {name: not_items(results.scores, of_kind, threshold) for name, of_kind in scores.items()}
    figures = figures_of(results) | ({"not_items": rejected} if rejected else {}) | {"command": _command(options)}
    if options.report:
        file = options.report if options.report.suffix == ".html" else options.report / "report.html"
        title = f"{options.model.resolve().name} on {options.data.resolve().name}"
        write_report(file, title, figures, results, scores, threshold)
        print(f"{file}: report written")
    return figures


def _scores(classifier: Classifier, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
    return np.array([classifier.classify(rgb).score for rgb in pictures])


def _command(options: argparse.Namespace) -> str:
    """What was measured, as a command line with folders by name and without this machine's paths."""
    words = ["python -m training.evaluate", f"--data {options.data.name}", f"--split {options.split}"]
    words += [f"--not-items {folder.name}" for folder in options.not_items]
    words += [f"--empty-scenes {options.empty_scenes} --seed {options.seed}"] if options.empty_scenes else []
    return " ".join(words)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="an artifact folder")
    parser.add_argument("--data", type=Path, required=True, help="class folders; some of the labels are enough")
    parser.add_argument("--split", choices=EVALUATED, default="all", help="validation: of the reference split")
    parser.add_argument("--groups", type=Path, default=GROUPS_FILE, help="list of the grouped split (%(default)s)")
    parser.add_argument("--not-items", type=Path, action="append", default=[], help="pictures that are no label")
    parser.add_argument("--empty-scenes", type=int, default=0, metavar="N", help="also N synthetic empty views")
    parser.add_argument("--seed", type=int, default=1, help="of the empty views (default %(default)s)")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="also write a page with plots: NAME.html or a folder"
    )
    parser.add_argument("--record", metavar="NAME", help="also add the figures to the artifact's metadata and card")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_arguments()
    figures = evaluate(options)
    if options.record:
        update(options.model, "sets", options.record, figures)
    print(table(figures))
    for name, row in figures.get("not_items", {}).items():
        print(f"not items, {name}: AUROC {row['auroc']:.3f}, FPR95 {row['fpr95']:.1%}, known {row['known_rate']:.1%}")
    print(json.dumps(figures))


if __name__ == "__main__":
    run_command(main)
