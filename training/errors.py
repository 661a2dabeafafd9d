"""The one error that a command of this package shows as a line, without a traceback."""

import sys
from collections.abc import Callable


class TrainingError(ValueError):
    """The person who started the command can mend this. The message says what is wrong and what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's `main`; a TrainingError goes to stderr and ends the process with status 2."""
    try:
        main()
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
