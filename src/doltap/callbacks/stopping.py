"""Callbacks that end training: when nothing gets better, and when the loss is no number."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from typing import Any, ClassVar

from doltap import files
from doltap.callbacks.callback import Callback, Logs
from doltap.callbacks.monitoring import Monitor, check_number
from doltap.registry import arguments_of, check_arguments

__all__ = ["EarlyStopping", "TerminateOnNaN"]


class EarlyStopping(Monitor):
    """Ends training when what it watches has stopped getting better, as Keras 3.

    Args:
        monitor: the name in the logs that is watched.
        min_delta: how much better counts as better.
        patience: how many epochs without improvement are borne.
        verbose: 1 says what it does.
        mode: "min", "max", or "auto" to ask the metric of that name.
        baseline: a value that has to be beaten for training to go on.
        restore_best_weights: whether the model ends with the best epoch's weights.
        start_from_epoch: how many epochs to wait before watching.
    """

    _state_types: ClassVar = Monitor._state_types | {
        **dict.fromkeys(("wait", "stopped_epoch", "best_epoch"), (int,)),
        "best_weights": (list, types.NoneType),
    }

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
        **keywords: Any,
    ) -> None:
        check_arguments("EarlyStopping", keywords, arguments_of(EarlyStopping))
        super().__init__(monitor, mode, min_delta=min_delta)
        check_number("EarlyStopping", "patience", patience)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: Sequence[Any] | None = None

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave."""
        super().set_state(state)
        if self.best_weights is not None:
            files.checkpoint.check_arrays("the state of EarlyStopping", self.best_weights, self.model.weights)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare this epoch with the best one, and stop when patience is at its end."""
        value = self.watched(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)
        self.wait += 1
        if self._is_improvement(value, self.best):
            self.best = value
            if self.restore_best_weights:
                self._remember(epoch)
            self.best_epoch = epoch
            if self.baseline is None or self._is_improvement(value, self.baseline):
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


class TerminateOnNaN(Callback):
    """Ends training at the batch after which the loss is no finite number.

    Args:
        raise_error: True raises a RuntimeError there, so that no callback hears the end of training.
    """

    waits_for_bad_loss = True

    def __init__(self, raise_error: bool = False, **keywords: Any) -> None:
        check_arguments("TerminateOnNaN", keywords, arguments_of(TerminateOnNaN))
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"Batch {batch}: the loss is {loss}, which is no finite number. Training ends here; "
                "a lower learning rate or scaled inputs are the usual cures."
            )
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
