"""`tf.debugging`: assertions, which stop a program with the values that failed them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced

__all__ = ["Assert", "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal"]
__all__ += ["assert_integer", "assert_less", "assert_less_equal", "assert_near", "assert_negative"]
__all__ += ["assert_non_negative", "assert_non_positive", "assert_none_equal", "assert_positive"]
__all__ += ["assert_rank", "assert_scalar", "assert_shapes", "assert_type", "check_numerics"]
__all__ += ["disable_check_numerics", "enable_check_numerics", "set_log_device_placement"]


def _known(*values: Any) -> list[np.ndarray] | None:
    """The values in NumPy; None where one is not known yet, inside a compiled program."""
    tensors = [as_tensor(value) for value in values]
    if any(is_traced(one) or (isinstance(one, Tensor) and one.is_tracer) for one in tensors):
        return None
    return [one.host for one in tensors]


def _failed(what: str, message: Any, expected: str, values: Any) -> InvalidArgumentError:
    shown = " and ".join(np.array2string(np.asarray(value), threshold=8) for value in values)
    return InvalidArgumentError(
        f"tf.debugging.{what}", expected=expected, got=shown, fix=str(message or "The program asked for it.")
    )


def _pair(name: str, expected: str, holds: Callable[[Any, Any], Any]) -> Callable[..., None]:
    def check(x: Any, y: Any, message: Any = None, summarize: Any = None, name: Any = None) -> None:
        values = _known(x, y)
        if values is not None and not np.all(holds(*values)):
            raise _failed(check.__name__, message, expected, values)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"An error unless {expected}."
    return check


def _single(name: str, expected: str, holds: Callable[[Any], Any]) -> Callable[..., None]:
    def check(x: Any, message: Any = None, summarize: Any = None, name: Any = None) -> None:
        values = _known(x)
        if values is not None and not np.all(holds(*values)):
            raise _failed(check.__name__, message, expected, values)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"An error unless {expected}."
    return check


assert_equal = _pair("assert_equal", "both are equal", lambda x, y: x == y)
assert_none_equal = _pair("assert_none_equal", "no pair is equal", lambda x, y: x != y)
assert_less = _pair("assert_less", "the first is below the second", lambda x, y: x < y)
assert_less_equal = _pair("assert_less_equal", "the first is not above the second", lambda x, y: x <= y)
assert_greater = _pair("assert_greater", "the first is above the second", lambda x, y: x > y)
assert_greater_equal = _pair("assert_greater_equal", "the first is not below the second", lambda x, y: x >= y)
assert_positive = _single("assert_positive", "all are above 0", lambda x: x > 0)
assert_negative = _single("assert_negative", "all are below 0", lambda x: x < 0)
assert_non_negative = _single("assert_non_negative", "none is below 0", lambda x: x >= 0)
assert_non_positive = _single("assert_non_positive", "none is above 0", lambda x: x <= 0)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: Any = None,
    name: Any = None,
) -> None:
    """An error unless both are nearly equal."""
    values = _known(x, y)
    if values is not None:
        least = 10 * float(np.finfo(values[0].dtype).eps)
        near = np.isclose(values[0], values[1], rtol=float(rtol or least), atol=float(atol or least))
        if not np.all(near):
            raise _failed("assert_near", message, "both to be nearly equal", values)


def assert_rank(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    """An error unless there are so many dimensions."""
    found = len(as_tensor(x).shape)
    if found != int(rank):
        raise _failed("assert_rank", message, f"{int(rank)} dimensions", [found])


def assert_scalar(tensor: Any, name: Any = None, message: Any = None) -> Any:
    """The tensor, which has no dimensions; an error otherwise."""
    assert_rank(tensor, 0, message)
    return as_tensor(tensor)


def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: Any = None) -> None:
    """An error unless the values are of the type."""
    found = dtypes.as_dtype(as_tensor(tensor).dtype)
    if found != dtypes.as_dtype(tf_type):
        raise _failed("assert_type", message, repr(dtypes.as_dtype(tf_type)), [repr(found)])


def assert_integer(x: Any, message: Any = None, name: Any = None) -> None:
    """An error unless the values are whole numbers."""
    found = dtypes.as_dtype(as_tensor(x).dtype)
    if not found.is_integer:
        raise _failed("assert_integer", message, "whole numbers", [repr(found)])


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> None:
    """An error unless lengths of one name are the same in all shapes."""
    known: dict[Any, int] = {}
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    for tensor, wanted in pairs:
        found = as_tensor(tensor).shape
        wanted = tuple(wanted) if np.ndim(wanted) or isinstance(wanted, str) else (wanted,)
        if len(found) != len(wanted):
            raise _failed("assert_shapes", message, f"the shape {wanted}", [found])
        for size, called in zip(found, wanted, strict=True):
            expected = called if isinstance(called, int) else known.setdefault(called, size)
            if called is not None and size != expected:
                raise _failed("assert_shapes", message, f"the shape {wanted}, with {known}", [found])


def check_numerics(tensor: Any, message: Any, name: Any = None) -> Any:
    """The tensor; an error if one of its numbers is none, or infinite."""
    values = _known(tensor)
    if values is not None and not np.all(np.isfinite(values[0])):
        raise _failed("check_numerics", message, "numbers that are finite", values)
    return as_tensor(tensor)


def assert_all_finite(x: Any, message: Any = "", name: Any = None) -> Any:
    """The tensor; an error if one of its numbers is none, or infinite."""
    return check_numerics(x, message)


def Assert(condition: Any, data: Any, summarize: Any = None, name: Any = None) -> None:  # noqa: N802
    """An error with the data unless the condition holds."""
    values = _known(condition)
    if values is not None and not np.all(values[0]):
        raise _failed("Assert", None, "the condition to hold", [as_tensor(one).host for one in data])


def enable_check_numerics(*arguments: Any, **options: Any) -> None:
    """Nothing: fit stops at a loss that is no number by itself."""


def disable_check_numerics() -> None:
    """Nothing."""


def set_log_device_placement(enabled: bool) -> None:
    """Nothing: there is one device."""


lacking.guard(__name__)
