"""Trains a classifier on any folder of class folders and writes an artifact that the app can serve.

python -m training.train --data DIR --out DIR
"""

from training.errors import run_command
from training.report.artifact_writer import VALIDATION_FIGURES
from training.report.measure import table
from training.run.options import TrainOptions
from training.run.trainer import run


def main() -> None:
    """Train as the command line says, and print how good the network is on the photos that were held back."""
    options = TrainOptions.parse("training.train", __doc__)
    metadata = run(options)
    print(table(metadata["figures"][VALIDATION_FIGURES[options.split]]))
    print(f"{options.out}: artifact written")


if __name__ == "__main__":
    run_command(main)
