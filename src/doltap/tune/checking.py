"""What would go wrong in every fit is said before the first: names, folds, early stopping.

What goes wrong for one candidate is that candidate's own; the search goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap import registry
from doltap.errors import DataError, LabelError, UnknownArgumentError, printable
from doltap.tune import rows
from doltap.tune.borrowed import base, multiclass, utils
from doltap.tune.estimators import is_ours, plans, quiet, with_params
from doltap.wrappers.estimator import Plan
from doltap.wrappers.parameters import FIT_OLD, ParameterError, of_model
from doltap.wrappers.seeding import seeded

__all__ = [
    "check_candidates",
    "check_carrier",
    "check_error_score",
    "check_folds",
    "check_keywords",
    "check_labels",
]

_OF_CLASSES = ("binary", "multiclass")


def check_error_score(given: Any) -> None:
    """An error for what is neither "raise" nor a number."""
    is_number = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
    if not is_number and not (isinstance(given, str) and given == "raise"):
        raise DataError(
            "error_score",
            expected="'raise', or the score of a candidate that fails",
            got=printable(repr(given)),
            fix="The usual one is error_score=np.nan.",
        )


def check_carrier(carrier: Any) -> None:
    """An error for a way of training many that does not exist."""
    known = ("auto", "loop", "threads", "vmap")
    if carrier not in known:
        raise DataError(
            "carrier", expected=f"one of {', '.join(known)}", got=repr(carrier), fix="carrier='auto'."
        )


def check_keywords(search: str, estimator: Any, given: dict[str, Any]) -> None:
    """An error for a keyword of `fit` that the `fit` of models does not take."""
    if plans(estimator):
        # SciKeras's estimators know others by the place they are meant for.
        plain = {name: value for name, value in given.items() if "__" not in name}
        known = {*of_model("fit"), *FIT_OLD, "groups"} - {"x", "y"}
        registry.check_arguments(f"{search}.fit()", plain, sorted(known))


def check_labels(estimator: Any, y: Any) -> None:
    """An error where there are no labels, and the estimator learns from them."""
    if y is None and utils.get_tags(estimator).target_tags.required:
        raise DataError(
            f"the {type(estimator).__name__} that is searched",
            expected="labels (it requires y to be passed, but the target y is None)",
            got="inputs alone",
            fix="search.fit(X, y).",
        )


def check_folds(estimator: Any, y: Any, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """An error where no fold is left, one is empty, or a classifier is to learn a class it never sees."""
    if not folds:
        raise DataError("cv", expected="at least one fold", got="none", fix="For example cv=5.")
    for number, (train, test) in enumerate(folds):
        if not len(train) or not len(test):
            raise DataError(
                f"fold {number + 1} of {len(folds)}",
                expected="rows to train on, and rows to test on",
                got=f"{len(train)} and {len(test)}",
                fix="For example cv=5.",
            )
    labels = np.asarray(y) if y is not None and base.is_classifier(estimator) else np.zeros(0)
    if labels.ndim != 1 or not labels.size or multiclass.type_of_target(labels) not in _OF_CLASSES:
        return
    classes = set(labels.tolist())
    for number, (train, _) in enumerate(folds):
        missing = classes - set(labels[train].tolist())
        if missing:
            raise LabelError(
                f"fold {number + 1} of {len(folds)}",
                expected="training rows of every class",
                got=f"none of class {printable(repr(min(missing, key=str)))}",
                fix="cv=StratifiedKFold(...) keeps every class in every fold, where it has a row for each.",
            )


def check_candidates(estimator: Any, candidates: Sequence[dict[str, Any]], data: rows.Data) -> None:
    """An error for a parameter that nothing takes or nobody gives, and for callbacks that lack validation.

    One candidate of each set of names is made and looked at, none is trained.
    """
    for params in {frozenset(one): one for one in candidates}.values():
        _check_names(estimator, params)
        if plans(estimator):
            _check_plan(estimator, params, data)


def _check_names(estimator: Any, params: dict[str, Any]) -> None:
    if is_ours(estimator):
        # They know each name's place, and say what is meant.
        with_params(estimator, params)
        return
    known = list(base.clone(estimator).get_params(deep=True))
    for name in params:
        # A part may have parameters that are not there before the part is set.
        if name not in known and name.partition("__")[0] not in known:
            raise UnknownArgumentError.of(type(estimator).__name__, name, known)


def _check_plan(estimator: Any, params: dict[str, Any], data: rows.Data) -> None:
    train = data.folds[0][0]
    # The first look changes nothing of what the candidates start from.
    with seeded(0):
        try:
            clone = quiet(with_params(estimator, params))
            plan = clone.planned(*data.labelled(train), **data.fit_arguments(train))
        except ParameterError:
            raise
        except Exception:  # It may be this candidate's alone.
            return
    _check_monitors(plan)


def _check_monitors(plan: Plan) -> None:
    settings = plan.settings
    if settings.get("validation_data") is not None or settings.get("validation_split"):
        return
    given = settings.get("callbacks") or []
    for callback in given if isinstance(given, (list, tuple)) else [given]:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("val_"):
            name = type(callback).__name__
            raise DataError(
                f"{name}(monitor='{monitor}')",
                expected="validation data to watch",
                got="neither validation_data nor validation_split",
                fix="Give fit validation_split=0.1 or validation_data=(X_valid, y_valid), "
                f"or watch the training: {name}(monitor='{monitor.removeprefix('val_')}').",
            )
