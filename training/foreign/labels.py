"""The names of a classifier's outputs, from the command line or from a file."""

import re
from pathlib import Path

from training.errors import TrainingError

LABELS_FILE = "labels.txt"  # what Teachable Machine puts beside its models
NUMBERED = re.compile(r"(\d+)\s*[:,.]?\s+(.+)")


def parse_labels(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas, or the file that they are in.

    Raises:
        TrainingError: The file cannot be read.
    """
    if not text.strip():
        return ()
    path = Path(text)
    looks_like_file = path.suffix.lower() in (".txt", ".names", ".csv", ".labels") and "," not in text
    if looks_like_file or (path.is_file() and "," not in text):
        return read_labels(path)
    return tuple(name.strip() for name in text.split(","))


def read_labels(file: Path) -> tuple[str, ...]:
    """Read a file with one name on each line, as they are or with their number before them, "0 Paper".

    Numbers are taken off if every line has one and together they count from 0 up. They then say the order, too.

    Raises:
        TrainingError: The file is missing, is not UTF-8 text, or is empty.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TrainingError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TrainingError(f"{file}: is not a text in UTF-8; expected one label on each line") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise TrainingError(f"{file}: is empty; expected one label on each line")
    if len(lines) == 1 and "," in lines[0]:
        lines = [name.strip() for name in lines[0].split(",")]
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    found = {int(match[1]): match[2].strip() for match in numbered if match}
    if len(found) == len(lines) and sorted(found) == list(range(len(lines))):
        return tuple(found[number] for number in range(len(lines)))
    return tuple(lines)


def labels_beside(model: Path) -> Path | None:
    """The `labels.txt` that lies beside a model, or in its folder; None if there is none."""
    folders = (model, model.parent) if model.is_dir() else (model.parent,)
    return next((folder / LABELS_FILE for folder in folders if (folder / LABELS_FILE).is_file()), None)


def check_labels(labels: tuple[str, ...], outputs: int, file: Path, background: bool = False) -> None:
    """Raise TrainingError unless every output of a network has a label of its own.

    Args:
        labels: The labels, in the order of the outputs.
        outputs: How many logits the network gives.
        file: Where the network comes from, for the error message.
        background: Whether its last output stands for none of the labels and has no label.
    """
    outputs -= background
    if len(labels) != outputs or len(set(labels)) != len(labels) or not all(labels):
        raise TrainingError(
            f"{file}: has {outputs} outputs and needs as many different labels; got {len(labels)}: {', '.join(labels)}"
        )
