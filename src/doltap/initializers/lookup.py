"""From a name, a class, an array or a config to the initializer it means, and back."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from doltap import registry
from doltap.errors import UnknownNameError
from doltap.initializers.fixed_values import Constant
from doltap.initializers.initializer import names
from doltap.registry import explained

__all__ = ["deserialize", "get", "serialize"]


@explained
def get(identifier: Any) -> Any:
    """The initializer that a layer's `kernel_initializer=` means.

    Args:
        identifier: a name, an `Initializer` or its class, a function, an
            array (the values themselves), a `{"class_name", "config"}` dict,
            or None, which stays None.

    Raises:
        UnknownNameError: it means nothing here.

    >>> get("he_normal").get_config()["seed"] is None
    True
    """
    if identifier is None:
        return None
    if isinstance(identifier, np.ndarray | np.generic | jax.Array):
        return Constant(identifier)
    found = names.make(identifier)
    if not callable(found):
        raise UnknownNameError.of("initializer", identifier, names)
    return found


@explained
def serialize(initializer: Any) -> Any:
    """What a model's file says of an initializer, in Keras's own form.

    A user's function is written by its own `__name__`.

    >>> written = serialize(Constant(2.0))
    >>> written["module"], written["class_name"], written["config"]
    ('keras.initializers', 'Constant', {'value': 2.0})
    """
    return registry.written(initializer, "keras.initializers")


@explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that `serialize` or Keras wrote down.

    Args:
        custom_objects: the user's own classes and functions by name; they win.

    Raises:
        UnknownNameError: nobody knows the name.

    >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}}).value.item()
    2.0
    """
    return get(registry.undescribed(config, custom_objects))
