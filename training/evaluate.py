"""Measures an artifact on folders of photos, through the Classifier that the app uses.

python -m training.evaluate --model DIR --data DIR
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import ArtifactError, Classifier, read_photo
from training.data.photos import check_photos, class_folders, photos_in, without
from training.data.splits import EVALUATED, GROUPS_FILE, chosen_part
from training.errors import TrainingError, readable, run_command
from training.options import Options, option
from training.pictures.background import empty_scene
from training.report.artifact_writer import update
from training.report.measure import classify_folders, figures_of, not_items, not_items_lines, table
from training.report.page import write_report

PhotosOf = dict[str, list[Path]]  # by the name of a class or folder


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options):
    """The options of `python -m training.evaluate`."""

    model: Path = field(metadata=option("an artifact folder"))
    data: Path = field(metadata=option("class folders; some of the labels are enough"))
    split: str = field(
        default=EVALUATED[0], metadata=option("which of the photos: all, or what a split holds back", choices=EVALUATED)
    )
    groups: Path = field(default=GROUPS_FILE, metadata=option("the list of the grouped split"))
    not_items: tuple[Path, ...] = field(
        default=(), metadata=option("also a folder of pictures that show none of the labels", repeat=True)
    )
    empty_scenes: int = field(default=0, metadata=option("also N synthetic views of nothing", metavar="N"))
    seed: int = field(default=1, metadata=option("where the random numbers of --empty-scenes start"))
    skip_bad: bool = field(
        default=False, metadata=option("leave out photos that cannot be read, instead of refusing to start")
    )
    report: Path | None = field(
        default=None, metadata=option("also write a page with plots: NAME.html, or a folder for it", metavar="FILE")
    )
    record: str | None = field(
        default=None, metadata=option("also add the figures to the artifact's metadata and card", metavar="NAME")
    )


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Classify what the options name, write the report if they ask for one, and return the figures.

    Raises:
        TrainingError: The artifact or a folder cannot be used.
    """
    try:
        classifier = Classifier.load(options.model)
    except ArtifactError as error:
        raise TrainingError(str(error)) from error
    classes, others = _photos(options, classifier.labels)
    results = classify_folders(classifier, classes)
    scores = {name: _scores(classifier, map(read_photo, paths)) for name, paths in others.items()}
    if options.empty_scenes:
        rng = np.random.default_rng(options.seed)
        scenes = (empty_scene(classifier.metadata.input_size, rng) for _ in range(options.empty_scenes))
        scores["empty scenes"] = _scores(classifier, scenes)
    threshold = classifier.metadata.rejection_threshold
    rejected = {name: not_items(results.scores, of_kind, threshold) for name, of_kind in scores.items()}
    figures = figures_of(results) | ({"not_items": rejected} if rejected else {}) | {"command": _command(options)}
    if options.report:
        file = options.report if options.report.suffix == ".html" else options.report / "report.html"
        title = readable(f"{options.model.resolve().name} on {options.data.resolve().name}")
        write_report(file, title, figures, results, scores, threshold)
        print(f"{file}: report written")
    return figures


def _photos(options: EvaluateOptions, labels: tuple[str, ...]) -> tuple[PhotosOf, PhotosOf]:
    """The photos of each class, and of each folder of pictures without an item. Raises TrainingError."""
    classes = {name: paths for name, paths in class_folders(options.data, labels).items() if paths}
    if unknown := sorted(set(classes) - set(labels)):
        raise TrainingError(
            f"{options.data}: the model knows no {', '.join(unknown)}; its labels are {', '.join(labels)}"
        )
    if not classes:
        raise TrainingError(f"{options.data}: its class folders hold no photos")
    classes = chosen_part(classes, options.split, options.groups)
    others: PhotosOf = {}
    for folder in options.not_items:
        if not (found := photos_in(folder)):
            raise TrainingError(f"{folder}: holds no pictures")
        others.setdefault(readable(folder.name), []).extend(found)
    paths = [path for group in (classes, others) for paths in group.values() for path in paths]
    bad = check_photos(paths, options.skip_bad)
    classes = {name: left for name, left in without(bad, classes).items() if left}
    others = without(bad, others)
    if not classes or not all(others.values()):
        raise TrainingError(f"{', '.join((str(options.data), *others))}: hold too few photos that can be used")
    return classes, others


def _scores(classifier: Classifier, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
    return np.array([classifier.classify(rgb).score for rgb in pictures])


def _command(options: EvaluateOptions) -> str:
    """What was measured, as a command line with folders by name and without this machine's paths."""
    words = ["python -m training.evaluate", f"--data {readable(options.data.name)}", f"--split {options.split}"]
    words += [f"--not-items {readable(folder.name)}" for folder in options.not_items]
    words += [f"--empty-scenes {options.empty_scenes} --seed {options.seed}"] if options.empty_scenes else []
    return " ".join(words)


def main() -> None:
    """Evaluate as the command line says; print a table for a person and, last, one JSON object for a program."""
    options = EvaluateOptions.parse("training.evaluate", __doc__)
    figures = evaluate(options)
    if options.record:
        update(options.model, "sets", options.record, figures)
    print("\n".join([table(figures), *not_items_lines(figures)]))
    print(json.dumps(figures))


if __name__ == "__main__":
    run_command(main)
