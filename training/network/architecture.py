"""The network: MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), global average pooling and one dense layer."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError

BACKBONE = "backbone"
# What comes before holds edges, textures and colours that ImageNet taught better than a few thousand photos can, and
# its large feature maps would take most of a training step's time
LAST_FROZEN = "block_6_project_BN"
DROPOUT = 0.3


def build_network(outputs: int, size: int, weights: str | Path | None = "imagenet") -> keras.Model:
    """A Keras model from pixels 0..255, float32, (batch, size, size, 3), RGB, to logits, (batch, outputs).

    weights: "imagenet" (Keras downloads them), a local `include_top=False` weights file, or None for random ones.
    The scaling to -1..1 is a layer, so it travels with the weights.
    """
    if weights not in ("imagenet", None) and not Path(weights).is_file():
        raise TrainingError(f"{weights}: no such weights file")
    try:
        backbone = keras.applications.MobileNetV2(
            input_shape=(size, size, 3), include_top=False, weights=weights, name=BACKBONE
        )
    except (ValueError, OSError) as error:
        raise TrainingError(f"weights {weights}: cannot be loaded into MobileNetV2 ({error})") from error
    pixels = keras.Input((size, size, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="to_minus_one_to_one")(pixels)
    features = backbone(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    logits = keras.layers.Dense(outputs, name="logits")(keras.layers.Dropout(DROPOUT, name="dropout")(pooled))
    return keras.Model(pixels, logits, name="whichbin")


def pooled_features(pixels: NDArray[np.uint8], weights: str) -> NDArray[np.float32]:
    """What MobileNetV2 makes of some pictures before any training here, averaged over each picture.

    Args:
        pixels: uint8, (n, size, size, 3), RGB.
        weights: "imagenet", a weights file, or "none" for random ones.

    Returns:
        float32, (n, channels).
    """
    network = build_network(2, pixels.shape[1], None if weights == "none" else weights)
    pooled = keras.Model(network.input, network.get_layer("pool").output)
    features: NDArray[np.float32] = pooled.predict(pixels, batch_size=32, verbose=0)
    return features


class FoldedConvolution(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A convolution and the BatchNorm behind it as one, with the variables of both.

    The statistics stay as ImageNet left them: letting them follow the training photos' own background costs far more
    on other people's photos than it gains at home. Then the norm is a scale and an offset for each channel, and
    scaling the kernel instead of its output saves a third of a training step.
    """

    def __init__(self, convolution: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> None:
        super().__init__(name=f"{convolution.name}_folded")
        self.convolution, self.norm = convolution, norm
        self.trainable = convolution.trainable  # else the two would be made trainable again
        self.built = True

    def call(self, inputs: Any) -> Any:
        scale = self.norm.gamma * keras.ops.rsqrt(self.norm.moving_variance + self.norm.epsilon)
        kernel, strides = self.convolution.kernel, self.convolution.strides
        if isinstance(self.convolution, keras.layers.DepthwiseConv2D):
            scaled = kernel * scale[:, None]  # (height, width, channels, 1)
            result = keras.ops.depthwise_conv(inputs, scaled, strides, self.convolution.padding)
        else:
            result = keras.ops.conv(inputs, kernel * scale, strides, self.convolution.padding)
        # bias_add's gradient is many times faster than that of a broadcasting sum
        return tf.nn.bias_add(result, self.norm.beta - self.norm.moving_mean * scale)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.convolution.compute_output_shape(input_shape)


def frozen_part(network: keras.Model, last: str = LAST_FROZEN) -> keras.Model:
    """The layers that training leaves alone: pixels 0..255, (batch, size, size, 3), to features, (batch, h, w, c).

    last: name of the last of them in the backbone.
    """
    backbone = network.get_layer(BACKBONE)
    return keras.Model(network.inputs, keras.Model(backbone.inputs, backbone.get_layer(last).output)(_scaled(network)))


def learning_part(network: keras.Model, last: str = LAST_FROZEN, head_only: bool = False) -> keras.Model:
    """A twin of the layers after `frozen_part`, for training: the same logits of its features, computed faster.

    It shares every weight: what it learns, `network` has learned. Only `network` is saved and exported.
    head_only: leave the backbone alone.
    """
    backbone = network.get_layer(BACKBONE)
    features = backbone.get_layer(last).output
    upper = keras.Model(features, backbone.output)
    for layer in upper.layers:  # each, as Keras takes a new model for trainable already and would pass nothing on
        layer.trainable = not head_only
    norms = {
        layer.input._keras_history.operation.name: layer
        for layer in upper.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name in norms:
            return FoldedConvolution(layer, norms[layer.name])
        if isinstance(layer, keras.layers.BatchNormalization):
            return keras.layers.Identity(name=layer.name)
        return layer

    def call(layer: keras.layers.Layer, inputs: Any, **_: Any) -> Any:
        return layer(inputs)  # without the mask and mode that a norm is called with

    twin = keras.models.clone_model(upper, clone_function=clone, call_function=call)
    inputs = keras.Input(features.shape[1:], name="features")
    result = twin(inputs)
    for layer in network.layers[network.layers.index(backbone) + 1 :]:
        result = layer(result)
    return keras.Model(inputs, result, name=network.name)


def _scaled(network: keras.Model) -> Any:
    """What the backbone of `network` is fed."""
    return network.layers[network.layers.index(network.get_layer(BACKBONE)) - 1].output


def with_activation_maps(network: keras.Model) -> keras.Model:
    """The same logits, and as second output what each place of the picture adds to them: (batch, h, w, outputs).

    Global average pooling and a dense layer may change places, since both are linear: the logits are the means of the
    maps (class activation maps, Zhou et al. 2016, arXiv:1512.04150), exactly and at no cost. A network that does not
    end in these two comes back unchanged.
    """
    dense = network.layers[-1]
    if not isinstance(dense, keras.layers.Dense) or dense.activation is not keras.activations.linear:
        return network
    before = dense.input._keras_history.operation
    while isinstance(before, keras.layers.Dropout):  # does nothing in inference
        before = before.input._keras_history.operation
    if not isinstance(before, keras.layers.GlobalAveragePooling2D) or before.keepdims:
        return network
    maps = dense(before.input)
    return keras.Model(network.inputs, [keras.layers.GlobalAveragePooling2D()(maps), maps], name=network.name)
