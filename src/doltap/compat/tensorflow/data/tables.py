"""Tables in files as data sets: `CsvDataset` line by line, `make_csv_dataset` by columns."""

from __future__ import annotations

import collections
import glob
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from doltap.compat.tensorflow import csv_lines, dtypes, records
from doltap.compat.tensorflow.csv_lines import Field
from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.ordered import UNKNOWN
from doltap.compat.tensorflow.data.specs import TensorSpec, as_element
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import array_from

__all__ = ["CsvDataset", "make_csv_dataset"]

# The types that a column is tried as, in this order.
_TYPES = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.string)
_USUAL = {"int32": 0, "int64": np.int64(0), "float32": 0.0, "string": ""}


class CsvDataset(Dataset):
    """The lines of tables, each a tuple of its fields.

    Args:
        filenames: a name, or several.
        record_defaults: for each field what stands for a missing one, or its type.
        header: whether the first line holds the names of the columns.
        select_cols: the numbers of the columns to take; None for all.
    """

    def __new__(
        cls,
        filenames: Any,
        record_defaults: Sequence[Any],
        compression_type: Any = None,
        buffer_size: Any = None,
        header: bool = False,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        select_cols: Sequence[int] | None = None,
        exclude_cols: Sequence[int] | None = None,
    ) -> Any:
        """A plain data set: what is made of it is one, too."""
        fields = csv_lines.fields_of(record_defaults)
        names = [os.fsdecode(name) for name in np.ravel(array_from(as_element(filenames)))]

        def begin() -> Iterator[Any]:
            for name in names:
                rows = _rows(name, field_delim, compression_type, quotes=use_quote_delim)
                for row in itertools.islice(rows, int(header), None):
                    texts = _selected(row, select_cols, exclude_cols)
                    if len(texts) != len(fields):
                        raise _wrong(f"{len(fields)} fields in a line", f"{len(texts)} in '{name}'")
                    parts = zip(texts, fields, strict=True)
                    yield tuple(
                        csv_lines.column([text], field, number, na_value).reshape(())
                        for number, (text, field) in enumerate(parts)
                    )

        spec = tuple(TensorSpec((), field.dtype) for field in fields)
        return Dataset(begin, UNKNOWN, spec=spec, kind="Csv")


def _rows(name: str, delimiter: str, packed: Any = None, *, quotes: bool) -> Iterator[list[str]]:
    """The fields of the lines of a file; empty lines are none."""
    with io.TextIOWrapper(records.opened(name, packed), newline="", encoding="utf-8-sig") as file:
        yield from (row for row in csv_lines.split_lines(file, delimiter, quotes=quotes) if row)


def _selected(row: list[str], chosen: Sequence[int] | None, left_out: Sequence[int] | None) -> list[str]:
    if left_out is not None:
        return [text for number, text in enumerate(row) if number not in left_out]
    return row if chosen is None else [row[number] for number in chosen]


def make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: Any = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: Any = None,
    num_parallel_reads: Any = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: Any = None,
    ignore_errors: bool = False,
    encoding: str = "utf-8",
) -> Dataset:
    """Batches of the rows of tables: columns by name, and the label beside them where one is named.

    Args:
        file_pattern: a name, a pattern, or several.
        column_defaults: for each column what stands for a missing value, or its
            type; None finds the types out.
        num_epochs: how often the rows are gone through; None for ever.
    """
    patterns = [os.fsdecode(each) for each in np.ravel(array_from(as_element(file_pattern)))]
    files = [name for each in patterns for name in sorted(glob.glob(each))]
    if not files:
        raise _wrong("files", f"none for {file_pattern!r}")
    tables = [list(_rows(name, field_delim, compression_type, quotes=use_quote_delim)) for name in files]
    names = list(column_names or (tables[0][0] if header else []))
    rows = [row for table in tables for row in table[int(header) :]]
    if not names or any(len(row) != len(names) for row in rows):
        count = next((len(row) for row in rows if len(row) != len(names)), 0)
        raise _wrong(f"{len(names)} fields in every line", f"{count}")
    taken = [n for n, name in enumerate(names) if select_columns is None or {n, name} & {*select_columns}]
    columns = collections.OrderedDict[str, Any]()
    for place, number in enumerate(taken):
        texts = [row[number] for row in rows]
        field = Field(column_defaults[place]) if column_defaults is not None else _found_out(texts, na_value)
        columns[names[number]] = csv_lines.column(texts, field, number, na_value)
    if label_name is not None and label_name not in columns:
        raise _wrong(f"a column '{label_name}' for the labels", ", ".join(columns))
    labels = None if label_name is None else columns.pop(label_name)
    data = Dataset.from_tensor_slices(columns if labels is None else (columns, labels))
    if shuffle:
        data = data.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        data = data.repeat(num_epochs)
    return data.batch(batch_size, drop_remainder=num_epochs is None)


def _found_out(texts: Sequence[str], missing: str) -> Field:
    """The first type in which all values of a column can be written."""
    known = [text for text in texts if text not in ("", missing)]
    for dtype in _TYPES[:-1]:
        try:
            values = np.array(known, dtype=str).astype(np.int64 if dtype.is_integer else dtype.dtype)
        except ValueError:
            continue
        if dtype != dtypes.int32 or not len(values) or np.abs(values).max() < 2**31:
            return Field(_USUAL[dtype.name])
    return Field("")


def _wrong(expected: str, got: str) -> InvalidArgumentError:
    fix = "Check the file, and what is said of its columns."
    return InvalidArgumentError("a table", expected=expected, got=got, fix=fix)
