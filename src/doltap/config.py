"""The few switches that hold for the whole process.

Only this file and the registry may keep state at module level; everything
else receives what it needs.
"""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from doltap.errors import UnknownNameError

__all__ = [
    "clear_session",
    "epsilon",
    "floatx",
    "global_seed",
    "next_count",
    "next_name",
    "set_epsilon",
    "set_floatx",
    "set_global_seed",
]

_FLOATS = ("float16", "bfloat16", "float32", "float64")

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "seed": None,
    "made": itertools.count(),
    "names": {},
}


def floatx() -> str:
    """The name of the type in which weights are made, `"float32"` at first.

    >>> floatx()
    'float32'
    """
    return str(_settings["floatx"])


def set_floatx(name: str) -> None:
    """Choose the type of the weights made from now on.

    Args:
        name: "float16", "bfloat16" or "float32". "float64" also needs JAX's own
            `jax_enable_x64`; without it a layer of that type says so.
    """
    if name not in _FLOATS:
        raise UnknownNameError.of("floating-point type", name, _FLOATS)
    _settings["floatx"] = name


def switches() -> tuple[Any, ...]:
    """What a compiled program depends on beside its parts."""
    return _settings["floatx"], _settings["epsilon"]


def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite, 1e-7 as in Keras."""
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Choose the number that `epsilon()` returns."""
    _settings["epsilon"] = float(value)


def global_seed() -> int:
    """The integer from which every model's own seed is made.

    Drawn from the operating system the first time somebody asks, unless
    `doltap.utils.set_random_seed` chose one before.
    """
    if _settings["seed"] is None:
        _settings["seed"] = secrets.randbits(32)
    return int(_settings["seed"])


def set_global_seed(seed: int) -> None:
    """Choose the integer that `global_seed()` returns, and count models anew."""
    _settings["seed"] = int(seed)
    _settings["made"] = itertools.count()


def next_count() -> int:
    """How many models and lone layers asked for a seed before."""
    return next(_settings["made"])


def next_name(stem: str) -> str:
    """The next free automatic name: dense, dense_1, dense_2, as Keras counts."""
    counts = _settings["names"]
    number = counts[stem] = counts.get(stem, -1) + 1
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Count automatic names from the beginning again: the next Dense is "dense"."""
    _settings["names"] = {}
