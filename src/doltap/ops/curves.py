"""The curves that networks bend their sums with: relu, sigmoid, softmax and their kin.

Whole numbers become `floatx()`, except in `relu` and `hard_tanh`. What layers use are the
functions in `doltap.activations`, which check more.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from doltap.ops.conversion import Axis, Tensor, fractions, whole
from doltap.ops.protocol import operation

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
]
__all__ += ["leaky_relu", "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu"]
__all__ += ["soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax"]
__all__ += ["squareplus", "swish", "tanh_shrink", "threshold"]


@operation()
def relu(x: Tensor) -> Array:
    """The larger of `x` and 0."""
    return jax.nn.relu(whole(x))


@operation()
def relu6(x: Tensor) -> Array:
    """The input held between 0 and 6."""
    return jax.nn.relu6(fractions(x))


@operation()
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Array:
    """The input where it is positive, a small share of it elsewhere."""
    return jax.nn.leaky_relu(fractions(x), negative_slope)


@operation()
def elu(x: Tensor, alpha: float = 1.0) -> Array:
    """The input where it is positive, `alpha * (exp(x) - 1)` elsewhere."""
    return jax.nn.elu(fractions(x), alpha)


@operation()
def celu(x: Tensor, alpha: float = 1.0) -> Array:
    """The input where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere."""
    return jax.nn.celu(fractions(x), alpha)


@operation()
def selu(x: Tensor) -> Array:
    """An `elu` scaled so that deep stacks of it keep mean 0 and variance 1."""
    return jax.nn.selu(fractions(x))


@operation()
def gelu(x: Tensor, approximate: bool = True) -> Array:
    """The input times the share of a normal curve below it.

    Args:
        approximate: whether to take the usual formula with `tanh`.
    """
    return jax.nn.gelu(fractions(x), approximate)


@operation("Silu", "swish")
def silu(x: Tensor) -> Array:
    """The input times its `sigmoid`; also called `swish`."""
    return jax.nn.silu(fractions(x))


@operation("HardSilu", "hard_swish")
def hard_silu(x: Tensor) -> Array:
    """The input times its `hard_sigmoid`; also called `hard_swish`."""
    return jax.nn.hard_silu(fractions(x))


@operation()
def softplus(x: Tensor) -> Array:
    """A smooth `relu`, `log(1 + exp(x))`."""
    return jax.nn.softplus(fractions(x))


@operation()
def squareplus(x: Tensor, b: float = 4) -> Array:
    """A smooth `relu` of a root, `(x + sqrt(x**2 + b)) / 2`."""
    return jax.nn.squareplus(fractions(x), b)


@operation()
def sparse_plus(x: Tensor) -> Array:
    """A `relu` whose bend is a parabola from -1 to 1."""
    return jax.nn.sparse_plus(fractions(x))


@operation()
def sigmoid(x: Tensor) -> Array:
    """A number from 0 to 1, `1 / (1 + exp(-x))`: the probability of yes."""
    return jax.nn.sigmoid(fractions(x))


@operation()
def log_sigmoid(x: Tensor) -> Array:
    """The logarithm of `sigmoid`, finite for every finite `x`."""
    return jax.nn.log_sigmoid(fractions(x))


@operation()
def hard_sigmoid(x: Tensor) -> Array:
    """A `sigmoid` of straight lines: 0 up to -3, 1 from 3 on, `x/6 + 0.5` between."""
    return jax.nn.hard_sigmoid(fractions(x))


@operation()
def sparse_sigmoid(x: Tensor) -> Array:
    """A `sigmoid` of straight lines: 0 up to -1, 1 from 1 on, `(x + 1) / 2` between."""
    return jax.nn.sparse_sigmoid(fractions(x))


@operation()
def hard_tanh(x: Tensor) -> Array:
    """The input held between -1 and 1."""
    return jax.nn.hard_tanh(whole(x))


@operation()
def softsign(x: Tensor) -> Array:
    """The input divided by `abs(x) + 1`, a number from -1 to 1."""
    return jax.nn.soft_sign(fractions(x))


@operation()
def tanh_shrink(x: Tensor) -> Array:
    """The input less its `tanh`: small values all but vanish."""
    x = fractions(x)
    return x - jnp.tanh(x)


@operation()
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """The input moved towards 0 by `threshold`, and 0 where it was nearer than that."""
    x = fractions(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@operation()
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Array:
    """The input, and 0 where it is no farther than `threshold` from 0."""
    x = fractions(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@operation()
def threshold(x: Tensor, threshold: float, default_value: float) -> Array:
    """The input where it is above `threshold`, `default_value` elsewhere."""
    x = fractions(x)
    return jnp.where(x > threshold, x, jnp.asarray(default_value, x.dtype))


@operation()
def glu(x: Tensor, axis: int = -1) -> Array:
    """The first half along `axis` times the `sigmoid` of the second: half as long."""
    return jax.nn.glu(fractions(x), axis)


@operation()
def softmax(x: Tensor, axis: Axis = -1) -> Array:
    """Shares that add up to 1 along `axis`: the probability of each class.

    Args:
        axis: None takes all axes together.
    """
    return jax.nn.softmax(fractions(x), _axes(axis))


@operation()
def log_softmax(x: Tensor, axis: Axis = -1) -> Array:
    """The logarithm of `softmax`, finite where the share itself would round to 0."""
    return jax.nn.log_softmax(fractions(x), _axes(axis))


def _axes(axis: Axis) -> Any:
    """The axis as JAX wants it: files keep several of them as a list."""
    return tuple(axis) if isinstance(axis, list) else axis


@operation()
def sparsemax(x: Tensor, axis: int = -1) -> Array:
    """Shares that add up to 1 along `axis`, with exact zeros for the small ones.

    The nearest point of the probability simplex. Martins and Astudillo 2016,
    https://arxiv.org/abs/1602.02068. (Keras 3.15 adds up too much when more
    than one share is above 0; this is the paper's formula.)

    >>> sparsemax([[0.5, 0.5, -2.0]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    x = jnp.moveaxis(fractions(x), axis, -1)
    # Adding a constant changes no share, and large scores would drown the 1 below.
    x = x - jax.lax.stop_gradient(jnp.max(x, axis=-1, keepdims=True))
    falling = -jnp.sort(-x, axis=-1)
    counts = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    is_kept = 1 + counts * falling > jnp.cumsum(falling, axis=-1)
    total = jnp.sum(jnp.where(is_kept, falling, 0), axis=-1, keepdims=True)
    excess = (total - 1) / jnp.sum(is_kept, axis=-1, keepdims=True).astype(x.dtype)
    return jnp.moveaxis(jnp.maximum(x - excess, 0), -1, axis)


swish = silu
hard_swish = hard_silu
