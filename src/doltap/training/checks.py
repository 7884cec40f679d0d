"""What is wrong with the data is said here, on the host, before any training.

A program on the device lets a wrong label, a NaN or an oversized integer pass
in silence; so every array goes through these checks first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax.dtypes import canonicalize_dtype

from doltap.errors import DataError, LabelError, NotSupportedError, ShapeError, printable

__all__ = [
    "check_ids",
    "check_integers",
    "check_labels",
    "check_rows",
    "check_shape",
    "check_weights",
    "single_value_error",
    "text_error",
    "value_error",
]

_INT32 = np.iinfo(np.int32)
# Beyond this, names are long to read.
_MOST_NAMED = 8


def value_error(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> DataError:
    """The error for an array of reals in which something is not finite."""
    with np.errstate(over="ignore"):
        bad = np.argwhere(~np.isfinite(array.astype(canonicalize_dtype(array.dtype))))
    first = tuple(int(i) for i in bad[0])
    value = array[first]
    if np.isnan(value):
        # Of "validation x['age']" the word is x.
        name = what.split("[")[0].split(" ")[-1]
        got = "NaN"
        fix = (
            f"Fill or drop these rows first: {name}[np.isnan({name})] = 0, or DataFrame.dropna()."
            if name != "y"
            else "A row without a label teaches nothing: drop it from x and y with keep = ~np.isnan(y), "
            "or fill it and give it the sample_weight 0."
        )
    elif np.isinf(value):
        got, fix = "infinity", "Look for a division by 0 or a logarithm of 0, and fill or drop these rows."
    else:
        got, fix = f"{value:g}, too large for float32,", "Scale the column down, or take its logarithm."
    if not np.isfinite(value):
        fix += " A model or a loss that handles them gets them after doltap.config.allow_nan()."
    rows = len(np.unique(bad[:, 0]))
    affected = f"{rows} of {len(array)} rows are affected{_all_places(bad, columns)}"
    return DataError(
        what,
        expected="finite numbers",
        got=f"{got} in row {first[0]}{_place(first, columns)} ({affected})",
        fix=fix,
    )


def _all_places(bad: np.ndarray, columns: Sequence[Any] | None) -> str:
    """The columns of a table that are concerned, where there are several."""
    places = np.unique(bad[:, 1]).tolist() if bad.shape[1] == 2 else []
    names = [str(place) if columns is None else f"'{printable(columns[place])}'" for place in places]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f", in columns {', '.join(names[:_MOST_NAMED])}{more}" if len(names) > 1 else ""


def _place(index: tuple[int, ...], columns: Sequence[Any] | None) -> str:
    """ ", column 'age'" or ", position (3, 4)" for an index into an array."""
    if len(index) < 2:
        return ""
    if len(index) > 2:
        return f", position {index[1:]}"
    return f", column '{printable(columns[index[1]])}'" if columns is not None else f", column {index[1]}"


def text_error(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> DataError:
    """The error for an array that holds text or Python objects."""
    flat = array.reshape(-1)
    number = next((i for i, value in enumerate(flat) if not _is_number(value)), 0)
    index = tuple(int(i) for i in np.unravel_index(number, array.shape)) if array.size else (0,)
    value = flat[number] if array.size else None
    return DataError(
        what,
        expected="numbers",
        got=f"{type(value).__name__} '{printable(value, 30)}' in row {index[0]}{_place(index, columns)}",
        fix="Turn text into numbers first: .astype(float), pandas.get_dummies, or an encoder."
        if not _is_missing(value)
        else "Fill the gaps first: x.fillna(0), or leave such rows out: x.dropna().",
    )


def _is_missing(value: Any) -> bool:
    """Whether it stands for a value that is not there: None, or pandas's NA or NaT."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def single_value_error(value: Any, what: str) -> DataError | NotSupportedError | ShapeError:
    """The error for something that is no array: a lone number or text, nothing, or an object."""
    if value is None:
        return DataError(what, expected="an array", got="None", fix=f"Pass {what} too.")
    if isinstance(value, str) or _is_number(value):
        got = f"the single value {printable(value)}"
        return ShapeError(what, expected="rows", got=got, fix="Put it in a list.")
    return NotSupportedError(
        what,
        expected="an array",
        got=f"a {type(value).__name__}",
        fix="Turn it into a NumPy array first; a sparse matrix has .toarray() for that.",
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number, np.bool_)) and not isinstance(value, complex)


