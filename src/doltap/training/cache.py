"""Programs are kept by what they compute, not by the model that asked first.

A second model of the same shape compiles nothing. Where user code takes part,
the traced program itself is the key.
"""

from __future__ import annotations

import collections
import hashlib
import math
import os
import pathlib
import stat
import sys
import threading
import types
import warnings
from collections.abc import Callable, Hashable
from typing import Any

import jax
import numpy as np
from jax.experimental.compilation_cache import compilation_cache

from doltap.core.layer import Layer
from doltap.core.tensors import Rate, Variable
from doltap.random import SeedGenerator
from doltap.registry import Configured
from doltap.training.program import Recipe

__all__ = ["Program", "compiled", "fingerprint", "forget_programs", "known", "pace", "treats_rows_alone"]

# What a compiled program holds beside its code, measured on small networks.
_BYTES_PER_PROGRAM = 6 << 20
_JAX_FOLDER = "jax_compilation_cache_dir"
_MEMORY_BYTES = 512 << 20
_DISK_BYTES = 1 << 30
# Products of fewer numbers than this run faster on one core than on two.
_ONE_CORE_BELOW = 1 << 25

_programs: collections.OrderedDict[Hashable, Program] = collections.OrderedDict()
_lock = threading.Lock()

# Attributes that change no program: names, seeds, where weights start and what they hold.
_UNSEEN = frozenset({"name", "built", "_seed", "_batch_input_shape", "iterations", "_slots", "_moved"})


class Program:
    """A compiled program and how fast it was last seen to run."""

    def __init__(self, executable: Any) -> None:
        self.executable = executable
        self.seconds_per_step: float | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.executable(*arguments)


class _UnknownCodeError(Exception):
    """Something of the user's own takes part."""


def fingerprint(thing: Any) -> Hashable | None:
    """What an object computes, as a hashable value; None where user code decides.

    >>> from doltap.layers import Dense
    >>> fingerprint(Dense(3, name="a")) == fingerprint(Dense(3, name="b"))
    True
    >>> fingerprint(Dense(3, activation=lambda x: x)) is None
    True
    """
    try:
        return _seen(thing)
    except _UnknownCodeError:
        return None


def _seen(thing: Any) -> Hashable:
    if thing is None or isinstance(thing, (bool, int, float, str, bytes)):
        return thing
    if isinstance(thing, Rate):
        return ("rate", thing.is_zero)
    if isinstance(thing, Variable):
        return ("variable", thing.shape, thing.dtype, thing.trainable)
    if isinstance(thing, (list, tuple)):
        return (type(thing).__name__, *(_seen(item) for item in thing))
    if isinstance(thing, dict):
        return ("dict", *((key, _seen(value)) for key, value in thing.items()))
    if isinstance(thing, SeedGenerator):
        return ("seed", thing.position, thing.seed)
    if isinstance(thing, (np.dtype, np.generic)):
        return str(thing)
    if isinstance(thing, np.ndarray):
        return ("array", thing.shape, thing.dtype.str, thing.tobytes())
    if not _is_ours(thing):
        raise _UnknownCodeError
    if isinstance(thing, types.FunctionType):
        return (thing.__module__, thing.__qualname__)
    parts = thing.parts() if isinstance(thing, Layer) else vars(thing)
    attributes = ((key, value) for key, value in parts.items() if not _is_unseen(key))
    return (type(thing).__qualname__, *((key, _seen(value)) for key, value in attributes))


def _is_unseen(attribute: str) -> bool:
    return attribute in _UNSEEN or attribute.endswith("_initializer")


def _is_ours(thing: Any) -> bool:
    if isinstance(thing, types.FunctionType):
        return thing.__module__.startswith("doltap.") and "<" not in thing.__qualname__
    return isinstance(thing, Configured) and type(thing).__module__.startswith("doltap.")


def _parts(recipe: Recipe) -> list[Any]:
    return [recipe.network, recipe.loss, recipe.metrics, recipe.optimizer]


def treats_rows_alone(recipe: Recipe) -> bool:
    """Whether a row's result is known not to depend on the other rows of its batch."""
    return fingerprint(_parts(recipe)) is not None and _alone(recipe.network)


def _alone(layer: Layer) -> bool:
    return layer.rows_are_independent and all(_alone(inside) for inside in layer.children())


