"""Programs are kept by what they compute, not by the model that asked first.

A second model of the same shape compiles nothing. Where user code takes part,
the traced program itself is the key.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import dataclasses
import functools
import hashlib
import math
import operator
import os
import pathlib
import stat
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache

from doltap import config
from doltap.core.explaining import explaining
from doltap.core.graph import Graph, Operation
from doltap.core.layer import Layer
from doltap.core.tensors import Rate, Variable
from doltap.random import SeedGenerator
from doltap.registry import Configured
from doltap.regularizers import Regularizer, factors_of
from doltap.training import eager, mixing
from doltap.training.probes import take_signs
from doltap.training.program import Layout, Recipe, predict_rows, rising_loop, test_loop, train_loop
from doltap.training.stacks import test_members, train_members

__all__ = [
    "ONE_CORE_BELOW",
    "Program",
    "compiled",
    "fingerprint",
    "forget_programs",
    "is_known",
    "known",
    "treats_rows_alone",
]

# What a compiled program holds beside its code, measured on small networks.
_BYTES_PER_PROGRAM = 6 << 20
_JAX_FOLDER = "jax_compilation_cache_dir"
_MEMORY_BYTES = 512 << 20
_DISK_BYTES = 1 << 30
# One program in so many is dropped at once, because what they leave is handed back to the system then.
_PARTS_DROPPED = 10
_JAX_SWITCHES = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_debug_nans",
    "jax_threefry_partitionable",
)
# How small a program JAX keeps on disk: usually, and for us.
_JAX_THRESHOLDS = {
    "jax_persistent_cache_min_compile_time_secs": (1.0, 0.0),
    "jax_persistent_cache_min_entry_size_bytes": (0, -1),
}
# Products of fewer numbers than this run faster on one core than on two.
ONE_CORE_BELOW = 1 << 25
_MANY_MOVED = 1 << 17
_MANY_WEIGHTS = 10

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "train": train_loop,
    "rising": rising_loop,
    "test": test_loop,
    "predict": predict_rows,
    "signs": take_signs,
    "train members": train_members,
    "test members": test_members,
}

_programs: collections.OrderedDict[Hashable, Program] = collections.OrderedDict()
_lock = threading.Lock()
# Whose turn it is to compile a program: members of a population ask for one from several threads.
_turns: weakref.WeakValueDictionary[Hashable, Any] = weakref.WeakValueDictionary()

# Attributes that change no program: names, seeds, where weights start and what they hold.
_UNSEEN = frozenset(
    {
        "name",
        "built",
        "built_for",
        "nodes",
        "_path",
        "_seed",
        "_losses",
        "_batch_input_shape",
        "iterations",
        "_slots",
        "_moved",
        "rates",
    }
)


@dataclasses.dataclass
class Program:
    """A compiled program and how fast it was last seen to run.

    Args:
        calls_python: whether it calls code of the user's while it runs.
    """

    executable: Any
    seconds_per_step: float | None = None
    calls_python: bool = False


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
        return _seen(thing, {})
    except _UnknownCodeError:
        return None


def _seen(thing: Any, met: dict[Variable, int]) -> Hashable:
    """`met` numbers the variables, so that one in two places differs from two."""
    if thing is None or isinstance(thing, (bool, int, float, str, bytes)):
        return thing
    if isinstance(thing, Rate):
        return ("rate", met.setdefault(thing, len(met)), thing.is_zero)
    if isinstance(thing, Variable):
        cost = thing.regularizer and _seen_cost(thing.regularizer, "", met)
        aspects = (cost, _seen(thing.constraint, met))
        number = met.setdefault(thing, len(met))
        return ("variable", number, thing.shape, thing.dtype, thing.trainable, thing.autocast, aspects)
    if isinstance(thing, (list, tuple)):
        return (type(thing).__name__, *(_seen(item, met) for item in thing))
    if isinstance(thing, dict):
        return ("dict", *((key, _seen(value, met)) for key, value in thing.items()))
    if isinstance(thing, (Graph, Operation, slice)):
        return _seen_call(thing, met)
    if thing is Ellipsis or thing is jnp.astype or _is_operator(thing):
        return str(thing)
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
    parts = vars(thing)
    if isinstance(thing, Layer) and thing.deciding:
        parts = {key: getattr(thing, key) for key in thing.deciding}
    return (
        type(thing).__qualname__,
        *(
            (key, (_seen_cost(value, key, met) if isinstance(value, Regularizer) else _seen(value, met)))
            for key, value in parts.items()
            if key not in _UNSEEN and not key.endswith("_initializer")
        ),
    )


def _seen_cost(thing: Any, key: str, met: dict[Variable, int]) -> Hashable:
    """A regularizer; of one that is for weights a program takes the factors when it runs."""
    factors = {} if key == "activity_regularizer" else factors_of(thing)
    return (type(thing).__qualname__, *factors) if factors else _seen(thing, met)


def _seen_call(thing: Graph | Operation | slice, met: dict[Variable, int]) -> Hashable:
    """A network, or what stands in one beside its layers."""
    if isinstance(thing, Graph):
        return _seen(thing.plan(), met)
    if isinstance(thing, Operation):
        return ("operation", _seen(thing.function, met))
    return ("slice", thing.start, thing.stop, thing.step)


def _is_operator(thing: Any) -> bool:
    """Whether it is what a symbolic tensor records for +, -, [] and the like."""
    return isinstance(thing, types.BuiltinFunctionType) and thing.__module__ == operator.add.__module__


def _is_ours(thing: Any) -> bool:
    if isinstance(thing, types.FunctionType):
        # A user's function may wear the name of one of ours: functools.wraps puts it on.
        home = sys.modules.get(thing.__module__ or "")
        return (
            home.__name__.startswith("doltap.") and getattr(home, thing.__qualname__, None) is thing
            if home
            else False
        )
    return isinstance(thing, Configured) and type(thing).__module__.startswith("doltap.")


def treats_rows_alone(recipe: Recipe) -> bool:
    """Whether a row's result is known not to depend on the other rows of its batch."""
    network = recipe.network
    things: list[Any] = [network, *network.inside(Layer)]
    things += [*(loss for loss in recipe.losses if loss), *recipe.measures]
    makes_masks = any(type(layer).compute_mask is not Layer.compute_mask for layer in network.inside(Layer))
    # What the optimizer does comes after the rows were brought together.
    knows_all = not makes_masks and fingerprint([*recipe.parts[:4], *recipe.parts[5:]]) is not None
    calls = [node for graph in network.inside(Graph) for node in graph.nodes]
    return (
        knows_all
        and all(thing.rows_are_independent for thing in things)
        and all(mixing.keeps_rows_apart(node) for node in calls)
    )


