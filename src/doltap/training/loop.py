"""The epochs of fit, evaluate and predict, in plain Python.

Between two calls of a program the Variables hold the truth. A call runs until
the next moment at which Python has something to do, and never longer than a
quarter of a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from doltap.callbacks import CallbackList
from doltap.core.tensors import Variable
from doltap.regularizers import Factor
from doltap.training import batches, cache, feeds, replaying
from doltap.training.batches import Layout, Rows, Schedule
from doltap.training.predicting import joined, predict
from doltap.training.program import Given, Recipe, State

if TYPE_CHECKING:
    from doltap.reporting.progress import Display

__all__ = ["Evaluation", "FeedEvaluation", "FeedTraining", "Settings", "Training", "fit", "joined", "predict"]

_LONGEST_CALL_SECONDS = 0.25
_TICK_SECONDS = 0.1
_FIRST_STEPS = 16
# A copy of the state may take one part of so many of the time; before the first is made, it is guessed.
# The first of a small state is made at once.
_COPY_SHARE = 100
_TINY_SECONDS = 1e-4
_COPIED_BYTES_PER_SECOND = 2 << 30
# How many calls are kept, to be made again where a loss is not finite, and of how many bytes of blocks.
_MOST_CALLS = 4096
_MOST_BLOCK_BYTES = 64 << 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a fit runs: epochs from `first` to `last`, and what validation does."""

    first: int
    last: int
    shuffle: bool
    verbose: int
    validation_freq: Any = 1

    def validates(self, epoch: int) -> bool:
        """Whether validation follows this epoch, counted from 0."""
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq


class _Stepping:
    """The train programs, and the state they move."""

    # How many rows there are, and in a batch, where that is known.
    counts: tuple[int | None, int | None] = (None, None)

    def __init__(self, model: Any, recipe: Recipe) -> None:
        self.model, self.recipe = model, recipe
        self.num_batches: int | None = None
        self.seed_words = model.seed_words
        self._order: Any = None
        # Whether to stop after a step whose loss is not finite.
        self.halts = False
        # Its number, where warnings tell it from other members of a population.
        self.member: int | None = None
        # The step after which the loss was no number any more; -1 if it always was.
        self.first_not_finite = -1
        # In which languages that is to be explained besides the warning; where it began, and the cure.
        self.explained: dict[str, tuple[str, str] | None] = {}
        # Whether the totals begin anew with the first step of an epoch.
        self._fresh = True
        # The epoch, and the batch in it, of the next call.
        self.place = (0, 0)
        # What it takes to make the last calls again, and how many these may be.
        self.trail: replaying.Trail | None = None
        self._most_calls = _MOST_CALLS
        # Whether they are kept, and why they are not.
        self.is_remembered = False
        self.unreplayed = replaying.EAGER if recipe.is_eager else ""
        # When the next copy of the state is due, once that was reckoned.
        self._begun = time.perf_counter()
        self._copy_due: float | None = None
        # The row numbers in the order of the steps, if any; and what gives data again that does not stay.
        self._row_numbers: np.ndarray | None = None
        self._data_again: Callable[[int], Any] | None = None

    def layout(self, step: int) -> Layout:
        """The layout of the program that runs this step."""
        raise NotImplementedError

    def _data_for(self, step: int) -> Any:
        raise NotImplementedError

    def _gather(self, step: int) -> tuple[State, Given]:
        """What a program takes for this step, as the Variables hold it now."""
        recipe, optimizer = self.recipe, self.recipe.optimizer
        assert optimizer is not None
        slots = [{name: slot.array for name, slot in group.items()} for group in recipe.slots]
        state = State(
            _arrays(recipe.weights),
            _arrays(recipe.fixed),
            slots,
            _arrays(recipe.totals),
            optimizer.iterations.array,
        )
        rates = {name: rate.array for name, rate in optimizer.rates.items()}, _arrays(recipe.rates)
        fresh, halts = np.bool_(self._fresh), np.bool_(self.halts)
        data, factors = self._data_for(step), _arrays(recipe.factors)
        return state, Given(rates, self.seed_words, data, fresh, halts, factors)

    def _remember(
        self, program: cache.Program, layout: Layout, arguments: tuple[Any, ...], start: int, stop: int
    ) -> None:
        """Note the call, so that it can be made again; and the state before it, as often as that is cheap."""
        recipe, now = self.recipe, time.perf_counter()
        if self._copy_due is None:
            if recipe.copy_seconds is None:
                nbytes = sum(leaf.nbytes for leaf in jax.tree.leaves(arguments[0]))
                recipe.copy_seconds = nbytes / _COPIED_BYTES_PER_SECOND
            # The call itself is part of the time of which the first copy may take its share.
            planned = (stop - start) * (program.seconds_per_step or 0.0)
            share = 0 if recipe.copy_seconds < _TINY_SECONDS else _COPY_SHARE
            self._copy_due = self._begun + recipe.copy_seconds * share - planned
        if now >= self._copy_due:
            leaves, structure = jax.tree.flatten(arguments[0])
            self.trail = replaying.Trail([np.array(leaf) for leaf in leaves], structure, [])
            recipe.copy_seconds = time.perf_counter() - now
            self._copy_due = now + recipe.copy_seconds * _COPY_SHARE
        elif self.trail is None:
            return
        elif len(self.trail.calls) >= self._most_calls:
            self.trail = None
            return
        given = arguments[1]
        if self._data_again is not None:
            given = given._replace(data=functools.partial(self._data_again, start))
        rows, place = self._row_numbers, self.place
        self.trail.calls.append(
            replaying.Call(program, layout, given, arguments[2], start, stop, rows, place)
        )

    def advance(self, start: int, stop: int) -> np.ndarray:
        """Run the steps from start to stop; the logs of the epochs that were loaded.

        The new state is in the Variables before anything waits for it, so that
        an interrupt finds the weights of a finished step.
        """
        recipe, layout = self.recipe, self.layout(start)
        arguments = (*self._gather(start), self._order, np.int32(start), np.int32(stop))
        steps = cache.known(recipe, "train", layout, arguments)
        if self.is_remembered and not self.unreplayed:
            self._remember(steps, layout, arguments, start, stop)
        began = time.perf_counter()
        with interrupts_deferred():
            state, logs, not_finite = steps.executable(*arguments)
            for variable, array in zip(recipe.weights, state.weights, strict=True):
                variable.array = array
            for variable, array in zip(recipe.fixed, state.fixed, strict=True):
                variable.array = array
            for group, arrays in zip(recipe.slots, state.slots, strict=True):
                for name, variable in group.items():
                    variable.array = arrays[name]
            for variable, array in zip(recipe.totals, state.totals, strict=True):
                variable.array = array
            recipe.optimizer.iterations.array = state.step  # type: ignore[union-attr]
        table = np.asarray(logs)
        self.first_not_finite = int(not_finite)
        if self.halts and self.first_not_finite >= 0:
            stop = self.first_not_finite + 1
        steps.seconds_per_step = (time.perf_counter() - began) / (stop - start)
        return table


