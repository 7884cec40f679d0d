"""The section on where a model is wrong: the worst mistakes, as pictures or as rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from doltap.reporting.report import images, png
from doltap.reporting.report.charts import compact
from doltap.reporting.report.learned import section
from doltap.reporting.report.markup import Markup, element, short, table
from doltap.reporting.report.subject import Answer, Subject, TestInput
from doltap.reporting.report.words import Words

__all__ = ["mistakes_of", "worst"]

_MOST_PICTURES, _MOST_ROWS, _MOST_COLUMNS = 24, 15, 12
# So many columns of the test data fit on paper; page.css leaves out the others.
_MOST_ON_PAPER = 6
_SHOWN_SIDE = 84


def worst(answer: Answer, most: int) -> np.ndarray:
    """The places of the worst answers, the worst first: wrong and sure, or far off.

    Where nothing is wrong they are the right answers that were the least sure.
    """
    if answer.task == "numbers":
        scale = answer.truth.astype(np.float64).std(0)
        errors = np.abs(answer.guess - answer.truth) / np.where(scale > 0, scale, 1.0)
        return np.argsort(-errors.max(1), kind="stable")[:most]
    wrong = answer.chosen != answer.truth
    if answer.task == "labels":
        sure = np.where(wrong, np.abs(answer.guess - answer.truth), 0.0).max(1)
    else:
        # How much likelier the best wrong class seemed than the right one.
        shares, rows = answer.shares, np.arange(len(answer.truth))
        others = shares.copy()
        others[rows, answer.truth] = -np.inf
        sure = others.max(1) - shares[rows, answer.truth]
    order = np.argsort(-sure, kind="stable")
    is_wrong = wrong.any(1) if wrong.ndim == 2 else wrong
    return (order[is_wrong[order]] if is_wrong.any() else order)[:most]


def mistakes_of(subject: Subject, words: Words) -> Markup | None:
    """The worst mistakes of every output."""
    judged = [answer for answer in subject.answers if answer.task != "unknown" and len(answer.truth)]
    if not judged:
        return None
    pictured = [(each, shape) for each in subject.inputs if (shape := images.picture_shape(each.values))]
    parts: list[Markup] = []
    for answer in judged:
        if len(judged) > 1:
            parts.append(element("h3", words("output_named", name=answer.name)))
        parts.append(element("p", _told(answer, words)))
        if pictured:
            parts.append(_pictures(answer, *pictured[0], words))
        else:
            parts += _rows(answer, subject.inputs, words)
    return section("mistakes", words("mistakes"), *parts)


def _told(answer: Answer, words: Words) -> str:
    count = f"{len(answer.truth):,}"
    if answer.task == "numbers":
        return words("largest_errors", count=min(_MOST_ROWS, len(answer.truth)))
    wrong = answer.chosen != answer.truth
    number = int((wrong.any(1) if wrong.ndim == 2 else wrong).sum())
    return (
        words("mistakes_told", wrong=f"{number:,}", count=count)
        if number
        else words("no_mistakes", count=count)
    )


def _pictures(answer: Answer, given: TestInput, shape: tuple[int, int, int], words: Words) -> Markup:
    places = worst(answer, _MOST_PICTURES)
    rows = places if answer.rows is None else answer.rows[places]
    values = given.values[rows]
    low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if len(values) else (0.0, 1.0)
    side = _SHOWN_SIDE / max(shape[:2])
    size = {"width": round(shape[1] * side), "height": round(shape[0] * side)}
    figures = []
    for place, row, picture in zip(places, rows, images.as_pictures(values, shape, low, high), strict=True):
        told, lines = _captions(answer, int(place), int(row), words)
        address = Markup(png.as_address(picture))
        figures.append(
            element("figure", element("img", src=address, alt=told, **size), element("figcaption", *lines))
        )
    return element("div", *figures, class_="pictures")


def _captions(answer: Answer, place: int, row: int, words: Words) -> tuple[str, list[Markup]]:
    """What is said of a picture to those who do not see it, and the lines below it."""
    truth, said, sure = _answered(answer, place)
    key = "picture_number" if answer.task == "numbers" else "picture_told"
    told = words(key, row=row, truth=truth, said=said, share=sure)
    lines = [
        element("span", words("is"), " ", element("b", short(truth, 18))),
        element("span", words("taken_for"), " ", element("b", short(said, 18)), " ", sure),
    ]
    return told, lines


def _answered(answer: Answer, place: int) -> tuple[str, str, str]:
    """The truth, the answer, and how sure the model was, or how large the error is."""
    if answer.task == "numbers":
        truth, said = answer.truth[place], answer.guess[place]
        far = compact(float(np.abs(said - truth).max()))
        return _numbers(truth), _numbers(said), far
    if answer.task == "labels":
        marked = [_labelled(answer, each[place]) for each in (answer.truth, answer.chosen)]
        return marked[0], marked[1], ""
    chosen = int(answer.chosen[place])
    sure = f"{100 * answer.shares[place, chosen]:.0f}%" if answer.is_share else ""
    return answer.names[int(answer.truth[place])], answer.names[chosen], sure


def _numbers(values: np.ndarray) -> str:
    few = ", ".join(compact(float(value)) for value in values[:3])
    return f"{few}, …" if len(values) > 3 else few


def _labelled(answer: Answer, marks: np.ndarray) -> str:
    return ", ".join(answer.names[number] for number in np.flatnonzero(marks).tolist()) or "-"


def _rows(answer: Answer, inputs: Sequence[TestInput], words: Words) -> Iterator[Markup]:
    places = worst(answer, _MOST_ROWS)
    rows = places if answer.rows is None else answer.rows[places]
    columns = [column for given in inputs for column in _columns(given, len(inputs) > 1)]
    shown = columns[:_MOST_COLUMNS]
    last = words("error_column" if answer.task == "numbers" else "sure")
    head = [words("row"), words("truth_column"), words("said_column"), last, *(name for name, _ in shown)]
    lines = [
        (str(row), *_answered(answer, int(place)), *(_cell(values[row]) for _, values in shown))
        for place, row in zip(places, rows, strict=True)
    ]
    yield table(words("worst_rows"), head, lines, texts=(1, 2))
    for most, media in ((_MOST_COLUMNS, "screen"), (_MOST_ON_PAPER, "paper")):
        if len(columns) > most:
            yield element("p", words("more_columns", count=len(columns) - most), class_=f"note {media}")


def _columns(given: TestInput, is_one_of_several: bool) -> Iterator[tuple[str, np.ndarray]]:
    """The columns of a table of rows, by name."""
    flat = given.values.reshape(len(given.values), -1)
    front = f"{given.name} " if is_one_of_several else ""
    for number in range(flat.shape[1]):
        has_name = given.columns is not None and len(given.columns) == flat.shape[1]
        name = given.columns[number] if has_name and given.columns else f"x{number}"
        yield f"{front}{name}", flat[:, number]


def _cell(value: Any) -> str:
    if isinstance(value, (bool, np.bool_, str, bytes)):
        return short(value, 40)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return short(value, 40)
    return "-" if math.isnan(number) else compact(number)
