"""Tiny classifiers as people have them, and what they say of a few pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model import Classifier
from training.foreign.ranges import INPUT_RANGES

SIDE = 16
PICTURES = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
MINUS_ONE_TO_ONE = PICTURES / np.float32(127.5) - 1

Run = Callable[..., dict[str, Any]]


def spread_out(network: Any) -> Any:
    """Give a network weights with which its answers to different pictures differ."""
    rng = np.random.default_rng(1)
    network.set_weights(
        [np.abs(w) + 0.1 if w.ndim == 1 else rng.normal(0, 0.7, w.shape) for w in network.get_weights()]
    )
    return network


def teachable_machine() -> Any:
    """Nested Sequentials of Keras 2, with a MobileNet's layers in the inner one, as Teachable Machine saves them."""
    layers = tf_keras.layers
    pixels = layers.Input((SIDE, SIDE, 3))
    features = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2, use_bias=False)(pixels)))
    features = layers.ReLU()(layers.DepthwiseConv2D(3, use_bias=False)(features))
    backbone = tf_keras.Sequential([tf_keras.Model(pixels, features), layers.GlobalAveragePooling2D()])
    head = tf_keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3, "softmax", use_bias=False)])
    network = tf_keras.Sequential([backbone, head])
    network(np.zeros((1, SIDE, SIDE, 3)))
    return spread_out(network)


def lambdas_of_tensorflow() -> Any:
    """TensorFlow's own operations between layers of Keras 2, which it saves as TFOpLambda and SlicingOpLambda."""
    layers = tf_keras.layers
    pixels = layers.Input((SIDE, SIDE, 3))
    flipped = layers.RandomFlip("horizontal")(pixels)
    scaled = tf_keras.applications.mobilenet_v2.preprocess_input(flipped * 1.0)
    features = layers.Conv2D(6, 3)(scaled[:, :, :, ::-1])
    logits = layers.Dense(3)(layers.GlobalAveragePooling2D()(features))
    return spread_out(tf_keras.Model(pixels, tf.nn.softmax(logits)))


def of_version(file: Path, version: str) -> Path:
    """Let an .h5 file say that another version of Keras saved it, and be as those were."""
    with h5py.File(file, "a") as opened:
        config = opened.attrs["model_config"].replace(
            '"DepthwiseConv2D", "config": {', '"DepthwiseConv2D", "config": {"groups": 1, '
        )
        opened.attrs["model_config"] = config.replace(
            '"mode": "horizontal"', '"mode": "horizontal", "rng_type": "stateless"'
        )
        opened.attrs["keras_version"] = version
    return file


def answers(out: Path) -> np.ndarray:
    """What an artifact says of the pictures: (pictures, labels)."""
    classifier = Classifier.load(out)
    return np.array([list(classifier.classify(picture).probabilities.values()) for picture in PICTURES])


def tflite(network: Any, kind: str) -> bytes:
    """Convert a network as Teachable Machine does: without change, or quantised, with bytes in and out."""
    call = tf.function(lambda pixels: network(pixels, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(concrete)])
    if kind != "float":
        ends = np.stack([np.full((SIDE, SIDE, 3), value, np.float32) for value in (-1, 1)])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x[None]] for x in (*MINUS_ONE_TO_ONE, *ends))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    content: bytes = converter.convert()
    return content


def source_answers(file: Path) -> np.ndarray:
    """What a `.tflite` file itself says of the pictures."""
    interpreter = tf.lite.Interpreter(str(file))
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    found = []
    for picture in PICTURES:
        pixels = picture / np.float32(127.5) - 1 if taken["dtype"] == np.float32 else picture.astype(int)
        pixels = pixels - 128 if taken["dtype"] == np.int8 else pixels
        interpreter.set_tensor(taken["index"], pixels[None].astype(taken["dtype"]))
        interpreter.invoke()
        raw, (scale, zero) = interpreter.get_tensor(given["index"])[0], given["quantization"]
        found.append((raw.astype(float) - zero) * scale if scale else raw)
    return np.array(found)


def head(kind: str, precision: str = "float32") -> keras.Model:
    """A classifier of Keras 3 that ends in one of the ways that people have."""
    layers = keras.layers
    base = [keras.Input((SIDE, SIDE, 3)), layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    ends = {
        "dense softmax": lambda: [layers.Dense(3, activation="softmax")],
        "nested": lambda: [
            keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(3, activation="softmax")])
        ],
        "softmax before dropout": lambda: [layers.Dense(3, activation="softmax"), layers.Dropout(0.2)],
        "softmax then reshape": lambda: [layers.Dense(3), layers.Softmax(), layers.Reshape((3,))],
        "log softmax": lambda: [layers.Dense(3, activation="log_softmax")],
        "1 sigmoid": lambda: [layers.Dense(1, activation="sigmoid")],
        "1 sigmoid layer": lambda: [layers.Dense(1), layers.Activation("sigmoid")],
        "3 sigmoid": lambda: [layers.Dense(3, activation="sigmoid")],
        "logits": lambda: [layers.Dense(3)],
        "float32 softmax": lambda: [layers.Dense(3), layers.Activation("softmax", dtype="float32")],
    }
    if precision != "float32":
        base[1:] = [layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    try:
        network = keras.Sequential([*base, *ends[kind]()])
    finally:
        keras.config.set_dtype_policy(before)
    return spread_out(network)


def shares(outputs: np.ndarray) -> np.ndarray:
    """Probabilities of what independent sigmoids say."""
    if outputs.shape[1] == 1:
        return np.concatenate([1 - outputs, outputs], axis=1)
    return outputs / outputs.sum(axis=1, keepdims=True)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def tells_brightness(input_range: str) -> keras.Model:
    """A classifier of these pictures that is right if it is fed with one range: its logits are parabolas there."""
    scaling, layers = INPUT_RANGES[input_range], keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    grey = layers.GlobalAveragePooling2D()(layers.Conv2D(1, 1)(pixels))
    network = keras.Model(pixels, layers.Dense(3, activation="softmax")(grey))
    scale, offset = scaling.scale[0], scaling.offset[0]
    bias = np.array([-offset], np.float32) / scale
    sharp = 0.01
    centres = np.array([40, 128, 215])
    kernel = np.zeros((1, 1, 3, 1), np.float32)
    kernel[0, 0, 0, 0] = 1 / scale
    network.set_weights([kernel, bias, sharp * centres[None], -sharp * centres**2 / 2])
    return network
