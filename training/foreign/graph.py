"""A network as a frozen TensorFlow graph: where its pixels are scaled, and where its logits are.

Looking at the graph's operations and not at layers, it is all one whether Keras 2, Keras 3 or a SavedModel brought the
network, whether its softmax lies in a nested model, and what stands between it and the output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Head = Literal["logits", "one logit", "sigmoids", "probabilities"]

# Operations that hand their first input on, unchanged but for its type
PASSING = {"Identity", "IdentityN", "Cast", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot"}
RESHAPING = {"Reshape", "Squeeze", "ExpandDims"}
# Operations by which a network scales its pixels, and those that may stand between them
SCALING = {"Mul", "RealDiv", "Div", "DivNoNan", "Sub", "Add", "AddV2", "BiasAdd"}
BETWEEN = PASSING | RESHAPING | {
    "Pad", "PadV2", "MirrorPad", "ResizeBilinear", "ResizeNearestNeighbor", "ReverseV2", "StridedSlice", "GatherV2",
    "Maximum", "Minimum", "ClipByValue",
}  # fmt: skip
JOINING = {"Pack", "ConcatV2"}  # of the three colours, after they were taken apart to change their order
# Ends that are neither logits nor probabilities
OTHER_ENDS = {
    "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Tanh", "Softplus", "Softsign", "ArgMax", "Minimum", "Maximum",
    "ClipByValue", "Round", "TopKV2",
}  # fmt: skip
HALVES = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}
ONE_OUTPUT = "its one output is taken for the second label, and 1 less it for the first"
INDEPENDENT = "its outputs are independent (sigmoid); each one's share of their sum is its probability"
TINY = 1e-30  # stands for a probability of 0, so that its logarithm is finite


class HeadError(ValueError):
    """A network ends in something from which no logits can be had. The message says in what."""


@dataclass(frozen=True)
class Parts:
    """A network taken apart.

    Attributes:
        body: From scaled pixels, float32, (1, side, side, 3), to the values of `head`, (1, n), or, if there is a
            `dense`, to the features before global average pooling, (1, rows, columns, channels).
        head: What the values are: logits; the one logit of the second of two classes; the logits of independent
            sigmoids; or probabilities, whose softmax could not be found.
        outputs: How many logits there will be.
        dense: Weights, (channels, n), and bias, (n,), of the layer after the pooling; None if the network does not end
            in these two.
        scaled: What becomes of pixels 0 and 255 in the network's own scaling; None if it has none.
    """

    body: Callable[[Any], Any]
    head: Head
    outputs: int
    dense: tuple[NDArray[np.float32], NDArray[np.float32]] | None
    scaled: tuple[float, float] | None


def take_apart(constant: Any, trial: NDArray[np.float32]) -> Parts:
    """Find a network's scaling, its logits, and the dense layer that gives activation maps.

    Args:
        constant: A concrete function without variables, from scaled pixels, (1, side, side, 3), to one output, (1, n).
        trial: Some scaled pixels, to see whether the outputs are probabilities.

    Raises:
        HeadError: The network ends in another activation than softmax, log-softmax or sigmoid.
    """
    frozen = _in_float32(constant)
    source, end = frozen.inputs[0], frozen.outputs[0]
    units = int(end.shape[1])
    logits, head = _logits(end, units)
    if logits is end and units > 1 and _are_probabilities(frozen.prune([source], [end]), trial):
        logits, head = end, "probabilities"
    pooled = None if head == "probabilities" else _pooled_dense(logits)
    wanted, dense = (pooled[0], pooled[1:]) if pooled else (logits, None)
    pruned = frozen.prune([source], [wanted])
    scaled = _scaled(frozen, source, trial.shape)
    return Parts(lambda pixels: pruned(pixels)[0], head, max(2, units), dense, scaled)


def to_logits(parts: Parts, scaled: Any) -> tuple[Any, ...]:
    """Run a network.

    Args:
        parts: The network.
        scaled: Pixels as it expects them, (1, side, side, 3).

    Returns:
        The logits, (1, outputs), and, if the network ends in global average pooling and a dense layer, the activation
        maps, (1, rows, columns, outputs).
    """
    values, maps = parts.body(scaled), None
    if parts.dense:
        weights, bias = parts.dense
        # Pooling and the dense layer change places, since both are linear (Zhou et al. 2016, arXiv:1512.04150)
        maps = tf.nn.conv2d(values, weights[None, None], 1, "VALID") + bias
        values = tf.reduce_mean(maps, (1, 2))
    values = tf.reshape(values, (1, -1))
    if parts.head == "one logit":
        # softmax(-z/2, z/2) is (1 - sigmoid(z), sigmoid(z)), and neither class has an advantage in the energy
        halves = np.array([-0.5, 0.5], np.float32)
        values, maps = values * halves, None if maps is None else maps * halves
    elif parts.head == "sigmoids":
        # The logarithm of the sigmoid, which cannot overflow: their softmax is each one's share of their sum
        values = tf.minimum(values, 0.0) - tf.math.log(1.0 + tf.exp(-tf.abs(values)))
    elif parts.head == "probabilities":
        values = tf.math.log(tf.maximum(values, TINY))
    return (values,) if maps is None else (values, maps)


def _in_float32(constant: Any) -> Any:
    """The function, in float32 where it was in half precision."""
    definition = constant.graph.as_graph_def()
    for node in definition.node:
        for attribute in node.attr.values():
            if attribute.type in HALVES:
                attribute.type = tf.float32.as_datatype_enum
            for index, kind in enumerate(attribute.list.type):
                if kind in HALVES:
                    attribute.list.type[index] = tf.float32.as_datatype_enum
            if attribute.HasField("tensor") and attribute.tensor.dtype in HALVES:
                value = tf.make_ndarray(attribute.tensor).astype(np.float32)
                attribute.tensor.CopyFrom(tf.make_tensor_proto(value))
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    graph = wrapped.graph

    def tensors(found: Any) -> list[Any]:
        return [graph.get_tensor_by_name(tensor.name) for tensor in found]

    return wrapped.prune(tensors(constant.inputs), tensors(constant.outputs))


def _behind(tensor: Any, also: frozenset[str] | set[str] = frozenset()) -> Any:
    """The tensor that comes to this one unchanged."""
    while tensor.op.type in PASSING | also:
        tensor = tensor.op.inputs[tensor.value_index if tensor.op.type == "IdentityN" else 0]
    return tensor


def _logits(end: Any, units: int) -> tuple[Any, Head]:
    """The tensor with a network's logits, and what they are. Raises HeadError."""
    logarithm = False
    tensor = _behind(end, RESHAPING)
    if tensor.op.type == "Log":  # of a softmax, as some write a log-softmax
        tensor, logarithm = _behind(tensor.op.inputs[0], RESHAPING), True
    kind = tensor.op.type
    if kind in ("Softmax", "LogSoftmax"):
        if units < 2:
            raise HeadError("has a softmax over one output, which is always 1; two outputs or a sigmoid were meant")
        return tensor.op.inputs[0], "logits"
    if kind == "Sigmoid" and not logarithm:
        return tensor.op.inputs[0], "one logit" if units == 1 else "sigmoids"
    if kind in OTHER_ENDS and not logarithm:
        raise HeadError(f"ends in {kind}; expected softmax, sigmoid, or no activation, which gives logits")
    return end, "one logit" if units == 1 else "logits"


