"""Why a loss is no finite number: the last calls are made again, and the step looked at.

Nothing of it is written back: the Variables, the programs and the random
numbers of the training are as if nobody had looked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from doltap import config
from doltap.core.tensors import Variable, naming, place
from doltap.errors import printable
from doltap.training import causes
from doltap.training.batches import Layout
from doltap.training.program import Given, Recipe, State, rows_in_order
from doltap.training.tracking import Operation, Plan, Source, Track, is_finite
from doltap.training.wording import Say, listed, sayer

__all__ = ["EAGER", "IN_SEARCH", "SIDE_BY_SIDE", "Call", "Trail", "message"]

# Why a step is not made again, as `wording` tells it.
EAGER, IN_SEARCH, SIDE_BY_SIDE = "eager", "in_search", "side_by_side"
_LAYER = "doltap-layer-"
# Where files of doltap lie.
_HOME = str(pathlib.Path(__file__).parents[1])
# Inputs beyond this are not scaled.
_LARGE_INPUT = 1000.0


class Call(NamedTuple):
    """One call of a training program, as it can be made again.

    Args:
        given: what it received; its data may be a function that gives the data.
        rows: the row numbers in `x`, in the order of the steps; None where nobody numbered them.
        place: epoch, and batch in it, of the step `start`.
    """

    program: Any
    layout: Layout
    given: Given
    order: Any
    start: int
    stop: int
    rows: np.ndarray | None
    place: tuple[int, int]

    @property
    def received(self) -> Given:
        """What it received, with the data at hand."""
        return self.given._replace(data=self.given.data()) if callable(self.given.data) else self.given


class Trail(NamedTuple):
    """The leaves of a state, as NumPy arrays, its structure, and the calls that were made from there on."""

    leaves: list[np.ndarray]
    structure: Any
    calls: list[Call]

    @property
    def state(self) -> State:
        """The state at the beginning."""
        state: State = jax.tree.unflatten(self.structure, self.leaves)
        return state


@dataclasses.dataclass(frozen=True)
class _Origin:
    """Where it began.

    Args:
        place: epoch and step, from 0; None where that is not known.
        tensor: what was not finite, in words.
        is_particular: whether the cure is one of just this.
    """

    place: tuple[int, int] | None
    tensor: str
    cause: str = ""
    line: tuple[str, int] | None = None
    rows: str = ""
    cure: str = ""
    is_particular: bool = False


class _NotReplayedError(Exception):
    """Says why the last call cannot be made again, by a word of `wording`."""


def warn(training: Any, at: tuple[int, int]) -> None:
    """Say it to the program: of the line that began the training, not of one of ours."""
    text, frame, depth = message(training, at), sys._getframe(0), 1
    for language in training.explained:
        with contextlib.suppress(Exception):  # The warning has said why it is not known.
            training.explained[language] = _explained(training, at, sayer(language))
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HOME):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, stacklevel=depth)


def message(training: Any, at: tuple[int, int]) -> str:
    """What happened to the loss, where it began, and what to do.

    Args:
        training: what has just run a call (`loop.Training`); its loss is not finite since the step at `at`.
        at: epoch and step, from 0.
    """
    recipe, say = training.recipe, sayer()
    goes_on = all(is_finite(weight.array) for weight in recipe.weights)
    whose = "" if training.member is None else say("member", number=training.member)
    follows = say("goes_on" if goes_on else "is_over")
    head = say("head", whose=whose, epoch=at[0] + 1, step=at[1] + 1, follows=follows)
    cure = _usual_cure(recipe, None, say)
    try:
        origin = _origin(training, say)
        found, cure = _told(origin, at, say), origin.cure or cure
    except _NotReplayedError as reason:
        found = say("not_known", why=say(str(reason)))
    except Exception as error:  # Whatever it is, training is not to end because of it.
        found = say("not_known", why=say("ended_in", error=type(error).__name__))
    return f"{head} {found} {cure}. {say('ends_here' if training.halts else 'go_on')}"


def _explained(training: Any, at: tuple[int, int], say: Say) -> tuple[str, str]:
    """Where it began, and the cure; which is empty where it is the usual one."""
    origin = _origin(training, say)
    return _told(origin, at, say), f"{origin.cure}." if origin.is_particular else ""


def _told(origin: _Origin, at: tuple[int, int], say: Say) -> str:
    when = ""
    if origin.place is None:
        when = say("before")
    elif origin.place != at:
        when = say("in", epoch=origin.place[0] + 1, step=origin.place[1] + 1)
    details = f" ({say('line', file=origin.line[0], number=origin.line[1])})" if origin.line else ""
    cause = f": {origin.cause}{details}" if origin.cause else details
    rows = f", {origin.rows}" if origin.rows else ""
    return say("began", when=when, tensor=origin.tensor, rows=rows, cause=cause)


def _usual_cure(recipe: Recipe, batch_x: Any, say: Say) -> str:
    """What helps where numbers grow too large."""
    assert recipe.optimizer is not None
    rate = _number(recipe.optimizer.learning_rate)
    lower = say("lower") if rate is None else say("lower_from", rate=rate)
    largest = max((_largest(leaf) for leaf in jax.tree.leaves(batch_x)), default=0.0)
    scale = say("scale_from", largest=largest) if largest > _LARGE_INPUT else say("scale")
    return say("usual", lower=lower, scale=scale)


def _number(rate: Any) -> float | None:
    try:
        return float(np.asarray(rate.read() if isinstance(rate, Variable) else rate))
    except (TypeError, ValueError):
        return None


def _largest(array: Any) -> float:
    values = np.asarray(array)
    return float(np.abs(values.astype(np.float64)).max()) if values.size else 0.0


# Which step it was.


def _origin(training: Any, say: Say) -> _Origin:
    """Where it began, found by making the calls again."""
    trail, last = training.trail, training.first_not_finite
    if training.unreplayed:
        raise _NotReplayedError(training.unreplayed)
    if trail is None or not trail.calls:
        raise _NotReplayedError("no_copy")
    if any(call.program.calls_python for call in trail.calls):
        raise _NotReplayedError("calls_python")
    call, step, state = _first_bad_step(trail, last)
    return _Step(training, call, step, state, say).origin()


def _first_bad_step(trail: Trail, last: int) -> tuple[Call, int, State]:
    """The step that first left something that is not finite, its call, and the state before it.

    Args:
        last: the step of the last call after which the loss was not finite: it is this one at the latest.
    """
    state, calls = trail.state, trail.calls
    known = {place for place, leaf in enumerate(_moved(state)) if not is_finite(leaf)}
    for call in calls:
        high = last if call is calls[-1] else call.stop
        after = _run(call, state, call.start, high)
        if _is_clean(after, known):
            state = after
            continue
        low = call.start
        while high - low > 1:
            middle = (low + high) // 2
            after = _run(call, state, low, middle)
            if _is_clean(after, known):
                low, state = middle, after
            else:
                high = middle
        return call, low, state
    return calls[-1], last, state


def _run(call: Call, state: State, start: int, stop: int) -> State:
    """The state after some steps of the call, by the program that made them the first time."""
    if start == stop:
        return state
    carried = jax.tree.map(place, state)
    arguments = (carried, call.received, call.order, np.int32(start), np.int32(stop))
    return jax.tree.map(np.array, call.program.executable(*arguments)[0])


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """What code of the user's draws and counts in the `with` is as if it had not run."""
    drawn, states = np.random.get_state(), random.getstate()
    with config.keeping_seed():
        try:
            yield
        finally:
            np.random.set_state(drawn)
            random.setstate(states)


