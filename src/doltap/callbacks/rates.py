"""Callbacks that set the learning rate between epochs.

The rate is a number that a program receives at run time: setting it compiles
nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from doltap import dtypes, old_names
from doltap.callbacks.callback import Callback, Logs
from doltap.callbacks.monitoring import Monitor, check_number
from doltap.errors import DataError
from doltap.registry import arguments_of, check_arguments, explained

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


class LearningRateScheduler(Callback):
    """Sets the rate that your function gives for each epoch.

    Args:
        schedule: `schedule(epoch, rate)` or `schedule(epoch)`, epochs counted from 0;
            returns the rate of this epoch as a float.
        verbose: 1 says what it does.
    """

    @explained
    def __init__(self, schedule: Callable[..., Any], verbose: int = 0, **keywords: Any) -> None:
        check_arguments("LearningRateScheduler", keywords, arguments_of(LearningRateScheduler))
        super().__init__()
        if not callable(schedule):
            raise DataError(
                "LearningRateScheduler(schedule)",
                expected="a function of the epoch, or of the epoch and the rate",
                got=repr(schedule),
                fix="For example lambda epoch, rate: rate * 0.9.",
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask the function, and set what it says."""
        arguments = (epoch, float(self.model.optimizer.learning_rate))
        rate = self.schedule(*arguments if _takes(self.schedule, arguments) else arguments[:1])
        if not _is_float(rate):
            raise DataError(
                "LearningRateScheduler(schedule)",
                expected=f"a float for epoch {epoch}",
                got=repr(rate),
                fix="Let the function return a number such as 0.01 on every path; 1.0, not 1.",
            )
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the rate among the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(Monitor):
    """Lowers the rate when what it watches has stopped getting better, as Keras 3.

    Args:
        monitor: the name in the logs that is watched.
        factor: what the rate is multiplied by, less than 1.
        patience: how many epochs without improvement are borne.
        verbose: 1 says what it does.
        mode: "min", "max", or "auto" to ask the metric of that name.
        min_delta: how much better counts as better.
        cooldown: how many epochs to wait after a reduction before counting again.
        min_lr: the rate never goes below this.
    """

    _state_types: ClassVar = Monitor._state_types | {"cooldown_counter": (int,), "wait": (int,)}

    @old_names.accepts("reduce_lr_on_plateau")
    @explained
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **keywords: Any,
    ) -> None:
        check_arguments("ReduceLROnPlateau", keywords, arguments_of(ReduceLROnPlateau))
        super().__init__(monitor, mode, min_delta=min_delta)
        given = {"factor": factor, "patience": patience, "cooldown": cooldown, "min_lr": min_lr}
        for name, value in given.items():
            check_number("ReduceLROnPlateau", name, value)
        if factor >= 1.0:
            raise DataError(
                "ReduceLROnPlateau(factor)", expected="less than 1", got=repr(factor), fix="Try factor=0.1."
            )
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._begin()

    def _begin(self) -> None:
        self.best: float | None = None
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so near that epochs do not count."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare this epoch with the best one, and lower the rate when patience is at its end."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.watched(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, rate: float) -> None:
        # The rate is kept in 32 bits, and would else be above its own limit for ever.
        if rate <= np.float32(self.min_lr):
            return
        lower = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = lower
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {lower}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0


def _takes(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether the function can be called with these; one that does not say is believed to."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return True
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _is_float(value: Any) -> bool:
    """Whether it is one real number, of Python, NumPy or the device."""
    if isinstance(value, float):
        return True
    return hasattr(value, "dtype") and dtypes.is_float(value.dtype) and np.shape(value) == ()
