"""How near predicted numbers come to the true ones, and how well they move together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from doltap import config, losses
from doltap.errors import DataError, ShapeError
from doltap.metrics.metric import Metric, names, no_batch_yet
from doltap.metrics.reduction import Mean, MeanOf, functions
from doltap.registry import explained

__all__ = [
    "ConcordanceCorrelation",
    "PearsonCorrelation",
    "R2Score",
    "RootMeanSquaredError",
    "concordance_correlation",
    "pearson_correlation",
]

_AGGREGATIONS = ("uniform_average", "variance_weighted_average", None)


@functions.register()
@explained
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """How nearly label and prediction lie on a rising line, -1 to 1; NaN where one is constant.

    Args:
        axis: along which they are compared; -1 compares the outputs of each row.

    >>> pearson_correlation([[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]).round(3).tolist()
    [1.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    first, second = (each - jnp.mean(each, axis=axis, keepdims=True) for each in (y_true, y_pred))
    first, second = (each / jnp.std(each, axis=axis, keepdims=True) for each in (first, second))
    return jnp.mean(first * second, axis=axis)


@functions.register()
@explained
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """How nearly label and prediction are equal, -1 to 1: a shift or another scale counts too.

    Source: Lin, "A concordance correlation coefficient to evaluate reproducibility" (1989).

    Args:
        axis: along which they are compared; -1 compares the outputs of each row.

    >>> concordance_correlation([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]]).round(3).tolist()
    [1.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    gap = jnp.mean(y_true, axis=axis) - jnp.mean(y_pred, axis=axis)
    first, second = (each - jnp.mean(each, axis=axis, keepdims=True) for each in (y_true, y_pred))
    covariance = jnp.mean(first * second, axis=axis)
    spread = jnp.var(y_true, axis=axis) + jnp.var(y_pred, axis=axis) + jnp.square(gap)
    return 2 * covariance / (spread + config.epsilon())


@names.register()
class PearsonCorrelation(MeanOf):
    """The mean correlation of label and prediction, each row's outputs compared with its labels."""

    direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@names.register()
class ConcordanceCorrelation(MeanOf):
    """The mean concordance of label and prediction, each row's outputs compared with its labels."""

    direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)


@names.register("rmse")
class RootMeanSquaredError(Mean):
    """The square root of the mean squared difference."""

    direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch of labels and predictions."""
        y_true, y_pred = losses.align(y_true, jnp.asarray(y_pred, self.dtype))
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """The root of the mean so far."""
        return jnp.sqrt(super().result())


@names.register()
class R2Score(Metric):
    """Which share of the labels' variance the predictions explain; 1 is all, 0 is none.

    Args:
        class_aggregation: how several outputs make one number: "uniform_average",
            "variance_weighted_average", or None for a number each.
        num_regressors: number of features, for the adjusted score; 0 leaves it unadjusted.

    >>> metric = R2Score()
    >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    >>> round(float(metric.result()), 4)
    0.5714
    """

    direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in _AGGREGATIONS:
            raise DataError(
                "R2Score(class_aggregation)",
                expected=f"one of {_AGGREGATIONS}",
                got=repr(class_aggregation),
                fix="The usual one is 'uniform_average'.",
            )
        if num_regressors < 0:
            raise DataError(
                "R2Score(num_regressors)",
                expected="0 or more",
                got=repr(num_regressors),
                fix="Give the number of columns of x, or 0 for the score as it is.",
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        # The adjustment counts the rows, whatever their weight.
        self.rows_are_independent = num_regressors == 0
        self.num_samples = self.add_variable((), name="num_samples")
        self.built = False

    def build_for(self, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> None:
        """Make a set of totals for each output."""
        if self.built:
            return
        if len(y_pred_shape) != 2:
            raise ShapeError(
                f"metric '{self.name}'",
                expected="predictions of shape (batch, outputs)",
                got=f"shape {tuple(y_pred_shape)}",
                fix="Give single numbers as a column: reshape(-1, 1).",
            )
        shape = (y_pred_shape[-1],)
        self.squared_sum = self.add_variable(shape, name="squared_sum")
        self.sum = self.add_variable(shape, name="sum")
        self.total_mse = self.add_variable(shape, name="residual")
        self.count = self.add_variable(shape, name="count")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels and predictions, both (batch, outputs)."""
        y_true, y_pred = losses.align(y_true, jnp.asarray(y_pred, self.dtype))
        self.build_for(y_true.shape, y_pred.shape)
        weights = losses.spread(
            jnp.asarray(1 if sample_weight is None else sample_weight, self.dtype), y_true
        )
        weights = jnp.broadcast_to(weights, y_true.shape)
        self.sum.assign_add(jnp.sum(weights * y_true, axis=0))
        self.squared_sum.assign_add(jnp.sum(weights * jnp.square(y_true), axis=0))
        self.total_mse.assign_add(jnp.sum(weights * jnp.square(y_true - y_pred), axis=0))
        self.count.assign_add(jnp.sum(weights, axis=0))
        # As Keras: each output of a row counts as a sample.
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Any:
        """The score so far: one number, or one for each output."""
        if not self.built:
            raise no_batch_yet(self)
        total = self.squared_sum.read() - jnp.square(self.sum.read()) / self.count.read()
        scores = 1 - self.total_mse.read() / total
        scores = jnp.where(jnp.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = jnp.sum(total * scores) / jnp.sum(total)
        if not self.num_regressors:
            return scores
        # With no more samples than features there is nothing to adjust with.
        freedom = self.num_samples.read() - self.num_regressors - 1
        adjusted = 1 - (1 - scores) * (self.num_samples.read() - 1) / jnp.where(freedom > 0, freedom, 1.0)
        return jnp.where(freedom > 0, adjusted, scores)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        options = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **options}
