"""From a model function and its arguments to a compiled model, with every way it can go wrong said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doltap.errors import NotCompiledError, NotSupportedError
from doltap.models.model import Model
from doltap.wrappers.parameters import ParameterError, Takes

__all__ = ["check_is_compiled", "made_by", "shown"]


def shown(function: Any) -> str:
    """What errors call a model function.

    >>> shown(len)
    'len()'
    """
    return f"{getattr(function, '__name__', type(function).__name__)}()"


def made_by(function: Callable[..., Any], given: dict[str, Any], estimator: str, front: str = "") -> Model:
    """The model that the function makes of these arguments.

    Args:
        estimator: the class that asks, as errors name it.
        front: what stands before the arguments where the estimator is given them.

    Raises:
        ParameterError: the function needs an argument that is not given.
        NotSupportedError: it returns no model.
    """
    missing = [name for name in Takes(function).needs if name not in given]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise ParameterError(
            shown(function),
            expected=f"a value for {names}",
            got=f"none from {estimator}",
            fix=f"Give it: {estimator}(..., {front}{missing[0]}=...), or give the argument a default.",
        )
    model = function(**given)
    if not isinstance(model, Model):
        fix = "End it with: return model." if model is None else "It has to return a Sequential or a Model."
        raise NotSupportedError(shown(function), expected="the model it made", got=_kind_of(model), fix=fix)
    return model


def _kind_of(thing: Any) -> str:
    if thing is None:
        return "None"
    module = type(thing).__module__.partition(".")[0]
    return f"a {type(thing).__name__}" + (f" of {module}" if module not in ("builtins", "doltap") else "")


def check_is_compiled(model: Model, function: Any) -> None:
    """An error for a model that was made without a loss and an optimizer."""
    if not model.compiled:
        raise NotCompiledError(
            shown(function),
            expected="a compiled model",
            got=f"model '{model.name}' without an optimizer and a loss",
            fix="Call model.compile(optimizer='adam', loss='mse') before it returns.",
        )
