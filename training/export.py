"""Turns a saved Keras classifier into an artifact.

python -m training.export --keras FILE --out DIR --data DIR (or --labels a,b,c)
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model.preprocessing import INPUT_SIZE
from training.data.photos import check_classes, check_photos, class_folders, load_pixels
from training.data.splits import reference_split
from training.errors import TrainingError, run_command
from training.network.architecture import with_activation_maps
from training.report.artifact_writer import finish

# What a network expects -> (scale, offset) from pixels 0..255
INPUT_RANGES = {"-1..1": (1 / 127.5, -1.0), "0..1": (1 / 255, 0.0), "0..255": (1.0, 0.0)}
SCALING = {"Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract", "Add"}
PRECISIONS = ("float32", "float16", "int8")
REPRESENTATIVE = 200  # photos from which int8 learns its ranges


def to_litert(
    network: keras.Model, size: int, precision: str = "float32", representative: NDArray[np.uint8] | None = None
) -> bytes:
    """Convert a Keras model to a LiteRT file with a fixed input (1, size, size, 3), RGB 0..255.

    The outputs are the logits, (1, classes), and, where the network ends in global average pooling and a dense layer,
    the class activation maps, (1, rows, columns, classes).
    precision: of the stored weights. float32 keeps what was trained; float16 halves the file, though XNNPACK unpacks it
    on loading and computes in float32 all the same. With int8 everything is computed in integers (Jacob et al. 2018,
    arXiv:1712.05877), the input is uint8, and `representative`, photos as uint8, (n, size, size, 3), shows the ranges.
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
    for picture in pixels:
        sample = picture[None].astype(np.float32)
        sample[0, 0, 0, 0], sample[0, 0, 0, 1] = 0, 255  # so that a step of the uint8 input is a step of a pixel
        yield [sample]


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

    It gives activation maps too where `with_activation_maps` can. A final softmax is taken off. input_range: a key of
    INPUT_RANGES, what the network expects; it is not asked where the network scales by itself. size: the side where
    the network takes pictures of any size. Raises TrainingError.
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


def check_labels(labels: tuple[str, ...], network: keras.Model, file: Path, background: bool = False) -> None:
    """Raise TrainingError unless there is one different, non-empty label per output; the background has none."""
    outputs = int(network.outputs[0].shape[1]) - background
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
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0], help="int8 needs --data")
    parser.add_argument("--background", action="store_true", help="the last output means none of the labels")
    parser.add_argument("--skip-bad", action="store_true", help="leave photos out that cannot be read")
    options = parser.parse_args(arguments)
    if not options.labels and not options.data:
        parser.error("give --labels, or --data with one folder per label")
    if options.precision == "int8" and not options.data:
        parser.error("--precision int8 needs --data: its photos show the ranges of the integers")
    return options


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Run the command and return the artifact's metadata. Raises TrainingError."""
    network = image_classifier(read_keras(options.keras), options.keras, options.input_range, options.size)
    classes = class_folders(options.data) if options.data else None
    labels = tuple(x.strip() for x in options.labels.split(",")) if options.labels else tuple(classes or ())
    check_labels(labels, network, options.keras, options.background)
    size, validation, representative = int(network.inputs[0].shape[1]), None, None
    if classes is not None:
        if unknown := sorted(set(classes) - set(labels)):
            raise TrainingError(f"{options.data}: {', '.join(unknown)} not among the labels {', '.join(labels)}")
        bad = check_photos([path for paths in classes.values() for path in paths], options.skip_bad)
        classes = {name: [path for path in paths if path not in bad] for name, paths in classes.items()}
        check_classes(classes, options.data)
        training, validation = reference_split(classes)
        representative = representative_pixels(training, size) if options.precision == "int8" else None
    content = to_litert(network, size, options.precision, representative)
    source = {"source": options.keras.name, "precision": options.precision}
    return finish(content, labels, size, options.background, validation, source, options.out)


def representative_pixels(classes: Mapping[str, Sequence[Path]], size: int) -> NDArray[np.uint8]:
    """Up to REPRESENTATIVE photos, evenly spread over all: uint8, (n, size, size, 3), RGB."""
    paths = [path for of_class in classes.values() for path in of_class]
    return load_pixels(paths[:: max(1, len(paths) // REPRESENTATIVE)][:REPRESENTATIVE], size)


def main() -> None:
    options = parse_arguments()
    metadata = export(options)
    reference = metadata["figures"].get("reference")
    measured = f"validation accuracy {reference['accuracy']:.1%}" if reference else "not calibrated: no --data given"
    print(f"{options.out}: artifact with labels {', '.join(metadata['labels'])}; {measured}")


if __name__ == "__main__":
    run_command(main)
