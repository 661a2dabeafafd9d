"""The one door of this package's commands, where whatever goes wrong becomes a sentence that says what to do."""

import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

# What to do about trouble with files, by the error's number
ADVICE = {
    errno.ENOSPC: "free some space and start the same command again",
    errno.EDQUOT: "free some space and start the same command again",
    errno.EROFS: "give a folder that can be written to",
    errno.EACCES: "change its permissions, or give another place",
    errno.EPERM: "change its permissions, or give another place",
    errno.EMFILE: "raise the limit of open files (ulimit -n 4096)",
}


class TrainingError(ValueError):
    """Something that the person who started the command can mend; the message says what is wrong and what to do."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command's `main`, and say what goes wrong as one line on stderr instead of a traceback.

    A TrainingError, and trouble with files or memory, is said as it is and ends the command with status 2. Anything
    else is a fault of the program: it ends with status 1, and its traceback goes to a file that the line names. With
    `--debug` among the command's words, the traceback is shown in every case.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name that the terminal has no letters for stops nothing
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except KeyboardInterrupt:
        sys.excepthook = _interrupted
        raise
    except BrokenPipeError:  # whoever read the output has seen enough of it, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(1) from None
    except Exception as error:
        status, line = _explain(error)
        if "--debug" in sys.argv[1:]:
            traceback.print_exc()
        elif status == 1:
            line += _kept_details()
        print(f"error: {line}", file=sys.stderr)
        raise SystemExit(status) from error


def readable(text: str | Path) -> str:
    r"""A text without the stand-ins that Python has for bytes of a file's name that are not UTF-8: "caf\xe9.jpg"."""
    return os.fsencode(str(text)).decode("utf-8", "backslashreplace")


def first_line(error: object) -> str:
    """The first line of what an error says, or its kind if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _explain(error: Exception) -> tuple[int, str]:
    """The exit status that stands for an error, and what to say of it."""
    if isinstance(error, TrainingError):
        return 2, str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] != "training":
        return 2, f"the package {error.name} is not installed; run `make setup-training` once, which installs it"
    if isinstance(error, MemoryError):
        return 2, "there is not enough memory for this; close other programs, or use fewer or smaller pictures"
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return 2, f"{place}{error.strerror}; {ADVICE.get(error.errno, 'look whether the place is right')}"
    said = (str(error).strip() or "no message").splitlines()[0]
    return 1, f"this should not have happened ({type(error).__name__}: {said})"


def _kept_details() -> str:
    """Write the traceback of the error that is being handled to a new file, and say where it is."""
    details = f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}".encode("utf-8", "backslashreplace")
    try:
        with tempfile.NamedTemporaryFile(prefix="whichbin-", suffix=".log", delete=False) as file:
            file.write(details)
    except OSError:
        return "; start the command again with --debug to see where"
    return f"; please report it, and send {file.name} along"


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End an interrupted command, whose exit status stays that of an interrupt, without a traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print("\nstopped", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
