"""The sentences of every finding, in English and in Korean: what is wrong with its evidence, and a cure."""

from __future__ import annotations

import math
import string
from typing import Any

from doltap.reporting.diagnosis.finding import Finding, Found
from doltap.reporting.diagnosis.sentences import SENTENCES

__all__ = ["in_words", "retold"]


# In front of what is said of one of several outputs.
_OF_OUTPUT = {"en": "Output '{output}': ", "ko": "출력 '{output}': "}


def in_words(found: Found, language: str) -> Finding:
    """The finding, told in "en" or "ko"."""
    key = f"{found.name}.{found.variant}" if found.variant else found.name
    text, cure = SENTENCES[key][language]
    told = _Told()
    values = dict(found.values)
    if "output" in values:
        text = _OF_OUTPUT[language] + text
    return Finding(
        found.name,
        found.severity,
        found.layer,
        told.vformat(text, (), values),
        told.vformat(cure, (), values),
        values,
        found.variant,
    )


def retold(finding: Finding, language: str) -> Finding:
    """The finding in another language."""
    found = Found(finding.name, finding.severity, finding.layer, finding.evidence, finding.variant)
    return in_words(found, language)


class _Told(string.Formatter):
    """Numbers as people say them: {share:percent}, {share:one_in}, {rate:number}, {epochs:count}."""

    def format_field(self, value: Any, format_spec: str) -> str:
        kinds = {"percent": _percent, "one_in": _one_in, "number": _number, "count": _count, "times": _times}
        if format_spec in kinds:
            return kinds[format_spec](float(value))
        return str(value)


def _percent(share: float) -> str:
    percent = 100 * share
    if percent > 1000:
        return f"{_count(percent)}%"
    return f"{percent:.0f}%" if abs(percent) >= 10 or percent == 0 else f"{_rounded(percent, 2)}%"


def _one_in(share: float) -> str:
    return f"1/{_count(1 / share if share > 0 else math.inf)}"


def _times(ratio: float) -> str:
    return _count(ratio)


def _number(value: float) -> str:
    return _rounded(value, 3)


def _count(value: float) -> str:
    """A whole number; of a large one that is not exact, the first two digits."""
    if not math.isfinite(value) or value >= 1e9:
        return "1,000,000,000"
    if value == round(value) and value < 1e4:
        return f"{round(value):,}"
    return f"{round(value, 1 - math.floor(math.log10(value))):,.0f}" if value >= 1 else _rounded(value, 2)


def _rounded(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "?"
    if abs(value) < 1e-4 or abs(value) >= 1e7:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
