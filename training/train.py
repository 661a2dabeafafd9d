"""Trains a classifier on any folder of class folders and writes an artifact that the app can serve.

python -m training.train --data DIR --out DIR
"""

import shlex
import sys

from training.errors import run_command
from training.network.starting_weights import starting_weights
from training.run.data import find_photos, load_photos
from training.run.options import TrainOptions


def main() -> None:
    """Train as the command line says; print how good the network is on the photos held back, and how to use it."""
    options = TrainOptions.parse("training.train", __doc__)
    found = find_photos(options)
    weights = None if options.start else starting_weights(options.weights, options.size)
    data = load_photos(options, found)
    # Loads TensorFlow, which takes seconds, so not before all that was asked for is known to be right
    from training.report.artifact_writer import VALIDATION_FIGURES
    from training.report.measure import table
    from training.run.trainer import run

    metadata = run(options, data, weights)
    print(table(metadata["figures"][VALIDATION_FIGURES[options.split]]))
    out = shlex.quote(str(options.out))
    print(f"{options.out}: artifact written. Start the app with it, or measure it on other photos:")
    print(f"  WHICHBIN_MODEL={out} make run")
    print(f"  {shlex.quote(sys.executable)} -m training.evaluate --model {out} --data OTHER_PHOTOS")


if __name__ == "__main__":
    run_command(main)
