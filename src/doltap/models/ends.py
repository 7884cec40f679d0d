"""What is given to a network, brought to what its inputs promise: order, rank and type."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from doltap.core.graph import Graph, SymbolicTensor
from doltap.errors import ShapeError
from doltap.models import arguments

__all__ = ["agrees", "as_promised", "first_user", "in_order"]


def in_order(graph: Graph, x: Any, model: str) -> list[Any]:
    """The inputs in the order of the graph's, from a list, a dict by name, or a single one."""
    names, structure = [tensor.name for tensor in graph.inputs], graph.input_structure
    if isinstance(structure, dict) and not isinstance(x, dict) and list(structure) != sorted(structure):
        raise ShapeError(
            f"the inputs of model '{model}'",
            expected=f"a dict with the keys {list(structure)}, as the model was made with one",
            got=f"a {type(x).__name__}",
            fix="Pass a dict; in a list their order would not be clear.",
        )
    if isinstance(x, dict):
        keyed = sorted(structure) if isinstance(structure, dict) else names
        for key in keyed:
            if key not in x:
                raise ShapeError(
                    f"the inputs of model '{model}'",
                    expected=f"an array for each of {keyed}",
                    got=f"none for '{key}'; there are {list(x)}",
                    fix="The keys of the dict are the names of the inputs.",
                )
        values = [x[key] for key in keyed]
        if len(values) == len(names):
            return values
        return [leaf for value in values for leaf in jax.tree.leaves(value)]
    values = jax.tree.leaves(x)
    if len(values) != len(names):
        raise ShapeError(
            f"the inputs of model '{model}'",
            expected=f"{len(names)}" + (f" ({', '.join(map(repr, names))})" if len(names) > 1 else ""),
            got=f"{len(values)}",
            fix="Pass a list in the order of the inputs, or a dict with their names."
            if len(names) > 1
            else "Pass one array.",
        )
    return values


def as_promised(tensor: SymbolicTensor, value: Any) -> Any:
    """The input in the rank that was promised, and in the type where that has fractions."""
    is_text = tensor.dtype == "string" or isinstance(value, SymbolicTensor)
    if not is_text and value.ndim != tensor.ndim:
        value = arguments.with_rank(value, tensor.shape)
    if is_text or not np.issubdtype(np.dtype(tensor.dtype), np.floating) or value.dtype == tensor.dtype:
        return value
    return value.astype(tensor.dtype)


def agrees(have: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether a shape is one that was promised."""
    return len(have) == len(wanted) and all(
        want in (None, size) for size, want in zip(have, wanted, strict=True)
    )


def first_user(graph: Graph, tensor: SymbolicTensor) -> str:
    """The name of the first layer that takes this input."""
    for node in graph.nodes:
        if any(one is tensor for one in node.inputs):
            return str(node.call.name)
    return tensor.name
