"""Watching one number of the logs: which way is better, and by how much."""

from __future__ import annotations

import numbers
import types
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from doltap.callbacks.callback import Callback, Logs
from doltap.errors import DataError, NotSupportedError, closest, printable
from doltap.registry import snake_case

__all__ = ["Monitor", "check_number"]

# How measures are called of which more is better, and less, as Keras 3 judges them.
_GROW = (
    *("acc", "accuracy", "precision", "recall", "auc", "f1", "f1_score", "f_beta_score", "fbeta_score"),
    *("sensitivity_at_specificity", "specificity_at_sensitivity", "precision_at_recall"),
    *("recall_at_precision", "io_u", "iou", "mean_iou", "cosine_similarity", "r2_score"),
    *("pearson_correlation", "concordance_correlation"),
)
_SHRINK = (
    *("loss", "mse", "mae", "mape", "msle", "rmse", "squared_error", "absolute_error"),
    *("absolute_percentage_error", "squared_logarithmic_error", "hinge", "crossentropy"),
    *("kl_divergence", "kld", "poisson", "log_cosh", "log_cosh_error", "logcosh", "huber"),
)


class Monitor(Callback):
    """The base of callbacks that watch one number of the logs.

    Args:
        monitor: the name in the logs.
        mode: "min", "max", or "auto" to ask the metric of that name.
        min_delta: how much better counts as better.
        baseline: what the first value is compared with; None for nothing.
    """

    _state_types: ClassVar = {"best": (numbers.Real, np.ndarray, types.NoneType)}

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: Any = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise NotSupportedError(
                f"{kind}(mode)", expected="'auto', 'min' or 'max'", got=repr(mode), fix="Use 'auto'."
            )
        check_number(kind, "min_delta", min_delta)
        self.monitor, self.mode, self.best = monitor, mode, baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave."""
        super().set_state(state)
        check_number(type(self).__name__, "best", 0.0 if self.best is None else np.asarray(self.best)[()])

    def watched(self, logs: Logs) -> Any:
        """The number in the logs; None after a warning when it is not there."""
        value = logs.get(self.monitor)
        if value is not None:
            return value
        guess = closest(self.monitor, logs)
        known = ", ".join(logs) + (f" (did you mean '{guess}'?)" if guess else "")
        cure = (
            " Give fit validation_data or validation_split for the names that begin with val_."
            if self.monitor.startswith("val_")
            else ""
        )
        said = f"{type(self).__name__} watches '{self.monitor}', which is not among the logs: {known}.{cure}"
        warnings.warn(printable(said, None), stacklevel=3)
        return None

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        if self.monitor_op is None:
            self._set_monitor_op()
        assert self.monitor_op is not None
        return reference is None or bool(self.monitor_op(value - self.min_delta, reference))

    def _set_monitor_op(self) -> None:
        """Decide which way is better. Only in training is it known what the model measures."""
        grows = self.mode == "max" if self.mode != "auto" else self._grows()
        self.monitor_op = np.greater if grows else np.less
        # As in Keras, the sign says which way the number has to move.
        self.min_delta = abs(self.min_delta) if grows else -abs(self.min_delta)

    def _grows(self) -> bool:
        name = self.monitor.removeprefix("val_")
        metrics = [metric for metric in getattr(self.model, "metrics", ()) if metric.name == name]
        for metric in metrics:
            if getattr(metric, "_direction", None) is not None:
                return metric._direction == "up"
        kinds = [snake_case(kind.__name__) for metric in metrics for kind in type(metric).__mro__]
        for word in (*kinds, name.lower()):
            for grows, endings in ((True, _GROW), (False, _SHRINK)):
                if word in endings or word.endswith(tuple(f"_{ending}" for ending in endings)):
                    return grows
        kind = type(self).__name__
        raise DataError(
            f"{kind}(monitor={self.monitor!r})",
            expected="a measure of which doltap knows whether more or less is better",
            got=f"{self.monitor!r} with mode='auto'",
            fix=f"Say it: {kind}(monitor={self.monitor!r}, mode='max') if more is better, else mode='min'.",
        )


def check_number(kind: str, name: str, value: Any) -> None:
    """An error unless the argument is a number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise DataError(f"{kind}({name})", expected="a number", got=repr(value), fix=f"For example {name}=1.")
