"""What a model is, as the plain records from which pictures and reports are made."""

from __future__ import annotations

import collections
from typing import Any

from doltap.core.graph import Graph, symbolic_leaves
from doltap.core.layer import Layer
from doltap.models.showing import kind_of, shape_of, shapes_inside
from doltap.reporting.diagram.record import Network, Part

__all__ = ["activation_of", "knows_shapes", "network_of"]


def knows_shapes(model: Any) -> bool:
    """Whether the shapes in the model are known; of a Sequential without layers, that of its input is."""
    return model._promises is not None or getattr(model, "first", None) is not None


def network_of(model: Any, *, is_expanded: bool = False) -> Network:
    """The parts of the model and the links between them.

    Args:
        is_expanded: show what the models inside are made of, too.
    """
    graph = model._graph
    if graph is None:
        return _unlinked(model, is_expanded)
    calls, outside = graph.calls, [layer for layer in model.layers if layer not in graph.calls]
    keys = {id(call): str(number) for number, call in enumerate([*calls, *outside])}
    counts = collections.Counter(id(node.call) for node in graph.nodes)
    known = {id(tensor): node for node in graph.nodes for tensor in symbolic_leaves(node.outputs)}
    links = [
        (keys[id(known[id(tensor)].call)], keys[id(node.call)])
        for node in graph.nodes
        for tensor in node.inputs
        if id(tensor) in known
    ]
    parts = [
        _part(model, call, keys[id(call)], {}, is_expanded, counts[id(call)]) for call in [*calls, *outside]
    ]
    return Network(model.name, tuple(parts), tuple(links))


def _unlinked(model: Any, is_expanded: bool) -> Network:
    """The layers of a class with a call of its own, or of a model that is not built yet."""
    seen = shapes_inside(model) if model._promises is not None else {}
    layers = model.layers
    # In the order in which they are called, as far as that is known.
    place = {layer: number for number, layer in enumerate(seen)}
    layers = sorted(layers, key=lambda layer: place.get(layer, len(place)))
    # An input in front of no layer leads nowhere, and is all that there is.
    layers = layers or [first for first in [getattr(model, "first", None)] if first is not None]
    parts = [_part(model, layer, str(number), seen, is_expanded, 1) for number, layer in enumerate(layers)]
    return Network(model.name, tuple(parts), (), has_links=len(parts) < 2)


def _part(model: Any, call: Any, key: str, seen: Any, is_expanded: bool, num_calls: int) -> Part:
    nodes = _nodes_of(model._graph, call)
    output = shape_of(model, call, seen)
    more: dict[str, Any] = {}
    if nodes:
        shapes = [str(tensor.shape) for tensor in nodes[0].inputs]
        more["input_shape"] = shapes[0] if len(shapes) == 1 else ", ".join(shapes)
        more["dtype"] = ", ".join(dict.fromkeys(t.dtype for t in symbolic_leaves(nodes[0].outputs)))
    if isinstance(call, Layer):
        has_weights = bool(call.weights)
        more["parameters"] = call.count_params() if call.built or has_weights else None
        more["is_trainable"] = bool(call.trainable_weights) if has_weights else None
        more["activation"] = activation_of(call)
        more.setdefault("dtype", str(call.compute_dtype))
    inner = is_expanded and isinstance(call, Layer) and hasattr(call, "_graph") and bool(call.layers)
    return Part(
        key,
        call.name,
        kind_of(call),
        _family(call),
        output_shape="" if output == "?" else output,
        num_calls=num_calls,
        inner=network_of(call, is_expanded=True) if inner else None,
        **more,
    )


def _nodes_of(graph: Graph | None, call: Any) -> list[Any]:
    """The calls of a layer in this network; elsewhere, where it has none here."""
    own = [node for node in (graph.nodes if graph is not None else ()) if node.call is call]
    return own or list(call.nodes)


def activation_of(layer: Layer) -> str:
    """The name of the function that a layer ends with; empty where it is none or not known."""
    function = getattr(layer, "activation", None)
    name = getattr(function, "name", None) or getattr(function, "__name__", "")
    return "" if name == "linear" else str(name)


def _family(call: Any) -> str:
    if not isinstance(call, Layer):
        return "operation"
    if type(call).__name__ == "InputLayer":
        return "input"
    if hasattr(call, "_graph"):
        return "model"
    return "weights" if call.weights else "plain"