def compiled(
    kind: str, recipe: Recipe, detail: Hashable, make: Callable[[], Any], arguments: tuple[Any, ...]
) -> Program:
    """The program for these parts and arguments, compiled unless one that computes the same is at hand.

    Args:
        kind: what it does: "train", "test", "predict".
        detail: whatever else the program depends on.
        make: gives the pure function; called only when it has to be traced.
        arguments: arrays of the shapes and types it will be called with. The first
            is the state, whose memory a training program may reuse.
    """
    options = _compiler_options(recipe, detail)
    parts = fingerprint(_parts(recipe))
    avals = jax.tree.map(_aval, arguments)
    leaves, structure = jax.tree.flatten(
        avals, is_leaf=lambda leaf: isinstance(leaf, tuple) and leaf[:1] == ("aval",)
    )
    setting = (
        kind,
        detail,
        tuple(leaves),
        structure,
        jax.default_backend(),
        tuple(options.items()),
        _jax_switches(),
    )
    key: Hashable = None if parts is None else ("parts", parts, setting)
    program = _kept(key)
    if program is not None:
        return program
    use_disk_cache()
    donated = (0,) if kind == "train" else ()
    lowered = jax.jit(make(), donate_argnums=donated, compiler_options=options).lower(*arguments)
    if key is None:
        key = ("text", hashlib.sha256(lowered.as_text().encode()).digest(), setting)
        program = _kept(key)
    return program or _keep(key, Program(_compile(lowered, kind)))


def _compile(lowered: Any, kind: str) -> Any:
    """The executable. Entries on disk that turn out to be damaged are deleted, without a word."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        executable = lowered.compile()
    for warning in said:
        if "persistent compilation cache" in str(warning.message):
            _delete_entries(f"jit_{kind}_")
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return executable


def _delete_entries(start: str) -> None:
    folder = getattr(jax.config, _JAX_FOLDER)
    for path in pathlib.Path(folder).glob(f"{start}*") if folder else ():
        path.unlink(missing_ok=True)


def known(
    recipe: Recipe, kind: str, detail: Hashable, make: Callable[[], Any], arguments: tuple[Any, ...]
) -> Program:
    """As `compiled`, remembered by the recipe, so that asking again costs a look-up.

    Only the shapes of the data can differ from one call to the next.
    """
    data = arguments[-1] if kind == "predict" else arguments[1].data
    arrays = [data] if kind == "predict" else data
    shapes = tuple(None if array is None else (array.shape, array.dtype) for array in arrays)
    key = (kind, detail, shapes)
    program = recipe.programs.get(key)
    if program is None:
        program = recipe.programs[key] = compiled(kind, recipe, detail, make, arguments)
        recipe.programs[kind, detail] = program
    return program


def pace(recipe: Recipe, kind: str, detail: Hashable) -> float | None:
    """Seconds a step of the program took when it last ran, or None if nobody knows."""
    program = recipe.programs.get((kind, detail))
    return program.seconds_per_step if program else None


def _aval(array: Any) -> tuple[Any, ...]:
    return ("aval", tuple(np.shape(array)), str(array.dtype))


def _jax_switches() -> tuple[Any, ...]:
    """The switches of JAX that change what a program computes."""
    switches = ("jax_enable_x64", "jax_default_matmul_precision", "jax_debug_nans")
    return tuple(getattr(jax.config, switch) for switch in switches)


def _compiler_options(recipe: Recipe, detail: Any) -> dict[str, Any]:
    if jax.default_backend() != "cpu":
        return {}
    rows = getattr(detail, "rows", 1)
    largest = max((math.prod(weight.shape) for weight in recipe.weights), default=1)
    return {"xla_cpu_multi_thread_eigen": rows * largest >= _ONE_CORE_BELOW}


def _kept(key: Hashable) -> Program | None:
    with _lock:
        program = _programs.get(key)
        if program is not None:
            _programs.move_to_end(key)
        return program


def _keep(key: Hashable, program: Program) -> Program:
    with _lock:
        _programs[key] = program
        while len(_programs) * _BYTES_PER_PROGRAM > _MEMORY_BYTES:
            _programs.popitem(last=False)
        return program


def forget_programs() -> None:
    """Drop every compiled program from memory; those on disk stay."""
    with _lock:
        _programs.clear()


def use_disk_cache() -> None:
    """Let JAX keep compiled programs in a folder of the user's own, unless JAX was told otherwise.

    `DOLTAP_CACHE=off` keeps nothing; `DOLTAP_CACHE=folder` chooses the folder.
    """
    wanted = os.environ.get("DOLTAP_CACHE", "")
    told = getattr(jax.config, _JAX_FOLDER) is not None or "JAX_COMPILATION_CACHE_DIR" in os.environ
    if told or wanted == "off":
        return
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(wanted) if wanted else pathlib.Path(home) / "doltap" / "programs"
    if _make_private(folder):
        _trim(folder, _DISK_BYTES)
        jax.config.update(_JAX_FOLDER, str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        # JAX decides at its first compilation, which may lie behind us, whether there is a cache.
        compilation_cache.reset_cache()


def _make_private(folder: pathlib.Path) -> bool:
    """Whether the folder is ours alone. A program is code: nobody else may put one there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return False
    if sys.platform == "win32":
        return True
    is_private = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077
    return is_private and os.access(folder, os.W_OK)


def _trim(folder: pathlib.Path, limit: int) -> None:
    """Delete the programs that were not used for longest, down to the limit."""
    found = []
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False):
            facts = entry.stat(follow_symlinks=False)
            found.append((facts.st_mtime, facts.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        total -= size
        pathlib.Path(path).unlink(missing_ok=True)
