"""What the data shows: labels that say nothing, inputs off scale, rare classes, outputs that cannot fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.reporting.diagnosis import measures
from doltap.reporting.diagnosis.finding import Found
from doltap.reporting.diagnosis.record import Output, Record

__all__ = [
    "constant_labels",
    "initial_scale",
    "output_mismatch",
    "rare_classes",
    "unlike_validation",
    "unscaled_inputs",
    "unscaled_labels",
]

# Initializers are made for inputs of spread about 1 around 0 (LeCun et al., "Efficient
# BackProp", 1998); ten times that is off scale whatever the initializer.
_OFF_SCALE = 10.0
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
            yield Found("constant_labels", 3, output.name or None, values)
            return


def unscaled_inputs(record: Record) -> Iterator[Found]:
    """A column of the inputs is far larger than initializers expect, and the first layer feels it."""
    first = next((one for one in record.first_signs if one.position >= 0), None)
    if first is None or not (measures.is_poor(record) or _diverged(record)):
        return
    feels = first.saturated_share > 0.5 or abs(first.std) > _OFF_SCALE / 2
    if not (feels or math.isnan(first.std)):
        return
    for number, part in enumerate(record.inputs):
        columns = np.asarray(part, np.float64).reshape(len(part), -1)
        sizes = np.sqrt((columns**2).mean(0))
        column = int(sizes.argmax())
        if sizes[column] > _OFF_SCALE:
            values = {"column": column, "columns": columns.shape[1], "input": number}
            values |= {"mean": columns[:, column].mean(), "std": columns[:, column].std()}
            values |= {"low": columns.min(), "high": columns.max()}
            is_image = part.ndim > 2
            yield Found("unscaled_inputs", 3, first.name, values, "image" if is_image else "")
            return


def unscaled_labels(record: Record) -> Iterator[Found]:
    """Labels are far from where the answers of a fresh network lie, and are still far from them."""
    if not measures.is_poor(record):
        return
    for output in record.outputs:
        if output.loss not in measures.DISTANCES or not output.is_numbers:
            continue
        y = np.asarray(output.y, np.float64)
        size, answered = math.sqrt((y**2).mean()), math.sqrt((np.asarray(output.answers) ** 2).mean())
        # An answer of the right size is wrong for other reasons.
        if size > _OFF_SCALE and answered < 0.8 * size:
            values = {"mean": y.mean(), "std": y.std(), "answered": float(np.mean(output.answers))}
            yield Found("unscaled_labels", 3, output.name or None, values | output.called)
            return


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


def output_mismatch(record: Record) -> Iterator[Found]:
    """The last layer cannot give what the labels ask for, or the loss takes it for something else."""
    last = next((one.name for one in reversed(record.last_signs) if one.is_output), None)
    for output in record.outputs:
        variant = _mismatch(output)
        if variant:
            y = np.asarray(output.y, np.float64)
            values = {"layer": last or "the last layer", "activation": output.activation, "loss": output.loss}
            values |= {"low": y.min(), "high": y.max(), "units": output.answers.shape[-1]}
            yield Found("output_mismatch", 3, last, values, variant)
            return


def _mismatch(output: Output) -> str:
    curve, low, high = output.activation, float(np.min(output.y)), float(np.max(output.y))
    if output.is_numbers:
        bounds = {"relu": (0.0, math.inf), "softplus": (0.0, math.inf), "sigmoid": (0.0, 1.0)}
        bounds |= {"tanh": (-1.0, 1.0), "softmax": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0)}
        least, most = bounds.get(curve or "", (-math.inf, math.inf))
        return "out_of_reach" if low < least or high > most else ""
    if "Crossentropy" not in output.loss or (curve is None and not output.answers.size):
        return ""
    if curve == "softmax" and output.answers.shape[-1] == 1:
        return "softmax_of_one"
    is_share = curve in ("softmax", "sigmoid", "hard_sigmoid", "sparsemax")
    if output.from_logits and is_share:
        return "twice"
    if not output.from_logits and not is_share:
        # A curve of the user's own may well give probabilities.
        answers = output.answers
        outside = bool((answers < -1e-3).any() or (answers > 1 + 1e-3).any())
        return ("relu" if curve == "relu" else "no_probabilities") if outside or curve == "relu" else ""
    return ""


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
    for mine, others in zip(record.inputs, record.held_out, strict=False):
        column = _unlike_column(mine, others)
        if column is not None:
            yield Found("unlike_validation", 2, None, column)
            return


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
    here = np.asarray(mine, np.float32).reshape(len(mine), -1)
    there = np.asarray(others, np.float32).reshape(len(others), -1)
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
