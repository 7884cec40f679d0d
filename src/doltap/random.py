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
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config
from doltap.errors import DataError

__all__ = [
    "SeedGenerator",
    "draw_seed",
    "generator",
    "key_scope",
    "set_random_seed",
    "words",
]

_scope = threading.local()


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


class SeedGenerator:
    """Where a layer gets its random keys from.

    Inside a training program a key comes from the step, the generator's place
    in the model and the number of keys it gave in this step. Outside, from
    its own seed and a count.

    Args:
        seed: an integer of one's own, or None to take what the model gives.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.position = 0
        self._own_seed: int | None = seed
        self._given = 0

    def next(self) -> jax.Array:
        """A key that was not given before."""
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