def check_integers(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> None:
    """Integers that a 32-bit device cannot hold are an error."""
    if array.size == 0 or (array.min() >= _INT32.min and array.max() <= _INT32.max):
        return
    bad = np.argwhere((array < _INT32.min) | (array > _INT32.max))[0]
    index = tuple(int(i) for i in bad)
    raise DataError(
        what,
        expected=f"integers from {_INT32.min} to {_INT32.max}",
        got=f"{array[index]} in row {index[0]}{_place(index, columns)}",
        fix="Give it as floats, .astype('float32'), or scale it down.",
    )


def check_ids(array: np.ndarray, highest: int, what: str) -> None:
    """Numbers that an embedding has no vector for are an error; fractions are cut off, as it does."""
    if array.size == 0 or (array.min() > -1 and array.max() < highest + 1):
        return
    index = tuple(int(i) for i in np.argwhere((array <= -1) | (array >= highest + 1))[0])
    value = int(array[index])
    fix = "Numbers begin at 0; where -1 stands for nothing, count one up and use mask_zero=True."
    if value > 0:
        fix = f"Give it an input_dim of {int(array.max()) + 1} or more, or correct the ids."
    raise DataError(
        what,
        expected=f"ids from 0 to {highest}",
        got=f"{value} in row {index[0]}{_place(index, None)}",
        fix=fix,
    )


def check_rows(lengths: dict[str, int]) -> None:
    """Arrays that belong together have one length, and not 0."""
    first, count = next(iter(lengths.items()))
    if count == 0:
        raise DataError(
            first, expected="at least one row", got="none", fix="Check how the data was read or split."
        )
    for name, length in lengths.items():
        if length != count:
            raise ShapeError(
                f"{first} and {name}",
                expected=f"as many rows in {name} as in {first}, {count}",
                got=f"{length}",
                fix="Each row of x needs its own label; check how the arrays were split.",
            )


def check_shape(what: str, got: tuple[int, ...], wanted: tuple[int | None, ...], layer: str) -> None:
    """The rows of x have the shape the model was built for."""
    if _agrees(got[1:], wanted[1:]):
        return
    if len(got) == len(wanted) == 2:
        expected, number = f"{wanted[1]} features per row", f"{got[1]} (shape {got})"
        fix = f"It was built for {wanted[1]} columns; rebuild the model or check the columns of {what}."
    else:
        expected, number = f"rows of shape {tuple(wanted[1:])}", f"rows of shape {got[1:]} (shape {got})"
        fix = f"Reshape {what}, or give the first layer the shape of a row."
        if _agrees(got, wanted[1:]):
            fix = f"This is a single row; make it a batch of one: {what}[None]."
    raise ShapeError(f"layer '{layer}', given {what}", expected=expected, got=number, fix=fix)


def _agrees(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(got) == len(wanted) and all(
        want in (None, have) for have, want in zip(got, wanted, strict=True)
    )


def check_weights(weights: np.ndarray, output_shape: tuple[int | None, ...], what: str) -> None:
    """There is one weight for each value that the loss gives."""
    wanted, got = output_shape[1:-1], weights.shape[1:]
    if len(got) == len(wanted) + 1 and got[-1] == 1:
        got = got[:-1]
    if not _agrees(got, wanted[: len(got)]):
        raise ShapeError(
            what,
            expected=f"one weight a row, shape ({len(weights)},)",
            got=f"shape {weights.shape}",
            fix="Give one number for each row of x.",
        )


def check_labels(
    y: np.ndarray,
    kind: str,
    output_shape: tuple[int | None, ...],
    what: str = "y",
    ignored: int | None = None,
) -> None:
    """The labels are what the loss needs.

    Args:
        y: the labels, (rows, ...).
        kind: the loss's `labels`: "class numbers", "one-hot", "probabilities", "signs", "numbers".
        output_shape: shape of the model's output, batch first.
        ignored: a class number outside the others whose rows the loss leaves out.
    """
    if kind == "class numbers":
        _check_class_numbers(y, output_shape, what, ignored)
    elif kind != "unknown":
        if kind == "one-hot":
            _check_not_class_numbers(y, output_shape, what)
        _check_same_shape(y, output_shape, what)
        if kind in ("probabilities", "one-hot"):
            _check_range(y, what)
        if kind == "signs":
            _check_signs(y, what)


def _check_class_numbers(
    y: np.ndarray, output_shape: tuple[int | None, ...], what: str, ignored: int | None
) -> None:
    num_classes = output_shape[-1]
    if y.ndim == len(output_shape) and y.shape[-1] == num_classes and num_classes != 1:
        raise LabelError(
            what,
            expected="class numbers, one a row",
            got=f"one-hot labels of shape {y.shape}",
            fix="Use loss='categorical_crossentropy', or turn them back with y.argmax(axis=-1).",
        )
    row, wanted = y.shape[1:], tuple(output_shape[1:-1])
    if row not in (wanted, (*wanted, 1)) and not any(_agrees(row, w) for w in (wanted, (*wanted, 1))):
        fix = "Give y one integer for each row of x."
        if wanted:
            fix = (
                f"The last layer gives rows of shape {tuple(output_shape[1:])}: for one class a row, put "
                "Flatten() in front of the Dense layers."
            )
        shape = (len(y), *wanted)
        raise ShapeError(what, expected=f"class numbers of shape {shape}", got=f"shape {y.shape}", fix=fix)
    if not np.issubdtype(y.dtype, np.integer) and y.dtype != bool:
        _refuse(y, y != np.floor(y), what, "whole numbers as class numbers", "Use y.astype(int).")
    if num_classes is None:
        return
    if ignored is not None:
        y = np.where(y == ignored, 0, y)
    expected = f"class numbers from 0 to {num_classes - 1}, since the last layer has {num_classes} outputs"
    starts_at_one = y.min() == 1 and y.max() == num_classes
    fix = (
        "The labels start at 1; subtract it: y - 1."
        if starts_at_one
        else f"Give the last layer {int(y.max()) + 1} units, or correct the labels."
        if y.max() >= num_classes
        else "A class number cannot be negative; correct the labels, for example -1 to 0."
    )
    _refuse(y, (y < 0) | (y >= num_classes), what, expected, fix)


def _refuse(y: np.ndarray, bad: np.ndarray, what: str, expected: str, fix: str) -> None:
    """An error if anything is bad, with the count and the first offending row."""
    if not bad.any():
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    count = int(bad.reshape(len(y), -1).any(axis=1).sum())
    got = f"{y[index]} in row {index[0]} ({count} of {len(y)} rows are outside)"
    raise LabelError(what, expected=expected, got=got, fix=fix)


def _check_not_class_numbers(y: np.ndarray, output_shape: tuple[int | None, ...], what: str) -> None:
    units = output_shape[-1]
    row, wanted = y.shape[1:], tuple(output_shape[1:-1])
    if units == 1:
        raise LabelError(
            what,
            expected="one-hot labels of two classes or more",
            got="a last layer with a single output",
            fix="For yes or no use loss='binary_crossentropy' with activation='sigmoid'.",
        )
    if units is not None and (_agrees(row, wanted) or _agrees(row, (*wanted, 1))):
        raise LabelError(
            what,
            expected=f"one-hot labels of shape ({len(y)}, {units})",
            got=f"class numbers of shape {y.shape}",
            fix="Use loss='sparse_categorical_crossentropy', or utils.to_categorical(y).",
        )


def _check_same_shape(y: np.ndarray, output_shape: tuple[int | None, ...], what: str) -> None:
    row = tuple(output_shape[1:])
    allowed = [row, row[:-1]] if row and row[-1] == 1 else [row, (*row, 1)]
    if not any(_agrees(y.shape[1:], shape) for shape in allowed):
        raise ShapeError(
            what,
            expected=f"one value for each output, shape {(len(y), *row)}",
            got=f"shape {y.shape}",
            fix="Give the last layer as many units as y has columns.",
        )


def _check_signs(y: np.ndarray, what: str) -> None:
    """Hinges take -1 and 1, or 0 and 1 for the same."""
    if y.dtype == bool:
        return
    fix = "Write one class as 1 and the other as -1 (or 0): for example y * 2 - 1."
    _refuse(y, (y != 1) & (y != 0) & (y != -1), what, "labels of -1 and 1, or of 0 and 1", fix)
    if (y == 0).any():
        _refuse(y, y == -1, what, "labels of -1 and 1, or of 0 and 1, not both", fix)


def _check_range(y: np.ndarray, what: str) -> None:
    if y.dtype == bool:
        return
    fix = "Map the two classes to 0 and 1; for more classes use loss='sparse_categorical_crossentropy'."
    _refuse(y, (y < 0) | (y > 1), what, "labels from 0 to 1", fix)
