"""Which share of the predictions is right, for every form that labels come in."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from doltap import config, losses
from doltap.errors import DataError
from doltap.metrics.metric import names
from doltap.metrics.reduction import MeanOf, functions
from doltap.registry import explained

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


@functions.register("accuracy")
def equal(y_true: Any, y_pred: Any) -> Any:
    """1 wherever the prediction equals the label."""
    y_true, y_pred = losses.align(y_true, y_pred)
    return (y_true == y_pred).astype(config.floatx())


@functions.register()
@explained
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 for each output that falls on the right side of the threshold.

    Args:
        y_true: (batch, outputs) of 0 and 1.
        y_pred: (batch, outputs) probabilities.

    >>> binary_accuracy([[1], [0]], [[0.9], [0.8]]).tolist()
    [[1.0], [0.0]]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    return (y_true == (y_pred > threshold).astype(y_true.dtype)).astype(config.floatx())


@functions.register()
@explained
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 for each row whose largest prediction stands where its one-hot label has the 1.

    >>> categorical_accuracy([[0, 1]], [[0.3, 0.7]]).tolist()
    [1.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    return (jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)).astype(config.floatx())


@functions.register()
@explained
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 for each row whose largest prediction stands at its class number.

    >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.3, 0.7]]).tolist()
    [1.0, 0.0]
    """
    y_pred = jnp.asarray(y_pred)
    found = losses.class_numbers(y_true, y_pred) == jnp.argmax(y_pred, axis=-1)
    return found.astype(config.floatx())


@functions.register()
@explained
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 for each row whose one-hot label has its 1 among the `k` largest predictions.

    >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.5, 0.4]], k=2).tolist()
    [1.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    return _among_largest(jnp.argmax(y_true, axis=-1), y_pred, k)


@functions.register()
@explained
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 for each row whose class number is among the `k` largest predictions.

    Args:
        y_true: class numbers (batch,) or (batch, 1).
        y_pred: (batch, classes) scores; with `from_sorted_ids`, class numbers, the best first.

    >>> sparse_top_k_categorical_accuracy([2], [[0.1, 0.5, 0.4]], k=2).tolist()
    [1.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    classes = losses.class_numbers(y_true, y_pred)
    if from_sorted_ids:
        found = jnp.any(classes[..., None] == y_pred[..., :k], axis=-1).astype(config.floatx())
    else:
        found = _among_largest(classes, y_pred, k)
    return found.reshape(y_true.shape)


def _among_largest(classes: Any, y_pred: Any, k: int) -> Any:
    is_label = jax.nn.one_hot(classes, y_pred.shape[-1], dtype=bool)
    score = jnp.max(jnp.where(is_label, y_pred, -jnp.inf), axis=-1, keepdims=True)
    # No number is larger than NaN, which would put it first.
    num_larger = jnp.sum(y_pred > jnp.where(jnp.isnan(score), -jnp.inf, score), axis=-1)
    return (num_larger < k).astype(config.floatx())


def _checked_count(kind: str, k: Any) -> int:
    if isinstance(k, bool) or not hasattr(k, "__index__") or int(k) < 1:
        raise DataError(
            f"{kind}(k)", expected="a whole number, 1 or more", got=repr(k), fix="The usual one is k=5."
        )
    return int(k)


@names.register()
class Accuracy(MeanOf):
    """Share of predictions that equal their label exactly."""

    direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(equal, name, dtype)


@names.register()
class BinaryAccuracy(MeanOf):
    """Share of yes-or-no outputs on the right side of the threshold."""

    direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@names.register()
class CategoricalAccuracy(MeanOf):
    """Share of rows whose class was found, labels one-hot."""

    direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@names.register()
class SparseCategoricalAccuracy(MeanOf):
    """Share of rows whose class was found, labels class numbers."""

    direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@names.register()
class TopKCategoricalAccuracy(MeanOf):
    """Share of rows whose class is among the `k` likeliest, labels one-hot."""

    direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        k = _checked_count(type(self).__name__, k)
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@names.register()
class SparseTopKCategoricalAccuracy(MeanOf):
    """Share of rows whose class is among the `k` likeliest, labels class numbers.

    Args:
        from_sorted_ids: whether predictions are class numbers, the likeliest first.
    """

    direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        k = _checked_count(type(self).__name__, k)
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
