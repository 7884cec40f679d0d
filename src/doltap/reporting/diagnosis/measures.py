"""What checks of several kinds measure a run by: the best constant answer, its neighbours, its pace.

The bounds here and in the checks have reasons, told where they stand; none was fitted to a network.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.reporting.diagnosis.record import Output, Record

__all__ = [
    "DISTANCES",
    "Pace",
    "are_bytes",
    "behind_neighbours",
    "constant_loss",
    "explained",
    "is_poor",
    "neighbours_score",
    "pace_of",
    "score",
    "shares",
    "told_of_stray",
]

_NEIGHBOURS = 5


def shares(classes: np.ndarray) -> np.ndarray:
    """The share of each class among the rows, for those that occur.

    >>> shares(np.array([0, 0, 0, 4])).tolist()
    [0.75, 0.25]
    """
    counts = np.unique(classes, return_counts=True)[1]
    return counts / max(1, counts.sum())


def constant_loss(output: Output) -> float:
    """The loss of the best answer that is the same for every row; NaN where that is not known."""
    y = np.asarray(output.y, np.float64)
    if "Crossentropy" in output.loss and "Focal" not in output.loss:
        if output.picks_one:
            present = shares(output.classes(output.y))
            return float(-(present * np.log(present)).sum())
        if output.labels == "probabilities" and y.size:
            chance = np.clip(y.reshape(len(y), -1).mean(0), 1e-7, 1 - 1e-7)
            return float(-(chance * np.log(chance) + (1 - chance) * np.log(1 - chance)).mean())
    away = DISTANCES.get(output.loss)
    return math.nan if away is None else away(y)


def _huber(y: np.ndarray) -> float:
    away = np.abs(y - np.median(y, 0))
    return float(np.where(away <= 1, away * away / 2, away - 0.5).mean())


# The loss of the best constant answer, for losses that measure a distance.
DISTANCES: dict[str, Callable[[np.ndarray], float]] = {
    "MeanSquaredError": lambda y: float(y.var(0).mean()),
    "MeanAbsoluteError": lambda y: float(np.abs(y - np.median(y, 0)).mean()),
    "Huber": _huber,
}


def explained(record: Record) -> float:
    """The share of the constant answer's loss that the model has taken away; NaN where that is not known.

    1 is perfect, 0 no better than one answer for all rows, and below 0 worse.
    """
    if not record.losses or record.settings.is_weighted:
        return math.nan
    found = []
    for output, loss in zip(record.outputs, record.losses[max(record.losses)], strict=False):
        constant = constant_loss(output)
        if constant > 0:
            found.append(1 - loss / constant)
    return float(np.mean(found)) if found else math.nan


def is_poor(record: Record) -> bool:
    """Whether the run has left more than half of the loss of the best constant answer.

    What could harm is told where harm shows: pixels from 0 to 255 are trained on with success
    every day. Half is what Cohen (1988) is far beyond calling a large effect, 0.26 of the variance.
    """
    share = explained(record)
    if not math.isnan(share):
        return share < 0.5
    loss = record.curve("loss")
    return not (len(loss) > 1 and loss[-1] < loss[0] / 2)


def score(output: Output) -> float:
    """The share of right answers, or of the explained variance; NaN where there is no such thing."""
    if output.picks_one:
        return float(np.mean(output.classes(output.asked) == output.answered))
    if output.is_numbers:
        return _share_of_variance(output, output.answers)
    return math.nan


def neighbours_score(record: Record, output: Output) -> float:
    """The score of answering what the five nearest other rows say, on the same rows.

    Of distances between rows that were brought to one scale. Cover and Hart (1967): with
    many rows its error is at most twice the least possible; so a network that is far behind
    it has not seen what the data shows.
    """
    table = [np.asarray(part, np.float64).reshape(len(part), -1) for part in record.asked]
    if not table or len(table[0]) <= 2 * _NEIGHBOURS:
        return math.nan
    rows = np.concatenate(table, axis=1)
    rows = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-9)
    squares = (rows**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.argpartition(distances, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    if output.picks_one:
        classes = output.classes(output.asked)
        votes = np.stack([(classes[nearest] == each).sum(1) for each in np.unique(classes)], 1)
        return float(np.mean(np.unique(classes)[votes.argmax(1)] == classes))
    if output.is_numbers:
        return _share_of_variance(output, np.asarray(output.asked, np.float64)[nearest].mean(1))
    return math.nan


def behind_neighbours(record: Record) -> tuple[float, float] | None:
    """Its score and that of the neighbours, where it is far behind; None where it is not, or not known."""
    if len(record.outputs) != 1:
        return None
    output = record.outputs[0]
    if not (output.picks_one or output.loss in DISTANCES) or _is_repeated(record, output):
        return None
    mine, theirs = score(output), neighbours_score(record, output)
    # Twice the neighbours' mistakes, and a tenth more: three standard errors on 256 rows.
    return (mine, theirs) if theirs - mine > 0.1 and 1 - mine > 2 * (1 - theirs) else None


def _is_repeated(record: Record, output: Output) -> bool:
    """Whether the labels are the inputs, as an autoencoder's are; a neighbour is always near to a row."""
    shape = output.asked.shape
    return any(part.shape == shape and np.array_equal(part, output.asked) for part in record.asked)


