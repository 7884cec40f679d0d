"""The area under a curve that thresholds draw: how well predictions rank, whatever the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, losses
from doltap.errors import DataError, ShapeError, UnknownNameError
from doltap.metrics import thresholds as counting
from doltap.metrics.metric import Metric, names, no_batch_yet
from doltap.metrics.reduction import ratio

__all__ = ["AUC"]

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "minoring", "majoring")


@names.register()
class AUC(Metric):
    """The area under the curve, 0 to 1; 0.5 is chance for the curve "ROC".

    Args:
        num_thresholds: how many points the curve has, evenly from 0 to 1; exact
            would be one for each prediction.
        curve: "ROC" (found positives over false alarms), "PR" (precision over
            recall) or "PRGAIN" (Flach and Kull 2015).
        summation_method: "interpolation", or the smaller ("minoring") or larger
            ("majoring") end of each piece.
        thresholds: numbers from 0 to 1 instead of the even ones.
        multi_label: whether each column has a curve of its own; the areas are averaged.
        num_labels: number of columns, where it should be known before the first batch.
        label_weights: a weight for each column.
        from_logits: whether predictions are numbers before the sigmoid.

    >>> metric = AUC(num_thresholds=3)
    >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> float(metric.result())
    0.75
    """

    direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve = _chosen("curve", curve, _CURVES)
        self.summation_method = _chosen("summation_method", summation_method, _SUMMATIONS)
        self.init_thresholds = thresholds
        inner = _inner_thresholds(num_thresholds, thresholds)
        self.is_even = thresholds is None or counting.are_even([0.0, *inner, 1.0])
        # The ends lie outside, so that the curve runs from corner to corner.
        self.thresholds = [0.0 - config.epsilon(), *inner, 1.0 + config.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, self.dtype)
        self.from_logits = from_logits
        self.needs_probabilities = not from_logits
        if num_labels and not multi_label:
            raise DataError(
                "AUC(num_labels)",
                expected="multi_label=True beside it",
                got="multi_label=False",
                fix="Leave num_labels out, or add multi_label=True.",
            )
        self.built = False
        if not multi_label or num_labels:
            self.build_for((), (None, num_labels))

    def build_for(self, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> None:
        """Make the four totals, for each column its own where `multi_label` says so."""
        if self.built:
            return
        if self.multi_label and len(y_pred_shape) != 2:
            raise ShapeError(
                f"metric '{self.name}'",
                expected="predictions of shape (batch, labels), since multi_label=True",
                got=f"shape {tuple(y_pred_shape)}",
                fix="Leave multi_label out to count all predictions as one label.",
            )
        self._num_labels = y_pred_shape[-1] if self.multi_label else None
        labels = (self._num_labels,) if self.multi_label else ()
        shape = (self.num_thresholds, *labels)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels 0 or 1 and probabilities."""
        y_true, y_pred = losses.align(y_true, jnp.asarray(y_pred, config.floatx()))
        self.build_for(y_true.shape, y_pred.shape)
        if self.from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        weights = counting.weights_of(
            y_pred, sample_weight, None if self.multi_label else self._checked_weights(y_pred)
        )
        num_labels = self._num_labels if self.multi_label else 1
        if self.multi_label and y_pred.shape[1:] != (num_labels,):
            raise ShapeError(
                f"metric '{self.name}'",
                expected=f"predictions of shape (batch, {num_labels}), as before",
                got=f"shape {tuple(y_pred.shape)}",
                fix="Make a new metric for other labels.",
            )
        y_true, y_pred, weights = (each.reshape(-1, num_labels) for each in (y_true, y_pred, weights))
        counts = counting.count(y_true, y_pred, weights, self.thresholds, self.is_even)
        for kind, counted in counts._asdict().items():
            total = getattr(self, kind)
            total.assign(total.read() + counted.reshape(total.shape))

    def _checked_weights(self, y_pred: Any) -> Any:
        if self.label_weights is not None and self.label_weights.shape != y_pred.shape[-1:]:
            raise ShapeError(
                "AUC(label_weights)",
                expected=f"one for each of {y_pred.shape[-1]} labels",
                got=f"shape {self.label_weights.shape}",
                fix="Give a weight for each column of y.",
            )
        return self.label_weights

    def result(self) -> Any:
        """The area so far, the mean over the labels where there are several."""
        if not self.built:
            raise no_batch_yet(self)
        pieces = self._interpolated_precision() if self._is_curved() else self._pieces(*self._curve())
        areas = jnp.sum(pieces, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, areas.dtype)
        return ratio(jnp.sum(areas * weights), jnp.sum(weights))

    def _is_curved(self) -> bool:
        return self.curve == "PR" and self.summation_method == "interpolation"

    def _curve(self) -> tuple[Any, Any]:
        """What the curve has on its two axes, at each threshold."""
        tp, fp = self.true_positives.read(), self.false_positives.read()
        tn, fn = self.true_negatives.read(), self.false_negatives.read()
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            return ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, tp + fp)
        # Gains stretch both so that always saying yes is 0; below that counts as 0.
        odds = ratio(tp + fn, tn + fp)
        recall_gain = jnp.where(tp == 0, 0.0, 1.0 - odds * ratio(fn, tp))
        precision_gain = jnp.where(tp == 0, 1.0, 1.0 - odds * ratio(fp, tp))
        return jnp.maximum(recall_gain, 0.0), precision_gain

    def _pieces(self, across: Any, up: Any) -> Any:
        """The area of each piece between two thresholds."""
        if self.summation_method == "interpolation":
            heights = (up[:-1] + up[1:]) / 2.0
        else:
            heights = (jnp.minimum if self.summation_method == "minoring" else jnp.maximum)(up[:-1], up[1:])
        return (across[:-1] - across[1:]) * heights

    def _interpolated_precision(self) -> Any:
        """The area of each piece of the "PR" curve, which bends between two thresholds.

        The positives change evenly from one threshold to the next, precision does
        not. Source: Davis and Goadrich, "The relationship between precision-recall
        and ROC curves" (2006).
        """
        tp = self.true_positives.read()
        predicted = tp + self.false_positives.read()
        slope = ratio(tp[:-1] - tp[1:], jnp.maximum(predicted[:-1] - predicted[1:], 0.0))
        intercept = tp[1:] - slope * predicted[1:]
        both = (predicted[:-1] > 0) & (predicted[1:] > 0)
        growth = jnp.where(both, predicted[:-1] / jnp.where(both, predicted[1:], 1.0), 1.0)
        growth = jnp.where(both, growth, 1.0)
        gained = slope * (tp[:-1] - tp[1:] + intercept * jnp.log(growth))
        return ratio(gained, jnp.maximum(tp[1:] + self.false_negatives.read()[1:], 0.0))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }
        return config if self.init_thresholds is None else {**config, "thresholds": self.thresholds[1:-1]}


def _chosen(argument: str, value: Any, known: tuple[str, ...]) -> str:
    for name in known:
        # Keras itself keeps an enumeration, whose members carry the word as value.
        if str(getattr(value, "value", value)).lower() == name.lower():
            return name
    raise UnknownNameError.of(f"AUC({argument})", str(value), known)


def _inner_thresholds(num_thresholds: int, thresholds: Any) -> list[float]:
    """The thresholds without the first and the last, in order."""
    if thresholds is not None:
        return sorted(counting.checked("AUC", list(thresholds))) if len(thresholds) else []
    is_whole = hasattr(num_thresholds, "__index__") and not isinstance(num_thresholds, bool)
    if not is_whole or num_thresholds <= 1:
        raise DataError(
            "AUC(num_thresholds)",
            expected="a whole number, 2 or more",
            got=repr(num_thresholds),
            fix="The usual one is 200.",
        )
    return [place / (num_thresholds - 1) for place in range(1, num_thresholds - 1)]
