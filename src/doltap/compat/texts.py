"""`keras.preprocessing.text`: words as numbers, in the order of how often they stand in the texts.

Keras 3 has a layer for it; old programs make a Tokenizer, which is no layer
and keeps its counts in plain dicts.
"""

from __future__ import annotations

import collections
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, UnknownNameError
from doltap.registry import check_arguments

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(
    input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text.

    >>> text_to_word_sequence("Hello, World!")
    ['hello', 'world']
    """
    text = input_text.lower() if lower else input_text
    return [word for word in text.translate({ord(each): split for each in filters}).split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, made of its letters; different words may share one.

    Args:
        hash_function: a function from text to a number, "md5", or None for Python's
            own, which gives other numbers in every process.

    >>> hashing_trick("the cat sat", 10, hash_function="md5")
    [6, 3, 1]
    """
    if hash_function == "md5":
        hash_function = _md5
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [(hash_function or hash)(word) % (n - 1) + 1 for word in words]


def one_hot(
    input_text: str,
    n: int,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, by Python's own hash."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers words by how often they stand in the texts; 0 stands for none.

    Args:
        num_words: only the num_words - 1 most frequent ones are used; None uses all.
        oov_token: the word that stands for unknown ones; None leaves those out.
        analyzer: a function from a text to its words; None splits it.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat sat on the mat"])
    >>> tokenizer.texts_to_sequences(["the mat"])
    [[1, 5]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        **keywords: Any,
    ) -> None:
        num_words = keywords.pop("nb_words", num_words)
        self.document_count = keywords.pop("document_count", 0)
        check_arguments("Tokenizer", keywords, ["num_words", "filters", "lower", "split", "char_level"])
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: dict[str, int] = collections.OrderedDict()
        self.word_docs: dict[str, int] = collections.defaultdict(int)
        self.index_docs: dict[int, int] = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of the texts, which may be lists of words, and number them."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        by_count = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        first = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {word: number for number, word in enumerate(first + by_count, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Sequence[int]]) -> None:
        """Count in how many sequences each number stands, for the modes of `sequences_to_matrix`."""
        for sequence in sequences:
            self.document_count += 1
            for number in set(sequence):
                self.index_docs[number] += 1

    def _words(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, (list, tuple)):
            parts = [part.lower() for part in text] if self.lower else list(text)
            return parts
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """The same, one text after the other."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            numbers = (self.word_index.get(word, unknown) for word in self._words(text))
            limited = (number if self._is_used(number) else unknown for number in numbers)
            yield [number for number in limited if number is not None]

    def _is_used(self, number: int | None) -> bool:
        return number is not None and (not self.num_words or number < self.num_words)

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """The words of each sequence of numbers."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Sequence[int]]) -> Iterator[str]:
        """The same, one sequence after the other."""
        for sequence in sequences:
            words = (self.index_word.get(number) if self._is_used(number) else None for number in sequence)
            known = (self.oov_token if word is None else word for word in words)
            yield " ".join(word for word in known if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """A row of num_words columns for each text; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """A row for each sequence, with a column for each number.

        Args:
            mode: "binary" whether the number is there, "count" how often, "freq" its
                share of the sequence, "tfidf" weighted by how rare it is.
        """
        if mode not in _MODES:
            raise UnknownNameError.of("mode of a Tokenizer", mode, _MODES)
        if not self.num_words and not self.word_index:
            raise DataError(
                "Tokenizer",
                expected="num_words or texts it was fitted on",
                got="neither",
                fix="Call fit_on_texts.",
            )
        matrix = np.zeros((len(sequences), self.num_words or len(self.word_index) + 1))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in collections.Counter(sequence).items():
                if number < len(row):
                    row[number] = self._weight(number, count, len(sequence), mode)
        return matrix

    def _weight(self, number: int, count: int, length: int, mode: str) -> float:
        if mode == "tfidf":
            rarity = math.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + math.log(count)) * rarity
        return {"binary": 1.0, "count": float(count), "freq": count / length}[mode]

    def get_config(self) -> dict[str, Any]:
        """What it was made with, and what it has counted as texts of JSON."""
        counted = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        made = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {
            **{name: getattr(self, name) for name in made},
            **{name: json.dumps(getattr(self, name)) for name in counted},
        }

    def to_json(self, **keywords: Any) -> str:
        """All of it as one text, which `tokenizer_from_json` reads."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **keywords)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The Tokenizer that `to_json` wrote.

    >>> tokenizer_from_json(Tokenizer(num_words=9).to_json()).num_words
    9
    """
    config = json.loads(json_string)["config"]
    counted = {
        name: json.loads(config.pop(name)) for name in list(config) if name.startswith(("word_", "index_"))
    }
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts.update(counted["word_counts"])
    tokenizer.word_docs.update(counted["word_docs"])
    tokenizer.index_docs.update({int(number): count for number, count in counted["index_docs"].items()})
    tokenizer.word_index = counted["word_index"]
    tokenizer.index_word = {int(number): word for number, word in counted["index_word"].items()}
    return tokenizer
