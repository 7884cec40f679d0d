"""What the members of a population train on: converted once, placed once, checked for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.models import arguments
from doltap.training import batches
from doltap.training.batches import Rows
from doltap.training.members import Placing

__all__ = ["SharedData", "chosen_rows"]


class SharedData:
    """The rows of each member, to train on and to be validated on.

    Args:
        members: the models.
    """

    def __init__(self, members: Sequence[Any]) -> None:
        self._members, self._placing = members, Placing()
        self._rows: list[Rows] = []
        self._held_out: list[Rows | None] = [None] * len(members)
        # The numbers of the rows that each trains on, and is validated on; None for all.
        self.chosen: list[np.ndarray | None] = [None] * len(members)
        self.held_chosen: list[np.ndarray | None] = [None] * len(members)

    def take(self, x: Any, y: Any, sample_weight: Any, kind: str = "train") -> None:
        """Check x, y and the weights as `fit` or `evaluate` ("test") of each member does."""
        if batches.is_feed(x):
            raise NotSupportedError(
                "Population",
                expected="x as arrays, which all members read",
                got=f"a {type(x).__name__}, which gives its batches once",
                fix="Pass arrays; or train such a model alone, with model.fit.",
            )
        weights = self._weights_of_each(sample_weight)
        self._rows = self._checked(x, y, weights, "", kind)

    def _weights_of_each(self, given: Any) -> list[Any]:
        """The sample weights of each member: one's own, or those for all."""
        count = len(self._members)
        is_list = isinstance(given, (list, tuple)) and len(given) == count
        if is_list and all(one is None or np.ndim(one) or isinstance(one, (list, dict)) for one in given):
            return list(given)
        return [given] * count

    def _checked(self, x: Any, y: Any, weights: Sequence[Any], of: str, kind: str) -> list[Rows]:
        # Where strings are looked up, every member has its own table.
        if self._members[0]._front is None:
            x = batches.as_arrays(x, f"{of}x")
            y = None if y is None else batches.as_arrays(y, f"{of}y")
        found: list[Rows] = []
        for number, member in enumerate(self._members):
            rows = member._labelled(x, y, weights[number], of, kind)
            twin = next((one for one in range(number) if weights[one] is weights[number]), None)
            if twin is not None and rows.weights is not None:
                rows.weights = found[twin].weights
            found.append(rows)
        return found

    def choose(self, rows: Any, validation_rows: Any, *, weighted: bool = False) -> None:
        """Take the numbers of the rows of each member's fold.

        Args:
            weighted: whether the sample weights count for validation, too.
        """
        self.chosen = chosen_rows(rows, len(self._members), self._rows[0].count, "rows")
        picked = chosen_rows(validation_rows, len(self._members), self._rows[0].count, "validation_rows")
        for number, numbers in enumerate(picked):
            if numbers is not None:
                own = self._rows[number]
                # Validation in `fit` goes without weights, as with validation_data=(x, y).
                self._held_out[number] = own if weighted else Rows(own.x, own.y)
                self.held_chosen[number] = numbers

    def hold_out(self, share: float, data: Any, has_rows: bool) -> None:
        """Take the data for validation from what was passed as `validation_data` and `validation_split`."""
        if has_rows and data is not None:
            raise DataError(
                "Population.fit",
                expected="validation_data or validation_rows",
                got="both",
                fix="validation_rows are numbers of rows of x.",
            )
        if data is not None:
            if isinstance(data, Rows) or batches.is_feed(data):
                raise NotSupportedError(
                    "validation_data",
                    expected="(x, y) or (x, y, sample_weight)",
                    got=f"a {type(data).__name__}",
                    fix="Pass arrays.",
                )
            x, y, weights = arguments.validation_parts(data)
            self._held_out = list(self._checked(x, y, [weights] * len(self._members), "validation ", "test"))
        elif share and not has_rows:
            for number in range(len(self._members)):
                self._split(number, share)

    def _split(self, number: int, share: float) -> None:
        rows, chosen = self._rows[number], self.chosen[number]
        if chosen is None:
            self._rows[number], self._held_out[number] = batches.split(rows, share)
            return
        first, last = batches.split(Rows(chosen), share)
        self.chosen[number], self.held_chosen[number] = first.x, last.x
        self._held_out[number] = Rows(rows.x, rows.y, rows.weights)

    def weigh_classes(self, class_weight: Any) -> None:
        """Give the rows to train on the weights of their classes."""
        if class_weight is None:
            return
        for number, member in enumerate(self._members):
            if number and self._rows[number].weights is None:
                # The labels are the same for all.
                self._rows[number].weights = self._rows[0].weights
            else:
                member._weigh_classes(self._rows[number], class_weight)

    def rows(self, number: int) -> Rows:
        """The rows of a member on the device, of which `chosen` says which are to be trained on."""
        return self._placing.on_device(self._rows[number])

    def held_out(self, number: int) -> Rows | None:
        """The rows for the validation of a member, on the device; None where there is none."""
        rows, numbers = self._held_out[number], self.held_chosen[number]
        if rows is None:
            return None
        return self._placing.on_device(rows if numbers is None else self._placing.taken(rows, numbers))

    def held_rows(self, number: int) -> Rows | None:
        """As `held_out`, without choosing those of `held_chosen`."""
        rows = self._held_out[number]
        return None if rows is None else self._placing.on_device(rows)


def chosen_rows(given: Any, count: int, num_rows: int, what: str) -> list[np.ndarray | None]:
    """For each member the numbers of its rows; None where it takes all.

    Args:
        given: None, or for each member None, the numbers, or a boolean for each row.

    >>> chosen_rows([[0, -1], None], 2, 4, "rows")
    [array([0, 3], dtype=int32), None]
    """
    if given is None:
        return [None] * count
    _refuse_pairs(given, what)
    if len(given) != count:
        raise ShapeError(
            what,
            expected=f"numbers of rows for each of the {count} members",
            got=f"{len(given)}",
            fix="A list with one array for each member, such as [train for train, _ in folds].",
        )
    return [None if one is None else _numbers(one, num_rows, f"{what}[{n}]") for n, one in enumerate(given)]


def _refuse_pairs(given: Any, what: str) -> None:
    """An error for the pairs that a splitter of scikit-learn gives."""
    if len(given) and all(isinstance(one, tuple) and len(one) == 2 and np.ndim(one[0]) for one in given):
        raise DataError(
            what,
            expected="for each member the numbers of its rows",
            got="pairs of train and test",
            fix="rows=[train for train, _ in folds], validation_rows=[test for _, test in folds].",
        )


def _numbers(given: Any, num_rows: int, what: str) -> np.ndarray:
    numbers = np.asarray(given)
    if numbers.dtype == bool and numbers.shape == (num_rows,):
        numbers = np.flatnonzero(numbers)
    is_list = numbers.ndim == 1 and numbers.dtype.kind in "iu"
    if not numbers.size or not is_list or numbers.min() < -num_rows or numbers.max() >= num_rows:
        got = f"{numbers.min()} to {numbers.max()}" if is_list and numbers.size else ""
        raise DataError(
            what,
            expected=f"numbers of rows, from -{num_rows} to {num_rows - 1}",
            got=got or ("no rows" if not numbers.size else f"{numbers.dtype} {numbers.shape}"),
            fix="For example np.arange(100), or [train for train, _ in KFold().split(x)] for all members.",
        )
    return np.where(numbers < 0, numbers + num_rows, numbers).astype(np.int32)
