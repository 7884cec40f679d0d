"""Measuring a model with the running average of its weights."""

from __future__ import annotations

from typing import Any

from doltap import files
from doltap.callbacks.callback import Callback, Logs
from doltap.core.tensors import Variable, place
from doltap.errors import NotSupportedError
from doltap.registry import arguments_of, check_arguments

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the averages that the optimizer keeps in the weights' place while the model is measured.

    The optimizer has to keep them: `use_ema=True`.

    Args:
        swap_on_epoch: also from the end of an epoch to the beginning of the next,
            so that the callbacks after this one see the averages.
    """

    def __init__(self, swap_on_epoch: bool = False, **keywords: Any) -> None:
        check_arguments("SwapEMAWeights", keywords, arguments_of(SwapEMAWeights))
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The weights' own arrays, while the averages are in their place.
        self._own: list[tuple[Variable, Any]] | None = None

    def get_state(self) -> Any:
        """The weights' own arrays, while the averages are in their place."""
        return {"own": None if self._own is None else [array for _, array in self._own]}

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave."""
        own = state.get("own") if isinstance(state, dict) else ()
        self._own = None
        if own is None:
            return
        weights = [weight for weight, _ in self.model.optimizer.averages()]
        files.checkpoint.check_arrays("the state of SwapEMAWeights", own, weights)
        self._own = [(weight, place(array)) for weight, array in zip(weights, own, strict=True)]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Give the weights back, to be trained on."""
        if self.swap_on_epoch:
            self._give_back()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show the averages, with `swap_on_epoch`. After the last epoch they stay."""
        if self.swap_on_epoch:
            self._show_averages()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the weights of an earlier run."""
        self._own = None

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave what is there."""
        self._own = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Show the averages."""
        self._show_averages()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Give the weights back."""
        self._give_back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Show the averages."""
        self._show_averages()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Give the weights back."""
        self._give_back()

    def _show_averages(self) -> None:
        if self._own is not None:
            return
        optimizer = self.model.optimizer
        # An optimizer of the user's own need not know of averages.
        if not getattr(optimizer, "use_ema", False):
            raise NotSupportedError(
                "SwapEMAWeights",
                expected="an optimizer that keeps averages",
                got=repr(optimizer),
                fix=f"Compile with optimizer={type(optimizer).__name__}(use_ema=True).",
            )
        self._own = []
        for weight, average in optimizer.averages():
            self._own.append((weight, weight.array))
            # A copy: a program that is given two buffers to reuse must not find one twice.
            weight.array = place(average.array)

    def _give_back(self) -> None:
        for weight, array in self._own or ():
            weight.array = array
        self._own = None
