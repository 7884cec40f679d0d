"""Several callbacks called as one, and the History that every `fit` adds to them.

The engine asks what they listen to and calls those hooks only; a loop of one's
own calls the list like a single callback.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from doltap import old_names, reporting
from doltap.callbacks.callback import OLDER_NAMES, Callback, Logs
from doltap.callbacks.progress import ProgbarLogger
from doltap.errors import ModelFileError, NotSupportedError, optional_package

__all__ = ["CallbackList", "History", "Parameters"]


class History(Callback):
    """What `fit` returns: `history` maps each name to its values, one for each epoch."""

    _state_types: ClassVar = {"history": (dict,), "epoch": (list,), "when": (dict,)}

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = old_names.Measures()
        self.epoch: list[int] = []
        # The epochs of each name's values: validation need not follow every one.
        self.when: dict[str, list[int]] = {}
        # What `Diagnose` found, worst first; None where nobody looked.
        self.findings: Sequence[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the list of epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self.when.setdefault(name, []).append(epoch)
        if self._model is not None:
            self._model.history = self

    def plot(self, metrics: Sequence[str] | None = None) -> Any:
        """The curves as a figure of matplotlib's, training and validation together.

        Args:
            metrics: the measures to draw, such as ["loss"]; None for all.
        """
        names = [metrics] if isinstance(metrics, str) else metrics
        return reporting.curves.figure_of(self.when, self.history, names)

    def to_frame(self) -> Any:
        """A pandas DataFrame: a row for each epoch, counted from 0, and a column for each measure."""
        pandas = optional_package("pandas", extra="sklearn", purpose="History.to_frame()")
        columns = {
            name: dict(zip(self.when[name], values, strict=True)) for name, values in self.history.items()
        }
        return pandas.DataFrame(columns).sort_index().rename_axis("epoch")

    @classmethod
    def from_tensorboard(cls, folder: Any) -> History:
        """The History of the training that `TensorBoard(folder)` wrote down; of several the last.

        Args:
            folder: the callback's `log_dir`.
        """
        history = cls()
        history.when, measures, _ = reporting.events.read_epochs(folder)
        history.history = old_names.Measures(measures)
        history.epoch = sorted({epoch for epochs in history.when.values() for epoch in epochs})
        return history

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave."""
        super().set_state(state)
        self.history = old_names.Measures(self.history)
        lists = [*self.history.values(), *self.when.values()]
        if self.when.keys() != self.history.keys() or not all(isinstance(each, list) for each in lists):
            raise ModelFileError(
                "the state of History", expected="lists", got="something else", fix="The file is damaged."
            )


