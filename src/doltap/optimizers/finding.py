"""An optimizer from whatever a user calls it, and back to a dict."""

from __future__ import annotations

from typing import Any

from doltap import registry
from doltap.errors import NotSupportedError
from doltap.optimizers.optax_optimizer import OptaxOptimizer
from doltap.optimizers.optimizer import Optimizer, names
from doltap.registry import explained

__all__ = ["deserialize", "get", "serialize"]


@explained
def get(identifier: Any) -> Optimizer:
    """An optimizer object from a name, a class, a config, or a transformation of Optax.

    >>> get("sgd").learning_rate.numpy().round(4)
    np.float32(0.01)
    """
    made = names.make(identifier)
    if isinstance(made, Optimizer):
        return made
    if callable(getattr(made, "init", None)) and callable(getattr(made, "update", None)):
        return OptaxOptimizer(made)
    raise NotSupportedError(
        "optimizer",
        expected="a name or an Optimizer",
        got=repr(identifier),
        fix="For example optimizer='adam'.",
    )


@explained
def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer as the dict that Keras writes into its files too.

    >>> serialize(get("adam"))["class_name"]
    'Adam'
    """
    return registry.described(optimizer, "keras.optimizers")


@explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """The optimizer that `serialize` wrote.

    Args:
        custom_objects: classes of your own by name.
    """
    return get(registry.undescribed(config, custom_objects))
