"""`tf.random`: random numbers, the same ones after the same seed.

The numbers are not TensorFlow's. Inside a compiled program they come from the
step's key, elsewhere from the seed that was set and a count.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from doltap import config, random
from doltap.compat.tensorflow import arithmetic, arranging, dtypes, lacking
from doltap.compat.tensorflow.creating import sizes_of
from doltap.compat.tensorflow.recording import scope
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, unwrapped
from doltap.errors import DataError

__all__ = ["Generator", "categorical", "create_rng_state", "experimental", "gamma", "get_global_generator"]
__all__ += ["normal", "poisson", "set_seed", "shuffle", "stateless_normal", "stateless_uniform"]
__all__ += ["truncated_normal", "uniform"]


def set_seed(seed: Any) -> None:
    """Make every later random number of doltap repeatable; NumPy's and Python's stay as they are."""
    number = int(seed)
    config.set_global_seed(number % 2**32)


def _host(seed: Any) -> np.random.Generator | None:
    """What draws in NumPy, which compiles nothing; None in a program, where the step's key does."""
    if isinstance(seed, np.random.Generator):
        return seed
    if random.in_program():
        return None
    if seed is None:
        return random.generator(config.global_seed(), config.next_draw(), 3)
    # A seed by itself gives the same numbers in every run; with `set_seed`, those that follow from both.
    return random.generator(config.chosen_seed() or 0, int(seed), config.next_draw())


def _program_seed(seed: Any) -> Any:
    return None if isinstance(seed, np.random.Generator) else seed


def _found(array: Any) -> Any:
    """The numbers: a tensor, or inside a compiled program the array."""
    return array if is_traced(array) and scope.by_hand is not True else Tensor(array)


def _near(dtype: Any) -> str:
    return jax.dtypes.canonicalize_dtype(dtypes.as_dtype(dtype).dtype).name


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    """Numbers from a normal distribution."""
    sizes, kind, host = sizes_of(shape), dtypes.as_dtype(dtype), _host(seed)
    drawn: Any
    if host is None:
        drawn = random.normal(sizes, 0.0, 1.0, _near(kind), _program_seed(seed))
    else:
        drawn = host.standard_normal(sizes).astype(kind.dtype)
    return _moved(_found(drawn), mean, stddev)


def _moved(drawn: Any, mean: Any, stddev: Any) -> Any:
    """The numbers with another deviation and mean."""
    is_usual = all(isinstance(each, (int, float)) for each in (mean, stddev)) and (mean, stddev) == (0, 1)
    return drawn if is_usual else arithmetic.add(arithmetic.multiply(drawn, stddev), mean)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    """Numbers from a normal distribution, none farther than two deviations from its mean."""
    sizes, kind, host = sizes_of(shape), dtypes.as_dtype(dtype), _host(seed)
    if host is None:
        drawn = random.truncated_normal(sizes, 0.0, 1.0, _near(kind), _program_seed(seed))
        return _moved(_found(drawn), mean, stddev)
    numbers = host.standard_normal(sizes)
    while (far := np.abs(numbers) > 2).any():
        numbers = np.where(far, host.standard_normal(sizes), numbers)
    return _moved(_found(np.asarray(numbers).astype(kind.dtype)), mean, stddev)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    """Numbers from `minval` to below `maxval`, 1 for fractions; whole ones need a `maxval`."""
    kind, sizes, host = dtypes.as_dtype(dtype), sizes_of(shape), _host(seed)
    if kind.is_integer and maxval is None:
        raise DataError(
            "tf.random.uniform",
            expected="maxval=, for whole numbers",
            got="none",
            fix="For example tf.random.uniform([3], maxval=10, dtype=tf.int32).",
        )
    low, high = unwrapped((minval, 1.0 if maxval is None else maxval))
    if host is None:
        draw = random.randint if kind.is_integer else random.uniform
        return _found(draw(sizes, low, high, _near(kind), _program_seed(seed)))
    if kind.is_integer:
        return _found(np.asarray(host.integers(low, high, sizes)).astype(kind.dtype))
    # Rounded to fewer digits a number may come out as the bound itself.
    share = np.minimum(
        host.random(sizes).astype(kind.dtype), np.nextafter(kind.dtype.type(1), kind.dtype.type(0))
    )
    return _found(np.asarray(share * (np.asarray(high) - low) + low).astype(kind.dtype))


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    """Numbers from a gamma distribution."""
    sizes, kind, host, given = sizes_of(shape), dtypes.as_dtype(dtype), _host(seed), unwrapped(alpha)
    sizes = (*sizes, *np.shape(given))
    drawn: Any
    if host is None:
        drawn = random.gamma(sizes, given, _near(kind), _program_seed(seed))
    else:
        drawn = np.asarray(host.gamma(np.asarray(given), size=sizes)).astype(kind.dtype)
    return _found(drawn) if beta is None else arithmetic.truediv(_found(drawn), beta)


