"""An ONNX graph while it is written: values, constants, nodes, and lengths that only a run knows.

It knows ONNX and nothing of JAX's operations; those are in `onnx_operations`.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import optional_package

__all__ = ["OPSET", "Graph", "LackingError", "Value", "graph_type"]

# Of December 2022: every runtime of the years since reads it.
OPSET, _IR_VERSION = 18, 8

# What runtimes do not compute with is kept in a wider type that they do.
_WIDER: dict[str, Any] = {"bfloat16": np.dtype("float32"), "uint32": np.dtype("int64")}

_LENGTHS = {
    **{ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow"},
    **{"floordiv": "Div", "mod": "Mod", "max": "Max", "min": "Min"},
}


class LackingError(Exception):
    """ONNX has nothing for a part of the program; the text names the part."""


@dataclasses.dataclass(frozen=True)
class Value:
    """What a node gives, an input, or a constant.

    `shape` is how it stands in the graph. A value that is to be repeated along
    an axis stays 1 long there, because most operations repeat it themselves.
    A constant has its `array`, and a `name` only once a node takes it.
    """

    shape: tuple[Any, ...]
    name: str = ""
    array: Any = None


def graph_type(dtype: Any) -> Any:
    """The type in which the graph holds numbers of that type."""
    return _WIDER.get(str(dtype), np.dtype(dtype))


class Graph:
    """Inputs, constants and nodes, each after those it needs."""

    def __init__(self) -> None:
        self.onnx: Any = optional_package("onnx", extra="onnx", purpose="writing ONNX files")
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._inputs: list[Any] = []
        self._constants: dict[bytes, str] = {}
        # A symbol -> the input and its axis that tell it; the text of a length -> a vector of it alone.
        self._symbols: dict[str, tuple[Value, int]] = {}
        self._lengths: dict[str, Value] = {}

    # Values.

    def input(self, name: str, shape: Sequence[Any], dtype: Any) -> Value:
        """An input; each of its lengths that is a symbol is known from now on."""
        self._inputs.append(self._info(name, shape, dtype))
        value = Value(tuple(shape), name)
        for axis, size in enumerate(shape):
            if not isinstance(size, int):
                self._symbols.setdefault(str(size), (value, axis))
        return value

    def constant(self, array: Any) -> Value:
        """An array, or a number, that is known now."""
        return Value(tuple(np.shape(array)), array=array)

    def numbers(self, numbers: Sequence[int]) -> Value:
        """A vector of whole numbers, as lengths and axes are given."""
        return self.constant(np.asarray(list(numbers), np.int64))

    def node(self, kind: str, shape: Sequence[Any], *inputs: Value, **attributes: Any) -> Value:
        """What a new node gives, which has that shape."""
        (name,) = self._add(kind, 1, inputs, attributes)
        return Value(tuple(shape), name)

    def nodes(self, kind: str, shapes: Sequence[Any], *inputs: Value, **attributes: Any) -> list[Value]:
        """What a new node with several outputs gives."""
        names = self._add(kind, len(shapes), inputs, attributes)
        return [Value(tuple(shape), name) for shape, name in zip(shapes, names, strict=True)]

    def _add(self, kind: str, count: int, inputs: Sequence[Value], attributes: dict[str, Any]) -> list[str]:
        number = len(self._nodes)
        # No name that a user gives an input begins so.
        outputs = [f"/{kind}_{number}" + f".{each}" * (count > 1) for each in range(count)]
        names = [self._name_of(value) for value in inputs]
        self._nodes.append(self.onnx.helper.make_node(kind, names, outputs, **attributes))
        return outputs

    def _name_of(self, value: Value) -> str:
        if value.array is None:
            return value.name
        array = np.asarray(value.array)
        array = np.ascontiguousarray(array, graph_type(array.dtype)).reshape(array.shape)
        key = hashlib.sha256(f"{array.shape}{array.dtype}".encode() + array.tobytes()).digest()
        if key not in self._constants:
            name = self._constants[key] = f"/constant_{len(self._constants)}"
            self._initializers.append(self.onnx.numpy_helper.from_array(array, name))
        return self._constants[key]

    # Shapes.

    def each(self, kind: str, *inputs: Value, **attributes: Any) -> Value:
        """What a node gives that computes number by number, and repeats what is 1 long."""
        return self.node(kind, _common(*(value.shape for value in inputs)), *inputs, **attributes)

    def cast(self, value: Value, dtype: Any) -> Value:
        """The numbers as another type."""
        to = self.onnx.helper.np_dtype_to_tensor_dtype(graph_type(dtype))
        return self.each("Cast", value, to=to)

    def full(self, value: Value, shape: Sequence[Any]) -> Value:
        """The value in its true shape, repeated where it is to be."""
        if value.shape == tuple(shape):
            return value
        if value.array is not None and all(isinstance(size, int) for size in shape):
            return self.constant(np.broadcast_to(np.asarray(value.array), shape))
        return self.node("Expand", shape, value, self.lengths(shape))

    def reshaped(self, value: Value, shape: Sequence[Any]) -> Value:
        """The same numbers in another shape."""
        if value.array is not None:
            return self.constant(np.asarray(value.array).reshape(shape))
        unknown = [axis for axis, size in enumerate(shape) if not isinstance(size, int)]
        is_plain = len(unknown) <= 1 and 0 not in shape
        lengths = [-1 if axis in unknown else size for axis, size in enumerate(shape)]
        return self.node("Reshape", shape, value, self.numbers(lengths) if is_plain else self.lengths(shape))

    def lengths(self, sizes: Sequence[Any]) -> Value:
        """A vector of lengths, some of which only a run knows."""
        if all(isinstance(size, int) for size in sizes):
            return self.numbers(sizes)
        parts = [self.numbers([size]) if isinstance(size, int) else self._length(size) for size in sizes]
        return parts[0] if len(parts) == 1 else self.node("Concat", (len(parts),), *parts, axis=0)

    def _length(self, size: Any) -> Value:
        text = str(size)
        if text not in self._lengths:
            # JAX writes a length as people do: "5*batch", "batch + 2", "floordiv(batch, 2)".
            self._lengths[text] = self._computed(ast.parse(text.replace("^", "**"), mode="eval").body)
        return self._lengths[text]

    def _computed(self, term: ast.expr) -> Value:
        match term:
            case ast.Constant(value=int(number)):
                return self.numbers([number])
            case ast.Name(id=name) if name in self._symbols:
                value, axis = self._symbols[name]
                return self.node("Shape", (1,), value, start=axis, end=axis + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.node("Neg", (1,), self._computed(operand))
            case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _LENGTHS:
                return self.node(_LENGTHS[type(kind)], (1,), self._computed(left), self._computed(right))
            case ast.Call(func=ast.Name(id=name), args=terms) if name in _LENGTHS:
                return self.node(_LENGTHS[name], (1,), *map(self._computed, terms))
        raise LackingError(f"a length of {ast.unparse(term)}")

    # The end.

    def serialized(self, name: str, outputs: Sequence[tuple[str, Value, Any]]) -> bytes:
        """The finished model as bytes.

        Args:
            outputs: name, value and type of each.
        """
        helper, infos = self.onnx.helper, []
        for output, value, dtype in outputs:
            self._nodes.append(helper.make_node("Identity", [self._name_of(value)], [output]))
            infos.append(self._info(output, value.shape, dtype))
        graph = helper.make_graph(self._nodes, name, self._inputs, infos, self._initializers)
        opset = [helper.make_opsetid("", OPSET)]
        about = {"opset_imports": opset, "ir_version": _IR_VERSION, "producer_name": "doltap"}
        return bytes(helper.make_model(graph, **about).SerializeToString())

    def _info(self, name: str, shape: Sequence[Any], dtype: Any) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(graph_type(dtype))
        sizes = [size if isinstance(size, int) else str(size) for size in shape]
        return self.onnx.helper.make_tensor_value_info(name, kind, sizes)


def _common(*shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape of what is computed number by number from values of these shapes."""
    rank = max(map(len, shapes))
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(
        next((size for size in sizes if not (isinstance(size, int) and size == 1)), 1)
        for sizes in zip(*aligned, strict=True)
    )
