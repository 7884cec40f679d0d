"""The loss functions, followed as metrics: their mean over all rows so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from doltap import losses
from doltap.metrics.metric import names
from doltap.metrics.reduction import MeanOf

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]


@names.register("mse")
class MeanSquaredError(MeanOf):
    """The mean squared difference."""

    direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


@names.register("mae")
class MeanAbsoluteError(MeanOf):
    """The mean distance."""

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


@names.register("mape")
class MeanAbsolutePercentageError(MeanOf):
    """The mean distance in percent of the label."""

    direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


@names.register("msle")
class MeanSquaredLogarithmicError(MeanOf):
    """The mean squared difference of the logarithms of one plus label and prediction."""

    direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


@names.register()
class LogCoshError(MeanOf):
    """The mean logarithm of the hyperbolic cosine of the difference."""

    direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


def similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between label and prediction; the loss of that name is its negative."""
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


@names.register()
class CosineSimilarity(MeanOf):
    """The mean cosine of the angle between label and prediction: 1 where they point the same way."""

    direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(similarity, name, dtype, axis=axis)


@names.register()
class Hinge(MeanOf):
    """The mean of what is missing to a margin of 1, labels -1 and 1 (or 0 and 1)."""

    direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


@names.register()
class SquaredHinge(MeanOf):
    """The mean square of what is missing to a margin of 1."""

    direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


@names.register()
class CategoricalHinge(MeanOf):
    """The mean of what the true class misses to a lead of 1 over the best other one."""

    direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


@names.register()
class KLDivergence(MeanOf):
    """The mean Kullback-Leibler divergence of the predicted from the true distribution."""

    direction = "down"
    needs_probabilities = True

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


@names.register()
class Poisson(MeanOf):
    """The mean of `prediction - label * log(prediction)`, for labels that count something."""

    direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class _Crossentropy(MeanOf):
    """What the cross-entropies have in common: they take logits only when told so."""

    direction = "down"

    def __init__(self, fn: Callable[..., Any], name: str, dtype: Any, options: dict[str, Any]) -> None:
        super().__init__(fn, name, dtype, **options)
        self.needs_probabilities = not options["from_logits"]


@names.register("bce")
class BinaryCrossentropy(_Crossentropy):
    """The mean binary cross-entropy; options as the loss."""

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, options)


@names.register("cce")
class CategoricalCrossentropy(_Crossentropy):
    """The mean categorical cross-entropy; options as the loss."""

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, options)


@names.register("scce")
class SparseCategoricalCrossentropy(_Crossentropy):
    """The mean sparse categorical cross-entropy; options as the loss.

    Args:
        ignore_class: a class number whose rows count nowhere. (Keras counts them
            as 0 where there are no sample weights.)
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, options)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch of class numbers and predictions."""
        ignored = self.options["ignore_class"]
        if ignored is not None:
            classes = losses.class_numbers(y_true, jnp.asarray(y_pred), self.options["axis"])
            counts = (classes != ignored).astype(self.dtype)
            given = jnp.asarray(1 if sample_weight is None else sample_weight, self.dtype)
            sample_weight = counts * losses.spread(given, counts)
        super().update_state(y_true, y_pred, sample_weight)
