"""Steps at rising learning rates, which leave the model as it is.

They begin from what the Variables hold, and nothing is written back to them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.training import cache, loop
from doltap.training.batches import Layout, Rows, Schedule
from doltap.training.program import Recipe

__all__ = ["Rising"]

# So many steps are one call, that Ctrl-C need not wait for all of them.
_STEPS_AT_ONCE = 32


class Rising(loop.Training):
    """Training in which every step has a learning rate of its own, always from the same start.

    Args:
        most_steps: for how many steps there is room.
        shuffle: whether the rows are trained on in the order of `fit`, or as they come.
    """

    def __init__(
        self, model: Any, recipe: Recipe, rows: Rows, batch_size: int, most_steps: int, *, shuffle: bool
    ) -> None:
        super().__init__(model, recipe, rows, batch_size)
        self.most_steps, size = most_steps, self.schedule.batch_size
        # Whole batches only, so that the losses of any two steps can be compared.
        num_whole = rows.count // size
        plan = Schedule(rows.count, size, True, -(-most_steps // num_whole))
        table = plan.orders(model.seed, model.epochs_trained, plan.num_epochs, shuffle=shuffle)
        self._rows_in_line = table[:, : num_whole * size].reshape(-1)[: most_steps * size]

    def layout(self, step: int) -> Layout:
        """An epoch of one batch for each step."""
        size = self.schedule.batch_size
        return Layout(size, 1, size, size, False, self.most_steps)

    def losses(self, rates: np.ndarray) -> np.ndarray:
        """The loss of each step, before its update; after the first that is not finite there are no more.

        Args:
            rates: the learning rate of each step.
        """
        order = self.stream.load(self._rows_in_line) if self.stream else self._rows_in_line
        state, given = self._gather(0)
        by_step = np.zeros(self.most_steps, np.float32)
        by_step[: len(rates)] = rates
        found, start = np.empty(0), 0
        while start < len(rates) and np.isfinite(found).all():
            stop = min(start + _STEPS_AT_ONCE, len(rates))
            stop = self.stream.last_step(start, stop) if self.stream else stop
            own = {**given.rates[0], "learning_rate": by_step}, given.rates[1]
            given_now = given._replace(rates=own, data=self._data_for(start))
            arguments = (state, given_now, order, np.int32(start), np.int32(stop))
            steps = cache.known(self.recipe, "rising", self.layout(start), arguments)
            state, losses = steps.executable(*arguments)
            found, start = np.append(found, np.asarray(losses)[start:stop]), stop
        is_bad = ~np.isfinite(found)
        return found[: is_bad.argmax() + 1] if is_bad.any() else found
