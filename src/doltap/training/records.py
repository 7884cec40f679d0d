"""What is known of a run, gathered for the diagnosis: plain values of model, data and settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from doltap import random
from doltap.errors import NotSupportedError
from doltap.reporting.diagnosis import LayerSigns, Output, Record, Settings
from doltap.training.batches import Rows
from doltap.training.program import Recipe
from doltap.training.vital_signs import Examination

__all__ = ["RunExamination", "rows_of"]

# Enough to know means and shares by, and too few to cost time.
_MOST_ROWS = 1024
_MOST_LABELS = 1 << 17
_PURPOSE = 12


def rows_of(source: Any) -> Rows | None:
    """The rows of a training or an evaluation, or those of its first batch where they come one by one."""
    if source is None:
        return None
    rows: Rows = source.feed.first if hasattr(source, "feed") else source.rows
    return rows


class RunExamination(Examination):
    """An examination of a run, whose record can be had at its end.

    Args:
        recipe, rows, seed_words: as of `Examination`.
        training, validation: of `loop`; no validation is None.
        callbacks: those of the run.
    """

    def __init__(
        self,
        recipe: Recipe,
        rows: Rows,
        seed_words: Any,
        training: Any,
        validation: Any,
        callbacks: Sequence[Any],
    ) -> None:
        super().__init__(recipe, rows, seed_words)
        self.training, self.validation, self.callbacks = training, validation, callbacks

    def record(
        self,
        curves: Mapping[str, Sequence[Any]],
        when: Mapping[str, Sequence[int]],
        signs: Mapping[int, Sequence[LayerSigns]],
        losses: Mapping[int, Sequence[float]],
    ) -> Record:
        """The record of the run, with what the model says of the rows since signs were last taken.

        Args:
            curves, when: of the History.
            signs, losses: what was taken, by how many epochs were done.
        """
        rows, held_out = rows_of(self.training), rows_of(self.validation)
        assert rows is not None
        some, others = _some(rows, _MOST_ROWS), held_out and _some(held_out, _MOST_ROWS)
        return Record(
            curves,
            when,
            signs,
            losses,
            list(_outputs(self, rows, held_out)),
            _numbers(some.x),
            _numbers(others.x) if others else [],
            _numbers(self.rows.x),
            _settings(self, rows),
        )


def _some(rows: Rows, most: int) -> Rows:
    """Up to so many of the rows, in their order."""
    if rows.count <= most:
        return rows
    chosen = np.sort(random.generator(0, _PURPOSE).choice(rows.count, most, replace=False))
    return Rows(*jax.tree.map(lambda array: array[chosen], rows.tree))


def _numbers(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if np.asarray(leaf).dtype.kind in "biuf"]


def _outputs(look: Examination, rows: Rows, held_out: Rows | None) -> Any:
    recipe = look.recipe
    ends = {signs.output: signs.activation for signs in look.signs}
    labels = _by_output(_some(rows, _MOST_LABELS).y, len(recipe.losses))
    others = _by_output(_some(held_out, _MOST_LABELS).y if held_out else None, len(recipe.losses))
    asked = _by_output(look.rows.y, len(recipe.losses))
    names = {signs.output: signs.name for signs in look.signs}
    for number, (loss, answers) in enumerate(zip(recipe.losses, look.outputs, strict=False)):
        is_ours = type(loss).__module__.startswith("doltap.")
        if not is_ours or labels[number] is None or asked[number] is None:
            continue
        yield Output(
            type(loss).__name__,
            loss.labels if loss else "unknown",
            bool(loss and loss.from_logits),
            ends.get(number),
            labels[number],
            others[number],
            asked[number],
            answers,
            names.get(number, str(number + 1)) if len(recipe.losses) > 1 else "",
        )


def _by_output(y: Any, count: int) -> list[Any]:
    """The labels of each output; None where they cannot be told apart."""
    parts = y if isinstance(y, list) else [y]
    fits = len(parts) == count and all(hasattr(part, "shape") for part in parts)
    return [np.asarray(part) for part in parts] if fits else [None] * count


def _settings(look: RunExamination, rows: Rows) -> Settings:
    recipe, optimizer = look.recipe, look.recipe.optimizer
    inner: Any = getattr(optimizer, "inner_optimizer", optimizer)
    num_rows, batch_size = look.training.counts
    regularizers = [weight.regularizer for weight in recipe.weights if weight.regularizer]
    layers = [layer for layer in look.all_layers if getattr(layer, "activity_regularizer", None)]
    return Settings(
        type(inner).__name__,
        _rate_of(inner),
        float(getattr(inner, "momentum", 0.0) or 0.0),
        batch_size,
        num_rows,
        look.training.num_batches,
        rows.weights is not None,
        bool(regularizers or layers),
        any(_keeps_best(callback) for callback in look.callbacks),
    )


def _rate_of(optimizer: Any) -> float:
    try:
        return float(np.asarray(optimizer.learning_rate))
    except NotSupportedError:
        # One of Optax keeps its rate to itself.
        return math.nan


def _keeps_best(callback: Any) -> bool:
    found = vars(callback)
    return bool(found.get("restore_best_weights") or found.get("save_best_only"))
