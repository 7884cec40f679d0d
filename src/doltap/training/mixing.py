"""Whether an operation in a network keeps the rows of a batch apart.

Where it is not known to, batches are never filled up with rows that do not count.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.core.graph import Node, Operation, SymbolicTensor, symbolic_leaves

__all__ = ["keeps_rows_apart"]

_ELEMENTWISE_FILES = ("doltap.ops.arithmetic", "doltap.ops.elementwise", "doltap.ops.curves")
_ELEMENTWISE = frozenset(["cast", "saturate_cast", "stop_gradient", "convert_to_tensor", "where", "astype"])
# They work along an axis that they are told.
_ALONG_FILES = ("doltap.ops.reductions", "doltap.ops.curves")
_ALONG = frozenset(
    [
        "concatenate",
        "diff",
        "expand_dims",
        "flip",
        "repeat",
        "roll",
        "split",
        "squeeze",
        "stack",
        "sort",
        "argsort",
        "take_along_axis",
        "one_hot",
        "normalize",
        "layer_normalization",
        "rms_normalization",
    ]
)


def keeps_rows_apart(node: Node) -> bool:
    """Whether a row of what the call gives is known to come from that row of its inputs alone."""
    if not isinstance(node.call, Operation):
        return True
    outputs = symbolic_leaves(node.outputs)
    if not all(tensor.shape[:1] == (None,) for tensor in (*node.inputs, *outputs)):
        return False
    function: Any = node.call.function
    name, home = function.__name__, function.__module__
    if function is operator.getitem:
        return _leaves_first_axis(*node.arguments)
    if name in _CASES:
        return _CASES[name](*node.arguments, **node.keywords)
    along = home in _ALONG_FILES or name in _ALONG
    if along and "axis" in inspect.signature(function).parameters:
        return _is_along_others(function, node, outputs[0].ndim)
    is_operator = home == operator.add.__module__
    if is_operator or home in _ELEMENTWISE_FILES or name in _ELEMENTWISE:
        return _lines_up(node, outputs[0].ndim)
    return False


def _lines_up(node: Node, ndim: int) -> bool:
    """Whether the rows of everything that goes in are those of what comes out."""
    constants = [one for one in (*node.arguments, *node.keywords.values()) if hasattr(one, "shape")]
    fixed = [np.shape(one) for one in constants if not isinstance(one, SymbolicTensor)]
    apart = all(len(shape) < ndim or shape[0] == 1 for shape in fixed)
    return apart and all(tensor.ndim == ndim for tensor in node.inputs)


def _is_along_others(function: Any, node: Node, ndim: int) -> bool:
    """Whether it works along axes that are not the batch."""
    bound = inspect.signature(function).bind(*node.arguments, **node.keywords)
    bound.apply_defaults()
    axis = bound.arguments["axis"]
    if axis is None:
        return False
    batch = {0, -ndim, *(-tensor.ndim for tensor in node.inputs)}
    return not batch & set(np.atleast_1d(axis).tolist())


def _leaves_first_axis(tensor: SymbolicTensor, index: Any) -> bool:
    indices = index if isinstance(index, tuple) else (index,)
    if symbolic_leaves(list(indices)):
        return False
    if indices[0] is Ellipsis:
        return len(indices) - 1 < tensor.ndim and None not in indices
    return isinstance(indices[0], slice) and indices[0] == slice(None)


def _reshapes_rows(x: SymbolicTensor, newshape: Any) -> bool:
    row, wanted = x.shape[1:], tuple(np.atleast_1d(newshape).tolist())
    sizes = [size for size in row if size is not None]
    return len(sizes) == len(row) and wanted[0] == -1 and math.prod(wanted[1:]) == math.prod(sizes)


def _multiplies_rows(x1: Any, x2: Any) -> bool:
    is_fixed = not isinstance(x2, SymbolicTensor) and np.ndim(x2) == 2
    both = [one.ndim for one in (x1, x2) if isinstance(one, SymbolicTensor)]
    return min(both) >= (2 if is_fixed else 3)


# What needs a look at its arguments; a call with other ones than here is not known.
_CASES: dict[str, Callable[..., bool]] = {
    "reshape": _reshapes_rows,
    "transpose": lambda x, axes=None: axes is not None and next(iter(axes)) == 0,
    "matmul": _multiplies_rows,
    "top_k": lambda x, k=1, sorted=True: x.ndim > 1,
}
