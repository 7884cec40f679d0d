"""Vital signs of a model: how numbers and gradients pass through its layers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import jax

from doltap.callbacks import CallbackList, Diagnose, LivePlot
from doltap.errors import DataError, NotCompiledError
from doltap.models.compiling import Compiling
from doltap.reporting.diagnosis import LayerSigns
from doltap.training.batches import Rows
from doltap.training.program import Recipe
from doltap.training.records import RunExamination, rows_of
from doltap.training.vital_signs import Examination, sample_of

__all__ = ["Examining", "with_watchers"]


class Examining(Compiling):
    """A compiled layer whose vital signs can be taken."""

    # What a trainer brings.
    seed: int
    seed_words: Any
    _labelled: Any
    _recipe: Any

    def vital_signs(self, x: Any, y: Any = None, sample_weight: Any = None) -> list[LayerSigns]:
        """The signs of every layer with weights or an activation, in the order of the calls.

        Nothing of the model changes. Gradients are those of the compiled loss,
        in training mode: with dropout, and with the averages of these rows.

        Args:
            x, y, sample_weight: as of `fit`; of more than 256 rows a sample is taken.
        """
        if self.optimizer is None:
            raise NotCompiledError(
                "vital_signs()",
                expected="a compiled model",
                got=f"model '{self.name}' without an optimizer and a loss",
                fix="First: model.compile(optimizer='adam', loss='mse').",
            )
        rows = self._labelled(x, y, sample_weight, "")
        recipe = self._recipe("train", rows)
        return Examination(recipe, self._sample(recipe, rows), self.seed_words).take()

    def examined(self, training: Any, validation: Any, callbacks: Sequence[Any]) -> RunExamination:
        """What takes signs while this training goes on, and tells at its end what is known of it."""
        recipe, rows = training.recipe, rows_of(training)
        sample = self._sample(recipe, rows)
        return RunExamination(recipe, sample, self.seed_words, training, validation, callbacks)

    def _sample(self, recipe: Recipe, rows: Any) -> Rows:
        chosen = sample_of(rows, self.seed)
        sample = Rows(*jax.tree.map(lambda array: array[chosen], rows.tree))
        if recipe.own_step and any(recipe.losses):
            # A step of one's own takes labels as they came.
            sample.y, sample.weights = ([part] if _is_array(part) else part for part in sample.tree[1:])
        return sample


def with_watchers(callbacks: Any, plot: Any, diagnose: Any) -> list[Any]:
    """The callbacks, and those that `fit(plot=, diagnose=)` asks for.

    Args:
        plot: True, or the path of a file.
        diagnose: True, or a language.
    """
    found = [] if callbacks is None else [callbacks]
    if plot:
        is_path = isinstance(plot, (str, os.PathLike))
        if plot is not True and not is_path:
            raise DataError(
                "plot", expected="True or a path", got=repr(plot), fix="plot='curves.png' works too."
            )
        found.append(LivePlot(plot if is_path else None))
    if diagnose:
        if diagnose is not True and not isinstance(diagnose, str):
            raise DataError(
                "diagnose",
                expected="True or a language",
                got=f"a {type(diagnose).__name__}",
                fix="Callbacks go among the others: callbacks=[Diagnose()].",
            )
        asked = Diagnose(None if diagnose is True else diagnose)
        # Whoever brought one of their own is told once, by that one.
        is_told = any(
            isinstance(each, Diagnose) and each.verbose for each in CallbackList(callbacks).callbacks
        )
        found += [] if is_told else [asked]
    return found


def _is_array(part: Any) -> bool:
    return hasattr(part, "shape")
