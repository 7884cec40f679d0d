"""One integer in, every random number out.

A number that is drawn depends on the global seed, on how many models were made
before, on the place of the layer in its model and on the step: never on names,
callbacks, chunks of steps or the clock.
"""

from __future__ import annotations

import contextlib
import hashlib
import random as python_random
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, doors
from doltap.errors import DataError, ShapeError
from doltap.registry import explained

__all__ = ["SeedGenerator", "draw_seed", "generator", "key_scope", "set_random_seed", "words"]
__all__ += ["beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle"]
__all__ += ["truncated_normal", "uniform"]

_scope = threading.local()


@explained
def set_random_seed(seed: int) -> None:
    """Make every later random number of doltap, NumPy and Python repeatable.

    Args:
        seed: an integer from 0 to 2**32 - 1.
    """
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= int(seed) < 2**32:
        raise DataError(
            "set_random_seed",
            expected="a whole number from 0 to 2**32 - 1",
            got=repr(seed),
            fix="For example set_random_seed(42).",
        )
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed)
    config.set_global_seed(seed)


def draw_seed() -> int:
    """The seed of the next model or lone layer: of the global seed and a count."""
    return mix(config.global_seed(), config.next_count())


def mix(*numbers: int) -> int:
    """One 63-bit integer made of several, so that near numbers give far ones."""
    data = b"".join(int(number).to_bytes(16, "little", signed=True) for number in numbers)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") >> 1


def generator(*numbers: int) -> np.random.Generator:
    """A NumPy generator (Philox) that is a pure function of the numbers."""
    return np.random.Generator(np.random.Philox(key=mix(*numbers)))


def words(seed: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The seed as the two words of a Threefry key, to be passed into a program."""
    return np.array([seed >> 32, seed & 0xFFFFFFFF], dtype=np.uint32)


@contextlib.contextmanager
def key_scope(seed_words: Any, step: Any) -> Iterator[None]:
    """Inside the `with`, every `SeedGenerator` draws from the key of this step.

    The kind of key is named, because JAX's default may change.
    """
    outer = getattr(_scope, "current", None)
    key = jax.random.wrap_key_data(jnp.asarray(seed_words), impl="threefry2x32")
    _scope.current = (jax.random.fold_in(key, step), {})
    try:
        yield
    finally:
        _scope.current = outer


def in_program() -> bool:
    """Whether keys come from the step of a program."""
    return getattr(_scope, "current", None) is not None


class SeedGenerator:
    """Where a layer gets its random keys from.

    Inside a training program a key comes from the step, the generator's place
    in the model and the number of keys it gave in this step. Outside, from
    its own seed and a count.

    Args:
        seed: an integer of one's own, or None to take what the model gives.
        name: as Keras; nothing depends on it.
    """

    @explained
    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed = seed
        self.name = name or config.next_name("seed_generator")
        self.position = 0
        self._own_seed: int | None = seed
        self._given = 0

    def next(self, ordered: bool = True) -> jax.Array:
        """A key that was not given before; `ordered`, as in Keras, changes nothing here."""
        scope = getattr(_scope, "current", None)
        if scope is None:
            if self._own_seed is None:
                self._own_seed = draw_seed()
            self._given += 1
            with key_scope(words(self._own_seed), self._given):
                return self.next()
        key, calls = scope
        number = calls[self] = calls.get(self, -1) + 1
        for part in (self.position if self.seed is None else mix(self.seed) & 0x7FFFFFFF, number):
            key = jax.random.fold_in(key, part)
        return key

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A new generator made from what `get_config` gave; it begins anew."""
        return cls(**config)


# Random numbers. `seed` is an integer, which gives the same numbers each time,
# a SeedGenerator, which gives others each time, or None: what the model gives
# inside a training program, elsewhere what follows from `set_random_seed`.

Seed = int | SeedGenerator | jax.Array | None
Shape = Sequence[int]


@explained
def normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Numbers from a normal distribution.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    return jax.random.normal(_key(seed), tuple(shape), _float("normal", dtype)) * stddev + mean


@explained
def truncated_normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Numbers from a normal distribution, none of them farther than two deviations from its mean."""
    kind = _float("truncated_normal", dtype)
    return jax.random.truncated_normal(_key(seed), -2.0, 2.0, tuple(shape), kind) * stddev + mean


@explained
def uniform(
    shape: Shape, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Numbers from `minval` to below `maxval`, each as likely as any other."""
    return jax.random.uniform(_key(seed), tuple(shape), _float("uniform", dtype), minval, maxval)


@explained
def randint(shape: Shape, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None) -> jax.Array:
    """Whole numbers from `minval` to below `maxval`, each as likely as any other.

    >>> sorted({int(each) for each in randint((100,), 2, 5, seed=1)})
    [2, 3, 4]
    """
    kind = jax.dtypes.canonicalize_dtype(dtype)
    if not jnp.issubdtype(kind, jnp.integer):
        raise DataError(
            "random.randint",
            expected="a type of whole numbers",
            got=f"dtype={dtype!r}",
            fix="Use random.uniform for fractions.",
        )
    return jax.random.randint(_key(seed), tuple(shape), minval, maxval, kind)


@explained
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> jax.Array:
    """Class numbers drawn for each row, as likely as its scores say.

    Args:
        logits: (batch, classes) logarithms of what is in proportion to the probabilities.
        num_samples: how many are drawn for each row.

    Returns:
        (batch, num_samples)
    """
    scores = jnp.asarray(logits)
    if scores.ndim != 2:
        raise ShapeError(
            "random.categorical",
            expected="one row of scores for each sample, (batch, classes)",
            got=f"shape {scores.shape}",
            fix="For a single row write logits[None, :].",
        )
    drawn = jax.random.categorical(_key(seed), scores[..., None], 1, (len(scores), num_samples))
    return drawn.astype(jax.dtypes.canonicalize_dtype(dtype))


@explained
def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Seed = None) -> jax.Array:
    """Numbers from a gamma distribution of shape `alpha` and scale 1."""
    return jax.random.gamma(_key(seed), jnp.asarray(alpha), tuple(shape), _float("gamma", dtype))


