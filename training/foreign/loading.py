"""Saved models in, TensorFlow functions from scaled pixels to the network's own outputs out."""

import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tf_keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from training.errors import TrainingError, first_line
from training.foreign.kinds import EXPORT_FOLDER, ModelFile

LAYER_UNKNOWN = re.compile(r"(?:Unknown layer|Could not locate class|Unknown object)[^'\"]*['\"]([^'\"]+)['\"]")


def load_function(file: ModelFile, size: int) -> Any:
    """Load a model and trace it for one picture.

    Args:
        file: A Keras model or a SavedModel.
        size: Side of the picture in pixels, if the model takes any size.

    Returns:
        A concrete function, with the weights as constants, from pixels, float32, (1, side, side, 3), in the range that
        the model expects, to the model's one output, (1, outputs).

    Raises:
        TrainingError: The model cannot be loaded, or is no classifier of square colour pictures.
    """
    load = _load_saved_model if file.kind == "savedmodel" else _load_keras
    shape, call = load(file)
    if len(shape) != 4 or shape[3] not in (3, None):
        raise TrainingError(
            f"{file.path}: is not an image classifier; expected one input (batch, side, side, 3), got {shape}"
        )
    height, width = shape[1:3]
    if height != width:
        raise TrainingError(f"{file.path}: takes pictures of {height}x{width} pixels; only square ones are supported")
    side = height or size
    try:
        traced = tf.function(call, autograph=False)
        concrete = traced.get_concrete_function(tf.TensorSpec((1, side, side, 3), tf.float32, name="pixels"))
    # Whatever a network's layers raise that do not go together
    except Exception as error:
        raise TrainingError(
            f"{file.path}: does not take one picture of {side}x{side} pixels ({first_line(error)})"
        ) from error
    shapes = [tuple(output.shape) for output in concrete.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 2 or not shapes[0][1]:
        raise TrainingError(f"{file.path}: expected one output (batch, classes); got {shapes}")
    # Here, while there still is a model that keeps its variables alive
    return convert_variables_to_constants_v2(concrete)


def load_keras(file: ModelFile) -> Any:
    """Load a model by the Keras that saved it: a `keras.Model`, or a `tf_keras.Model` for Keras 2.

    Raises:
        TrainingError: It cannot be loaded.
    """
    library = keras if file.kind == "keras3" else tf_keras
    with tempfile.TemporaryDirectory() as folder:
        # Both tell a file's format by its name's ending, and people's files have any
        link = Path(folder) / f"model{file.suffix}"
        link.symlink_to(file.path.resolve())
        try:
            network = library.models.load_model(str(link), compile=False)
        # Keras raises nearly anything for a damaged file or an unknown layer
        except Exception as error:
            raise TrainingError(f"{file.path}: {_load_trouble(file, str(error), first_line(error))}") from error
    if not isinstance(network, library.Model):
        raise TrainingError(f"{file.path}: holds a {type(network).__name__}, not a Keras model")
    return network


def _load_keras(file: ModelFile) -> tuple[tuple[int | None, ...], Callable[[Any], Any]]:
    """The shape of a Keras model's input, and a function that calls it."""
    network = load_keras(file)
    inputs = [tuple(x.shape) for x in network.inputs or []]
    if len(inputs) > 1:
        raise TrainingError(
            f"{file.path}: is not an image classifier; expected one input (batch, side, side, 3), got {inputs}"
        )
    shape = inputs[0] if inputs else (None, None, None, 3)  # a model that was built by its first pictures
    return shape, lambda pixels: network(pixels, training=False)


def _load_saved_model(file: ModelFile) -> tuple[tuple[int | None, ...], Callable[[Any], Any]]:
    """The shape of a SavedModel's input, and a function that calls its signature for serving."""
    try:
        loaded = tf.saved_model.load(str(file.path))
    # TensorFlow has no common class for what is wrong with a SavedModel
    except Exception as error:
        raise TrainingError(f"{file.path}: cannot be loaded as a SavedModel ({first_line(error)})") from error
    signatures = dict(loaded.signatures)
    signature = signatures.get("serving_default") or next(iter(signatures.values()), None)
    if signature is None:
        raise TrainingError(f"{file.path}: has no signature to call it by; {EXPORT_FOLDER}")
    inputs = signature.structured_input_signature[1]
    if len(inputs) != 1 or next(iter(inputs.values())).dtype not in (tf.float32, tf.float16, tf.bfloat16, tf.uint8):
        raise TrainingError(
            f"{file.path}: is not an image classifier; expected one input (batch, side, side, 3) of numbers, got "
            f"{list(inputs.values())}"
        )
    ((name, spec),) = inputs.items()
    dimensions = spec.shape.as_list() if spec.shape.rank is not None else [None, None, None, 3]

    # The whole SavedModel goes along: its signatures alone would not keep its variables alive
    return tuple(dimensions), partial(_serve, loaded, signature, name, spec.dtype)


def _serve(_: Any, signature: Any, name: str, dtype: Any, pixels: Any) -> Any:
    return list(signature(**{name: tf.cast(pixels, dtype)}).values())


def _load_trouble(file: ModelFile, said: str, line: str) -> str:
    """Why a whole file could not be loaded, and what to do."""
    unknown = LAYER_UNKNOWN.search(said)
    if unknown and not _is_operation(unknown[1]):
        return f"has a layer of somebody's own code, {unknown[1]}, which this machine lacks; {EXPORT_FOLDER}"
    if "unable to read" in said.lower() or "truncated" in said.lower() or "bad crc" in said.lower():
        return f"is cut short or damaged ({line}); copy or download it again"
    if file.kind == "keras3" and file.suffix == ".h5":
        return (
            f"Keras 3 cannot read back what it wrote into this .h5 file ({line}); save the model again in Keras's own "
            "format, with model.save('NAME.keras')"
        )
    version = "3" if file.kind == "keras3" else "2"
    return f"Keras {version} cannot load it ({line}); {EXPORT_FOLDER}"


def _is_operation(name: str) -> bool:
    """Whether a class is Keras's own for one of its operations: TrueDivide for `keras.ops.true_divide`."""
    return hasattr(keras.ops, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
