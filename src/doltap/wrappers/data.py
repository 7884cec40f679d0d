"""The data as scikit-learn checks it: rows, columns and their names, numbers that are finite.

What scikit-learn knows nothing of goes on to the model as it came: several
inputs in a list or a dict, and text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from doltap.errors import DataError
from doltap.models.hosting import is_text
from doltap.wrappers.borrowed import base, validation

__all__ = [
    "Unchanged",
    "check_fitted",
    "checked",
    "held_out",
    "inputs",
    "is_several",
    "labels",
    "one_column",
    "weights",
]


class Unchanged(base.TransformerMixin, base.BaseEstimator):
    """A transformer that leaves everything as it is, inputs in dicts too."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Nothing to learn."""
        return self

    def transform(self, X: Any) -> Any:
        """The same."""
        return X

    def inverse_transform(self, X: Any) -> Any:
        """The same."""
        return X


def is_several(x: Any) -> bool:
    """Whether these are several inputs: a dict, or a list or tuple of arrays that each hold rows.

    >>> is_several([[1.0, 2.0], [3.0, 4.0]]), is_several([np.ones((2, 3)), np.ones((2, 1))])
    (False, True)
    """
    # A sparse matrix of scikit-learn's may be a dict, too.
    if isinstance(x, Mapping):
        return not hasattr(x, "shape")
    is_row = isinstance(x, (list, tuple)) and bool(x)
    return is_row and all(getattr(part, "ndim", 0) >= 2 for part in x)


def checked(estimator: Any, x: Any, y: Any, *, is_numeric: bool, reset: bool = True) -> tuple[Any, Any]:
    """Inputs and labels as arrays, rows first; the estimator keeps the columns it saw.

    Args:
        is_numeric: whether the labels are numbers.
        reset: whether the columns are seen for the first time; otherwise they have to be the same.
    """
    if is_several(x):
        return x, labels(estimator, y, is_numeric=is_numeric)
    ways = _for_inputs(x) | {"estimator": estimator}, _for_labels(estimator, is_numeric=is_numeric)
    x, y = validation.validate_data(estimator, x, y, reset=reset, validate_separately=ways)
    validation.check_consistent_length(x, y)
    return x, y


def labels(estimator: Any, y: Any, *, is_numeric: bool) -> Any:
    """Labels alone, checked."""
    return validation.check_array(y, input_name="y", **_for_labels(estimator, is_numeric=is_numeric))


def inputs(estimator: Any, x: Any, *, reset: bool = False) -> Any:
    """Inputs without labels; they have the columns that were trained on, or are the first ones seen."""
    if is_several(x):
        return x
    return validation.validate_data(estimator, x, reset=reset, **_for_inputs(x))


def held_out(given: Any, encode_inputs: Callable[[Any], Any], encode: Callable[[Any], Any]) -> Any:
    """`validation_data` as the network takes it; what gives batch by batch stays as it is."""
    if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
        return given
    x, y, *weights = given
    return (encode_inputs(x if is_several(x) else np.asarray(x)), encode(np.asarray(y)), *weights)


def _for_inputs(x: Any) -> dict[str, Any]:
    is_words = is_text(x)
    return {"allow_nd": True, "ensure_2d": not is_words, "dtype": None if is_words else "numeric"}


def _for_labels(estimator: Any, *, is_numeric: bool) -> dict[str, Any]:
    dtype = "numeric" if is_numeric else None
    return {"ensure_2d": False, "allow_nd": True, "dtype": dtype, "estimator": estimator}


def one_column(y: np.ndarray) -> np.ndarray:
    """A label for each row as a vector; scikit-learn's warning where it was a column."""
    return validation.column_or_1d(y, warn=True)


def weights(sample_weight: Any, x: Any) -> np.ndarray | None:
    """A weight for each row as numbers; None stays None."""
    if sample_weight is None:
        return None
    found = np.asarray(sample_weight, np.float32)
    if found.size and not found.any():
        raise DataError(
            "sample_weight",
            expected="rows that count",
            got="zero for each row",
            fix="Give at least one row a weight above zero.",
        )
    return found if is_several(x) else validation._check_sample_weight(found, x, dtype=np.float32)


def check_fitted(estimator: Any) -> None:
    """scikit-learn's error for an estimator without a model."""
    validation.check_is_fitted(estimator, "model_")
