"""Files as data sets: `TextLineDataset` gives their lines, `TFRecordDataset` their records."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from typing import IO, Any, cast

import numpy as np

from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.ordered import UNKNOWN
from doltap.compat.tensorflow.data.specs import TensorSpec, as_element
from doltap.compat.tensorflow.records import records_of
from doltap.compat.tensorflow.tensor import array_from
from doltap.errors import NotSupportedError

__all__ = ["TFRecordDataset", "TextLineDataset", "opened"]


def opened(name: str, compression_type: Any) -> IO[bytes]:
    """The file, unpacked while it is read where it is said to be packed."""
    kind = np.asarray("" if compression_type is None else compression_type).item()
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind not in ("", "GZIP"):
        raise NotSupportedError(
            f"'{name}'",
            expected="compression_type 'GZIP', or none",
            got=repr(kind),
            fix="Unpack the file first.",
        )
    return cast(IO[bytes], gzip.open(name)) if kind else open(name, "rb")


class TextLineDataset(Dataset):
    """The lines of text files, one file after the other.

    Args:
        filenames: a name, several, or a data set of names.
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

        def begin() -> Iterator[Any]:
            for name in _names(filenames):
                with opened(name, compression_type) as file:
                    for line in file:
                        yield np.asarray(line.rstrip(b"\r\n"), object)

        return Dataset(begin, UNKNOWN, spec=TensorSpec((), "string"), kind="TextLine")


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

        def begin() -> Iterator[Any]:
            for name in _names(filenames):
                for record in records_of(name, compression_type):
                    yield np.asarray(record, object)

        return Dataset(begin, UNKNOWN, spec=TensorSpec((), "string"), kind="TFRecordDatasetV2")


def _names(filenames: Any) -> Iterator[str]:
    is_data = isinstance(filenames, Dataset)
    names = filenames.values() if is_data else np.ravel(array_from(as_element(filenames)))
    for name in names:
        yield os.fsdecode(np.asarray(name).item())
