"""The few switches that hold for the whole process.

Only this file, `dtypes` below it and the registry may keep state at module
level; everything else receives what it needs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from typing import Any

from doltap import doors, dtypes
from doltap.dtypes import dtype_policy, floatx, set_dtype_policy, set_floatx
from doltap.errors import NotSupportedError, UnknownNameError
from doltap.registry import explained

__all__ = [
    "allow_nan",
    "allows_nan",
    "backend",
    "chosen_seed",
    "clear_session",
    "counts",
    "disable_traceback_filtering",
    "dtype_policy",
    "epsilon",
    "floatx",
    "global_seed",
    "image_data_format",
    "keeping_seed",
    "is_traceback_filtering_enabled",
    "next_count",
    "next_draw",
    "next_name",
    "set_backend",
    "set_counts",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_global_seed",
    "set_image_data_format",
]


class _Count:
    """Numbers from 0, each given once, to several threads too."""

    def __init__(self, so_far: int = 0) -> None:
        self.so_far, self._lock = so_far, threading.Lock()

    def next(self) -> int:
        with self._lock:
            self.so_far += 1
            return self.so_far - 1


_settings: dict[str, Any] = {
    "epsilon": 1e-7,
    "nan": False,
    "seed": None,
    "chosen": False,
    "made": _Count(),
    "drawn": _Count(),
    "names": {},
}


def switches() -> tuple[Any, ...]:
    """What a compiled program depends on beside its parts."""
    return floatx(), _settings["epsilon"]


def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite, 1e-7 as in Keras."""
    return float(_settings["epsilon"])


@explained
def set_epsilon(value: float) -> None:
    """Choose the number that `epsilon()` returns."""
    _settings["epsilon"] = float(value)


def allow_nan(allowed: bool = True) -> None:
    """Let NaN and infinity in the data pass, for a model or a loss that handles them."""
    _settings["nan"] = bool(allowed)


def allows_nan() -> bool:
    """Whether NaN and infinity in the data pass; otherwise they are an error before any training."""
    return bool(_settings["nan"])


def backend() -> str:
    """The library that computes: always "jax"."""
    return "jax"


@explained
def set_backend(backend: str) -> None:
    """Say for what the next lines are written, "jax" or "tensorflow"; it is JAX that computes."""
    if backend == "torch":
        raise NotSupportedError(
            "set_backend",
            expected="'jax' or 'tensorflow'",
            got="'torch'",
            fix="Leave the training to fit, or write its steps with jax.grad or tf.GradientTape.",
        )
    if backend not in ("jax", "tensorflow"):
        raise UnknownNameError.of("backend", backend, ("jax", "tensorflow"))
    # Where Keras keeps it.
    os.environ["KERAS_BACKEND"] = backend


def image_data_format() -> str:
    """Where images have their channels: always "channels_last"."""
    return "channels_last"


@explained
def set_image_data_format(data_format: str) -> None:
    """Nothing for "channels_last"; anything else is an error."""
    if data_format == "channels_first":
        raise NotSupportedError(
            "set_image_data_format",
            expected="'channels_last'",
            got=repr(data_format),
            fix="Move the axis: np.moveaxis(images, 1, -1).",
        )
    if data_format != "channels_last":
        raise UnknownNameError.of("image data format", data_format, ("channels_last",))


def disable_traceback_filtering() -> None:
    """Nothing: doltap never shortens a traceback."""


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks are shortened: never."""
    return False


def global_seed() -> int:
    """The integer from which every model's own seed is made.

    Drawn from the operating system the first time somebody asks, unless
    `doltap.utils.set_random_seed` chose one before.
    """
    if _settings["seed"] is None:
        _settings["seed"] = secrets.randbits(32)
    return int(_settings["seed"])


def chosen_seed() -> int | None:
    """The integer that somebody chose with `set_random_seed`; None where nobody did."""
    return global_seed() if _settings["chosen"] else None


def set_global_seed(seed: int) -> None:
    """Choose the integer that `global_seed()` returns, and count models anew."""
    _settings["seed"], _settings["chosen"] = int(seed), True
    set_counts(0, 0)


@contextlib.contextmanager
def keeping_seed() -> Iterator[None]:
    """After the `with`, the global seed and the counts that go with it are what they were before."""
    kept = {name: _settings[name] for name in ("seed", "chosen", "made", "drawn")}
    try:
        yield
    finally:
        _settings.update(kept)


def next_count() -> int:
    """How many models and lone layers asked for a seed before."""
    return int(_settings["made"].next())


def next_draw() -> int:
    """How many times somebody drew random numbers without a seed of their own before."""
    return int(_settings["drawn"].next())


def counts() -> tuple[int, int]:
    """How many models and lone layers asked for a seed so far, and how often somebody drew."""
    return _settings["made"].so_far, _settings["drawn"].so_far


def set_counts(made: int, drawn: int) -> None:
    """Count on from here, as after the work that a resumed run need not do again."""
    _settings["made"], _settings["drawn"] = _Count(made), _Count(drawn)


def next_name(stem: str) -> str:
    """The next free automatic name: dense, dense_1, dense_2, as Keras counts."""
    counts = _settings["names"]
    number = counts[stem] = counts.get(stem, -1) + 1
    return f"{stem}_{number}" if number else stem


@explained
def clear_session(free_memory: bool = True) -> None:
    """Count automatic names from the beginning again, and forget the policy that was chosen.

    The next Dense is "dense", and computes in `floatx()`.

    Args:
        free_memory: accepted and not needed: nothing is kept for old models.
    """
    _settings["names"] = {}
    dtypes.forget_policy()


doors.guard(__name__)
