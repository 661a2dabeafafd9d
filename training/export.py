"""Turns a saved Keras classifier into an artifact.

python -m training.export --keras FILE --out DIR --data DIR (or --labels a,b,c)
"""

import argparse
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model.preprocessing import INPUT_SIZE
from training.artifact import finish
from training.dataset import check_classes, check_photos, class_folders
from training.errors import TrainingError, run_command
from training.splits import reference_split

# What a network expects -> (scale, offset) from pixels 0..255
INPUT_RANGES = {"-1..1": (1 / 127.5, -1.0), "0..1": (1 / 255, 0.0), "0..255": (1.0, 0.0)}
SCALING = {"Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract", "Add"}
PRECISIONS = ("float16", "float32")


def to_litert(network: keras.Model, size: int, precision: str = "float16") -> bytes:
    """Convert a Keras model to a LiteRT file with a fixed input (1, size, size, 3), float32, RGB 0..255.

    precision: of the stored weights. With float16 the file is half as large; XNNPACK unpacks them on loading and
    computes in float32 all the same.
    """
    call = tf.function(lambda pixels: network(pixels, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec((1, size, size, 3), tf.float32, name="pixels"))
    # Frozen first: handed the model instead, the converter of TensorFlow 2.21 leaves a Keras 3 model's weights out
    frozen = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def read_keras(file: Path) -> keras.Model:
    """Load a saved model (`.keras` or `.h5`). Raises TrainingError for anything else."""
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
    """Wrap a saved classifier so that it takes pixels 0..255, (batch, side, side, 3), and gives logits.

    A final softmax is taken off. input_range: a key of INPUT_RANGES, what the network expects; it is not asked where
    the network scales by itself. size: the side where the network takes pictures of any size. Raises TrainingError.
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
    wrapped = keras.Model(pixels, _without_softmax(network)(scaled, training=False))
    trial = np.random.default_rng(0).uniform(0, 255, (8, side, side, 3)).astype(np.float32)
    logits = np.asarray(wrapped(trial, training=False))
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        raise TrainingError(
            f"{file}: ends in a softmax that cannot be taken off; save it with a Dense or Softmax layer last"
        )
    return wrapped


def scales_itself(network: keras.Model) -> bool:
    """Whether a network scales its pixels before its first layer with weights."""
    for operation in _in_order(network):
        if type(operation).__name__ in SCALING:
            return True
        if getattr(operation, "weights", None):
            return False
    return False


def _in_order(network: keras.Model) -> list[Any]:
    found = []
    for operation in getattr(network, "operations", None) or network.layers:
        found += _in_order(operation) if isinstance(operation, keras.Model) else [operation]
    return found


def _without_softmax(network: keras.Model) -> keras.Model:
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


def check_labels(labels: tuple[str, ...], network: keras.Model, file: Path) -> None:
    """Raise TrainingError unless there is one different, non-empty label per output."""
    outputs = int(network.outputs[0].shape[1])
    if len(labels) != outputs or len(set(labels)) != len(labels) or not all(labels):
        raise TrainingError(
            f"{file}: has {outputs} outputs and needs as many different labels; got {len(labels)}: {', '.join(labels)}"
        )


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("--keras", type=Path, required=True, help="a saved classifier, .keras or .h5")
    parser.add_argument("--out", type=Path, required=True, help="folder for the artifact")
    parser.add_argument("--labels", help="names of the outputs in order, with commas between")
    parser.add_argument("--data", type=Path, help="class folders: their names are the labels, photos calibrate it")
    parser.add_argument(
        "--input-range",
        choices=list(INPUT_RANGES),
        default="-1..1",
        help="what the network expects unless it scales by itself; write --input-range=0..1 (default %(default)s)",
    )
    parser.add_argument("--size", type=int, default=INPUT_SIZE, help="side, for a network that takes any size")
    parser.add_argument("--precision", choices=PRECISIONS, default="float16", help="of the stored weights")
    parser.add_argument("--skip-bad", action="store_true", help="leave photos out that cannot be read")
    options = parser.parse_args(arguments)
    if not options.labels and not options.data:
        parser.error("give --labels, or --data with one folder per label")
    return options


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Run the command and return the artifact's metadata. Raises TrainingError."""
    network = image_classifier(read_keras(options.keras), options.keras, options.input_range, options.size)
    classes = class_folders(options.data) if options.data else None
    labels = tuple(x.strip() for x in options.labels.split(",")) if options.labels else tuple(classes or ())
    check_labels(labels, network, options.keras)
    validation = None
    if classes is not None:
        if unknown := sorted(set(classes) - set(labels)):
            raise TrainingError(f"{options.data}: {', '.join(unknown)} not among the labels {', '.join(labels)}")
        bad = check_photos([path for paths in classes.values() for path in paths], options.skip_bad)
        classes = {name: [path for path in paths if path not in bad] for name, paths in classes.items()}
        check_classes(classes, options.data)
        validation = reference_split(classes)[1]
    size = int(network.inputs[0].shape[1])
    content = to_litert(network, size, options.precision)
    return finish(content, labels, size, False, validation, {"source": options.keras.name}, options.out)


def main() -> None:
    options = parse_arguments()
    metadata = export(options)
    reference = metadata["figures"].get("reference")
    measured = f"validation accuracy {reference['accuracy']:.1%}" if reference else "not calibrated: no --data given"
    print(f"{options.out}: artifact with labels {', '.join(metadata['labels'])}; {measured}")


if __name__ == "__main__":
    run_command(main)
