"""Models that train on the same rows, which lie on the device once.

A member that trains on some of the rows, a fold, has their numbers in its
order instead of copies of them; it learns to the bit what it would from copies.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from doltap.training import batches
from doltap.training.batches import Rows, Schedule
from doltap.training.loop import Training
from doltap.training.program import Recipe

__all__ = ["MemberTraining", "Placing"]


class Placing:
    """Brings rows to the device, each array once, however many members ask for it."""

    def __init__(self) -> None:
        # By where the values lie. The arrays are kept, so that nothing else comes to lie there.
        self._placed: dict[tuple[Any, ...], tuple[Any, Any]] = {}
        self._taken: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def on_device(self, rows: Rows) -> Rows:
        """The rows as arrays of the device; as they are where there is no room for them."""
        room = batches.room_on_device()
        if room is not None and rows.nbytes > room:
            return rows
        return Rows(*jax.tree.map(self._place, rows.tree))

    def _place(self, array: np.ndarray) -> Any:
        place = _place_of(array)
        if place not in self._placed:
            self._placed[place] = array, jax.device_put(array)
        return self._placed[place][1]

    def taken(self, rows: Rows, numbers: np.ndarray) -> Rows:
        """Copies of some rows, of which each array is copied once for the same numbers."""
        chosen = numbers.tobytes()

        def copied(array: np.ndarray) -> Any:
            key = (*_place_of(array), chosen)
            if key not in self._taken:
                self._taken[key] = array, array[numbers]
            return self._taken[key][1]

        return Rows(*jax.tree.map(copied, rows.tree))


def _place_of(array: np.ndarray) -> tuple[Any, ...]:
    return array.ctypes.data, array.shape, array.strides, str(array.dtype)


class MemberTraining(Training):
    """Training on all rows, or on those of some numbers.

    Args:
        chosen: the numbers; None for all rows.
    """

    def __init__(
        self, model: Any, recipe: Recipe, rows: Rows, batch_size: int, chosen: np.ndarray | None = None
    ) -> None:
        super().__init__(model, recipe, rows, batch_size)
        self._chosen = chosen
        if chosen is not None:
            self.counts = len(chosen), batch_size
            self.stream = batches.stream(rows, min(batch_size, len(chosen)))
            num_epochs = 1 if self.stream else None
            self.schedule = Schedule(len(chosen), batch_size, recipe.exact_batches, num_epochs)
            self.num_batches = self.schedule.num_batches

    def orders(self, first_epoch: int, count: int, *, shuffle: bool) -> np.ndarray:
        """The row numbers of `count` epochs, one epoch a line.

        Args:
            first_epoch: how many epochs the model was trained before them, ever.
        """
        table = self.schedule.orders(self.model.seed, first_epoch, count, shuffle=shuffle)
        return table if self._chosen is None else self._chosen[table]
