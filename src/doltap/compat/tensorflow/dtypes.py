"""The types of numbers and the shapes of tensors, under the names that TensorFlow gives them.

A `DType` is understood wherever NumPy takes a type.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap.errors import ShapeError, UnknownNameError

__all__ = ["DType", "TensorShape", "as_dtype", "bfloat16", "bool", "complex64", "complex128", "double"]
__all__ += ["float16", "float32", "float64", "half", "int8", "int16", "int32", "int64", "is_shape"]
__all__ += ["resource", "string", "uint8", "uint16", "uint32", "uint64", "variant"]


class DType:
    """The type of the values of a tensor.

    >>> float32, float32 == "float32", np.dtype(float32)
    (tf.float32, True, dtype('float32'))
    """

    # A class attribute would be taken for a type by NumPy.
    __slots__ = ("as_numpy_dtype", "dtype", "name")

    def __init__(self, name: str, numpy_type: Any) -> None:
        self.name = name
        self.as_numpy_dtype = numpy_type
        # Where NumPy and JAX look when they are given it as a type.
        self.dtype = np.dtype(numpy_type)

    @property
    def base_dtype(self) -> DType:
        """The type itself."""
        return self

    @property
    def is_floating(self) -> builtins.bool:
        """Whether it holds real numbers."""
        return _kind(self) in "fV"

    @property
    def is_integer(self) -> builtins.bool:
        """Whether it holds whole numbers."""
        return _kind(self) in "iu"

    @property
    def is_unsigned(self) -> builtins.bool:
        """Whether it holds whole numbers from 0."""
        return _kind(self) == "u"

    @property
    def is_complex(self) -> builtins.bool:
        """Whether it holds complex numbers."""
        return _kind(self) == "c"

    @property
    def is_bool(self) -> builtins.bool:
        """Whether it holds true and false."""
        return self.name == "bool"

    @property
    def is_numpy_compatible(self) -> builtins.bool:
        """Whether NumPy has it: always."""
        return True

    @property
    def size(self) -> int:
        """How many bytes a number takes."""
        return self.dtype.itemsize

    @property
    def min(self) -> Any:
        """The smallest number it holds."""
        return _limits(self).min

    @property
    def max(self) -> Any:
        """The largest number it holds."""
        return _limits(self).max

    @property
    def limits(self) -> tuple[Any, Any]:
        """The smallest and the largest number it holds."""
        return self.min, self.max

    @property
    def as_datatype_enum(self) -> str:
        """Its name, where TensorFlow has a number of its own for it."""
        return self.name

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Whether it is the same type."""
        return self == other

    def __eq__(self, other: object) -> builtins.bool:
        if type(other) is DType:
            return self.name == other.name
        if other is None or self.name in ("string", "variant", "resource"):
            return isinstance(other, str) and other == self.name
        try:
            return np.dtype(other) == self.dtype  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"


def _kind(dtype: DType) -> str:
    return "-" if dtype.name in ("string", "bool", "variant", "resource") else dtype.dtype.kind


def _limits(dtype: DType) -> Any:
    return jnp.finfo(dtype.dtype) if dtype.is_floating else jnp.iinfo(dtype.dtype)


_BY_NAME = {
    np.dtype(kind).name: DType(np.dtype(kind).name, np.dtype(kind).type)
    for kind in (
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bool",
        jnp.bfloat16,
    )
}
_BY_NAME |= {name: DType(name, np.object_) for name in ("string", "variant", "resource")}

float16 = half = _BY_NAME["float16"]
float32 = _BY_NAME["float32"]
float64 = double = _BY_NAME["float64"]
bfloat16 = _BY_NAME["bfloat16"]
int8, int16 = _BY_NAME["int8"], _BY_NAME["int16"]
int32, int64 = _BY_NAME["int32"], _BY_NAME["int64"]
uint8, uint16 = _BY_NAME["uint8"], _BY_NAME["uint16"]
uint32, uint64 = _BY_NAME["uint32"], _BY_NAME["uint64"]
complex64, complex128 = _BY_NAME["complex64"], _BY_NAME["complex128"]
bool, string = _BY_NAME["bool"], _BY_NAME["string"]
variant, resource = _BY_NAME["variant"], _BY_NAME["resource"]

