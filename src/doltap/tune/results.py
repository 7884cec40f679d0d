"""What came of the candidates, as scikit-learn's `cv_results_` tells it."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, printable
from doltap.tune.borrowed import exceptions

__all__ = ["Outcome", "check_failures", "error_texts", "table"]

# Names that models and layers get where they are given none: 'sequential_535'.
_GENERATED = re.compile(r"'([a-z][a-z0-9_]*)_\d+'")


@dataclasses.dataclass
class Outcome:
    """What came of one candidate: for each fold its scores, seconds, and the error if it failed."""

    params: dict[str, Any]
    test_scores: list[dict[str, float]] = dataclasses.field(default_factory=list)
    train_scores: list[dict[str, float]] = dataclasses.field(default_factory=list)
    fit_seconds: list[float] = dataclasses.field(default_factory=list)
    score_seconds: list[float] = dataclasses.field(default_factory=list)
    errors: list[str | None] = dataclasses.field(default_factory=list)
    # What a kind of search notes beside: its round, its resources.
    more: dict[str, Any] = dataclasses.field(default_factory=dict)

    def mean(self, name: str = "score") -> float:
        """The mean of a score over the folds."""
        return float(np.average([scores[name] for scores in self.test_scores]))


def table(outcomes: Sequence[Outcome], *, with_train: bool) -> dict[str, Any]:
    """The outcomes as `cv_results_` has them: an array for each key, a place in it for each candidate."""
    results: dict[str, Any] = {}
    for name in dict.fromkeys(name for outcome in outcomes for name in outcome.more):
        results[name] = np.asarray([outcome.more.get(name) for outcome in outcomes])
    _add(results, "fit_time", [outcome.fit_seconds for outcome in outcomes])
    _add(results, "score_time", [outcome.score_seconds for outcome in outcomes])
    results.update(_columns([outcome.params for outcome in outcomes]))
    results["params"] = [outcome.params for outcome in outcomes]
    for name in outcomes[0].test_scores[0]:
        values = [[scores[name] for scores in outcome.test_scores] for outcome in outcomes]
        _add(results, f"test_{name}", values, splits=True)
        results[f"rank_test_{name}"] = ranks(results[f"mean_test_{name}"])
        if with_train:
            values = [[scores[name] for scores in outcome.train_scores] for outcome in outcomes]
            _add(results, f"train_{name}", values, splits=True)
    return results


def _add(results: dict[str, Any], key: str, values: list[list[float]], *, splits: bool = False) -> None:
    rows = np.array(values, np.float64)
    if splits:
        results.update({f"split{number}_{key}": column for number, column in enumerate(rows.T)})
    means = results[f"mean_{key}"] = np.average(rows, axis=1)
    if splits and not np.isfinite(means).all():
        warnings.warn(
            f"One or more of the {key.partition('_')[0]} scores are non-finite: {means}",
            UserWarning,
            stacklevel=2,
        )
    with np.errstate(invalid="ignore"):
        results[f"std_{key}"] = np.sqrt(np.average((rows - means[:, None]) ** 2, axis=1))


def ranks(means: np.ndarray) -> np.ndarray:
    """The place of each mean among them, the largest first; what is no number comes last.

    >>> ranks(np.array([0.5, np.nan, 0.9, 0.5]))
    array([2, 4, 1, 2], dtype=int32)
    """
    if np.isnan(means).all():
        return np.ones(len(means), np.int32)
    filled = np.where(np.isnan(means), np.nanmin(means) - 1, means)
    return np.array([1 + np.sum(filled > value) for value in filled], np.int32)


def _columns(candidates: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """For each parameter its values as a masked array; masked where a candidate does not have it."""
    for name in dict.fromkeys(name for params in candidates for name in params):
        known = [params[name] for params in candidates if name in params]
        column = np.ma.MaskedArray(np.empty(len(candidates), _dtype_of(known)), mask=True)
        for number, params in enumerate(candidates):
            if name in params:
                column[number] = params[name]
        yield f"param_{name}", column


def _dtype_of(values: list[Any]) -> Any:
    try:
        array = np.array(values)
    except ValueError:  # Lists of several lengths.
        return object
    return array.dtype if array.dtype.kind != "U" and array.ndim == 1 else object


def error_texts(outcomes: Sequence[Outcome]) -> dict[tuple[int, int], str]:
    """The errors by the numbers of candidate and fold."""
    return {
        (number, fold): error
        for number, outcome in enumerate(outcomes)
        for fold, error in enumerate(outcome.errors)
        if error is not None
    }


def check_failures(outcomes: Sequence[Outcome], error_score: Any) -> None:
    """A warning where some fits failed, and an error where all did, with what went wrong."""
    found = [error for outcome in outcomes for error in outcome.errors]
    failed = [error for error in found if error is not None]
    if not failed:
        return
    alike: dict[str, list[str]] = {}
    for error in failed:
        alike.setdefault(_GENERATED.sub(r"'\1'", error), []).append(error)
    most = sorted(alike.values(), key=len, reverse=True)[:5]
    told = "\n".join(f"{len(errors)} x {errors[0]}" for errors in most)
    if len(failed) == len(found):
        raise DataError(
            "the search",
            expected="a candidate that can be trained",
            got=f"errors in all {len(found)} fits",
            fix=f"error_score='raise' shows where it happens. They are:\n{told}",
        )
    warnings.warn(
        f"{len(failed)} fits failed out of a total of {len(found)}.\nTheir score is {error_score}; "
        f"`errors_` holds them by candidate and fold, error_score='raise' shows where they happen.\n"
        f"{printable(told, 2000)}",
        exceptions.FitFailedWarning,
        stacklevel=2,
    )
