"""Right and wrong positives and negatives at thresholds, and the shares made of them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config, losses
from doltap.errors import DataError
from doltap.metrics import thresholds as counting
from doltap.metrics.metric import Metric, names
from doltap.metrics.reduction import ratio

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]

# Below every prediction that a top_k leaves standing.
_LOWEST = -1e10


class _AtThresholds(Metric):
    """What counts at thresholds: totals (thresholds,) of some of the four kinds."""

    needs_probabilities = True
    kinds: tuple[str, ...] = ()

    def _make_totals(self, thresholds: list[float]) -> None:
        self.thresholds = thresholds
        self.is_even = counting.are_even(thresholds)
        for kind in self.kinds:
            setattr(self, kind, self.add_variable((len(thresholds),), name=kind))

    def _count(
        self, y_true: Any, y_pred: Any, sample_weight: Any, top_k: int | None, class_id: int | None
    ) -> None:
        y_true, y_pred = losses.align(y_true, jnp.asarray(y_pred, config.floatx()))
        y_pred, y_true = counting.pick(y_pred, y_true, top_k, class_id)
        weights = counting.weights_of(y_pred, sample_weight, None)
        y_true, y_pred, weights = (each.reshape(-1, 1) for each in (y_true, y_pred, weights))
        counts = counting.count(y_true, y_pred, weights, self.thresholds, self.is_even)
        for kind, total in zip(self.kinds, self._counted(), strict=True):
            total.assign(total.read() + getattr(counts, kind)[:, 0])

    def _counted(self) -> list[Any]:
        """The totals of the kinds."""
        return [getattr(self, kind) for kind in self.kinds]

    def _read(self) -> list[Any]:
        return [total.read() for total in self._counted()]


class _Count(_AtThresholds):
    """One of the four kinds, counted."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds if np.ndim(thresholds) == 0 else [float(t) for t in thresholds]
        self.thresholds = counting.checked(type(self).__name__, thresholds)
        self.is_even = counting.are_even(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def _counted(self) -> list[Any]:
        return [self.accumulator]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels 0 or 1 and probabilities."""
        self._count(y_true, y_pred, sample_weight, None, None)

    def result(self) -> Any:
        """The number so far, or one for each threshold."""
        counted = self.accumulator.value
        return counted[0] if len(self.thresholds) == 1 else counted

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@names.register()
class TruePositives(_Count):
    """How many were predicted above the threshold and are 1.

    Args:
        thresholds: one number or several, 0.5 when None.

    >>> metric = TruePositives()
    >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
    >>> float(metric.result())
    2.0
    """

    kinds = ("true_positives",)


@names.register()
class TrueNegatives(_Count):
    """How many were not predicted above the threshold and are 0."""

    kinds = ("true_negatives",)


@names.register()
class FalsePositives(_Count):
    """How many were predicted above the threshold but are 0."""

    kinds = ("false_positives",)


@names.register()
class FalseNegatives(_Count):
    """How many were not predicted above the threshold but are 1."""

    kinds = ("false_negatives",)


class _Share(_AtThresholds):
    """The true positives among something."""

    direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds if np.ndim(thresholds) == 0 else [float(t) for t in thresholds]
        kind = type(self).__name__
        self.top_k = _checked_whole(kind, "top_k", top_k, least=1)
        self.class_id = _checked_whole(kind, "class_id", class_id, least=0)
        self._make_totals(counting.checked(kind, thresholds, 0.5 if top_k is None else _LOWEST))
        # The largest of each row are the same for logits.
        self.needs_probabilities = top_k is None or thresholds is not None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels 0 or 1 and probabilities."""
        self._count(y_true, y_pred, sample_weight, self.top_k, self.class_id)

    def result(self) -> Any:
        """The share so far, or one for each threshold; 0 where there is nothing to share."""
        right, wrong = self._read()
        shares = ratio(right, right + wrong)
        return shares[0] if len(self.thresholds) == 1 else shares

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        options = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **options}


