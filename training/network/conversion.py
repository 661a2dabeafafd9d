"""Keras models in, LiteRT files out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from training.errors import TrainingError, first_line
from training.network.architecture import with_activation_maps


def to_litert(
    network: keras.Model, size: int, precision: str = "float32", representative: NDArray[np.uint8] | None = None
) -> bytes:
    """Convert a Keras model to a LiteRT file.

    Args:
        network: Takes pixels, float32, (batch, size, size, 3), RGB, 0 to 255, and gives logits.
        size: Side of the file's input in pixels.
        precision: Of the stored weights. "float32" keeps what was trained. "float16" halves the file, though XNNPACK
            unpacks it on loading and computes in float32 all the same. "int8" computes everything in integers (Jacob
            et al. 2018, arXiv:1712.05877), and the file then takes uint8.
        representative: Photos that show an int8 file the ranges of its integers: uint8, (n, size, size, 3), RGB.

    Returns:
        The file's content. Its input has the fixed shape (1, size, size, 3); its outputs are the logits, (1, classes),
        and, if the network ends in global average pooling and a dense layer, the class activation maps, (1, rows,
        columns, classes).

    Raises:
        TrainingError: int8 was asked for without photos.
    """
    network = with_activation_maps(network)
    return convert(tf.function(lambda pixels: network(pixels, training=False)), size, precision, representative)


def convert(call: Any, size: int, precision: str, representative: NDArray[np.uint8] | None = None) -> bytes:
    """Convert a `tf.function` to a LiteRT file.

    Args:
        call: From pixels, float32, (1, size, size, 3), RGB, 0 to 255, to logits and perhaps activation maps.
        size: See `to_litert`, also for the other arguments and the result.
        precision: See there.
        representative: See there.

    Raises:
        TrainingError: int8 was asked for without photos, or LiteRT lacks an operation of the network.
    """
    concrete = call.get_concrete_function(tf.TensorSpec((1, size, size, 3), tf.float32, name="pixels"))
    # Frozen first: handed the model instead, the converter of TensorFlow 2.21 leaves a Keras 3 model's weights out
    frozen = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":
        if representative is None or not len(representative):
            raise TrainingError("int8 needs photos that show the ranges of its integers; give --data")
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _samples(representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    try:
        content: bytes = converter.convert()
    # The converter raises its own ConverterError, and others for what it did not foresee
    except Exception as error:
        missing = sorted(set(re.findall(r"\btf\.(\w+)'? op", str(error))))
        what = f"it uses {', '.join(missing)}" if missing else first_line(error)
        raise TrainingError(f"LiteRT cannot run this network ({what}); put other layers in their place") from error
    return content


def _samples(pixels: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    """The photos as the converter wants them."""
    for picture in pixels:
        sample = picture[None].astype(np.float32)
        sample[0, 0, 0, 0], sample[0, 0, 0, 1] = (
            0,
            255,
        )  # the full range, so that the uint8 input takes pixels as they are
        yield [sample]


def read_keras(file: Path) -> keras.Model:
    """Load a whole saved model, `.keras` or `.h5`. Raises TrainingError for anything else."""
    if not file.is_file():
        raise TrainingError(f"{file}: no such file")
    try:
        network = keras.models.load_model(file, compile=False)
    # Keras raises nearly anything for a damaged file, an unknown layer or weights without a model
    except Exception as error:
        reason = first_line(error)
        raise TrainingError(
            f"{file}: Keras cannot load it ({reason}); save the whole model, not its weights alone, "
            "with model.save('NAME.keras')"
        ) from error
    if not isinstance(network, keras.Model):
        raise TrainingError(f"{file}: holds a {type(network).__name__}, not a Keras model")
    return network
