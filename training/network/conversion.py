"""Saved Keras classifiers in, LiteRT files out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model.preprocessing import INPUT_SIZE
from training.errors import TrainingError
from training.network.architecture import with_activation_maps

# The range that a network expects -> scale and offset that bring pixels from 0..255 into it
INPUT_RANGES = {"-1..1": (1 / 127.5, -1.0), "0..1": (1 / 255, 0.0), "0..255": (1.0, 0.0)}
# Keras's names of the layers and operations by which a network scales its pixels itself
SCALING = {"Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract", "Add"}
PRECISIONS = ("float32", "float16", "int8")
REPRESENTATIVE = 200  # photos from which an int8 file learns the ranges of its integers


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
    call = tf.function(lambda pixels: network(pixels, training=False))
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
    content: bytes = converter.convert()
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
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(
            f"{file}: Keras cannot load it ({reason}); save the whole model, not its weights alone, "
            "with model.save('NAME.keras')"
        ) from error
    if not isinstance(network, keras.Model):
        raise TrainingError(f"{file}: holds a {type(network).__name__}, not a Keras model")
    return network


def image_classifier(network: keras.Model, file: Path, input_range: str, size: int = INPUT_SIZE) -> keras.Model:
    """Wrap a saved classifier so that it takes plain pixels and gives logits.

    Args:
        network: A classifier with one input, square RGB pictures, and one output. A softmax at its end is taken off.
        file: Where it comes from, for error messages.
        input_range: The range of pixels that it expects, a key of INPUT_RANGES. It is ignored if the network scales its
            pixels itself.
        size: Side of the pictures in pixels, used only if the network takes pictures of any size.

    Returns:
        A model that takes pixels, float32, (batch, side, side, 3), RGB, 0 to 255, and gives the logits and, where
        `with_activation_maps` can, the activation maps.

    Raises:
        TrainingError: The network is not such a classifier.
    """
    inputs = [tuple(x.shape) for x in network.inputs or []]
    outputs = [tuple(x.shape) for x in network.outputs or []]
    if len(inputs) != 1 or len(inputs[0]) != 4 or inputs[0][3] != 3:
        raise TrainingError(
            f"{file}: is not an image classifier; expected one input (batch, side, side, 3), got {inputs}"
        )
    _, height, width, _ = inputs[0]
    if height != width:
        raise TrainingError(f"{file}: takes pictures of {height}x{width} pixels; only square ones are supported")
    if len(outputs) != 1 or len(outputs[0]) != 2 or (outputs[0][1] or 0) < 2:
        raise TrainingError(f"{file}: expected one output (batch, classes), two classes or more; got {outputs}")
    side = height or size
    pixels = keras.Input((side, side, 3), name="pixels")
    scaled = pixels
    if not scales_itself(network):
        scale, offset = INPUT_RANGES[input_range]
        scaled = keras.layers.Rescaling(scale, offset=offset)(pixels)
    trial = np.random.default_rng(0).uniform(0, 255, (8, side, side, 3)).astype(np.float32)
    bare = _without_softmax(network)
    logits = np.asarray(keras.Model(pixels, bare(scaled, training=False))(trial, training=False))
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        raise TrainingError(
            f"{file}: ends in a softmax that cannot be taken off; save it with a Dense or Softmax layer last"
        )
    return keras.Model(pixels, with_activation_maps(bare)(scaled, training=False))


def scales_itself(network: keras.Model) -> bool:
    """Whether a network scales its pixels itself, before its first layer with weights."""
    for operation in _in_order(network):
        if type(operation).__name__ in SCALING:
            return True
        if getattr(operation, "weights", None):
            return False
    return False


def _in_order(network: keras.Model) -> list[Any]:
    """A network's operations, with those of nested networks in their place."""
    found = []
    for operation in getattr(network, "operations", None) or network.layers:
        found += _in_order(operation) if isinstance(operation, keras.Model) else [operation]
    return found


def _without_softmax(network: keras.Model) -> keras.Model:
    """The network up to its logits. Raises TrainingError if it ends in another activation than softmax."""
    last = network.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(network.inputs, last.input)
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear  # calling the model runs its layers again, now without
        return network
    if getattr(last, "activation", keras.activations.linear) is not keras.activations.linear:
        name = getattr(last.activation, "__name__", last.activation)
        raise TrainingError(f"the last layer's activation is {name}; expected softmax, or none for logits")
    return network


def check_labels(labels: tuple[str, ...], network: keras.Model, file: Path, background: bool = False) -> None:
    """Raise TrainingError unless every output of a network has a label of its own.

    Args:
        labels: The labels, in the order of the outputs.
        network: Its first output holds the logits.
        file: Where it comes from, for the error message.
        background: Whether its last output stands for none of the labels and has no label.
    """
    outputs = int(network.outputs[0].shape[1]) - background
    if len(labels) != outputs or len(set(labels)) != len(labels) or not all(labels):
        raise TrainingError(
            f"{file}: has {outputs} outputs and needs as many different labels; got {len(labels)}: {', '.join(labels)}"
        )
