"""IMDB: 50,000 reviews of films as rows of word numbers, half of them for testing, liked or not."""

from __future__ import annotations

import numpy as np

from doltap import doors, old_names, registry
from doltap.datasets import archives, fetching, texts
from doltap.registry import explained

__all__ = ["get_word_index", "load_data"]

_MOST_BYTES = 18_000_000
_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_MOST_BYTES_OF_WORDS = 2_000_000
_MD5_OF_WORDS = "bfafd718b763782e994055a2d397834f"
_KEYS = ("x_train", "y_train", "x_test", "y_test")


@old_names.accepts("imdb")
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **keywords: object,
) -> archives.Split:
    """The reviews as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    x are arrays of lists of word numbers, y is 1 where the film was liked.

    Args:
        path: the file's name in the folders that are searched, or an absolute path.
        num_words: only numbers below are kept; None keeps all.
        skip_top: numbers below are left out: the most frequent words.
        maxlen: only reviews of fewer words are kept; None keeps all.
        seed: of the order into which they are brought.
        start_char: stands in front of every review; None for nothing.
        oov_char: stands for words that were left out; None leaves no trace of them.
        index_from: what is added to the numbers of `get_word_index`.

    Raises:
        DatasetError: the file can be neither found nor fetched, or is not what it should be.
    """
    registry.check_arguments("imdb.load_data()", keywords, registry.arguments_of(load_data))
    options = texts.Options(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    file = fetching.PinnedFile(path, "imdb.npz", _MOST_BYTES, _SHA256, stays_packed=True)
    found = archives.arrays(archives.content_of(file, "imdb"), path, _KEYS)
    generator = np.random.RandomState(seed)
    parts = []
    for x, y in (found[:2], found[2:]):
        order = np.arange(len(x))
        generator.shuffle(order)
        parts.append(texts.shorter(texts.as_rows(x[order], options, path), y[order], maxlen))
    (x_train, y_train), (x_test, y_test) = parts
    rows = texts.with_known_words(x_train + x_test, options)
    labels, end = np.concatenate([y_train, y_test]), len(x_train)
    return (texts.as_objects(rows[:end]), labels[:end]), (texts.as_objects(rows[end:]), labels[end:])


@explained
def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, from 1 for the most frequent; reviews have it with `index_from` added.

    Args:
        path: the file's name in the folders that are searched, or an absolute path.
    """
    file = fetching.PinnedFile(
        path, "imdb_word_index.json", _MOST_BYTES_OF_WORDS, _MD5_OF_WORDS, stays_packed=True
    )
    return archives.word_index(archives.content_of(file, "imdb"), path)


doors.guard(__name__)
