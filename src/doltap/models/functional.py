"""A network of calls as a plain dict, and a network from such a dict.

The dicts are those of Keras 3: layers in order, each with the arguments of its
calls, in which a tensor is written as layer, call and output.
"""

from __future__ import annotations

import collections
import inspect
import operator
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap.core import configs
from doltap.core.graph import Graph, Node, Operation, SymbolicTensor, filled_in, symbolic_leaves
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError, ShapeError
from doltap.layers.arrange import InputLayer
from doltap.ops import protocol

__all__ = ["copied", "described", "rebuilt", "with_inputs_of_its_own"]

# The operators that symbolic tensors record, by the name of Keras's operation.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "TrueDivide": operator.truediv,
    "FloorDivide": operator.floordiv,
    "Mod": operator.mod,
    "Power": operator.pow,
    "Matmul": operator.matmul,
    "Less": operator.lt,
    "LessEqual": operator.le,
    "Greater": operator.gt,
    "GreaterEqual": operator.ge,
    "Negative": operator.neg,
    "Absolute": operator.abs,
    "GetItem": operator.getitem,
    "Cast": jnp.astype,
}


# Keras's operations are made with some of a function's arguments and called with the
# others: with tensors, and with what bears one of these names.
_CALLED_WITH = frozenset(
    [
        "x",
        "x1",
        "x2",
        "xs",
        "y",
        "a",
        "b",
        "q",
        "v",
        "array",
        "inputs",
        "condition",
        "operands",
        "values",
        "indices",
        "start",
        "stop",
        "step",
        "key",
        "kernel",
        "bias",
        "target",
        "output",
        "data",
        "segment_ids",
        "targets",
        "predictions",
        "updates",
        "start_indices",
        "index",
        "elements",
        "weights",
    ]
)


def with_inputs_of_its_own(inputs: Any, outputs: Any) -> Graph:
    """The graph from inputs to outputs, where an input may be in the middle of another network.

    Such an input gets an `InputLayer`, and what comes after it is called anew.
    """
    middle = [t for t in symbolic_leaves(inputs) if t.node is None or t.node.inputs]
    if not middle:
        return Graph(inputs, outputs)
    if not any(t.node is not None and t.node.inputs for t in symbolic_leaves(outputs)):
        raise ShapeError(
            "Model(inputs, outputs)",
            expected="what Input() returned as inputs, and what was made of it as outputs",
            got="the two swapped",
            fix="Write Model(inputs, outputs) the other way round.",
        )
    fresh = {id(t): InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name).output for t in middle}
    kept = {id(t): t for t in symbolic_leaves(inputs) if id(t) not in fresh}
    table = {**kept, **fresh}
    beginnings = [*symbolic_leaves(inputs)]
    for node in _nodes_between(beginnings, symbolic_leaves(outputs)):
        arguments, keywords = filled_in((node.arguments, node.keywords), lambda t: table.get(id(t), t))
        outputs_again = filled_in(node.outputs, lambda t: SymbolicTensor(t.shape, t.dtype, t.name))
        Node(node.call, arguments, keywords, outputs_again)
        for old, new in zip(symbolic_leaves(node.outputs), symbolic_leaves(outputs_again), strict=True):
            table.setdefault(id(old), new)
    return Graph(filled_in(inputs, lambda t: table[id(t)]), filled_in(outputs, lambda t: table.get(id(t), t)))


