"""Lines of tables: fields between commas, each of a type, or missing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.dtypes import DType
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, array_from, as_tensor

__all__ = ["Field", "column", "decode_csv", "fields_of", "split_lines"]


_PLAIN: dict[type, DType] = {float: dtypes.float32, int: dtypes.int32, str: dtypes.string}


class Field:
    """The type of a field, and what stands for one that is missing.

    Args:
        default: a number or a text, which is what is put in; a type, or an empty
            list of one, where none may be missing.
    """

    def __init__(self, default: Any) -> None:
        self.default: Any = None
        if type(default) in _PLAIN:
            self.default, self.dtype = default, _PLAIN[type(default)]
            return
        if isinstance(default, DType):
            self.dtype = default
            return
        values = array_from(default.numpy() if isinstance(default, Tensor) else default)
        self.dtype = dtypes.as_dtype(values.dtype)
        if values.size:
            self.default = values.reshape(-1)[0]


def fields_of(defaults: Sequence[Any]) -> list[Field]:
    """The fields of a line, from what `record_defaults` says of each."""
    return [Field(default) for default in defaults]


def split_lines(lines: Iterable[str], delimiter: str = ",", *, quotes: bool = True) -> Iterable[list[str]]:
    """The fields of each line, as texts."""
    if quotes:
        return csv.reader(lines, delimiter=delimiter)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def column(texts: Sequence[str], field: Field, number: int, missing: str = "") -> np.ndarray:
    """The values of one field in all lines.

    Raises:
        InvalidArgumentError: one is missing, or not of the field's type.
    """
    found = [field.default if text in ("", missing) else text for text in texts]
    if None in found:
        raise _wrong("a value in every line", f"field {number} of line {found.index(None)} is empty")
    if field.dtype == dtypes.string:
        as_bytes = [one.encode() if isinstance(one, str) else bytes(one) for one in found]
        values = np.empty(len(as_bytes), object)
        values[:] = as_bytes
        return values
    read = int if field.dtype.is_integer else float
    numbers: list[Any] = []
    for line, text in enumerate(found):
        try:
            numbers.append(read(text))
        except ValueError:
            got = f"{text!r} in field {number} of line {line}"
            raise _wrong(f"numbers of the type {field.dtype.name}", got) from None
    return np.array(numbers, field.dtype.dtype)


def _wrong(expected: str, got: str) -> InvalidArgumentError:
    fix = "record_defaults says what each field is, and what stands for a missing one."
    return InvalidArgumentError("tf.io.decode_csv", expected=expected, got=got, fix=fix)


def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
    name: Any = None,
) -> list[Any]:
    """The fields of lines as tensors, one for each field.

    >>> [part.numpy().tolist() for part in decode_csv(["1,2.5", ",3"], [7, 0.0])]
    [[1, 7], [2.5, 3.0]]
    """
    lines = as_tensor(records)
    texts = [bytes(line).decode() for line in lines.host.reshape(-1)]
    fields = fields_of(record_defaults)
    rows = [next(iter(split_lines([text], field_delim, quotes=use_quote_delim)), [""]) for text in texts]
    if select_cols is not None:
        rows = [[row[place] for place in select_cols] for row in rows]
    for number, row in enumerate(rows):
        if len(row) != len(fields):
            raise _wrong(f"{len(fields)} fields in a line", f"{len(row)} in line {number}")
    columns = [column([row[n] for row in rows], field, n, na_value) for n, field in enumerate(fields)]
    return [Tensor(values.reshape(lines.shape)) for values in columns]
