"""Curves that move while a model trains: in a notebook, in a window, or in a file."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from typing import Any

from doltap import reporting
from doltap.callbacks.callback import Callback, Logs
from doltap.errors import DataError, UnknownNameError, printable
from doltap.files import writing
from doltap.registry import explained

__all__ = ["LivePlot"]

Curves = dict[str, list[Any]]

# At most this share of the time goes into drawing.
_LARGEST_SHARE = 1 / 20
_FILE = "training.png"
_ENDINGS = (".png", ".svg", ".pdf", ".jpg")


class LivePlot(Callback):
    """Draws the curves of losses and metrics again and again while training goes on.

    In a notebook they stand below the cell; where matplotlib can open a window, in
    one; elsewhere in a file. Needs matplotlib: pip install "doltap[plot]".

    Args:
        path: a file to draw to, such as "curves.png"; None for a notebook or a
            window, and "training.png" where there is neither.
        metrics: the measures to draw, such as ["loss"]; None for all.
        seconds: how long a drawing stands at least, before the next one.
    """

    # Drawings come by time, so that no epoch has to wait for one.
    unheard: tuple[str, ...] = ("on_epoch_end",)

    @explained
    def __init__(self, path: Any = None, metrics: Sequence[str] | None = None, seconds: float = 1.0) -> None:
        super().__init__()
        reporting.curves.check_ready()
        if not isinstance(seconds, (int, float)) or not seconds > 0:
            raise DataError("LivePlot(seconds)", expected="a number above 0", got=repr(seconds), fix="Try 1.")
        example = f"LivePlot('{_FILE}')"
        self.path = None if path is None else writing.checked_path(path, "LivePlot(path)", example, _ENDINGS)
        self.metrics = [metrics] if isinstance(metrics, str) else metrics
        self.seconds = float(seconds)
        # Where it draws, while training goes on.
        self._screen: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin to draw, beside the training."""
        self._check_metrics()
        self._drawn = time.monotonic()
        self._share = 0.0
        self._screen = _screen(self.path)
        # A window's own library draws only where the program runs, between epochs.
        self.unheard = () if self._screen.is_window else ("on_epoch_end",)
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="drawing curves", daemon=True)
        if not self._screen.is_window:
            self._thread.start()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Draw in the window, if it is time."""
        if time.monotonic() - self._drawn >= self._pause():
            self._draw()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """The last drawing."""
        self._end()

    def _on_train_abandoned(self, error: BaseException) -> None:
        """The last drawing, of the epochs that there are."""
        self._end()

    def _end(self) -> None:
        if self._screen is None:
            return
        self._has_ended.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._draw()
            self._screen.close()
        except Exception as error:
            warnings.warn(
                f"LivePlot: the last drawing failed: {error}. The training was not touched by it.",
                stacklevel=3,
            )
        finally:
            # A copy for another fit begins anew.
            del self._has_ended, self._thread
            self._screen = None

    def _keep_drawing(self) -> None:
        has_ended = self._has_ended
        while not has_ended.wait(self._pause()):
            with contextlib.suppress(Exception):
                # What is wrong is said at the end, and stops no training.
                self._draw()

    def _pause(self) -> float:
        return max(self.seconds, self._share / _LARGEST_SHARE)

    def _check_metrics(self) -> None:
        run = getattr(self.params, "run", None)
        if self.metrics is not None and run is not None and run[0] is not None:
            known = (*run[0].names, "learning_rate")
            for name in self.metrics:
                if name not in known:
                    raise UnknownNameError.of("LivePlot(metrics)", name, known)

    def _draw(self) -> None:
        """Draw what the History holds now."""
        history = self.model.history
        if not history.epoch:
            return
        began = time.monotonic()
        # Copies, as training goes on beside.
        when = {name: list(epochs) for name, epochs in list(history.when.items())}
        measures = {name: list(values) for name, values in list(history.history.items())}
        self._screen.show(when, measures, reporting.curves.panels(measures, self.metrics))
        self._drawn = time.monotonic()
        self._share = self._drawn - began


class _File:
    """Curves in a file, which is written aside and renamed."""

    is_window = False

    def __init__(self, path: str) -> None:
        self.path, self.is_drawn = os.path.abspath(path), False
        self.figure = importlib.import_module("matplotlib.figure").Figure()
        writing.check_writable(self.path)

    def show(self, when: Curves, measures: Curves, names: list[str]) -> None:
        reporting.curves.draw(self.figure, when, measures, names)
        kind = os.path.splitext(self.path)[1].lower().removeprefix(".")
        writing.write_aside(self.path, lambda aside: self.figure.savefig(aside, format=kind))
        self.is_drawn = True

    def close(self) -> None:
        if self.is_drawn:
            print(f"LivePlot: the curves stand in {printable(self.path, 200)}", file=sys.stderr)


class _Notebook:
    """Curves below a cell, each drawing in place of the one before."""

    is_window = False

    def __init__(self) -> None:
        self.display = importlib.import_module("IPython.display")
        self.figure = importlib.import_module("matplotlib.figure").Figure()
        self.handle: Any = None

    def show(self, when: Curves, measures: Curves, names: list[str]) -> None:
        reporting.curves.draw(self.figure, when, measures, names)
        content = io.BytesIO()
        self.figure.savefig(content, format="png", dpi=80)
        image = self.display.Image(content.getvalue())
        if self.handle is None:
            self.handle = self.display.display(image, display_id=True)
        else:
            self.handle.update(image)

    def close(self) -> None:
        """The last drawing stays."""


class _Window:
    """Curves in a window of matplotlib's."""

    is_window = True

    def __init__(self) -> None:
        self.pyplot = importlib.import_module("matplotlib.pyplot")
        self.figure = self.pyplot.figure()
        self.opens = bool(getattr(self.figure.canvas, "required_interactive_framework", None))
        if self.opens:
            self.pyplot.show(block=False)

    def discard(self) -> None:
        """Leave nothing behind where there is no screen."""
        self.pyplot.close(self.figure)

    def show(self, when: Curves, measures: Curves, names: list[str]) -> None:
        reporting.curves.draw(self.figure, when, measures, names)
        self.figure.canvas.draw_idle()
        self.figure.canvas.flush_events()

    def close(self) -> None:
        """The window stays open; plt.show() waits for it."""


def _screen(path: str | None) -> Any:
    """Where the curves are shown."""
    if path is not None:
        return _File(path)
    # IPython may stand there as None, or may not be loaded whole.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and hasattr(shell, "kernel"):
        return _Notebook()
    window = _Window()
    if window.opens:
        return window
    window.discard()
    return _File(_FILE)
