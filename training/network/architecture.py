"""The network: MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), global average pooling and one dense layer."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError, first_line

BACKBONE = "backbone"
# The layers up to here do not learn. They tell edges, textures and colours, which ImageNet taught better than a few
# thousand photos can, and their large feature maps would take most of a training step's time
LAST_FROZEN = "block_6_project_BN"
DROPOUT_SHARE = 0.3


def build_network(outputs: int, size: int, weights: Path | None) -> keras.Model:
    """Build a new network. Its scaling of pixels to -1..1 is a layer, so that it travels with the weights.

    Args:
        outputs: How many logits it gives.
        size: Side of the pictures that it takes, in pixels.
        weights: Of the backbone: a weights file without the top layer, by `starting_weights`, or None for random ones.

    Returns:
        A model from pixels, float32, (batch, size, size, 3), RGB, 0 to 255, to logits, (batch, outputs).

    Raises:
        TrainingError: The weights do not fit.
    """
    try:
        backbone = keras.applications.MobileNetV2(
            input_shape=(size, size, 3), include_top=False, weights=weights, name=BACKBONE
        )
    # Keras raises nearly anything for a damaged file or one of another network
    except Exception as error:
        reason = first_line(error)
        raise TrainingError(f"--weights {weights}: cannot be loaded into MobileNetV2 ({reason})") from error
    pixels = keras.Input((size, size, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="to_minus_one_to_one")(pixels)
    features = backbone(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    logits = keras.layers.Dense(outputs, name="logits")(keras.layers.Dropout(DROPOUT_SHARE, name="dropout")(pooled))
    return keras.Model(pixels, logits, name="whichbin")


def pooled_features(pixels: NDArray[np.uint8], weights: Path | None) -> NDArray[np.float32]:
    """What MobileNetV2 makes of some pictures before any training here, averaged over each picture.

    Args:
        pixels: uint8, (n, size, size, 3), RGB.
        weights: A weights file, or None for random ones.

    Returns:
        float32, (n, channels).
    """
    network = build_network(2, pixels.shape[1], weights)
    pooled = keras.Model(network.input, network.get_layer("pool").output)
    features: NDArray[np.float32] = pooled.predict(pixels, batch_size=32, verbose=0)
    return features


class FoldedConvolution(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A convolution and the BatchNorm after it as one layer, with the variables of both.

    The norm's statistics stay as ImageNet left them: letting them follow the background of the training photos costs
    far more on other people's photos than it gains on these. So the norm is a fixed scale and offset for each channel.
    Scaling the kernel instead of the convolution's output saves a fifth of a training step, measured in
    docs/experiments.
    """

    def __init__(self, convolution: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> None:
        """Share the variables of two layers.

        Args:
            convolution: A `Conv2D` or `DepthwiseConv2D` without bias.
            norm: The BatchNorm that its output goes to.
        """
        super().__init__(name=f"{convolution.name}_folded")
        self.convolution, self.norm = convolution, norm
        self.trainable = convolution.trainable  # else the two would be made trainable again
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The norm's output for the convolution's input, (batch, height, width, channels)."""
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
        """For Keras: the shape of what `call` gives."""
        return self.convolution.compute_output_shape(input_shape)


def frozen_part(network: keras.Model, last: str = LAST_FROZEN) -> keras.Model:
    """The layers that training leaves alone.

    Args:
        network: By `build_network`.
        last: Name of the last of these layers in the backbone.

    Returns:
        A model from pixels, float32, (batch, size, size, 3), RGB, 0 to 255, to features, (batch, height, width,
        channels). It shares its weights with the network.
    """
    backbone = network.get_layer(BACKBONE)
    return keras.Model(network.inputs, keras.Model(backbone.inputs, backbone.get_layer(last).output)(_scaled(network)))


def learning_part(network: keras.Model, last: str = LAST_FROZEN, head_only: bool = False) -> keras.Model:
    """A twin of the layers after `frozen_part`, for training: it computes the same logits, but faster.

    It shares every weight with the network, so what it learns, the network has learned. Only the network is saved and
    exported.

    Args:
        network: By `build_network`.
        last: Name of the last frozen layer.
        head_only: Whether the rest of the backbone is left alone as well.

    Returns:
        A model from the frozen part's features, (batch, height, width, channels), to logits, (batch, outputs).
    """
    backbone = network.get_layer(BACKBONE)
    features = backbone.get_layer(last).output
    upper = keras.Model(features, backbone.output)
    for layer in upper.layers:  # one by one: Keras takes a new model for trainable and would not pass it on
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
        return layer(inputs)  # without the mask and the mode, which stand-ins for norms do not take

    twin = keras.models.clone_model(upper, clone_function=clone, call_function=call)
    inputs = keras.Input(features.shape[1:], name="features")
    result = twin(inputs)
    for layer in network.layers[network.layers.index(backbone) + 1 :]:
        result = layer(result)
    return keras.Model(inputs, result, name=network.name)


def _scaled(network: keras.Model) -> Any:
    """The tensor that the network's backbone is fed."""
    return network.layers[network.layers.index(network.get_layer(BACKBONE)) - 1].output


def with_activation_maps(network: keras.Model) -> keras.Model:
    """Give class activation maps as a second output: what each place of the picture adds to each logit.

    Global average pooling and a dense layer may change places, since both are linear. So the logits are the means of
    the maps (Zhou et al. 2016, arXiv:1512.04150), exactly and at no cost.

    Args:
        network: Gives logits, (batch, outputs).

    Returns:
        A model with the outputs logits, (batch, outputs), and maps, (batch, rows, columns, outputs); or the network
        itself, if it does not end in global average pooling and a dense layer.
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
