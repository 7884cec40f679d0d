"""A model made from a seed of its own, while the random numbers of everybody else go on undisturbed."""

from __future__ import annotations

import contextlib
import random as python_random
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap import config, random

__all__ = ["seed_of", "seeded"]

# Seeds are global; two threads at them at once would leave them swapped.
_lock = threading.RLock()


def seed_of(random_state: Any) -> int | None:
    """The seed that scikit-learn's `random_state` stands for; None where nothing is to be repeated.

    A RandomState is asked without being moved, so that the second `fit` repeats the first.

    >>> seed_of(3), seed_of(None)
    (3, None)
    """
    if isinstance(random_state, np.random.RandomState):
        twin = np.random.RandomState()
        twin.set_state(random_state.get_state())
        return int(twin.randint(0, 2**31 - 1))
    return None if random_state is None else int(random_state)


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Inside the `with`, doltap, NumPy and Python draw from this seed; None changes nothing."""
    if seed is None:
        yield
        return
    with _lock, config.keeping_seed():
        ours, theirs = python_random.getstate(), np.random.get_state()
        random.set_random_seed(seed)
        try:
            yield
        finally:
            python_random.setstate(ours)
            np.random.set_state(theirs)
