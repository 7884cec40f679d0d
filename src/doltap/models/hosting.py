"""Strings are looked up on the host, in front of the compiled network.

The calls that take strings are run with NumPy when the data is prepared; what
they give goes into the program together with the inputs that are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from doltap.core.graph import Graph, symbolic_leaves
from doltap.errors import DataError, NotSupportedError

__all__ = ["Front", "Looked", "as_texts", "front_of", "is_text"]


@jax.tree_util.register_pytree_node_class
class Looked:
    """The values with which the compiled part of a network begins, in the order of `Front.begin`."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = list(values)

    def tree_flatten(self) -> tuple[list[Any], None]:
        """As JAX asks for it."""
        return self.values, None

    @classmethod
    def tree_unflatten(cls, _: None, values: Sequence[Any]) -> Looked:
        """As JAX asks for it."""
        return cls(values)


class Front:
    """The part of a network that takes strings.

    Raises:
        NotSupportedError: something takes strings that only computes with numbers.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = [node for node in graph.nodes if any(_is_text(tensor) for tensor in node.inputs)]
        for node in self._nodes:
            if not getattr(node.call, "on_host", False):
                raise NotSupportedError(
                    f"'{node.call.name}'",
                    expected="numbers",
                    got=f"strings from '{node.inputs[0].name}'",
                    fix="Put StringLookup or Hashing in front of it; only they take strings.",
                )
        made = [tensor for node in self._nodes for tensor in symbolic_leaves(node.outputs)]
        # The tensors with which the compiled part begins.
        self.begin = [tensor for tensor in (*graph.inputs, *made) if not _is_text(tensor)]

    def looked_up(self, values: Sequence[Any]) -> Looked:
        """The strings among the inputs looked up, and the rest as it is."""
        known = self._graph.run_nodes(
            self._nodes, dict(zip(map(id, self._graph.inputs), values, strict=True))
        )
        return Looked([np.asarray(known[id(tensor)]) for tensor in self.begin])

    def run(self, looked: Looked) -> Any:
        """The outputs of the network for what was looked up."""
        known = dict(zip(map(id, self.begin), looked.values, strict=True))
        return self._graph.outputs_of(known, without=self._nodes)


def front_of(graph: Graph) -> Front | None:
    """The part of a network that takes strings; None where it takes none."""
    return Front(graph) if any(_is_text(tensor) for tensor in graph.inputs) else None


def as_texts(data: Any, what: str) -> np.ndarray:
    """The data as an array of strings, rows first."""
    array = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
    if array.ndim == 0 or array.dtype.kind not in "USO":
        raise DataError(
            what,
            expected="strings, because the input has dtype='string'",
            got=f"{array.dtype} of shape {array.shape}",
            fix="Turn the column into text: .astype(str).",
        )
    return array


def is_text(data: Any) -> bool:
    """Whether the data is strings, one or more a row."""
    if isinstance(data, (dict, type(None))) or hasattr(data, "__next__"):
        return False
    array = data if isinstance(data, np.ndarray) else np.asarray(data) if _is_table(data) else np.zeros(0)
    if array.dtype.kind == "O":
        return array.size > 0 and isinstance(array.reshape(-1)[0], (str, bytes))
    return array.dtype.kind in "US"


def _is_table(data: Any) -> bool:
    return hasattr(data, "to_numpy") or (isinstance(data, (list, tuple)) and _first_of(data) in (str, bytes))


def _first_of(data: Any) -> type:
    """The type of the first thing in lists of lists."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return type(data)


def _is_text(tensor: Any) -> bool:
    return tensor.dtype == "string"
