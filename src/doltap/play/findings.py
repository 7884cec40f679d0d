"""What `callbacks.Diagnose` would say of an experiment if it ended now, in both languages."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from doltap.reporting.diagnosis import Finding, LayerSigns, judging, words
from doltap.training.records import RunExamination

__all__ = ["Watch"]

# What a network has hardly begun with is no finding yet, unless its loss is no number any more.
_FEWEST_EPOCHS = 20
# Of longer runs the last epochs are judged, so that a page that is left open takes no more memory.
_MOST_EPOCHS = 5000
# At most this share of the time goes into judging.
_LARGEST_SHARE = 1 / 20


class Watch:
    """Follows one experiment.

    Args:
        names: what a page calls each layer, in each language.
    """

    def __init__(self, names: Mapping[str, Mapping[str, str]]) -> None:
        self._names = names
        self._look: RunExamination | None = None
        self._curves: dict[str, list[float]] = {}
        self._when: dict[str, list[int]] = {}
        self._signs: dict[int, Sequence[LayerSigns]] = {}
        self._losses: dict[int, Sequence[float]] = {}
        self._told: list[dict[str, Any]] | None = None
        self._cost_seconds = self._judged_at = 0.0

    def begin(self, look: RunExamination) -> None:
        """Take the signs before the first step."""
        self._look = look
        self.take(0)

    @property
    def has_begun(self) -> bool:
        """Whether there is something to look at."""
        return self._look is not None

    def take(self, epochs: int) -> Sequence[LayerSigns]:
        """The signs as they are now, after so many epochs."""
        assert self._look is not None
        self._signs[epochs] = self._look.take()
        self._losses[epochs] = self._look.losses.tolist()
        # The first, the last, and the one before, as the last of a network that failed are no numbers.
        for old in sorted(self._signs)[1:-2]:
            del self._signs[old], self._losses[old]
        return self._signs[epochs]

    def note(self, curves: Mapping[str, Sequence[float]], when: Mapping[str, Sequence[int]]) -> None:
        """Add epochs to the curves."""
        for mine, more in ((self._curves, curves), (self._when, when)):
            for name, values in more.items():
                mine[name] = [*mine.get(name, ()), *values][-_MOST_EPOCHS:]

    def forget(self) -> None:
        """What was so far, was with another learning rate."""
        self._curves, self._when, self._told = {}, {}, None

    def findings(self) -> list[dict[str, Any]] | None:
        """What is wrong so far, worst first, in both languages; None while it is too early to say.

        They are those of a moment ago where judging them again would cost too much of the time.
        """
        loss = self._curves.get("loss", ())
        has_failed = any(not math.isfinite(value) for value in loss)
        if self._look is None or (len(loss) < _FEWEST_EPOCHS and not has_failed):
            return None
        is_due = time.perf_counter() - self._judged_at >= self._cost_seconds / _LARGEST_SHARE
        if self._told is None or has_failed or is_due:
            self.judge()
        return self._told

    def judge(self) -> None:
        """Bring the findings up to now."""
        assert self._look is not None
        began = time.perf_counter()
        record = self._look.record(self._curves, self._when, self._signs, self._losses)
        self._told = [self._as_told(each) for each in judging.findings(record)]
        self._judged_at = time.perf_counter()
        self._cost_seconds = self._judged_at - began

    def _as_told(self, finding: Finding) -> dict[str, Any]:
        told = {language: str(self._in(finding, language)) for language in self._names}
        return {"name": finding.name, "severity": finding.severity, **told}

    def _in(self, finding: Finding, language: str) -> Finding:
        """The finding with the names of layers that the page uses."""
        names = self._names[language]
        evidence = {
            key: names.get(value, value) if key in ("layer", "last") else value
            for key, value in finding.evidence.items()
        }
        return words.retold(replace(finding, evidence=evidence), language)
