"""Parameters such as `optimizer__learning_rate`: from the flat list to the objects they describe.

What stands before the two underscores says where a parameter goes; in a list
it goes to all members, or to one by its number, in a dict by its key.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from doltap import losses, metrics, optimizers
from doltap.wrappers.parameters import ParameterError, Takes, check_names

__all__ = ["made", "made_callbacks", "made_loss", "made_metrics", "made_optimizer", "routed"]


def routed(parameters: Mapping[str, Any], to: str) -> dict[str, Any]:
    """The parameters for one place, without its name in front.

    >>> routed({"epochs": 3, "optimizer__beta_1": 0.8}, "optimizer")
    {'beta_1': 0.8}
    """
    front = f"{to}__"
    return {name.removeprefix(front): each for name, each in parameters.items() if name.startswith(front)}


def made(thing: Any, given: dict[str, Any], where: str, as_class: Callable[[str], Any] | None = None) -> Any:
    """The object that a class, or a list or dict of these, becomes with its parameters.

    Args:
        thing: objects are left as they are; so are names without parameters.
        given: what `routed` found for it.
        where: the parameter's name, for errors.
        as_class: the class that goes by a name, where names with parameters are allowed.

    Raises:
        ParameterError: the class does not take a parameter, or `thing` takes none at all.
    """
    if isinstance(thing, (list, tuple)):
        members: Any = list(enumerate(thing))
        return type(thing)(made(one, _for_member(given, key, thing), where, as_class) for key, one in members)
    if isinstance(thing, Mapping):
        return {key: made(one, _for_member(given, key, thing), where, as_class) for key, one in thing.items()}
    if isinstance(thing, str) and given and as_class is not None:
        thing = as_class(thing)
    if isinstance(thing, type):
        return _instance(thing, given, where)
    if given:
        name = next(iter(given))
        raise ParameterError(
            f"'{where}__{name}'",
            expected=f"a name or a class in '{where}', which is made with its parameters",
            got=repr(thing),
            fix=f"Give the class: {where}={type(thing).__name__}.",
        )
    return thing


def _for_member(given: dict[str, Any], key: Any, members: Any) -> dict[str, Any]:
    """The parameters of one member: those for all, and its own."""
    keys = [*members] if isinstance(members, Mapping) else [str(number) for number in range(len(members))]
    common = {name: value for name, value in given.items() if name.partition("__")[0] not in keys}
    return common | routed(given, str(key))


def _instance(kind: type, given: dict[str, Any], where: str) -> Any:
    own = {name: value for name, value in given.items() if "__" not in name}
    numbered = sorted((int(name), value) for name, value in own.items() if name.isdigit())
    named = {name: value for name, value in own.items() if not name.isdigit()}
    takes = Takes(kind)
    heads = {name.partition("__")[0] for name in given if not name.isdigit()}
    if not takes.takes_any:
        check_names(f"{where}={kind.__name__}", heads, takes.names, f"{where}__{{}}")
    named = {
        name: made(value, routed(given, name), f"{where}__{name}") if isinstance(value, type) else value
        for name, value in named.items()
    }
    return kind(*(value for _, value in numbered), **named)


def made_optimizer(thing: Any, given: dict[str, Any]) -> Any:
    """The optimizer as `compile` takes it; what it remembers of a training stays out of the parameter."""
    found = made(thing, given, "optimizer", lambda name: type(optimizers.get(name)))
    return copy.deepcopy(found) if found is thing else found


def made_loss(thing: Any, given: dict[str, Any]) -> Any:
    """The loss, or losses, as `compile` takes them."""
    return made(thing, given, "loss", lambda name: type(losses.get(name)))


def made_metrics(thing: Any, given: dict[str, Any]) -> Any:
    """The metrics as `compile` takes them."""
    listed = thing if thing is None or isinstance(thing, (list, tuple, dict)) else [thing]
    return copy.deepcopy(made(listed, given, "metrics", lambda name: type(metrics.get(name))))


def made_callbacks(thing: Any, given: dict[str, Any], where: str = "callbacks") -> list[Any]:
    """The callbacks as one list."""
    if thing is None and not given:
        return []
    found = made(thing, given, where)
    if isinstance(found, Mapping):
        found = list(found.values())
    return list(found) if isinstance(found, (list, tuple)) else [found]
