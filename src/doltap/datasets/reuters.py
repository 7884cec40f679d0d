"""Reuters: 11,228 news of 1987 as rows of word numbers, in 46 topics."""

from __future__ import annotations

import numpy as np

from doltap import doors, old_names, registry
from doltap.datasets import archives, fetching, texts
from doltap.registry import explained

__all__ = ["get_label_names", "get_word_index", "load_data"]

_MOST_BYTES = 3_000_000
_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_MOST_BYTES_OF_WORDS = 1_000_000
_MD5_OF_WORDS = "4d44cc38712099c9e383dc6e5f11a921"
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship "
    "cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal "
    "livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi "
    "hog lead"
)


@old_names.accepts("reuters")
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **keywords: object,
) -> archives.Split:
    """The news as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    x are arrays of lists of word numbers, y the number of the topic, in the
    order of `get_label_names`.

    Args:
        path: the file's name in the folders that are searched, or an absolute path.
        test_split: the share of the news that are for testing.
        num_words, skip_top, maxlen, seed, start_char, oov_char, index_from: as of `imdb.load_data`.

    Raises:
        DatasetError: the file can be neither found nor fetched, or is not what it should be.
    """
    registry.check_arguments("reuters.load_data()", keywords, registry.arguments_of(load_data))
    share = archives.checked_share(test_split)
    options = texts.Options(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    file = fetching.PinnedFile(path, "reuters.npz", _MOST_BYTES, _SHA256, stays_packed=True)
    x, y = archives.shuffled(seed, *archives.arrays(archives.content_of(file, "reuters"), path, ("x", "y")))
    rows, labels = texts.shorter(texts.as_rows(x, options, path), y, maxlen)
    rows, labels = texts.with_known_words(rows, options), np.asarray(labels)
    end = int(len(rows) * (1 - share))
    return (texts.as_objects(rows[:end]), labels[:end]), (texts.as_objects(rows[end:]), labels[end:])


@explained
def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, from 1 for the most frequent; news have it with `index_from` added.

    Args:
        path: the file's name in the folders that are searched, or an absolute path.
    """
    file = fetching.PinnedFile(
        path, "reuters_word_index.json", _MOST_BYTES_OF_WORDS, _MD5_OF_WORDS, stays_packed=True
    )
    return archives.word_index(archives.content_of(file, "reuters"), path)


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[3]
    'earn'
    """
    return tuple(_TOPICS.split())


doors.guard(__name__)
