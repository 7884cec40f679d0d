"""What several families ask of the shapes and numbers they are given.

It knows no layer, only the name by which an error calls one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doltap.errors import DataError, ShapeError

__all__ = ["axes_from_front", "expect_rank", "is_whole", "whole_number"]


def is_whole(value: Any) -> bool:
    """Whether the value is a whole number, and no truth value.

    >>> is_whole(3), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return not isinstance(value, bool) and hasattr(value, "__index__") and not getattr(value, "shape", ())


def whole_number(call: str, value: Any, fix: str) -> int:
    """The value as an int; an error unless it is a whole number from 1.

    >>> whole_number("RepeatVector(n)", 3, "")
    3
    """
    if not is_whole(value) or int(value) < 1:
        raise DataError(call, expected="a whole number, 1 or more", got=repr(value), fix=fix)
    return int(value)


def axes_from_front(name: str, axis: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """The axes as sorted numbers from 0; an error for one that the input does not have.

    >>> axes_from_front("layer_normalization", -1, 3)
    (2,)
    """
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    if not all(is_whole(one) and -rank <= one < rank for one in axes):
        raise ShapeError(
            f"layer '{name}'",
            expected=f"an axis from {-rank} to {rank - 1}",
            got=f"axis={axis!r}",
            fix=f"Its input has {rank} dimensions, the batch first.",
        )
    return tuple(sorted(int(one) % rank for one in axes))


def expect_rank(name: str, shape: Sequence[int | None], rank: int, meaning: str) -> None:
    """An error unless the shape has that many dimensions."""
    if len(shape) != rank:
        raise ShapeError(
            f"layer '{name}'",
            expected=f"{rank} dimensions, {meaning}",
            got=f"{len(shape)}, shape {tuple(shape)}",
            fix="Put a Reshape in front of it, or take the layer for inputs of this shape.",
        )
