"""A picture of a search: every candidate as a line through its parameters, and each parameter's scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, optional_package, printable

__all__ = ["figure"]

_COLUMNS = 4
_MOST_LABELS = 8


class _Axis:
    """The values of a parameter as heights from 0 to 1, with what stands beside some of them."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name = printable(name, 30)
        self.is_number = all(
            isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in values
        )
        self.is_log = False
        if not self.is_number:
            texts = [printable(getattr(v, "__name__", v), 20) for v in values]
            known = sorted(set(texts))
            self.numbers = np.array([known.index(text) for text in texts], float)
            self.labels = dict(enumerate(known))
            return
        self.numbers = np.array(values, float)
        lowest, highest = self.numbers.min(), self.numbers.max()
        self.is_log = bool(lowest > 0 and highest / lowest >= 30)
        self.labels = {number: f"{number:.3g}" for number in sorted(set(self.numbers.tolist()))}
        if len(self.labels) > _MOST_LABELS:
            ends = np.geomspace if self.is_log else np.linspace
            self.labels = {float(number): f"{number:.3g}" for number in ends(lowest, highest, 5)}

    def heights(self, numbers: Any) -> np.ndarray:
        """Where numbers stand between the lowest and the highest."""
        numbers = np.asarray(numbers, float)
        scaled, ends = (np.log(numbers), np.log(self.numbers)) if self.is_log else (numbers, self.numbers)
        span = np.ptp(ends)
        return (scaled - ends.min()) / span if span else np.full(len(scaled), 0.5)


def figure(params: Sequence[dict[str, Any]], scores: np.ndarray, score: str) -> Any:
    """The picture, a Figure of matplotlib.

    Args:
        params, scores: of the candidates.
        score: its name.
    """
    figures: Any = optional_package("matplotlib.figure", extra="plot", purpose="search.plot()")
    shown = [place for place in range(len(params)) if math.isfinite(scores[place])]
    if not shown:
        raise DataError(
            "search.plot()", expected="a candidate with a score", got="none", fix="See search.errors_."
        )
    shown.sort(key=lambda place: scores[place])
    values = scores[shown]
    names = list(dict.fromkeys(name for one in params for name in one))
    axes = [_Axis(name, [params[place].get(name, "") for place in shown]) for name in names]
    num_rows = math.ceil(len(axes) / _COLUMNS)
    num_columns = min(_COLUMNS, len(axes))
    whole = figures.Figure(figsize=(max(6.0, 3.0 * num_columns), 4.0 + 2.8 * num_rows), layout="constrained")
    grid = whole.add_gridspec(1 + num_rows, num_columns, height_ratios=[1.4] + [1.0] * num_rows)
    colors = _colors(values)
    _draw_lines(whole.add_subplot(grid[0, :]), [*axes, _Axis(score, values.tolist())], colors)
    for number, axis in enumerate(axes):
        row, column = divmod(number, _COLUMNS)
        _draw_points(whole.add_subplot(grid[1 + row, column]), axis, values, score, colors)
    return whole


def _colors(values: np.ndarray) -> Any:
    """From dark for the worst to bright for the best; by rank, so that one bad score hides nothing."""
    maps: Any = optional_package("matplotlib", extra="plot", purpose="search.plot()")
    ranks = np.argsort(np.argsort(values)) / max(1, len(values) - 1)
    return maps.colormaps["viridis"](ranks)


def _draw_lines(place: Any, axes: Sequence[_Axis], colors: Any) -> None:
    heights = np.stack([axis.heights(axis.numbers) for axis in axes])
    for line, color in zip(heights.T, colors, strict=True):
        place.plot(range(len(axes)), line, color=color, alpha=0.8, linewidth=1.2)
    place.plot(range(len(axes)), heights[:, -1], color="crimson", linewidth=2, label="best")
    for number, axis in enumerate(axes):
        place.axvline(number, color="0.6", linewidth=0.8)
        for height, text in zip(axis.heights([*axis.labels]), axis.labels.values(), strict=True):
            place.annotate(
                text, (number, height), (3, 0), textcoords="offset points", va="center", fontsize=7
            )
    place.set_xticks(range(len(axes)), [axis.name for axis in axes])
    place.set_yticks([])
    place.margins(x=0.05)
    place.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=7, frameon=False)


def _draw_points(place: Any, axis: _Axis, values: np.ndarray, score: str, colors: Any) -> None:
    place.scatter(axis.numbers, values, c=colors, s=18)
    place.scatter(axis.numbers[-1:], values[-1:], color="crimson", s=40, marker="*")
    place.set_xlabel(axis.name)
    place.set_ylabel(printable(score, 30))
    if axis.is_log:
        place.set_xscale("log")
    if not axis.is_number:
        place.set_xticks([*axis.labels], [*axis.labels.values()], rotation=30, fontsize=7)
