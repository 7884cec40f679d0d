"""Names and the things they stand for: "relu", "mse", "adam".

Each family (activations, losses, ...) keeps one `Names`; whatever a user
passes as an identifier goes through its `get`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from doltap.errors import NotSupportedError, UnknownArgumentError, UnknownNameError

__all__ = ["Configured", "Names", "arguments_of", "check_arguments", "snake_case"]


# Keywords that Keras has and doltap has not yet.
_PLANNED = frozenset(
    [
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "lora_rank",
        "weight_decay",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "gradient_accumulation_steps",
        "loss_scale_factor",
        "decay",
        "autocast",
    ]
)


class Configured:
    """Something that can tell how to make it again.

    `get_config` gives the arguments of the constructor as plain values.
    """

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new object made from what `get_config` gave."""
        return cls(**config)


class Names:
    """The names of one family, whatever their capitals.

    Args:
        kind: the family in the singular, as errors call it: "loss".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, Any] = {}

    def register(self, *names: str) -> Callable[[Any], Any]:
        """Decorator: make the thing known by its own name, in snake case, and by `names`."""

        def keep(thing: Any) -> Any:
            for name in (thing.__name__, snake_case(thing.__name__), *names):
                self._things[name.lower()] = thing
            return thing

        return keep

    def add(self, name: str, thing: Any) -> None:
        """Make the thing known by one more name."""
        self._things[name.lower()] = thing

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def find(self, name: str) -> Any:
        """The thing called `name`; an unknown name is an error with the nearest one."""
        if name not in self:
            raise UnknownNameError.of(self.kind, name, self._things)
        return self._things[name.lower()]

    def make(self, identifier: Any) -> Any:
        """An object from a name, a class, or a `{"class_name", "config"}` dict.

        Anything else is returned as it came.
        """
        if isinstance(identifier, str):
            identifier = self.find(identifier)
        elif isinstance(identifier, dict) and "class_name" in identifier:
            thing = self.find(identifier["class_name"])
            return thing.from_config(identifier.get("config") or {})
        return identifier() if isinstance(identifier, type) else identifier


def snake_case(name: str) -> str:
    """A class name as Keras writes it for layers.

    >>> snake_case("InputLayer"), snake_case("MeanSquaredError"), snake_case("ReLU")
    ('input_layer', 'mean_squared_error', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def arguments_of(call: Callable[..., Any]) -> list[str]:
    """The names of the arguments that `call` takes."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(call).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.name != "self"]


def check_arguments(call: str, given: dict[str, Any], known: list[str]) -> None:
    """An error for the first keyword that nobody knows."""
    for name in given:
        if name in _PLANNED:
            raise NotSupportedError(
                call, expected="keywords it has", got=f"'{name}='", fix="It is not there yet; leave it out."
            )
        if name not in known:
            raise UnknownArgumentError.of(call, name, known)
