"""The formulas of layers and losses that need no weights: one-hot rows, normalizing, attention.

The cross-entropies here compare element by element or row by row and check
shapes only; `doltap.losses` checks labels, too, and averages.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from doltap import config
from doltap.errors import NotSupportedError, ShapeError
from doltap.ops.conversion import Axis, Tensor, as_array, device_type, fractions, promoted_fractions
from doltap.ops.protocol import operation

__all__ = ["batch_normalization", "binary_crossentropy", "categorical_crossentropy", "dot_product_attention"]
__all__ += [
    "layer_normalization",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "psnr",
    "rms_normalization",
]
__all__ += ["sparse_categorical_crossentropy"]


def _axes(axis: Axis) -> Any:
    """The axis as JAX wants it: files keep several of them as a list."""
    return tuple(axis) if isinstance(axis, list) else axis


def _wide(x: Tensor) -> Array:
    """In at least single precision, in which squares have room."""
    x = fractions(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _refuse(call: str, argument: str) -> NotSupportedError:
    return NotSupportedError(
        f"ops.{call}", expected="keywords it has", got=f"'{argument}='", fix="It is not there; leave it out."
    )


# Labels


@operation()
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Array:
    """For each class number a row of zeros with a 1 at its place; all zeros for a number out of range.

    Args:
        axis: where the row lies in the result.
        sparse: only False; there are no sparse arrays here.

    >>> one_hot([0, 2, -1], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    if sparse:
        raise _refuse("one_hot", "sparse")
    return jax.nn.one_hot(as_array(x).astype(jnp.int32), num_classes, dtype=device_type(dtype), axis=axis)


@operation()
def multi_hot(
    inputs: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Array:
    """For each row of class numbers one row with a 1 at the place of each.

    >>> multi_hot([0, 2], 3).tolist()
    [1.0, 0.0, 1.0]
    """
    if sparse:
        raise _refuse("multi_hot", "sparse")
    x = as_array(inputs)
    return jnp.max(one_hot(x, num_classes, axis, dtype), axis=1 if x.ndim > 1 else 0)


# Normalizing


@operation()
def normalize(x: Tensor, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Array:
    """The array divided by its length along an axis, so that each vector has length 1.

    Args:
        order: which length: 1 adds absolute values, 2 is Euclid's.
        epsilon: the least that is divided by; None means `epsilon()`.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    x = fractions(x)
    least = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        # The root of the larger, not the larger of the roots: its gradient at 0 is finite.
        squares = jnp.sum(jnp.square(x), _axes(axis), keepdims=True)
        return x * jax.lax.rsqrt(jnp.maximum(squares, jnp.asarray(least**2, x.dtype)))
    return x / jnp.maximum(jnp.linalg.norm(x, order, _axes(axis), keepdims=True), jnp.asarray(least, x.dtype))


@operation()
def moments(x: Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Array, Array]:
    """The mean and the variance over some axes.

    Args:
        synchronized: only False; a program that runs on several devices needs no word for it.
    """
    if synchronized:
        raise _refuse("moments", "synchronized")
    x = fractions(x)
    wide, axes = _wide(x), _axes(axes)
    found = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    limits = jnp.finfo(x.dtype)
    mean, variance = (jnp.clip(each, limits.min, limits.max).astype(x.dtype) for each in found)
    return mean, variance


@operation("BatchNorm")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Array:
    """Each channel less its mean, divided by its deviation, then scaled and moved.

    Args:
        mean, variance, offset, scale: one number for each channel.
        axis: where the channels lie.
        epsilon: what is added to the variance.
    """
    x = fractions(x)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    factor = jax.lax.rsqrt(fractions(variance).reshape(shape) + epsilon)
    if scale is not None:
        factor = factor * as_array(scale).reshape(shape)
    moved = -as_array(mean).reshape(shape) * factor
    if offset is not None:
        moved = moved + as_array(offset).reshape(shape)
    return x * factor + moved


@operation("LayerNorm")
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
    rms_scaling: bool = False,
) -> Array:
    """Each row less its mean, divided by its deviation, then scaled and moved.

    Args:
        gamma: what to scale by, in the shape of a row; None leaves it.
        beta: what to move by; None leaves it.
        axis: where a row lies, one axis or several.
        epsilon: what is added to the variance; None means `epsilon()`.
        rms_scaling: an old option: divide by the deviation only.
    """
    x, wide = fractions(x), _wide(x)
    axes = sorted(each % x.ndim for each in ([axis] if isinstance(axis, int) else axis))
    row = [x.shape[each] if each in axes else 1 for each in range(x.ndim)]
    mean = jnp.mean(wide, axes, keepdims=True)
    factor = jax.lax.rsqrt(jnp.var(wide, axes, keepdims=True) + _or_default(epsilon))
    if gamma is not None:
        factor = factor * as_array(gamma, wide.dtype).reshape(row)
    if rms_scaling:
        return (wide * factor).astype(x.dtype)
    moved = -mean * factor
    if beta is not None:
        moved = moved + as_array(beta, wide.dtype).reshape(row)
    return (wide * factor + moved).astype(x.dtype)


@operation("RMSNorm")
def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Any = -1, epsilon: float | None = None
) -> Array:
    """Each row divided by the root of its mean square, then scaled.

    Args:
        scale: what to scale by, in a shape that broadcasts; None leaves it.
        axis: where a row lies, one axis or several.
        epsilon: what is added to the mean square; None means `epsilon()`.
    """
    x, wide = fractions(x), jnp.atleast_1d(_wide(x))
    squares = jnp.mean(jnp.square(wide), _axes(axis), keepdims=True)
    normal = wide * jax.lax.rsqrt(squares + _or_default(epsilon))
    return (normal if scale is None else normal * as_array(scale, wide.dtype)).astype(x.dtype)


def _or_default(epsilon: float | None) -> float:
    return config.epsilon() if epsilon is None else epsilon


# Comparing with the truth


def _alike(call: str, target: Tensor, output: Tensor) -> list[Array]:
    target, output = promoted_fractions(target, output)
    if target.shape != output.shape:
        raise ShapeError(
            f"ops.{call}",
            expected=f"a target of the output's shape, {tuple(output.shape)}",
            got=f"{tuple(target.shape)}",
            fix="Class numbers need ops.sparse_categorical_crossentropy; else reshape one of them.",
        )
    return [target, output]


def _log_probabilities(output: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    shares = output / jnp.sum(output, axis, keepdims=True)
    return jnp.log(jnp.clip(shares, config.epsilon(), 1.0 - config.epsilon()))


@operation()
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Array:
    """How surprised each output, read as the probability of a yes, is by its target.

    Args:
        target: 0, 1 or a probability, in the shape of `output`.
        from_logits: whether outputs are numbers before the sigmoid.
    """
    target, output = _alike("binary_crossentropy", target, output)
    if from_logits:
        return -target * jax.nn.log_sigmoid(output) - (1.0 - target) * jax.nn.log_sigmoid(-output)
    output = jnp.clip(output, config.epsilon(), 1.0 - config.epsilon())
    return -(target * jnp.log(output) + (1.0 - target) * jnp.log(1.0 - output))


@operation()
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Array:
    """How surprised each predicted distribution is by the true one.

    Args:
        target: one-hot rows or probabilities, in the shape of `output`.
        from_logits: whether outputs are numbers before the softmax.
        axis: where a distribution lies.
    """
    target, output = _alike("categorical_crossentropy", target, output)
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis)


@operation()
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Array:
    """How surprised each predicted distribution is by the true class number.

    Args:
        target: class numbers in the shape of `output` without its classes. One
            that is out of range gives 0, as in Keras.
        from_logits: whether outputs are numbers before the softmax.
        axis: where a distribution lies.
    """
    classes, output = as_array(target).astype(jnp.int32), fractions(output)
    if classes.ndim == output.ndim and classes.shape[-1] == 1:
        classes = classes[..., 0]
    expected = jnp.moveaxis(output, axis, -1).shape[:-1]
    if classes.shape != expected:
        raise ShapeError(
            "ops.sparse_categorical_crossentropy",
            expected=f"one class number for each distribution, shape {tuple(expected)}",
            got=f"shape {tuple(classes.shape)}",
            fix="One-hot targets need ops.categorical_crossentropy.",
        )
    truth = jax.nn.one_hot(classes, output.shape[axis], axis=axis, dtype=output.dtype)
    return -jnp.sum(truth * _log_probabilities(output, from_logits, axis), axis)


@operation("PSNR")
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Array:
    """How near two pictures are to each other, in decibels: the more, the nearer.

    Args:
        max_val: the largest value that a picture can hold, such as 255 or 1.
    """
    x1, x2 = _alike("psnr", x1, x2)
    return 20 * jnp.log10(jnp.asarray(max_val, x1.dtype)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


# Attention


@operation()
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Array:
    """For each query a mean of the values, in which a value counts as its key is like the query.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762

    Args:
        query: (batch, targets, heads, length).
        key, value: (batch, sources, heads, length); fewer heads are shared evenly.
        bias: what is added to the scores, (batch, heads, targets, sources) or broadcast.
        mask: where it is False a source does not count, shaped as `bias`.
        scale: what scores are multiplied by; None means one over the root of length.
        is_causal: whether a target sees only sources up to its own place.
        flash_attention: None or False; the compiler chooses how it computes.
        attn_logits_soft_cap: only None.
    """
    if flash_attention or attn_logits_soft_cap is not None:
        raise _refuse(
            "dot_product_attention", "flash_attention" if flash_attention else "attn_logits_soft_cap"
        )
    query, key, value = promoted_fractions(query, key, value)
    _check_attention(query, key, value)
    bias, mask = (None if each is None else as_array(each) for each in (bias, mask))
    mask = mask if mask is None else mask.astype(bool)
    return jax.nn.dot_product_attention(query, key, value, bias, mask, scale=scale, is_causal=is_causal)


def _check_attention(*arrays: Array) -> None:
    shapes = [tuple(each.shape) for each in arrays]
    if any(len(shape) != 4 for shape in shapes):
        raise ShapeError(
            "ops.dot_product_attention",
            expected="queries, keys and values of shape (batch, places, heads, length)",
            got=f"{shapes}",
            fix="For a single head add its axis: x[:, :, None, :].",
        )
