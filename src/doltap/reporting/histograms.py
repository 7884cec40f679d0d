"""How the numbers in arrays are distributed, counted where the arrays lie.

A few numbers for each array come to the host, and not the arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["NUM_BUCKETS", "Histograms", "counted"]

# As many as Keras writes.
NUM_BUCKETS = 30


class Histograms(NamedTuple):
    """Of each array, a line each: the numbers that are finite, and how many of them lie in each bucket.

    Args:
        low, high: the smallest and the largest (arrays,).
        counts: (arrays, NUM_BUCKETS), of buckets of one width from the smallest to the largest.
        sums, squares: of the numbers, and of their squares (arrays,).
    """

    low: Any
    high: Any
    counts: Any
    sums: Any
    squares: Any


def counted(arrays: Sequence[Any]) -> Histograms:
    """The histograms of some arrays, by one program that begins at once; nobody waits for it.

    >>> found = counted([np.arange(60.0), np.ones(4)])
    >>> np.asarray(found.counts)[:, :2].tolist(), np.asarray(found.high).tolist()
    ([[2, 2], [4, 0]], [59.0, 1.0])
    """
    sizes = [int(np.size(array)) for array in arrays]
    owners = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    found: Histograms = _program(jax.default_backend())(list(arrays), owners)
    return found


@functools.cache
def _program(backend: str) -> Callable[..., Any]:
    # XLA's newer code generator takes longer to compile this than it will ever run.
    options = {"xla_cpu_use_fusion_emitters": False} if backend == "cpu" else None
    return jax.jit(_count, compiler_options=options)


def _count(arrays: list[Any], owners: Any) -> Histograms:
    """All arrays as one long one: the number of operations does not grow with that of arrays."""
    values = jnp.concatenate([array.astype(jnp.float32).reshape(-1) for array in arrays])
    is_finite = jnp.isfinite(values)
    known = jnp.where(is_finite, values, 0.0)
    none = jnp.zeros(len(arrays), jnp.float32)
    low = (none + jnp.inf).at[owners].min(jnp.where(is_finite, values, jnp.inf), indices_are_sorted=True)
    high = (none - jnp.inf).at[owners].max(jnp.where(is_finite, values, -jnp.inf), indices_are_sorted=True)
    # Where all are equal, all lie in the first bucket.
    scale = jnp.where(high > low, NUM_BUCKETS / (high - low), 0.0)
    bucket = jnp.clip((known - low[owners]) * scale[owners], 0, NUM_BUCKETS - 1).astype(jnp.int32)
    counts = jnp.zeros(len(arrays) * NUM_BUCKETS, jnp.int32)
    counts = counts.at[owners * NUM_BUCKETS + bucket].add(is_finite.astype(jnp.int32))
    sums = none.at[owners].add(known, indices_are_sorted=True)
    squares = none.at[owners].add(known * known, indices_are_sorted=True)
    return Histograms(low, high, counts.reshape(len(arrays), NUM_BUCKETS), sums, squares)