class Parameters(dict[str, Any]):
    """The settings of a run: "epochs", "steps", "verbose"; what Keras 1 and 2 told besides is found too."""

    # The recipe of the training, its rows where they are known, those of a batch, and whether it validates.
    run: tuple[Any, Any, Any, bool] | None = None
    # The training, the validation and the callbacks themselves, while they run.
    at_work: tuple[Any, Any, Sequence[Any]] | None = None

    def __missing__(self, name: str) -> Any:
        if name not in old_names.PARAMS or self.run is None:
            raise KeyError(name)
        old_names.note("params", name, old_names.PARAMS[name])
        recipe, num_rows, batch_size, validates = self.run
        names = ["loss"] if recipe is None else list(recipe.names)
        found = {
            "batch_size": batch_size,
            "do_validation": validates,
            "metrics": [*names, *(f"val_{each}" for each in names if validates)],
            "nb_epoch": self.get("epochs"),
            "nb_sample": num_rows,
            "samples": num_rows,
        }
        return found[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)

    def get(self, name: Any, default: Any = None) -> Any:
        """The setting of that name, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


class CallbackList(Callback):
    """Several callbacks called as one, in order.

    Args:
        callbacks: callbacks, in lists, tuples or dicts that may lie in each other; a single one, or None.
        add_history: whether to add a History if none is there.
        add_progbar: whether to add a ProgbarLogger if none is there.
        model: the model they are handed.
        params: what they find in `params`: "epochs", "steps", "verbose".

    >>> from doltap.callbacks import LambdaCallback
    >>> told = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))])
    >>> told.on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = [] if callbacks is None else list(_flat(callbacks))
        self.params: Any = Parameters(params)
        params, self._model = self.params, model
        for callback in self.callbacks:
            self._introduce(callback)
        histories = [callback for callback in self.callbacks if isinstance(callback, History)]
        self.history = histories[0] if histories else History()
        if histories or add_history:
            self.history.params, self.history._model = params, model
            self.callbacks += [] if histories else [self.history]
            if model is not None:
                model.history = self.history
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in self.callbacks):
            self.append(ProgbarLogger())

    def append(self, callback: Any) -> None:
        """Add one more callback, which hears everything from here on."""
        for each in _flat(callback):
            self._introduce(each)
            self.callbacks.append(each)

    def _introduce(self, callback: Any) -> None:
        if self._model is not None:
            callback.set_model(self._model)
        if self.params:
            callback.set_params(self.params)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the settings of the run to every callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to every callback."""
        self._model = model
        for callback in self.callbacks:
            callback.set_model(model)

    # What the engine uses.

    def listens_to(self, *hooks: str) -> bool:
        """Whether any callback does something at one of the hooks.

        History does not count, as it can be told afterwards, nor do ends of epochs for
        a callback that can wait for them, nor one that waits for a loss that is not
        finite, where the engine stops by itself.
        """
        others = [
            callback
            for callback in self.callbacks
            if not isinstance(callback, History) and not getattr(type(callback), "waits_for_bad_loss", False)
        ]
        return any(
            _overrides(callback, hook)
            and not (hook == "on_epoch_end" and getattr(callback, "can_wait", False))
            for callback in others
            for hook in hooks
        )

    @property
    def waits_for_bad_loss(self) -> bool:  # type: ignore[override]
        """Whether some callback wants to be called where the loss is no finite number any more."""
        return any(
            isinstance(callback, Callback) and callback.waits_for_bad_loss for callback in self.callbacks
        )

    def call(self, hook: str, *arguments: Any) -> Logs:
        """Call the hook of every callback that has its own; the logs as they left them.

        They share one copy of the logs, so that each sees what those before it added.
        """
        *number, logs = arguments
        shared = old_names.Measures(logs)
        for callback in self.callbacks:
            if _overrides(callback, hook):
                getattr(callback, hook)(*number, shared)
        return shared

    def _on_train_abandoned(self, error: BaseException) -> None:
        """Tell all callbacks; it stays the error that is raised, with notes of what goes wrong besides."""
        for callback in self.callbacks:
            if isinstance(callback, Callback):
                try:
                    callback._on_train_abandoned(error)
                except Exception as trouble:
                    error.add_note(f"{type(callback).__name__}: {trouble}")

    # What a loop of one's own uses.

    def _tell(self, hook: str, logs: Logs | None, *number: int) -> None:
        shared = _plain(logs or {})
        for callback in self.callbacks:
            getattr(callback, hook)(*number, shared)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_epoch_end", logs, epoch)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_batch_begin", logs, batch)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_batch_end", logs, batch)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_train_batch_end", logs, batch)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_test_batch_end", logs, batch)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Tell all callbacks."""
        self._tell("on_predict_batch_end", logs, batch)


def _overrides(callback: Any, hook: str) -> bool:
    """Whether the callback has a hook of its own, in its class or on the object."""
    # What a ProgbarLogger does, the engine's own display does already.
    base = ProgbarLogger if isinstance(callback, ProgbarLogger) else Callback
    if hook in getattr(callback, "unheard", ()):
        return False
    return any(
        name in vars(callback)
        or getattr(type(callback), name, getattr(base, name)) is not getattr(base, name)
        for name in (hook, OLDER_NAMES.get(hook, hook))
    )


def _flat(callbacks: Any) -> Iterator[Any]:
    """The single callbacks in lists that may lie in each other."""
    if isinstance(callbacks, CallbackList):
        callbacks = callbacks.callbacks
    elif isinstance(callbacks, dict):
        callbacks = callbacks.values()
    if isinstance(callbacks, Iterable) and not isinstance(callbacks, (str, type, Callback)):
        for callback in callbacks:
            yield from _flat(callback)
        return
    if isinstance(callbacks, type) or not hasattr(callbacks, "set_model"):
        raise NotSupportedError(
            "callbacks",
            expected="Callback objects",
            got=repr(callbacks),
            fix=f"Make an object of the class, for example {_call_of(callbacks)}.",
        )
    yield callbacks


def _call_of(given: Any) -> str:
    """How an object is made of this class; of another, where it is none of callbacks."""
    if not isinstance(given, type) or not issubclass(given, Callback):
        return "EarlyStopping(patience=3)"
    takes = inspect.signature(given).parameters.values()
    needs = any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in takes)
    return f"{given.__name__}({'...' if needs else ''})"


def _plain(logs: Logs) -> Logs:
    """Plain numbers by name, in the order of the alphabet; dicts among them unfold, as in Keras 3."""
    found: Logs = old_names.Measures()
    for name, value in sorted(logs.items()):
        found |= _plain(value) if isinstance(value, dict) else {name: _as_number(value)}
    return found


def _as_number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
