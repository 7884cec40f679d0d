"""What happens between the steps: callbacks listen to training and may steer it.

A callback talks to the model it is handed and imports none. The engine runs
on without Python until the next moment that a callback listens to.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any

from doltap.errors import NotSupportedError, closest

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History"]

Logs = dict[str, Any]

# Hooks that call an older one where they are not overridden themselves.
_OLDER_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """The base of all callbacks: override the hooks you need.

    `self.model` is the model and `self.params` a dict with "epochs", "steps"
    and "verbose". The hooks of batches are called for every batch, and only
    when they are overridden; so leave out those you do not use.
    """

    # On the class, so that a callback whose __init__ forgets its base works too.
    params: dict[str, Any] = MappingProxyType({})  # type: ignore[assignment]
    _model: Any = None

    @property
    def model(self) -> Any:
        """The model that is being trained, evaluated or asked."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the settings of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self._model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch of `fit`; `logs` are those of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After each epoch and its validation; `logs` holds "loss", "val_loss" and so on."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of an epoch, counted from 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch; `logs` holds the running means of the epoch."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate`, or the validation in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After it; `logs` are the results."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of a prediction; `logs` holds "outputs"."""


class CallbackList:
    """Several callbacks called as one, in order, and what they listen to.

    Args:
        callbacks: a list of callbacks, a single one, or None.
    """

    def __init__(
        self, callbacks: Any = None, model: Any = None, *, with_history: bool = False, **params: Any
    ) -> None:
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        single = callbacks is not None and not isinstance(callbacks, Iterable)
        self.callbacks: list[Any] = [callbacks] if single else list(callbacks or ())
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise NotSupportedError(
                    "callbacks",
                    expected="Callback objects",
                    got=repr(callback),
                    fix="Make an object of the class, for example EarlyStopping(patience=3).",
                )
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)
        histories = [callback for callback in self.callbacks if isinstance(callback, History)]
        if with_history and not histories:
            histories = [History()]
            histories[0].params, histories[0]._model = params, model
            self.callbacks += histories
        self.history = histories[0] if histories else History()

    def listens_to(self, *hooks: str) -> bool:
        """Whether any callback does something at one of the hooks.

        History does not count: it can be told afterwards.
        """
        others = [callback for callback in self.callbacks if not isinstance(callback, History)]
        return any(_overrides(callback, hook) for callback in others for hook in hooks)

    def call(self, hook: str, *arguments: Any) -> None:
        """Call the hook of every callback that has its own."""
        for callback in self.callbacks:
            if _overrides(callback, hook):
                getattr(callback, hook)(*arguments)


def _overrides(callback: Any, hook: str) -> bool:
    """Whether the callback has a hook of its own, in its class or on the object."""
    names = (hook, _OLDER_NAMES.get(hook, hook))
    return any(
        name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name)
        for name in names
    )


class History(Callback):
    """What `fit` returns: `history` maps each name to its values, one for each epoch."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the list of epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class EarlyStopping(Callback):
    """Ends training when what it watches has stopped getting better, as Keras 3.

    Args:
        monitor: the name in the logs that is watched.
        min_delta: how much better counts as better.
        patience: how many epochs without improvement are borne.
        verbose: 1 says what it does.
        mode: "min", "max", or "auto" to judge by the name.
        baseline: a value that has to be beaten for training to go on.
        restore_best_weights: whether the model ends with the best epoch's weights.
        start_from_epoch: how many epochs to wait before watching.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise NotSupportedError(
                "EarlyStopping(mode)", expected="'auto', 'min' or 'max'", got=repr(mode), fix="Use 'auto'."
            )
        self.monitor, self.min_delta, self.patience = monitor, abs(min_delta), patience
        self.verbose, self.baseline = verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.mode = mode if mode != "auto" else _better_direction(monitor)
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: Sequence[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare this epoch with the best one, and stop when patience is at its end."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            guess = closest(self.monitor, logs or ())
            known = ", ".join(logs or ()) + (f" (did you mean '{guess}'?)" if guess else "")
            warnings.warn(
                f"EarlyStopping watches '{self.monitor}', which is not among the logs: {known}. "
                "Give fit validation_data or validation_split for the names that begin with val_.",
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)
        self.wait += 1
        if self._is_better(value, self.best):
            self.best = value
            if self.restore_best_weights:
                self._remember(epoch)
            self.best_epoch = epoch
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say so, and give back the best weights."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _remember(self, epoch: int) -> None:
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def _is_better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        if math.isnan(value):
            return False
        delta = self.min_delta
        return value < than - delta if self.mode == "min" else value > than + delta


def _better_direction(monitor: str) -> str:
    """ "max" for the names of which more is better."""
    name = monitor.removeprefix("val_").lower()
    grows = name in ("acc", "accuracy", "auc", "precision", "recall", "f1_score") or name.endswith("accuracy")
    return "max" if grows else "min"
