"""How many predictions lie above each threshold, and how many of those should: four counts.

Pure functions of arrays. Evenly spaced thresholds are counted as a histogram,
whose cost does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, losses
from doltap.errors import DataError, ShapeError

__all__ = ["Counts", "are_even", "check_share", "checked", "count", "pick", "weights_of"]


class Counts(NamedTuple):
    """Weighted counts at each threshold: (thresholds, labels) each."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any


def checked(kind: str, thresholds: Any, default: float = 0.5) -> list[float]:
    """The thresholds as a list; one outside 0..1 is an error."""
    if thresholds is None:
        return [default]
    listed = list(thresholds) if np.ndim(thresholds) else [thresholds]
    for threshold in listed:
        if threshold is None or not 0 <= threshold <= 1:
            raise DataError(
                f"{kind}(thresholds)",
                expected="numbers from 0 to 1",
                got=repr(threshold),
                fix="The usual one is 0.5. For logits put a sigmoid after the last layer.",
            )
    if not listed:
        raise DataError(
            f"{kind}(thresholds)", expected="one or more", got="none", fix="The usual one is 0.5."
        )
    return [float(threshold) for threshold in listed]


def check_share(kind: str, name: str, value: Any) -> float:
    """The number as it came; one outside 0..1 is an error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise DataError(
            f"{kind}({name})", expected="a share from 0 to 1", got=repr(value), fix=f"For example {name}=0.9."
        )
    return float(value)


def are_even(thresholds: Sequence[float]) -> bool:
    """Whether they are 0 to 1 in equal steps, three or more.

    >>> are_even([0.0, 0.5, 1.0]), are_even([0.1, 0.5, 0.9])
    (True, False)
    """
    if len(thresholds) < 3:
        return False
    return bool(np.allclose(thresholds, np.linspace(0, 1, len(thresholds)), atol=config.epsilon()))


def pick(y_pred: Any, y_true: Any, top_k: int | None, class_id: int | None) -> tuple[Any, Any]:
    """The predictions with all but the `top_k` of each row sunk, and of both only class `class_id`."""
    if top_k is None and class_id is None:
        return y_pred, y_true
    num_classes = y_pred.shape[-1] if y_pred.ndim > 1 else 0
    if max(top_k or 0, (class_id or 0) + 1) > num_classes:
        named = (
            f"class_id={class_id}" if class_id is not None and class_id >= num_classes else f"top_k={top_k}"
        )
        raise ShapeError(
            "the predictions",
            expected=f"a column for each class, enough for {named}",
            got=f"shape {tuple(y_pred.shape)}",
            fix="Classes count from 0, and top_k is at most their number.",
        )
    if top_k is not None:
        _, places = jax.lax.top_k(y_pred, top_k)
        is_top = jnp.any(jnp.arange(num_classes) == places[..., None], axis=-2)
        y_pred = jnp.where(is_top, y_pred, -jnp.inf)
    if class_id is not None:
        y_pred, y_true = y_pred[..., class_id, None], y_true[..., class_id, None]
    return y_pred, y_true


def weights_of(y_pred: Any, sample_weight: Any, label_weights: Any) -> Any:
    """A weight for each prediction, in the predictions' shape."""
    weights = jnp.ones(y_pred.shape, y_pred.dtype)
    if sample_weight is not None:
        weights = weights * losses.spread(jnp.asarray(sample_weight, y_pred.dtype), y_pred)
    return weights if label_weights is None else weights * jnp.asarray(label_weights, y_pred.dtype)


def count(y_true: Any, y_pred: Any, weights: Any, thresholds: Sequence[float], is_even: bool) -> Counts:
    """The four weighted counts, a prediction being positive that is larger than the threshold.

    Args:
        y_true: (rows, labels), positive where it is not 0.
        weights: (rows, labels).
        is_even: whether the thresholds are evenly spaced, as `are_even` says; the
            first and the last may lie a hair outside 0..1.
    """
    is_true = y_true != 0
    trues, falses = jnp.where(is_true, weights, 0.0), jnp.where(is_true, 0.0, weights)
    if is_even:
        first = 0 if thresholds[0] < 0 else -1
        above = _above_even(y_pred, jnp.stack([trues, falses]), len(thresholds), first)
    else:
        # Compiled, the comparison is part of the sum and takes no memory of its own.
        places = jnp.asarray(thresholds, y_pred.dtype)[:, None, None]
        above = [jnp.sum(jnp.where(y_pred > places, each, 0.0), axis=1) for each in (trues, falses)]
    return Counts(above[0], above[1], jnp.sum(falses, axis=0) - above[1], jnp.sum(trues, axis=0) - above[0])


def _above_even(y_pred: Any, weights: Any, num_thresholds: int, first: int) -> Any:
    """Sums of the weights of the predictions above each of evenly spaced thresholds.

    Args:
        weights: (kinds, rows, labels).
        first: the bucket of a prediction of 0; -1 counts it nowhere.
    """
    num_labels = y_pred.shape[-1]
    # A prediction on a threshold belongs below it.
    buckets = jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (num_thresholds - 1)) - 1
    buckets = jnp.maximum(buckets, first)
    is_counted = (buckets >= 0) & ~jnp.isnan(y_pred)
    places = jnp.where(is_counted, buckets, 0).astype(jnp.int32) * num_labels + jnp.arange(num_labels)
    counted = jnp.where(is_counted, weights, 0.0).reshape(len(weights), -1)
    histogram = jnp.zeros((len(weights), num_thresholds * num_labels), y_pred.dtype)
    histogram = histogram.at[:, places.reshape(-1)].add(counted, mode="promise_in_bounds")
    histogram = histogram.reshape(len(weights), num_thresholds, num_labels)
    return jax.lax.cumsum(histogram, axis=1, reverse=True)
