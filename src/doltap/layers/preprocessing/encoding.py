"""What the preprocessing layers share: data as it comes, and categories as one-hot rows.

Data is read on the host, where a wrong value can still be seen; encoding is
plain arithmetic that works inside a compiled program as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sized
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError, printable

__all__ = [
    "batches",
    "checked_mode",
    "checked_salt",
    "encode",
    "encoded_shape",
    "is_traced",
    "on_host",
    "refuse_sparse",
    "texts",
    "whole_numbers",
    "whole_type",
]

Shape = tuple[int | None, ...]

# How output modes were called before.
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def checked_mode(mode: Any, *known: str) -> str:
    """The output mode under its name of today; an unknown one is an error."""
    mode = _OLD_MODES.get(mode, mode)
    if mode not in known:
        raise UnknownNameError.of("output_mode", mode, known)
    return mode


def checked_salt(subject: str, salt: Any) -> list[int] | None:
    """The two integers of a salt; one integer stands for both."""
    if salt is None:
        return None
    both = [salt, salt] if isinstance(salt, int) else salt
    if not isinstance(both, (list, tuple)) or len(both) != 2 or not all(isinstance(key, int) for key in both):
        raise DataError(
            subject,
            expected="a salt of one or two integers",
            got=repr(salt),
            fix="For example salt=[133, 137].",
        )
    return list(both)


def refuse_sparse(layer: str, sparse: bool) -> None:
    """An error if rows were asked for as sparse arrays."""
    if sparse:
        raise NotSupportedError(
            f"{layer}(sparse=True)",
            expected="dense rows",
            got="a wish for sparse ones",
            fix="Leave sparse out; for many categories use output_mode='int' and an Embedding.",
        )


def whole_type() -> str:
    """The type of indices: 64 bits where the device has them."""
    return str(jax.dtypes.canonicalize_dtype(np.int64))


def is_traced(inputs: Any) -> bool:
    """Whether the values are known only when the compiled program runs."""
    return isinstance(inputs, jax.core.Tracer)


def on_host(inputs: Any) -> Any:
    """An array on the host that keeps strings, and numbers too large for the device, as they are.

    What is on the device, or in a compiled program, stays there.
    """
    if isinstance(inputs, (np.ndarray, jax.Array)):
        return inputs
    try:
        array = np.asarray(inputs)
    except ValueError as error:
        raise ShapeError(
            "a preprocessing layer",
            expected="rows of equal length",
            got="lists of different lengths",
            fix='Fill the short ones up with one value, such as "", and name it as the mask.',
        ) from error
    return array if array.dtype.kind in "biuf" else np.asarray(inputs, dtype=object)


def encode(indices: Any, mode: str, depth: int, dtype: Any, weights: Any = None) -> jax.Array:
    """Indices as they are ("int"), or as rows of `depth` numbers; an index out of range leaves no trace.

    >>> encode(jnp.array([[0, 2, 2]]), "count", 3, "float32").tolist()
    [[1.0, 0.0, 2.0]]
    """
    if mode == "int":
        return indices.astype(dtype)
    indices = jnp.atleast_1d(indices)
    if mode == "one_hot" and indices.ndim > 1 and indices.shape[-1] == 1:
        indices = indices[..., 0]
    rows = indices[..., None] == jnp.arange(depth, dtype=indices.dtype)
    if mode == "one_hot":
        return rows.astype(dtype)
    # As Keras: the second axis of a batch holds the tokens of a sample.
    axis = min(indices.ndim - 1, 1)
    if mode == "multi_hot":
        return rows.any(axis).astype(dtype)
    counted = rows.astype(dtype)
    return (counted if weights is None else counted * weights[..., None]).sum(axis)


def encoded_shape(shape: Shape, mode: str, depth: int | None) -> Shape:
    """The shape that `encode` gives.

    >>> encoded_shape((None, 1), "one_hot", 5), encoded_shape((None, 7), "multi_hot", 5)
    ((None, 5), (None, 5))
    """
    shape = tuple(shape)
    if mode == "int":
        return shape
    shape = shape or (1,)
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


_NUMBERS = (bool, int, float, np.bool_, np.number)


def batches(subject: str, data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """The arrays to learn from: an array is one, an iterable of batches gives several.

    Of batches (x, y) only x counts.

    Args:
        subject: the layer, as errors call it.
        steps: how many batches to take; None means all.
    """
    for batch in itertools.islice(_parts(data), steps):
        part = np.asarray(batch[0] if isinstance(batch, tuple) else batch)
        if part.dtype == object and all(isinstance(each, _NUMBERS) for each in part.flat):
            # Columns of several types, of which True and False may be one, come as objects.
            part = part.astype(np.float64)
        if part.dtype != bool and not jnp.issubdtype(part.dtype, np.number):
            raise DataError(
                subject,
                expected="numbers to learn from",
                got=f"values of type {part.dtype}",
                fix="Give an array, or an iterable of arrays; strings go into StringLookup.",
            )
        yield part


def _parts(data: Any) -> Iterator[Any]:
    if _is_array(data) or (isinstance(data, (list, tuple)) and not any(np.ndim(item) for item in data)):
        return iter([data])
    if isinstance(data, (list, tuple)) and not any(_is_array(item) for item in _firsts(data)):
        return iter([data])
    at = getattr(data, "__getitem__", None)
    if isinstance(data, Sized) and at is not None:
        # Keras's PyDataset knows its length and goes on for ever when iterated.
        return (at(number) for number in range(len(data)))
    return iter(data)


def _firsts(items: Any) -> Iterator[Any]:
    return (item[0] if isinstance(item, tuple) and item else item for item in items)


def _is_array(value: Any) -> bool:
    """Whether it is one array, a column or a table: NumPy's, JAX's, pandas's or torch's."""
    return isinstance(value, (np.ndarray, jax.Array)) or callable(getattr(value, "__array__", None))


def whole_numbers(subject: str, inputs: Any) -> np.ndarray:
    """Whole numbers as int64 on the host; fractions are cut off, as Keras does."""
    array = np.asarray(inputs)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(
            subject,
            expected="whole numbers",
            got="NaN or infinity among them",
            fix="Fill the gaps first, for example with column.fillna(-1) or np.nan_to_num(x, nan=-1).",
        )
    if array.dtype.kind not in "biuf":
        raise DataError(
            subject,
            expected="whole numbers",
            got=f"values of type {array.dtype}",
            fix="StringLookup turns strings into numbers; IntegerLookup takes numbers of any size.",
        )
    return array.astype(np.int64)


def texts(subject: str, inputs: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The strings, str or bytes, in one list, and the shape they came in."""
    array = inputs if isinstance(inputs, np.ndarray) else np.asarray(inputs, dtype=object)
    values = array.ravel().tolist()
    kinds = set(map(type, values))
    if not all(issubclass(kind, (str, bytes)) for kind in kinds):
        wrong = next(value for value in values if not isinstance(value, (str, bytes)))
        raise DataError(
            subject,
            expected="strings",
            got=f"{printable(wrong)!r} of type {type(wrong).__name__}",
            fix="Fill gaps with column.fillna(''), and turn numbers into strings with x.astype(str), "
            "or use IntegerLookup for them.",
        )
    return values, array.shape
