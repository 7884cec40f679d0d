"""What an operation that gave no finite number did wrong, and the likely cure, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from doltap.training.tracking import Operation, Source
from doltap.training.wording import Say

__all__ = ["cause_of"]

_GROWING = ("exp", "exp2", "expm1", "sinh", "cosh", "square", "integer_pow", "pow")
_WITHIN = {"asin": "[-1, 1]", "acos": "[-1, 1]", "atanh": "[-1, 1]", "acosh": "[1, inf)"}
_NAMES = {
    "dot_general": "a product of matrices",
    "conv_general_dilated": "a convolution",
    "reduce_sum": "a sum",
    "cumsum": "a running sum",
    "add": "a sum",
    "add_any": "a sum",
    "sub": "a difference",
    "mul": "a product",
    "square": "a square",
    "integer_pow": "a power",
    "pow": "a power",
    "div": "a quotient",
}
# Of these a derivative tells nothing of the number itself.
_AT_ZERO = ("log_of_0", "root_below", "division", "zero_by_zero")


def cause_of(source: Source, say: Say, *, in_slope: bool) -> tuple[str, str]:
    """What went wrong, and how to mend it; the cure is empty where numbers were just too large.

    Args:
        in_slope: whether the number is part of a gradient.
    """
    operation = source.operation
    if operation is None:
        return "", ""
    if not source.operands:
        return say("cancel"), say("mask_less")
    first, second = _at_place(source.operands)
    case = _CASES.get(operation.name)
    found = case and case(first, second, operation.equation.params)
    if found:
        what, values, cure = found
        values = {name: _shown(number, say) for name, number in values.items()}
        if in_slope and what in _AT_ZERO:
            return say("derivative", what=say(what)), say("no_slope_at_0")
        return say(what, **values), say(cure)
    if operation.name in _WITHIN:
        bounds, number = _WITHIN[operation.name], _shown(first, say)
        return say("outside", name=operation.name, number=number, bounds=bounds), say("clip")
    return _overflow(operation, first, source.operands[0].dtype, say), ""


def _overflow(operation: Operation, first: float | None, dtype: Any, say: Say) -> str:
    name, number = operation.name, _shown(first, say)
    words = say(_NAMES[name]) if name in _NAMES else name
    if name == "convert_element_type":
        return say("too_large_for", what=number, dtype=operation.equation.params["new_dtype"])
    if name in _GROWING:
        return say("too_large", name=words, number=number)
    return say("too_large_for", what=words, dtype=dtype) if name in _NAMES else say("operation", name=name)


def _at_place(operands: Sequence[np.ndarray]) -> tuple[float | None, float | None]:
    """The first two operands, where they are numbers; None where they are not, or not there."""
    numbers = [float(one.reshape(-1)[0]) if one.size == 1 else None for one in operands[:2]]
    first, second = (*numbers, None, None)[:2]
    return first, second


# What a case says: the words for what went wrong, the numbers in them, and the words of the cure.
_Case = tuple[str, dict[str, float], str]


def _log(first: float | None, _: Any, params: Any) -> _Case | None:
    if first is None or first > 0:
        return None
    return ("log_of_0", {}, "above_0_by") if first == 0 else ("log_of_negative", {"number": first}, "above_0")


def _log1p(first: float | None, _: Any, params: Any) -> _Case | None:
    return None if first is None or first > -1 else ("log1p_of", {"number": first}, "above_-1")


def _root(first: float | None, _: Any, params: Any) -> _Case | None:
    if first is None or first > 0:
        return None
    if first == 0:
        return "root_below", {}, "add_inside"
    return "root_of_negative", {"number": first}, "at_0_or_above"


def _quotient(first: float | None, second: float | None, params: Any) -> _Case | None:
    if second != 0:
        return None
    return "zero_by_zero" if first == 0 else "division", {}, "keep_away"


def _power(first: float | None, second: float | None, params: Any) -> _Case | None:
    exponent = params.get("y", second)
    if first == 0 and exponent is not None and exponent < 0:
        return "division", {}, "keep_away"
    if first is not None and first < 0 and exponent is not None and exponent != round(exponent):
        return "power_of_negative", {"number": first, "exponent": exponent}, "base_above_0"
    return None


_CASES: dict[str, Callable[[Any, Any, Any], _Case | None]] = {
    "log": _log,
    "log1p": _log1p,
    "sqrt": _root,
    "rsqrt": _root,
    "div": _quotient,
    "pow": _power,
    "integer_pow": _power,
}


def _shown(number: float | None, say: Say) -> str:
    return say("such_a_number") if number is None else f"{number:.6g}"