def _nodes_between(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """The nodes behind the outputs down to the inputs, each after those it needs."""
    given = {id(t) for t in inputs}
    done: dict[Node, None] = {}
    path = [t.node for t in outputs if id(t) not in given and t.node is not None]
    while path:
        node = path[-1]
        waiting = [
            t.node for t in node.inputs if id(t) not in given and t.node is not None and t.node not in done
        ]
        if waiting and node not in done:
            path += waiting
        else:
            done[path.pop()] = None
    return [node for node in done if node.inputs]


def copied(
    graph: Graph, copy: Callable[[Any], Any], call: Callable[..., Any], inputs: Any = None
) -> tuple[Any, Any]:
    """The inputs and the outputs of the same network of other layers.

    Args:
        copy: gives the layer or operation to stand for each one.
        call: calls a layer, as f(layer, *arguments, **keywords).
        inputs: symbolic tensors to begin from instead of new inputs.
    """
    table: dict[int, SymbolicTensor] = {}
    if inputs is not None:
        table = dict(zip(map(id, graph.inputs), symbolic_leaves(inputs), strict=True))
    nodes = [node for node in graph.nodes if any(id(t) not in table for t in symbolic_leaves(node.outputs))]
    # In the order of the layers, so that what is drawn for them comes in it.
    needed = {id(node.call) for node in nodes}
    stand_ins = {id(one): copy(one) for one in graph.calls if id(one) in needed}
    for node in nodes:
        stand_in = stand_ins[id(node.call)]
        if not node.inputs:
            table[id(node.outputs)] = stand_in.output
            continue
        arguments, keywords = filled_in((node.arguments, node.keywords), lambda t: table[id(t)])
        is_layer = isinstance(stand_in, Layer)
        outputs = (call if is_layer else _simply)(stand_in, *arguments, **keywords)
        table.update(zip(map(id, symbolic_leaves(node.outputs)), symbolic_leaves(outputs), strict=True))
    structures = graph.input_structure, graph.output_structure
    begin, end = (filled_in(structure, lambda t: table[id(t)]) for structure in structures)
    return begin if inputs is None else inputs, end


def _simply(call: Any, *arguments: Any, **keywords: Any) -> Any:
    return call(*arguments, **keywords)


def described(graph: Graph) -> dict[str, Any]:
    """The layers and their calls, the inputs and the outputs, as Keras 3 writes them."""
    numbers = {
        id(node): number
        for call in graph.calls
        for number, node in enumerate(node for node in graph.nodes if node.call is call)
    }

    def place(tensor: SymbolicTensor) -> list[Any]:
        node = tensor.node
        assert node is not None
        outputs = symbolic_leaves(node.outputs)
        return [node.call.name, numbers[id(node)], next(i for i, t in enumerate(outputs) if t is tensor)]

    def end(tensor: SymbolicTensor) -> list[Any]:
        name, number, output = place(tensor)
        return [name, number + _first_number(tensor.node.call), output]  # type: ignore[union-attr]

    def tensor_config(tensor: SymbolicTensor) -> dict[str, Any]:
        config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": place(tensor)}
        return {"class_name": "__keras_tensor__", "config": config}

    layers = []
    for call in graph.calls:
        nodes = [node for node in graph.nodes if node.call is call and node.inputs]
        calls = [
            {
                "args": _plain(filled_in(arguments, tensor_config)),
                "kwargs": _plain(filled_in(keywords, tensor_config)),
            }
            for arguments, keywords, _ in map(_parted, nodes)
        ]
        made_with = _parted(nodes[0])[2] if nodes else {}
        layers.append({**_call_config(call, made_with), "name": call.name, "inbound_nodes": calls})
    return {
        "layers": layers,
        "input_layers": filled_in(graph.input_structure, end),
        "output_layers": filled_in(graph.output_structure, end),
    }


def _first_number(call: Any) -> int:
    """Where inputs and outputs are named, Keras counts the calls of a network inside a network from 1."""
    return int(vars(call).get("_graph") is not None and call.kept_in[1] == "Functional")


def _parted(node: Node) -> tuple[Any, Any, dict[str, Any]]:
    """The arguments and keywords of a call, and those with which Keras makes the operation instead."""
    if isinstance(node.call, Layer):
        return node.arguments, node.keywords, {}
    function = node.call.function
    if function is jnp.astype:
        return node.arguments[:1], {}, {"dtype": node.arguments[1]}
    if function in _OPERATORS.values():
        return node.arguments, node.keywords, {}
    bound = inspect.signature(function).bind(*node.arguments, **node.keywords)
    called_with, made_with = list[Any](), dict[str, Any]()
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            called_with += value
        elif symbolic_leaves(value) or name in _CALLED_WITH:
            called_with.append(value)
        else:
            made_with[name] = value
    return called_with, {}, made_with


def _plain(value: Any) -> Any:
    """Arguments of a call as JSON can hold them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, slice):
        limits = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": limits}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (type, np.dtype)):
        return np.dtype(value).name
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
    return value


def _call_config(call: Any, made_with: dict[str, Any]) -> dict[str, Any]:
    if isinstance(call, Layer):
        return configs.serialize(call)
    config = {"name": call.name, **_plain(made_with)}
    name = next((name for name, function in _OPERATORS.items() if function is call.function), None)
    if name is None and getattr(call.function, "__name__", None) not in protocol.names:
        raise NotSupportedError(
            f"operation '{call.name}'",
            expected="a function of doltap.ops",
            got=repr(call.function),
            fix="Put your own function into a layer's call.",
        )
    name = name or protocol.class_name_of(call.function)
    return {"module": "keras.src.ops", "class_name": name, "config": config, "registered_name": name}


def rebuilt(config: dict[str, Any]) -> Graph:
    """The network that `described` wrote, or Keras 3."""
    made: dict[str, Any] = {}
    waiting: dict[str, collections.deque[dict[str, Any]]] = {}
    for layer in config["layers"]:
        call = made[layer["name"]] = _call_from(layer)
        waiting[layer["name"]] = collections.deque(
            _called_again(call, called, layer) for called in layer["inbound_nodes"]
        )
    nodes: dict[str, list[Node]] = {
        name: list(call.nodes[:1]) if isinstance(call, InputLayer) else [] for name, call in made.items()
    }

    def tensor_at(place: Any) -> SymbolicTensor:
        name, number, output = place
        return symbolic_leaves(nodes[name][number].outputs)[output]

    def end(place: Any) -> SymbolicTensor:
        return tensor_at([place[0], place[1] - _first_number(made[place[0]]), place[2]])

    for name in _in_order(waiting, nodes):
        called = waiting[name].popleft()
        made[name](*_filled(called["args"], tensor_at), **_filled(called["kwargs"], tensor_at))
        nodes[name].append(made[name].nodes[-1])
    left = sorted(name for name, calls in waiting.items() if calls)
    if left:
        raise NotSupportedError(
            "Model.from_config",
            expected="calls that can be made one after the other",
            got=f"calls of {left} that wait for each other",
            fix="The configuration is damaged.",
        )
    return Graph(_places(config["input_layers"], end), _places(config["output_layers"], end))


def _in_order(
    waiting: dict[str, collections.deque[dict[str, Any]]], nodes: dict[str, list[Node]]
) -> Iterator[str]:
    """The names of the layers whose next call can be made, round by round.

    Who takes a name makes its call, before the next is taken. A layer is looked
    at again when what its call lacks is there, so that large networks take time
    in proportion to their size.
    """
    place = {name: number for number, name in enumerate(waiting)}
    waiters: dict[tuple[str, int], list[str]] = {}
    lacks: dict[str, int] = {}
    front = [name for name in waiting if waiting[name]]
    while front:
        ready, behind = [], []
        for name in front:
            missing = {
                (other, number) for other, number in _taken(waiting[name][0]) if number >= len(nodes[other])
            }
            lacks[name] = len(missing)
            for source in missing:
                waiters.setdefault(source, []).append(name)
            ready += [] if missing else [name]
        for name in ready:
            # The calls of one layer are numbered: they are made in their order.
            number = len(nodes[name])
            yield name
            for waiter in waiters.pop((name, number), ()):
                lacks[waiter] -= 1
                behind += [] if lacks[waiter] else [waiter]
            behind += [name] if waiting[name] else []
        front = sorted(behind, key=place.__getitem__)


def _call_from(layer: dict[str, Any]) -> Any:
    if not _is_operation(layer):
        return configs.deserialize(layer)
    name = layer["class_name"]
    return Operation(_OPERATORS.get(name) or protocol.names.find(name), layer["config"].get("name"))


def _is_operation(layer: dict[str, Any]) -> bool:
    return str(layer.get("module", "")).startswith("keras.src.ops")


def _called_again(call: Any, called: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, with those with which Keras made the operation among them."""
    arguments, keywords = list(called["args"]), dict(called["kwargs"])
    if isinstance(call, Layer):
        # Keras also writes what was not given, such as mask=None.
        given = {key: value for key, value in keywords.items() if value is not None or key in call._takes}
        return {"args": arguments, "kwargs": given}
    function = call.function
    if function is operator.getitem and isinstance(arguments[1], list):
        arguments[1] = tuple(arguments[1])
    made_with = {key: value for key, value in layer["config"].items() if key != "name"}
    if function is jnp.astype:
        return {"args": [*arguments, made_with["dtype"]], "kwargs": {}}
    if function not in _OPERATORS.values():
        parameters = inspect.signature(function).parameters.values()
        if any(one.kind is one.VAR_POSITIONAL for one in parameters):
            # What stands in front of any number of arguments can only be given by its place.
            arguments = [made_with.pop(one.name) for one in parameters if one.name in made_with] + arguments
    return {"args": arguments, "kwargs": {**made_with, **keywords}}


def _taken(called: Any) -> Iterator[tuple[str, int]]:
    """The calls, by layer and number, whose tensors a call takes."""
    if isinstance(called, dict) and called.get("class_name") == "__keras_tensor__":
        name, number, _ = called["config"]["keras_history"]
        yield name, number
    elif isinstance(called, (dict, list, tuple)):
        for item in called.values() if isinstance(called, dict) else called:
            yield from _taken(item)


def _filled(value: Any, tensor_at: Callable[[Any], SymbolicTensor]) -> Any:
    """The arguments of a call, as `_plain` wrote them, with tensors in their places."""
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(item, tensor_at) for item in value)
    if not isinstance(value, dict):
        return value
    config: Any = value.get("config")
    match value.get("class_name"):
        case "__keras_tensor__":
            return tensor_at(config["keras_history"])
        case "__slice__":
            return slice(config["start"], config["stop"], config["step"])
        case "__ellipsis__":
            return Ellipsis
        case "__numpy__":
            return jnp.asarray(config["value"], config["dtype"])
    return {key: _filled(item, tensor_at) for key, item in value.items()}


def _places(value: Any, tensor_at: Callable[[Any], SymbolicTensor]) -> Any:
    """The tensors at the places in a nested structure; a place is [name, call, output]."""
    if isinstance(value, dict):
        return {key: _places(item, tensor_at) for key, item in value.items()}
    is_place = isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str)
    if is_place and isinstance(value[1], int):
        return tensor_at(value)
    return [_places(item, tensor_at) for item in value]
