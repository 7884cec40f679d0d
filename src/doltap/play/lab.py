"""A page's lab: an experiment in a thread of its own, which goes on as far as somebody looks.

A frame that nobody fetched is the last one: a page that was closed trains nothing.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from typing import Any

from doltap.errors import DoltapError, printable
from doltap.play import programs, settings, tables
from doltap.play.experiment import Experiment
from doltap.play.points import Points
from doltap.play.refusals import RefusedError
from doltap.play.settings import Setup
from doltap.play.tables import Table

__all__ = ["Lab"]

# As fast as it goes: how long is trained between two frames.
_SECONDS_BETWEEN = 0.06
_MOST_DRAWN = 1000
# A step may have to be compiled first.
_LONGEST_WAIT_SECONDS = 30


class Lab:
    """What one page works with.

    Args:
        table: the one to begin with, if any.
    """

    def __init__(self, table: Table | None = None) -> None:
        self.table = table
        self.last_seen = time.monotonic()
        self._changed = threading.Condition()
        # What was asked for and not begun yet.
        self._wanted: tuple[Setup, Points, Table | None] | None = None
        self._wanted_rate: float | None = None
        self._steps = 0
        self._is_running = False
        self._speed = settings.SPEEDS[0]
        # The last frame, its number, and the last number that was fetched.
        self._frame = b""
        self._number = self._fetched = 0
        # How many experiments were chosen, so that a page can tell whose a frame is.
        self._chosen = 0
        self._experiment: Experiment | None = None
        # Whether the last frame is the quick one, without vital signs.
        self._is_quick = False
        self._is_busy = self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="playground", daemon=True)
        self._thread.start()

    def open_table(self, content: bytes, name: str) -> dict[str, Any]:
        """Take up a table of the user's, and tell its columns."""
        with self._changed:
            # Whether it can be learned from or not: what was learned before is of another table.
            self._is_running, self._steps = False, 0
        self.table = tables.read(content, name)
        return self.table.describe()

    def choose(self, asked: Any) -> dict[str, Any]:
        """Begin the experiment that is asked for; its points."""
        table = self.table
        setup = settings.checked(asked, table)
        points = settings.points_of(setup, table)
        with self._changed:
            self._wanted, self._wanted_rate = (setup, points, table), None
            self._is_running, self._steps = False, 0
            self._chosen += 1
            self._changed.notify_all()
            return {"chosen": self._chosen, **_drawn(points)}

    def go(self, asked: dict[str, Any]) -> None:
        """Run, pause, make a step, or change the speed or the rate."""
        action, speed = asked.get("action"), asked.get("speed", self._speed)
        if action not in (None, "run", "pause", "step") or speed not in settings.SPEEDS:
            raise RefusedError("setting", name="action", expected="run, pause or step", value=repr(asked))
        rate = settings.checked_rate(asked["rate"]) if "rate" in asked else None
        with self._changed:
            self._speed = speed
            self._wanted_rate = rate if rate is not None else self._wanted_rate
            if action is not None:
                self._is_running = action == "run"
            self._steps += action == "step"
            self._changed.notify_all()

    def frame_after(self, number: int, seconds: float) -> bytes | None:
        """The last frame, if it is a later one; waits for it, and gives None if none comes."""
        with self._changed:
            self._fetched = max(self._fetched, min(number, self._number))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._number > number or self._is_closing, seconds)
            return self._frame if self._number > number else None

    def program(self, language: str) -> str:
        """The Keras program that does what was done so far; training pauses for it."""
        with self._changed:
            self._is_running = False
            is_done = self._changed.wait_for(self._is_at_rest, _LONGEST_WAIT_SECONDS)
            if not is_done:
                raise RefusedError("busy", seconds=_LONGEST_WAIT_SECONDS)
            if self._experiment is None:
                raise RefusedError("no experiment")
            return programs.program(self._experiment, language)

    def stop(self) -> None:
        """Do no more, once the step that is being made is done."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def is_done(self, within_seconds: float = 0.0) -> bool:
        """Whether it has stopped; waits so long for it."""
        self._thread.join(within_seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                if self._is_closing:
                    return
                chosen, wanted, rate = self._chosen, self._wanted, self._wanted_rate
                epochs = self._epochs() if wanted is None else 0
                self._wanted, self._wanted_rate = None, None
                self._steps = max(0, self._steps - (epochs > 0))
                self._is_busy = True
            try:
                told = self._do(wanted, rate, epochs)
            except Exception as error:
                # The page says that something went wrong; the server goes on for others.
                told = _trouble(error)
            self._publish(chosen, told)

    def _has_work(self) -> bool:
        if self._is_closing or self._wanted is not None:
            return True
        is_awaited = self._is_running and self._fetched == self._number
        is_asked = self._steps > 0 or self._wanted_rate is not None or self._is_quick or is_awaited
        return self._experiment is not None and is_asked

    def _is_at_rest(self) -> bool:
        return not (self._is_busy or self._wanted)

    def _epochs(self) -> int:
        """How many epochs lie before the next frame."""
        if self._steps:
            return 1
        if not self._is_running or self._experiment is None:
            return 0
        return self._speed or self._experiment.epochs_within(_SECONDS_BETWEEN)

    def _do(self, wanted: Any, rate: float | None, epochs: int) -> dict[str, Any]:
        if wanted is not None:
            self._experiment, self._is_quick = None, False
            self._experiment = Experiment(*wanted)
        assert self._experiment is not None
        if rate is not None:
            self._experiment.set_rate(rate)
        if epochs:
            self._experiment.advance(epochs)
        self._is_quick = wanted is not None
        return self._experiment.frame(has_signs=not self._is_quick)

    def _publish(self, chosen: int, told: dict[str, Any]) -> None:
        with self._changed:
            is_old = self._chosen != chosen
            if told.get("has_diverged") or "trouble" in told:
                self._is_running, self._steps = self._is_running and is_old, 0
            self._is_busy = False
            self._number += 1
            told |= {"number": self._number, "chosen": chosen, "is_running": self._is_running}
            self._frame = json.dumps(told, allow_nan=False).encode()
            self._changed.notify_all()


def _drawn(points: Points) -> dict[str, Any]:
    """The points as a page draws them: across, up, label, whether it is for the test."""
    is_test = [0] * len(points.places)
    for row in points.test:
        is_test[row] = 1
    rows = zip(points.places.tolist(), points.labels.tolist(), is_test, strict=True)
    drawn = [[round(x, 3), round(y, 3), round(label, 3), test] for (x, y), label, test in rows]
    return {
        "points": drawn[:_MOST_DRAWN],
        "names": list(points.names),
        "span": points.span,
        "num_train": len(points.train),
        "num_test": len(points.test),
    }


def _trouble(error: Exception) -> dict[str, Any]:
    traceback.print_exception(error)
    why = error if isinstance(error, DoltapError) else f"{type(error).__name__}: {error}"
    refused = RefusedError("broken", why=printable(why, 300))
    return {"trouble": {language: refused.told(language) for language in ("en", "ko")}}
