"""Curves of what training measured, one panel for each measure, drawn by matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, UnknownNameError, optional_package
from doltap.reporting.fonts import with_korean

__all__ = ["check_ready", "draw", "figure_of", "panels"]

_MOST_ACROSS = 3
# Inches of a panel, and what is left free round its axes.
_WIDTH, _HEIGHT = 4.6, 3.4
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.75, 0.15, 0.55, 0.4


def check_ready() -> None:
    """An error with the line that installs matplotlib, where it is not there."""
    optional_package("matplotlib", extra="plot", purpose="plots")


def panels(measures: Mapping[str, Sequence[Any]], names: Sequence[str] | None = None) -> list[str]:
    """The measures that get a panel, "loss" first; "val_loss" stands in that of "loss".

    Args:
        names: those that are wanted; None for all.

    >>> panels({"accuracy": [0.5], "loss": [2.0], "val_loss": [2.1]})
    ['loss', 'accuracy']
    """
    curves = [name for name, values in measures.items() if all(np.ndim(value) == 0 for value in values)]
    found = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    if names is not None:
        for name in names:
            if name not in found:
                raise UnknownNameError.of("a measure", name, found)
        return list(names)
    return sorted(found, key=lambda name: name != "loss")


def figure_of(
    when: Mapping[str, Sequence[int]],
    measures: Mapping[str, Sequence[Any]],
    names: Sequence[str] | None = None,
) -> Any:
    """A new figure of pyplot with the curves, so that `plt.show()` and notebooks show it."""
    check_ready()
    if not measures:
        raise DataError("plot()", expected="at least one epoch", got="none", fix="First: model.fit(x, y).")
    shown = panels(measures, names)
    figure = optional_package("matplotlib.pyplot", extra="plot", purpose="plots").figure()
    draw(figure, when, measures, shown)
    return figure


def draw(
    figure: Any, when: Mapping[str, Sequence[int]], measures: Mapping[str, Sequence[Any]], names: list[str]
) -> None:
    """The curves in a figure of matplotlib's, in place of what is in it.

    Args:
        when: of each measure the numbers of its epochs, counted from 0; shown counted from 1.
        names: the measures with a panel, as `panels` gives them.
    """
    ticker = optional_package("matplotlib.ticker", extra="plot", purpose="plots")
    chosen = optional_package("matplotlib", extra="plot", purpose="plots").rcParams["font.family"]
    # The user's own typeface comes first; names are text, and a dollar sign in one begins no formula.
    has_others = not all(name.isascii() for name in names)
    letters = {"fontfamily": [*chosen, *with_korean()] if has_others else chosen, "parse_math": False}
    figure.clear()
    across = max(1, min(_MOST_ACROSS, len(names)))
    down = max(1, math.ceil(len(names) / across))
    figure.set_size_inches(_WIDTH * across, _HEIGHT * down)
    for number, name in enumerate(names):
        axes = figure.add_subplot(down, across, number + 1)
        for key, label, color in ((name, "training", "C0"), (f"val_{name}", "validation", "C1")):
            count = min(len(measures.get(key, ())), len(when.get(key, ())))
            if count:
                numbers = np.asarray(when[key][:count]) + 1
                marker = "o" if count == 1 else None
                axes.plot(numbers, measures[key][:count], label=label, color=color, marker=marker)
        axes.set_title(name.replace("_", " "), **letters)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        axes.grid(alpha=0.25)
        if axes.lines:
            axes.legend(frameon=False)
    _lay_out(figure, across, down)


def _lay_out(figure: Any, across: int, down: int) -> None:
    """Room for numbers and titles; measuring them (`tight_layout`) would take a third of the time."""
    high, wide = _HEIGHT - _BELOW - _ABOVE, _WIDTH - _LEFT - _RIGHT
    figure.subplots_adjust(
        left=_LEFT / (_WIDTH * across),
        right=1 - _RIGHT / (_WIDTH * across),
        bottom=_BELOW / (_HEIGHT * down),
        top=1 - _ABOVE / (_HEIGHT * down),
        wspace=(_LEFT + _RIGHT) / wide,
        hspace=(_BELOW + _ABOVE) / high,
    )