def poisson(shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: Any = None, name: Any = None) -> Any:
    """How many of something happen that happens `lam` times on average."""
    host = _host(seed) or random.generator(config.global_seed(), config.next_draw(), 3)
    rates = np.asarray(as_tensor(lam))
    drawn = host.poisson(rates, (*sizes_of(shape), *rates.shape))
    return Tensor(np.asarray(drawn).astype(dtypes.as_dtype(dtype).dtype))


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    """The rows in random order; each row stays together."""
    rows, host = as_tensor(value), _host(seed)
    count = rows.shape[0]
    if host is None:
        return arranging.gather(
            rows, jax.random.permutation(random.SeedGenerator(_program_seed(seed)).next(), count)
        )
    return arranging.gather(rows, host.permutation(count))


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: Any = None) -> Any:
    """Class numbers drawn for each row, as likely as its scores say."""
    scores, host = as_tensor(logits), _host(seed)
    if host is None:
        return _found(random.categorical(unwrapped(scores), int(num_samples), seed=_program_seed(seed)))
    rows = np.asarray(scores)
    # The largest of the scores, each with Gumbel's noise, falls on a class with its probability.
    noise = host.gumbel(size=(len(rows), int(num_samples), rows.shape[1]))
    drawn = np.argmax(rows[:, None] + noise, -1)
    return Tensor(drawn.astype(dtypes.as_dtype(dtypes.int64 if dtype is None else dtype).dtype))


def _seed_of(seed: Any) -> np.random.Generator:
    """What draws from the two numbers that stateless functions take."""
    first, second = (int(each) for each in np.asarray(as_tensor(seed)).reshape(-1))
    return random.generator(first, second, 5)


def stateless_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, **options: Any) -> Any:
    """Numbers from a normal distribution, which depend on the two numbers of the seed alone."""
    return normal(shape, mean, stddev, options.get("dtype", dtypes.float32), _seed_of(seed))


def stateless_uniform(shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, **options: Any) -> Any:
    """Numbers from `minval` to below `maxval`, which depend on the two numbers of the seed alone."""
    return uniform(shape, minval, maxval, options.get("dtype", dtypes.float32), _seed_of(seed))


class Generator:
    """Random numbers of one's own seed: each call gives the next ones."""

    def __init__(self, seed: int | None = None) -> None:
        self._source = random.generator(random.draw_seed() if seed is None else int(seed), 4)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """One that begins with a seed."""
        return cls(int(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """One whose numbers nobody knows beforehand."""
        return cls(int(np.random.SeedSequence().generate_state(1)[0]))

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32) -> Any:
        """Numbers from a normal distribution."""
        return normal(shape, mean, stddev, dtype, self._source)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32
    ) -> Any:
        """Numbers from a normal distribution, none farther than two deviations from its mean."""
        return truncated_normal(shape, mean, stddev, dtype, self._source)

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32) -> Any:
        """Numbers from `minval` to below `maxval`."""
        return uniform(shape, minval, maxval, dtype, self._source)

    def uniform_full_int(self, shape: Any, dtype: Any = dtypes.int32) -> Any:
        """Whole numbers, each that the type holds as likely as any other."""
        kind = dtypes.as_dtype(dtype)
        return uniform(
            shape, kind.min if kind.size < 8 else -(2**31), min(kind.max, 2**31 - 1), kind, self._source
        )

    def make_seeds(self, count: int = 1) -> Any:
        """Seeds for stateless functions, as columns."""
        return uniform([2, count], 0, 2**31 - 1, dtypes.int32, self._source)

    def split(self, count: int = 1) -> list[Generator]:
        """Generators of their own."""
        return [Generator(int(each)) for each in np.asarray(self.make_seeds(count))[0]]

    def reset_from_seed(self, seed: Any) -> None:
        """Begin again with a seed."""
        self._source = random.generator(int(seed), 4)


def get_global_generator() -> Generator:
    """A generator that follows from the seed that was set."""
    return Generator(random.draw_seed())


def create_rng_state(seed: Any, alg: Any = None) -> Any:
    """The seed as a tensor."""
    return as_tensor([int(seed), 0, 0])


class experimental:  # noqa: N801
    """Names that have moved."""

    Generator = Generator


lacking.guard(__name__)
