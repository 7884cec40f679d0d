"""The data of a search: rows are taken out for each fold, and put together for models that share them."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from doltap.errors import DataError
from doltap.tune.borrowed import utils
from doltap.wrappers.data import is_several

__all__ = ["Data", "Table", "checked", "count", "placed", "taken"]

# Arguments of fit that are not one value a row, even if there are as many.
_MOST_TABLES = 16
_WHOLE = frozenset({"callbacks", "validation_data", "class_weight"})


def count(x: Any) -> int:
    """How many rows there are."""
    if is_several(x):
        x = next(iter(x.values())) if isinstance(x, dict) else x[0]
    shape = getattr(x, "shape", None)
    return int(shape[0]) if shape else len(x)


def taken(values: Any, rows: Any) -> Any:
    """These rows of an array, a table, a list, or of several inputs."""
    if values is None:
        return None
    if is_several(values):
        if isinstance(values, dict):
            return {name: taken(part, rows) for name, part in values.items()}
        return type(values)(taken(part, rows) for part in values)
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "shape"):
        return values[rows]
    return [values[row] for row in rows]


@dataclasses.dataclass
class Data:
    """What is learned from, and which rows of it each fold trains and tests on."""

    X: Any
    y: Any
    folds: list[tuple[np.ndarray, np.ndarray]]
    # Keywords of fit, those that hold a value for each row among them.
    fit_params: dict[str, Any]
    # Whether the weights of the rows count in the scores, too.
    weighs_scores: bool = False

    def fit_arguments(self, rows: Any = None) -> dict[str, Any]:
        """The keywords of fit for these rows; None means all."""
        if rows is None:
            return dict(self.fit_params)
        num_rows = count(self.X)
        return {
            name: taken(value, rows) if name not in _WHOLE and _is_per_row(value, num_rows) else value
            for name, value in self.fit_params.items()
        }

    def labelled(self, rows: Any) -> tuple[Any, ...]:
        """Inputs and labels of these rows, as `fit` takes them; None means all."""
        x, y = (self.X, self.y) if rows is None else (taken(self.X, rows), taken(self.y, rows))
        return (x,) if y is None else (x, y)

    def score_arguments(self, rows: Any) -> dict[str, Any]:
        """The keywords of the scorers for these rows."""
        weights = self.fit_params.get("sample_weight")
        return {} if weights is None or not self.weighs_scores else {"sample_weight": taken(weights, rows)}


def _is_per_row(value: Any, num_rows: int) -> bool:
    is_list = isinstance(value, list) or (hasattr(value, "shape") and len(value.shape) > 0)
    return is_list and count(value) == num_rows


def checked(X: Any, y: Any) -> tuple[Any, Any]:
    """Inputs and labels that rows can be taken from; an error where they differ in number."""
    if not is_several(X):
        return tuple(utils.indexable(X, y))
    if y is not None and count(X) != count(y):
        raise DataError(
            "y",
            expected=f"a label for each of the {count(X)} rows of X",
            got=f"{count(y)}",
            fix="Give as many labels as rows.",
        )
    return X, y


class Table:
    """The rows of all folds in one place, as the networks take them.

    Folds share most of their rows; a table holds each once, and a fold is a
    list of row numbers. Folds whose rows are not the same numbers, because
    something was learned from each, do not fit into one table.
    """

    def __init__(self, num_rows: int) -> None:
        self.num_rows = num_rows
        self._filled = np.zeros(num_rows, bool)
        self._arrays: list[np.ndarray] | None = None
        self._structure: Any = None

    def take(self, given: Any, rows: np.ndarray) -> bool:
        """Put these rows in their places; False, and nothing done, where they do not fit."""
        arrays, structure = jax.tree.flatten(given)
        if not all(isinstance(one, np.ndarray) and len(one) == len(rows) for one in arrays):
            return False
        if self._arrays is None:
            self._structure = structure
            self._arrays = [np.zeros((self.num_rows, *one.shape[1:]), one.dtype) for one in arrays]
        is_alike = structure == self._structure and all(
            mine.dtype == one.dtype and mine.shape[1:] == one.shape[1:]
            for mine, one in zip(self._arrays, arrays, strict=True)
        )
        if not is_alike:
            return False
        known = self._filled[rows]
        pairs = list(zip(self._arrays, arrays, strict=True))
        if known.any() and not all(_are_equal(mine[rows[known]], one[known]) for mine, one in pairs):
            return False
        for mine, one in pairs:
            mine[rows] = one
        self._filled[rows] = True
        return True

    def content(self) -> Any:
        """The rows, in the structure in which they came."""
        return jax.tree.unflatten(self._structure, self._arrays or [])


def _are_equal(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def placed(tables: list[Table], given: Any, rows: np.ndarray, num_rows: int) -> Table | None:
    """The table that takes the rows, a new one if none of these does; None where no table can."""
    for table in [*tables, Table(num_rows)]:
        if table.take(given, rows):
            if table not in tables:
                # Rows that differ with every candidate would fill the memory.
                tables[:] = [*tables[1 - _MOST_TABLES :], table]
            return table
    return None