class Training(_Stepping):
    """Training on rows that are all at hand."""

    # The numbers of those that are trained on; None where all are.
    _chosen: np.ndarray | None = None

    def __init__(self, model: Any, recipe: Recipe, rows: Rows, batch_size: int) -> None:
        super().__init__(model, recipe)
        self.rows, self.batch_size, self.counts = rows, batch_size, (rows.count, batch_size)
        self.stream = batches.stream(rows, min(batch_size, rows.count))
        # What NumPy holds may be shared with the device instead of copied.
        self._data = None if self.stream else jax.device_put((rows.x, rows.y, rows.weights))
        num_epochs = 1 if self.stream else None
        self.schedule = Schedule(rows.count, batch_size, recipe.exact_batches, num_epochs)
        self.num_batches = self.schedule.num_batches

    def load_orders(self, count: int, *, shuffle: bool) -> None:
        """Bring the row numbers of the next `count` epochs to the device."""
        table = self.schedule.orders(self.model.seed, self.model.epochs_trained, count, shuffle=shuffle)
        rows = table.reshape(-1) if self._chosen is None else self._chosen[table.reshape(-1)]
        self._row_numbers = rows
        self._order = jax.device_put(self.stream.load(rows) if self.stream else rows)
        if self.stream:
            self._data_again = functools.partial(self.stream.again, rows)

    def layout(self, step: int) -> Layout:
        """The layout of the program that runs this step, counted over the epochs that were loaded."""
        return self.schedule.layout(step)

    def _data_for(self, step: int) -> Any:
        return self.stream.data(step) if self.stream else self._data


class FeedTraining(_Stepping):
    """Training on batches that come one by one."""

    # A short block has a layout of its own.
    exact_tail, tail = False, 0

    def __init__(self, model: Any, feed: feeds.Feed) -> None:
        super().__init__(model, model._recipe("train", feed.first))
        self.feed, self.num_batches = feed, feed.num_batches

    def load(self, block: feeds.Block, *, is_first: bool) -> None:
        """Take the next batches of the epoch."""
        self._block, self._fresh = block, is_first
        self._most_calls = 1 + _MOST_BLOCK_BYTES // max(1, block.nbytes)
        self._order = np.arange(block.layout.num_rows, dtype=np.int32)

    def layout(self, step: int) -> Layout:
        """The layout of the block."""
        return self._block.layout

    def _data_for(self, step: int) -> Any:
        return self._block.data


