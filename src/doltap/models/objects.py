"""The settings of `compile` as a file has them, and what they stand for.

Names stay names; objects are described as Keras 3 describes them; functions of
the user's own are written by name, and only found again among what the caller
passed or registered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from doltap import losses, metrics, optimizers, registry
from doltap.losses import Loss
from doltap.metrics import Metric
from doltap.optimizers import Optimizer

__all__ = ["described_settings", "settings_from"]


def described_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` as plain values."""
    return {key: _described(value) for key, value in settings.items()}


def _described(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_described(item) for item in value]
    if isinstance(value, Optimizer):
        return optimizers.serialize(value)
    if isinstance(value, (Loss, Metric)):
        return (losses if isinstance(value, Loss) else metrics).serialize(value)
    if isinstance(value, (np.generic, np.ndarray)) or hasattr(value, "__jax_array__"):
        return np.asarray(value).tolist()
    if callable(value) and not isinstance(value, type):
        return _described_function(value)
    if isinstance(value, type):
        return _described(value())
    return value


def _described_function(function: Any) -> dict[str, Any]:
    name = registry.get_registered_name(function)
    registered = "function" if name == getattr(function, "__name__", "") else name
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": registered}


def settings_from(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` that `described_settings` wrote, or Keras."""
    made = dict(config)
    if made.get("optimizer") is not None:
        made["optimizer"] = optimizers.deserialize(made["optimizer"])
    for key in ("loss", "metrics", "weighted_metrics"):
        if made.get(key) is not None:
            made[key] = _made(made[key], losses.get if key == "loss" else metrics.get)
    return {key: value for key, value in made.items() if value is not None}


def _made(value: Any, get: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_made(item, get) for item in value]
    if isinstance(value, str):
        return _named(value, get)
    if not isinstance(value, dict):
        return value
    name, registered = value.get("class_name"), value.get("registered_name")
    if name is None:
        return {key: _made(item, get) for key, item in value.items()}
    if name == "function":
        return _named(str(registered if registered not in (None, "function") else value["config"]), get)
    # Whoever registered a class under a longer name means that one.
    own = registry.get_registered_object(registered) if registered and ">" in registered else None
    return get(value) if own is None else own.from_config(value.get("config") or {})


def _named(name: str, get: Callable[[Any], Any]) -> Any:
    """A name of ours as it is; otherwise what the user calls so."""
    own = registry.get_registered_object(name)
    if own is not None and name.lower() not in {*losses.names, *losses.functions, *metrics.names}:
        return own
    get(name)  # An unknown name is an error.
    return name
