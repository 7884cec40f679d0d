"""The bar that `fit`, `evaluate` and `predict` show, as a callback.

Inside them the engine draws it, by time and not by step, so that looking costs
the training nothing; in a loop of one's own it hears the hooks.
"""

from __future__ import annotations

from typing import Any

from doltap import old_names, reporting
from doltap.callbacks.callback import Callback, Logs

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """The progress bar that `verbose` asks for.

    `fit` shows one anyway, so one in its list of callbacks adds no second.
    """

    @old_names.accepts("progbar_logger")
    def __init__(self) -> None:
        super().__init__()
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self._display: reporting.progress.Display | None = None
        self._is_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Take over "verbose", "epochs" and "steps"."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose in ("auto", True) else int(verbose)
        self.epochs, self.target = params.get("epochs", 1), params.get("steps")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Know that evaluations are part of training from here on, and not shown."""
        self._is_in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin a bar."""
        self._begin(f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else None)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move it."""
        self._tick(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave the line that stays."""
        self._end(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a bar, outside training."""
        if not self._is_in_fit:
            self._begin(None)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move it, outside training."""
        if not self._is_in_fit:
            self._tick(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Leave the line that stays, outside training."""
        if not self._is_in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin a bar."""
        self._begin(None)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move it; the outputs are not shown."""
        self._tick(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Leave the line that stays."""
        self._end(None)

    def _begin(self, title: str | None) -> None:
        self.seen = 0
        self._display = reporting.progress.Display(self.verbose, self.target or 0) if self.verbose else None
        if self._display:
            self._display.begin(title)

    def _tick(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        if self._display:
            self._display.tick(self.seen, logs or {})

    def _end(self, logs: Logs | None) -> None:
        # Who does not say how many steps there are has shown it by now.
        self.target = self.target or self.seen
        if self._display:
            self._display.num_steps = self.target
            self._display.end(logs or {})
