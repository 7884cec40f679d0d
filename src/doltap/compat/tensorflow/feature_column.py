"""`tf.feature_column`: what the columns of a table are, and what is to become of them.

A column is a description; the preprocessing layers do what it says. What has no
weights is computed where strings can be seen, before the network: numbers, or
ids, of which `OUT` has no place in the vocabulary and `MISSING` was not given.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from doltap import initializers
from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.dtypes import DType
from doltap.compat.tensorflow.records import FixedLenFeature, VarLenFeature
from doltap.compat.tensorflow.tensor import as_tensor, is_traced, unwrapped
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError, printable
from doltap.layers.preprocessing import Discretization, HashedCrossing, Hashing, IntegerLookup, StringLookup
from doltap.layers.preprocessing.encoding import encode, whole_numbers

__all__ = [
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "indicator_column",
    "make_parse_example_spec",
    "numeric_column",
]

OUT, MISSING = -1, -2
_COMBINERS = ("mean", "sqrtn", "sum")


def _xp(*arrays: Any) -> Any:
    """NumPy, or in a compiled program JAX."""
    return jnp if any(map(is_traced, arrays)) else np


def _rows(value: Any) -> Any:
    """An array whose rows lie flat: (batch, values)."""
    return value.reshape(value.shape[0], -1)


class Column:
    """What all columns can say: their name, and the columns of the table they are made of."""

    name: str

    @property
    def texts(self) -> frozenset[str]:
        """The columns of the table that hold strings."""
        wanted = self.parse_example_spec.items()
        return frozenset(key for key, feature in wanted if feature.dtype == dtypes.string)

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """How `tf.io.parse_example` reads the columns of the table."""
        raise NotImplementedError


class Dense(Column):
    """A column that gives numbers to a network.

    `value` is computed before the network, `encoded` in it.
    """

    # How long a row is.
    width: int

    def value(self, features: Mapping[str, Any]) -> Any:
        """What the network is given, from the columns of a table."""
        raise NotImplementedError

    def encoded(self, value: Any, table: Any) -> Any:
        """The row of numbers; `table` holds the weights, where there are any."""
        raise NotImplementedError


class Categorical(Column):
    """A column of categories, numbered from 0."""

    num_buckets: int

    def ids(self, features: Mapping[str, Any]) -> Any:
        """The number of each category, in rows of one or more."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class NumericColumn(Dense):
    """Real numbers, as they are or as a function makes them."""

    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: DType
    normalizer_fn: Any

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the table's column."""
        return self.key

    @property
    def width(self) -> int:  # type: ignore[override]
        """How many numbers a row has."""
        return math.prod(self.shape)

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """One feature of a known shape."""
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    def value(self, features: Mapping[str, Any]) -> Any:
        """The numbers, as the function makes them."""
        given = features[self.key]
        if given.dtype.kind not in "biuf":
            raise DataError(
                f"numeric_column('{self.key}')",
                expected="numbers",
                got="strings",
                fix="Make the strings numbers, or use categorical_column_with_vocabulary_list.",
            )
        made = given if self.normalizer_fn is None else unwrapped(self.normalizer_fn(as_tensor(given)))
        rows = _rows(_xp(made).asarray(made, "float32"))
        if rows.shape[1] != self.width:
            raise ShapeError(
                f"numeric_column('{self.key}', shape={self.shape})",
                expected=f"{self.width} numbers a row",
                got=str(rows.shape[1]),
                fix=f"Say numeric_column('{self.key}', shape={tuple(given.shape[1:])}).",
            )
        return rows

    def encoded(self, value: Any, table: Any) -> Any:
        """The numbers."""
        return value


@dataclasses.dataclass(frozen=True)
class BucketizedColumn(Dense, Categorical):
    """Real numbers, each as the bucket it falls into."""

    source_column: NumericColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        """The numbers' own, and what becomes of them."""
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """As that of the numbers."""
        return self.source_column.parse_example_spec

    @property
    def num_buckets(self) -> int:  # type: ignore[override]
        """Those of every number of a row."""
        return (len(self.boundaries) + 1) * self.source_column.width

    width = num_buckets

    @functools.cached_property
    def _bins(self) -> Discretization:
        return Discretization(bin_boundaries=list(self.boundaries), name="buckets")

    def ids(self, features: Mapping[str, Any]) -> Any:
        """The bucket of each number; a second number of a row has buckets of its own."""
        numbers = self.source_column.value(features)
        xp = _xp(numbers)
        bins = xp.asarray(self._bins.call(jnp.asarray(numbers)))
        return (bins + xp.arange(numbers.shape[1]) * (len(self.boundaries) + 1)).astype("int32")

    value = ids

    def encoded(self, value: Any, table: Any) -> Any:
        """A one in the place of the bucket."""
        return encode(value, "count", self.width, "float32")


