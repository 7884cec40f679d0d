"""Files as data sets: `TextLineDataset` gives their lines, `TFRecordDataset` their records."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.ordered import UNKNOWN
from doltap.compat.tensorflow.data.specs import TensorSpec, as_element
from doltap.compat.tensorflow.records import opened, records_of
from doltap.compat.tensorflow.tensor import array_from

__all__ = ["TFRecordDataset", "TextLineDataset"]


class TextLineDataset(Dataset):
    """The lines of text files, one file after the other.

    Args:
        filenames: a name, several, or a data set of names.
        compression_type: "", "GZIP" or "ZLIB".
    """

    def __new__(
        cls,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        *args: Any,
        **keywords: Any,
    ) -> Any:
        """A plain data set: what is made of it is one, too."""

        def lines(name: str) -> Iterator[bytes]:
            with opened(name, compression_type) as file:
                for line in file:
                    yield line.rstrip(b"\r\n")

        return _texts_in(filenames, lines, "TextLine")


class TFRecordDataset(Dataset):
    """The records of files, one file after the other, as texts.

    Args:
        filenames: a name, several, or a data set of names.
        compression_type: "", "GZIP" or "ZLIB".
    """

    def __new__(
        cls,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        *args: Any,
        **keywords: Any,
    ) -> Any:
        """A plain data set: what is made of it is one, too."""

        return _texts_in(filenames, lambda name: records_of(name, compression_type), "TFRecordDatasetV2")


def _texts_in(filenames: Any, read: Callable[[str], Iterator[bytes]], kind: str) -> Dataset:
    """What is read from files, one after the other, each piece a text."""

    def begin() -> Iterator[Any]:
        for name in _names(filenames):
            for text in read(name):
                yield np.asarray(text, object)

    return Dataset(begin, UNKNOWN, spec=TensorSpec((), "string"), kind=kind)


def _names(filenames: Any) -> Iterator[str]:
    is_data = isinstance(filenames, Dataset)
    names = filenames.values() if is_data else np.ravel(array_from(as_element(filenames)))
    for name in names:
        yield os.fsdecode(np.asarray(name).item())
