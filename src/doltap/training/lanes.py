"""The members that are trained side by side: what each has of its own, and the stack of their states.

Between two calls the stack holds the truth: the Variables of a member fetch
their values from it when somebody asks, and what was assigned to them goes
into it before the next call.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from doltap.callbacks import CallbackList
from doltap.core.tensors import Variable, place
from doltap.training import cache, replaying
from doltap.training.batches import Rows, Schedule
from doltap.training.loop import Epochs, Settings
from doltap.training.members import MemberTraining
from doltap.training.program import Recipe, State

__all__ = ["HeldOut", "Lane", "Stack", "kind_of"]


@dataclasses.dataclass
class HeldOut:
    """What a member is validated on: some of the rows, or all where `numbers` is None."""

    recipe: Recipe
    rows: Rows
    numbers: np.ndarray | None
    batch_size: int

    @property
    def order(self) -> np.ndarray:
        """The numbers of the rows, in line."""
        count = self.rows.count if self.numbers is None else len(self.numbers)
        return np.arange(count, dtype=np.int32) if self.numbers is None else self.numbers

    @property
    def schedule(self) -> Schedule:
        """How the rows fall into batches."""
        return Schedule(len(self.order), self.batch_size, self.recipe.exact_batches, 1)


class Results:
    """Stands for the evaluation of one member, who was measured together with the others."""

    def __init__(self) -> None:
        self.logs: dict[str, float] = {}

    def run(self, listeners: CallbackList) -> dict[str, float]:
        """The results, after the hooks of an evaluation."""
        listeners.call("on_test_begin", {})
        listeners.call("on_test_end", self.logs)
        return self.logs


class Lane(Epochs):
    """One member, with all that is its own.

    Args:
        number: which member of the population it is.
    """

    def __init__(
        self,
        number: int,
        training: MemberTraining,
        held_out: HeldOut | None,
        settings: Settings,
        listeners: CallbackList,
    ) -> None:
        self.results = Results()
        super().__init__(training, self.results if held_out else None, settings, listeners, None)  # type: ignore[arg-type]
        self.number, self.held_out = number, held_out
        training.unreplayed = training.unreplayed or replaying.SIDE_BY_SIDE
        self.holders = jax.tree.leaves(_held(training.recipe))
        # Its place in the stack; None once it has ended.
        self.row: int | None = None

    @property
    def is_watched(self) -> bool:
        """Whether Python has something to do at every epoch."""
        return self._stops_at_epochs

    @property
    def hears_batches(self) -> bool:
        """Whether Python has something to do at every batch."""
        return self._hears_batches

    def begin(self) -> None:
        """What begins a fit."""
        model = self.training.model
        model.stop_training, model._is_fitting = False, True
        self.listeners.call("on_train_begin", {})

    def begin_epoch(self, epoch: int) -> None:
        """What begins an epoch."""
        self._begin(epoch)

    def note(self, table: np.ndarray, first: int, before: int, stop: int, bad: int) -> None:
        """Take up what a call has measured.

        Args:
            table: the logs, a line for each epoch that was loaded.
            first: the number of the first of these.
            before, stop: the steps of the call, counted over these.
            bad: the first step after which the loss was not finite, or -1.
        """
        size, training = self.training.schedule.num_batches, self.training
        if bad >= 0 and training.halts:
            stop = bad + 1
            self.listeners.call("on_train_batch_end", bad % size, training.recipe.named(table[bad // size]))
        if bad >= 0 and not self._has_warned:
            self._warn(first + bad // size, bad % size)
        for done in range(before // size, stop // size):
            self._end(first + done, table[done])
        if training.model.stop_training and stop % size:
            self._end(first + stop // size, table[stop // size])

    def end(self) -> None:
        """What ends a fit."""
        recipe, optimizer = self.training.recipe, self.training.recipe.optimizer
        assert optimizer is not None
        if optimizer.use_ema and self.settings.last > self.settings.first:
            optimizer.finalize_variable_values(recipe.weights)
        self.listeners.call("on_train_end", self.last_logs)
        self.training.model._is_fitting = False

    def abandon(self, error: BaseException) -> None:
        """What ends a fit that an error stopped; nothing where it had ended before."""
        if self.training.model._is_fitting:
            self.listeners._on_train_abandoned(error)


def kind_of(training: MemberTraining, held_out: HeldOut | None) -> Any:
    """What members have to have in common to be trained by one program; None where one has to be alone."""
    recipe, schedule = training.recipe, training.schedule
    parts = None if recipe.own_step or recipe.is_eager else cache.fingerprint(recipe.parts)
    if (
        parts is None
        or training.stream is not None
        or not all(map(_is_plain, jax.tree.leaves(_held(recipe))))
    ):
        return None
    exact = schedule.num_rows if recipe.exact_batches else None
    found = [parts, *_shared(training.rows), schedule.batch_size, exact]
    if held_out is not None:
        own, test = held_out.recipe, held_out.schedule
        parts = None if own.own_step else cache.fingerprint(own.parts)
        if parts is None or own.weights != recipe.weights or own.fixed != recipe.fixed:
            return None
        exact = test.num_rows if own.exact_batches else None
        found += [parts, *_shared(held_out.rows), held_out.numbers is None, test.batch_size, exact]
    return tuple(found)


def _shared(rows: Rows) -> list[Any]:
    """What tells rows apart that lie in different places."""
    leaves, structure = jax.tree.flatten(rows.tree)
    arrays = [id(leaf) for leaf in jax.tree.leaves((rows.x, rows.y))]
    return [structure, *arrays, *(str(leaf.dtype) for leaf in leaves)]


def _is_plain(variable: Variable) -> bool:
    """Whether its array is an attribute that can lie elsewhere."""
    return not isinstance(getattr(type(variable), "array", None), property)


def _held(recipe: Recipe) -> State:
    """The Variables that hold the state between two calls."""
    assert recipe.optimizer is not None
    slots = [dict(group) for group in recipe.slots]
    return State(recipe.weights, recipe.fixed, slots, recipe.totals, recipe.optimizer.iterations)


class Stack:
    """The states of some members, one array for each kind of number in them.

    Args:
        lanes: the members; each gets a row.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._structure = jax.tree.structure(_held(lanes[0].training.recipe))
        self._lanes = list(lanes)
        columns = zip(*(jax.device_get([held.array for held in lane.holders]) for lane in lanes), strict=True)
        self._leaves = [place(np.stack(column)) for column in columns]
        # The same on the host, as far as somebody has asked since the last call.
        self._host: dict[int, np.ndarray] = {}
        for row, lane in enumerate(lanes):
            lane.row = row
            self._lend_out(lane)

    @property
    def width(self) -> int:
        """For how many members there is room."""
        return len(self._leaves[0])

    @property
    def state(self) -> State:
        """The arrays in the structure of a state."""
        return jax.tree.unflatten(self._structure, self._leaves)

    @state.setter
    def state(self, state: State) -> None:
        self._leaves, self._host = jax.tree.leaves(state), {}

    def _lend_out(self, lane: Lane) -> None:
        for column, variable in enumerate(lane.holders):
            variable.leave(functools.partial(self._fetch, column, lane))

    def _fetch(self, column: int, lane: Lane) -> np.ndarray:
        """What a member's Variable holds."""
        if column not in self._host:
            # A copy: the next call takes the memory of the array.
            self._host[column] = np.array(self._leaves[column])
        assert lane.row is not None
        return self._host[column][lane.row]

    def take_up(self) -> None:
        """Let what was assigned to Variables, or fetched from here, lie in the stack again."""
        changed: dict[int, list[tuple[int, Any]]] = {}
        for lane in self._lanes:
            for column, variable in enumerate(lane.holders):
                if lane.row is None or variable.is_elsewhere:
                    continue
                array, fetch = np.array(variable.array), functools.partial(self._fetch, column, lane)
                if array.tobytes() != np.asarray(fetch()).tobytes():
                    changed.setdefault(column, []).append((lane.row, array))
                variable.leave(fetch)
        for column, pairs in changed.items():
            rows, arrays = zip(*pairs, strict=True)
            self._host[column][list(rows)] = arrays
            self._leaves[column] = place(self._host[column])

    def give_back(self, lanes: Sequence[Lane]) -> None:
        """Let the values of these members lie in their Variables again."""
        held = [(column, one, lane) for lane in lanes for column, one in enumerate(lane.holders)]
        held = [(column, one, lane) for column, one, lane in held if one.is_elsewhere]
        # Copies, because the device may share the memory of the host.
        arrays = [np.array(self._fetch(column, lane)) for column, _, lane in held]
        placed = jax.device_put(arrays, may_alias=False)
        for (_, variable, _), array in zip(held, placed, strict=True):
            variable.settle(array)
        for lane in lanes:
            for variable in lane.holders:
                variable.settle()
            lane.row = None

    def narrow(self, width: int) -> np.ndarray:
        """Keep the rows of the members that go on, and room for so many; which rows were kept."""
        self._lanes = [lane for lane in self._lanes if lane.row is not None]
        rows = [lane.row for lane in self._lanes]
        kept = np.array([*rows, *[rows[0]] * (width - len(rows))])
        self._leaves = [place(np.array(leaf)[kept]) for leaf in self._leaves]
        self._host = {}
        for row, lane in enumerate(self._lanes):
            lane.row = row
        return kept
