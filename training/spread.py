"""Compares finished runs of one recipe that differ in their seed: means, least and most of what was recorded.

python -m training.spread RUN RUN ...
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import run_command
from training.options import Options, option
from training.report.artifact_writer import update
from training.report.model_card import spread_table
from training.report.spread import read_run, spread


@dataclass(frozen=True, kw_only=True)
class SpreadOptions(Options):
    """The options of `python -m training.spread`."""

    runs: tuple[Path, ...] = field(
        metadata=option("an artifact folder of training.train", positional=True, nargs="+", metavar="RUN")
    )
    record: Path | None = field(
        default=None, metadata=option("also add the figures to the model card of this artifact", metavar="DIR")
    )
    name: str = field(default="this recipe", metadata=option("what to call them there"))


def main() -> None:
    """Compare the runs that the command line names; print a table and, last, one JSON object for a program."""
    options = SpreadOptions.parse("training.spread", __doc__)
    found = spread(options.runs)
    if options.record:
        read_run(options.record)
        update(options.record, "spread", options.name, found)
    print(spread_table({options.name: found}))
    print(json.dumps(found))


if __name__ == "__main__":
    run_command(main)
