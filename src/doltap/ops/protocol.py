"""A call of an operation gives its result, or is noted down for later.

An operation never asks what a symbolic tensor is: an argument whose class has
the method `record_call(function, arguments, keywords)` answers the call itself.
Where the class says that it `has_values`, the function of arrays is what it gets.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar, cast

from doltap import registry
from doltap.errors import NotSupportedError
from doltap.registry import explain_keywords

__all__ = [
    "NotedFunctions",
    "class_name_of",
    "names",
    "needs_arrays",
    "operation",
    "runs_functions",
    "symbolic_in",
]

names = registry.Names("operation")

# Who answers calls of operations that have values: `answer(function, arguments, keywords)`.
answer: Callable[..., Any] | None = None

Function = TypeVar("Function", bound=Callable[..., Any])


def symbolic_in(values: Iterable[Any]) -> Any:
    """The first symbolic tensor among the values, also inside lists, tuples and dicts; None without any."""
    for value in values:
        if hasattr(type(value), "record_call"):
            return value
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, (list, tuple, dict)) and (found := symbolic_in(inside)) is not None:
            return found
    return None


def _symbolic_argument(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    found = symbolic_in(arguments)
    return symbolic_in(keywords.values()) if found is None and keywords else found


def operation(*class_names: str) -> Callable[[Function], Function]:
    """Decorator: the function is an operation, found by its name and by Keras's names of its class.

    Args:
        class_names: what Keras calls its class, where that is not the function's
            name in camel case, and its other names. Files are given the first.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            tensor = _symbolic_argument(arguments, keywords)
            try:
                if tensor is not None:
                    noted = function if hasattr(type(tensor), "has_values") else call
                    return tensor.record_call(noted, arguments, keywords)
                if answer is not None:
                    return answer(function, arguments, keywords)
                return function(*arguments, **keywords)
            except TypeError as error:
                explain_keywords(error, function, arguments, keywords)
                raise

        camel_case = "".join(part[:1].upper() + part[1:] for part in function.__name__.split("_"))
        vars(call)["class_name"] = (*class_names, camel_case)[0]
        names.register(camel_case, *class_names)(call)
        return cast(Function, call)

    return decorate


class NotedFunctions(registry.Names):
    """Functions by name whose calls symbolic tensors note down.

    Where an operation has the name and takes the arguments, its call is what is
    noted, because files can hold it.
    """

    # Who answers calls that have values: `answer(function, arguments, keywords)`.
    answer: ClassVar[Callable[..., Any] | None] = None

    def register(self, *names: str) -> Callable[[Any], Any]:
        """Decorator: make the function known by its own name and by `names`, and its calls noted."""
        keep = super().register(*names)

        def decorate(function: Callable[..., Any]) -> Any:
            @functools.wraps(function)
            def call(*arguments: Any, **keywords: Any) -> Any:
                tensor = _symbolic_argument(arguments, keywords)
                try:
                    if tensor is None and NotedFunctions.answer is not None:
                        return NotedFunctions.answer(function, arguments, keywords)
                    if tensor is None:
                        return function(*arguments, **keywords)
                    if hasattr(type(tensor), "has_values"):
                        return tensor.record_call(function, arguments, keywords)
                    return tensor.record_call(*_as_operation(call, arguments, keywords))
                except TypeError as error:
                    explain_keywords(error, function, arguments, keywords)
                    raise

            return keep(call)

        return decorate


def _as_operation(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The call of the operation that does the same; the call itself without one."""
    name = function.__name__
    if name not in names:
        return function, arguments, keywords
    same = names.find(name)
    bound, takes = (
        inspect.signature(function).bind(*arguments, **keywords),
        inspect.signature(same).parameters,
    )
    if not all(given in takes for given in bound.arguments):
        return function, arguments, keywords
    # Its defaults may be others than the operation's.
    bound.apply_defaults()
    first, *rest = ((key, value) for key, value in bound.arguments.items() if key in takes)
    return same, first[1:], dict(rest)


def runs_functions(function: Function) -> Function:
    """Decorator: the function calls functions of the user's, so that a file cannot hold its call."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        tensor = _symbolic_argument(arguments, keywords)
        try:
            if tensor is not None:
                return tensor.record_call(call, arguments, keywords)
            return function(*arguments, **keywords)
        except TypeError as error:
            explain_keywords(error, function, arguments, keywords)
            raise

    return cast(Function, call)


def needs_arrays(function: Function) -> Function:
    """Decorator: the function gives what is no array, or none of a shape that a symbolic tensor tells."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        tensor = _symbolic_argument(arguments, keywords)
        if tensor is not None and not hasattr(type(tensor), "has_values"):
            raise NotSupportedError(
                f"ops.{function.__name__}",
                expected="arrays",
                got=f"the symbolic tensor {tensor!r}",
                fix="Call it where there are values: in the call() of your own layer, or in a Lambda layer.",
            )
        try:
            return function(*arguments, **keywords)
        except TypeError as error:
            explain_keywords(error, function, arguments, keywords)
            raise

    return cast(Function, call)


def class_name_of(function: Callable[..., Any]) -> str:
    """The name of the class that stands for the operation in Keras's files.

    >>> from doltap import ops
    >>> class_name_of(ops.take_along_axis), class_name_of(ops.isin)
    ('TakeAlongAxis', 'IsIn')
    """
    return str(vars(function)["class_name"])
