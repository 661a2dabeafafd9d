"""Turns a saved classifier into an artifact.

python -m training.export --keras FILE --out DIR --data DIR (or --labels a,b,c)
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.preprocessing import INPUT_SIZE
from training.data.photos import check_classes, check_photos, class_folders, load_classes, load_pixels, without
from training.data.splits import reference_split
from training.errors import TrainingError, run_command
from training.foreign.kinds import identify
from training.foreign.labels import check_labels, labels_beside, parse_labels, read_labels
from training.foreign.ranges import (
    CLEARLY,
    INPUT_RANGES,
    PLAIN,
    TRIED_PHOTOS,
    best_range,
    fits_text,
    likely_range,
    measure_fits,
)
from training.network.precisions import PRECISIONS, REPRESENTATIVE
from training.options import Options, option
from training.report.artifact_writer import finish

if TYPE_CHECKING:
    from training.foreign.network import Network

Classes = Mapping[str, Sequence[Path]]


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options):
    """The options of `python -m training.export`."""

    keras: Path = field(
        metadata=option("a saved classifier: .keras or .h5 of Keras 2 or 3, a SavedModel folder, or a .tflite file")
    )
    out: Path = field(metadata=option("folder for the artifact"))
    labels: str | None = field(
        default=None,
        metadata=option(
            "names of the outputs in order, separated by commas, or a file with one on each line; by default those of "
            "--data, or the labels.txt beside the classifier",
            metavar="NAMES",
        ),
    )
    data: Path | None = field(
        default=None, metadata=option("class folders: their names are the labels, and their photos calibrate")
    )
    input_range: str | None = field(
        default=None,
        metadata=option(
            "the range of pixels that the network expects; write --input-range=-1..1. By default the one that fits the "
            "photos of --data or, without them, that the network's own scaling suggests",
            choices=tuple(INPUT_RANGES),
        ),
    )
    size: int = field(
        default=INPUT_SIZE, metadata=option("side of the input in pixels, for a network that takes any size")
    )
    precision: str = field(
        default=PRECISIONS[0], metadata=option("of the numbers in the file; int8 needs --data", choices=PRECISIONS)
    )
    background: bool = field(default=False, metadata=option("the network's last output stands for none of the labels"))
    skip_bad: bool = field(
        default=False, metadata=option("leave out photos that cannot be read, instead of refusing to start")
    )

    def __post_init__(self) -> None:
        """Raise TrainingError for options that do not go together."""
        super().__post_init__()
        if self.precision == "int8" and not self.data:
            raise TrainingError("--precision int8 needs --data: its photos show the ranges of the integers")


def export(options: ExportOptions) -> dict[str, Any]:
    """Write the artifact and return its metadata; say on stderr what was found or assumed. Raises TrainingError."""
    file = identify(options.keras)
    if options.out.exists() and not options.out.is_dir():
        raise TrainingError(f"{options.out}: is a file; expected a folder for the artifact, there or to be made")
    if file.kind == "tflite" and options.precision != PRECISIONS[0]:
        raise TrainingError(f"{file.path}: keeps the precision that it has; leave --precision out")
    labels = _labels(options)
    classes = class_folders(options.data) if options.data else None
    # TensorFlow takes seconds to import; what is wrong so far is said before that
    from training.foreign.network import read_network

    network = read_network(options.keras, options.size)
    labels = labels or tuple(classes or ())
    check_labels(labels, network.outputs, options.keras, options.background)
    training, validation, representative = None, None, None
    if options.data and classes is not None:
        if unknown := sorted(set(classes) - set(labels)):
            raise TrainingError(f"{options.data}: {', '.join(unknown)} not among the labels {', '.join(labels)}")
        bad = check_photos([path for paths in classes.values() for path in paths], options.skip_bad)
        classes = without(bad, classes)
        check_classes(classes, options.data)
        training, validation = reference_split(classes)
        representative = _representative(training, network.size) if options.precision == "int8" else None
    input_range, why = _input_range(options, network, labels, classes)
    content = network.to_litert(input_range, options.precision, representative)
    for said in (why, *network.notes):
        print(f"{options.keras}: {said}", file=sys.stderr)
    precision = "as in the file" if file.kind == "tflite" else options.precision
    source = {"source": options.keras.name, "precision": precision, "input_range": input_range}
    source["notes"] = " ".join(f"{said[0].upper()}{said[1:]}." for said in (why, *network.notes))
    return finish(content, labels, network.size, options.background, validation, source, options.out)


def _labels(options: ExportOptions) -> tuple[str, ...]:
    """The labels that were given, or that lie beside the classifier; none if --data is to give them."""
    if options.labels:
        return parse_labels(options.labels)
    if options.data:
        return ()
    beside = labels_beside(options.keras)
    if beside is None:
        raise TrainingError("give --labels, names or a file with one on each line, or --data with one folder per label")
    labels = read_labels(beside)
    print(f"{beside}: labels {', '.join(labels)}", file=sys.stderr)
    return labels


def _input_range(
    options: ExportOptions, network: "Network", labels: tuple[str, ...], classes: Classes | None
) -> tuple[str, str]:
    """The range of pixels to feed the network with, and a sentence that says why."""
    if network.fixed_range:
        return PLAIN, network.fixed_range
    likely, why = likely_range(network.scaled)
    if options.input_range and not (network.scaled and likely == PLAIN):
        likely, why = options.input_range, f"--input-range={options.input_range} is applied"
    elif options.input_range not in (None, PLAIN):
        why += f", so --input-range={options.input_range} is not applied"
    if classes is None:
        if not options.input_range:
            ways = "--data" if likely == PLAIN else "--input-range, or --data"
            why += f"; if its answers are wrong, give {ways} to have it measured"
        return likely, why
    photos = load_classes(_spread(classes), labels, network.size)
    fits = measure_fits(network.runner, photos.pixels, photos.labels, len(labels))
    best, measured = best_range(fits, likely, len(photos)), fits_text(fits, len(photos))
    clearly = fits[best].accuracy - fits[likely].accuracy > CLEARLY
    if options.input_range:
        if clearly:
            return likely, f"warning: {why}, but {best} fits better: {measured}"
        return likely, f"{why}: {measured}"
    chance = max(len(paths) for paths in classes.values()) / sum(len(paths) for paths in classes.values())
    if fits[best].accuracy <= chance + CLEARLY and fits[best].accuracy < 1 - CLEARLY:
        return likely, (
            f"warning: no range of pixels fits, {likely} is taken; are the labels ({', '.join(labels)}) in the order "
            f"of the outputs? {measured[0].upper()}{measured[1:]}"
        )
    not_likely = f" and {likely} does not" if clearly else ""
    return best, f"pixels of {best} fit the photos{not_likely}: {measured}"


def _spread(classes: Classes) -> dict[str, Sequence[Path]]:
    """Up to TRIED_PHOTOS photos, equally many of each class and evenly spread over it."""
    each = max(1, TRIED_PHOTOS // len(classes))
    return {name: paths[:: max(1, -(-len(paths) // each))] for name, paths in classes.items()}


def _representative(classes: Classes, size: int) -> NDArray[np.uint8]:
    """Up to REPRESENTATIVE photos, evenly spread over all: uint8, (n, size, size, 3), RGB."""
    paths = [path for of_class in classes.values() for path in of_class]
    return load_pixels(paths[:: max(1, len(paths) // REPRESENTATIVE)][:REPRESENTATIVE], size)


def main() -> None:
    """Export as the command line says, and print how good the artifact is where that could be measured."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on this machine help nobody here
    logging.getLogger("absl").setLevel(logging.ERROR)  # nor do its converter's
    options = ExportOptions.parse("training.export", __doc__)
    metadata = export(options)
    reference = metadata["figures"].get("reference")
    measured = f"validation accuracy {reference['accuracy']:.1%}" if reference else "not calibrated: no --data given"
    print(f"{options.out}: artifact with labels {', '.join(metadata['labels'])}; {measured}")
    print(f"Try it: WHICHBIN_MODEL={options.out} make run")


if __name__ == "__main__":
    run_command(main)
