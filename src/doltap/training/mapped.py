"""The fit of many members in each step of one program.

They walk through their epochs side by side. Each hears its own callbacks and
stops by itself; when half have stopped, the others close up.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import operator
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from doltap.core.tensors import Rate, place
from doltap.regularizers import Factor
from doltap.training import cache, carriers
from doltap.training.batches import Layout, Rows, Schedule
from doltap.training.lanes import Lane, Stack
from doltap.training.loop import Settings, interrupts_deferred
from doltap.training.program import Given, State
from doltap.training.stacks import Sizes

__all__ = ["fit_together"]

_LONGEST_CALL_SECONDS = 0.25
_FIRST_STEPS = 16
# What the orders of the epochs that are loaded at once may take on the device.
_ORDER_BYTES = 64 << 20


def fit_together(lanes: Sequence[Lane], settings: Settings, told: Callable[[Lane], None]) -> None:
    """Train members of one kind for the epochs of the settings.

    Args:
        told: is called with each member that has ended.
    """
    walk = _Walk(lanes, settings, told)
    try:
        walk.run()
    except BaseException as error:
        for lane in lanes:
            lane.abandon(error)
        raise
    finally:
        walk.close()


class _Walk:
    """Several members on their way through their epochs."""

    def __init__(self, lanes: Sequence[Lane], settings: Settings, told: Callable[[Lane], None]) -> None:
        self._lanes, self._settings, self._told = lanes, settings, told
        self._recipe = lanes[0].training.recipe
        self._is_watched = any(lane.is_watched for lane in lanes)
        schedules = [lane.training.schedule for lane in lanes]
        # Batches of an epoch of the member that has most.
        self._most = max(schedule.num_batches for schedule in schedules)
        self._length = self._most * schedules[0].batch_size
        room = _ORDER_BYTES // (4 * len(lanes) * self._length)
        self._num_epochs = max(1, min(room, *(schedule.num_epochs for schedule in schedules)))
        for schedule in schedules:
            schedule.num_epochs = self._num_epochs
        self._masked = _is_masked(schedules)
        self._threads = concurrent.futures.ThreadPoolExecutor(carriers.num_cores())
        self._coming: dict[Lane, Any] = {}
        self._stack: Stack | None = None
        # Of each row of the stack its member; and what the programs take of each.
        self._rows = list(lanes)
        self._trained = _Side([], None)
        self._tested = _Side([], None)

    @property
    def _active(self) -> list[Lane]:
        """The members that go on."""
        return [lane for lane in self._lanes if lane.row is not None]

    def run(self) -> None:
        """All epochs, until the last member has stopped."""
        for lane in self._lanes:
            lane.begin()
        self._stack = Stack(self._lanes)
        self._lay_out()
        first, last = self._settings.first, self._settings.last
        self._order_ahead(0, min(self._num_epochs, last - first))
        while first < last and self._active:
            count = min(self._num_epochs, last - first)
            table = self._ordered()
            self._order_ahead(count, min(self._num_epochs, last - first - count))
            done = 0
            while done < count and self._active:
                done += self._advance(first, done, count, table)
                table = self._close_up(table)
            first += count
        self._end(self._active)

    def close(self) -> None:
        """Leave every member as a model of its own, also after an error."""
        self._threads.shutdown(cancel_futures=True)
        if self._stack is not None:
            self._stack.give_back(self._active)
        for lane in self._lanes:
            lane.training.model._is_fitting = False

    # What each row takes.

    def _lay_out(self) -> None:
        """Stack what the programs take of each member."""
        rows = self._rows
        self._trained = _Side(
            [lane.training.rows for lane in rows], [lane.training.schedule for lane in rows]
        )
        self._seeds = np.stack([lane.training.seed_words for lane in rows])
        self._halts = np.array([lane.training.halts for lane in rows])
        optimizers: list[Any] = [lane.training.recipe.optimizer for lane in rows]
        self._rates = {name: _Column([one.rates[name] for one in optimizers]) for name in optimizers[0].rates}
        self._layer_rates = _columns([lane.training.recipe.rates for lane in rows])
        self._factors = _columns([lane.training.recipe.factors for lane in rows])
        held_out = [lane.held_out for lane in rows if lane.held_out]
        if held_out:
            self._tested = _Side([one.rows for one in held_out], [one.schedule for one in held_out])
            self._tested.take_orders([one.order for one in held_out], is_one=held_out[0].numbers is None)
            self._tested_rates = _columns([one.recipe.rates for one in held_out])
            self._tested_factors = _columns([one.recipe.factors for one in held_out])

    def _order_ahead(self, later: int, count: int) -> None:
        """Let the orders of some epochs be drawn while others are trained.

        Args:
            later: how many epochs will be trained before them.
        """
        self._coming = {}
        for lane in self._active if count > 0 else ():
            first, shuffle = lane.training.model.epochs_trained + later, self._settings.shuffle
            self._coming[lane] = self._threads.submit(lane.training.orders, first, count, shuffle=shuffle)

    def _ordered(self) -> np.ndarray:
        """The orders of the next epochs, a line for each row."""
        table = np.zeros((len(self._rows), self._num_epochs * self._length), np.int32)
        for row, lane in enumerate(self._rows):
            if lane.row == row:
                order = self._coming[lane].result().reshape(-1)
                table[row, : len(order)] = order
        self._orders = place(table)
        return table

    def _close_up(self, table: np.ndarray) -> np.ndarray:
        """Drop the rows of members that have stopped, once they are half of all; the orders of the others."""
        assert self._stack is not None
        width, count = self._stack.width, len(self._active)
        while 0 < count <= width / 2:
            width = -(-width // 2)
        if not count or width == self._stack.width:
            return table
        kept = self._stack.narrow(width)
        self._rows = [self._rows[row] for row in kept]
        self._lay_out()
        self._orders = place(table[kept])
        return table[kept]

    # Training.

    def _advance(self, first: int, done: int, count: int, table: np.ndarray) -> int:
        """Train for an epoch, or for several where nobody listens in between; how many.

        Args:
            first: the number of the first epoch that was loaded.
            done: how many of these were trained.
            count: how many of these there are.
        """
        lanes = self._active
        for lane in lanes:
            lane.begin_epoch(first + done)
        assert self._stack is not None
        self._stack.take_up()
        num_epochs = 1 if self._is_watched else min(count - done, self._epochs_of_a_call())
        measured = _Measured(self._rows, self._num_epochs, self._recipe.width)
        steps = self._steps(done, 0)
        reached, end = 0, num_epochs * self._most
        while reached < end:
            stop = self._horizon(reached, end)
            layout = self._layout(reached)
            begun = measured.unless_halted(self._steps(done, reached))
            stops = measured.unless_halted(self._steps(done, stop))
            measured.take(*self._call(layout, begun, stops, stop - reached), begun, stops, self._batches)
            reached = stop
        if lanes[0].held_out and self._settings.validates(first + done):
            self._validate(lanes)
        stops = self._steps(done, end)
        for lane in lanes:
            row = lane.row or 0
            lane.note(measured.table[row], first, int(steps[row]), int(stops[row]), int(measured.bad[row]))
        self._end([lane for lane in lanes if lane.training.model.stop_training])
        return num_epochs

    @property
    def _batches(self) -> np.ndarray:
        """Batches of an epoch, of each row."""
        return self._trained.sizes.num_batches

    def _steps(self, done: int, reached: int) -> np.ndarray:
        """How many steps each row has made of the epochs that were loaded; a row without a member none.

        Args:
            reached: how many steps of further epochs the longest of them has made.
        """
        whole, part = divmod(reached, self._most)
        steps = (done + whole) * self._batches + np.minimum(part, self._batches)
        return np.where([lane.row == row for row, lane in enumerate(self._rows)], steps, 0).astype(np.int32)

    def _layout(self, step: int) -> Layout:
        layout = self._rows[0].training.schedule.layout(step)
        # How many rows and batches there are is told when it runs.
        return dataclasses.replace(layout, num_rows=0, num_batches=0, masked=self._masked)

    def _known(self, kind: str, layout: Layout) -> cache.Program | None:
        return self._recipe.programs.get((kind, layout, len(self._rows)))

    def _epochs_of_a_call(self) -> int:
        program = self._known("train members", self._layout(0))
        if program is None or program.seconds_per_step is None:
            return 1
        return max(1, int(_LONGEST_CALL_SECONDS / (program.seconds_per_step * self._most)))

    def _horizon(self, start: int, stop: int) -> int:
        schedule = self._rows[0].training.schedule
        if schedule.exact_tail and schedule.tail:
            stop = min(stop, start + max(1, self._most - 1 - start % self._most))
        program = self._known("train members", self._layout(start))
        if program is None or program.seconds_per_step is None:
            return min(stop, start + _FIRST_STEPS)
        return min(stop, start + max(1, int(_LONGEST_CALL_SECONDS / program.seconds_per_step)))

    def _call(self, layout: Layout, starts: np.ndarray, stops: np.ndarray, num_steps: int) -> tuple[Any, Any]:
        """Run the steps; the logs of each row, and the first step after which its loss was not finite."""
        stack, side = self._stack, self._trained
        assert stack is not None
        rates = {name: column.array for name, column in self._rates.items()}
        steered = rates, _arrays(self._layer_rates)
        factors = _arrays(self._factors)
        given = Given(steered, self._seeds, side.data, np.bool_(True), self._halts, factors)
        arguments = (stack.state, given, self._orders, starts, stops, side.sizes, side.own_weights)
        program = self._program("train members", self._recipe, layout, arguments)
        began = time.perf_counter()
        with interrupts_deferred():
            stack.state, logs, bad = program.executable(*arguments)
        found = np.asarray(logs), np.asarray(bad)
        program.seconds_per_step = (time.perf_counter() - began) / num_steps
        return found

    def _program(self, kind: str, recipe: Any, layout: Layout, arguments: Any) -> cache.Program:
        key = (kind, layout, len(self._rows))
        if key not in recipe.programs:
            recipe.programs[key] = cache.compiled(recipe, kind, layout, arguments)
        program: cache.Program = recipe.programs[key]
        return program

    def _validate(self, lanes: Sequence[Lane]) -> None:
        """Measure all members on what was held out."""
        stack, side, first = self._stack, self._tested, self._rows[0].held_out
        assert stack is not None
        assert first is not None
        recipe, schedule = first.recipe, first.schedule
        totals = [np.stack([np.asarray(total.array)] * len(self._rows)) for total in recipe.totals]
        state, start, line = stack.state, 0, None
        most = int(side.sizes.num_batches.max())
        while start < most:
            stop = most
            if schedule.exact_tail and schedule.tail:
                stop = max(start + 1, most - 1)
            layout = schedule.layout(start)
            layout = dataclasses.replace(layout, num_rows=0, num_batches=0, masked=side.is_masked)
            rates: Any = {}, _arrays(self._tested_rates)
            factors, fresh = _arrays(self._tested_factors), np.bool_(start == 0)
            given = Given(rates, np.zeros(2, np.uint32), side.data, fresh, np.bool_(False), factors)
            carried = State(state.weights, state.fixed, [], totals, np.int32(0))
            steps = [np.minimum(step, side.sizes.num_batches) for step in (start, stop)]
            arguments = (carried, given, side.orders, *steps, side.sizes, side.own_weights)
            program = self._program("test members", recipe, layout, arguments)
            totals, line = program.executable(*arguments)
            start = stop
        table = np.asarray(line)
        for lane in lanes:
            lane.results.logs = lane.held_out.recipe.named(table[lane.row])  # type: ignore[union-attr]

    def _end(self, lanes: Sequence[Lane]) -> None:
        """Let members that have stopped be models of their own again."""
        if lanes and self._stack is not None:
            self._stack.give_back(lanes)
        for lane in lanes:
            lane.end()
            lane.training.model._is_fitting = False
            self._told(lane)


class _Measured:
    """What the calls for some epochs have measured, of each row."""

    def __init__(self, rows: Sequence[Lane], num_epochs: int, width: int) -> None:
        self.table = np.zeros((len(rows), num_epochs, width), np.float32)
        self.bad = np.full(len(rows), -1)
        self._halts = np.array([lane.training.halts for lane in rows])

    def unless_halted(self, steps: np.ndarray) -> np.ndarray:
        """The steps; none for rows whose loss was not finite, where that ends the training."""
        return np.where(self._halts & (self.bad >= 0), 0, steps).astype(np.int32)

    def take(
        self, logs: np.ndarray, bad: np.ndarray, starts: np.ndarray, stops: np.ndarray, batches: np.ndarray
    ) -> None:
        """Take up what a call gave for the steps from start to stop of each row."""
        self.bad = np.where(self.bad < 0, bad, self.bad)
        for row in np.flatnonzero(stops > starts):
            lines = slice(starts[row] // batches[row], (stops[row] - 1) // batches[row] + 1)
            self.table[row, lines] = logs[row, lines]


class _Side:
    """The data of each row, for training or for validation: shared, with what is a row's own beside it."""

    def __init__(self, rows: Sequence[Rows], schedules: Sequence[Schedule] | None) -> None:
        self.orders: Any = None
        if not rows or schedules is None:
            return
        self.sizes = Sizes(
            np.array([schedule.num_rows for schedule in schedules], np.int32),
            np.array([schedule.num_batches for schedule in schedules], np.int32),
        )
        self.is_masked, self._batch_size = _is_masked(schedules), schedules[0].batch_size
        weights = [each.weights for each in rows]
        leaves = [list(map(id, jax.tree.leaves(own))) for own in weights]
        is_shared = all(ids == leaves[0] for ids in leaves)
        self.data = (rows[0].x, rows[0].y, weights[0] if is_shared else None)
        self.own_weights = None if is_shared else jax.tree.map(_stacked, *weights)

    def take_orders(self, orders: Sequence[np.ndarray], *, is_one: bool) -> None:
        """Take the order in which the rows are read, of each row of the stack or one for all."""
        length = int(self.sizes.num_batches.max()) * self._batch_size
        table = np.zeros((1 if is_one else len(orders), length), np.int32)
        for line, order in zip(table, orders, strict=False):
            line[: len(order)] = order
            # Filling repeats a real row.
            line[len(order) :] = order[0]
        self.orders = place(table[0] if is_one else table)


def _stacked(*arrays: Any) -> Any:
    return place(np.stack([np.asarray(array) for array in arrays]))


def _is_masked(schedules: Sequence[Schedule]) -> bool:
    return any(schedule.tail and not schedule.exact_tail for schedule in schedules)


class _Column:
    """A number of each member that steers its training."""

    def __init__(self, rates: Sequence[Rate | Factor]) -> None:
        self._rates = rates
        self._seen: list[Any] = []
        self._stacked: Any = None

    @property
    def array(self) -> Any:
        """The numbers as they are now, stacked."""
        arrays = [rate.array for rate in self._rates]
        if len(arrays) != len(self._seen) or any(map(operator.is_not, arrays, self._seen)):
            self._seen, self._stacked = arrays, _stacked(*arrays)
        return self._stacked


def _arrays(columns: Sequence[_Column]) -> list[Any]:
    return [column.array for column in columns]


def _columns(lists: Sequence[Sequence[Rate | Factor]]) -> list[_Column]:
    return [_Column(rates) for rates in zip(*lists, strict=True)]
