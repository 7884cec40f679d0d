"""How good answers are: counts of right and wrong classes, curves over thresholds, errors of numbers.

NumPy in, NumPy out. Every row counts; only `thinned` leaves points of curves out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Calibration", "ClassScores", "NumberScores", "area", "calibration", "class_scores", "confusion"]
__all__ += ["confusions", "number_scores", "roc", "sampled", "thinned"]


class ClassScores(NamedTuple):
    """Of each class its precision, recall, F1 and number of rows; NaN where nothing divides."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


class Calibration(NamedTuple):
    """Bins of confidence: what was said on average, what was so, and the rows of each; and the mean error."""

    confidence: np.ndarray
    share: np.ndarray
    rows: np.ndarray
    error: float


class NumberScores(NamedTuple):
    """How far numbers are from the truth."""

    r2: float
    mae: float
    rmse: float
    median: float
    largest: float


def confusion(truth: np.ndarray, guess: np.ndarray, count: int) -> np.ndarray:
    """How often each class, by row, was taken for each class, by column.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    return np.bincount(truth * count + guess, minlength=count * count).reshape(count, count)


def confusions(truth: np.ndarray, guess: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    """What is most often taken for what, and how often: the class, what it was taken for, the rows.

    >>> confusions(np.array([0, 0, 1, 2]), np.array([2, 2, 0, 2]), 5)
    [(0, 2, 2), (1, 0, 1)]
    """
    wrong = np.stack([truth, guess], 1)[truth != guess]
    pairs, rows = np.unique(wrong, axis=0, return_counts=True)
    order = np.argsort(-rows, kind="stable")[:most]
    return [(int(pairs[place, 0]), int(pairs[place, 1]), int(rows[place])) for place in order]


def class_scores(truth: np.ndarray, guess: np.ndarray, count: int) -> ClassScores:
    """Precision, recall and F1 of each class."""
    right = np.bincount(truth[truth == guess], minlength=count).astype(np.float64)
    said, there = (np.bincount(each, minlength=count) for each in (guess, truth))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall, f1 = right / said, right / there, 2 * right / (said + there)
    return ClassScores(precision, recall, f1, there)


def calibration(confidence: np.ndarray, is_so: np.ndarray, num_bins: int = 10) -> Calibration:
    """How often what was said with a confidence was so; the error is that of Guo et al. (2017).

    Args:
        confidence: from 0 to 1, of each row.
        is_so: whether it was so.
    """
    place = np.clip((confidence * num_bins).astype(int), 0, num_bins - 1)
    count = np.bincount(place, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, confidence, num_bins) / count
        share = np.bincount(place, is_so.astype(np.float64), num_bins) / count
    gaps = np.abs(said - share)[count > 0]
    error = float(np.sum(gaps * count[count > 0]) / max(len(confidence), 1))
    return Calibration(said, share, count, error)


def roc(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of false and of true alarms at every threshold, the highest first; empty for one class."""
    order = np.argsort(-score, kind="stable")
    truth, score = truth[order].astype(bool), score[order]
    # Rows of equal score are told apart by no threshold.
    ends = np.r_[np.flatnonzero(np.diff(score)), len(score) - 1] if len(score) else np.array([], int)
    hits, alarms = np.cumsum(truth)[ends], np.cumsum(~truth)[ends]
    if not len(ends) or not hits[-1] or not alarms[-1]:
        return np.array([]), np.array([])
    return np.r_[0.0, alarms / alarms[-1]], np.r_[0.0, hits / hits[-1]]


def area(xs: np.ndarray, ys: np.ndarray) -> float:
    """The area under a curve; NaN under none.

    >>> area(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    1.0
    """
    return float(np.sum(np.diff(xs) * (ys[1:] + ys[:-1]) / 2)) if len(xs) else float("nan")


def number_scores(truth: np.ndarray, guess: np.ndarray) -> NumberScores:
    """R² and sizes of the errors, over all values; R² is NaN where the truth does not vary."""
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    errors = np.abs(guess - truth)
    spread = np.sum((truth - truth.mean(0)) ** 2)
    r2 = 1 - float(np.sum(errors**2) / spread) if spread else float("nan")
    rmse = float(np.sqrt(np.mean(errors**2)))
    return NumberScores(r2, float(errors.mean()), rmse, float(np.median(errors)), float(errors.max()))


def sampled(count: int, most: int) -> np.ndarray:
    """Numbers of rows, drawn evenly, the same ones each time; all where they are few."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def thinned(xs: np.ndarray, ys: np.ndarray, most: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """A curve with fewer points that looks the same: of each stretch the ends, the lowest and the highest."""
    if len(xs) <= most:
        return xs, ys
    kept = []
    for part in np.array_split(np.arange(len(xs)), most // 4):
        values = ys[part]
        extremes = [] if np.isnan(values).all() else [np.nanargmin(values), np.nanargmax(values)]
        kept += sorted({int(part[0]), *(int(part[each]) for each in extremes), int(part[-1])})
    return xs[kept], ys[kept]
