"""Objects of every family as plain values, and back: what files say beside the layers themselves.

Names stay names; objects are described as Keras 3 describes them; functions
are written by name, and those of the user's own only found again among what
the caller passed or registered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import (
    activations,
    constraints,
    dtypes,
    initializers,
    losses,
    metrics,
    optimizers,
    registry,
    regularizers,
)
from doltap.core import configs
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError, printable
from doltap.registry import explained

__all__ = ["deserialize_keras_object", "serialize_keras_object", "settings_from"]

# The family that Keras means by a module.
_FAMILIES: dict[str, Callable[[Any], Any]] = {
    "keras": lambda config: (
        dtypes.get(config) if "Policy" in str(config["class_name"]) else configs.deserialize(config)
    ),
    "keras.activations": activations.deserialize,
    "keras.constraints": constraints.deserialize,
    "keras.dtype_policies": dtypes.deserialize,
    "keras.initializers": initializers.deserialize,
    "keras.layers": configs.deserialize,
    "keras.losses": losses.deserialize,
    "keras.metrics": metrics.deserialize,
    "keras.optimizers": optimizers.deserialize,
    "keras.optimizers.schedules": optimizers.schedules.deserialize,
    "keras.regularizers": regularizers.deserialize,
}


def serialize_keras_object(obj: Any) -> Any:
    """Any object as plain values: `{"module", "class_name", "config", "registered_name"}` and the like.

    >>> serialize_keras_object([1, "relu", None])
    [1, 'relu', None]
    >>> serialize_keras_object(losses.MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    if isinstance(obj, Layer):
        return configs.serialize(obj)
    if isinstance(obj, registry.Configured):
        return registry.described(obj, _module_of(type(obj).__module__))
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(value) for value in obj]
    if callable(obj) and not isinstance(obj, type):
        return _of_function(obj)
    return _of_value(obj)


def _module_of(ours: str) -> str:
    """The module of Keras for one of ours."""
    name = ours.replace("doltap.", "keras.", 1)
    return next(
        (family for family in sorted(_FAMILIES, reverse=True) if f"{name}.".startswith(f"{family}.")), name
    )


def _of_function(function: Any) -> dict[str, Any]:
    name = registry.get_registered_name(function) if hasattr(function, "__name__") else ""
    if not name or name == "<lambda>":
        raise NotSupportedError(
            "serialize_keras_object",
            expected="a function with a name",
            got=printable(repr(function)),
            fix="Code is never saved; define the function with def, and register it.",
        )
    is_plain = name == function.__name__
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function" if is_plain else name,
    }


def _of_value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, jax.Array)):
        kind = "__numpy__" if isinstance(value, np.ndarray) else "__tensor__"
        return {"class_name": kind, "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
    if isinstance(value, slice):
        limits = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": limits}
    if isinstance(value, bytes):
        return {"class_name": "__bytes__", "config": {"value": value.decode()}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    raise NotSupportedError(
        "serialize_keras_object",
        expected="something with a get_config(), or plain values",
        got=f"{printable(repr(value))} of type {type(value).__name__}",
        fix="Give its class get_config(self) and from_config(cls, config).",
    )


@explained
def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """What `serialize_keras_object` described, here or in Keras.

    Args:
        custom_objects: classes and functions of your own by name.
        safe_mode: accepted and not needed: there is no other mode.

    >>> deserialize_keras_object(serialize_keras_object(losses.Huber(0.5))).delta
    0.5
    """
    with registry.custom_object_scope(custom_objects or {}):
        return _made(config)


def _made(config: Any) -> Any:
    if isinstance(config, (list, tuple)):
        return [_made(item) for item in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config") or {}
    if name is None:
        return {key: _made(item) for key, item in config.items()}
    match name:
        case "function":
            return _function(config)
        case "__numpy__":
            return np.asarray(inner["value"], inner["dtype"])
        case "__tensor__":
            return jnp.asarray(inner["value"], inner["dtype"])
        case "__slice__":
            return slice(inner["start"], inner["stop"], inner["step"])
        case "__bytes__":
            return str(inner["value"]).encode()
        case "__ellipsis__":
            return Ellipsis
        case "__tuple__":
            return tuple(_made(item) for item in config["items"])
    return _object(config)


def _object(config: dict[str, Any]) -> Any:
    """An object of the family that the module names, or of a class of the user's own."""
    name, registered = str(config["class_name"]), config.get("registered_name")
    if name.startswith("__"):
        raise NotSupportedError(
            "deserialize_keras_object",
            expected="values, and names of classes",
            got=f"'{printable(name)}'" + (", which is code" if name == "__lambda__" else ""),
            fix="A file cannot bring code along; register a function and name it.",
        )
    family = _FAMILIES.get(str(config.get("module")))
    own = registry.get_registered_object(str(registered or name)) or registry.get_registered_object(name)
    if family is None and own is not None and name not in configs.names:
        return configs.deserialize(config) if _is_layer(own) else own.from_config(config.get("config") or {})
    return (family or configs.deserialize)(config)


def _is_layer(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, Layer)


def _function(config: dict[str, Any]) -> Any:
    """The function of ours, or of the user's, that goes by this name."""
    registered, name = config.get("registered_name"), str(config["config"])
    name = name if registered in (None, "function") else str(registered)
    for family in (activations.names, losses.functions):
        if name in family:
            return family.find(name)
    found = registry.get_registered_object(name)
    return activations.names.find(name) if found is None else found


# The settings of `compile`.


def settings_from(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` from a description of them, by us or by Keras."""
    made = {key: value for key, value in config.items() if value is not None}
    if "optimizer" in made:
        made["optimizer"] = optimizers.deserialize(made["optimizer"])
    for key in ("loss", "metrics", "weighted_metrics"):
        if key in made:
            made[key] = _measured(made[key], losses.get if key == "loss" else metrics.get)
    return made


def _measured(value: Any, get: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_measured(item, get) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _measured(item, get) for key, item in value.items()}
    if isinstance(value, dict) and value["class_name"] == "function":
        registered = value.get("registered_name")
        value = value["config"] if registered in (None, "function") else registered
    if isinstance(value, str):
        return _named(value, get)
    if not isinstance(value, dict):
        return value
    # Whoever registered a class under a longer name means that one.
    registered = str(value.get("registered_name"))
    own = registry.get_registered_object(registered) if ">" in registered else None
    return get(value) if own is None else own.from_config(value.get("config") or {})


def _named(name: str, get: Callable[[Any], Any]) -> Any:
    """A name of ours as it is; otherwise what the user calls so."""
    own = registry.get_registered_object(name)
    if own is not None and not any(
        name in family for family in (losses.names, losses.functions, metrics.names)
    ):
        return own
    get(name)  # An unknown name is an error.
    return name