class _OfKey(Categorical):
    """Categories from one column of the table, which has a type."""

    key: str
    dtype: Any

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the table's column."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of any length."""
        return {self.key: VarLenFeature(self.dtype)}

    def ids(self, features: Mapping[str, Any]) -> Any:
        """The number of each category; an empty string and -1 stand for none."""
        given = _rows(features[self.key])
        is_text = self.dtype == dtypes.string
        if is_text != (given.dtype.kind not in "biuf"):
            raise DataError(
                f"column '{self.key}'",
                expected="strings" if is_text else "whole numbers",
                got=f"values of type {given.dtype}",
                fix="The column's dtype= says what it is given: tf.string or tf.int64.",
            )
        if not is_text and not is_traced(given):
            given = whole_numbers(f"column '{self.key}'", given)
        xp = _xp(given)
        is_missing = (given == "") | (given == b"") if is_text else given == -1
        return xp.where(is_missing, MISSING, xp.asarray(self.numbered(given))).astype("int32")

    def numbered(self, given: Any) -> Any:
        """The number of each category."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class VocabularyListCategoricalColumn(_OfKey):
    """Categories that are listed."""

    key: str
    vocabulary_list: tuple[Any, ...]
    dtype: DType
    default_value: int
    num_oov_buckets: int

    @property
    def num_buckets(self) -> int:  # type: ignore[override]
        """Those that are listed, and the buckets for others."""
        return len(self.vocabulary_list) + self.num_oov_buckets

    @functools.cached_property
    def _lookup(self) -> Any:
        listed, others = list(self.vocabulary_list), max(1, self.num_oov_buckets)
        if self.dtype == dtypes.string:
            return StringLookup(vocabulary=listed, num_oov_indices=others, name=self.key)
        return IntegerLookup(vocabulary=listed, num_oov_indices=others, oov_method="farmhash", name=self.key)

    def numbered(self, given: Any) -> Any:
        """The place in the list; the buckets for others come behind it, not in front as in the layers."""
        xp, num_others = _xp(given), max(1, self.num_oov_buckets)
        found = xp.asarray(self._lookup.call(given))
        others = found + len(self.vocabulary_list) if self.num_oov_buckets else self.default_value
        return xp.where(found < num_others, others, found - num_others)


@dataclasses.dataclass(frozen=True)
class IdentityCategoricalColumn(_OfKey):
    """Categories that are whole numbers from 0 already."""

    key: str
    number_buckets: int
    default_value: Any

    dtype: ClassVar[DType] = dtypes.int64

    @property
    def num_buckets(self) -> int:  # type: ignore[override]
        """How many numbers there are."""
        return self.number_buckets

    def numbered(self, given: Any) -> Any:
        """The number, or the default where it is out of range."""
        is_inside = (given >= 0) & (given < self.number_buckets)
        return _xp(given).where(is_inside, given, OUT if self.default_value is None else self.default_value)


@dataclasses.dataclass(frozen=True)
class HashedCategoricalColumn(_OfKey):
    """Categories that share a few buckets."""

    key: str
    hash_bucket_size: int
    dtype: DType

    @property
    def num_buckets(self) -> int:  # type: ignore[override]
        """How many buckets there are."""
        return self.hash_bucket_size

    def numbered(self, given: Any) -> Any:
        """The bucket, as TensorFlow hashes."""
        return Hashing(self.hash_bucket_size, name="hashed").call(given)


@dataclasses.dataclass(frozen=True)
class CrossedColumn(Categorical):
    """Several columns taken together, hashed into a few buckets."""

    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: Any

    @property
    def _leaves(self) -> list[Any]:
        """The columns crossed, with those of a cross in their place."""
        return [leaf for part in self.keys for leaf in getattr(part, "_leaves", [part])]

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of all columns in it."""
        return "_X_".join(sorted(leaf if isinstance(leaf, str) else leaf.name for leaf in self._leaves))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Those of its columns; one that is only named holds strings."""
        found: dict[str, Any] = {}
        for leaf in self._leaves:
            found |= (
                {leaf: VarLenFeature(dtypes.string)} if isinstance(leaf, str) else leaf.parse_example_spec
            )
        return found

    @property
    def num_buckets(self) -> int:  # type: ignore[override]
        """How many buckets there are."""
        return self.hash_bucket_size

    def ids(self, features: Mapping[str, Any]) -> Any:
        """The bucket of every combination of a row."""
        # As in TensorFlow's operation, columns that are only named come last.
        ordered = sorted(self._leaves, key=lambda leaf: isinstance(leaf, str))
        given = [_rows(features[leaf]) if isinstance(leaf, str) else leaf.ids(features) for leaf in ordered]
        # Each on an axis of its own, so that every category of one meets every one of the others.
        apart = [np.arange(len(given)) == number for number in range(len(given))]
        wide = [
            each.reshape(-1, *np.where(is_own, each.shape[1], 1))
            for each, is_own in zip(given, apart, strict=True)
        ]
        xp = _xp(*given)
        combined = [each.reshape(-1) for each in xp.broadcast_arrays(*wide)]
        bins = xp.asarray(HashedCrossing(self.hash_bucket_size, name="crossed").call(combined))
        for leaf, numbers in zip(ordered, combined, strict=True):
            bins = bins if isinstance(leaf, str) else xp.where(numbers == MISSING, MISSING, bins)
        return bins.reshape(given[0].shape[0], -1).astype("int32")


@dataclasses.dataclass(frozen=True)
class IndicatorColumn(Dense):
    """How often each category stands in a row: mostly once, one-hot."""

    categorical_column: Categorical

    @property
    def name(self) -> str:  # type: ignore[override]
        """The categories' own, and what becomes of them."""
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """As that of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def width(self) -> int:  # type: ignore[override]
        """One number for each category."""
        return self.categorical_column.num_buckets

    def value(self, features: Mapping[str, Any]) -> Any:
        """The numbers of the categories."""
        return self.categorical_column.ids(features)

    def encoded(self, value: Any, table: Any) -> Any:
        """Rows with a one for each category."""
        return encode(value, "count", self.width, "float32")


@dataclasses.dataclass(frozen=True)
class EmbeddingColumn(Dense):
    """A vector for each category, which training moves."""

    categorical_column: Categorical
    dimension: int
    combiner: str
    initializer: Any
    trainable: bool

    @property
    def name(self) -> str:  # type: ignore[override]
        """The categories' own, and what becomes of them."""
        return f"{self.categorical_column.name}_embedding"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """As that of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def width(self) -> int:  # type: ignore[override]
        """How long a vector is."""
        return self.dimension

    def value(self, features: Mapping[str, Any]) -> Any:
        """The numbers of the categories."""
        return self.categorical_column.ids(features)

    def encoded(self, value: Any, table: Any) -> Any:
        """The vectors of a row as one; zeros where there is no category."""
        is_there = value >= 0
        vectors = jnp.take(table, jnp.where(is_there, value, 0), axis=0, mode="fill") * is_there[..., None]
        count = jnp.maximum(is_there.sum(1, keepdims=True), 1).astype(vectors.dtype)
        divisors = {"sum": jnp.ones_like(count), "mean": count, "sqrtn": jnp.sqrt(count)}
        return vectors.sum(1) / divisors[self.combiner]


# By what files call them.
kinds: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(NumericColumn, BucketizedColumn, IndicatorColumn, EmbeddingColumn, IdentityCategoricalColumn),
        *(VocabularyListCategoricalColumn, HashedCategoricalColumn, CrossedColumn),
    )
}

# The functions that programs call.


def numeric_column(
    key: Any,
    shape: Any = (1,),
    default_value: Any = None,
    dtype: Any = dtypes.float32,
    normalizer_fn: Any = None,
) -> NumericColumn:
    """A column of real numbers.

    Args:
        shape: of the numbers of a row.
        normalizer_fn: a function that is given the numbers as a tensor.
    """
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else (int(shape),)
    return NumericColumn(_key(key), shape, default_value, dtypes.as_dtype(dtype), normalizer_fn)


def bucketized_column(source_column: Any, boundaries: Sequence[float]) -> BucketizedColumn:
    """A numeric column in buckets; a boundary belongs to the bucket above it."""
    if not isinstance(source_column, NumericColumn):
        raise _not_this("bucketized_column", "a numeric_column", source_column, "numeric_column('age')")
    edges = tuple(boundaries)
    if any(one >= other for one, other in itertools.pairwise(edges)):
        raise DataError(
            "bucketized_column",
            expected="boundaries that rise",
            got=str(list(edges)),
            fix="Sort them, each once: sorted(set(boundaries)).",
        )
    return BucketizedColumn(source_column, edges)


def categorical_column_with_vocabulary_list(
    key: Any, vocabulary_list: Any, dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyListCategoricalColumn:
    """A column of categories that are listed.

    Args:
        default_value: the number of those that are not in the list; -1 for none.
        num_oov_buckets: over how many further numbers they are spread instead.
    """
    words = [word.item() if isinstance(word, np.generic) else word for word in vocabulary_list]
    words = [word.decode() if isinstance(word, bytes) else word for word in words]
    kind = dtypes.string if dtype is None and words and isinstance(words[0], str) else dtype or dtypes.int64
    listed = _key(key), tuple(words), dtypes.as_dtype(kind), default_value, num_oov_buckets
    return VocabularyListCategoricalColumn(*listed)


def categorical_column_with_vocabulary_file(
    key: Any,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    dtype: Any = dtypes.string,
    default_value: int | None = None,
    num_oov_buckets: int = 0,
) -> VocabularyListCategoricalColumn:
    """A column of categories that stand in a file, one a line."""
    words: list[Any] = (
        pathlib.Path(vocabulary_file).read_text(encoding="utf-8").splitlines()[:vocabulary_size]
    )
    if dtypes.as_dtype(dtype) != dtypes.string:
        words = [int(word) for word in words]
    default = -1 if default_value is None else default_value
    return categorical_column_with_vocabulary_list(key, words, dtype, default, num_oov_buckets)


def categorical_column_with_identity(
    key: Any, num_buckets: int, default_value: int | None = None
) -> IdentityCategoricalColumn:
    """A column of whole numbers from 0 to below `num_buckets`."""
    return IdentityCategoricalColumn(_key(key), int(num_buckets), default_value)


def categorical_column_with_hash_bucket(
    key: Any, hash_bucket_size: int, dtype: Any = dtypes.string
) -> HashedCategoricalColumn:
    """A column of any categories, hashed into a few buckets."""
    return HashedCategoricalColumn(_key(key), int(hash_bucket_size), dtypes.as_dtype(dtype))


def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Several columns taken together, hashed into a few buckets.

    Args:
        keys: names of columns of strings, and categorical columns.
    """
    if hash_key is not None:
        raise _left_out("crossed_column(hash_key=)", "Leave hash_key out.")
    for part in keys:
        if isinstance(part, HashedCategoricalColumn) or not isinstance(part, (str, Categorical)):
            fix = "Name the column of the table instead, or put numbers into buckets first."
            raise _not_this("crossed_column", "names and categorical columns that are not hashed", part, fix)
    return CrossedColumn(tuple(keys), int(hash_bucket_size), None)


