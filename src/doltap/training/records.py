"""What is known of a run, gathered for the diagnosis: plain values of model, data and settings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from doltap import random
from doltap.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from doltap.errors import NotSupportedError
from doltap.layers.arrange import InputLayer
from doltap.layers.embedding import Embedding
from doltap.layers.noise import Dropout
from doltap.layers.normalization import BatchNormalization
from doltap.optimizers import schedules
from doltap.reporting.diagnosis import LayerSigns, Output, Record, Settings, Stray
from doltap.reporting.language import LANGUAGES
from doltap.training.batches import Rows
from doltap.training.program import Recipe
from doltap.training.vital_signs import Examination

__all__ = ["RunExamination", "rows_of"]

# Enough to know means and shares by, and too few to cost time.
_MOST_ROWS = 1024
_MOST_LABELS = 1 << 17
_PURPOSE = 12
# The callbacks that change the learning rate, and at how many epochs a schedule is asked for it.
_SET_RATES = (LearningRateScheduler, ReduceLROnPlateau)
_MOST_RATES = 41
# Of more rows it takes too long to look for each.
_MOST_COMPARED = 10_000
# So many times as far from the middle as any row of training is no chance.
_FAR = 1000.0
# A validation loss so many times that of training is looked into.
_OUT_OF_PROPORTION = 10.0
_CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")


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
        training.explained = dict.fromkeys(LANGUAGES)

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
            rows.columns,
            _stray(self, rows, held_out) if held_out and _is_lost(curves) else None,
            _seen(_numbers(rows.x), _numbers(others.x)) if others else 0.0,
            _settings(self, rows, len(curves.get("loss", ()))),
            {language: told for language, told in self.training.explained.items() if told},
        )


def _some(rows: Rows, most: int) -> Rows:
    """Up to so many of the rows, in their order."""
    if rows.count <= most:
        return rows
    chosen = np.sort(random.generator(0, _PURPOSE).choice(rows.count, most, replace=False))
    return Rows(*jax.tree.map(lambda array: array[chosen], rows.tree))


def _numbers(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if np.asarray(leaf).dtype.kind in "biuf"]


def _seen(mine: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> float:
    """The share of the rows that are among those of training; 0 where that takes long, or says nothing."""
    if not mine or len(mine) != len(others) or len(mine[0]) > _MOST_COMPARED:
        return 0.0
    known = {b"".join(part.tobytes() for part in row) for row in zip(*mine, strict=True)}
    # Where rows of training repeat each other, as those of few categories do, so may any others.
    if len(known) < 0.95 * len(mine[0]):
        return 0.0
    asked = [b"".join(part.tobytes() for part in row) for row in zip(*others, strict=True)]
    return sum(row in known for row in asked) / len(asked)


def _is_lost(curves: Mapping[str, Sequence[Any]]) -> bool:
    """Whether the validation loss is no finite number, or is out of all proportion."""
    losses, held_out = curves.get("loss", ()), curves.get("val_loss", ())
    return bool(losses and held_out) and not held_out[-1] < _OUT_OF_PROPORTION * abs(losses[-1])


def _stray(look: Examination, rows: Rows, held_out: Rows) -> Stray | None:
    """The number of the validation data that is farthest from those of training; None where none is far."""
    found: list[tuple[float, Stray]] = []
    for part, mine, others in (("x", rows.x, held_out.x), ("y", rows.y, held_out.y)):
        for number, (here, there) in enumerate(zip(_numbers(mine), _numbers(others), strict=False)):
            if here.shape[1:] == there.shape[1:]:
                found.append(_farthest(part, here, there, rows.columns if (part, number) == ("x", 0) else ()))
    distance, stray = max(found, key=lambda pair: pair[0], default=(0.0, None))
    if stray is None or distance < _FAR:
        return None
    # One row, as often as rows are looked at, so that the program is the one that is there.
    alone = [stray.row] * look.rows.count
    same = jax.tree.map(lambda array: array[alone], held_out.x)
    return dataclasses.replace(stray, layer=look.first_broken(same))


def _farthest(part: str, mine: Any, others: Any, columns: Sequence[str | int]) -> tuple[float, Stray]:
    """How far the farthest number is, by how far those of training go, and which it is."""
    here = mine[: _MOST_LABELS // 8].reshape(min(len(mine), _MOST_LABELS // 8), -1).astype(np.float64)
    there = others.reshape(len(others), -1).astype(np.float32)
    middle = here.mean(0)
    reach = np.abs(here - middle).max(0)
    # What never changes in training may do so elsewhere.
    usual = np.maximum(reach, float(np.median(reach)) or 1.0)
    with np.errstate(all="ignore"):
        away = np.nan_to_num(np.abs(there - middle) / usual, nan=np.inf)
    row, column = (int(place) for place in np.unravel_index(away.argmax(), away.shape))
    name = columns[column] if column < len(columns) else column
    stray = Stray(part, row, name, float(there[row, column]), float(middle[column]), float(reach[column]))
    return float(away[row, column]), stray


def _outputs(look: Examination, rows: Rows, held_out: Rows | None) -> Any:
    recipe = look.recipe
    ends = {signs.output: signs.activation for signs in look.signs}
    many = _some(rows, _MOST_LABELS)
    labels, weights = (_by_output(part, len(recipe.losses)) for part in (many.y, many.weights))
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
            weights[number],
        )


def _by_output(y: Any, count: int) -> list[Any]:
    """The labels of each output; None where they cannot be told apart."""
    parts = y if isinstance(y, list) else [y]
    fits = len(parts) == count and all(hasattr(part, "shape") for part in parts)
    return [np.asarray(part) for part in parts] if fits else [None] * count


def _settings(look: RunExamination, rows: Rows, num_epochs: int) -> Settings:
    recipe, optimizer = look.recipe, look.recipe.optimizer
    assert optimizer is not None
    # What is asked for an attribute it has not looks for the nearest name, which takes time.
    inner: Any = getattr(optimizer, "inner_optimizer", optimizer) if optimizer.scales_loss else optimizer
    momentum = inner.momentum if hasattr(type(inner), "momentum") else 0.0
    num_rows, batch_size = look.training.counts
    regularizers = [weight.regularizer for weight in recipe.weights if weight.regularizer]
    layers = [layer for layer in look.all_layers if getattr(layer, "activity_regularizer", None)]
    return Settings(
        optimizer=type(inner).__name__,
        learning_rate=_rate_of(inner),
        momentum=float(momentum or 0.0),
        batch_size=batch_size,
        num_rows=num_rows,
        num_batches=look.training.num_batches,
        is_weighted=rows.weights is not None,
        has_penalties=bool(regularizers or layers),
        keeps_best=any(_keeps_best(callback) for callback in look.callbacks),
        dropouts=[(one.name, one.rate) for one in look.all_layers if isinstance(one, Dropout)],
        averages=[(one.name, one.momentum) for one in _normalizing(look.all_layers)],
        steps=int(np.asarray(optimizer.iterations.array)),
        num_names=max((one.input_dim for one in look.all_layers if isinstance(one, Embedding)), default=0),
        sets_rate=_sets_rate(look, inner),
        rates=_rates(look, inner, num_epochs),
        is_first_batch=hasattr(look.training, "feed"),
        clip=next(((name, float(limit)) for name in _CLIPS if (limit := vars(inner).get(name))), None),
        last_dropout=_last_dropout(look.all_layers),
    )


def _normalizing(layers: Sequence[Any]) -> list[BatchNormalization]:
    return [one for one in layers if isinstance(one, BatchNormalization) and one.trainable]


def _sets_rate(look: RunExamination, optimizer: Any) -> str:
    """The class of the schedule or the callback that changes the learning rate; empty without one."""
    if getattr(optimizer, "schedule", None) is not None:
        return type(optimizer.schedule).__name__
    return next((type(one).__name__ for one in look.callbacks if isinstance(one, _SET_RATES)), "")


def _rates(look: RunExamination, optimizer: Any, num_epochs: int) -> dict[int, float]:
    """What a schedule gave as the learning rate, by how many epochs were done."""
    schedule, each = getattr(optimizer, "schedule", None), look.training.num_batches
    if schedule is None or not each:
        return {}
    begun = int(np.asarray(optimizer.iterations)) - num_epochs * each
    known = np.unique(np.linspace(0, num_epochs, _MOST_RATES).astype(int)).tolist()
    return {epoch: float(np.asarray(schedules.rate_at(schedule, begun + epoch * each))) for epoch in known}


def _last_dropout(layers: Sequence[Any]) -> str:
    """The name of the last layer that computes something, if that is a Dropout."""
    last = next((one for one in reversed(layers) if not isinstance(one, InputLayer)), None)
    return last.name if isinstance(last, Dropout) else ""


def _rate_of(optimizer: Any) -> float:
    try:
        return float(np.asarray(optimizer.learning_rate))
    except NotSupportedError:
        # One of Optax keeps its rate to itself.
        return math.nan


def _keeps_best(callback: Any) -> bool:
    found = vars(callback)
    return bool(found.get("restore_best_weights") or found.get("save_best_only"))
