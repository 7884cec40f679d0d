"""What to do to NumPy arrays before they meet a network.

Everything here takes and returns NumPy arrays on the host and checks them
there, because the device would swallow a wrong label without a word.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doltap import config, old_names, registry
from doltap.errors import DataError, LabelError, ShapeError, UnknownNameError, printable
from doltap.registry import explained

__all__ = ["cast_to_floatx", "normalize", "pack_x_y_sample_weight", "pad_sequences", "split_dataset"]
__all__ += ["to_categorical", "unpack_x_y_sample_weight"]


@old_names.accepts("to_categorical")
@explained
def to_categorical(x: ArrayLike, num_classes: int | None = None, **keywords: Any) -> np.ndarray:
    """One-hot rows: a 1 at each label's place, zeros elsewhere, as float64.

    Args:
        x: whole numbers from 0 to `num_classes - 1`, of any shape. A last
            axis of size 1 is dropped, as Keras does.
        num_classes: the length of a row; None means the largest label plus 1.
        keywords: Keras 2's `dtype=`, the type of the rows.

    Returns:
        An array of shape `x.shape + (num_classes,)`.

    Raises:
        LabelError: a label is negative, too large, a fraction or text.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    old_names.note_kept("to_categorical", keywords)
    registry.check_arguments("to_categorical", keywords, ["x", "num_classes", "dtype"])
    labels = _whole_numbers(np.asarray(x))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        num_classes = _largest(labels) + 1
    is_wrong = (labels < 0) | (labels >= num_classes)
    if is_wrong.any():
        raise _wrong_label(
            labels,
            is_wrong,
            expected=f"labels from 0 to {num_classes - 1}",
            fix="Number the classes from 0 (np.unique(x, return_inverse=True)[1] does), "
            "or give a larger num_classes=.",
        )
    rows = np.zeros((labels.size, num_classes), keywords.get("dtype"))
    rows[np.arange(labels.size), labels.ravel()] = 1
    return rows.reshape(*labels.shape, num_classes)


def _whole_numbers(x: np.ndarray) -> np.ndarray:
    """The labels as int64, or an error for the first that is no whole number."""
    try:
        numbers = x if x.dtype.kind in "biuf" else x.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise LabelError(
            "to_categorical",
            expected="labels that are whole numbers",
            got=f"values such as {printable(x.flat[0])!r}" if x.size else f"the type {x.dtype}",
            fix="Number the classes first: np.unique(x, return_inverse=True)[1].",
        ) from error
    if numbers.dtype.kind == "f":
        is_wrong = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
        if is_wrong.any():
            raise _wrong_label(
                numbers,
                is_wrong,
                expected="labels that are whole numbers",
                fix="Round them or drop the rows; a fraction or NaN names no class.",
            )
    return numbers.astype(np.int64)


def _largest(labels: np.ndarray) -> int:
    """The largest label; without any there is nothing to count."""
    if not labels.size:
        raise LabelError(
            "to_categorical",
            expected="at least one label",
            got=f"an empty array (shape {labels.shape})",
            fix="Give num_classes= if an empty result is meant.",
        )
    return int(labels.max())


def _wrong_label(labels: np.ndarray, is_wrong: np.ndarray, *, expected: str, fix: str) -> LabelError:
    """The error for the first wrong label, with its row and how many there are."""
    first = int(np.flatnonzero(is_wrong)[0])
    row = first // max(1, labels[0].size) if labels.ndim else 0
    got = f"{labels.flat[first]} in row {row} ({int(is_wrong.sum())} of {labels.size} labels are wrong)"
    return LabelError("to_categorical", expected=expected, got=got, fix=fix)


