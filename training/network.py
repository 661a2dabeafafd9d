"""The network: MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), global average pooling and one dense layer."""

from pathlib import Path

import keras

from training.errors import TrainingError

BACKBONE = "backbone"
DROPOUT = 0.3


def build_network(outputs: int, size: int, weights: str | Path | None = "imagenet") -> keras.Model:
    """A Keras model from pixels 0..255, float32, (batch, size, size, 3), RGB, to logits, (batch, outputs).

    weights: "imagenet" (Keras downloads them), a local `include_top=False` weights file, or None for random ones.
    The scaling to -1..1 is a layer, so it travels with the weights. Call `set_trainable` before training.
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


def set_trainable(network: keras.Model, first: str | None) -> None:
    """Make the backbone trainable from the layer named `first` on, or not at all if None. Compile afterwards.

    BatchNorm stays as ImageNet taught it: letting its statistics follow the training photos' own background costs far
    more on other people's photos than it gains at home. Being untrainable is what keeps it in inference mode during
    `fit`; calling the backbone with training=False does not, since Keras 3 hands the outer call's training=True down.
    """
    backbone = network.get_layer(BACKBONE)
    names = [layer.name for layer in backbone.layers]
    start = len(names) if first is None else names.index(first)
    backbone.trainable = first is not None
    for position, layer in enumerate(backbone.layers):
        layer.trainable = position >= start and not isinstance(layer, keras.layers.BatchNormalization)
