"""The table of a model's layers, for `summary`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from doltap import notes, random, reporting
from doltap.core.graph import Graph, promised, symbolic_leaves
from doltap.core.layer import Layer
from doltap.core.tensors import lend, unchanged
from doltap.errors import UnknownNameError

__all__ = ["followed", "kind_of", "shape_of", "shapes_inside", "summary"]


def summary(
    model: Any,
    *,
    width: int | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Any,
) -> None:
    """Print the table of layers, their output shapes, numbers of parameters and connections."""
    graph = model._graph
    branches = graph is not None and _branches(graph)
    lines = list(_lines(model, branches, expand_nested, show_trainable))
    if layer_range is not None:
        lines = _between(lines, *layer_range)
    moving, fixed = model.variables_by_role()
    optimizer = model.optimizer
    slots = optimizer.variables if optimizer is not None and optimizer.is_built else []
    groups = [("Trainable params", moving), ("Non-trainable params", fixed)]
    groups += [("Optimizer params", slots)] if slots else []
    everything = [*moving, *fixed, *slots]
    totals = [_total(label, group) for label, group in [("Total params", everything), *groups]]
    columns = ["Layer (type)", "Output Shape", "Param #"]
    columns += ["Connected to"] if branches else []
    columns += ["Trainable"] if show_trainable else []
    reporting.summary.print_summary(model.name, columns, lines, totals, print_fn, width)


def _branches(graph: Graph) -> bool:
    """Whether some layer does not simply follow the one before it."""
    is_row = all(len(node.inputs) <= 1 for node in graph.nodes)
    return not is_row or len({node.call for node in graph.nodes}) != len(graph.nodes) or len(graph.inputs) > 1


def _lines(
    model: Any, branches: bool, expand_nested: bool, show_trainable: bool, depth: int = 0
) -> Iterator[list[str]]:
    graph = model._graph
    calls = model.layers if graph is None or _is_row(model) else [*graph.calls, *_beside(model, graph)]
    seen = shapes_inside(model) if graph is None and model._promises is not None else {}
    for call in calls:
        name = f"{'  ' * depth}{call.name} ({kind_of(call)})"
        line = [name, shape_of(model, call, seen), _parameters(call)]
        if branches:
            line.append(", ".join(_connections(graph, call)) if graph is not None else "-")
        if show_trainable:
            has_weights = isinstance(call, Layer) and bool(call.weights)
            line.append(("Y" if call.trainable else "N") if has_weights else "-")
        yield line
        if expand_nested and hasattr(call, "_graph"):
            yield from _lines(call, branches, expand_nested, show_trainable, depth + 1)


def _is_row(model: Any) -> bool:
    """Whether it is a Sequential, which shows no input."""
    return hasattr(model, "pop")


def _beside(model: Any, graph: Graph) -> list[Layer]:
    listed = {id(call) for call in graph.calls}
    return [layer for layer in model.layers if id(layer) not in listed]


def kind_of(call: Any) -> str:
    """What a layer or an operation is, in one word."""
    if isinstance(call, Layer):
        return "Functional" if type(call).__name__ == "Model" else type(call).__name__
    return "".join(part.capitalize() for part in re.sub(r"_\d+$", "", call.name).split("_"))


def _parameters(call: Any) -> str:
    if not isinstance(call, Layer):
        return "0"
    return f"{call.count_params():,}" if call.built or call.weights else "?"


@contextlib.contextmanager
def followed(variables: Sequence[Any], arrays: Sequence[Any]) -> Iterator[dict[Any, Any]]:
    """Inside the `with`, a call changes nothing; what each layer gives in it, as they come.

    Args:
        arrays: what the variables hold meanwhile.
    """
    with (
        lend(variables, arrays),
        random.key_scope(random.words(0), 0),
        unchanged(),
        notes.taken() as taken,
    ):
        outputs: dict[Any, Any] = {}
        taken.outputs = outputs
        yield outputs


def shapes_inside(model: Any) -> dict[Layer, Any]:
    """The shape of what each layer gives in a call of the class; none where it cannot be followed."""
    layers = list[Layer]()

    def look(inputs: Any) -> Any:
        with followed(model.weights, [v.array for v in model.weights]) as outputs:
            model(inputs)
            layers[:] = outputs
            return list(outputs.values())

    # A call that needs more than its input, or values, cannot be followed.
    with contextlib.suppress(Exception):
        found = promised(look, (model._promises[0],), {}, model.name)
        return dict(zip(layers, jax.tree.map(lambda tensor: tensor.shape, found), strict=True))
    return {}


def shape_of(model: Any, call: Any, seen: dict[Layer, Any]) -> str:
    """The shape of what a layer gives, as text; "?" where it is not known.

    Args:
        seen: what `shapes_inside` found.
    """
    graph = model._graph
    if call in seen:
        return str(seen[call])
    own = [node for node in (graph.nodes if graph is not None else ()) if node.call is call]
    nodes = own or call.nodes
    if not nodes:
        shapes = getattr(call, "_promises", None)
        return "?" if shapes is None else str(call.output_shape)
    shape = jax.tree.map(lambda tensor: tensor.shape, nodes[0].outputs)
    return str(shape)


def _connections(graph: Graph, call: Any) -> list[str]:
    found = []
    for node in graph.nodes:
        if node.call is not call:
            continue
        for tensor in node.inputs:
            source = tensor.node
            assert source is not None
            calls = [other for other in graph.nodes if other.call is source.call]
            place = next(i for i, t in enumerate(symbolic_leaves(source.outputs)) if t is tensor)
            found.append(f"{source.call.name}[{calls.index(source)}][{place}]")
    return found or ["-"]


def _between(lines: list[list[str]], first: str, last: str) -> list[list[str]]:
    names = [line[0].split(" (")[0].strip() for line in lines]

    def find(pattern: str) -> list[int]:
        found = [number for number, name in enumerate(names) if re.match(pattern, name)]
        if not found:
            raise UnknownNameError.of("layer in layer_range", pattern, names)
        return found

    return lines[find(first)[0] : find(last)[-1] + 1]


def _total(label: str, group: list[Any]) -> tuple[str, int, int]:
    size = sum(v.size * np.dtype(v.array.dtype).itemsize for v in group)
    return label, sum(v.size for v in group), size
