"""`tf.nn`: the curves, losses and averages that networks are written with."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import arranging, lacking, random
from doltap.compat.tensorflow.arithmetic import sigmoid, softplus, tanh
from doltap.compat.tensorflow.calls import operation
from doltap.compat.tensorflow.linalg import l2_normalize
from doltap.compat.tensorflow.reducing import reduce_mean, top_k
from doltap.compat.tensorflow.tensor import as_tensor
from doltap.errors import DataError

__all__ = ["batch_normalization", "bias_add", "compute_average_loss", "crelu", "dropout", "elu"]
__all__ += ["embedding_lookup", "gelu", "in_top_k", "l2_loss", "l2_normalize", "leaky_relu", "log_softmax"]
__all__ += ["moments", "normalize_moments", "relu", "relu6", "scale_regularization_loss", "selu"]
__all__ += ["sigmoid", "sigmoid_cross_entropy_with_logits", "silu", "softmax"]
__all__ += ["softmax_cross_entropy_with_logits", "softplus", "softsign"]
__all__ += ["sparse_softmax_cross_entropy_with_logits", "swish", "tanh", "top_k"]
__all__ += ["weighted_cross_entropy_with_logits", "weighted_moments", "zero_fraction"]


@operation()
def relu(numpy: Any, features: Any) -> Any:
    """The larger of each number and 0."""
    return jax.nn.relu(features) if numpy is jnp else np.maximum(features, features.dtype.type(0))


@operation()
def relu6(numpy: Any, features: Any) -> Any:
    """Each number, held between 0 and 6."""
    return jax.nn.relu6(features) if numpy is jnp else np.clip(features, 0, 6)


@operation(needs_jax=True)
def elu(numpy: Any, features: Any) -> Any:
    """Each number above 0; `exp(x) - 1` below."""
    return jax.nn.elu(features)


@operation(needs_jax=True)
def selu(numpy: Any, features: Any) -> Any:
    """As `elu`, scaled so that means and variances stay what they are."""
    return jax.nn.selu(features)


@operation(needs_jax=True)
def gelu(numpy: Any, features: Any, approximate: bool = False) -> Any:
    """Each number times the share of a normal distribution below it."""
    return jax.nn.gelu(features, approximate=bool(approximate))


@operation(needs_jax=True)
def silu(numpy: Any, features: Any, beta: float = 1.0) -> Any:
    """Each number times its sigmoid."""
    return features * jax.nn.sigmoid(beta * features)


swish = silu


@operation()
def softsign(numpy: Any, features: Any) -> Any:
    """x / (1 + |x|)."""
    return features / (1 + numpy.abs(features))


@operation()
def leaky_relu(numpy: Any, features: Any, alpha: float = 0.2) -> Any:
    """Each number above 0; `alpha` times it below."""
    return numpy.where(features > 0, features, features * np.array(alpha, features.dtype))


@operation()
def crelu(numpy: Any, features: Any, axis: int = -1) -> Any:
    """The positive parts of the numbers, and those of their negatives."""
    return numpy.concatenate([numpy.maximum(features, 0), numpy.maximum(-features, 0)], axis)


@operation()
def softmax(numpy: Any, logits: Any, axis: Any = None) -> Any:
    """Positive numbers with the sum 1 along an axis, in proportion to the exponentials."""
    axis = -1 if axis is None else axis
    if numpy is jnp:
        return jax.nn.softmax(logits, axis)
    powers = np.exp(logits - np.max(logits, axis, keepdims=True))
    return powers / np.sum(powers, axis, keepdims=True)


@operation()
def log_softmax(numpy: Any, logits: Any, axis: Any = None) -> Any:
    """The logarithms of the softmax."""
    return _log_shares(numpy, logits, -1 if axis is None else axis)


def _log_shares(numpy: Any, logits: Any, axis: Any) -> Any:
    if numpy is jnp:
        return jax.nn.log_softmax(logits, axis)
    shifted = logits - np.max(logits, axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


# Losses.


@operation(2, matched=True)
def softmax_cross_entropy_with_logits(numpy: Any, labels: Any, logits: Any, axis: int = -1) -> Any:
    """The cross-entropy of each row of scores with a row of probabilities."""
    return -numpy.sum(labels * _log_shares(numpy, logits, axis), axis)


@operation(2)
def sparse_softmax_cross_entropy_with_logits(numpy: Any, labels: Any, logits: Any) -> Any:
    """The cross-entropy of each row of scores with a class number."""
    shares = _log_shares(numpy, logits, -1)
    places = numpy.expand_dims(labels, -1).astype(np.int32)
    return -numpy.take_along_axis(shares, places, -1)[..., 0]


@operation(2, matched=True)
def sigmoid_cross_entropy_with_logits(numpy: Any, labels: Any, logits: Any) -> Any:
    """The cross-entropy of each log-odds with a probability."""
    return numpy.maximum(logits, 0) - logits * labels + numpy.log1p(numpy.exp(-numpy.abs(logits)))


@operation(3, matched=True)
def weighted_cross_entropy_with_logits(numpy: Any, labels: Any, logits: Any, pos_weight: Any) -> Any:
    """As `sigmoid_cross_entropy_with_logits`, with another weight for positive labels."""
    weight = 1 + (pos_weight - 1) * labels
    missed = numpy.log1p(numpy.exp(-numpy.abs(logits))) + numpy.maximum(-logits, 0)
    return (1 - labels) * logits + weight * missed


@operation()
def l2_loss(numpy: Any, t: Any) -> Any:
    """Half the sum of the squares."""
    return numpy.sum(t * t) / 2


def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Any:
    """The sum of the rows' losses divided by the rows of the whole batch."""
    losses = as_tensor(per_example_loss)
    weighted = losses if sample_weight is None else losses * as_tensor(sample_weight, losses.dtype)
    if global_batch_size is None:
        return reduce_mean(weighted)
    return reduce_mean(weighted) * (int(losses.shape[0]) / float(global_batch_size))