class _Testing:
    """The test programs, and the totals they move."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.num_batches: int | None = None
        self.totals: list[Any] = []

    def _advance(self, layout: Layout, data: Any, start: int, stop: int, *, fresh: bool) -> dict[str, float]:
        arguments = self._arguments(data, self.totals, start, stop, fresh=fresh)
        steps = cache.known(self.recipe, "test", layout, arguments)
        began = time.perf_counter()
        state, line = steps.executable(*arguments)
        self.line = np.asarray(line)
        steps.seconds_per_step = (time.perf_counter() - began) / (stop - start)
        self.totals = state.totals
        return self.recipe.named(self.line)

    def _arguments(
        self, data: Any, totals: list[Any], start: int, stop: int, *, fresh: bool
    ) -> tuple[Any, ...]:
        """What the program takes, as the Variables hold it now."""
        recipe = self.recipe
        state = State(_arrays(recipe.weights), _arrays(recipe.fixed), [], totals, np.int32(0))
        rates: tuple[dict[str, Any], list[Any]] = {}, _arrays(recipe.rates)
        halts, factors = np.bool_(False), _arrays(recipe.factors)
        given = Given(rates, np.zeros(2, np.uint32), data, np.bool_(fresh), halts, factors)
        return state, given, np.int32(start), np.int32(stop)

    def compile_ahead(self) -> None:
        """Begin to compile the program, while that of training is compiled too."""


class FeedEvaluation(_Testing):
    """An evaluation of batches that come one by one."""

    def __init__(self, model: Any, feed: feeds.Feed) -> None:
        super().__init__(model._recipe("test", feed.first))
        self.feed, self.num_batches = feed, feed.num_batches
        # How many times it was run.
        self.runs = 0

    def run(self, listeners: CallbackList, display: Display | None = None) -> dict[str, float]:
        """All batches once; the results by name."""
        listens = listeners.listens_to("on_test_batch_end", "on_test_batch_begin")
        listeners.call("on_test_begin", {})
        self.totals = _arrays(self.recipe.totals)
        before, logs = 0, dict[str, float]()
        for block in self.feed.blocks(self.runs, 1 if listens else None):
            for start in range(block.count) if listens else (0,):
                stop = start + 1 if listens else block.count
                if listens:
                    listeners.call("on_test_batch_begin", before + start, {})
                logs = self._advance(block.layout, block.data, start, stop, fresh=before == 0)
                if listens:
                    listeners.call("on_test_batch_end", before + start, logs)
            before += block.count
            if display:
                display.tick(before, logs)
        self.runs += 1
        self.num_batches = self.num_batches or before
        listeners.call("on_test_end", logs)
        return logs


class Evaluation(_Testing):
    """The test program of rows that are all at hand."""

    def __init__(self, recipe: Recipe, rows: Rows, batch_size: int) -> None:
        super().__init__(recipe)
        self.rows, self.batch_size = rows, batch_size
        self.num_batches = -(-rows.count // batch_size)
        self._pieces = [
            (piece, Schedule(piece.count, batch_size, recipe.exact_batches))
            for piece in batches.pieces(rows, batch_size)
        ]
        # What NumPy holds may be shared with the device instead of copied.
        self._data = jax.device_put(rows.tree) if len(self._pieces) == 1 else None
        self._ahead: threading.Thread | None = None

    def compile_ahead(self) -> None:
        """Begin to compile the program, while that of training is compiled too.

        Not where code of the user's takes part, which need not bear two threads.
        """
        if not self.recipe.exact_batches and self._data is not None:
            self._ahead = threading.Thread(target=self._compile, name="compiling for validation")
            self._ahead.start()

    def _compile(self) -> None:
        # What goes wrong here goes wrong again, and is said, when the program is needed.
        with contextlib.suppress(Exception):
            schedule = self._pieces[0][1]
            arguments = self._arguments(self._data, _arrays(self.recipe.totals), 0, 1, fresh=True)
            cache.known(self.recipe, "test", schedule.layout(0), arguments)

    def run(self, listeners: CallbackList, display: Display | None = None) -> dict[str, float]:
        """All batches once; the results by name."""
        if self._ahead:
            self._ahead.join()
        listens = listeners.listens_to("on_test_batch_end", "on_test_batch_begin")
        listeners.call("on_test_begin", {})
        self.totals = _arrays(self.recipe.totals)
        before, logs = 0, dict[str, float]()
        for rows, schedule in self._pieces:
            data = self._data or jax.device_put(rows.tree)
            step = 0
            while step < schedule.num_batches:
                end = step + 1 if listens else schedule.num_batches
                stop = _horizon(self.recipe, "test", schedule, step, end, _LONGEST_CALL_SECONDS)
                if listens:
                    listeners.call("on_test_batch_begin", before + step, {})
                logs = self._advance(schedule.layout(step), data, step, stop, fresh=before == 0)
                if listens:
                    listeners.call("on_test_batch_end", before + step, logs)
                step = stop
                if display:
                    display.tick(before + step, logs)
            before += schedule.num_batches
        listeners.call("on_test_end", logs)
        return logs


def _horizon(recipe: Recipe, kind: str, schedule: Any, start: int, stop: int, seconds: float) -> int:
    """How far a call may run with one program: to `stop`, or as far as it gets in so many seconds."""
    if schedule.exact_tail and schedule.tail:
        stop = min(stop, start + max(1, schedule.num_batches - 1 - start % schedule.num_batches))
    program = recipe.programs.get((kind, schedule.layout(start)))
    if program is None or program.seconds_per_step is None:
        return min(stop, start + _FIRST_STEPS)
    return min(stop, start + max(1, int(seconds / program.seconds_per_step)))


def fit(
    training: Training | FeedTraining,
    validation: Evaluation | FeedEvaluation | None,
    settings: Settings,
    listeners: CallbackList,
    display: Display | None,
    keeper: Any = None,
) -> None:
    """Train for the epochs of the settings, calling back at every moment somebody listens to.

    Args:
        keeper: writes the state down from time to time (`resuming.Keeper`).
    """
    kind = _FeedEpochs if isinstance(training, FeedTraining) else Epochs
    epochs = kind(training, validation, settings, listeners, display)
    epochs.keeper = keeper
    if validation is not None and settings.last > settings.first:
        validation.compile_ahead()
    listeners.call("on_train_begin", {})
    epoch = keeper.begin(epochs) if keeper else settings.first
    try:
        while epoch < settings.last and not training.model.stop_training:
            epoch += epochs.run(epoch)
    finally:
        training.trail = None
        if display:
            display.close()
    if keeper:
        keeper.reach_end(epoch)
    optimizer = training.recipe.optimizer
    assert optimizer is not None
    if optimizer.use_ema and settings.last > settings.first:
        optimizer.finalize_variable_values(training.recipe.weights)
    listeners.call("on_train_end", epochs.last_logs)
    if keeper:
        keeper.finish()


class Epochs:
    """The walk through the epochs of one fit."""

    # Who writes the state down.
    keeper: Any = None
    # Of the first epoch, the steps that an earlier run has made, and the logs after them.
    done = 0
    table: np.ndarray | None = None

    def __init__(
        self,
        training: Any,
        validation: Evaluation | FeedEvaluation | None,
        settings: Settings,
        listeners: CallbackList,
        display: Display | None,
    ) -> None:
        self.training, self.validation, self.settings = training, validation, settings
        self.listeners, self.display = listeners, display
        training.halts, training.is_remembered = listeners.waits_for_bad_loss, True
        # How long a call may take.
        self._seconds = _TICK_SECONDS if display and display.is_live else _LONGEST_CALL_SECONDS
        self.last_logs: dict[str, float] = {}
        self._has_warned = False
        self._hears_batches = listeners.listens_to("on_train_batch_end", "on_train_batch_begin")
        is_watched = validation is not None or listeners.listens_to("on_epoch_end", "on_epoch_begin")
        self._stops_at_epochs = is_watched or display is not None
        # Ctrl-C waits until the epochs of a call stand in the history, but not for code of the user's.
        self._until_noted = (
            contextlib.nullcontext if is_watched or self._hears_batches else interrupts_deferred
        )

    def run(self, first: int) -> int:
        """Train some epochs, those whose orders are loaded at once; how many were begun."""
        training = self.training
        count = min(training.schedule.num_epochs, self.settings.last - first)
        training.load_orders(count, shuffle=self.settings.shuffle)
        num_batches = training.num_batches
        step, end = self.done, count * num_batches
        self.done = 0
        while step < end:
            epoch, position = divmod(step, num_batches)
            if position == 0:
                self._begin(first + epoch)
            stop = self._horizon(step, end)
            with self._until_noted():
                stop, table = self._call(first + epoch, position, step, stop)
                for done in range(epoch, stop // num_batches):
                    self._end(first + done, table[done])
            step = stop
            if training.model.stop_training:
                if step % num_batches:
                    self._end(first + step // num_batches, table[step // num_batches])
                return -(-step // num_batches)
            if self.keeper:
                self.keeper.pass_by(first + step // num_batches, step % num_batches)
        return count

    def _begin(self, epoch: int) -> None:
        self.listeners.call("on_epoch_begin", epoch, {})
        if self.display:
            self.display.begin(f"Epoch {epoch + 1}/{self.settings.last}")

    def _horizon(self, step: int, end: int) -> int:
        if self._hears_batches:
            return step + 1
        training = self.training
        stop = (step // training.num_batches + 1) * training.num_batches if self._stops_at_epochs else end
        if training.stream:
            stop = training.stream.last_step(step, stop)
        return _horizon(training.recipe, "train", training.schedule, step, stop, self._seconds)

    def _call(self, epoch: int, position: int, step: int, stop: int) -> tuple[int, np.ndarray]:
        """One call of the program, between the hooks of its batch if anybody hears them.

        Args:
            epoch, position: the epoch, and the place in it, of the first batch.
            step, stop: which steps of what was loaded.

        Returns:
            The step before which it stopped, and the logs.
        """
        training = self.training
        if self._hears_batches:
            self.listeners.call("on_train_batch_begin", position, {})
        training.place = epoch, position
        table = training.advance(step, stop)
        is_bad = training.first_not_finite >= 0
        if is_bad and training.halts:
            stop = training.first_not_finite + 1
        if is_bad and not self._has_warned:
            self._warn(epoch, position + training.first_not_finite - step)
        if self._hears_batches or self.display or (is_bad and training.halts):
            done, num_batches = position + stop - step, training.num_batches
            logs = training.recipe.named(table[0 if len(table) == 1 else (stop - 1) // num_batches])
            if self._hears_batches or (is_bad and training.halts):
                self.listeners.call("on_train_batch_end", (done - 1) % (num_batches or done), logs)
            if self.display and done % (num_batches or done + 1):
                self.display.tick(done % (num_batches or done + 1), logs)
        return stop, table

    def _warn(self, epoch: int, position: int) -> None:
        """Say at once, and once, that the loss is no number any more."""
        self._has_warned = True
        more, place = divmod(position, self.training.num_batches or position + 1)
        replaying.warn(self.training, (epoch + more, place))

    def _end(self, epoch: int, line: np.ndarray, num_steps: int | None = None) -> None:
        self.training.model.epochs_trained += 1
        logs = self.training.recipe.named(line)
        if self.validation is not None and self.settings.validates(epoch):
            results = self.validation.run(self.listeners)
            logs |= {f"val_{name}": value for name, value in results.items()}
            logs = dict(sorted(logs.items()))
        if self.display:
            self.display.close()
        self.last_logs = logs
        heard = self.listeners.call("on_epoch_end", epoch, logs)
        if self.display:
            # With what callbacks added, such as the learning rate.
            self.display.end(heard, num_steps)


class _FeedEpochs(Epochs):
    """The same walk over batches that come one by one."""

    def run(self, first: int) -> int:
        """Train one epoch."""
        training, done, table = self.training, self.done, self.table
        self.done = 0
        if not done:
            self._begin(first)
        # Who hears every batch hears it before the next one is asked for.
        for block in training.feed.blocks(first, 1 if self._hears_batches else None):
            training.load(block, is_first=done == 0)
            step = 0
            while step < block.count and not training.model.stop_training:
                stop = self._horizon(step, block.count)
                stop, table = self._call(first, done + step, step, stop)
                step = stop
                if self.keeper:
                    self.table = table
                    self.keeper.pass_by(first, done + step)
            done += step
            if training.model.stop_training:
                break
        if training.feed.ran_out:
            training.model.stop_training = True
        if table is not None:
            self._end(first, table[0], done)
        self.table = None
        if self.keeper:
            self.keeper.pass_by(first + 1, 0)
        return 1

    def _horizon(self, step: int, end: int) -> int:
        if self._hears_batches:
            return step + 1
        training = self.training
        return _horizon(training.recipe, "train", training, step, end, self._seconds)


def _arrays(variables: Sequence[Variable | Factor]) -> list[Any]:
    return [variable.array for variable in variables]


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Ctrl-C takes effect at the end of the `with`, not in the middle of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[tuple[int, Any]] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: pending.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pending:
            before(*pending[0])