def known(recipe: Recipe, kind: str, layout: Layout | None, arguments: tuple[Any, ...]) -> Program:
    """As `compiled`, remembered by the recipe, so that asking again costs a look-up.

    Only the data and the layout can differ from one call to the next, and
    whether a rate is 0.
    """
    data = arguments[-1] if kind == "predict" else arguments[1].data
    arrays, structure = ([data], None) if isinstance(data, np.ndarray) else jax.tree.flatten(data)
    shapes = [(array.shape, array.dtype) for array in arrays]
    key = (kind, layout, structure, *shapes, *(rate.is_zero for rate in recipe.rates))
    program = recipe.programs.get(key)
    if program is None:
        program = recipe.programs[key] = compiled(recipe, kind, layout, arguments)
        recipe.programs[kind, layout] = program
    return program


def is_known(recipe: Recipe, kind: str, arguments: tuple[Any, ...]) -> bool:
    """Whether the program of a kind without a layout is at hand, so that nobody waits for a compiler."""
    parts = None if recipe.own_step or recipe.is_eager else fingerprint(recipe.parts)
    return parts is not None and _kept(("parts", parts, (kind, None, *_setting(arguments)))) is not None


def compiled(recipe: Recipe, kind: str, layout: Layout | None, arguments: tuple[Any, ...]) -> Program:
    """The program for these parts, compiled unless one that computes the same is at hand.

    Args:
        kind: "train", "rising", "test", "predict" or "signs"; "train members" and "test members" of many.
        layout: the shape of the work; None for "predict" and "signs".
        arguments: arrays of the shapes and types it will be called with. The first
            is the state, whose memory a training program reuses.
    """
    function = _FUNCTIONS[kind]
    parted = (
        functools.partial(function, recipe) if layout is None else functools.partial(function, recipe, layout)
    )
    functools.update_wrapper(parted, function)
    if recipe.is_eager:
        return Program(eager.bare(parted))
    parts = None if recipe.own_step else fingerprint(recipe.parts)
    setting = (kind, layout, *_setting(arguments))
    key: Hashable = ("parts", parts, setting)
    program = None if parts is None else _kept(key)
    if program is not None:
        return program
    use_disk_cache()
    with _lock:
        turn = _turns.setdefault(key, threading.Lock())
    with turn:
        program = None if parts is None else _kept(key)
        if program is not None:
            return program
        # Only code of the user's own can ask for what it may not have.
        what = f"the {kind} step of model '{recipe.network.name}'"
        with explaining(what) if parts is None else contextlib.nullcontext():
            traced = jax.jit(parted, donate_argnums=(0,) if kind.startswith("train") else ()).lower(
                *arguments
            )
        options = _compiler_options(recipe, kind, layout)
        if parts is None:
            text = traced.as_text()
            if "callback" in text:  # The text of a call back into Python does not say what it calls.
                return Program(_compile(traced, function.__name__, options), calls_python=True)
            key = ("text", hashlib.sha256(text.encode()).digest(), traced.out_tree, setting)
            program = _kept(key)
        return program or _keep(key, Program(_compile(traced, function.__name__, options)))