def scale_regularization_loss(regularization_loss: Any) -> Any:
    """The loss itself, since there is one machine."""
    return as_tensor(regularization_loss)


# Averages.


@operation()
def _moments(numpy: Any, x: Any, axes: Any, keepdims: bool) -> Any:
    return [numpy.mean(x, axes, keepdims=keepdims), numpy.var(x, axes, keepdims=keepdims)]


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: Any = None) -> Any:
    """The means and the variances along some axes."""
    return tuple(_moments(x, axes, bool(keepdims)))


@operation(2, matched=True)
def _weighted_moments(numpy: Any, x: Any, weights: Any, axes: Any, keepdims: bool) -> Any:
    weights = numpy.broadcast_to(weights, x.shape)
    total = numpy.sum(weights, axes, keepdims=True)
    mean = numpy.sum(x * weights, axes, keepdims=True) / total
    variance = numpy.sum(weights * (x - mean) ** 2, axes, keepdims=True) / total
    return [mean, variance] if keepdims else [numpy.squeeze(mean, axes), numpy.squeeze(variance, axes)]


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: Any = None
) -> Any:
    """The weighted means and variances along some axes."""
    return tuple(_weighted_moments(x, frequency_weights, axes, bool(keepdims)))


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any = None, name: Any = None
) -> Any:
    """Means and variances from the sums of numbers and of their squares."""
    counts, sums, squares = as_tensor(counts), as_tensor(mean_ss), as_tensor(variance_ss)
    mean = sums / counts
    return mean, squares / counts - mean * mean


@operation(5, matched=True)
def batch_normalization(
    numpy: Any, x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float
) -> Any:
    """The numbers less their mean, divided by their deviation, scaled and moved."""
    share = 1 / numpy.sqrt(variance + np.array(variance_epsilon, x.dtype))
    share = share if scale is None else share * scale
    found = (x - mean) * share
    return found if offset is None else found + offset


@operation(2, matched=True)
def bias_add(numpy: Any, value: Any, bias: Any, data_format: Any = None) -> Any:
    """The numbers with one more added along the last axis."""
    return value + bias


@operation()
def zero_fraction(numpy: Any, value: Any) -> Any:
    """The share of numbers that are 0."""
    return numpy.mean((value == 0).astype(np.float32))


# Looking up, and leaving out.


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: Any = None) -> Any:
    """The rows of a table with these numbers."""
    return arranging.gather(params, ids)


@operation(2)
def _in_top_k(numpy: Any, targets: Any, predictions: Any, k: int) -> Any:
    true = numpy.take_along_axis(predictions, targets[:, None].astype(np.int32), -1)
    return numpy.sum(predictions > true, -1) < k


def in_top_k(targets: Any, predictions: Any, k: Any, name: Any = None) -> Any:
    """Whether the true class of each row is among the `k` largest predictions."""
    return _in_top_k(targets, predictions, int(k))


@operation(2)
def _dropped(numpy: Any, x: Any, draws: Any, rate: float) -> Any:
    # What is drawn is broadcast where a noise shape was given.
    scaled = x / np.array(1 - rate, x.dtype)
    return numpy.where(draws >= rate, scaled, numpy.zeros_like(x))


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    """The numbers, of which a random share becomes 0; the rest grows, so that the mean stays."""
    share = float(rate)
    if not 0 <= share < 1:
        raise DataError(
            "tf.nn.dropout", expected="a rate from 0 to below 1", got=str(rate), fix="For example 0.5."
        )
    x = as_tensor(x)
    shape = [
        have if size is None else int(size)
        for size, have in zip(noise_shape or x.shape, x.shape, strict=True)
    ]
    return _dropped(x, random.uniform(shape, seed=seed), share) if share else x


lacking.guard(__name__)
