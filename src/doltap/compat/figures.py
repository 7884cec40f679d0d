"""Figures where there is no screen: `plt.show()` saves them in a folder, or leaves them out and says so.

A backend of matplotlib's, which loads it by its name when a program imports
pyplot.
"""

from __future__ import annotations

import atexit
import os
import pathlib
import sys
from typing import Any

import matplotlib
from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

__all__ = ["FigureCanvas", "FigureManager", "Shown", "shown"]


class Shown:
    """What a program wanted to show."""

    def __init__(self) -> None:
        self.count = 0
        # Figures that are shown while the program goes on: how they look at its end counts.
        self._open: dict[int, Any] = {}

    def later(self, figure: Any) -> None:
        """Keep a figure until the program ends, or shows it and waits."""
        self._open[id(figure)] = figure

    def now(self, figure: Any) -> None:
        """Save a figure as it is now, if figures are kept."""
        self._open.pop(id(figure), None)
        self.count += 1
        folder = os.environ.get("DOLTAP_FIGURES")
        if folder:
            name = pathlib.Path(sys.argv[0] if sys.argv else "").stem.strip("-") or "figure"
            figure.savefig(os.path.join(folder, f"{name}-{self.count}.png"))

    def tell(self) -> None:
        """Save what is left, and say in one line what became of all figures."""
        for figure in list(self._open.values()):
            self.now(figure)
        if not self.count:
            return
        what = "1 figure" if self.count == 1 else f"{self.count} figures"
        folder = os.environ.get("DOLTAP_FIGURES")
        were = "was" if self.count == 1 else "were"
        told = f"{were} not shown, as there is no screen: doltap run --figures FOLDER saves such figures"
        print(f"doltap: {what} {f'saved in {folder}' if folder else told}.", file=sys.stderr)


shown = Shown()
atexit.register(shown.tell)


class FigureManager(FigureManagerBase):
    """A window that is not there."""

    def show(self) -> None:
        """Show this figure while the program goes on."""
        shown.later(self.canvas.figure)

    @classmethod
    def pyplot_show(cls, *arguments: Any, block: bool | None = None) -> None:
        """Show all figures; if the program waits for it, they are closed afterwards, as windows are."""
        waits = arguments[0] if arguments else block
        if waits is None:
            waits = not matplotlib.is_interactive()
        for manager in Gcf.get_all_fig_managers():
            if not waits:
                manager.show()
                continue
            shown.now(manager.canvas.figure)
            Gcf.destroy(manager)


class FigureCanvas(FigureCanvasAgg):
    """A canvas that is drawn in memory, and at which nobody clicks."""

    manager_class = FigureManager

    def start_event_loop(self, timeout: float = 0) -> None:
        """Nothing: what waits for a click, or for the eye, goes on."""