def _are_probabilities(run: Any, trial: NDArray[np.float32]) -> bool:
    """Whether the outputs of some pictures are never negative and sum to 1."""
    outputs = np.array([run(tf.constant(picture[None]))[0].numpy()[0] for picture in trial])
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def _pooled_dense(logits: Any) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]] | None:
    """The features before global average pooling, and weights and bias of the dense layer after it."""
    tensor, bias = _behind(logits), None
    if tensor.op.type in ("BiasAdd", "AddV2", "Add"):
        bias = _constant(tensor.op.inputs[1])
        tensor = _behind(tensor.op.inputs[0])
        if bias is None:
            return None
    if tensor.op.type != "MatMul" or tensor.op.get_attr("transpose_a") or tensor.op.get_attr("transpose_b"):
        return None
    weights = _constant(tensor.op.inputs[1])
    mean = _behind(tensor.op.inputs[0])
    if weights is None or mean.op.type != "Mean" or mean.op.get_attr("keep_dims"):
        return None
    axes, features = _constant(mean.op.inputs[1]), mean.op.inputs[0]
    if axes is None or features.shape.rank != 4 or sorted(axes.ravel().tolist()) != [1, 2]:
        return None
    bias = np.zeros(weights.shape[1], np.float32) if bias is None else bias
    return features, weights.astype(np.float32), bias.astype(np.float32).reshape(-1)


def _constant(tensor: Any) -> NDArray[Any] | None:
    tensor = _behind(tensor)
    return tf.make_ndarray(tensor.op.get_attr("value")) if tensor.op.type == "Const" else None


def _scaled(frozen: Any, source: Any, shape: tuple[int, ...]) -> tuple[float, float] | None:
    """What the operations before the first layer with weights make of pixels 0 and 255; None if they do not scale."""
    tensor, scales = source, False
    while True:
        consumers = _joined([op for op in tensor.consumers() if op.type != "Shape"])
        if len(consumers) != 1 or consumers[0].type not in SCALING | BETWEEN | JOINING or _normalises(consumers[0]):
            break
        scales = scales or consumers[0].type in SCALING
        tensor = consumers[0].outputs[0]
    if not scales:
        return None
    run = frozen.prune([source], [tensor])
    ends = [run(tf.fill((1, *shape[1:]), value))[0].numpy() for value in (0.0, 255.0)]
    return float(min(e.min() for e in ends)), float(max(e.max() for e in ends))


def _joined(consumers: list[Any]) -> list[Any]:
    """The operation that joins the colours again, if these take them apart; else the same operations."""
    after = [op for slicing in consumers for op in slicing.outputs[0].consumers()]
    taken_apart = len(consumers) > 1 and all(op.type == "StridedSlice" for op in consumers)
    if taken_apart and len({op.name for op in after}) == 1 and after[0].type in JOINING:
        return after[:1]
    return consumers


def _normalises(operation: Any) -> bool:
    """Whether an operation belongs to a batch normalization, which is no scaling of pixels but a layer with weights."""
    others = [_behind(tensor).op for tensor in operation.inputs]
    others += [_behind(tensor).op for op in others if op.type == "Mul" for tensor in op.inputs]
    return any(op.type == "Rsqrt" for op in others)
