"""The space that is searched: for each parameter, the values it may have or how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from doltap.errors import DataError, printable
from doltap.tune.borrowed import model_selection

__all__ = ["check_count", "checked", "drawn", "grid", "neighbour", "part_of"]


def checked(space: Any, argument: str, *, is_grid: bool = False) -> list[dict[str, Any]]:
    """The space as a list of dicts from a parameter's name to its values.

    Args:
        argument: what the search calls it: "param_grid" or "param_distributions".
        is_grid: whether every value has to be listed, none drawn.

    >>> checked({"units": [10, 20]}, "param_grid")
    [{'units': [10, 20]}]
    """
    parts = [space] if isinstance(space, Mapping) else space
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, Mapping) for part in parts):
        raise DataError(
            argument,
            expected="a dict from a parameter's name to its values, or a list of such dicts",
            got=printable(repr(space)),
            fix="For example {'learning_rate': [0.001, 0.01, 0.1]}.",
        )
    if not parts or not any(parts):
        raise DataError(
            argument,
            expected="parameters to choose from",
            got="an empty space",
            fix="For example {'learning_rate': [0.001, 0.01, 0.1]}.",
        )
    for part in parts:
        for name, values in part.items():
            _check_values(name, values, argument, is_grid=is_grid)
    return [dict(part) for part in parts]


def _check_values(name: str, values: Any, argument: str, *, is_grid: bool) -> None:
    subject = f"{argument}['{name}']"
    if hasattr(values, "rvs"):
        if is_grid:
            raise DataError(
                subject,
                expected="a list of the values to try",
                got="a distribution",
                fix="List some of its values, or take RandomizedSearchCV, which draws them.",
            )
        return
    is_listed = isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping))
    if not is_listed or getattr(values, "ndim", 1) != 1:
        one = np.asarray(values).tolist() if hasattr(values, "ndim") else values
        raise DataError(
            subject,
            expected="a list of the values to try" + ("" if is_grid else ", or a distribution with rvs()"),
            got=printable(repr(one)),
            fix=f"For one value only: {{'{name}': [{printable(repr(one), 40)}]}}.",
        )
    if not len(list(values)):
        raise DataError(
            subject,
            expected="at least one value",
            got="none",
            fix=f"List some, or leave '{name}' out.",
        )


def check_count(name: str, value: Any, least: int = 1) -> int:
    """The value as an integer of at least so much; an error otherwise."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise DataError(
            name,
            expected=f"a whole number of at least {least}",
            got=printable(repr(value)),
            fix=f"For example {name}={max(least, 10)}.",
        )
    return int(value)


def grid(space: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every combination, in scikit-learn's order."""
    return list(model_selection.ParameterGrid(space))


def drawn(space: list[dict[str, Any]], num: int, random_state: Any) -> list[dict[str, Any]]:
    """So many combinations, drawn as scikit-learn draws them."""
    return list(model_selection.ParameterSampler(space, num, random_state=random_state))


def part_of(space: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """The part of the space that the candidate comes from."""
    return next((part for part in space if part.keys() == params.keys()), space[0])


def neighbour(values: Any, value: Any, random: Any) -> Any:
    """A value near this one: the one before or behind it in a list, a fifth more or less of a number.

    Args:
        values: of the space, for this parameter.
        random: NumPy's RandomState.

    >>> neighbour([1, 2, 3], 3, np.random.RandomState(0))
    2
    """
    if not hasattr(values, "rvs"):
        return _beside(list(values), value, random)
    factor = random.choice([0.8, 1.2])
    if isinstance(value, (int, np.integer)):
        step = max(1, round(abs(int(value)) * 0.2))
        moved: Any = int(value) + (step if factor > 1 else -step)
    else:
        moved = float(value) * factor
    lowest, highest = _limits(values)
    # A number at its limit would not move: it is drawn anew.
    return moved if lowest <= moved <= highest else _python(values.rvs(random_state=random))


def _beside(values: list[Any], value: Any, random: Any) -> Any:
    try:
        ordered = sorted(values)
    except (TypeError, ValueError):
        ordered = values
    places = [place for place, one in enumerate(ordered) if _is_same(one, value)]
    is_scale = all(isinstance(one, (int, float, np.number)) for one in ordered)
    if not places or not is_scale:
        others = [one for one in ordered if not _is_same(one, value)] or ordered
        return others[random.randint(len(others))]
    near = [place for place in (places[0] - 1, places[-1] + 1) if 0 <= place < len(ordered)]
    return ordered[near[random.randint(len(near))]] if near else value


def _is_same(one: Any, other: Any) -> bool:
    return one is other or bool(np.all(one == other))


def _limits(distribution: Any) -> tuple[float, float]:
    """The lowest and highest value that is drawn; infinite where the distribution does not say."""
    if not hasattr(distribution, "support"):
        return -np.inf, np.inf
    lowest, highest = distribution.support()
    return float(lowest), float(highest)


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
