"""A program that any JAX can run, on any device: StableHLO, as `jax.export` writes it.

To run it: `jax.export.deserialize(bytearray(path.read_bytes())).call(x)`.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import jax
from jax import export

__all__ = ["serialized", "verify"]

# Where it is to run: the machine that writes it need have none of them.
_PLATFORMS = ("cpu", "cuda", "tpu")


def serialized(compute: Callable[[Any], Any], inputs: Any) -> bytes:
    """The bytes of a function of such inputs."""
    return bytes(export.export(jax.jit(compute), platforms=_PLATFORMS)(inputs).serialize())


def verify(path: pathlib.Path) -> None:
    """Read it again, as who loads it will."""
    export.deserialize(bytearray(path.read_bytes()))