@explained
def normalize(x: ArrayLike, axis: int | None = -1, order: float = 2) -> np.ndarray:
    """The array divided by its length along `axis`, so that each vector has length 1.

    Vectors of zeros stay zeros. An array of one dimension comes back with
    shape (1, n), as from Keras.

    Args:
        axis: the axis of a vector; None takes the norm of the whole array as
            `numpy.linalg.norm` does.
        order: which norm: 1 adds absolute values, 2 is Euclid's,
            `np.inf` is the largest.

    Raises:
        DataError: the values are not numbers.
        ShapeError: `x` has no such axis.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    array = np.asarray(x)
    if array.dtype.kind not in "biufc":
        raise DataError(
            "normalize", expected="numbers", got=f"the type {array.dtype}", fix="Convert x to numbers first."
        )
    if axis is not None and not -array.ndim <= axis < array.ndim:
        raise ShapeError(
            "normalize",
            expected=f"an array that has axis {axis}",
            got=f"{array.ndim} dimensions (shape {array.shape})",
            fix="Give another axis=.",
        )
    norm = np.asarray(np.linalg.norm(array, order, axis, keepdims=True))
    result = array / np.where(norm == 0, np.ones_like(norm), norm)
    return result if array.ndim > 1 else result.reshape(1, -1)


def cast_to_floatx(x: ArrayLike) -> np.ndarray:
    """The array in the type in which weights are made.

    >>> cast_to_floatx([1, 2]).dtype
    dtype('float32')
    """
    return np.asarray(x, dtype=config.floatx())


@explained
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch as `fit` takes it from a generator: (x, y, sample_weight), without what is None at its end.

    >>> pack_x_y_sample_weight("x", "y"), pack_x_y_sample_weight("x")
    (('x', 'y'), 'x')
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


@explained
def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of such a batch, None for those it lacks.

    Raises:
        DataError: it has more than three parts, or none.

    >>> unpack_x_y_sample_weight(("x", "y"))
    ('x', 'y', None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if len(data) > 3 or len(data) == 0:
        raise DataError(
            "a batch",
            expected="(x, y) or (x, y, sample_weight)",
            got=f"{len(data)} things",
            fix="Several inputs come as one: ((x1, x2), y).",
        )
    x, y, sample_weight = [*data, None, None][:3]
    return x, y, sample_weight


@explained
def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as one array: the short filled up, the long cut.

    Args:
        sequences: one list or array of steps (numbers or arrays) per sample.
        maxlen: the common length; None means the longest sequence's.
        dtype: the default cuts fractions off; text needs `object`.
        padding: fill up in front ("pre") or at the end ("post").
        truncating: cut off in front ("pre") or at the end ("post").
        value: what to fill up with.

    Raises:
        DataError: no sequences, or values that do not fit `dtype`.
        ShapeError: steps have different shapes.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    _check_sides(padding=padding, truncating=truncating)
    lengths = _lengths(sequences)
    maxlen = max(lengths) if maxlen is None else maxlen
    first = next((sequence for sequence in sequences if len(sequence)), [0])
    padded = _filled((len(lengths), maxlen, *np.asarray(first).shape[1:]), value, dtype)
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = sequence[max(0, length - maxlen) :] if truncating == "pre" else sequence[:maxlen]
        start = maxlen - len(kept) if padding == "pre" else 0
        if len(kept):
            padded[row, start : start + len(kept)] = _steps(row, kept, dtype, padded.shape[2:])
    return padded


def _check_sides(**sides: str) -> None:
    """An error for a side that is neither "pre" nor "post"."""
    for argument, side in sides.items():
        if side not in ("pre", "post"):
            raise UnknownNameError.of(argument, side, ("pre", "post"))


def _lengths(sequences: Sequence[Any]) -> list[int]:
    """How long each sequence is, or an error for the first that has no length."""
    expected, fix = "a list of lists", "Write for example [[1, 2], [3]]: one list per sample."
    if not isinstance(sequences, Sized):
        raise DataError("pad_sequences", expected=expected, got=type(sequences).__name__, fix=fix)
    if not len(sequences):
        raise DataError("pad_sequences", expected="at least one sequence", got="none", fix=fix)
    for row, sequence in enumerate(sequences):
        if not isinstance(sequence, Sized):
            got = f"{printable(sequence)} as sample {row}"
            raise DataError("pad_sequences", expected=expected, got=got, fix=fix)
    return [len(sequence) for sequence in sequences]


def _filled(shape: tuple[int, ...], value: Any, dtype: Any) -> np.ndarray:
    """An array full of `value`, or an error if the type cannot hold it."""
    is_text = np.dtype(dtype).kind in "OSU"
    if isinstance(value, str) and not is_text:
        raise DataError(
            "pad_sequences",
            expected=f"a value of type {dtype} to fill up with",
            got=repr(value),
            fix="Text of different lengths needs dtype=object.",
        )
    return np.full(shape, value, dtype=dtype)


def _steps(row: int, kept: Any, dtype: Any, step_shape: tuple[int, ...]) -> np.ndarray:
    """One sample as an array of the type, or an error that names it."""
    try:
        steps = np.asarray(kept, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise DataError(
            "pad_sequences",
            expected=f"values of type {dtype}",
            got=f"{printable(kept)} as sample {row}",
            fix="Turn words into numbers first, or give dtype=object.",
        ) from error
    if steps.shape[1:] != step_shape:
        raise ShapeError(
            "pad_sequences",
            expected=f"steps of shape {step_shape}, as in the first sequence",
            got=f"{steps.shape[1:]} in sample {row}",
            fix="Give every step of every sequence the same shape.",
        )
    return steps


@explained
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """The rows in two parts, such as one to train on and one to test with.

    Keras makes data sets of TensorFlow or PyTorch of them; here arrays stay arrays.

    Args:
        dataset: an array, or a list or tuple of arrays with the same number of rows.
        left_size: the share of the rows in the left part, 0 to 1, or their
            number; None means all that the right part leaves.
        right_size: the same of the right part, which ends with the last row.
        shuffle: whether to mix the rows first, those of all arrays alike.
        seed: a number for the mixture; None follows `set_random_seed`.
        preferred_backend: as Keras; changes nothing.

    Returns:
        Two arrays, lists or tuples, as `dataset` was.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> left.tolist(), right.tolist()
    ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])
    """
    is_many = isinstance(dataset, (list, tuple)) and len(dataset) > 0 and np.ndim(dataset[0]) > 0
    arrays = [np.asarray(each) for each in (dataset if is_many else [dataset])]
    num_rows = _num_rows(arrays)
    left, right = _part_sizes(num_rows, left_size, right_size)
    order = np.arange(num_rows)
    if shuffle:
        (np.random if seed is None else np.random.RandomState(seed)).shuffle(order)
    parts = [[array[rows] for array in arrays] for rows in (order[:left], order[num_rows - right :])]
    whole = type(dataset) if is_many else lambda found: found[0]
    return whole(parts[0]), whole(parts[1])


def _num_rows(arrays: list[np.ndarray]) -> int:
    """How many rows all of the arrays have."""
    lengths = {len(array) if array.ndim else 0 for array in arrays}
    if len(lengths) != 1 or lengths == {0}:
        raise ShapeError(
            "split_dataset",
            expected="arrays with the same number of rows",
            got=f"shapes {', '.join(str(array.shape) for array in arrays)}",
            fix="Give (x, y) with one row of y for each row of x.",
        )
    return lengths.pop()


def _part_sizes(num_rows: int, left_size: float | None, right_size: float | None) -> tuple[int, int]:
    """How many rows each part has, or an error for what the data cannot give."""
    sizes = [round(size * num_rows) if isinstance(size, float) else size for size in (left_size, right_size)]
    left, right = (
        num_rows - (other or 0) if size is None else size
        for size, other in zip(sizes, sizes[::-1], strict=True)
    )
    is_wrong = min(left, right) < 1 or left + right > num_rows
    if is_wrong or any(isinstance(size, bool) for size in sizes) or sizes == [None, None]:
        raise DataError(
            "split_dataset",
            expected=f"two parts of {num_rows} rows, neither of them empty",
            got=f"left_size={left_size!r}, right_size={right_size!r}",
            fix="For example left_size=0.8.",
        )
    return left, right
