"""GradientTape: what was computed while it listened, differentiated.

What lies between the sources and the target is computed again as one pure
function, differentiated by JAX and compiled; the compiled function is kept by
its structure, so that a loop compiles once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import nest, recording
from doltap.compat.tensorflow.calls import compiled, is_64_bit
from doltap.compat.tensorflow.recording import Record, scope
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, reading
from doltap.core.tensors import Variable
from doltap.errors import DataError

__all__ = ["GradientTape", "UnconnectedGradients", "gradients_of"]

_log = logging.getLogger("doltap.compat.tensorflow")
# How many compiled gradients are kept.
_KEPT = 64


class UnconnectedGradients:
    """What stands for the gradient of a source on which the target does not depend."""

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Inside the `with` it hears what is computed; `gradient` differentiates that.

    Args:
        persistent: whether it can be asked more than once.
        watch_accessed_variables: whether variables that can be trained are watched by themselves.

    >>> x = as_tensor(3.0)
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    <tf.Tensor: shape=(), dtype=float32, numpy=6.0>
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = bool(persistent)
        self._watches_variables = bool(watch_accessed_variables)
        self._is_open = self._was_used = False
        self._forget()

    def _forget(self) -> None:
        self._records: list[Record] = []
        # The tensors that are watched or made from such, by identity.
        self._known: dict[int, Tensor] = {}
        # What each watched variable was read as.
        self._read: dict[int, list[Tensor]] = {}
        self._variables: dict[int, Variable] = {}

    # Listening.

    def __enter__(self) -> GradientTape:
        self._begin()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._is_open:
            self._end()

    def _begin(self) -> None:
        if self._is_open:
            raise ValueError("Tape is still recording, cannot be entered again.")
        if not self._persistent:
            self._forget()
        self._is_open = True
        scope.tapes.append(self)

    def _end(self) -> None:
        self._is_open = False
        scope.tapes = [tape for tape in scope.tapes if tape is not self]
        if not scope.tapes:
            scope.readings = {}

    def watch(self, tensor: Any) -> None:
        """Follow a tensor, a variable, or several of them in lists and dicts."""
        for one in nest.flatten(tensor):
            if isinstance(one, Variable):
                self._variables[id(one)] = one
                continue
            if is_traced(one) or not isinstance(one, Tensor):
                raise _not_to_be_watched(one)
            if not _is_real(one):
                _log.warning("The dtype of the watched tensor must be floating, got %r.", one.dtype)
            self._known[id(one)] = one

    def hear(self, record: Record) -> None:
        """Keep a record, if it has to do with what is watched."""
        is_known = False
        for tensor in record.inputs:
            if id(tensor) in self._known or (tensor.variable is not None and self._watches(tensor)):
                is_known = True
        if is_known:
            self._records.append(record)
            self._known.update((id(tensor), tensor) for tensor in record.outputs if _is_real(tensor))

    def _watches(self, tensor: Tensor) -> bool:
        """Whether the tensor, which a variable was read as, is watched; from now on it is known."""
        variable = tensor.variable
        assert variable is not None
        if id(variable) not in self._variables:
            if not (self._watches_variables and variable.trainable and _is_real(tensor)):
                return False
            self._variables[id(variable)] = variable
        self._known[id(tensor)] = tensor
        self._read.setdefault(id(variable), []).append(tensor)
        return True

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside the `with`, it does not listen."""
        if not self._is_open:
            raise ValueError("Tape is not recording.")
        before = scope.tapes
        scope.tapes = [tape for tape in before if tape is not self]
        try:
            yield
        finally:
            scope.tapes = before

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._forget()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that are watched, in the order in which they came up."""
        return tuple(self._variables.values())

    # Asking.

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = UnconnectedGradients.NONE,
    ) -> Any:
        """How the target changes with each source, in the structure of the sources.

        Args:
            target: a tensor, or several, whose gradients are added up; of a tensor of many numbers
                that of their sum is taken.
            sources: variables and watched tensors, alone or in lists, tuples and dicts.
            output_gradients: what the gradient of each target starts with; None means 1.
            unconnected_gradients: "none", or "zero" for zeros where the target does not depend on a source.
        """
        self._use()
        targets = [one for one in map(self._as_target, nest.flatten(target)) if one is not None]
        seeds = (
            None if output_gradients is None else [as_tensor(one) for one in nest.flatten(output_gradients)]
        )
        flat = nest.flatten(sources)
        _check_sources(flat)
        found = self._asked("gradient", targets, flat, seeds)
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            found = [_zeros(one) if each is None else each for one, each in zip(flat, found, strict=True)]
        return nest.pack_sequence_as(sources, found)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: str = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """How each number of the target changes with each number of every source: (*target, *source)."""
        self._use()
        flat = nest.flatten(sources)
        _check_sources(flat)
        target = as_tensor(target)
        found = self._asked("jacobian", [target], flat, None)
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            shapes = [(*target.shape, *one.shape) for one in flat]
            found = [
                Tensor(np.zeros(shape, np.float32)) if each is None else each
                for shape, each in zip(shapes, found, strict=True)
            ]
        return nest.pack_sequence_as(sources, found)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: str = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The jacobian of each row of the target by the same row of the source: (batch, *target, *source)."""
        self._use()
        target = as_tensor(target)
        (found,) = self._asked("batch_jacobian", [target], [source], None)
        is_zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"
        if found is None and is_zero:
            return Tensor(np.zeros((*target.shape, *source.shape[1:]), np.float32))
        return found

    def _use(self) -> None:
        if self._was_used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients "
                "(or jacobians): make it with persistent=True."
            )
        self._was_used = True
        if self._is_open and not self._persistent:
            self._end()

    def _as_target(self, value: Any) -> Tensor | None:
        if isinstance(value, Variable):
            read = reading(value)
            self._watches(read)
            return read
        return None if value is None else value if isinstance(value, Tensor) else as_tensor(value)

    def _asked(self, kind: str, targets: list[Tensor], sources: list[Any], seeds: Any) -> list[Any]:
        if not self._persistent:
            records, read = self._records, self._read
        else:
            records, read = list(self._records), self._read
        places: list[list[Tensor]] = [
            list(read.get(id(one), ())) if isinstance(one, Variable) else [one] for one in sources
        ]
        found = gradients_of(kind, records, targets, [one for group in places for one in group], seeds)
        given = iter(found)
        sums = [_sum([next(given) for _ in group]) for group in places]
        if not self._persistent:
            self._records, self._known, self._read = [], {}, {}
        return sums


