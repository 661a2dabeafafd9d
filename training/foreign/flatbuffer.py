"""`.tflite` files as they are found, turned into those that `model.Classifier` takes: plain pixels in, logits out.

Such a file cannot be converted again, so its list of operations is edited: a softmax at its end is taken off, and the
scaling of pixels is put before its beginning. A quantised file takes bytes, as they are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from model.runtime import LiteRT
from training.errors import TrainingError, first_line
from training.foreign.graph import INDEPENDENT, ONE_OUTPUT
from training.foreign.ranges import INPUT_RANGES, PLAIN, Logits

Op, Type = schema.BuiltinOperator, schema.TensorType
PASSING = {Op.QUANTIZE, Op.DEQUANTIZE, Op.RESHAPE, Op.SQUEEZE}
SCALING = {Op.MUL, Op.ADD, Op.SUB, Op.DIV}
BETWEEN = PASSING | {Op.PAD, Op.PADV2, Op.MIRROR_PAD, Op.RESIZE_BILINEAR, Op.RESIZE_NEAREST_NEIGHBOR, Op.GATHER,
                     Op.REVERSE_V2, Op.STRIDED_SLICE, Op.MINIMUM, Op.MAXIMUM}  # fmt: skip
OTHER_ENDS = {Op.RELU: "ReLU", Op.RELU6: "ReLU6", Op.TANH: "tanh", Op.ARG_MAX: "argmax", Op.ELU: "ELU"}
INTEGERS = {Type.UINT8, Type.INT8}
TINY = np.float32(1e-30)  # stands for a probability of 0, so that its logarithm is finite
TRIAL_PICTURES = 8


class FlatNetwork:
    """A `.tflite` classifier. Implements `foreign.network.Network`."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Args:
            path: Of a `.tflite` file with one input, (1, side, side, 3), float32, uint8 or int8, and one output,
                (1, classes).

        Raises:
            TrainingError: It is damaged or no such classifier.
        """
        self._path, self._content = path, path.read_bytes()
        try:
            runtime = LiteRT(self._content)
            edit = _Edit(self._content)
        # LiteRT says ValueError; the reader of flatbuffers, anything
        except Exception as error:
            raise TrainingError(
                f"{path}: is cut short or damaged, or no classifier of single pictures ({first_line(error)}); "
                "copy it again"
            ) from error
        shape, outputs = runtime.input_shape, runtime.output_shapes
        if len(shape) != 3 or shape[2] != 3:
            raise TrainingError(f"{path}: is not an image classifier; expected one input (side, side, 3), got {shape}")
        if shape[0] != shape[1]:
            raise TrainingError(
                f"{path}: takes pictures of {shape[0]}x{shape[1]} pixels; only square ones are supported"
            )
        if len(outputs) != 1 or len(outputs[0]) != 1:
            raise TrainingError(f"{path}: expected one output (classes); got {list(outputs)}")
        self.size, units = shape[0], outputs[0][0]
        self.outputs, self.scaled = max(2, units), edit.scaled(self.size)
        integers = edit.type_of(edit.input) in INTEGERS
        self.fixed_range = "the file is quantised and takes bytes as they are" if integers else None
        self._head, self.notes = self._find_head(edit, runtime, units)

    def runner(self, input_range: str) -> Callable[[NDArray[np.uint8]], Logits]:
        """See `Network`."""
        runtime = LiteRT(self.to_litert(input_range))
        return lambda pixels: runtime.run(pixels)[0]

    def to_litert(
        self, input_range: str, precision: str = "", representative: NDArray[np.uint8] | None = None
    ) -> bytes:
        """See `Network`. The numbers keep the precision that they have in the file."""
        del precision, representative
        edit = _Edit(self._content)
        edit.change_head(self._head)
        edit.change_input(input_range)
        return edit.content()

    def _find_head(self, edit: "_Edit", runtime: LiteRT, units: int) -> tuple[str, tuple[str, ...]]:
        """What the file ends in, and what is assumed of that."""
        kind = edit.kind(edit.end())
        if kind in OTHER_ENDS:
            raise TrainingError(f"{self._path}: ends in {OTHER_ENDS[kind]}; expected softmax, sigmoid or logits")
        if kind in (Op.SOFTMAX, Op.LOG_SOFTMAX) and units > 1:
            return "softmax", ()
        if kind == Op.LOGISTIC:
            if units == 1:
                return "one sigmoid", (ONE_OUTPUT,)
            return "probabilities", (INDEPENDENT,)
        if units == 1:
            return "one logit", (ONE_OUTPUT,)
        trial = np.random.default_rng(0).integers(0, 256, (TRIAL_PICTURES, self.size, self.size, 3), np.uint8)
        found = np.array([runtime.run(picture)[0] for picture in trial])
        sums_to_one = (found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=0.02)
        return ("probabilities" if sums_to_one else "logits"), ()


class _Edit:
    """A file's objects, to be looked at and changed."""

    def __init__(self, content: bytes) -> None:
        self._model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
        self._graph = self._model.subgraphs[0]
        self.input, self.output = int(self._graph.inputs[0]), int(self._graph.outputs[0])

    def content(self) -> bytes:
        """The changed file. Its signatures, which name the old ends, are gone."""
        self._model.signatureDefs, self._model.metadata = [], []
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def type_of(self, tensor: int) -> int:
        return int(self._graph.tensors[tensor].type)

    def kind(self, operator: Any) -> int:
        """An operator's number in the schema; -1 for None."""
        if operator is None:
            return -1
        code = self._model.operatorCodes[operator.opcodeIndex]
        return int(max(code.builtinCode, code.deprecatedBuiltinCode))

    def end(self) -> Any:
        """The last operator that computes something; None if there is none."""
        tensor = self.output
        while (operator := self._producer(tensor)) is not None and self.kind(operator) in PASSING:
            tensor = int(operator.inputs[0])
        return operator

    def scaled(self, size: int) -> tuple[float, float] | None:
        """What the operators before the first weights make of pixels 0 and 255; None if they do not scale."""
        if self.type_of(self.input) in INTEGERS:
            return None
        tensor, scales = self.input, False
        while True:
            consumers = [o for o in self._graph.operators if tensor in list(o.inputs) and self.kind(o) != Op.SHAPE]
            if len(consumers) != 1 or self.kind(consumers[0]) not in SCALING | BETWEEN:
                break
            scales = scales or self.kind(consumers[0]) in SCALING
            tensor = int(consumers[0].outputs[0])
        if not scales:
            return None
        before, self._graph.outputs = self._graph.outputs, [tensor]
        runtime = LiteRT(self.content())
        self._graph.outputs = before
        ends = [runtime.run(np.full((size, size, 3), value, np.uint8))[0] for value in (0, 255)]
        return float(min(e.min() for e in ends)), float(max(e.max() for e in ends))

    def change_head(self, head: str) -> None:
        """Let the file give logits: of what is in `head`, see `_find_head`."""
        if head in ("softmax", "one sigmoid"):
            last = self.end()
            self.output = int(last.inputs[0])
            self._drop_after(last)
        if head in ("logits", "softmax"):
            self._graph.outputs = [self.output]
            return
        values = self.output
        if self.type_of(values) in INTEGERS:
            values = self._append(Op.DEQUANTIZE, [values], self._shape(values))
        if head in ("one sigmoid", "one logit"):
            halves = self._constant(np.array([[-0.5, 0.5]], np.float32))
            values = self._append(Op.MUL, [values, halves], [1, 2])
        else:
            values = self._append(Op.MAXIMUM, [values, self._constant(np.array([TINY]))], self._shape(values))
            values = self._append(Op.LOG, [values], self._shape(values))
        self._graph.outputs = [values]

    def change_input(self, input_range: str) -> None:
        """Let the file take pixels from 0 to 255."""
        old, kind, shape = self.input, self.type_of(self.input), self._shape(self.input)
        if kind == Type.INT8:
            given = self._graph.tensors[old].quantization
            quantization = schema.QuantizationParametersT()
            quantization.scale, quantization.zeroPoint = list(given.scale), [int(given.zeroPoint[0]) + 128]
            pixels = self._tensor(shape, Type.UINT8)
            self._graph.tensors[pixels].quantization = quantization
            operators = [self._operator(Op.QUANTIZE, [pixels], old)]
        elif kind == Type.UINT8 or input_range == PLAIN:
            return
        else:
            scaling, operators = INPUT_RANGES[input_range], []
            pixels = current = self._tensor(shape, Type.FLOAT32)
            if scaling.bgr:
                current = self._tensor(shape, Type.FLOAT32)
                axis = self._constant(np.array([3], np.int32), Type.INT32)
                operators.append(self._operator(Op.REVERSE_V2, [pixels, axis], current))
            product = self._tensor(shape, Type.FLOAT32)
            scale, offset = (self._constant(np.array(x, np.float32)) for x in (scaling.scale, scaling.offset))
            operators.append(self._operator(Op.MUL, [current, scale], product))
            operators.append(self._operator(Op.ADD, [product, offset], old))
        self._graph.operators = operators + list(self._graph.operators)
        self._graph.inputs = [pixels]

    def _producer(self, tensor: int) -> Any:
        return next((o for o in self._graph.operators if tensor in list(o.outputs)), None)

    def _drop_after(self, first: Any) -> None:
        """Take an operator and those that come from it out, so that nothing is computed in vain."""
        gone = {int(x) for x in first.outputs}
        kept = []
        for operator in self._graph.operators:  # a file lists them in the order in which they run
            if operator is first or gone & {int(x) for x in operator.inputs}:
                gone |= {int(x) for x in operator.outputs}
            else:
                kept.append(operator)
        self._graph.operators = kept

    def _shape(self, tensor: int) -> list[int]:
        return [int(length) for length in self._graph.tensors[tensor].shape]

    def _append(self, kind: int, inputs: list[int], shape: list[int]) -> int:
        result = self._tensor(shape, Type.FLOAT32)
        self._graph.operators = [*self._graph.operators, self._operator(kind, inputs, result)]
        return result

    def _tensor(self, shape: list[int], kind: int, data: bytes | None = None) -> int:
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(data, np.uint8)
        self._model.buffers = [*self._model.buffers, buffer]
        tensor = schema.TensorT()
        tensor.name = f"added_{len(self._graph.tensors)}".encode()
        tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), kind, len(self._model.buffers) - 1
        self._graph.tensors = [*self._graph.tensors, tensor]
        return len(self._graph.tensors) - 1

    def _constant(self, value: NDArray[Any], kind: int = Type.FLOAT32) -> int:
        return self._tensor(list(value.shape), kind, value.tobytes())

    def _operator(self, kind: int, inputs: list[int], output: int) -> Any:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = kind, min(kind, 127), 1
        self._model.operatorCodes = [*self._model.operatorCodes, code]
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if kind in OPTIONS:
            name, options = OPTIONS[kind]
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options()
        return operator


# The operators that need options, and their names in the schema
OPTIONS = {
    Op.MUL: ("MulOptions", schema.MulOptionsT),
    Op.ADD: ("AddOptions", schema.AddOptionsT),
    Op.MAXIMUM: ("MaximumMinimumOptions", schema.MaximumMinimumOptionsT),
    Op.QUANTIZE: ("QuantizeOptions", schema.QuantizeOptionsT),
    Op.DEQUANTIZE: ("DequantizeOptions", schema.DequantizeOptionsT),
    Op.REVERSE_V2: ("ReverseV2Options", schema.ReverseV2OptionsT),
}
