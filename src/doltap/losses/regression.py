"""How far predicted numbers are from the true ones."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import config
from doltap.losses.loss import Formula, align, functions, names

__all__ = ["Huber", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError"]
__all__ += ["MAE", "MAPE", "MSE", "MSLE", "MeanSquaredError", "MeanSquaredLogarithmicError"]
__all__ += ["huber", "log_cosh", "logcosh", "mae", "mape", "mse", "msle"]
__all__ += ["mean_absolute_error", "mean_absolute_percentage_error"]
__all__ += ["mean_squared_error", "mean_squared_logarithmic_error"]


@functions.register("mse")
def mean_squared_error(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the squared difference.

    Args:
        y_true: (batch, outputs).
        y_pred: (batch, outputs).

    >>> mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    return jnp.mean(jnp.square(y_pred - y_true), axis=-1)


@functions.register("mae")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the distance.

    >>> mean_absolute_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    return jnp.mean(jnp.abs(y_pred - y_true), axis=-1)


@functions.register("mape")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the distance, in percent of the true number.

    A true number nearer to 0 than `epsilon()` counts as that, as in Keras.

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    size = jnp.maximum(jnp.abs(y_true), config.epsilon())
    return 100.0 * jnp.mean(jnp.abs(y_pred - y_true) / size, axis=-1)


@functions.register("msle")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the squared difference of the logarithms of 1 + number.

    Numbers below `epsilon()` count as that, and so have no gradient.

    >>> round(float(mean_squared_logarithmic_error([[1.0]], [[0.0]])[0]), 4)
    0.4805
    """
    y_true, y_pred = (jnp.log(jnp.maximum(y, config.epsilon()) + 1.0) for y in align(y_true, y_pred))
    return jnp.mean(jnp.square(y_pred - y_true), axis=-1)


@functions.register("huber_loss")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Float[Array, "*batch"]:
    """Squared near zero, a straight line beyond `delta`: outliers pull less.

    Source: Huber, "Robust estimation of a location parameter" (1964).

    >>> huber([[0.0]], [[3.0]]).tolist()
    [2.5]
    """
    y_true, y_pred = align(y_true, y_pred)
    distance = jnp.abs(y_pred - y_true)
    inside = 0.5 * jnp.square(distance)
    return jnp.mean(jnp.where(distance <= delta, inside, delta * distance - 0.5 * delta**2), axis=-1)


@functions.register("logcosh")
def log_cosh(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the logarithm of the difference's hyperbolic cosine.

    Squared near zero and a straight line far from it, as `huber`, but smooth.

    >>> round(float(log_cosh([[0.0]], [[1.0]])[0]), 4)
    0.4338
    """
    y_true, y_pred = align(y_true, y_pred)
    difference = y_pred - y_true
    # log((e^x + e^-x) / 2) as it stands would overflow.
    return jnp.mean(jnp.logaddexp(difference, -difference) - math.log(2.0), axis=-1)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh


@names.register("mse")
class MeanSquaredError(Formula):
    """The mean squared difference.

    >>> float(MeanSquaredError()([[0.0], [2.0]], [[0.0], [0.0]]))
    2.0
    """

    labels = "numbers"
    function = mean_squared_error


@names.register("mae")
class MeanAbsoluteError(Formula):
    """The mean distance."""

    labels = "numbers"
    function = mean_absolute_error


@names.register("mape")
class MeanAbsolutePercentageError(Formula):
    """The mean distance in percent of the true number.

    >>> float(MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]]))
    25.0
    """

    labels = "numbers"
    function = mean_absolute_percentage_error


@names.register("msle")
class MeanSquaredLogarithmicError(Formula):
    """The mean squared difference of the logarithms of 1 + number: for sizes of many orders."""

    labels = "numbers"
    function = mean_squared_logarithmic_error


@names.register("huber_loss")
class Huber(Formula):
    """Squared near zero, a straight line beyond `delta`: outliers pull less.

    Args:
        delta: where the line begins.
    """

    labels = "numbers"
    function = huber
    settings = ("delta",)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.delta = delta


@names.register("logcosh")
class LogCosh(Formula):
    """The mean of the logarithm of the difference's hyperbolic cosine: a smooth `Huber`."""

    labels = "numbers"
    function = log_cosh
