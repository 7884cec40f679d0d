"""The epochs of fit, evaluate and predict, in plain Python.

Between two calls of a program the Variables hold the truth. A call runs until
the next moment at which Python has something to do, and never longer than a
quarter of a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from doltap.callbacks import CallbackList
from doltap.core.tensors import Variable
from doltap.reporting.progress import Display
from doltap.training import batches, cache
from doltap.training.batches import Rows, Schedule
from doltap.training.program import Given, Recipe, State

__all__ = ["Evaluation", "Settings", "Training", "fit", "predict"]

_LONGEST_CALL_SECONDS = 0.25
_TICK_SECONDS = 0.1
_FIRST_STEPS = 16
_CHUNK_BYTES = 16 << 20
_CHUNK_ROWS = 1024


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a fit runs: epochs from `first` to `last`, and what validation does."""

    first: int
    last: int
    shuffle: bool
    verbose: int
    validation_freq: int = 1


class Training:
    """The train programs of some data, and the state they move."""

    def __init__(self, model: Any, recipe: Recipe, rows: Rows, batch_size: int) -> None:
        self.model, self.recipe = model, recipe
        self.stream = batches.stream(rows, min(batch_size, len(rows.x)))
        # What NumPy holds may be shared with the device instead of copied.
        self._data = None if self.stream else jax.device_put((rows.x, rows.y, rows.weights))
        num_epochs = 1 if self.stream else None
        self.schedule = Schedule(len(rows.x), batch_size, recipe.exact_batches, num_epochs)
        self._seed = model.seed_words
        self._order: Any = None

    def load_orders(self, count: int, *, shuffle: bool) -> None:
        """Bring the row numbers of the next `count` epochs to the device."""
        table = self.schedule.orders(self.model.seed, self.model.epochs_trained, count, shuffle=shuffle)
        self._order = jax.device_put(self.stream.load(table) if self.stream else table.reshape(-1))

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
        rates = {name: rate.array for name, rate in optimizer.rates.items()}
        data: Any = self.stream.data(step) if self.stream else self._data
        return state, Given((rates, _arrays(recipe.rates)), self._seed, data, np.bool_(True))

    def _take(self, state: State) -> None:
        recipe = self.recipe
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

    def advance(self, start: int, stop: int) -> np.ndarray:
        """Run the steps from start to stop; the logs of the epochs in `load_orders`.

        The new state is in the Variables before anything waits for it, so that
        an interrupt finds the weights of a finished step.
        """
        arguments = (*self._gather(start), self._order, np.int32(start), np.int32(stop))
        steps = cache.known(self.recipe, "train", self.schedule.layout(start), arguments)
        began = time.perf_counter()
        with interrupts_deferred():
            state, logs = steps.executable(*arguments)
            self._take(state)
        table = np.asarray(logs)
        steps.seconds_per_step = (time.perf_counter() - began) / (stop - start)
        return table


