"""What the data shows: labels that say nothing, inputs off scale, rare classes, rows unlike the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.reporting.diagnosis import measures
from doltap.reporting.diagnosis.finding import Found
from doltap.reporting.diagnosis.record import LayerSigns, Output, Record

__all__ = [
    "constant_inputs",
    "constant_labels",
    "initial_scale",
    "rare_classes",
    "seen_validation",
    "unlike_validation",
    "unscaled_inputs",
    "unscaled_labels",
]

# Initializers are made for inputs of spread about 1 around 0 (LeCun et al., "Efficient
# BackProp", 1998); ten times that is off scale whatever the initializer.
_OFF_SCALE = 10.0
# So much smaller than what they are made for, a number is hardly seen beside a bias.
_SMALL = 0.01
# With three quarters of its numbers at the ends of the curve a layer begins where it hardly learns
# (Glorot and Bengio, 2010).
_STUCK = 0.75
# He and Garcia, "Learning from Imbalanced Data" (2009), begin to speak of imbalance where one
# class outnumbers another ten to one, and more.
_RARE = 0.1
# What Cohen (1988) calls a medium difference of two means, in spreads; and so many of the
# standard errors with which chance would have it differ in one column of a few hundred.
_UNLIKE, _BEYOND_CHANCE = 0.5, 5.0
# Before the first step a classifier knows nothing; its loss should be that of guessing
# (Karpathy, "A Recipe for Training Neural Networks"): several times that is certainty for nothing.
_TOO_CERTAIN = 3.0


def constant_labels(record: Record) -> Iterator[Found]:
    """Every row has the same label."""
    for output in record.outputs:
        y = output.y.reshape(len(output.y), -1)
        if len(y) > 1 and (y == y[0]).all():
            value = output.classes(output.y)[0] if output.picks_one else y[0, 0]
            values = {"value": float(value), "rows": len(y)} | output.called
            severity, variant = (1, "first_batch") if record.settings.is_first_batch else (3, "")
            yield Found("constant_labels", severity, output.name or None, values, variant)
            return


def constant_inputs(record: Record) -> Iterator[Found]:
    """Every row has the same inputs."""
    known = [part for part in record.inputs if len(part) > 1]
    if known and len(known) == len(record.inputs) and all((part == part[0]).all() for part in known):
        values = {"rows": len(known[0]), "value": float(known[0].flat[0])}
        yield Found("constant_inputs", 3, None, values)


def unscaled_inputs(record: Record) -> Iterator[Found]:
    """A column of the inputs is far larger than initializers expect, and the first layer feels it."""
    called = [one for one in record.first_signs if one.position >= 0]
    # An Embedding takes numbers for names; the others are felt by the layer behind it.
    first = next((one for one in called if one.kind != "Embedding"), None)
    if first is None:
        return
    if measures.is_poor(record):
        yield from _small_inputs(record, first)
    feels = first.saturated_share > 0.5 or abs(first.std) > _OFF_SCALE / 2
    if not (feels or math.isnan(first.std)):
        return
    severity, seen = _harm_of_scale(record), _began_badly(record, first)
    for number, part in enumerate(record.inputs if severity else ()):
        columns = np.asarray(part, np.float64).reshape(len(part), -1)
        sizes = np.sqrt((columns**2).mean(0))
        column = int(sizes.argmax())
        if sizes[column] > _OFF_SCALE and not _are_names(columns, record.settings.num_names):
            values: dict[str, Any] = {
                "column": record.called(number, column),
                "columns": columns.shape[1],
                "input": number,
            }
            values |= {"mean": columns[:, column].mean(), "std": columns[:, column].std()}
            values |= {"low": columns.min(), "high": columns.max(), "layer": first.name, **seen}
            values |= _outlier(columns[:, column])
            yield Found("unscaled_inputs", severity, first.name, values, "image" if part.ndim > 2 else "")
            return


def _are_names(columns: np.ndarray, num_names: int) -> bool:
    """Whether all are whole numbers that an Embedding has a row for."""
    return bool((columns % 1 == 0).all() and columns.min() >= 0 and columns.max() < num_names)


def _small_inputs(record: Record, first: LayerSigns) -> Iterator[Found]:
    """All inputs are so small that the first layer hardly sees them."""
    largest = max((float(np.abs(np.asarray(part, np.float64)).max()) for part in record.inputs), default=0.0)
    if 0 < largest < _SMALL and abs(first.std) < _SMALL:
        yield Found("unscaled_inputs", 3, first.name, {"high": largest}, "small")


def _outlier(column: np.ndarray) -> dict[str, float]:
    """The farthest number, where so few as a hundredth make all but a hundredth of the variance."""
    away = np.abs(column - np.median(column))
    usual = column[away <= np.quantile(away, 0.99)]
    if not usual.size or usual.std() > 0.1 * column.std() or not column.std() > 0:
        return {}
    return {"outlier": float(column[away.argmax()]), "least": float(usual.min()), "most": float(usual.max())}


def _harm_of_scale(record: Record) -> int:
    """How bad it is that inputs are off scale; 0 where no harm is left.

    Who gets away from a bad start may well arrive; scaled rows are what the neighbours are told by.
    """
    if measures.is_poor(record) or _diverged(record):
        return 3
    return 2 if measures.behind_neighbours(record) else 0


def _began_badly(record: Record, first: LayerSigns) -> dict[str, Any]:
    """What large inputs did before the first step: certain answers, a first layer that is stuck."""
    found: dict[str, Any] = {}
    if first.saturated_share > _STUCK:
        found = {"flat": first.saturated_share, "activation": first.activation}
    spreads = {one.output: one.std for one in record.first_signs if one.is_output}
    for number, (output, loss) in enumerate(zip(record.outputs, record.losses.get(0, ()), strict=False)):
        guess = measures.constant_loss(output)
        # Of numbers the loss is large, too, where only the labels are.
        size = math.sqrt(np.square(np.asarray(output.y, np.float64)).mean())
        is_wild = output.picks_one or spreads.get(number, 0.0) > _TOO_CERTAIN * size
        if is_wild and guess > 0 and loss > _TOO_CERTAIN * guess:
            return {**found, "began": loss, "guess": guess}
    return found


def unscaled_labels(record: Record) -> Iterator[Found]:
    """Labels are far from where the answers of a fresh network lie, and are still far from them."""
    for output in record.outputs:
        if output.loss not in measures.DISTANCES or not output.is_numbers:
            continue
        found = _lonely_labels(record, output) or _labels_off_scale(record, output)
        if found is not None:
            yield found
            return


def _lonely_labels(record: Record, output: Output) -> Found | None:
    """A few labels make most of the loss; rows that are looked at for signs need not be among them."""
    loss, far = record.curve("loss"), _outlier(np.asarray(output.y, np.float64).reshape(-1))
    if not far or len(record.outputs) != 1 or not loss[-1:] > 0.5 * measures.constant_loss(output):
        return None
    return Found("unscaled_labels", 3, None, far, "outliers")


def _labels_off_scale(record: Record, output: Output) -> Found | None:
    y, answers = np.asarray(output.y, np.float64), np.asarray(output.answers, np.float64)
    size, answered = math.sqrt((y**2).mean()), math.sqrt((answers**2).mean())
    # An answer of the right size is wrong for other reasons.
    is_large, is_small = size > _OFF_SCALE and answered < 0.8 * size, _OFF_SCALE * size < answered
    if not (is_large or (is_small and size < _SMALL)) or not measures.is_poor(record):
        return None
    values = {"mean": y.mean(), "std": y.std(), "answered": answers.mean(), "size": answered}
    variant = "" if is_large else "small"
    return Found("unscaled_labels", 3, output.name or None, values | output.called, variant)


def _diverged(record: Record) -> bool:
    loss = record.curve("loss")
    return bool(len(loss)) and not np.isfinite(loss).all()


def rare_classes(record: Record) -> Iterator[Found]:
    """A class has few rows, and its rows are taken for others."""
    if record.settings.is_weighted:
        return
    for output in record.outputs:
        if not output.picks_one:
            continue
        classes, counts = np.unique(output.classes(output.y), return_counts=True)
        rare = int(counts.argmin())
        share = counts[rare] / counts.max()
        mine = output.classes(output.asked) == classes[rare]
        found = float((output.answered[mine] == classes[rare]).mean()) if mine.any() else 0.0
        if len(classes) > 1 and share < _RARE and found < 0.5:
            values = {"class": float(classes[rare]), "rows": float(counts[rare]), "found": found}
            values |= {"share": counts[rare] / counts.sum(), "most": float(counts.max())}
            values["weight"] = float(round(1 / share))
            yield Found("rare_classes", 2 if found > 0 else 3, output.name or None, values | output.called)
            return


def initial_scale(record: Record) -> Iterator[Found]:
    """Before the first step the answers are far from what guessing would be."""
    if 0 not in record.losses or record.settings.is_weighted or not measures.is_poor(record):
        return
    for output, loss in zip(record.outputs, record.losses[0], strict=False):
        guess = measures.constant_loss(output)
        if output.picks_one and guess > 0 and loss > _TOO_CERTAIN * max(guess, math.log(2)):
            yield Found("initial_scale", 2, None, {"loss": loss, "guess": guess})
            return


def unlike_validation(record: Record) -> Iterator[Found]:
    """The validation data differs from the training data in its labels, or in a column."""
    for output in record.outputs:
        if output.held_out is None or not len(output.held_out):
            continue
        found = _unlike_classes(output) if output.picks_one else None
        if found:
            yield Found("unlike_validation", 3, None, found, "classes")
            return
        if output.is_numbers:
            column = _unlike_column(output.y, output.held_out)
            if column is not None:
                yield Found("unlike_validation", 2, None, column, "labels")
                return
    for number, (mine, others) in enumerate(zip(record.inputs, record.held_out, strict=False)):
        column = _unlike_column(mine, others)
        if column is not None:
            column["column"] = record.called(number, column["column"])
            yield Found("unlike_validation", 2, None, column)
            return
    if record.stray is not None and np.isfinite(record.curve("val_loss")).all():
        yield Found("unlike_validation", 2, None, measures.told_of_stray(record), "row")


def seen_validation(record: Record) -> Iterator[Found]:
    """Half of the validation rows, or more, are rows of training."""
    if record.seen >= 0.5:
        yield Found("seen_validation", 2, None, {"share": record.seen})


def _unlike_classes(output: Output) -> dict[str, Any] | None:
    """The class whose share differs most, where the shares differ by more than chance and by much."""
    assert output.held_out is not None
    mine, theirs = output.classes(output.y), output.classes(output.held_out)
    known = np.unique(np.concatenate([mine, theirs]))
    here = np.array([(mine == one).mean() for one in known])
    there = np.array([(theirs == one).mean() for one in known])
    spread = np.sqrt(here * (1 - here) * (1 / len(mine) + 1 / len(theirs))) + 1 / len(mine) + 1 / len(theirs)
    away = np.abs(here - there)
    worst = int(away.argmax())
    # Half of the rows would have to change their class.
    if away.sum() / 2 < 0.3 or away[worst] < _BEYOND_CHANCE * spread[worst]:
        return None
    return {"class": float(known[worst]), "here": here[worst], "there": there[worst]}


def _unlike_column(mine: np.ndarray, others: np.ndarray) -> dict[str, Any] | None:
    """The column whose means differ most, where they differ by more than chance and by much."""
    # The squares of large numbers are beyond single precision.
    here = np.asarray(mine, np.float64).reshape(len(mine), -1)
    there = np.asarray(others, np.float64).reshape(len(others), -1)
    if here.shape[1] != there.shape[1]:
        return None
    means, others_means = here.mean(0), there.mean(0)
    variances, others_variances = here.var(0), there.var(0)
    spread = np.sqrt((variances + others_variances) / 2)
    away = np.abs(means - others_means)
    chance = np.sqrt(variances / len(here) + others_variances / len(there))
    differs = (away > _UNLIKE * spread) & (away > _BEYOND_CHANCE * chance) & (away > 1e-6 * np.abs(means))
    # A column that never changed in training may do so elsewhere; by little, that is no matter.
    differs &= (variances > 0) | (away > _UNLIKE)
    if not differs.any():
        return None
    # The clearest one, by spreads; a column that has hardly any is not the one to show.
    usual = float(np.median(spread)) or 1.0
    column = int(np.where(differs, away / np.maximum(spread, usual), -1.0).argmax())
    values = {"column": column, "here": float(means[column]), "there": float(others_means[column])}
    return {**values, "std": float(np.sqrt(variances[column])), "count": float(differs.sum())}
