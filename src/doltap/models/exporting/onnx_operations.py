"""What each of JAX's operations is in ONNX.

Three tables: operations that are one node, operations that other operations of
JAX can say, and functions for the rest. Whoever walks the program looks here.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.models.exporting.onnx_graph import Graph, LackingError, Value

__all__ = ["NODES", "REPLACED", "UNCHANGED", "WRITTEN", "check_types", "wraps"]

# Number by number, one node each.
NODES = {
    **{"abs": "Abs", "acos": "Acos", "acosh": "Acosh", "add": "Add", "add_any": "Add", "and": "And"},
    **{"asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh", "ceil": "Ceil", "cos": "Cos"},
    **{"cosh": "Cosh", "div": "Div", "eq": "Equal", "erf": "Erf", "exp": "Exp", "floor": "Floor"},
    **{"ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual", "log": "Log", "logistic": "Sigmoid"},
    **{"lt": "Less", "max": "Max", "min": "Min", "mul": "Mul", "neg": "Neg", "not": "Not", "or": "Or"},
    **{"pow": "Pow", "sign": "Sign", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "sub": "Sub"},
    **{"tan": "Tan", "tanh": "Tanh", "xor": "Xor"},
}

# What gives its input as it is.
UNCHANGED = frozenset(["copy", "name", "optimization_barrier", "stop_gradient"])

# Runtimes move numbers of every type, but compute with few.
_TYPES = frozenset(["bfloat16", "bool", "float16", "float32", "float64"])
_TYPES |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32)} | {"int64"}
_WHOLE = frozenset(["int32", "int64", "uint32"])
_MOVES = frozenset(["broadcast_in_dim", "concatenate", "convert_element_type", "dynamic_slice", "gather"])
_MOVES |= {"reshape", "rev", "slice", "split", "squeeze", "stack", "tile", "transpose", "unstack"}
_BITS = frozenset(["and", "not", "or", "xor"])
_TRUTHS = _BITS | {"eq", "ne", "reduce_and", "reduce_or", "select_n"}
_WRAPPING = frozenset(["add", "convert_element_type", "cumsum", "dot_general", "mul", "neg", "reduce_prod"])
_WRAPPING |= {"reduce_sum", "sub"}


def check_types(name: str, dtypes: Sequence[Any]) -> None:
    """An error unless runtimes do that with numbers of these types."""
    for dtype in map(str, dtypes):
        is_whole = "int" in dtype
        is_lacking = dtype not in _TYPES
        is_lacking |= is_whole and (name in _BITS or (dtype not in _WHOLE and name not in _MOVES))
        is_lacking |= dtype == "bool" and name not in _MOVES | _TRUTHS
        if is_lacking or (dtype == "uint32" and name == "pow"):
            raise LackingError(f"'{name}' of {dtype}")


def wraps(name: str, dtype: Any) -> bool:
    """Whether a result may pass the largest number, where JAX begins anew at 0.

    The graph has unsigned numbers in 64 bits, in which nothing begins anew.
    """
    return str(dtype) == "uint32" and name in _WRAPPING


def _log1p(x: Any) -> Any:
    # The error of 1 + x is the same above and below, and leaves with it (Kahan).
    one_more = 1 + x
    exact = jnp.log(one_more)
    corrected = exact * (x / (one_more - 1))
    return jnp.where(one_more == 1, x, jnp.where(one_more - 1 == x, exact, corrected))


def _expm1(x: Any) -> Any:
    half = jnp.tanh(x / 2)
    return jnp.where(jnp.abs(x) < 0.5, 2 * half / (1 - half), jnp.exp(x) - 1)


# What other operations say: functions of the operands, and of parameters by keyword.
REPLACED: dict[str, Callable[..., Any]] = {
    "cbrt": lambda x, **_: jnp.sign(x) * jnp.abs(x) ** (1 / 3),
    "clamp": lambda low, x, high: jnp.minimum(jnp.maximum(x, low), high),
    "erfc": lambda x: 1 - jax.lax.erf(x),
    "exp2": lambda x, **_: jnp.exp(x * np.log(2).astype(x.dtype)),
    "expm1": lambda x, **_: _expm1(x),
    "integer_pow": lambda x, y: jax.lax.pow(x, jnp.asarray(y, x.dtype)),
    "is_finite": lambda x: jnp.abs(x) < jnp.inf,
    "le_to": lambda x, y: (x <= y) | (y != y),
    "log1p": lambda x, **_: _log1p(x),
    "lt_to": lambda x, y: (x < y) | ((y != y) & (x == x)),
    "ne": lambda x, y: ~(x == y),
    "reduce_and": lambda x, axes, **_: jnp.min(x.astype(jnp.int32), axes) > 0,
    "reduce_or": lambda x, axes, **_: jnp.max(x.astype(jnp.int32), axes) > 0,
    "rsqrt": lambda x, **_: 1 / jnp.sqrt(x),
    "square": lambda x: x * x,
    "unstack": lambda x, axis: [x.take(place, axis) for place in range(x.shape[axis])],
    "stack": lambda *parts, axis: jnp.concatenate([jnp.expand_dims(part, axis) for part in parts], axis),
}

# The rest: functions of the graph, the equation and the operands. Operands that
# are yet to be repeated are so only where the function asks for their full shape.
WRITTEN: dict[str, Callable[..., Any]] = {}


def _writes(*names: str) -> Callable[[Any], Any]:
    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        WRITTEN.update(dict.fromkeys(names, function))
        return function

    return keep


def _in(equation: Any, number: int = 0) -> Any:
    """Shape and type of an operand."""
    return equation.invars[number].aval


def _out(equation: Any) -> tuple[Any, ...]:
    return tuple(equation.outvars[0].aval.shape)


# Shapes


@_writes("broadcast_in_dim")
def _broadcast(graph: Graph, equation: Any, operand: Value, *_: Value) -> Value:
    shape, kept = equation.params["shape"], [int(axis) for axis in equation.params["broadcast_dimensions"]]
    sizes = dict(zip(kept, operand.shape, strict=True))
    aligned = [sizes.get(axis, 1) for axis in range(len(shape))]
    if operand.array is not None:
        return graph.reshaped(operand, aligned)
    new = [axis for axis in range(len(shape)) if axis not in kept]
    return graph.node("Unsqueeze", aligned, operand, graph.numbers(new)) if new else operand


@_writes("reshape")
def _reshape(graph: Graph, equation: Any, operand: Value, *_: Value) -> Value:
    return graph.reshaped(graph.full(operand, _in(equation).shape), _out(equation))


@_writes("squeeze")
def _squeeze(graph: Graph, equation: Any, operand: Value) -> Value:
    axes = graph.numbers(equation.params["dimensions"])
    return graph.node("Squeeze", _out(equation), graph.full(operand, _in(equation).shape), axes)


@_writes("transpose")
def _transpose(graph: Graph, equation: Any, operand: Value) -> Value:
    return _turned(graph, graph.full(operand, _in(equation).shape), equation.params["permutation"])


def _turned(graph: Graph, value: Value, order: Sequence[int]) -> Value:
    """The axes in another order."""
    order = [int(axis) for axis in order]
    if order == sorted(order):
        return value
    if value.array is not None:
        return graph.constant(np.transpose(np.asarray(value.array), order))
    return graph.node("Transpose", [value.shape[axis] for axis in order], value, perm=order)


@_writes("concatenate")
def _concatenate(graph: Graph, equation: Any, *operands: Value) -> Value:
    parts = [graph.full(each, _in(equation, number).shape) for number, each in enumerate(operands)]
    return graph.node("Concat", _out(equation), *parts, axis=equation.params["dimension"])


@_writes("tile")
def _tile(graph: Graph, equation: Any, operand: Value) -> Value:
    times = graph.lengths(equation.params["reps"])
    return graph.node("Tile", _out(equation), graph.full(operand, _in(equation).shape), times)


@_writes("split")
def _split(graph: Graph, equation: Any, operand: Value) -> list[Value]:
    shapes = [each.aval.shape for each in equation.outvars]
    full, sizes = graph.full(operand, _in(equation).shape), graph.lengths(equation.params["sizes"])
    return graph.nodes("Split", shapes, full, sizes, axis=equation.params["axis"])


@_writes("slice")
def _slice(graph: Graph, equation: Any, operand: Value) -> Value:
    params, rank = equation.params, len(_out(equation))
    bounds = [graph.lengths(params[which]) for which in ("start_indices", "limit_indices")]
    steps = graph.numbers(params["strides"] or [1] * rank)
    full = graph.full(operand, _in(equation).shape)
    return graph.node("Slice", _out(equation), full, *bounds, graph.numbers(range(rank)), steps)


@_writes("rev")
def _reverse(graph: Graph, equation: Any, operand: Value) -> Value:
    axes = equation.params["dimensions"]
    bounds = [[-1] * len(axes), [np.iinfo(np.int64).min] * len(axes), axes, [-1] * len(axes)]
    full = graph.full(operand, _in(equation).shape)
    return graph.node("Slice", _out(equation), full, *map(graph.numbers, bounds))


@_writes("dynamic_slice")
def _dynamic_slice(graph: Graph, equation: Any, operand: Value, *starts: Value) -> Value:
    places = dict(enumerate(int(start.array) for start in starts if start.array is not None))
    if len(places) < len(starts):
        raise LackingError("'dynamic_slice' at places that the data decides")
    return _piece(graph, graph.full(operand, _in(equation).shape), places, equation.params["slice_sizes"])


def _piece(graph: Graph, value: Value, places: dict[int, int], sizes: Sequence[Any]) -> Value:
    """So much of the value along each axis, from these places on."""
    axes = list(places)
    # A piece that would reach over the end begins earlier.
    starts = [max(0, min(start, value.shape[axis] - sizes[axis])) for axis, start in places.items()]
    ends = [start + sizes[axis] for start, axis in zip(starts, axes, strict=True)]
    return graph.node("Slice", sizes, value, *map(graph.lengths, (starts, ends, axes)))


@_writes("pad")
def _pad(graph: Graph, equation: Any, operand: Value, filling: Value) -> Value:
    before, after, between = zip(*equation.params["padding_config"], strict=True)
    if any(between):
        raise LackingError("'pad' between numbers")
    full = graph.full(operand, _in(equation).shape)
    return graph.node("Pad", _out(equation), full, graph.lengths([*before, *after]), filling)


@_writes("iota")
def _iota(graph: Graph, equation: Any, *_: Value) -> Value:
    shape, axis = _out(equation), equation.params["dimension"]
    dtype, size = equation.params["dtype"], shape[axis]
    aligned = [size if each == axis else 1 for each in range(len(shape))]
    if isinstance(size, int):
        return graph.constant(np.arange(size).astype(dtype).reshape(aligned))
    end = graph.node("Squeeze", (), graph.lengths([size]))
    counted = graph.node("Range", (size,), graph.constant(np.int64(0)), end, graph.constant(np.int64(1)))
    return graph.reshaped(graph.cast(counted, dtype), aligned)


@_writes("dim_as_value")
def _length(graph: Graph, equation: Any) -> Value:
    length = graph.node("Squeeze", (), graph.lengths([equation.params["dim"]]))
    return graph.cast(length, equation.outvars[0].aval.dtype)


# Types and choices


@_writes("convert_element_type")
def _convert(graph: Graph, equation: Any, operand: Value) -> Value:
    return graph.cast(operand, equation.params["new_dtype"])


@_writes("round")
def _round(graph: Graph, equation: Any, operand: Value) -> Value:
    if equation.params["rounding_method"] == jax.lax.RoundingMethod.TO_NEAREST_EVEN:
        return graph.each("Round", operand)
    half = graph.constant(np.asarray(0.5, _in(equation).dtype))
    away = graph.each("Floor", graph.each("Add", graph.each("Abs", operand), half))
    return graph.each("Mul", graph.each("Sign", operand), away)


@_writes("rem")
def _remainder(graph: Graph, equation: Any, left: Value, right: Value) -> Value:
    return graph.each("Mod", left, right, fmod=1)


@_writes("select_n")
def _select(graph: Graph, equation: Any, which: Value, *cases: Value) -> Value:
    if len(cases) != 2:
        raise LackingError(f"'select_n' among {len(cases)}")
    if _in(equation, 1).dtype == bool:
        chosen = graph.each("And", which, cases[1])
        return graph.each("Or", chosen, graph.each("And", graph.each("Not", which), cases[0]))
    return graph.each("Where", which, cases[1], cases[0])


# Sums, and what else looks along an axis


@_writes("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")
def _reduce(graph: Graph, equation: Any, operand: Value) -> Value:
    kind = {"sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd"}
    full, axes = graph.full(operand, _in(equation).shape), equation.params["axes"]
    if not axes:
        return full
    name = kind[equation.primitive.name.removeprefix("reduce_")]
    return graph.node(name, _out(equation), full, graph.numbers(axes), keepdims=0)


@_writes("argmax", "argmin")
def _argument(graph: Graph, equation: Any, operand: Value) -> Value:
    kind, (axis,) = {"argmax": "ArgMax", "argmin": "ArgMin"}[equation.primitive.name], equation.params["axes"]
    full = graph.full(operand, _in(equation).shape)
    found = graph.node(kind, _out(equation), full, axis=int(axis), keepdims=0)
    return graph.cast(found, equation.params["index_dtype"])


@_writes("cumsum")
def _running_sum(graph: Graph, equation: Any, operand: Value) -> Value:
    axis, full = graph.constant(np.int64(equation.params["axis"])), graph.full(operand, _in(equation).shape)
    return graph.node("CumSum", _out(equation), full, axis, reverse=int(equation.params["reverse"]))


@_writes("sort")
def _sort(graph: Graph, equation: Any, *operands: Value) -> list[Value]:
    if equation.params["num_keys"] != 1:
        raise LackingError("'sort' by several keys")
    shape, axis = _out(equation), equation.params["dimension"]
    key, *others = (graph.full(each, shape) for each in operands)
    size = graph.lengths([shape[axis]])
    sorted_key, places = graph.nodes("TopK", [shape, shape], key, size, axis=axis, largest=0)
    return [sorted_key, *(graph.node("GatherElements", shape, each, places, axis=axis) for each in others)]


@_writes("top_k")
def _largest(graph: Graph, equation: Any, operand: Value) -> list[Value]:
    shape, full = _out(equation), graph.full(operand, _in(equation).shape)
    size = graph.numbers([equation.params["k"]])
    values, places = graph.nodes("TopK", [shape, shape], full, size, axis=len(shape) - 1)
    return [values, graph.cast(places, equation.outvars[1].aval.dtype)]


# Products and look-ups


@_writes("dot_general")
def _product(graph: Graph, equation: Any, *operands: Value) -> Value:
    wanted = equation.params["preferred_element_type"] or _in(equation).dtype
    left, right = (
        graph.full(
            each if _in(equation, number).dtype == wanted else graph.cast(each, wanted),
            _in(equation, number).shape,
        )
        for number, each in enumerate(operands)
    )
    (axes_left, axes_right), (batch_left, _) = equation.params["dimension_numbers"]
    if tuple(axes_left) != (len(left.shape) - 1,) or len(right.shape) != 2 or batch_left:
        letters = _letters(equation, len(left.shape), len(right.shape))
        return graph.node("Einsum", _out(equation), left, right, equation=letters)
    right = right if tuple(axes_right) == (0,) else _turned(graph, right, (1, 0))
    return graph.node("MatMul", _out(equation), left, right)


def _letters(equation: Any, left_rank: int, right_rank: int) -> str:
    """The product as einsum writes it: "abc,acd->abd"."""
    (axes_left, axes_right), (batch_left, batch_right) = equation.params["dimension_numbers"]
    left, right = string.ascii_lowercase[:left_rank], list(string.ascii_uppercase[:right_rank])
    for mine, theirs in zip((*axes_left, *batch_left), (*axes_right, *batch_right), strict=True):
        right[theirs] = left[mine]
    ends = "".join(left[axis] for axis in batch_left)
    ends += "".join(each for axis, each in enumerate(left) if axis not in (*axes_left, *batch_left))
    ends += "".join(each for axis, each in enumerate(right) if axis not in (*axes_right, *batch_right))
    return f"{left},{''.join(right)}->{ends}"


@_writes("gather")
def _gather(graph: Graph, equation: Any, operand: Value, indices: Value) -> Value:
    numbers, shape = equation.params["dimension_numbers"], _in(equation).shape
    looked_up = list(numbers.start_index_map)
    if indices.array is not None and _in(equation, 1).ndim == 1 and isinstance(shape[looked_up[0]], int):
        places = np.asarray(graph.full(indices, _in(equation, 1).shape).array).tolist()
        starts = dict(zip(looked_up, places, strict=True))
        piece = _piece(graph, graph.full(operand, shape), starts, equation.params["slice_sizes"])
        collapsed = numbers.collapsed_slice_dims
        return graph.node("Squeeze", _out(equation), piece, graph.numbers(collapsed)) if collapsed else piece
    sizes = [1 if axis in looked_up else size for axis, size in enumerate(shape)]
    if numbers.operand_batching_dims or list(equation.params["slice_sizes"]) != sizes:
        raise LackingError("'gather' of longer pieces")
    index = graph.full(graph.cast(indices, np.int64), _in(equation, 1).shape)
    last = graph.lengths([shape[axis] - 1 for axis in looked_up])
    near = graph.each("Min", graph.each("Max", index, graph.numbers([0])), last)
    found, labels = _looked_up(graph, graph.full(operand, shape), near, looked_up)
    if equation.params["mode"] == jax.lax.GatherScatterMode.FILL_OR_DROP:
        found = _filled(graph, equation, found, (index, near), [isinstance(each, str) for each in labels])
    return _arranged(graph, equation, found, labels)


def _looked_up(graph: Graph, full: Value, index: Value, axes: Sequence[int]) -> tuple[Value, list[Any]]:
    """What stands at some places along some axes; and what each axis of it is.

    An axis of the operand is its number, an axis of the indices a text.
    """
    others = [axis for axis in range(len(full.shape)) if axis not in axes]
    batch = [f"index {number}" for number in range(len(index.shape) - 1)]
    sizes = dict(
        zip((*others, *batch), (*(full.shape[axis] for axis in others), *index.shape[:-1]), strict=True)
    )
    if len(axes) == 1:
        labels = [*others[: axes[0]], *batch, *others[axes[0] :]]
        place = graph.node("Squeeze", index.shape[:-1], index, graph.numbers([-1]))
        return graph.node("Gather", [sizes[each] for each in labels], full, place, axis=axes[0]), labels
    labels = [*batch, *others]
    turned = _turned(graph, full, [*axes, *others])
    return graph.node("GatherND", [sizes[each] for each in labels], turned, index), labels


def _filled(
    graph: Graph, equation: Any, found: Value, index: tuple[Value, Value], is_batch: list[bool]
) -> Value:
    """What was found, and a filling where an index was out of range."""
    inside = graph.cast(graph.each("Equal", *index), np.int32)
    all_inside = graph.node("ReduceMin", inside.shape[:-1], inside, graph.numbers([-1]), keepdims=0)
    lengths = iter(inside.shape[:-1])
    aligned = [next(lengths) if own else 1 for own in is_batch]
    new = [axis for axis, own in enumerate(is_batch) if not own]
    is_there = graph.cast(all_inside, bool)
    is_there = graph.node("Unsqueeze", aligned, is_there, graph.numbers(new)) if new else is_there
    dtype, filling = _in(equation).dtype, equation.params["fill_value"]
    if filling is None:
        raise LackingError("'gather' without a filling")
    return graph.each("Where", is_there, found, graph.constant(np.asarray(filling, dtype)))


def _arranged(graph: Graph, equation: Any, found: Value, labels: list[Any]) -> Value:
    """The axes of what was found in the order in which JAX gives them."""
    numbers = equation.params["dimension_numbers"]
    kept = iter(axis for axis in range(_in(equation).ndim) if axis not in numbers.collapsed_slice_dims)
    batch = iter(label for label in labels if isinstance(label, str))
    wanted = [
        next(kept) if axis in numbers.offset_dims else next(batch) for axis in range(len(_out(equation)))
    ]
    turned = _turned(graph, found, [labels.index(label) for label in wanted if label in labels])
    new = [axis for axis, label in enumerate(wanted) if label not in labels]
    return graph.node("Unsqueeze", _out(equation), turned, graph.numbers(new)) if new else turned
