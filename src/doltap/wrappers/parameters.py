"""Parameters of an estimator by name, and the functions they are meant for.

A name that no function takes is an error with the nearest one that some
function does; so is an argument that nobody gives.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from doltap import old_names, registry
from doltap.errors import DoltapError, closest
from doltap.models.model import Model

__all__ = ["FIT_OLD", "ParameterError", "Takes", "check_names", "of_model"]

# Old keywords that `fit` still takes.
FIT_OLD = frozenset(old_names.KEYWORDS["fit"])


class ParameterError(DoltapError, TypeError, ValueError):
    """A parameter of an estimator that nothing takes, that is missing, or that cannot be used."""


class Takes:
    """The arguments that a function takes: `names`, those it needs, and whether it takes any others."""

    def __init__(self, function: Callable[..., Any]) -> None:
        kinds = inspect.Parameter
        named = (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
        parameters = inspect.signature(function).parameters.values()
        listed = [each for each in parameters if each.kind in named and each.name != "self"]
        self.names = [each.name for each in listed]
        self.needs = [each.name for each in listed if each.default is kinds.empty]
        self.takes_any = any(each.kind is kinds.VAR_KEYWORD for each in parameters)

    def among(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the parameters that it names."""
        return {name: value for name, value in given.items() if name in self.names}


@functools.cache
def of_model(method: str) -> tuple[str, ...]:
    """The keywords of a method of models: "fit", "predict", "evaluate" or "compile"."""
    return tuple(registry.arguments_of(getattr(Model, method)))


def check_names(estimator: str, given: Iterable[str], known: Iterable[str], spelled: str = "{}") -> None:
    """An error for the first name that is not known.

    Args:
        estimator: the class, as the error names it.
        spelled: how names are written where they are given, such as "model__{}".
    """
    names = sorted(set(known))
    for name in given:
        if name not in names:
            guess = closest(name, names)
            fix = (
                f"It takes: {', '.join(names)}."
                if guess is None
                else f"Did you mean '{spelled.format(guess)}='?"
            )
            raise ParameterError(
                estimator,
                expected="parameters that its model function, fit, predict or evaluate takes",
                got=f"'{spelled.format(name)}='",
                fix=fix,
            )