def _setting(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a program depends on beside its parts: shapes, types, and the switches of the process."""
    leaves, structure = jax.tree.flatten(arguments)
    shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
    switches = tuple(getattr(jax.config, switch) for switch in _JAX_SWITCHES)
    return (structure, shapes, jax.default_backend(), switches, config.switches())


def _compile(lowered: Any, name: str, options: dict[str, Any]) -> Any:
    """The executable. Entries on disk that turn out to be damaged are deleted, without a word."""
    with _said.heard(name) if getattr(jax.config, _JAX_FOLDER) is not None else contextlib.nullcontext():
        try:
            return lowered.compile(compiler_options=options)
        except jax.errors.JaxRuntimeError as error:
            # The options only save time; a compiler that has dropped one goes without.
            if "No such compile option" not in str(error):
                raise
            return lowered.compile()


class _Said:
    """What JAX says while programs are compiled, by several threads at once perhaps.

    Warnings are caught for the whole process; so the first thread begins to, and the last one ends.
    """

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0
        self._names: set[str] = set()
        self._stack = contextlib.ExitStack()
        self._caught: list[warnings.WarningMessage] = []

    @contextlib.contextmanager
    def heard(self, name: str) -> Iterator[None]:
        """While the program of that name is compiled."""
        with self._lock:
            if not self._count:
                self._caught = self._stack.enter_context(warnings.catch_warnings(record=True))
                warnings.simplefilter("always")
            self._count += 1
            self._names.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                if not self._count:
                    self._end()

    def _end(self) -> None:
        names, self._names = self._names, set()
        self._stack.close()
        for warning in self._caught:
            if "persistent compilation cache" in str(warning.message):
                for name in names:
                    _delete_entries(f"jit_{name}-")
            else:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


_said = _Said()


def _delete_entries(start: str) -> None:
    folder = getattr(jax.config, _JAX_FOLDER)
    for path in pathlib.Path(folder).glob(f"{start}*") if folder else ():
        path.unlink(missing_ok=True)


def _compiler_options(recipe: Recipe, kind: str, layout: Layout | None) -> dict[str, Any]:
    if jax.default_backend() != "cpu":
        return {}
    if kind == "signs":
        # What runs a few times in a fit: compiled in a third of the time, and half again as slow.
        return {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    rows = layout.rows if layout else 1
    sizes = [math.prod(weight.shape) for weight in recipe.weights]
    slots = [math.prod(slot.shape) for group in recipe.slots for slot in group.values()]
    moved = sum(sizes) + sum(slots) if recipe.optimizer else 0
    # XLA's newer code generator compiles short programs half as fast; its loops pay that
    # back where an update has many numbers to move. Long programs it compiles faster.
    return {
        "xla_cpu_multi_thread_eigen": rows * max(sizes, default=1) >= ONE_CORE_BELOW,
        "xla_cpu_use_fusion_emitters": moved >= _MANY_MOVED or len(sizes) > _MANY_WEIGHTS,
    }


def _kept(key: Hashable) -> Program | None:
    with _lock:
        program = _programs.get(key)
        if program is not None:
            _programs.move_to_end(key)
        return program


def _keep(key: Hashable, program: Program) -> Program:
    most, dropped = _MEMORY_BYTES // _BYTES_PER_PROGRAM, []
    with _lock:
        _programs[key] = program
        if len(_programs) > most:
            dropped = [_programs.popitem(last=False) for _ in range(1 + most // _PARTS_DROPPED)]
    if dropped:
        dropped.clear()
        _give_back()
    return program


def _give_back() -> None:
    """Hand memory that lies free between other pieces back to the system, where the C library can."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


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
        for switch, (usual, ours) in _JAX_THRESHOLDS.items():
            if getattr(jax.config, switch) == usual:
                jax.config.update(switch, ours)
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
        # Whoever names a folder of his own has other files in it.
        if entry.is_file(follow_symlinks=False) and entry.name.endswith(("-cache", "-atime")):
            facts = entry.stat(follow_symlinks=False)
            found.append((facts.st_mtime, facts.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        total -= size
        pathlib.Path(path).unlink(missing_ok=True)