def _share_of_variance(output: Output, answers: np.ndarray) -> float:
    y = np.asarray(output.asked, np.float64).reshape(len(output.asked), -1)
    if y.size != answers.size:
        return math.nan
    left, all_there_is = ((y - answers.reshape(y.shape)) ** 2).sum(), ((y - y.mean(0)) ** 2).sum()
    return float(1 - left / all_there_is) if all_there_is > 0 else math.nan


def are_bytes(part: np.ndarray) -> bool:
    """Whether they are numbers from 0 to 255, as pixels are."""
    return bool(part.size and part.min() >= 0 and 128 <= part.max() <= 255)


def told_of_stray(record: Record) -> dict[str, Any]:
    """Which number of the validation data is unlike those of training, as evidence; empty without one."""
    if record.stray is None:
        return {}
    found = dataclasses.asdict(record.stray)
    layer, value = found.pop("layer"), found.pop("value")
    is_broken = layer and not math.isfinite(record.curve("val_loss")[-1])
    return {**found, "stray": value} | ({"breaks": layer} if is_broken else {})


class Pace:
    """How the loss goes down towards the end of a run.

    Args:
        is_steady: whether it still falls, with hardly an epoch in which it rises.
        per_epoch: by which share it falls from one epoch to the next.
        epochs_to_halve: after how many epochs in all it will be half of what it is.
    """

    def __init__(self, is_steady: bool, per_epoch: float, epochs_to_halve: float) -> None:
        self.is_steady, self.per_epoch, self.epochs_to_halve = is_steady, per_epoch, epochs_to_halve


def pace_of(loss: np.ndarray) -> Pace:
    """The pace over the second half of the epochs.

    Learning curves are exponentials where one direction is left to go, and powers of the
    number of epochs where there are ever smaller ones (Cortes et al. 1993); whichever fits
    better tells how many epochs are needed.
    """
    late = loss[len(loss) // 2 :] if len(loss) >= 6 else loss[1:] if len(loss) > 3 else loss
    if len(late) < 3 or not np.isfinite(loss).all() or late.min() <= 0:
        return Pace(False, 0.0, math.inf)
    epochs = np.arange(len(loss) - len(late) + 1, len(loss) + 1)
    logarithm = np.log(late)
    by_epoch, left_by_epoch = _line(epochs, logarithm)
    by_power, left_by_power = _line(np.log(epochs), logarithm)
    rises = np.diff(late) > 0
    is_steady = bool(by_epoch < 0 and rises.mean() <= 0.25 and late[-1] <= late.min() * 1.01)
    if by_epoch >= 0 or by_power >= 0:
        return Pace(False, -by_epoch, math.inf)
    if left_by_epoch < left_by_power:
        needed = len(loss) + math.log(2) / -by_epoch
    else:
        needed = len(loss) * math.exp(min(700.0, math.log(2) / -by_power))
    return Pace(is_steady, -by_epoch, needed)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of the straight line through some points, and what it leaves of them."""
    away = x - x.mean()
    slope = float((away * (y - y.mean())).sum() / (away**2).sum())
    return slope, float((((y - y.mean()) - slope * away) ** 2).sum())