@explained
def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> jax.Array:
    """Numbers from 0 to 1 from a beta distribution."""
    kind = _float("beta", dtype)
    return jax.random.beta(_key(seed), jnp.asarray(alpha), jnp.asarray(beta), tuple(shape), kind)


@explained
def binomial(
    shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """How many of `counts` trials succeed, each with the probability given."""
    key, kind = _key(seed), _float("binomial", dtype)
    return jax.random.binomial(key, jnp.asarray(counts), jnp.asarray(probabilities), tuple(shape), kind)


@explained
def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> jax.Array:
    """The elements in random order along an axis, every column in its own, as Keras on JAX.

    To keep rows together write `ops.take(x, random.shuffle(ops.arange(len(x))), axis=0)`.
    """
    return jax.random.permutation(_key(seed), jnp.asarray(x), axis, independent=True)


@explained
def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None
) -> jax.Array:
    """The inputs, of which a random share becomes 0; the rest grows, so that the mean stays.

    Args:
        rate: the share, 0 to 1.
        noise_shape: the shape in which is drawn; along an axis of length 1 all
            share their fate, None means the input's length.
    """
    x = jnp.asarray(inputs)
    if rate <= 0:
        return x
    if rate >= 1:
        return jnp.zeros_like(x)
    own = noise_shape or x.shape
    shape = tuple(have if size is None else size for size, have in zip(own, x.shape, strict=True))
    kept = jax.random.bernoulli(_key(seed), 1.0 - rate, shape)
    return jnp.where(kept, x / (1.0 - rate), jnp.zeros((), x.dtype))


def _key(seed: Seed) -> jax.Array:
    """The key of one call."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, jax.Array):
        return seed if jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) else _threefry(seed)
    if seed is None:
        return _key_of_nobody()
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise DataError(
            "the seed",
            expected="a whole number, a SeedGenerator or None",
            got=repr(seed),
            fix="For example seed=42.",
        )
    # Keras's order of the two words, for the numbers to be Keras's.
    return _threefry(words(int(seed) & 0xFFFFFFFFFFFFFFFF)[::-1])


def _threefry(two_words: Any) -> jax.Array:
    """The two words as a key of the kind that `key_scope` uses."""
    return jax.random.wrap_key_data(jnp.asarray(two_words), impl="threefry2x32")


def _key_of_nobody() -> jax.Array:
    """A new key, where nobody gave a seed."""
    scope = getattr(_scope, "current", None)
    if scope is None:
        return _threefry(words(mix(config.global_seed(), config.next_draw(), 1)))
    key, calls = scope
    number = calls[None] = calls.get(None, -1) + 1
    # No layer has this place.
    return jax.random.fold_in(jax.random.fold_in(key, 0xFFFFFFFF), number)


def _float(call: str, dtype: Any) -> Any:
    """The type of the numbers, or an error for one that holds no fractions."""
    kind = jax.dtypes.canonicalize_dtype(config.floatx() if dtype is None else dtype)
    if not jnp.issubdtype(kind, jnp.floating):
        raise DataError(
            f"random.{call}",
            expected="a type that holds fractions",
            got=f"dtype={dtype!r}",
            fix="Use random.randint for whole numbers.",
        )
    return kind


doors.guard(__name__)
