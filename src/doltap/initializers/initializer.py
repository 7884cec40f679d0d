"""The numbers a weight starts with, before any training.

They are drawn on the host with NumPy, so that making a model compiles nothing
and every device starts from the same bits; an initializer only says how.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import dtypes, random, registry
from doltap.errors import NotSupportedError, ShapeError

__all__ = ["Initializer", "names", "sample", "wrong_rank"]

names = registry.Names("initializer")


class Initializer(registry.Configured):
    """How the first values of a weight are chosen; a subclass fills in `draw`.

    Overriding `__call__(shape, dtype=None)` instead works too, as in Keras.
    With `seed=` an integer, each call gives the same values; a `SeedGenerator`
    gives new ones each time; None takes the layer's seed.
    """

    seed: int | random.SeedGenerator | None = None

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values of that shape, with every random number from the generator."""
        raise NotSupportedError(
            f"initializer '{type(self).__name__}'",
            expected="a method draw(self, shape, generator)",
            got="none",
            fix="Write one that returns a NumPy array of that shape.",
        )

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> jax.Array:
        """New values of that shape as a JAX array.

        Args:
            dtype: the type of the result; None means `floatx()`.
        """
        generator = _generator(self.seed, None)
        values = np.asarray(self.draw(_as_shape(shape), generator))
        return jnp.asarray(values.astype(jnp.dtype(dtypes.standardize(dtype))))


def sample(initializer: Any, shape: Sequence[int], dtype: Any, seed: int) -> np.ndarray:
    """The first values of one weight, as a NumPy array of `dtype`.

    Args:
        initializer: an `Initializer`, or any function of `(shape, dtype=None)`
            or of `(shape)`.
        shape: what the weight needs.
        dtype: the type of the result; None means `floatx()`.
        seed: used unless the initializer has a seed of its own. The same seed
            gives the same bits.

    Raises:
        ShapeError: a user's function returned another shape.

    >>> sample(np.ones, (2,), "float32", seed=0)
    array([1., 1.], dtype=float32)
    """
    shape, name = _as_shape(shape), dtypes.standardize(dtype)
    if isinstance(initializer, Initializer) and type(initializer).__call__ is Initializer.__call__:
        values = initializer.draw(shape, _generator(initializer.seed, seed))
    else:
        values = initializer(shape, dtype=name) if _takes_dtype(initializer) else initializer(shape)
    array = np.asarray(values)
    if array.shape != shape:
        called = getattr(initializer, "__name__", type(initializer).__name__)
        raise ShapeError(
            f"initializer '{called}'",
            expected=f"values of shape {shape}",
            got=f"shape {array.shape}",
            fix="Let it return an array of the shape it is given.",
        )
    return array.astype(jnp.dtype(name), copy=False)


def _generator(own: Any, fallback: int | None) -> np.random.Generator:
    """The generator of an initializer's own seed, or else of the fallback or the next seed."""
    if isinstance(own, random.SeedGenerator):
        return random.generator(*np.asarray(jax.random.key_data(own.next())).tolist())
    if own is not None:
        return random.generator(own)
    return random.generator(random.draw_seed() if fallback is None else fallback)


def _takes_dtype(function: Callable[..., Any]) -> bool:
    """Whether the function may be called with `dtype=`."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        # Functions written in C, such as np.zeros, may not tell; NumPy's take it.
        return True
    return "dtype" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _as_shape(shape: Any) -> tuple[int, ...]:
    """The shape as a tuple of integers; a lone integer is a shape of one axis."""
    return tuple(operator.index(size) for size in (shape if np.iterable(shape) else (shape,)))


def wrong_rank(initializer: Initializer, expected: str, shape: tuple[int, ...]) -> ShapeError:
    """The error of an initializer that makes matrices only."""
    return ShapeError(
        f"initializer '{type(initializer).__name__}'",
        expected=expected,
        got=f"shape {shape}",
        fix='Use it for kernels; a bias starts with "zeros".'
        if len(shape) < 2
        else "Use another one for kernels of this shape, or a function of your own: lambda shape, dtype: ...",
    )
