"""The error that a command of this package shows as one line, without a traceback."""

import sys
from collections.abc import Callable


class TrainingError(ValueError):
    """Something that the person who started the command can mend; the message says what is wrong and what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's `main`; if it raises TrainingError, print the message to stderr and exit with status 2."""
    try:
        main()
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
