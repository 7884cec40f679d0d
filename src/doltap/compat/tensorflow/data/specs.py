"""What the elements of a data set look like, and the structures in which their parts hang.

An element is an array, or a tuple or dict of elements; a list is an array, as
TensorFlow has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from doltap.compat.tensorflow import control
from doltap.compat.tensorflow.dtypes import DType, TensorShape, as_dtype
from doltap.compat.tensorflow.tensor import Tensor, array_from

__all__ = [
    "DatasetSpec",
    "Later",
    "TensorSpec",
    "as_element",
    "as_tensors",
    "batched_spec",
    "leaves",
    "mapped",
]
__all__ += ["opened_spec", "piece", "spec_of"]


class TensorSpec(control.TensorSpec):
    """As `tf.TensorSpec`; the shape may be None, too, where nothing is known of it.

    >>> TensorSpec([None, 2])
    TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)
    """

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        super().__init__(() if shape is None else shape, dtype, name)
        if shape is None:
            self.shape = None  # type: ignore[assignment]

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor or a description can be of this shape and type."""
        return bool(self.dtype == other.dtype) if self.shape is None else super().is_compatible_with(other)

    def __hash__(self) -> int:
        return super().__hash__()

    def __repr__(self) -> str:
        shape = "<unknown>" if self.shape is None else tuple(self.shape)
        return f"TensorSpec(shape={shape}, dtype={self.dtype!r}, name={self.name!r})"


class DatasetSpec:
    """What the elements of a data set that is an element itself look like."""

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self.element_spec, self.dataset_shape = element_spec, dataset_shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and bool(self.element_spec == other.element_spec)

    def __hash__(self) -> int:
        return hash(DatasetSpec)

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, TensorShape([]))"


class Later:
    """A description that is found when somebody asks for it."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self.find = find


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The structure with what the function gives for each of its parts.

    >>> mapped(lambda a, b: a + b, (1, {"k": 2}), (10, {"k": 20}))
    (11, {'k': 22})
    """
    if isinstance(tree, Mapping):
        found = {key: mapped(function, tree[key], *(other[key] for other in others)) for key in tree}
        return type(tree)(found) if type(tree) is not dict else found  # type: ignore[call-arg]
    if isinstance(tree, tuple) and not isinstance(tree, TensorShape):
        items = [mapped(function, *parts) for parts in zip(tree, *others, strict=True)]
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return function(tree, *others)


def leaves(tree: Any) -> list[Any]:
    """The parts of a structure in their order."""
    found: list[Any] = []
    mapped(found.append, tree)
    return found


def piece(array: np.ndarray, number: int) -> Any:
    """A row of an array; of texts, too, one of NumPy's."""
    found = array[number]
    return np.asarray(found, object) if array.dtype == object and array.ndim == 1 else found


def as_element(value: Any) -> Any:
    """What a program gave as an element: NumPy arrays in tuples and dicts; data sets stay."""
    return mapped(_as_array, value)


def _as_array(value: Any) -> Any:
    if isinstance(value, (Tensor, np.ndarray)) and not isinstance(value, np.ma.MaskedArray):
        array = value.host if isinstance(value, Tensor) else value
        return array_from(array) if array.dtype.kind in "US" else array
    if hasattr(value, "element_spec"):
        return value
    if hasattr(value, "read"):  # A variable.
        return np.asarray(value)
    if isinstance(value, list):
        value = mapped(lambda each: each, value)
        value = [np.asarray(each) if isinstance(each, Tensor) else each for each in value]
    return array_from(value)


def as_tensors(element: Any) -> Any:
    """The element as programs see it."""
    return mapped(lambda leaf: Tensor(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf, element)


def spec_of(element: Any) -> Any:
    """The description of an element."""
    return mapped(_spec, element)


def _spec(leaf: Any) -> Any:
    if hasattr(leaf, "element_spec"):
        return DatasetSpec(leaf.element_spec)
    return TensorSpec(leaf.shape, _type(leaf))


def _type(leaf: Any) -> DType:
    return as_dtype(leaf.dtype)


def batched_spec(spec: Any, size: int | None) -> Any:
    """The description of batches of such elements; None for a size that is not always the same."""
    return mapped(
        lambda each: each if each.shape is None else TensorSpec((size, *each.shape), each.dtype), spec
    )


def opened_spec(given: Any, found: Any) -> Any:
    """The description of what a function gave for elements of another: the first length as open as theirs."""
    is_open = [each.shape is not None and each.shape[:1] == (None,) for each in leaves(given)]
    if not is_open or not all(is_open):
        return found
    return mapped(lambda each: TensorSpec((None, *each.shape[1:]), each.dtype) if each.shape else each, found)
