"""Texts as rows of word numbers: the frequent words have the small ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from doltap.errors import DataError, DatasetError

__all__ = ["Options", "as_objects", "as_rows", "shorter", "with_known_words"]

Texts = list[list[int]]


class Options(NamedTuple):
    """How words become numbers, in Keras's words."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int | None


def as_rows(texts: Iterable[Any], options: Options, place: object) -> Texts:
    """Each text as a list of numbers moved by `index_from`, with `start_char` in front."""
    moved, start = options.index_from or 0, [] if options.start_char is None else [options.start_char]
    if options.start_char is None and not options.index_from:
        return [[*text] for text in map(_checker(place), texts)]
    return [start + [word + moved for word in text] for text in map(_checker(place), texts)]


def _checker(place: object) -> Any:
    def checked(text: Any) -> list[int]:
        if type(text) is not list or not set(map(type, text)) <= {int}:
            raise DatasetError(
                f"file '{place}'",
                expected="a list of whole numbers for each text",
                got=type(text).__name__,
                fix="Put the published file there, or take this one away.",
            )
        return text

    return checked


def shorter(texts: Texts, labels: Any, maxlen: int | None) -> tuple[Texts, Any]:
    """The texts of fewer words than `maxlen`, and their labels; all of them where it is None."""
    if not maxlen:
        return texts, labels
    kept = [(text, label) for text, label in zip(texts, labels, strict=True) if len(text) < maxlen]
    if not kept:
        raise DataError(
            "load_data(maxlen)",
            expected="some texts that are shorter",
            got=f"none of fewer than {maxlen} words",
            fix="Give a larger maxlen.",
        )
    return [text for text, _ in kept], [label for _, label in kept]


def with_known_words(texts: Texts, options: Options) -> Texts:
    """The texts with `oov_char` in the place of words too rare or too frequent, or without those."""
    top = options.num_words or max(map(max, filter(None, texts)), default=0)
    lowest, other = options.skip_top, options.oov_char
    if other is None:
        return [[word for word in text if lowest <= word < top] for text in texts]
    return [[word if lowest <= word < top else other for word in text] for text in texts]


def as_objects(texts: Texts) -> np.ndarray:
    """An array of the lists, whatever their lengths."""
    rows = np.empty(len(texts), object)
    for number, text in enumerate(texts):
        rows[number] = text
    return rows