@names.register()
class Precision(_Share):
    """Which share of those predicted positive is positive.

    Args:
        thresholds: one number or several, 0.5 when None.
        top_k: only each row's largest `top_k` predictions count as positive.
        class_id: only this column is looked at.

    >>> metric = Precision()
    >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
    >>> round(float(metric.result()), 4)
    0.6667
    """

    kinds = ("true_positives", "false_positives")


@names.register()
class Recall(_Share):
    """Which share of the positive was predicted so.

    Args:
        thresholds: one number or several, 0.5 when None.
        top_k: only each row's largest `top_k` predictions count as positive.
        class_id: only this column is looked at.
    """

    kinds = ("true_positives", "false_negatives")


class _Best(_AtThresholds):
    """The best that one share can be where another is at least so much."""

    direction = "up"
    kinds = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    # The share that has to be at least so much, which is also the argument, and the other.
    bound, wanted = "", ""

    def __init__(self, value: float, num_thresholds: int, class_id: Any, name: Any, dtype: Any) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        self.value = counting.check_share(kind, self.bound, value)
        setattr(self, self.bound, self.value)
        self.num_thresholds = _checked_whole(kind, "num_thresholds", num_thresholds, least=1)
        self.class_id = _checked_whole(kind, "class_id", class_id, least=0)
        steps = num_thresholds - 1
        self._make_totals([step / steps for step in range(num_thresholds)] if steps else [0.5])
        self.is_even = steps > 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels 0 or 1 and probabilities."""
        self._count(y_true, y_pred, sample_weight, None, self.class_id)

    def result(self) -> Any:
        """The best share so far; 0 where no threshold meets the condition."""
        tp, fp, tn, fn = self._read()
        shares = {
            "sensitivity": ratio(tp, tp + fn),
            "specificity": ratio(tn, tn + fp),
            "recall": ratio(tp, tp + fn),
            "precision": ratio(tp, tp + fp),
        }
        return jnp.max(jnp.where(shares[self.bound] >= self.value, shares[self.wanted], 0.0))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        options = {"num_thresholds": self.num_thresholds, self.bound: self.value, "class_id": self.class_id}
        return {**super().get_config(), **options}


@names.register()
class SensitivityAtSpecificity(_Best):
    """The largest sensitivity (share of the positive found) at a specificity of at least so much.

    Args:
        specificity: share of the negative that must be left alone, 0 to 1.
        num_thresholds: how many thresholds are tried, evenly from 0 to 1.
        class_id: only this column is looked at.
    """

    bound, wanted = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


@names.register()
class SpecificityAtSensitivity(_Best):
    """The largest specificity (share of the negative left alone) at a sensitivity of at least so much.

    Args:
        sensitivity: share of the positive that must be found, 0 to 1.
        num_thresholds: how many thresholds are tried, evenly from 0 to 1.
        class_id: only this column is looked at.
    """

    bound, wanted = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


@names.register()
class PrecisionAtRecall(_Best):
    """The largest precision at a recall of at least so much.

    Args:
        recall: share of the positive that must be found, 0 to 1.
        num_thresholds: how many thresholds are tried, evenly from 0 to 1.
        class_id: only this column is looked at.
    """

    bound, wanted = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


@names.register()
class RecallAtPrecision(_Best):
    """The largest recall at a precision of at least so much.

    Args:
        precision: share of the predicted positive that must be positive, 0 to 1.
        num_thresholds: how many thresholds are tried, evenly from 0 to 1.
        class_id: only this column is looked at.
    """

    bound, wanted = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)


def _checked_whole(kind: str, name: str, value: Any, *, least: int) -> Any:
    if value is not None and (isinstance(value, bool) or not hasattr(value, "__index__") or value < least):
        raise DataError(
            f"{kind}({name})",
            expected=f"a whole number, {least} or more",
            got=repr(value),
            fix=f"For example {name}={max(least, 1)}.",
        )
    return value