def _moved(state: State) -> list[Any]:
    return jax.tree.leaves((state.weights, state.fixed, state.slots))


def _is_clean(state: State, known: set[int]) -> bool:
    """Whether all is finite that was so in the beginning."""
    return all(number in known or is_finite(leaf) for number, leaf in enumerate(_moved(state)))


# What it was.


class _Step:
    """One step, traced and done operation by operation.

    Args:
        number: which step of the call.
        state: before it.
    """

    def __init__(self, training: Any, call: Call, number: int, state: State, say: Say) -> None:
        self._say = say
        self._training, self._recipe, self._call, self._number = training, training.recipe, call, number
        self._state, self._layers = state, list[Any]()
        self._given = call.received
        arguments = (state, self._given, np.asarray(call.order), np.int32(number))
        with naming(self._name), _undisturbed():
            closed, results = jax.make_jaxpr(self._step, return_shape=True)(*arguments)
        self._plan = Plan(closed)
        self._results = jax.tree.unflatten(jax.tree.structure(results), self._plan.outputs)
        self._arguments = arguments
        paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(arguments)]
        self._labels = [_label(path, self._recipe, say) for path in paths]
        self._kinds = [str((*_keys(path), "", "")[1]) for path in paths]

    def _step(self, state: State, given: Given, order: Any, number: Any) -> tuple[State, Any, Any]:
        recipe = self._recipe
        batch = rows_in_order(self._call.layout, given, order, number)
        alone = state._replace(totals=recipe.cleared(state.totals))
        after, line = recipe.step(alone, given, batch)
        return after, line[recipe.names.index("loss")], batch.x

    def _name(self, layer: Any) -> str:
        self._layers.append(layer)
        return f"{_LAYER}{len(self._layers) - 1}"

    def origin(self) -> _Origin:
        """What was not finite first in this step."""
        after, loss, batch_x = self._results
        is_last = self._call is self._training.trail.calls[-1]
        inputs = jax.tree.leaves(batch_x)
        if is_last and self._number == self._training.first_not_finite:
            track = self._tracked([loss, *inputs])
            if track.is_bad(loss):
                return self._described(track, loss, None)
        moved = _moved(after)
        track = self._tracked([*moved, *inputs])
        bad = [number for number in moved if track.is_bad(number)]
        if not bad:
            return self._overflow_of_the_mean()
        weights = [number for number in bad if number in moved[: len(self._recipe.weights)]]
        # Gradients reach the last layers first: of several with one source it is the last.
        chosen = min(reversed(weights or bad), key=lambda number: min(track.way_from(number)))
        return self._described(track, chosen, self._moved_names()[moved.index(chosen)])

    def _tracked(self, wanted: Sequence[int]) -> Track:
        leaves = jax.tree.leaves(self._arguments)
        return Track(self._plan, leaves, wanted, self._call.layout.rows)

    def _overflow_of_the_mean(self) -> _Origin:
        if not is_finite(np.asarray(self._training.recipe.totals[0].array)):
            return _Origin(self._place(), self._say("mean"))
        raise _NotReplayedError("stays_finite")

    def _moved_names(self) -> list[str]:
        recipe = self._recipe
        slots = [f"'{slot.path}'" for group in recipe.slots for _, slot in sorted(group.items())]
        weights = [_weight(recipe, number, self._say) for number in range(len(recipe.weights))]
        return [*weights, *(f"'{one.path}'" for one in recipe.fixed), *slots]

    def _described(self, track: Track, target: int, moved: str | None) -> _Origin:
        """The origin of a value in words.

        Args:
            moved: which weight, or what else training moves, the value is; None for the loss.
        """
        source, way = track.source_of(target), list(track.way_from(target))
        makers = [maker for number in way if (maker := track.maker_of(number)) is not None]
        in_slope = any("transpose(" in maker.scope for maker in makers)
        cause, cure = causes.cause_of(source, self._say, in_slope=in_slope)
        tensor = self._tensor(source, makers, moved, in_slope=in_slope)
        line = source.operation.line if source.operation else None
        origin = _Origin(self._place(), tensor, cause, line, self._rows(source, way, track), cure)
        cure = cure or self._cure_of_input(source)
        usual = cure or _usual_cure(self._recipe, self._batch_x(), self._say)
        return dataclasses.replace(origin, cure=usual, is_particular=bool(cure))

    def _kind_of(self, source: Source) -> str:
        """Which part of what goes into a step was not finite; empty for what was made in it."""
        return "" if source.operation else self._kinds[self._plan.inputs.index(source.leaf or 0)]

    def _cure_of_input(self, source: Source) -> str:
        """What to do about a number that was not finite before the step; empty for other numbers."""
        kind = self._kind_of(source)
        cure = "fill" if kind == "data" else "anew" if kind == "weights" else ""
        return self._say(cure) if cure else ""

    def _tensor(self, source: Source, makers: list[Operation], moved: str | None, *, in_slope: bool) -> str:
        say = self._say
        if source.operation is None:
            return say("was_not_finite", what=self._labels[self._plan.inputs.index(source.leaf or 0)])
        scope, own = source.operation.scope, self._layer_of(source.operation)
        layer = next((one for maker in reversed(makers) if (one := self._layer_of(maker))), None)
        name = "" if layer is None else say("layer", name=printable(layer.name))
        if moved is None:
            if _is_part(scope, "loss") or (layer is None and self._recipe.own_step):
                return say("loss_itself")
            return say("mean") if layer is None else say("output" if own else "input", layer=name)
        if _is_part(scope, "update") or not in_slope:
            return say("update", what=moved)
        gradient = say("gradient", what=moved)
        if _is_part(scope, "loss"):
            return gradient + say("of_loss")
        return gradient + (say("through", layer=name) if name else "")

    def _layer_of(self, operation: Operation) -> Any:
        """The innermost layer that it is part of, other than the model; None outside of layers."""
        numbers = [int(number) for number in re.findall(rf"{_LAYER}(\d+)", operation.scope)]
        inner = [
            self._layers[number] for number in numbers if self._layers[number] is not self._recipe.network
        ]
        return inner[-1] if inner else None

    def _rows(self, source: Source, way: list[int], track: Track) -> str:
        """The rows and columns that are concerned; where that is not known, the rows of the batch."""
        say, found, count = self._say, self._concerned(source, way, track), self._num_true_rows()
        places = np.arange(count) if found is None else np.flatnonzero(found[:count])
        columns = self._columns(source, places)
        if self._call.rows is None:
            return "" if found is None else say("of_batch", rows=listed(say, places.tolist())) + columns
        start = self._number * self._call.layout.batch_size
        rows = say("of_x", rows=listed(say, np.sort(self._call.rows[start + places]).tolist()))
        if found is None:
            return say("a_batch", rows=rows)
        return (say("all_of_batch", rows=rows) if len(places) == count > 1 else rows) + columns

    def _columns(self, source: Source, places: np.ndarray) -> str:
        """Which columns of an input were not finite in these rows of the batch; empty for other numbers."""
        if self._kind_of(source) != "data":
            return ""
        data = [number for number, kind in zip(self._plan.inputs, self._kinds, strict=True) if kind == "data"]
        place, inputs = data.index(source.leaf or 0), jax.tree.leaves(self._batch_x())
        if place >= len(inputs) or inputs[place].ndim != 2:
            return ""
        bad = np.flatnonzero(~np.isfinite(inputs[place][places]).all(axis=0)).tolist()
        names = getattr(getattr(self._training, "rows", None), "columns", ())
        told = [f"'{printable(names[at])}'" if at < len(names) else at for at in bad]
        return f", {listed(self._say, told, 'column')}" if told else ""

    def _concerned(self, source: Source, way: list[int], track: Track) -> np.ndarray | None:
        """Which rows of the batch are not finite at the source, where it has a line for each."""
        data = [number for number, kind in zip(self._plan.inputs, self._kinds, strict=True) if kind == "data"]
        # Of the data it is the batch that has been taken out of it.
        number = way[-2] if source.leaf in data and len(way) > 1 else way[-1]
        maker, found = track.maker_of(number), track.rows_of(number)
        is_forward = maker and "transpose(" not in maker.scope and not _is_part(maker.scope, "update")
        # Weights, too, may have as many lines as the batch.
        return found if is_forward and number in self._plan.reached_from(data) else None

    def _num_true_rows(self) -> int:
        layout = self._call.layout
        if not layout.masked:
            return layout.rows
        before = self._number % layout.num_batches * layout.batch_size
        return min(layout.rows, layout.num_rows - before)

    def _batch_x(self) -> Any:
        start = self._number * self._call.layout.batch_size
        chosen = np.asarray(self._call.order)[start : start + self._call.layout.rows]
        return jax.tree.map(lambda array: np.asarray(array)[chosen], self._given.data[0])

    def _place(self) -> tuple[int, int] | None:
        epoch, position = self._call.place
        position += self._number - self._call.start
        num_batches = self._training.num_batches
        if not num_batches:
            return epoch, position
        return epoch + position // num_batches, position % num_batches


def _keys(path: Sequence[Any]) -> list[Any]:
    return [getattr(key, "name", getattr(key, "idx", getattr(key, "key", None))) for key in path]


def _label(path: Sequence[Any], recipe: Recipe, say: Say) -> str:
    """What a number that goes into a step is called."""
    keys = _keys(path)
    groups: dict[str, Callable[[], str]] = {
        "weights": lambda: _weight(recipe, keys[2], say),
        "fixed": lambda: f"'{recipe.fixed[keys[2]].path}'",
        "slots": lambda: f"'{recipe.slots[keys[2]][keys[3]].path}'",
        "rates": lambda: say("rate", name=keys[3]) if keys[2] == 0 else say("rate_of_layer"),
        "data": lambda: say(("x", "y", "weights")[keys[2]]),
        "factors": lambda: say("factor"),
    }
    return groups.get(str(keys[1]) if len(keys) > 1 else "", lambda: say("number"))()


def _weight(recipe: Recipe, number: int, say: Say) -> str:
    path = recipe.weights[number].path.removeprefix(f"{recipe.network.name}/")
    return say("weight", path=printable(path))


def _is_part(scope: str, name: str) -> bool:
    return re.search(rf"(^|[/(]){name}($|[/)])", scope) is not None