def indicator_column(categorical_column: Any) -> IndicatorColumn:
    """Categories as one-hot rows."""
    return IndicatorColumn(_categorical("indicator_column", categorical_column))


def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> EmbeddingColumn:
    """Categories as vectors that are learnt.

    Args:
        combiner: what becomes of several categories in a row: "mean", "sqrtn" or "sum".
        initializer: where the vectors start; None for a narrow normal distribution.
    """
    if combiner not in _COMBINERS:
        raise UnknownNameError.of("combiner", combiner, _COMBINERS)
    if ckpt_to_load_from is not None or tensor_name_in_ckpt is not None or max_norm is not None:
        fix = "Leave them out; layer.set_weights sets vectors that are known."
        raise _left_out("embedding_column(ckpt_to_load_from=, tensor_name_in_ckpt=, max_norm=)", fix)
    start = (
        initializers.TruncatedNormal(0.0, 1 / math.sqrt(dimension)) if initializer is None else initializer
    )
    column = _categorical("embedding_column", categorical_column)
    return EmbeddingColumn(column, int(dimension), combiner, start, bool(trainable))


def make_parse_example_spec(feature_columns: Iterable[Column]) -> dict[str, Any]:
    """What `tf.io.parse_example` is told to read the columns of the table, by their names."""
    return {key: kind for column in feature_columns for key, kind in column.parse_example_spec.items()}


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise _not_this("a feature column", "the name of a column of the table", key, "numeric_column('age')")
    return key


def _categorical(subject: str, column: Any) -> Categorical:
    if not isinstance(column, Categorical):
        fix = "categorical_column_with_vocabulary_list and its sisters make one."
        raise _not_this(subject, "a categorical column", column, fix)
    return column


def _not_this(subject: str, expected: str, got: Any, fix: str) -> DataError:
    return DataError(subject, expected=expected, got=printable(repr(got), 80), fix=fix)


def _left_out(subject: str, fix: str) -> NotSupportedError:
    return NotSupportedError(subject, expected="what doltap has of it", got="more than that", fix=fix)


lacking.guard(__name__)