# The numbers of TensorFlow's own for its types: programs give them where they slip, as tf.zeros(2, 1).
_BY_NUMBER = dict(
    enumerate([float32, float64, int32, uint8, int16, int8, string, complex64, int64, bool], start=1)
) | {14: bfloat16, 17: uint16, 18: complex128, 19: half, 20: resource, 21: variant, 22: uint32, 23: uint64}
_BY_NUMPY = {each.dtype: each for each in _BY_NAME.values() if each.dtype != object}
# What Python's own types and TensorFlow's other words mean.
_OTHER_NAMES: dict[Any, DType] = {"half": half, "double": float64, "float": float32, "int": int32}
_OF_PYTHON: tuple[tuple[Any, DType], ...] = ((float, float32), (int, int32), (builtins.bool, bool))


def as_dtype(type_value: Any) -> DType:
    """The type for a name, a type of NumPy's or Python's, or a `DType`.

    >>> as_dtype("float32"), as_dtype(np.int64), as_dtype(float)
    (tf.float32, tf.int64, tf.float32)
    """
    if type(type_value) is DType:
        return type_value
    if isinstance(type_value, str) and (type_value in _BY_NAME or type_value in _OTHER_NAMES):
        return _BY_NAME.get(type_value) or _OTHER_NAMES[type_value]
    # By identity: NumPy's float64 equals Python's float.
    for kind, found in _OF_PYTHON:
        if type_value is kind:
            return found
    if type(type_value) is int and type_value in _BY_NUMBER:
        return _BY_NUMBER[type_value]
    try:
        dtype = np.dtype(type_value)
    except TypeError:
        raise UnknownNameError.of("tf.DType", type_value, [*_BY_NAME, *_OTHER_NAMES]) from None
    if dtype.kind in "OUS":
        return string
    return _BY_NUMPY[dtype]


class TensorShape(tuple):
    """The lengths of the dimensions: a tuple, with None where a length is not known.

    >>> shape = TensorShape([None, 3])
    >>> shape, shape.as_list(), str(shape), shape[1]
    (TensorShape([None, 3]), [None, 3], '(None, 3)', 3)
    """

    __slots__ = ()

    def __new__(cls, dims: Iterable[Any] | None = ()) -> TensorShape:  # noqa: D102
        if dims is None:
            raise ShapeError(
                "tf.TensorShape",
                expected="the lengths of the dimensions",
                got="None, a shape of which nothing is known",
                fix="Write TensorShape([None, 3]) with None for each length that is open.",
            )
        sizes = [dims] if isinstance(dims, int) else dims
        return super().__new__(cls, (None if size is None else int(size) for size in sizes))

    @property
    def rank(self) -> int:
        """How many dimensions there are."""
        return len(self)

    @property
    def ndims(self) -> int:
        """How many dimensions there are."""
        return len(self)

    @property
    def dims(self) -> list[int | None]:
        """The lengths."""
        return list(self)

    def as_list(self) -> list[int | None]:
        """The lengths as a list."""
        return list(self)

    def num_elements(self) -> int | None:
        """How many values there are in all; None where a length is not known."""
        return math.prod(self) if self.is_fully_defined() else None

    def is_fully_defined(self) -> builtins.bool:
        """Whether every length is known."""
        return None not in self

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Whether both could be the shape of one tensor."""
        sizes = tuple(other)
        pairs = zip(self, sizes, strict=False)
        return len(self) == len(sizes) and all(a is None or b is None or a == b for a, b in pairs)

    def assert_is_compatible_with(self, other: Any) -> None:
        """An error unless both could be the shape of one tensor."""
        if not self.is_compatible_with(other):
            raise ShapeError(
                "tf.TensorShape", expected=str(self), got=str(other), fix="Give it a tensor of that shape."
            )

    def with_rank(self, rank: int) -> TensorShape:
        """The shape itself; an error if it has another number of dimensions."""
        self.assert_is_compatible_with([None] * rank)
        return self

    def concatenate(self, other: Any) -> TensorShape:
        """These lengths and then those of the other."""
        return TensorShape([*self, *([other] if isinstance(other, int) else other)])

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return TensorShape(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape([*other, *self])

    def __eq__(self, other: object) -> builtins.bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, list)) else False

    def __ne__(self, other: object) -> builtins.bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__()

    def __reduce__(self) -> Any:
        return TensorShape, (list(self),)

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self)) + ("," if len(self) == 1 else "") + ")"


def is_shape(value: Any) -> builtins.bool:
    """Whether it is a shape that a tensor told."""
    return isinstance(value, TensorShape)
