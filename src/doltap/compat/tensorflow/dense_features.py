"""`keras.layers.DenseFeatures`: the columns that `tf.feature_column` describes, as one row of numbers.

Two layers: `ColumnValues` turns columns of a table, strings among them, into
numbers in front of the network; `DenseFeatures` holds the vectors and joins all.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import initializers
from doltap.compat.tensorflow import dtypes, feature_column
from doltap.compat.tensorflow.feature_column import Column, Dense, EmbeddingColumn
from doltap.compat.tensorflow.tensor import Tensor, is_traced, unwrapped
from doltap.core.graph import Node, SymbolicTensor
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError, UnknownNameError, printable

__all__ = ["ColumnValues", "DenseFeatures"]


class ColumnValues(Layer):
    """What each column makes of a dict of columns of the table: numbers, or ids of categories.

    Args:
        columns: in their order.
    """

    def __init__(self, columns: Any, **keywords: Any) -> None:
        super().__init__(autocast=False, **keywords)
        self.columns = _in_order(list(columns))

    @property
    def on_host(self) -> bool:  # type: ignore[override]
        """Whether a column holds strings."""
        return any(column.texts for column in self.columns)

    def call(self, inputs: Any) -> Any:
        """The values, in a list."""
        return [column.value(inputs) for column in self.columns]

    def _as_arrays(self, inputs: Any) -> Any:
        return {key: _array(value) for key, value in unwrapped(inputs).items()}

    def _promise(self, inputs: Any, *_: Any, **__: Any) -> Any:
        # Ones may be no input for the user's function.
        with np.errstate(all="ignore"):
            values = self.call({key: _likeness(tensor) for key, tensor in inputs.items()})
        outputs = [SymbolicTensor((None, *one.shape[1:]), str(one.dtype), self.name) for one in values]
        Node(self, (inputs,), {}, outputs)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "columns": [_described(column) for column in self.columns]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer made from what `get_config` gave."""
        return super().from_config({**config, "columns": [_made_again(each) for each in config["columns"]]})


def _array(value: Any) -> Any:
    if is_traced(value):
        return value
    array = np.asarray(value)
    return array if array.dtype.kind in "biuf" else array.astype(object)


def _likeness(tensor: SymbolicTensor) -> np.ndarray:
    """An array of two rows as the promised one, of ones or of texts."""
    shape = [2, *(1 if size is None else size for size in tensor.shape[1:])]
    return np.full(shape, "", object) if tensor.dtype == "string" else np.ones(shape, tensor.dtype)


class DenseFeatures(Layer):
    """A row of numbers of the columns of a table, joined in the order of their names.

    It is called with a dict of the table's columns; there may be more in it.

    Args:
        feature_columns: numeric, bucketized, indicator and embedding columns.
    """

    takes_tables = True

    def __init__(
        self, feature_columns: Any, trainable: bool = True, name: str | None = None, **keywords: Any
    ) -> None:
        keywords.pop("partitioner", None)
        super().__init__(trainable=trainable, name=name, **{"autocast": False, **keywords})
        given = feature_columns.values() if isinstance(feature_columns, Mapping) else feature_columns
        self.columns = _in_order([given] if isinstance(given, Column) else list(given))
        # It stands beside this layer in a network, not in it.
        self._before = types.SimpleNamespace(values=ColumnValues(self.columns, name=f"{self.name}_values"))
        self._tables: dict[str, Any] = {}

    def build(self, input_shape: Any = None) -> None:
        """Make the vectors of the embedding columns."""
        for column in self.columns:
            if isinstance(column, EmbeddingColumn):
                self._tables[column.name] = self.add_weight(
                    (column.categorical_column.num_buckets, column.dimension),
                    initializer=column.initializer,
                    trainable=column.trainable,
                    name=f"{column.name}/embedding_weights",
                )

    def call(self, inputs: Any) -> Any:
        """What the columns make of their values, side by side."""
        tables = [self._tables.get(column.name) for column in self.columns]
        parts = [
            column.encoded(value, None if table is None else table.read())
            for column, value, table in zip(self.columns, inputs, tables, strict=True)
        ]
        return jnp.concatenate([part.astype(self.compute_dtype) for part in parts], axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """As many numbers a row as all columns give."""
        return (None, sum(column.width for column in self.columns))

    def __call__(self, features: Any = None, *arguments: Any, **keywords: Any) -> Any:  # type: ignore[override]
        """The rows for a dict of the table's columns, or for the values that its columns have already."""
        if callable(getattr(features, "keys", None)):
            features = self._before.values({key: _as_given(features, key) for key in self._keys})
        return super().__call__(features, *arguments, **keywords)

    @property
    def _keys(self) -> list[str]:
        """The columns of the table that it takes."""
        return list(feature_column.make_parse_example_spec(self.columns))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "feature_columns": [_described(column) for column in self.columns]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer made from what `get_config` gave."""
        made = [_made_again(column) for column in config["feature_columns"]]
        return super().from_config({**config, "feature_columns": made})


def _in_order(columns: list[Any]) -> tuple[Dense, ...]:
    for column in columns:
        if not isinstance(column, Dense):
            raise NotSupportedError(
                "DenseFeatures",
                expected="columns that give numbers",
                got=printable(repr(column), 80),
                fix="Wrap categories: indicator_column(column) makes them one-hot, "
                "embedding_column(column, dimension=8) learns a vector for each.",
            )
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise NotSupportedError(
                "DenseFeatures",
                expected="columns with names of their own",
                got=f"several called '{name}'",
                fix="Leave the others out.",
            )
    return tuple(sorted(columns, key=lambda column: column.name))


def _as_given(features: Any, key: str) -> Any:
    """A column of the table as an array, a tensor or the promise of one."""
    if key not in features:
        raise UnknownNameError.of("column of the data for DenseFeatures", key, map(str, features))
    value = features[key]
    return value if isinstance(value, (Tensor, SymbolicTensor)) else _array(value)


# In files.


def _described(part: Any) -> Any:
    """A column, or what one is made with, as plain values."""
    if isinstance(part, Column):
        fields = {each.name: _described(getattr(part, each.name)) for each in dataclasses.fields(part)}  # type: ignore[arg-type]
        return {"class_name": type(part).__name__, "config": fields}
    if isinstance(part, tuple):
        return [_described(each) for each in part]
    if isinstance(part, initializers.Initializer):
        return {"class_name": "initializer", "config": initializers.serialize(part)}
    if isinstance(part, dtypes.DType):
        return part.name
    if callable(part):
        raise NotSupportedError(
            "numeric_column(normalizer_fn=)",
            expected="columns that a file can hold",
            got="a function of your own",
            fix="Keep the weights: model.save_weights('name.weights.h5'), and make the model anew.",
        )
    return part


def _made_again(part: Any) -> Any:
    """What `_described` wrote."""
    if isinstance(part, list):
        return tuple(_made_again(each) for each in part)
    if not isinstance(part, dict):
        return part
    if part["class_name"] == "initializer":
        return initializers.get(part["config"])
    fields = {name: _made_again(value) for name, value in part["config"].items()}
    if "dtype" in fields:
        fields["dtype"] = dtypes.as_dtype(fields["dtype"])
    return feature_column.kinds[part["class_name"]](**fields)
