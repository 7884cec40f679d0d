"""The vital signs of a model's layers, taken on a fixed sample of the rows it is trained on.

What training holds is read and left as it is.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import random
from doltap.core.layer import Layer
from doltap.regularizers import factors_of
from doltap.reporting.diagnosis import LayerSigns
from doltap.training import cache, probes
from doltap.training.batches import Rows
from doltap.training.program import Given, Recipe, State

__all__ = ["Examination", "sample_of"]

_MOST_ROWS = 256
# Keeps the draw of the sample apart from those of the orders and the weights.
_PURPOSE = 11


def sample_of(rows: Rows, seed: int) -> np.ndarray:
    """The numbers of up to 256 rows, the same ones for the same seed."""
    count = rows.count
    if count <= _MOST_ROWS:
        return np.arange(count)
    return np.sort(random.generator(seed, _PURPOSE).choice(count, _MOST_ROWS, replace=False))


class Examination:
    """Takes signs of one model, again and again, on the same rows.

    Args:
        recipe: that of training.
        rows: some checked rows, laid out over the outputs.
        seed_words: where dropout draws from.
    """

    def __init__(self, recipe: Recipe, rows: Rows, seed_words: Any) -> None:
        self.recipe, self.rows, self.seed_words = recipe, rows, seed_words
        self.layers = probes.watched(recipe.network)
        self.all_layers = recipe.network.inside(Layer)
        self._data = jax.device_put(rows.tree)
        self._ahead: threading.Thread | None = None
        # Copies of states that signs are still to be taken of, by how many epochs were done.
        self._states: dict[int, tuple[State, Given]] = {}
        # The signs, the loss of each output on the rows, and the outputs, as they were last measured.
        self.signs: list[LayerSigns] = []
        self.losses = np.zeros(0)
        self.outputs: list[np.ndarray] = []

    def begin(self) -> None:
        """Keep the state before the first step, and compile the program beside the training that begins.

        Not beside it where code of the user's takes part, which need not bear two threads.
        """
        self.keep(0)

        def compile_program() -> None:
            # What goes wrong here goes wrong again, and is said, when signs are taken.
            with contextlib.suppress(Exception):
                cache.known(self.recipe, "signs", None, self._states[0])

        if not self.recipe.exact_batches and not cache.is_known(self.recipe, "signs", self._states[0]):
            self._ahead = threading.Thread(target=compile_program, name="compiling for vital signs")
            self._ahead.start()

    @property
    def is_ready(self) -> bool:
        """Whether signs can be taken without a wait for the compiler."""
        return self._ahead is None or not self._ahead.is_alive()

    def keep(self, epochs: int) -> None:
        """Copy the state as it is now, after so many epochs, for signs that are taken later."""
        self._states[epochs] = self._arguments(copies=True)

    def kept(self) -> Iterator[tuple[int, list[LayerSigns]]]:
        """The signs of the states that were kept, each with its epochs."""
        if self._ahead is not None:
            self._ahead.join()
        for epochs in list(self._states):
            yield epochs, self._noted(self._taken(self._states.pop(epochs)))

    def take(self) -> list[LayerSigns]:
        """The signs as they are now, a line for each layer in the order in which they are called."""
        return self._noted(self._taken(self._arguments()))

    def first_broken(self, x: Any) -> str | None:
        """The first layer that gives no finite number for some other rows, as many as are looked at."""
        state, given = self._arguments()
        data = jax.device_put((x, *self.rows.tree[1:]))
        signs, *_ = self._taken((state, given._replace(data=data)))
        return next((one.name for one in signs if one.position >= 0 and not np.isfinite(one.mean)), None)

    def _noted(self, found: tuple[list[LayerSigns], np.ndarray, list[np.ndarray]]) -> list[LayerSigns]:
        self.signs, self.losses, self.outputs = found
        return self.signs

    def _taken(self, arguments: tuple[State, Given]) -> tuple[list[LayerSigns], np.ndarray, list[np.ndarray]]:
        program = cache.known(self.recipe, "signs", None, arguments)
        table, losses, outputs = program.executable(*arguments)
        signs = [
            _line(layer, dict(zip(probes.COLUMNS, line.tolist(), strict=True)))
            for layer, line in zip(self.layers, np.asarray(table), strict=True)
        ]
        signs.sort(key=lambda one: one.position)
        return signs, np.array(losses), [np.array(output) for output in outputs]

    def _arguments(self, *, copies: bool = False) -> tuple[State, Given]:
        """What the program takes, as the Variables hold it now; copies outlive the next step."""
        recipe, optimizer = self.recipe, self.recipe.optimizer
        assert optimizer is not None
        state = State(
            [weight.array for weight in recipe.weights],
            [weight.array for weight in recipe.fixed],
            [{name: slot.array for name, slot in group.items()} for group in recipe.slots],
            [total.array for total in recipe.totals],
            optimizer.iterations.array,
        )
        if copies:
            # On the host: a copy on the device would have to be compiled for every shape.
            state = jax.tree.map(np.array, state)
        rates = {name: rate.array for name, rate in optimizer.rates.items()}
        layer_rates = [rate.array for rate in recipe.rates]
        # A step of one's own takes none, and the compiled loss does.
        costs = [factors_of(weight.regularizer) for weight in recipe.weights if weight.regularizer]
        factors = [factor.array for cost in costs for factor in cost.values()]
        begins, halts = np.bool_(True), np.bool_(False)
        return state, Given((rates, layer_rates), self.seed_words, self._data, begins, halts, factors)


def _line(layer: Any, found: dict[str, float]) -> LayerSigns:
    place, output = int(found.pop("position")), int(found.pop("output"))
    activation = probes.activation_of(layer)
    return LayerSigns(
        layer.name, type(layer).__name__, activation, place, output if output >= 0 else None, **found
    )
