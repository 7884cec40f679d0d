"""From the record of a run to what is wrong with it, worst first, in words.

A cause explains its consequences: where one was found, these are left out.
"""

from __future__ import annotations

import numpy as np

from doltap.reporting.diagnosis import course, data, ends, layers
from doltap.reporting.diagnosis.finding import Finding
from doltap.reporting.diagnosis.record import Record
from doltap.reporting.diagnosis.words import in_words

__all__ = ["CHECKS", "findings"]

# Causes before their consequences; findings of one severity are told in this order.
CHECKS = (
    data.constant_labels,
    data.constant_inputs,
    ends.output_mismatch,
    layers.vanishing_gradients,
    layers.exploding_gradients,
    course.not_finite,
    course.nothing_moves,
    course.diverged,
    data.unscaled_inputs,
    data.unscaled_labels,
    layers.strong_penalty,
    layers.batch_statistics,
    layers.dead_units,
    course.rate_too_high,
    data.unlike_validation,
    data.seen_validation,
    data.rare_classes,
    course.constant_answers,
    layers.saturated_units,
    data.initial_scale,
    course.rate_too_low,
    course.large_batches,
    course.learns_nothing,
    course.overfitting,
    course.underfitting,
    course.plateau,
)

# Of fewer rows nothing is known about units, labels and columns.
_FEWEST_ROWS = 10
_OF_ANY_ROWS = (course.not_finite, course.nothing_moves, course.diverged)

_SLOW = ("initial_scale", "rate_too_low", "large_batches", "underfitting", "plateau")
_ALIKE = ("constant_answers", "rare_classes", "underfitting", "plateau")
# What is no news once the first is known.
_EXPLAINS = {
    "constant_labels": (*_SLOW, *_ALIKE, "overfitting", "output_mismatch"),
    "constant_inputs": (*_SLOW, *_ALIKE, "overfitting", "dead_units", "saturated_units", "nothing_moves"),
    "output_mismatch": (
        *_SLOW,
        *_ALIKE,
        "overfitting",
        "dead_units",
        "nothing_moves",
        "rate_too_high",
        "saturated_units",
        "unscaled_labels",
    ),
    "vanishing_gradients": (*_SLOW, "constant_answers", "dead_units", "saturated_units"),
    "exploding_gradients": (*_SLOW, "constant_answers", "rate_too_high", "saturated_units", "dead_units"),
    "not_finite": (
        *_SLOW,
        *_ALIKE,
        "diverged",
        "nothing_moves",
        "rate_too_high",
        "dead_units",
        "saturated_units",
    ),
    "nothing_moves": (*_SLOW, *_ALIKE, "dead_units", "saturated_units"),
    "diverged": (*_SLOW, "rate_too_high"),
    "unscaled_inputs": (*_SLOW, "rate_too_high", "saturated_units", "dead_units"),
    "unscaled_labels": (*_SLOW, *_ALIKE, "dead_units"),
    "strong_penalty": (*_SLOW, *_ALIKE, "rate_too_high", "dead_units", "vanishing_gradients"),
    "batch_statistics": ("overfitting", "learns_nothing", *_SLOW, *_ALIKE),
    "learns_nothing": ("overfitting", *_ALIKE),
    "dead_units": (*_SLOW, "constant_answers"),
    "rate_too_high": (*_SLOW, "constant_answers", "saturated_units"),
    "unlike_validation": ("overfitting", "learns_nothing"),
    "rare_classes": ("constant_answers",),
    "constant_answers": ("underfitting", "plateau"),
    "saturated_units": (*_SLOW, "constant_answers"),
    "large_batches": ("rate_too_low", "underfitting", "plateau"),
    "rate_too_low": ("underfitting", "plateau"),
    "underfitting": ("plateau",),
}


def findings(record: Record, language: str = "en") -> list[Finding]:
    """What is wrong with a run, worst first.

    Args:
        language: "en" or "ko".
    """
    num_rows = min((len(output.asked) for output in record.outputs), default=_FEWEST_ROWS)
    checks = CHECKS if num_rows >= _FEWEST_ROWS else _OF_ANY_ROWS
    # What is too large to be squared makes a measure infinite or unknown, which every check bears.
    with np.errstate(all="ignore"):
        found = [each for check in checks for each in check(record)]
    explained = {name for each in found for name in _EXPLAINS.get(each.name, ())}
    left = [each for each in found if each.name not in explained]
    return [in_words(each, language) for each in sorted(left, key=lambda each: -each.severity)]
