"""`tf.data.TextLineDataset`: the lines of files as elements."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.ordered import UNKNOWN
from doltap.compat.tensorflow.data.specs import TensorSpec, as_element
from doltap.compat.tensorflow.tensor import array_from

__all__ = ["TextLineDataset"]


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
            is_data = isinstance(filenames, Dataset)
            names = filenames.values() if is_data else np.ravel(array_from(as_element(filenames)))
            for name in names:
                with open(os.fsdecode(np.asarray(name).item()), "rb") as file:
                    for line in file:
                        yield np.asarray(line.rstrip(b"\r\n"), object)

        return Dataset(begin, UNKNOWN, spec=TensorSpec((), "string"), kind="TextLine")
