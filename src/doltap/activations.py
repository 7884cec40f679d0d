"""The curves a layer can put its sums through: relu, sigmoid, softmax and their kin.

Every function takes an array and returns one of the same type and (except
`glu`) the same shape; whole numbers become `floatx()` where the curve needs
fractions. None of them has weights of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from doltap import config, doors, dtypes, notes, registry
from doltap.errors import ShapeError, UnknownNameError
from doltap.ops import protocol

__all__ = ["deserialize", "get", "names", "origin_of", "serialize"]
__all__ += ["heaviside", "linear", "sgn", "sign", "step", "threshold", "leaky_relu", "relu", "relu6"]
__all__ += ["celu", "elu", "exponential", "gelu", "hard_silu", "hard_swish", "mish", "selu", "silu"]
__all__ += ["hard_sigmoid", "hard_tanh", "log_sigmoid", "sigmoid", "softsign", "sparse_sigmoid", "tanh"]
__all__ += ["hard_shrink", "soft_shrink", "tanh_shrink", "softplus", "sparse_plus", "squareplus", "swish"]
__all__ += ["glu", "log_softmax", "softmax", "sparsemax"]

names = protocol.NotedFunctions("activation")


def origin_of(probabilities: Any) -> tuple[str, Any, Any] | None:
    """The activation that made this very array, what went into it, and the array; None if unknown."""
    taken = notes.current()
    return taken.origins.get(id(probabilities)) if taken else None


def _remembered(activation: str, logits: Any, probabilities: Any) -> Any:
    taken = notes.current()
    if taken is not None:
        taken.origins[id(probabilities)] = (activation, logits, probabilities)
    return probabilities


def _real(x: ArrayLike) -> Array:
    """The input as an array of fractions."""
    array = jnp.asarray(x)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(config.floatx())


# Straight lines and steps


def linear(x: Any) -> Any:
    """The input itself, untouched: what a layer without an activation uses.

    >>> linear(3.0)
    3.0
    """
    return x


names.add("linear", linear)  # Of a symbolic tensor, too, it gives that very one.


@names.register("step")
def heaviside(x: ArrayLike) -> Array:
    """One where `x >= 0`, zero elsewhere: a neuron that fires or does not.

    The threshold of McCulloch and Pitts (1943); also called `step`. At 0 it is
    1. Its gradient is 0 everywhere, so no optimizer can train through it.

    >>> heaviside([-2.0, 0.0, 3.0]).tolist()
    [0.0, 1.0, 1.0]
    """
    x = _real(x)
    return (x >= 0).astype(x.dtype)


@names.register("sgn")
def sign(x: ArrayLike) -> Array:
    """Minus one, zero or one: on which side of zero `x` lies. Also called `sgn`.

    Its gradient is 0 everywhere, so no optimizer can train through it.

    >>> sign([-2.0, 0.0, 3.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return jnp.sign(_real(x))


@names.register()
def threshold(x: ArrayLike, threshold: float, default_value: float) -> Array:
    """The input where it is above `threshold`, `default_value` elsewhere.

    >>> threshold([-1.0, 0.5, 2.0], 1.0, 0.0).tolist()
    [0.0, 0.0, 2.0]
    """
    x = _real(x)
    return jnp.where(x > threshold, x, jnp.asarray(default_value, x.dtype))


# Zero on the left


@jax.jit
def _positive_part(x: Array) -> Array:
    # `jax.nn.relu` has a derivative of its own, and is traced anew for every layer.
    zero = jax.lax.full_like(x, 0)
    return jax.lax.select(x <= zero, zero, x)


@names.register()
def relu(
    x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """The larger of `x` and 0, with a slope below, a ceiling and a threshold if wanted.

    Whole numbers stay whole while the arguments have their defaults. The
    gradient at 0 is 0.

    Args:
        negative_slope: the steepness below the threshold.
        max_value: the largest value that comes out; None means no ceiling.
        threshold: where the curve starts; below it stands
            `negative_slope * (x - threshold)`.

    >>> relu([-10.0, 0.0, 5.0]).tolist(), relu([-10.0, 5.0], negative_slope=0.5, max_value=4.0).tolist()
    ([0.0, 0.0, 5.0], [-5.0, 4.0])
    """
    if negative_slope == 0 and max_value is None and threshold == 0:
        return _positive_part(jnp.asarray(x))
    x = _real(x)
    if negative_slope != 0 and max_value is None and threshold == 0:
        return leaky_relu(x, negative_slope)
    above = jax.nn.relu(x) if threshold == 0 else jnp.where(x > threshold, x, 0.0)
    # As in Keras, the gradient at the ceiling is 0 if that is 6, and 1/2 if not.
    if threshold == 0 and max_value == 6:
        above = relu6(x)
    elif max_value is not None:
        above = jnp.minimum(above, max_value)
    if negative_slope == 0:
        return above
    return above - negative_slope * jax.nn.relu(threshold - x)


@names.register()
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """The input on the right of 0, `negative_slope` times the input on the left.

    A unit on the left still has a gradient, so it cannot die.

    >>> leaky_relu([-10.0, 5.0]).tolist()
    [-2.0, 5.0]
    """
    x = _real(x)
    return jnp.where(x >= 0, x, negative_slope * x)


@names.register()
def relu6(x: ArrayLike) -> Array:
    """The input held between 0 and 6.

    >>> relu6([-1.0, 3.0, 9.0]).tolist()
    [0.0, 3.0, 6.0]
    """
    return jax.nn.relu6(_real(x))


# Smooth relatives of relu


@names.register()
def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """The input on the right of 0, `alpha * (exp(x) - 1)` on the left.

    Clevert, Unterthiner and Hochreiter 2016, https://arxiv.org/abs/1511.07289

    >>> elu([-1000.0, 0.0, 2.0]).tolist()
    [-1.0, 0.0, 2.0]
    """
    return jax.nn.elu(_real(x), alpha)


@names.register()
def selu(x: ArrayLike) -> Array:
    """An `elu` scaled so that mean 0 and variance 1 pass from layer to layer.

    Use it with the "lecun_normal" initializer. Klambauer et al. 2017,
    https://arxiv.org/abs/1706.02515

    >>> selu([0.0, 1.0]).round(4).tolist() == [0.0, selu(1.0).round(4).item()]
    True
    """
    return jax.nn.selu(_real(x))


@names.register()
def celu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """An `elu` whose slope is continuous at 0 for every `alpha`.

    Barron 2017, https://arxiv.org/abs/1704.07483

    >>> celu([-1000.0, 2.0], alpha=0.5).tolist()
    [-0.5, 2.0]
    """
    return jax.nn.celu(_real(x), alpha)


@names.register()
def softplus(x: ArrayLike) -> Array:
    """The logarithm of `1 + exp(x)`: a `relu` with a round corner, always above 0.

    >>> round(softplus(0.0).item(), 4), softplus(1000.0).item()
    (0.6931, 1000.0)
    """
    return jax.nn.softplus(_real(x))


@names.register()
def squareplus(x: ArrayLike, b: float = 4) -> Array:
    """Half of `x + sqrt(x*x + b)`: a `softplus` without exponentials.

    Barron 2021, https://arxiv.org/abs/2112.11687

    >>> squareplus(0.0).item()
    1.0
    """
    return jax.nn.squareplus(_real(x), b)


@names.register()
def sparse_plus(x: ArrayLike) -> Array:
    """Zero up to -1, the input from 1 on, and the parabola `(x + 1)**2 / 4` between.

    >>> sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    return jax.nn.sparse_plus(_real(x))


@names.register("swish")
def silu(x: ArrayLike) -> Array:
    """The input times its `sigmoid`. Also called `swish`.

    Ramachandran, Zoph and Le 2017, https://arxiv.org/abs/1710.05941

    >>> silu([0.0, 1000.0]).tolist()
    [0.0, 1000.0]
    """
    return jax.nn.silu(_real(x))


@names.register("hard_swish")
def hard_silu(x: ArrayLike) -> Array:
    """The input times its `hard_sigmoid`. Also called `hard_swish`.

    Howard et al. 2019, https://arxiv.org/abs/1905.02244

    >>> hard_silu([-3.0, 0.0, 4.0]).tolist()
    [-0.0, 0.0, 4.0]
    """
    return jax.nn.hard_silu(_real(x))


@names.register()
def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """The input times the chance that a standard normal number lies below it.

    Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415

    Args:
        approximate: use the formula with `tanh` instead of the exact integral.

    >>> gelu([0.0, 1000.0]).tolist()
    [0.0, 1000.0]
    """
    return jax.nn.gelu(_real(x), approximate=approximate)


@names.register()
def mish(x: ArrayLike) -> Array:
    """The input times `tanh(softplus(x))`.

    Misra 2019, https://arxiv.org/abs/1908.08681

    >>> mish([0.0, 1000.0]).tolist()
    [0.0, 1000.0]
    """
    x = _real(x)
    return x * jnp.tanh(jax.nn.softplus(x))


@names.register()
def exponential(x: ArrayLike) -> Array:
    """The number e to the power of `x`.

    >>> exponential(0.0).item()
    1.0
    """
    return jnp.exp(_real(x))


# Between two bounds


@names.register()
def sigmoid(x: ArrayLike) -> Array:
    """A number from 0 to 1, `1 / (1 + exp(-x))`: the probability of yes.

    >>> sigmoid([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    x = _real(x)
    return _remembered("sigmoid", x, jax.nn.sigmoid(x))


@names.register()
def log_sigmoid(x: ArrayLike) -> Array:
    """The logarithm of `sigmoid`, finite for every finite `x`.

    >>> log_sigmoid(-1000.0).item()
    -1000.0
    """
    return -jax.nn.softplus(-_real(x))


@names.register()
def hard_sigmoid(x: ArrayLike) -> Array:
    """A `sigmoid` of straight lines: 0 up to -3, 1 from 3 on, `x/6 + 0.5` between.

    As Keras 3; Keras 2 used `0.2*x + 0.5`.

    >>> hard_sigmoid([-4.0, 0.0, 4.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jax.nn.hard_sigmoid(_real(x))


@names.register()
def sparse_sigmoid(x: ArrayLike) -> Array:
    """A `sigmoid` of straight lines: 0 up to -1, 1 from 1 on, `(x + 1) / 2` between.

    Blondel, Martins and Niculae 2019, https://arxiv.org/abs/1901.02324

    >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jax.nn.sparse_sigmoid(_real(x))


@names.register()
def tanh(x: ArrayLike) -> Array:
    """The hyperbolic tangent, a number from -1 to 1.

    >>> tanh([-1000.0, 0.0, 1000.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return jnp.tanh(_real(x))


@names.register()
def hard_tanh(x: ArrayLike) -> Array:
    """The input held between -1 and 1.

    >>> hard_tanh([-2.0, 0.5, 2.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    return jax.nn.hard_tanh(_real(x))


@names.register()
def softsign(x: ArrayLike) -> Array:
    """The input divided by `abs(x) + 1`, a number from -1 to 1.

    >>> softsign([-1.0, 0.0, 3.0]).tolist()
    [-0.5, 0.0, 0.75]
    """
    return jax.nn.soft_sign(_real(x))


# Shrinking towards zero


@names.register()
def tanh_shrink(x: ArrayLike) -> Array:
    """The input less its `tanh`: small values all but vanish.

    >>> tanh_shrink([0.0, 10.0]).tolist()
    [0.0, 9.0]
    """
    x = _real(x)
    return x - jnp.tanh(x)


@names.register()
def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """The input moved towards 0 by `threshold`, and 0 where it was nearer than that.

    >>> soft_shrink([-2.0, 0.3, 2.0]).tolist()
    [-1.5, 0.0, 1.5]
    """
    x = _real(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@names.register()
def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """The input, and 0 where it is no farther than `threshold` from 0.

    >>> hard_shrink([-2.0, 0.3, 2.0]).tolist()
    [-2.0, 0.0, 2.0]
    """
    x = _real(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


# Numbers that share one budget


@names.register()
def softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """Shares that add up to 1 along `axis`: the probability of each class.

    Args:
        x: scores, with at least one dimension.
        axis: the axis, or axes together, that share the 1. A warning tells
            of an axis of size 1, on which every share is 1.

    Raises:
        ShapeError: `x` has no such axis.

    >>> softmax([[1000.0, 1000.0, -1000.0]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    x = _real(x)
    if _size("softmax", x, axis) == 1:
        warnings.warn(
            f"softmax over axis {axis} of an array of shape {x.shape} always gives 1, because that "
            "axis has size 1. For a single yes-or-no output use 'sigmoid'.",
            stacklevel=2,
        )
    # JAX's own rule for the gradient, y * (d - sum(y * d)), holds at any
    # score: differentiating the division would take inf / inf.
    shares = jax.nn.softmax(x, axis=axis)
    return _remembered("softmax", x, shares) if axis == -1 else shares


@names.register()
def log_softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """The logarithm of `softmax`, finite where the share itself would round to 0.

    Raises:
        ShapeError: `x` has no such axis.

    >>> log_softmax([[0.0, -1000.0]]).tolist()
    [[0.0, -1000.0]]
    """
    x = _real(x)
    _size("log_softmax", x, axis)
    return jax.nn.log_softmax(x, axis=axis)


@names.register()
def sparsemax(x: ArrayLike, axis: int = -1) -> Array:
    """Shares that add up to 1 along `axis`, with exact zeros for the small ones.

    The nearest point of the probability simplex. Martins and Astudillo 2016,
    https://arxiv.org/abs/1602.02068. (Keras 3.15 adds up too much when more
    than one share is above 0; this is the paper's formula.)

    Raises:
        ShapeError: `x` has no such axis.

    >>> sparsemax([[0.5, 0.5, -2.0]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    x = _real(x)
    _size("sparsemax", x, axis)
    wide = jnp.moveaxis(x, axis, -1).astype(dtypes.widened(x.dtype))
    # Adding a constant to all scores changes no share, so the largest may be
    # moved to 0; without that the 1 below drowns in large scores.
    wide = wide - jax.lax.stop_gradient(jnp.max(wide, axis=-1, keepdims=True))
    scores = -jnp.sort(-wide, axis=-1)
    counts = 1 + jax.lax.broadcasted_iota(wide.dtype, wide.shape, wide.ndim - 1)
    is_kept = 1 + counts * scores > jnp.cumsum(scores, axis=-1)
    total = jnp.sum(jnp.where(is_kept, scores, 0.0), axis=-1, keepdims=True)
    excess = (total - 1) / jnp.sum(is_kept, axis=-1, keepdims=True).astype(wide.dtype)
    return jnp.moveaxis(jnp.maximum(wide - excess, 0.0), -1, axis).astype(x.dtype)


@names.register()
def glu(x: ArrayLike, axis: int = -1) -> Array:
    """The first half along `axis` times the `sigmoid` of the second: half as long.

    Dauphin et al. 2017, https://arxiv.org/abs/1612.08083

    Raises:
        ShapeError: the axis does not exist or has an odd size.

    >>> glu([[4.0, 8.0, 0.0, 1000.0]]).tolist()
    [[2.0, 8.0]]
    """
    x = _real(x)
    size = _size("glu", x, axis)
    if size % 2:
        raise ShapeError(
            "activation 'glu'",
            expected=f"an even size along axis {axis}, to cut in two",
            got=f"{size} (input shape {x.shape})",
            fix="Give the layer before it an even number of units.",
        )
    return jax.nn.glu(x, axis=axis)


def _size(name: str, x: Array, axis: int | tuple[int, ...]) -> int:
    """How many numbers share one budget, or an error for an axis that is not there."""
    size = 1
    for one in (axis,) if isinstance(axis, int) else axis:
        if not -x.ndim <= one < x.ndim:
            raise ShapeError(
                f"activation '{name}'",
                expected=f"an array that has axis {one}",
                got=f"{x.ndim} dimensions (input shape {x.shape})",
                fix="Give one row of scores per sample, or another axis=.",
            )
        size *= x.shape[one]
    return size


sgn, step = sign, heaviside
swish, hard_swish = silu, hard_silu


# Names


@registry.explained
def get(identifier: Any) -> Callable[..., Any]:
    """The function that a layer's `activation=` means.

    Args:
        identifier: None (`linear`), a name, a function or other callable
            (itself), or a dict as Keras writes it in a model's file.

    >>> get("relu") is relu, get(None) is linear
    (True, True)
    """
    if identifier is None:
        return linear
    found = names.make(_without_dict(identifier))
    if not callable(found):
        raise UnknownNameError.of("activation", identifier, names)
    return found


@registry.explained
def serialize(function: Any) -> Any:
    """What a model's file says of an activation: its name.

    A function that is not ours is written by its own `__name__`, an object
    that knows its config as `{"class_name", "config"}`.

    >>> serialize(swish)
    'silu'
    """
    if isinstance(function, registry.Configured):
        return {"class_name": type(function).__name__, "config": function.get_config()}
    return getattr(function, "__name__", type(function).__name__)


@registry.explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable[..., Any]:
    """The function that `serialize` wrote down.

    Args:
        custom_objects: the user's own functions by name; they win over ours.

    >>> deserialize("silu") is silu
    True
    """
    config = _without_dict(config)
    own = (custom_objects or {}).get(config) if isinstance(config, str) else None
    return get(config if own is None else own)


def _without_dict(identifier: Any) -> Any:
    """The plain name of a function that a file describes with a dict."""
    if not isinstance(identifier, dict) or "class_name" not in identifier:
        return identifier
    name = identifier["class_name"]
    if name == "function":
        return identifier.get("config")
    return name if name in names and not isinstance(names.find(name), type) else identifier


doors.guard(__name__, "activation")
