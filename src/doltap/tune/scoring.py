"""How good a trained candidate is: scikit-learn's scorers, of which more is always better.

An error is no score: taken as one, a search would choose the worst candidate.
That is refused before anything is trained.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from doltap.errors import DataError, UnknownNameError, printable
from doltap.tune.borrowed import metrics

__all__ = ["Scoring", "asked", "classes_of"]

# What Keras calls some of scikit-learn's scorers.
_OTHER_NAMES = {
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "rmse": "neg_root_mean_squared_error",
    "msle": "neg_mean_squared_log_error",
    "auc": "roc_auc",
    "crossentropy": "neg_log_loss",
    "binary_crossentropy": "neg_log_loss",
    "categorical_crossentropy": "neg_log_loss",
    "sparse_categorical_crossentropy": "neg_log_loss",
    "loss": "neg_mean_squared_error",
    "val_loss": "neg_mean_squared_error",
    "val_accuracy": "accuracy",
}
_ENDINGS = ("_error", "_loss", "_deviance", "_crossentropy", "Error", "Loss", "Crossentropy")
_FAMILIES = ("sklearn.metrics", "doltap.losses", "doltap.metrics")


@dataclasses.dataclass
class Scoring:
    """What `scoring=` asked for.

    Args:
        public: the scorer, or a dict of them: the search's `scorer_`.
        measure: the same as one function of estimator, inputs, labels and keywords.
        counts_classes: whether one-hot labels are compared as the classes they stand for.
    """

    public: Any
    measure: Callable[..., Any]
    counts_classes: bool = False

    def of(self, estimator: Any, X: Any, y: Any, given: dict[str, Any]) -> dict[str, float]:
        """Each score by its name; a single one is "score"."""
        labels = () if y is None else (classes_of(y) if self.counts_classes else y,)
        found = self.measure(estimator, X, *labels, **given)
        named = found if isinstance(found, dict) else {"score": found}
        return {name: _number(name, value) for name, value in named.items()}

    def names(self) -> list[str]:
        """The names of the scores, as far as they are known before the first."""
        return list(self.public) if isinstance(self.public, dict) else ["score"]

    def asks_for_labels(self) -> bool:
        """Whether one of the scores compares labels, which scikit-learn wants as classes."""
        listed = self.public.values() if isinstance(self.public, dict) else [self.public]
        return any(
            getattr(one, "_response_method", "") == "predict"
            or getattr(one, "_score_func", None) is metrics.top_k_accuracy_score
            for one in listed
        )

    def takes_weights(self) -> bool:
        """Whether the weights of rows count in the score, as far as scikit-learn can tell."""
        return bool(getattr(self.measure, "_accept_sample_weight", bool)())


def classes_of(y: Any) -> Any:
    """The class of each row where all rows are one-hot; the labels as they are otherwise.

    >>> classes_of([[0, 1], [1, 0]]), classes_of([3, 4]), classes_of([[1, 1], [0, 1]])
    (array([1, 0]), [3, 4], [[1, 1], [0, 1]])
    """
    labels = np.asarray(y)
    if labels.ndim != 2 or labels.shape[1] < 2 or labels.dtype.kind not in "biuf":
        return y
    is_one_hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
    return labels.argmax(axis=1) if is_one_hot else y


def _number(name: str, value: Any) -> float:
    # A scorer may give a number of JAX's, which asks for no attribute but this one.
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DataError(
            f"scoring '{name}'",
            expected="a number",
            got=printable(repr(value)),
            fix="A scorer takes (estimator, X, y) and returns one number, or a dict of numbers by name.",
        )
    return float(value)


def asked(estimator: Any, scoring: Any) -> Scoring:
    """The scorers that `scoring=` stands for; None is the estimator's own score.

    Raises:
        UnknownNameError, DataError: a name is unknown, or an error was given as a score.
    """
    if isinstance(scoring, Mapping):
        parts: Iterable[Any] = scoring.values()
    elif isinstance(scoring, (list, tuple, set)):
        parts = scoring
    else:
        _check(scoring)
        scorer = metrics.check_scoring(estimator, scoring=scoring)
        return Scoring(scorer, scorer)
    named = dict(scoring) if isinstance(scoring, Mapping) else {name: name for name in parts}
    if not named:
        raise DataError("scoring", expected="at least one score", got="none", fix="scoring='accuracy'")
    for part in named.values():
        _check(part)
    scorers = {name: metrics.check_scoring(estimator, scoring=part) for name, part in named.items()}
    return Scoring(scorers, metrics.check_scoring(estimator, scoring=named))


def _check(scoring: Any) -> None:
    if isinstance(scoring, str):
        _check_name(scoring)
    elif callable(scoring):
        _check_function(scoring)
    elif scoring is not None:
        raise DataError(
            "scoring",
            expected="a name, a scorer, several in a list or dict, or None",
            got=printable(repr(scoring)),
            fix="For example scoring='neg_mean_squared_error'.",
        )


def _check_name(name: str) -> None:
    known = metrics.get_scorer_names()
    if name in known:
        return
    meant = f"neg_{name}" if f"neg_{name}" in known else _OTHER_NAMES.get(name.lower())
    if meant is None:
        raise UnknownNameError.of("scoring", name, known)
    is_error = meant.startswith("neg_")
    raise DataError(
        "scoring",
        expected="a score, of which more is better" if is_error else "one of scikit-learn's names",
        got=f"'{name}', of which less is better" if is_error else repr(name),
        fix=f"scoring='{meant}'" + (", which is its negative." if is_error else "."),
    )


def _check_function(function: Any) -> None:
    """An error for a function of labels and predictions, and for a scorer that praises errors."""
    inside = getattr(function, "_score_func", None)
    if inside is not None:
        if getattr(function, "_sign", -1) > 0 and _is_error(inside):
            raise _wrong_sign(f"make_scorer({inside.__name__})", inside)
        return
    if not _takes_predictions(function):
        return
    name = getattr(function, "__name__", type(function).__name__)
    if _is_error(function):
        raise _wrong_sign(name, function)
    raise DataError(
        "scoring",
        expected="a scorer, which takes (estimator, X, y)",
        got=f"{name}, which takes labels and predictions",
        fix=f"scoring=sklearn.metrics.make_scorer({name}).",
    )


def _takes_predictions(function: Any) -> bool:
    """Whether it is a metric, of labels and predictions, and no scorer."""
    if str(getattr(function, "__module__", "")).startswith(_FAMILIES):
        return True
    try:
        first = next(iter(inspect.signature(function).parameters), "")
    except ValueError:
        return False
    return first in ("y_true", "y_pred")


def _is_error(function: Any) -> bool:
    name = getattr(function, "__name__", type(function).__name__)
    return str(name).endswith(_ENDINGS)


def _wrong_sign(got: str, function: Any) -> DataError:
    name = getattr(function, "__name__", type(function).__name__)
    is_named = f"neg_{name}" in metrics.get_scorer_names()
    fix = f"scoring='neg_{name}'" if is_named else f"make_scorer({name}, greater_is_better=False)"
    return DataError(
        "scoring",
        expected="a score, of which more is better",
        got=f"{got}, of which less is better",
        fix=f"{fix}, which is its negative.",
    )
