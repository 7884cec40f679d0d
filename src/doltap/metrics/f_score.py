"""Precision and recall weighed into one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config, losses
from doltap.errors import DataError, ShapeError
from doltap.metrics.metric import Metric, names, no_batch_yet

__all__ = ["F1Score", "FBetaScore"]

_AVERAGES = (None, "micro", "macro", "weighted")
_TOTALS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


@names.register()
class FBetaScore(Metric):
    """`(1 + beta²) · precision · recall / (beta² · precision + recall)`, for each class or averaged.

    Args:
        average: None gives a number for each class; "micro" counts all classes
            together, "macro" is the mean over the classes, "weighted" the mean by
            how often a class is true.
        beta: how many times as much recall counts as precision.
        threshold: predictions above it are positive; None takes each row's largest.

    >>> metric = FBetaScore(beta=2.0, threshold=0.5)
    >>> metric.update_state([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]])
    >>> [round(float(score), 3) for score in metric.result()]
    [0.556, 0.833]
    """

    direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        if average not in _AVERAGES:
            fix = "None gives a number for each class."
            raise DataError(f"{kind}(average)", expected=f"one of {_AVERAGES}", got=repr(average), fix=fix)
        if not _is_number(beta) or beta <= 0:
            raise DataError(f"{kind}(beta)", expected="a number above 0", got=repr(beta), fix="1.0 is F1.")
        if threshold is not None and (not _is_number(threshold) or not 0 < threshold <= 1):
            fix = "For example threshold=0.5, or None for the largest of each row."
            raise DataError(f"{kind}(threshold)", expected="above 0, up to 1", got=repr(threshold), fix=fix)
        self.average, self.beta = average, float(beta)
        self.threshold = None if threshold is None else float(threshold)
        self.needs_probabilities = threshold is not None
        self.built = False

    def build_for(self, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> None:
        """Make the totals, for each class its own unless all are counted together."""
        if self.built:
            return
        if len(y_pred_shape) != 2:
            raise ShapeError(
                f"metric '{self.name}'",
                expected="predictions of shape (batch, classes)",
                got=f"shape {tuple(y_pred_shape)}",
                fix="Reshape y and the predictions to two dimensions, reshape(-1, 1) for a single class.",
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        for total in _TOTALS:
            setattr(self, total, self.add_variable(shape, dtype=self.dtype, name=total))
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of one-hot labels and predictions, both (batch, classes)."""
        y_true, y_pred = losses.align(y_true, jnp.asarray(y_pred, self.dtype))
        self.build_for(y_true.shape, y_pred.shape)
        if self.threshold is None:
            # In a row of zeros nothing is the largest.
            is_positive = (y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)) & (jnp.abs(y_pred) > 1e-9)
        else:
            is_positive = y_pred > self.threshold
        positive = is_positive.astype(self.dtype)
        weights = losses.spread(
            jnp.asarray(1 if sample_weight is None else sample_weight, self.dtype), y_true
        )
        counted = (positive * y_true, positive * (1 - y_true), (1 - positive) * y_true, y_true)
        axis = None if self.average == "micro" else 0
        for name, values in zip(_TOTALS, counted, strict=True):
            total = getattr(self, name)
            total.assign(total.read() + jnp.sum(values * weights, axis=axis))

    def result(self) -> Any:
        """The score so far: one number, or one for each class."""
        if not self.built:
            raise no_batch_yet(self)
        epsilon, squared = config.epsilon(), self.beta**2
        right, too_many, missed, frequency = (getattr(self, name).read() for name in _TOTALS)
        precision = right / (right + too_many + epsilon)
        recall = right / (right + missed + epsilon)
        scores = (1 + squared) * precision * recall / (squared * precision + recall + epsilon)
        if self.average == "weighted":
            return jnp.sum(scores * frequency / (jnp.sum(frequency) + epsilon))
        return scores if self.average is None else jnp.mean(scores)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        options = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **options}


@names.register()
class F1Score(FBetaScore):
    """`2 · precision · recall / (precision + recall)`, for each class or averaged.

    Args:
        average: None gives a number for each class; "micro", "macro" and "weighted"
            give one.
        threshold: predictions above it are positive; None takes each row's largest.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {key: value for key, value in super().get_config().items() if key != "beta"}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