class Evaluation:
    """The test program of some data."""

    def __init__(self, recipe: Recipe, rows: Rows, batch_size: int) -> None:
        self.recipe = recipe
        self.num_batches = -(-len(rows.x) // batch_size)
        self._pieces = [
            (piece, Schedule(len(piece.x), batch_size, recipe.exact_batches))
            for piece in batches.pieces(rows, batch_size)
        ]
        # What NumPy holds may be shared with the device instead of copied.
        self._data = jax.device_put((rows.x, rows.y, rows.weights)) if len(self._pieces) == 1 else None
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
            arguments = self._arguments(schedule, self._data, _arrays(self.recipe.totals), 0, 1, fresh=True)
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
            data = self._data or jax.device_put((rows.x, rows.y, rows.weights))
            step = 0
            while step < schedule.num_batches:
                end = step + 1 if listens else schedule.num_batches
                stop = _horizon(self.recipe, "test", schedule, step, end, _LONGEST_CALL_SECONDS)
                if listens:
                    listeners.call("on_test_batch_begin", before + step, {})
                logs = self._advance(schedule, data, step, stop, fresh=before == 0)
                if listens:
                    listeners.call("on_test_batch_end", before + step, logs)
                step = stop
                if display:
                    display.tick(before + step, logs)
            before += schedule.num_batches
        listeners.call("on_test_end", logs)
        return logs

    def _advance(
        self, schedule: Schedule, data: Any, start: int, stop: int, *, fresh: bool
    ) -> dict[str, float]:
        arguments = self._arguments(schedule, data, self.totals, start, stop, fresh=fresh)
        steps = cache.known(self.recipe, "test", schedule.layout(start), arguments)
        began = time.perf_counter()
        state, line = steps.executable(*arguments)
        logs = _named(self.recipe, np.asarray(line))
        steps.seconds_per_step = (time.perf_counter() - began) / (stop - start)
        self.totals = state.totals
        return logs

    def _arguments(
        self, schedule: Schedule, data: Any, totals: list[Any], start: int, stop: int, *, fresh: bool
    ) -> tuple[Any, ...]:
        """What the program takes, as the Variables hold it now."""
        recipe = self.recipe
        state = State(_arrays(recipe.weights), _arrays(recipe.fixed), [], totals, np.int32(0))
        given = Given(({}, _arrays(recipe.rates)), np.zeros(2, np.uint32), data, np.bool_(fresh))
        return state, given, np.int32(start), np.int32(stop)


def _horizon(recipe: Recipe, kind: str, schedule: Schedule, start: int, stop: int, seconds: float) -> int:
    """How far a call may run with one program: to `stop`, or as far as it gets in so many seconds."""
    if schedule.exact_tail and schedule.tail:
        stop = min(stop, start + max(1, schedule.num_batches - 1 - start % schedule.num_batches))
    program = recipe.programs.get((kind, schedule.layout(start)))
    if program is None or program.seconds_per_step is None:
        return min(stop, start + _FIRST_STEPS)
    return min(stop, start + max(1, int(seconds / program.seconds_per_step)))


def fit(
    training: Training,
    validation: Evaluation | None,
    settings: Settings,
    listeners: CallbackList,
    display: Display | None,
) -> None:
    """Train for the epochs of the settings, calling back at every moment somebody listens to."""
    epochs = _Epochs(training, validation, settings, listeners, display)
    if validation is not None and settings.last > settings.first:
        validation.compile_ahead()
    listeners.call("on_train_begin", {})
    epoch = settings.first
    try:
        while epoch < settings.last and not training.model.stop_training:
            count = min(training.schedule.num_epochs, settings.last - epoch)
            training.load_orders(count, shuffle=settings.shuffle)
            epoch += epochs.run(epoch, count)
    finally:
        if display:
            display.close()
    listeners.call("on_train_end", epochs.last_logs)


class _Epochs:
    """The walk through the epochs of one fit."""

    def __init__(
        self,
        training: Training,
        validation: Evaluation | None,
        settings: Settings,
        listeners: CallbackList,
        display: Display | None,
    ) -> None:
        self.training, self.validation, self.settings = training, validation, settings
        self.listeners, self.display = listeners, display
        self.last_logs: dict[str, float] = {}
        self._hears_batches = listeners.listens_to("on_train_batch_end", "on_train_batch_begin")
        is_watched = validation is not None or listeners.listens_to("on_epoch_end", "on_epoch_begin")
        self._stops_at_epochs = is_watched or display is not None
        # Ctrl-C waits until the epochs of a call stand in the history, but not for code of the user's.
        self._until_noted = (
            contextlib.nullcontext if is_watched or self._hears_batches else interrupts_deferred
        )

    def run(self, first: int, count: int) -> int:
        """Train the epochs whose orders were loaded; how many were begun."""
        num_batches = self.training.schedule.num_batches
        step, end = 0, count * num_batches
        while step < end:
            epoch, position = divmod(step, num_batches)
            if position == 0:
                self.listeners.call("on_epoch_begin", first + epoch, {})
                if self.display:
                    self.display.begin(f"Epoch {first + epoch + 1}/{self.settings.last}")
            stop = self._horizon(step, end)
            with self._until_noted():
                table = self._call(position, step, stop)
                for done in range(epoch, stop // num_batches):
                    self._end(first + done, table[done])
            step = stop
            if self.training.model.stop_training:
                if step % num_batches:
                    self._end(first + step // num_batches, table[step // num_batches])
                return -(-step // num_batches)
        return count

    def _horizon(self, step: int, end: int) -> int:
        if self._hears_batches:
            return step + 1
        num_batches = self.training.schedule.num_batches
        stop = (step // num_batches + 1) * num_batches if self._stops_at_epochs else end
        training = self.training
        if training.stream:
            stop = training.stream.last_step(step, stop)
        is_live = self.display is not None and self.display.is_live
        seconds = _TICK_SECONDS if is_live else _LONGEST_CALL_SECONDS
        return _horizon(training.recipe, "train", training.schedule, step, stop, seconds)

    def _call(self, position: int, step: int, stop: int) -> np.ndarray:
        """One call of the program, between the hooks of its batch if anybody hears them."""
        if self._hears_batches:
            self.listeners.call("on_train_batch_begin", position, {})
        table = self.training.advance(step, stop)
        num_batches = self.training.schedule.num_batches
        if self._hears_batches or self.display:
            logs = _named(self.training.recipe, table[(stop - 1) // num_batches])
            if self._hears_batches:
                self.listeners.call("on_train_batch_end", (stop - 1) % num_batches, logs)
            if self.display and stop % num_batches:
                self.display.tick(stop % num_batches, logs)
        return table

    def _end(self, epoch: int, line: np.ndarray) -> None:
        self.training.model.epochs_trained += 1
        logs = _named(self.training.recipe, line)
        if self.validation is not None and (epoch + 1) % self.settings.validation_freq == 0:
            results = self.validation.run(self.listeners)
            logs |= {f"val_{name}": value for name, value in results.items()}
            logs = dict(sorted(logs.items()))
        self.last_logs = logs
        if self.display:
            self.display.end(logs)
        self.listeners.call("on_epoch_end", epoch, logs)


def _arrays(variables: Sequence[Variable]) -> list[Any]:
    return [variable.array for variable in variables]


def _named(recipe: Recipe, line: np.ndarray) -> dict[str, float]:
    """The logs by name, in the order of the alphabet as Keras on JAX gives them."""
    return dict(sorted(zip(recipe.names, line.tolist(), strict=True)))


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


def predict(
    recipe: Recipe, x: np.ndarray, batch_size: int, listeners: CallbackList | None, display: Display | None
) -> np.ndarray:
    """The network's output for every row, as a NumPy array of its own.

    Rows that do not touch each other go through in large pieces, the last one
    filled up to a power of two, so that few lengths are ever compiled.
    """
    exact = recipe.exact_batches or (
        listeners is not None and listeners.listens_to("on_predict_batch_end", "on_predict_batch_begin")
    )
    size = batch_size if exact else max(batch_size, _chunk_rows(x))
    arrays = (_arrays(recipe.weights), _arrays(recipe.fixed), _arrays(recipe.rates))
    if listeners is None and len(x) == 1:
        return _predict_rows(recipe, arrays, x, fill=False)
    pieces = []
    for number, start in enumerate(range(0, len(x), size)):
        if listeners:
            listeners.call("on_predict_batch_begin", number, {})
        pieces.append(_predict_rows(recipe, arrays, x[start : start + size], fill=not exact))
        if listeners:
            listeners.call("on_predict_batch_end", number, {"outputs": pieces[-1]})
        if display:
            display.tick(-(-min(start + size, len(x)) // batch_size), {})
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _chunk_rows(x: np.ndarray) -> int:
    """How many rows go through at once: a power of two of at most some megabytes."""
    bytes_per_row = max(1, x.nbytes // len(x))
    return min(_CHUNK_ROWS, 1 << max(0, (_CHUNK_BYTES // bytes_per_row).bit_length() - 1))


def _predict_rows(recipe: Recipe, arrays: tuple[Any, ...], x: np.ndarray, *, fill: bool) -> np.ndarray:
    count = len(x)
    wanted = 1 << (count - 1).bit_length() if fill else count
    if wanted != count:
        x = np.concatenate([x, np.broadcast_to(x[-1:], (wanted - count, *x.shape[1:]))])
    arguments = (*arrays, x)
    step = cache.known(recipe, "predict", None, arguments)
    return np.array(np.asarray(step.executable(*arguments))[:count])
