"""`tf.lookup`: tables from keys to values, for eager use."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, as_tensor
from doltap.layers.preprocessing import fingerprints

__all__ = ["KeyValueTensorInitializer", "StaticHashTable", "StaticVocabularyTable", "TextFileIndex"]
__all__ += ["TextFileInitializer"]


class TextFileIndex:
    """What of a file's lines is meant: their numbers, or all of them."""

    LINE_NUMBER, WHOLE_LINE = -1, -2


class KeyValueTensorInitializer:
    """Keys and their values, side by side."""

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: Any = None
    ) -> None:
        self.keys, self.values = as_tensor(keys, key_dtype), as_tensor(values, value_dtype)
        if self.keys.shape != self.values.shape:
            raise InvalidArgumentError(
                "tf.lookup.KeyValueTensorInitializer",
                expected=f"a value for each of {len(self.keys)} keys",
                got=f"{len(self.values)}",
                fix="Give lists of one length.",
            )


class TextFileInitializer(KeyValueTensorInitializer):
    """The lines of a file, and their numbers; which of them are keys says `TextFileIndex`, or a column."""

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: Any = None,
        value_index_offset: int = 0,
    ) -> None:
        path = filename.numpy() if isinstance(filename, Tensor) else filename
        with open(os.fsdecode(path), encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file][:vocab_size]

        def column(index: int, kind: Any, first: int) -> Any:
            if index == TextFileIndex.LINE_NUMBER:
                return np.arange(first, first + len(lines))
            texts = lines if index == TextFileIndex.WHOLE_LINE else [x.split(delimiter)[index] for x in lines]
            dtype = dtypes.as_dtype(kind)
            return texts if dtype == dtypes.string else np.asarray(texts, float).astype(dtype.dtype)

        keys = column(key_index, key_dtype, 0)
        super().__init__(keys, column(value_index, value_dtype, value_index_offset), key_dtype, value_dtype)


class StaticHashTable:
    """Values by key, and one value for all other keys.

    >>> table = StaticHashTable(KeyValueTensorInitializer(["a", "b"], [1, 2]), default_value=-1)
    >>> table.lookup(["b", "c"]).numpy().tolist()
    [2, -1]
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: Any = None, experimental_is_anonymous: bool = False
    ) -> None:
        self._keys, self._values = initializer.keys, initializer.values
        self.key_dtype, self.value_dtype = self._keys.dtype, self._values.dtype
        self.default_value = as_tensor(default_value, self.value_dtype)
        values = self._values.numpy().tolist()
        self._known = dict(zip(self._keys.numpy().tolist(), values, strict=True))
        self._otherwise: Callable[[Any], Any] = lambda key: self.default_value.numpy()

    def lookup(self, keys: Any, name: Any = None) -> Any:
        """The value of each key."""
        given = as_tensor(keys, self.key_dtype)
        array = np.asarray(given.host)
        known = self._known
        found = [known[key] if key in known else self._otherwise(key) for key in array.reshape(-1).tolist()]
        values = np.empty(len(found), object)
        values[:] = found
        return as_tensor(values.astype(self.value_dtype.dtype).reshape(array.shape), self.value_dtype)

    __getitem__ = lookup

    def size(self, name: Any = None) -> Any:
        """How many keys there are."""
        return as_tensor(np.int64(len(self._known)))

    def export(self, name: Any = None) -> tuple[Any, Any]:
        """All keys, and their values."""
        return self._keys, self._values


class StaticVocabularyTable(StaticHashTable):
    """Numbers of words; other words get one of the numbers that follow, always the same.

    Args:
        num_oov_buckets: how many numbers there are for other words.
    """

    def __init__(
        self, initializer: Any, num_oov_buckets: int, lookup_key_dtype: Any = None, name: Any = None, **_: Any
    ) -> None:
        super().__init__(initializer, -1)
        count, room = len(self._known), int(num_oov_buckets)
        self._count = count + room

        def otherwise(key: Any) -> int:
            if not room:
                return -1
            text = key if isinstance(key, bytes) else str(key).encode()
            return count + int(fingerprints.fingerprints([text])[0]) % room

        self._otherwise = otherwise

    def size(self, name: Any = None) -> Any:
        """How many numbers there are."""
        return as_tensor(np.int64(self._count))


lacking.guard(__name__)
