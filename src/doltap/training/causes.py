"""What an operation that gave no finite number did wrong, and the likely cure, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from doltap.training.tracking import Source

__all__ = ["cause_of", "listed"]

# Beyond this, numbers are long to read.
_MOST_LISTED = 8
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
_SLOPE = "sqrt, a norm and log have no finite slope at 0: add a small number inside, as in sqrt(x + 1e-7)"


def cause_of(source: Source, *, in_slope: bool) -> tuple[str, str]:
    """What went wrong, and how to mend it; the cure is empty where numbers were just too large.

    Args:
        in_slope: whether the number is part of a gradient.
    """
    operation = source.operation
    if operation is None:
        return "", ""
    if not source.operands:
        return "infinite numbers cancel each other", "See that no row is masked out as a whole"
    first, second = _at_place(source.operands)
    case = _CASES.get(operation.name)
    found = case and case(first, second, operation.equation.params)
    if found:
        what, cure = found
        return (f"{what}, in a derivative", _SLOPE) if in_slope and "0" in what.split() else (what, cure)
    if operation.name in _WITHIN:
        return f"{operation.name} of {_shown(first)}, outside {_WITHIN[operation.name]}", "Clip what goes in"
    if operation.name == "convert_element_type":
        return f"{_shown(first)} is too large for {operation.equation.params['new_dtype']}", ""
    if operation.name in _GROWING:
        return f"{_NAMES.get(operation.name, operation.name)} of {_shown(first)} is too large", ""
    if operation.name in _NAMES:
        return f"{_NAMES[operation.name]} is too large for {source.operands[0].dtype}", ""
    return f"operation '{operation.name}'", ""


def _at_place(operands: Sequence[np.ndarray]) -> tuple[float | None, float | None]:
    """The first two operands, where they are numbers; None where they are not, or not there."""
    numbers = [float(one.reshape(-1)[0]) if one.size == 1 else None for one in operands[:2]]
    first, second = (*numbers, None, None)[:2]
    return first, second


def _log(first: float | None, _: Any, params: Any) -> tuple[str, str] | None:
    if first is None or first > 0:
        return None
    if first == 0:
        return "log of 0", "Keep what goes into it above 0, as in log(x + 1e-7)"
    return f"log of a negative number, {_shown(first)}", "Keep what goes into it above 0"


def _log1p(first: float | None, _: Any, params: Any) -> tuple[str, str] | None:
    if first is None or first > -1:
        return None
    return f"log1p of {_shown(first)}", "Keep what goes into it above -1"


def _root(first: float | None, _: Any, params: Any) -> tuple[str, str] | None:
    if first is None or first > 0:
        return None
    if first == 0:
        return "division by the square root of 0", "Add a small number inside, as in sqrt(x + 1e-7)"
    return (
        f"square root of a negative number, {_shown(first)}",
        "Keep what goes into it at 0 or above, as in sqrt(maximum(x, 1e-7))",
    )


def _quotient(_: Any, second: float | None, params: Any) -> tuple[str, str] | None:
    return ("division by 0", "Keep the divisor away from 0, as in x / (y + 1e-7)") if second == 0 else None


def _power(first: float | None, second: float | None, params: Any) -> tuple[str, str] | None:
    exponent = params.get("y", second)
    if first == 0 and exponent is not None and exponent < 0:
        return _quotient(None, 0.0, params)
    if first is not None and first < 0 and exponent is not None and exponent != round(exponent):
        what = f"a negative number, {_shown(first)}, to the power of {_shown(exponent)}"
        return what, "Keep the base above 0"
    return None


_CASES: dict[str, Callable[[Any, Any, Any], tuple[str, str] | None]] = {
    "log": _log,
    "log1p": _log1p,
    "sqrt": _root,
    "rsqrt": _root,
    "div": _quotient,
    "pow": _power,
    "integer_pow": _power,
}


def _shown(number: float | None) -> str:
    return "such a number" if number is None else f"{number:.6g}"


def listed(rows: Sequence[int], name: str) -> str:
    """Row numbers as a reader takes them in: the first few, and how many more there are.

    >>> listed([3, 5], "x")
    'rows 3 and 5 of x'
    """
    shown = [str(row) for row in rows[:_MOST_LISTED]]
    if len(rows) > _MOST_LISTED:
        return f"rows {', '.join(shown)} and {len(rows) - _MOST_LISTED} more of {name}"
    if len(rows) == 1:
        return f"row {shown[0]} of {name}"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]} of {name}"
