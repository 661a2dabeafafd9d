"""What kind of model a file is, told by its content, and why a file that is no usable model is refused.

TensorFlow is not needed for this, so that a wrong path is named at once. It is also what keeps Python code in a file of
somebody else's from being run: tf_keras would run it while loading.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py

from training.errors import TrainingError, first_line

Kind = Literal["keras2", "keras3", "savedmodel", "tflite"]

SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
KERAS_2 = 2  # the newest version that tf_keras loads; Keras 3 loads what came after
HEAD_BYTES = 512  # enough to tell every kind of file below
HDF5, ZIP, TFLITE = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"TFL3"
SAVE_WHOLE = "save the whole model, not its weights alone, with model.save('NAME.keras')"
EXPORT_FOLDER = "where the model was made, run model.export('FOLDER') and give that folder"

# How files begin that are no models, and what to say of them
STRANGERS = (
    (
        b"version https://git-lfs.github.com/spec/",
        "is a Git LFS pointer, a note of a hundred bytes in place of the model; run `git lfs pull` in that repository, "
        "or download the file itself",
    ),
    (b"<!doctype html", "is a web page, not a model; download the file itself, not the page that shows it"),
    (b"<html", "is a web page, not a model; download the file itself, not the page that shows it"),
    (b"\x80", f"is a Python pickle, not a model; {SAVE_WHOLE}"),
    (b"\x1f\x8b", "is a packed archive; unpack it, and give the model inside"),
    (b"Rar!", "is a packed archive; unpack it, and give the model inside"),
    (b"7z\xbc\xaf", "is a packed archive; unpack it, and give the model inside"),
)
MODEL_NAMES = (".keras", ".h5", ".hdf5", ".tflite")


@dataclass(frozen=True)
class ModelFile:
    """A file or folder that holds a whole model.

    Attributes:
        path: Where it is; for a SavedModel, the folder.
        kind: Which library reads it.
        suffix: The ending by which that library knows it, ".keras" or ".h5"; the name may have another one.
    """

    path: Path
    kind: Kind
    suffix: str = ""


def identify(path: Path) -> ModelFile:
    """Tell what kind of model a file or folder is.

    Raises:
        TrainingError: It is missing, damaged or no whole model, or holds Python code. The message says which.
    """
    if path.name in SAVED_MODEL_FILES and path.is_file():
        path = path.parent
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise TrainingError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read ({error.strerror})") from error
    if not head:
        raise TrainingError(f"{path}: is empty; copy or download it again")
    beginning = head.lstrip().lower()
    for start, said in STRANGERS:
        if beginning.startswith(start.lower()):
            raise TrainingError(f"{path}: {said}")
    if head.startswith(HDF5):
        return _hdf5(path)
    if head.startswith(ZIP):
        return _zip(path)
    if head[4:8] == TFLITE:
        return ModelFile(path, "tflite")
    if path.name == "checkpoint" or ".ckpt" in path.name or path.suffix == ".index" or ".data-0000" in path.name:
        raise TrainingError(f"{path}: belongs to a checkpoint, which holds weights without their network; {SAVE_WHOLE}")
    if path.suffix == ".json":
        raise TrainingError(
            f"{path}: is a description without weights, perhaps of a TensorFlow.js model; give the Keras model, .keras "
            "or .h5, or the .tflite file from which it was made"
        )
    raise TrainingError(
        f"{path}: is not a model; expected a file that Keras saved (.keras or .h5), a .tflite file or a SavedModel "
        "folder"
    )


def _folder(path: Path) -> ModelFile:
    if any((path / name).is_file() for name in SAVED_MODEL_FILES):
        if not list((path / "variables").glob("variables.index")):
            raise TrainingError(f"{path}: its folder `variables` is missing or incomplete; copy the whole folder again")
        return ModelFile(path, "savedmodel")
    inside = [p.name for p in sorted(path.iterdir()) if p.suffix in MODEL_NAMES or (p / SAVED_MODEL_FILES[0]).is_file()]
    advice = f"; give what is in it: {', '.join(inside)}" if inside else ""
    raise TrainingError(f"{path}: is a folder without {SAVED_MODEL_FILES[0]}, so not a SavedModel{advice}")


def _hdf5(path: Path) -> ModelFile:
    try:
        with h5py.File(path) as file:
            attributes, names = dict(file.attrs), set(file)
    # h5py raises OSError, and for some damage RuntimeError or KeyError
    except (OSError, RuntimeError, KeyError) as error:
        raise TrainingError(f"{path}: {_damaged(error)}") from error
    if "model_config" not in attributes:
        holds_weights = "layer_names" in attributes or names & {"layers", "_layer_checkpoint_dependencies", "vars"}
        what = "holds weights alone, without their network" if holds_weights else "is HDF5, but no Keras model"
        raise TrainingError(f"{path}: {what}; {SAVE_WHOLE}")
    _refuse_code(path, _json(path, _text(attributes["model_config"])))
    return ModelFile(path, _kind(_text(attributes.get("keras_version", ""))), ".h5")


def _zip(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            damaged = archive.testzip()
            texts = {name: archive.read(name) for name in ("config.json", "metadata.json") if name in names}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise TrainingError(f"{path}: {_damaged(error)}") from error
    if damaged:
        raise TrainingError(f"{path}: {_damaged(damaged)}")
    if "config.json" in texts and "model.weights.h5" in names:
        _refuse_code(path, _json(path, _text(texts["config.json"])))
        version = _json(path, _text(texts.get("metadata.json", b"{}"))).get("keras_version", "")
        return ModelFile(path, _kind(str(version) or "3"), ".keras")
    if "config.json" in texts:
        raise TrainingError(f"{path}: describes a network and lacks its weights; {SAVE_WHOLE}")
    if any(name.endswith("data.pkl") for name in names):
        raise TrainingError(f"{path}: is a PyTorch model; only Keras, SavedModel and .tflite are supported")
    inside = [name for name in names if Path(name).suffix in MODEL_NAMES or Path(name).name in SAVED_MODEL_FILES]
    advice = f"unpack it, and give what is in it: {', '.join(inside)}" if inside else "there is no model in it"
    raise TrainingError(f"{path}: is a zip archive, not a model; {advice}")


def _kind(version: str) -> Kind:
    """Which Keras loads a file of a `keras_version`; the oldest files have none."""
    major = version.split(".")[0]
    return "keras3" if major.isdigit() and int(major) > KERAS_2 else "keras2"


def _damaged(error: object) -> str:
    return f"is cut short or damaged ({first_line(error)}); copy or download it again"


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise TrainingError(f"{path}: {_damaged(error)}") from error
    if not isinstance(found, dict):
        raise TrainingError(f"{path}: {_damaged('no description of a network')}")
    return found


def _refuse_code(path: Path, config: dict[str, Any]) -> None:
    """Raise TrainingError if a network's description holds Python code, which could do anything on this machine."""
    for part in _dictionaries(config):
        if part.get("class_name") in ("Lambda", "__lambda__"):
            inner = part.get("config")
            name = inner.get("name") if isinstance(inner, dict) else None
            raise TrainingError(
                f"{path}: has a Lambda layer{f' ({name})' if name else ''}, that is, Python code inside the file, "
                "which is not run here; put a Keras layer in its place, such as Rescaling for the scaling of pixels, "
                f"or {EXPORT_FOLDER}"
            )


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary in a JSON value, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _dictionaries(each)
