"""The door of every command: people who started one read a sentence, and the traceback of a fault lies in a file."""

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130  # exit status of a program that Ctrl-C ended: 128 and the number of SIGINT


def run(main: Callable[[], int | None], name: str) -> NoReturn:
    """Run a command's `main`, and end the process with the status that it returns.

    Args:
        main: The command. It says by itself what is wrong with its arguments and settings.
        name: How the command is called, for a message.

    Raises:
        SystemExit: Always.
    """
    readable_output()
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (this is where all that nobody foresaw ends)
        sys.exit(unexpected(name, error))
    sys.exit(status)


def readable_output() -> None:
    r"""Have characters that the terminal cannot show printed as \N{...} escapes, instead of ending the program.

    That is for terminals that are not UTF-8, and for names of files that are not.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def unexpected(name: str, error: Exception) -> str:
    """Write the traceback of a fault that nobody foresaw into a new file in the folder for temporary files.

    Args:
        name: What was running.
        error: The fault.

    Returns:
        What to tell whoever started it: what happened, where the details are, and what to do.
    """
    said = f"whichbin: {name} ended with a fault that it does not know: {type(error).__name__}: {error}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="whichbin-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.writelines(traceback.format_exception(error))
    except OSError as reason:
        return f"{said}\nNo file could be written with the details ({reason}). Make room, and try again."
    return (
        f"{said}\nThe details are in {log.name}. Look for a mistake in what you gave it, or in the settings; "
        "`python -m app.doctor` may find it.\nIf there is none, report the fault with that file."
    )
