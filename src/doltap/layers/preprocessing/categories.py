"""Layers that encode categories: as one-hot rows, or hashed into a few bins without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.core.layer import Layer
from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.layers.preprocessing.encoding import (
    checked_mode,
    checked_salt,
    encode,
    encoded_shape,
    is_traced,
    on_host,
    refuse_sparse,
    texts,
    whole_numbers,
    whole_type,
)
from doltap.layers.preprocessing.fingerprints import bins_of_integers, bins_of_texts, crossed, fingerprints

__all__ = ["CategoryEncoding", "HashedCrossing", "Hashing"]


class CategoryEncoding(Layer):
    """Whole numbers from 0 to `num_tokens - 1` as rows of `num_tokens` numbers.

    Args:
        num_tokens: the length of a row.
        output_mode: "one_hot" makes a row of each number, "multi_hot" one row of
            all numbers of a sample, "count" a row with how often each occurs.

    >>> CategoryEncoding(3, output_mode="one_hot")([2, 0]).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **keywords})
        self.output_mode = checked_mode(output_mode, "one_hot", "multi_hot", "count")
        refuse_sparse("CategoryEncoding", sparse)
        self.num_tokens = _counted(self.name, "num_tokens", num_tokens)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The encoded numbers.

        Args:
            count_weights: in "count" mode, how much each number counts; None means 1.
        """
        if count_weights is not None and self.output_mode != "count":
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="count_weights only with output_mode='count'",
                got=f"output_mode={self.output_mode!r}",
                fix="Leave count_weights out, or make the layer with output_mode='count'.",
            )
        if not is_traced(inputs):
            inputs = self._in_range(whole_numbers(f"layer '{self.name}'", inputs))
        weights = None if count_weights is None else jnp.asarray(count_weights, self.compute_dtype)
        indices = jnp.asarray(inputs).astype(jnp.int32)
        return encode(indices, self.output_mode, self.num_tokens, self.compute_dtype, weights)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Rows of `num_tokens`."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}

    def _in_range(self, numbers: np.ndarray) -> np.ndarray:
        is_wrong = (numbers < 0) | (numbers >= self.num_tokens)
        if is_wrong.any():
            raise DataError(
                f"layer '{self.name}'",
                expected=f"whole numbers from 0 to {self.num_tokens - 1}",
                got=f"{numbers[is_wrong].flat[0]} ({int(is_wrong.sum())} of {numbers.size} are wrong)",
                fix="Give a larger num_tokens, or number the categories with IntegerLookup.",
            )
        return numbers

    def _as_arrays(self, inputs: Any) -> Any:
        # On the host a number too large for the device is still seen.
        return on_host(inputs)


class Hashing(Layer):
    """A bin for each string or whole number, the same on every machine, without a vocabulary.

    Bins are TensorFlow's: FarmHash, or SipHash where there is a salt.

    Args:
        num_bins: how many bins; with a mask_value, bin 0 is its own.
        mask_value: what goes into bin 0; None for nothing.
        salt: one or two integers that make the bins other ones.
        output_mode: "int", "one_hot", "multi_hot" or "count".

    >>> Hashing(3)([["A"], ["B"], ["C"]]).tolist()
    [[1], [0], [1]]
    """

    def __init__(
        self,
        num_bins: Any,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **keywords: Any,
    ) -> None:
        self.output_mode = checked_mode(output_mode, "int", "one_hot", "multi_hot", "count")
        super().__init__(**_with_type(self.output_mode, {"autocast": False, **keywords}))
        refuse_sparse("Hashing", sparse)
        if self.output_mode == "int" and self.compute_dtype not in ("int32", "int64"):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="dtype 'int32' or 'int64' with output_mode='int'",
                got=f"dtype={self.compute_dtype!r}",
                fix="Leave dtype out.",
            )
        self.num_bins = _counted(self.name, "num_bins", num_bins)
        self.mask_value = mask_value
        self.salt = checked_salt(f"layer '{self.name}'", salt)

    @property
    def on_host(self) -> bool:  # type: ignore[override]
        """Whether strings go into it, as far as its calls in networks tell."""
        return _takes_strings(self)

    def call(self, inputs: Any) -> Any:
        """The bin of each input."""
        bins = self._bins(inputs)
        return encode(jnp.asarray(bins), self.output_mode, self.num_bins, self.output_dtype(""))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's shape, or rows of `num_bins`."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def output_dtype(self, input_dtype: str) -> str:
        """Whole numbers for bins, real ones for rows."""
        return str(jax.dtypes.canonicalize_dtype(self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": False,
        }

    def _bins(self, inputs: Any) -> Any:
        masks = self.mask_value is not None and self.num_bins > 1
        num_bins = self.num_bins - masks
        if is_traced(inputs) or not _holds_strings(inputs):
            numbers = _hashable(self.name, inputs)
            bins, is_masked = bins_of_integers(numbers, num_bins, self.salt), numbers == self.mask_value
        else:
            values, shape = texts(f"layer '{self.name}'", inputs)
            letters = _as_bytes(values)
            bins = bins_of_texts(letters, num_bins, self.salt).reshape(shape)
            mask = _as_bytes([self.mask_value])[0] if isinstance(self.mask_value, (str, bytes)) else None
            is_masked = np.fromiter((text == mask for text in letters), bool, len(letters)).reshape(shape)
        return jnp.where(is_masked, 0, bins + 1) if masks else bins

    def _as_arrays(self, inputs: Any) -> Any:
        return on_host(inputs)


class HashedCrossing(Layer):
    """One bin for each combination of several columns, as `hash(a and b) % num_bins`.

    Bins are TensorFlow's. The columns hold strings or whole numbers, in
    shape (), (batch,) or (batch, 1).

    Args:
        num_bins: how many bins.
        output_mode: "int" or "one_hot".

    >>> HashedCrossing(5)((["A", "B", "A"], [101, 101, 102])).tolist()
    [1, 4, 3]
    """

    def __init__(
        self,
        num_bins: Any,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **keywords: Any,
    ) -> None:
        self.output_mode = checked_mode(output_mode, "int", "one_hot")
        given = {"autocast": False, "name": name, "dtype": dtype, **keywords}
        super().__init__(**_with_type(self.output_mode, given))
        refuse_sparse("HashedCrossing", sparse)
        self.num_bins = _counted(self.name, "num_bins", num_bins)

    @property
    def on_host(self) -> bool:  # type: ignore[override]
        """Whether strings go into it, as far as its calls in networks tell."""
        return _takes_strings(self)

    def call(self, inputs: Any) -> Any:
        """The bin of each row."""
        columns = [self._column(column) for column in inputs]
        if any(map(is_traced, columns)):
            columns = [jnp.asarray(column) for column in columns]
        bins = jnp.asarray(crossed(columns, self.num_bins)).reshape(columns[0].shape)
        return encode(bins, self.output_mode, self.num_bins, self.output_dtype(""))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of one column, or rows of `num_bins`."""
        self._check_shapes(input_shape)
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def output_dtype(self, input_dtype: str) -> str:
        """Whole numbers for bins, real ones for rows."""
        return str(jax.dtypes.canonicalize_dtype(self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    def _column(self, column: Any) -> Any:
        if is_traced(column) or not _holds_strings(column):
            if column.dtype.kind not in "iu":
                raise DataError(
                    f"layer '{self.name}'",
                    expected="columns of whole numbers or strings",
                    got=f"one of type {column.dtype}",
                    fix="Put real numbers into bins first, with Discretization.",
                )
            return column if is_traced(column) else np.asarray(column)
        values, shape = texts(f"layer '{self.name}'", column)
        return fingerprints(_as_bytes(values)).reshape(shape)

    def _as_arrays(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise self._not_columns(f"one {type(inputs).__name__}")
        columns = [on_host(column) for column in inputs]
        self._check_shapes([column.shape for column in columns])
        return columns

    def _check_shapes(self, shapes: Sequence[Any]) -> None:
        if not shapes or not isinstance(shapes[0], (list, tuple)) or len(shapes) < 2:
            raise self._not_columns(f"one of shape {tuple(shapes)}")
        first = tuple(shapes[0])
        is_column = len(first) < 2 or (len(first) == 2 and first[1] == 1)
        if not is_column or any(tuple(shape) != first for shape in shapes[1:]):
            raise self._not_columns(f"shapes {[tuple(shape) for shape in shapes]}")

    def _not_columns(self, got: str) -> ShapeError:
        return ShapeError(
            f"layer '{self.name}'",
            expected="two or more columns of one shape: (batch,) or (batch, 1)",
            got=got,
            fix="Call it on a list of columns: layer([city, age]).",
        )


def _counted(name: str, argument: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 < int(value) < 1 << 31:
        raise DataError(
            f"layer '{name}'",
            expected=f"{argument} as a whole number, 1 or more",
            got=repr(value),
            fix=f"Say {argument}=10 for numbers from 0 to 9.",
        )
    return int(value)


def _with_type(mode: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """Bins are whole numbers unless another type was asked for."""
    if mode == "int" and keywords.get("dtype") is None:
        keywords["dtype"] = "int64"
    return keywords


def _takes_strings(layer: Layer) -> bool:
    return any(tensor.dtype == "string" for node in layer.nodes for tensor in node.inputs)


def _holds_strings(inputs: Any) -> bool:
    return isinstance(inputs, np.ndarray) and inputs.dtype.kind not in "biuf"


def _hashable(name: str, inputs: Any) -> Any:
    if inputs.dtype == bool:
        return inputs if is_traced(inputs) else np.asarray(inputs)
    if not is_traced(inputs):
        return whole_numbers(f"layer '{name}'", inputs)
    return inputs if jnp.issubdtype(inputs.dtype, jnp.integer) else inputs.astype(whole_type())


def _as_bytes(values: list[Any]) -> list[bytes]:
    return [value.encode() if isinstance(value, str) else bytes(value) for value in values]
