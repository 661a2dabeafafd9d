"""Finds photos of one object and writes the list of the grouped split.

python -m training.group --data DIR --out FILE
"""

from dataclasses import dataclass, field
from pathlib import Path

from model.preprocessing import INPUT_SIZE
from training.data.grouping import group_photos, summary
from training.data.photos import check_photos, class_folders, load_pixels, without
from training.data.splits import GROUPS_FILE, write_groups
from training.errors import TrainingError, readable, run_command
from training.network.starting_weights import check_weights, starting_weights
from training.options import Options, option


@dataclass(frozen=True, kw_only=True)
class GroupOptions(Options):
    """The options of `python -m training.group`."""

    data: Path = field(metadata=option("a folder with one folder of photos per class"))
    weights: str = field(
        default="imagenet", metadata=option("MobileNetV2's: 'imagenet' (downloaded), 'none' (random) or a weights file")
    )
    out: Path = field(default=GROUPS_FILE, metadata=option("the list"))
    skip_bad: bool = field(
        default=False, metadata=option("leave out photos that cannot be read, instead of refusing to start")
    )


def main() -> None:
    """Write the list as the command line says, and print what it holds."""
    options = GroupOptions.parse("training.group", __doc__)
    check_weights(options.weights)
    classes = class_folders(options.data, warn_of_copies=False)  # they are dropped below
    classes = without(check_photos([path for paths in classes.values() for path in paths], options.skip_bad), classes)
    paths = [path for of_class in classes.values() for path in of_class]
    if not paths:
        raise TrainingError(f"{options.data}: its class folders hold no photos")
    weights = starting_weights(options.weights, INPUT_SIZE)
    pixels = load_pixels(paths, INPUT_SIZE)
    # Loads TensorFlow, which takes seconds, so not before all that was asked for is known to be right
    from training.network.architecture import pooled_features

    rows, conflicting = group_photos(classes, pixels, pooled_features(pixels, weights))
    for copies in conflicting:
        print(f"dropped, one photo under two labels: {', '.join(map(readable, copies))}")
    write_groups(options.out, rows)
    print(summary(rows))
    print(f"{options.out}: written")


if __name__ == "__main__":
    run_command(main)