def _is_real(tensor: Tensor) -> bool:
    return tensor.array.dtype.kind in "fcV"


def _zeros(source: Any) -> Tensor:
    array = source.read() if isinstance(source, Variable) else source.array
    return Tensor(np.zeros(tuple(array.shape), array.dtype))


def _sum(found: list[Any]) -> Any:
    """The sum of what was found for each reading of one variable; None where there is none."""
    known = [each for each in found if each is not None]
    return functools.reduce(lambda a, b: a + b, known) if known else None


def _check_sources(sources: Sequence[Any]) -> None:
    for one in sources:
        if not isinstance(one, (Tensor, Variable)):
            raise DataError(
                "tape.gradient",
                expected="variables or watched tensors as sources",
                got=type(one).__name__,
                fix="Make it one before: x = tf.constant(x), and tape.watch(x) inside the with.",
            )


def _not_to_be_watched(value: Any) -> DataError:
    return DataError(
        "tape.watch",
        expected="a tensor or a variable",
        got=type(value).__name__,
        fix="Make it one before: x = tf.constant(x).",
    )


# From records to a pure function.


class Replay(NamedTuple):
    """A part of what was heard, with tensors as numbers: what tells one compiled gradient from another.

    `steps` holds a call, how it is called, and the places of its inputs and outputs. The places of
    `sources` come first, then those of `constants`.
    """

    kind: str
    steps: tuple[Any, ...]
    num_sources: int
    num_constants: int
    # The places of sources that are computed on the way, from other sources.
    moved: tuple[tuple[int, int], ...]
    targets: tuple[int, ...]
    has_seeds: bool

    def values(self, sources: Sequence[Any], constants: Sequence[Any]) -> list[Any]:
        """The targets, computed from arrays."""
        known: dict[int, Any] = dict(enumerate([*sources, *constants]))
        shifts = dict(self.moved)
        for call, how, inputs, outputs in self.steps:
            found = call.replayed([known[place] for place in inputs], *how)
            for place, value in zip(outputs, found, strict=True):
                # What a source is, less its value, is added: so its own gradient can be told.
                known[place] = value + known[shifts[place]] if place in shifts else value
        return [known[place] for place in self.targets]

    def answer(self, sources: Sequence[Any], constants: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """What is asked for, of each source."""
        values = functools.partial(self.values, constants=constants)
        if self.kind == "jacobian":
            return list(jax.jacrev(lambda given: values(given)[0])(list(sources)))
        if self.kind == "batch_jacobian":
            return [_by_rows(lambda given: values([given])[0], sources[0])]
        targets, pullback = jax.vjp(lambda given: values(given), list(sources))
        starts = [
            jnp.broadcast_to(seed, target.shape).astype(target.dtype)
            for seed, target in zip(seeds or [1.0] * len(targets), targets, strict=True)
        ]
        return list(pullback([jnp.asarray(start) for start in starts])[0])


def _by_rows(function: Callable[[Any], Any], source: Any) -> Any:
    """The jacobian of each row by itself: rows do not know each other."""
    found = jax.jacrev(lambda given: jnp.sum(function(given), 0))(source)
    place = found.ndim - source.ndim
    return jnp.moveaxis(found, place, 0)


@functools.lru_cache(maxsize=_KEPT)
def _compiled(replay: Replay) -> Callable[..., Any]:
    return compiled(lambda *given: replay.answer(*given))


@functools.lru_cache(maxsize=_KEPT)
def _met(replay: Replay) -> Replay:
    return replay


def _program(replay: Replay) -> Callable[..., Any]:
    """What computes a replay: compiled, unless the program asks for another structure every time."""
    asked, met = _compiled.cache_info(), _met.cache_info().hits
    _met(replay)
    is_new = _met.cache_info().hits == met
    return (
        replay.answer if is_new and asked.misses > _KEPT and asked.hits < asked.misses else _compiled(replay)
    )


class _Asking:
    """Asking for gradients as a call of its own, which tapes outside hear."""

    __slots__ = ("replay",)

    def __init__(self, replay: Replay) -> None:
        self.replay = replay

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asking) and self.replay == other.replay

    def __hash__(self) -> int:
        return hash(self.replay)

    def kept(self) -> Any:
        """Nothing: the replay holds everything."""
        return None

    def parted(self, arrays: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """The arrays of the sources, of what is constant, and of what gradients start with."""
        first = self.replay.num_sources
        second = first + self.replay.num_constants
        return list(arrays[:first]), list(arrays[first:second]), list(arrays[second:])

    def replayed(self, arrays: Sequence[Any]) -> list[Any]:
        """The gradients, inside a program."""
        return self.replay.answer(*self.parted(arrays))


def gradients_of(
    kind: str, records: Sequence[Record], targets: Sequence[Tensor], sources: Sequence[Tensor], seeds: Any
) -> list[Tensor | None]:
    """What is asked for, of each source; None for those on which no target depends."""
    kept, depends = _between(records, targets, sources)
    used = [one for one in sources if id(one) in depends]
    goals = [one for one in targets if _is_real(one) and (id(one) in depends)]
    if not used or not goals:
        return [None] * len(sources)
    starts = []
    if seeds is not None:
        starts = [
            seed for seed, one in zip(seeds, targets, strict=True) if any(one is goal for goal in goals)
        ]
    replay, inputs = _laid_out(kind, kept, goals, used, has_seeds=bool(starts))
    asking = _Asking(replay)
    arrays = [one.array for one in (*inputs, *starts)]
    outputs = [Tensor(array) for array in _run(replay, asking, arrays)]
    if scope.tapes:
        recording.heard(asking, (), [*inputs, *starts], outputs)
    given = {id(one): each for one, each in zip(used, outputs, strict=True)}
    return [given.get(id(one)) for one in sources]


def _run(replay: Replay, asking: _Asking, arrays: list[Any]) -> list[Any]:
    parts = asking.parted(arrays)
    if any(isinstance(array, jax.core.Tracer) for array in arrays):
        return replay.answer(*parts)
    try:
        compute = _program(replay)
    except TypeError:  # A call with something that cannot be looked up.
        compute = replay.answer
    if is_64_bit(arrays):
        with jax.enable_x64(True):
            return compute(*parts)
    return compute(*parts)


def _between(
    records: Sequence[Record], targets: Sequence[Tensor], sources: Sequence[Tensor]
) -> tuple[list[Record], set[int]]:
    """The records on the way from sources to targets, and the tensors on it, by identity."""
    reached = {id(one) for one in sources}
    forward = []
    for record in records:
        if any(id(one) in reached for one in record.inputs):
            forward.append(record)
            reached.update(id(one) for one in record.outputs)
    needed = {id(one) for one in targets}
    kept = []
    for record in reversed(forward):
        if any(id(one) in needed for one in record.outputs):
            kept.append(record)
            needed.update(id(one) for one in record.inputs)
    return kept[::-1], reached & needed


def _laid_out(
    kind: str,
    records: Sequence[Record],
    targets: Sequence[Tensor],
    sources: Sequence[Tensor],
    *,
    has_seeds: bool,
) -> tuple[Replay, list[Tensor]]:
    """The records with tensors as numbers, and the tensors that go in."""
    made = {id(one) for record in records for one in record.outputs}
    inputs = [one if id(one) not in made else _nothing_like(one) for one in sources]
    places = {id(one): number for number, one in enumerate(inputs)}
    constants: list[Tensor] = []
    for record in records:
        for one in record.inputs:
            if id(one) not in places and id(one) not in made:
                places[id(one)] = len(inputs) + len(constants)
                constants.append(one)
    for one in targets:
        if id(one) not in places and id(one) not in made:
            places[id(one)] = len(inputs) + len(constants)
            constants.append(one)
    steps = []
    for record in records:
        for one in record.outputs:
            places[id(one)] = len(places)
        into, out = (tuple(places[id(one)] for one in group) for group in (record.inputs, record.outputs))
        steps.append((record.call, _Keyed(record.how), into, out))
    moved = tuple((places[id(one)], number) for number, one in enumerate(sources) if id(one) in made)
    goals = tuple(places[id(one)] for one in targets)
    replay = Replay(kind, tuple(steps), len(inputs), len(constants), moved, goals, has_seeds)
    return replay, [*inputs, *constants]


class _Keyed(tuple):
    """How a call is called, told from another way also where 1 and 1.0 and True are the only difference."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return super().__hash__()


def _nothing_like(tensor: Tensor) -> Tensor:
    return Tensor(np.zeros(tuple(tensor.array.shape), tensor.array.dtype))
