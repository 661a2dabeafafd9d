"""Turns a saved Keras classifier into an artifact.

python -m training.export --keras FILE --out DIR --data DIR (or --labels a,b,c)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.preprocessing import INPUT_SIZE
from training.data.photos import check_classes, check_photos, class_folders, load_pixels
from training.data.splits import reference_split
from training.errors import TrainingError, run_command
from training.network.conversion import (
    INPUT_RANGES,
    PRECISIONS,
    REPRESENTATIVE,
    check_labels,
    image_classifier,
    read_keras,
    to_litert,
)
from training.options import Options, option
from training.report.artifact_writer import finish


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options):
    """The options of `python -m training.export`."""

    keras: Path = field(metadata=option("a saved classifier, .keras or .h5"))
    out: Path = field(metadata=option("folder for the artifact"))
    labels: tuple[str, ...] = field(
        default=(), metadata=option("names of the outputs in order, separated by commas", convert=_names)
    )
    data: Path | None = field(
        default=None, metadata=option("class folders: their names are the labels, and their photos calibrate")
    )
    input_range: str = field(
        default="-1..1",
        metadata=option(
            "the range of pixels that the network expects, unless it scales them itself; write --input-range=0..1",
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
        if not self.labels and not self.data:
            raise TrainingError("give --labels, or --data with one folder per label")
        if self.precision == "int8" and not self.data:
            raise TrainingError("--precision int8 needs --data: its photos show the ranges of the integers")


def export(options: ExportOptions) -> dict[str, Any]:
    """Write the artifact and return its metadata. Raises TrainingError."""
    network = image_classifier(read_keras(options.keras), options.keras, options.input_range, options.size)
    classes = class_folders(options.data) if options.data else None
    labels = options.labels or tuple(classes or ())
    check_labels(labels, network, options.keras, options.background)
    size, validation, representative = int(network.inputs[0].shape[1]), None, None
    if options.data and classes is not None:
        if unknown := sorted(set(classes) - set(labels)):
            raise TrainingError(f"{options.data}: {', '.join(unknown)} not among the labels {', '.join(labels)}")
        bad = check_photos([path for paths in classes.values() for path in paths], options.skip_bad)
        classes = {name: [path for path in paths if path not in bad] for name, paths in classes.items()}
        check_classes(classes, options.data)
        training, validation = reference_split(classes)
        representative = _representative(training, size) if options.precision == "int8" else None
    content = to_litert(network, size, options.precision, representative)
    source = {"source": options.keras.name, "precision": options.precision}
    return finish(content, labels, size, options.background, validation, source, options.out)


def _representative(classes: Mapping[str, Sequence[Path]], size: int) -> NDArray[np.uint8]:
    """Up to REPRESENTATIVE photos, evenly spread over all: uint8, (n, size, size, 3), RGB."""
    paths = [path for of_class in classes.values() for path in of_class]
    return load_pixels(paths[:: max(1, len(paths) // REPRESENTATIVE)][:REPRESENTATIVE], size)


def main() -> None:
    """Export as the command line says, and print how good the artifact is where that could be measured."""
    options = ExportOptions.parse("training.export", __doc__)
    metadata = export(options)
    reference = metadata["figures"].get("reference")
    measured = f"validation accuracy {reference['accuracy']:.1%}" if reference else "not calibrated: no --data given"
    print(f"{options.out}: artifact with labels {', '.join(metadata['labels'])}; {measured}")


if __name__ == "__main__":
    run_command(main)
