"""In what precision the library computes, and what it stores.

Arrays keep the type they came in as long as the device has it; layers convert
when they compute.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from doltap import config

__all__ = ["is_float", "standardize"]


def standardize(dtype: Any) -> str:
    """The plain name of a type, whatever it was given as; None means `floatx()`.

    >>> standardize(jnp.float32), standardize("int64"), standardize(None)
    ('float32', 'int64', 'float32')
    """
    if dtype is None:
        return config.floatx()
    return jnp.dtype(dtype).name


def is_float(dtype: Any) -> bool:
    """Whether the type holds real numbers."""
    return bool(jnp.issubdtype(dtype, jnp.floating))
