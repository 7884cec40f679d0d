"""The sentences of every finding, in English and in Korean: what is wrong with its evidence, and a cure."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from typing import Any

from doltap.reporting.diagnosis.finding import Finding, Found
from doltap.reporting.diagnosis.sentences import SENTENCES
from doltap.reporting.language import with_particles

__all__ = ["in_words", "retold"]


# In front of what is said of one of several outputs.
_OF_OUTPUT = {"en": "Output '{output}': ", "ko": "출력 '{output}': "}
# What is said besides, where there is evidence of that name.
_BESIDES = {
    "began": {
        "en": " It began with a loss of {began:number}, where one answer for all rows has {guess:number}, "
        "and had to come down from there.",
        "ko": " 모든 행에 같은 답을 낼 때의 손실이 {guess:number}인데 {began:number}에서 시작해 거기서부터 "
        "내려와야 했습니다.",
    },
    "outlier": {
        "en": " Hardly a hundredth of the rows makes it so: there is {outlier:number}, where nearly all lie "
        "between {least:number} and {most:number}.",
        "ko": " 행의 100분의 1도 안 되는 값 때문입니다. 거의 모두 {least:number}에서 {most:number} 사이인데 "
        "{outlier:number}이(가) 있습니다.",
    },
    "flat": {
        "en": " Before the first step {flat:percent} of what '{layer}' gave lay at the flat ends of "
        "{activation}.",
        "ko": " 첫걸음 전에 이미 '{layer}' 층이 내는 값의 {flat:percent}가 {activation}의 평평한 끝에 "
        "있었습니다.",
    },
    "stray": {
        "en": " Row {row} of the validation {part} has {stray:value} in {column:column}, where rows of "
        "training stay within {reach:number} of {middle:number}.",
        "ko": " 검증 {part}의 {row}번 행(0부터 셈)은 {column:column}이 {stray:value}인데, 훈련 행은 "
        "{middle:number}과(와) {reach:number} 넘게 차이 나지 않습니다.",
    },
    "where": {"en": " {where:said}", "ko": " {where:said}"},
    "breaks": {
        "en": " '{breaks}' is the first layer that gives no finite number for it.",
        "ko": " 그 행에 대해 유한한 수를 내지 못하는 첫 층은 '{breaks}'입니다.",
    },
}
# What the cure takes besides, where there is evidence of that name.
_CURES_BESIDES = {
    "bytes": {
        "en": " Divide the inputs as well (x / {bytes}), as relu passes on how large they are.",
        "ko": " relu는 입력의 크기를 그대로 전하므로 입력도 x / {bytes}로 나누세요.",
    },
}
# A column without a name has a number.
_END = {"en": ("'{}'", "The last layer"), "ko": ("'{}' 층", "마지막 층")}
_COLUMN = {"en": ("column '{}'", "column {}"), "ko": ("'{}' 열", "{}번 열(0부터 셈)")}


def in_words(found: Found, language: str) -> Finding:
    """The finding, told in "en" or "ko"."""
    key = f"{found.name}.{found.variant}" if found.variant else found.name
    text, cure = SENTENCES[key][language]
    told = _Told(language)
    values = dict(found.values)
    if "output" in values:
        text = _OF_OUTPUT[language] + text
    text += "".join(more[language] for name, more in _BESIDES.items() if name in values)
    cure += "".join(more[language] for name, more in _CURES_BESIDES.items() if name in values)
    return Finding(
        found.name,
        found.severity,
        found.layer,
        told.sentence(text, values),
        told.sentence(cure, values),
        values,
        found.variant,
    )


def retold(finding: Finding, language: str) -> Finding:
    """The finding in another language."""
    found = Found(finding.name, finding.severity, finding.layer, finding.evidence, finding.variant)
    return in_words(found, language)


class _Told(string.Formatter):
    """Numbers and columns as people say them: {share:percent}, {rate:number}, {at:column}, {layer:end}."""

    def __init__(self, language: str) -> None:
        self._language = language

    def sentence(self, text: str, values: Mapping[str, Any]) -> str:
        """The text with its values, and in Korean with the particles that suit them."""
        told = self.vformat(text, (), values)
        return with_particles(told) if self._language == "ko" else told

    def format_field(self, value: Any, format_spec: str) -> str:
        kinds = {"percent": _percent, "one_in": _one_in, "number": _number, "count": _count, "times": _times}
        kinds["value"] = _value
        if format_spec == "said":
            return str(value[self._language])
        if format_spec == "end":
            return _END[self._language][0 if value else 1].format(value)
        if format_spec == "column":
            return _COLUMN[self._language][0 if isinstance(value, str) else 1].format(value)
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


def _value(value: float) -> str:
    return _number(value) if math.isfinite(value) else "NaN" if math.isnan(value) else str(value)


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
