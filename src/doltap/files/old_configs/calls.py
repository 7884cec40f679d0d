"""The calls in a network: nested lists in Keras 1 and 2, arguments and keywords in Keras 3.

Keras 2 wrote a tensor as [layer, call, output], with the keywords of the call
behind the first of them. It counted the calls of a network inside a network
from 1, because the network itself was the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doltap.errors import NotSupportedError
from doltap.files.old_configs import operations

__all__ = ["NETWORKS", "modern_network", "old_network"]

NETWORKS = ("Functional", "Model", "Sequential")


def modern_network(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a Functional model with its calls, inputs and outputs as Keras 3 writes them."""
    layers = config["layers"]
    calls = [call for layer in layers for call in layer["inbound_nodes"]]
    if any(isinstance(call, dict) and "args" in call for call in calls):
        return config
    firsts = _first_numbers(config)

    def tensor(place: list[Any]) -> dict[str, Any]:
        name, number, output = place[:3]
        history = [name, number - firsts[name], output]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}

    made = []
    for layer in layers:
        calls = [_modern_call(call, firsts, tensor) for call in layer["inbound_nodes"]]
        if operations.is_function_layer(layer) and calls:
            made.append(operations.modern_operation(layer["name"], layer["config"], calls[0]))
        else:
            made.append({**layer, "inbound_nodes": calls})

    functional = {layer["name"] for layer in layers if layer["class_name"] == "Functional"}

    def end(place: list[Any]) -> list[Any]:
        # Keras 3 counts from 1 here alone, and for Functional models only.
        name, number, output = place[:3]
        return [name, number - firsts[name] + int(name in functional), output]

    ends = {key: _alone(_mapped(config[key], firsts, end)) for key in ("input_layers", "output_layers")}
    return {**config, "layers": made, **ends}


def _first_numbers(config: dict[str, Any]) -> dict[str, int]:
    """For each layer the number of its first call: 1 for networks, unless the file refers to call 0."""
    layers = config["layers"]
    ends = [config["input_layers"], config["output_layers"]]
    names = {layer["name"]: 0 for layer in layers}
    referred = {
        (place[0], place[1]) for place in _places([layer["inbound_nodes"] for layer in layers], names)
    }
    referred |= {(place[0], place[1]) for place in _places(ends, names)}
    for layer in layers:
        name = layer["name"]
        if layer["class_name"] in NETWORKS and (name, 0) not in referred:
            names[name] = 1
    return names


def _places(value: Any, names: dict[str, int]) -> Iterable[list[Any]]:
    if _is_place(value, names):
        yield value
        value = value[3:]
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, (list, tuple, dict)):
        for one in inside:
            yield from _places(one, names)


def _is_place(value: Any, names: dict[str, int]) -> bool:
    is_long = isinstance(value, list) and len(value) in (3, 4)
    return is_long and isinstance(value[0], str) and value[0] in names and isinstance(value[1], int)


def _modern_call(call: Any, names: dict[str, int], tensor: Any) -> dict[str, Any]:
    """The arguments and keywords of a call."""
    keywords: dict[str, Any] = {}
    for place in [call, *(call if isinstance(call, list) else [])]:
        is_constant = isinstance(place, list) and place[:1] == [operations.CONSTANT]
        if (is_constant or _is_place(place, names)) and len(place) == 4:
            keywords |= place[3] or {}
    if isinstance(call, list) and call[:1] == [operations.CONSTANT]:
        argument: Any = call[2]
    elif _is_place(call, names):
        argument = tensor(call)
    else:
        argument = _mapped(call, names, tensor)
        argument = argument[0] if isinstance(call, list) and len(call) == 1 else argument
    given = {key: _mapped(value, names, tensor) for key, value in keywords.items()}
    return {"args": [argument], "kwargs": given}


def _mapped(value: Any, names: dict[str, int], tensor: Any) -> Any:
    """The value with every place in it replaced; other lists and dicts keep their form."""
    if _is_place(value, names):
        return tensor(value)
    if isinstance(value, dict):
        return {key: _mapped(one, names, tensor) for key, one in value.items()}
    return [_mapped(one, names, tensor) for one in value] if isinstance(value, list) else value


def _alone(ends: Any) -> Any:
    """The one place of a list of one, as Keras 3 writes it."""
    is_one = isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list)
    return ends[0] if is_one else ends


def old_network(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a Functional model with its calls, inputs and outputs as Keras 2 writes them.

    Raises:
        NotSupportedError: a call that Keras 2 could not write down.
    """
    layers = config["layers"]
    # A Sequential without its input in front is no network yet when Keras 2 reads it.
    firsts = {layer["name"]: int(_has_own_call(layer)) for layer in layers}
    functional = {layer["name"] for layer in layers if layer["class_name"] == "Functional"}

    def old_value(value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            name, number, output = value["config"]["keras_history"]
            return [name, number + firsts[name], output]
        if isinstance(value, dict) and value.get("class_name") == "__numpy__":
            return value["config"]["value"]
        if isinstance(value, dict):
            return {key: old_value(one) for key, one in value.items()}
        return [old_value(one) for one in value] if isinstance(value, (list, tuple)) else value

    def end(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: end(one) for key, one in value.items()}
        if _is_end(value):
            name, number, output = value
            return [name, number - int(name in functional) + firsts[name], output]
        return [end(one) for one in value]

    made = []
    for layer in layers:
        if operations.is_operation(layer):
            made.append(operations.old_operation(layer, old_value))
        else:
            calls = [_old_call(layer["name"], call, old_value) for call in layer["inbound_nodes"]]
            made.append({**layer, "inbound_nodes": calls})
    ends = {key: _listed(end(config[key])) for key in ("input_layers", "output_layers")}
    return {**config, "layers": made, **ends}


def _has_own_call(layer: dict[str, Any]) -> bool:
    """Whether Keras 2 counts the layer's calls from 1."""
    if layer["class_name"] not in NETWORKS or "layers" not in layer["config"]:
        return False
    inside = layer["config"]["layers"]
    return layer["class_name"] != "Sequential" or (bool(inside) and inside[0]["class_name"] == "InputLayer")


def _old_call(name: str, call: dict[str, Any], old_value: Any) -> Any:
    keywords = {key: old_value(value) for key, value in call["kwargs"].items() if value is not None}
    if len(call["args"]) != 1:
        raise _unwritable(name, f"a call with {len(call['args'])} arguments")
    inputs = old_value(call["args"][0])
    places = inputs.values() if isinstance(inputs, dict) else [inputs] if _is_end(inputs) else inputs
    if not all(_is_end(place) for place in places):
        raise _unwritable(name, "lists of tensors in a list")
    if isinstance(inputs, dict):
        return {key: [*place, keywords] for key, place in inputs.items()}
    return [[*place, keywords] for place in places]


def _is_end(value: Any) -> bool:
    """Whether this is a tensor as [layer, call, output]."""
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)


def _unwritable(layer: str, got: str) -> NotSupportedError:
    return NotSupportedError(
        f"layer '{layer}'",
        expected="tensors as its first argument, and keywords: HDF5 holds what Keras 2 could write down",
        got=got,
        fix="Name all arguments but the first in the call, or save the model as .keras.",
    )


def _listed(ends: Any) -> Any:
    return [ends] if _is_end(ends) else ends
