"""What happens between the steps: the base of all callbacks, with nothing in its hooks.

A callback talks to the model it is handed and imports none. The engine runs
on without Python until the next moment that a callback listens to.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from doltap.errors import ModelFileError

__all__ = ["HOOKS", "OLDER_NAMES", "Callback", "Logs"]

Logs = dict[str, Any]

# Hooks that call an older one where they are not overridden themselves.
OLDER_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """The base of all callbacks: override the hooks you need.

    `self.model` is the model and `self.params` a dict with "epochs", "steps"
    and "verbose". The hooks of batches are called for every batch, and only
    when they are overridden; so leave out those you do not use.

    One that remembers something from epoch to epoch defines `get_state()`, which
    gives it as plain values and arrays, and `set_state(state)`, which takes it
    back: `fit(..., resume="folder")` asks for them.
    """

    # On the class, so that a callback whose __init__ forgets its base works too.
    params: dict[str, Any] = MappingProxyType({})  # type: ignore[assignment]
    _model: Any = None
    # Whether its batch hooks only matter where the loss is no finite number any more.
    waits_for_bad_loss = False
    # Whether it may hear of an epoch when some more have passed, so that nothing is stopped for it.
    can_wait = False
    # Its own hooks that do nothing as it was made, so that nothing is stopped for them.
    unheard: tuple[str, ...] = ()
    # The attributes that make up its state, with the types they may have.
    _state_types: ClassVar[dict[str, tuple[type, ...]]] = {}

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

    def get_state(self) -> Any:
        """What it has to know again when an interrupted training goes on: plain values and arrays."""
        return {name: getattr(self, name) for name in self._state_types}

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave; called when training goes on, after `on_train_begin`."""
        types = self._state_types
        fits = isinstance(state, dict) and state.keys() == types.keys()
        if not fits or not all(isinstance(state[name], types[name]) for name in types):
            kind = type(self).__name__
            raise ModelFileError(
                f"the state of {kind}",
                expected=f"{', '.join(types) or 'nothing'}, as {kind} keeps it",
                got=str(state),
                fix="Was it kept by another class of this name? Begin in another folder.",
            )
        vars(self).update(state)

    def _on_train_abandoned(self, error: BaseException) -> None:
        """Where `fit` ends with an error or Ctrl-C, instead of `on_train_end`: let go of threads and files.

        It may come where `on_train_begin` did not, and after `on_train_end`.
        """

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


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
