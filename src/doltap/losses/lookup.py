"""From a name, a class, a function or a config to the loss it means, and back."""

from __future__ import annotations

from typing import Any

from doltap import registry
from doltap.errors import NotSupportedError
from doltap.losses.loss import Loss, LossFunction, functions, names
from doltap.registry import explained

__all__ = ["deserialize", "get", "serialize"]


@explained
def get(identifier: Any) -> Loss | None:
    """A loss object from a name, a class, a function of ours or of the user's, or a config.

    >>> get("mse").name
    'mean_squared_error'
    """
    identifier = registry.undescribed(identifier)
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, dict) and "class_name" in identifier:
        return names.make(identifier)
    if isinstance(identifier, str) or (isinstance(identifier, type) and issubclass(identifier, Loss)):
        return names.make(identifier)
    if callable(identifier):
        return _of_function(identifier)
    raise NotSupportedError(
        "loss", expected="a name, a function or a Loss", got=repr(identifier), fix="For example loss='mse'."
    )


def _of_function(function: Any) -> Loss:
    """The class around one of our functions, or a `LossFunction` around a user's."""
    name: str = getattr(function, "__name__", "")
    if name in functions and functions.find(name) is function:
        return names.make(name)
    return LossFunction(function)


@explained
def serialize(loss: Any) -> Any:
    """What a model's file says of a loss, in Keras's own form; a function is written by its name.

    >>> written = serialize(get("poisson"))
    >>> written["module"], written["class_name"], written["config"]["name"]
    ('keras.losses', 'Poisson', 'poisson')
    """
    if isinstance(loss, LossFunction):
        loss = loss.user_function
    return registry.written(loss, "keras.losses")


@explained
def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Loss | None:
    """The loss that `serialize` or Keras wrote down.

    Args:
        name: the name or dict.
        custom_objects: the user's own classes and functions by name; they win.

    Raises:
        UnknownNameError: nobody knows the name.
    """
    return get(registry.undescribed(name, custom_objects))
