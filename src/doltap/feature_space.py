"""A table with columns of many kinds, as one vector per row: the FeatureSpace.

Each column goes through a preprocessing layer of its own; the space knows which,
teaches them all from one table, and joins what they give.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, layers
from doltap.core import configs
from doltap.core.graph import SymbolicTensor, symbolic_leaves
from doltap.core.layer import Layer
from doltap.errors import DataError, NotSupportedError, UnknownNameError
from doltap.models import saving
from doltap.registry import Configured

__all__ = ["Cross", "Feature", "FeatureSpace", "TFDConcat", "TFDIdentity"]

# Where Keras keeps these classes: files name the place.
_KERAS_MODULE = "keras.src.layers.preprocessing.feature_space"


class TFDIdentity(Layer):
    """Its input as it is: what a plain column goes through, under Keras's name for it."""

    keeps_dtype = True

    def call(self, x: Any) -> Any:
        """The input."""
        return x

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)


class TFDConcat(Layer):
    """Arrays end to end along an axis, under Keras's name for what joins the columns.

    Args:
        axis: along which the arrays are joined.
    """

    def __init__(self, axis: int, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        """The arrays as one."""
        return jnp.concatenate(xs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the first array, as long as all of them."""
        lengths = [shape[self.axis] for shape in input_shape]
        joined = list(input_shape[0])
        joined[self.axis] = None if None in lengths else sum(lengths)
        return tuple(joined)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "axis": self.axis}


class Cross(Configured):
    """Several columns taken together, hashed into a few bins.

    Args:
        feature_names: which columns.
        crossing_dim: how many bins.
        output_mode: "one_hot" or "int".
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        if output_mode not in ("int", "one_hot"):
            raise UnknownNameError.of("output_mode", output_mode, ("int", "one_hot"))
        self.feature_names, self.crossing_dim = tuple(feature_names), crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the columns, joined by "_X_"."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        names = list(self.feature_names)
        return {"feature_names": names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}


class Feature(Configured):
    """A column: its type, the layer it goes through, and what becomes of the result.

    Args:
        dtype: "float32", "int32" or "string".
        preprocessor: the layer, or the dict that describes it.
        output_mode: "one_hot", "int" or "float".
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in ("int", "one_hot", "float"):
            raise UnknownNameError.of("output_mode", output_mode, ("int", "one_hot", "float"))
        self.dtype, self.output_mode = dtype, output_mode
        self.preprocessor = configs.deserialize(preprocessor)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        described = configs.serialize(self.preprocessor)
        if isinstance(self.preprocessor, TFDIdentity):
            described |= {"module": _KERAS_MODULE, "registered_name": "TFDIdentity"}
        return {"dtype": self.dtype, "preprocessor": described, "output_mode": self.output_mode}


class FeatureSpace(Layer):
    """Columns of numbers and strings, encoded as one vector per row or as a dict of vectors.

    Kinds of columns, by name or as a call of the method of that name: "float",
    "float_rescaled", "float_normalized", "float_discretized",
    "integer_categorical", "string_categorical", "integer_hashed" and
    "string_hashed"; `FeatureSpace.feature` for a layer of one's own.

    Args:
        features: the kind of each column, by the column's name.
        output_mode: "concat" for one vector, "dict" for one per column.
        crosses: columns to take together, such as [("city", "age")].
        crossing_dim: how many bins a cross has, unless it says so.
        hashing_dim: how many bins hashed columns have, likewise.
        num_discretization_bins: how many bins discretized columns have, likewise.

    >>> space = FeatureSpace({"age": "float_rescaled", "city": "string_categorical"})
    >>> table = {"age": [30.0, 40.0], "city": ["Busan", "Seoul"]}
    >>> space.adapt(table)
    >>> space(table).tolist()
    [[30.0, 0.0, 0.0, 1.0], [40.0, 0.0, 1.0, 0.0]]
    """

    kept_in = ("keras.utils", None)

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Iterable[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if output_mode not in ("dict", "concat"):
            raise UnknownNameError.of("output_mode", output_mode, ("dict", "concat"))
        if not features:
            raise DataError(
                "FeatureSpace",
                expected="at least one column in features",
                got="none",
                fix='For example FeatureSpace({"age": "float_normalized"}).',
            )
        self.output_mode, self.crossing_dim = output_mode, crossing_dim
        self.hashing_dim, self.num_discretization_bins = hashing_dim, num_discretization_bins
        self.features = {key: self._as_feature(key, kind) for key, kind in features.items()}
        self.crosses = [self._as_cross(cross) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.inputs = {
            key: layers.Input(shape=(1,), dtype=feature.dtype, name=key)
            for key, feature in self.features.items()
        }
        self.one_hot_encoders: dict[str, Layer] = {}
        self.concat = TFDConcat(axis=-1)
        self.encoded_features: Any = None
        self._is_adapted = False

    # The kinds of columns.

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Columns to take together, with a number of bins of their own."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column that goes through a layer of one's own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A column of real numbers, left as they are."""
        return Feature("float32", TFDIdentity(dtype="float32", name=_called(name, "float")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: builtins.float = 1.0, offset: builtins.float = 0.0, name: str | None = None
    ) -> Feature:
        """A column of real numbers times `scale` plus `offset`."""
        layer = layers.Rescaling(scale=scale, offset=offset, name=_called(name, "float_rescaled"))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A column of real numbers, brought to mean 0 and variance 1."""
        return Feature(
            "float32", layers.Normalization(axis=-1, name=_called(name, "float_normalized")), "float"
        )

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A column of real numbers, put into bins; give `num_bins=None` where boundaries are known."""
        layer = layers.Discretization(
            num_bins=num_bins, bin_boundaries=bin_boundaries, name=_called(name, "float_discretized")
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A column of whole numbers that name categories, learned from the data."""
        layer = layers.IntegerLookup(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_called(name, "integer_categorical")
        )
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A column of strings that name categories, learned from the data."""
        layer = layers.StringLookup(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_called(name, "string_categorical")
        )
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A column of strings, hashed into bins."""
        return Feature("string", layers.Hashing(num_bins, name=_called(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A column of whole numbers, hashed into bins."""
        return Feature("int32", layers.Hashing(num_bins, name=_called(name, "integer_hashed")), output_mode)

    def _as_feature(self, key: str, kind: Any) -> Feature:
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, dict):
            return Feature.from_config(kind["config"])
        size = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        if kind not in _KINDS:
            raise UnknownNameError.of(f"the kind of column '{key}'", kind, _KINDS)
        return getattr(self, kind)(*([size[kind]] if kind in size else []), name=key)

    def _as_cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = Cross.from_config(cross["config"])
        if not isinstance(cross, Cross):
            cross = Cross(cross, crossing_dim=self.crossing_dim)
        for name in cross.feature_names:
            if name not in self.features:
                raise UnknownNameError.of("a column in crosses", name, self.features)
        return cross

    # Learning.

    def adapt(self, dataset: Any) -> None:
        """Teach every column's layer.

        Args:
            dataset: a dict of columns or a pandas table, or an iterable that
                yields such batches, alone or as (batch, labels).
        """
        learning = [key for key in self.features if _learns(self.preprocessors[key])]
        columns: dict[str, list[Any]] = {key: [] for key in learning}
        for batch in [dataset] if _is_table(dataset) else _tables(dataset):
            for key in learning:
                columns[key].append(self._column(key, batch))
        for key in learning:
            if not columns[key]:
                raise DataError(
                    f"'{self.name}'.adapt",
                    expected="rows to learn from",
                    got="an empty data set",
                    fix="Give a dict of columns, or an iterable of such dicts.",
                )
            self.preprocessors[key].adapt(np.concatenate(columns[key]))
        self._is_adapted = True
        self.encoded_features = None
        self.one_hot_encoders = {}
        self.get_encoded_features()

    def build(self, input_shape: Any = None) -> None:
        """Make the weights that a file may hold."""
        for key, layer in self.preprocessors.items():
            if isinstance(layer, layers.Normalization):
                layer.ensure_built(self.inputs[key].shape)

    # In files.

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the space, with what its layers have learned, to a .keras file; `load_model` reads it."""
        saving.save_model(self, filepath, overwrite)

    def get_build_config(self) -> dict[str, Any]:
        """What `build_from_config` needs: something for each column."""
        return {key: layer.get_build_config() or {} for key, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the layers ready for what a file holds of them."""
        self.build()
        self._is_adapted = True

    def _check_if_adapted(self) -> None:
        waiting = [key for key in self.features if not _is_ready(self.preprocessors[key])]
        if waiting and not self._is_adapted:
            raise DataError(
                f"'{self.name}'",
                expected="to have seen data",
                got=f"nothing for {', '.join(repr(key) for key in waiting)}",
                fix="Call adapt(dataset) first.",
            )

    # Encoding.

    def get_inputs(self) -> dict[str, SymbolicTensor]:
        """The symbolic input of each column: what a Model starts from."""
        self._check_if_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The symbolic result: what the layers of a Model go on from."""
        self._check_if_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
            self.built = True
        return self.encoded_features

    def __call__(self, data: Any, *arguments: Any, **keywords: Any) -> Any:  # type: ignore[override]
        """The encoded rows of a dict of columns or a pandas table; single values give a single row."""
        self.get_encoded_features()
        if not _is_table(data):
            raise DataError(
                f"'{self.name}'",
                expected="a dict of columns, or a pandas table",
                got=f"a {type(data).__name__}",
                fix="Call it on {name: column, ...} with the columns it was made for.",
            )
        if symbolic_leaves(data):
            return self._encoded({key: data[key] for key in self.features})
        is_row = any(np.ndim(self._value(key, data)) == 0 for key in self.features)
        encoded = self._encoded({key: self._column(key, data) for key in self.features})
        return jax.tree.map(lambda array: array[0], encoded) if is_row else encoded

    def _encoded(self, columns: dict[str, Any]) -> Any:
        found = {key: self.preprocessors[key](columns[key]) for key in self.features}
        crossed = {
            cross.name: self.crossers[cross.name]([found[name] for name in cross.feature_names])
            for cross in self.crosses
        }
        # Keras's order, whatever the order in which columns were named.
        outputs = {key: self._finished(key, found[key], self.features[key]) for key in sorted(found)}
        outputs |= {
            key: self._finished(key, crossed[key], self.crosses_by_name[key]) for key in sorted(crossed)
        }
        return outputs if self.output_mode == "dict" else self.concat(list(outputs.values()))

    def _finished(self, key: str, output: Any, spec: Feature | Cross) -> Any:
        """The output of a column's layer as one-hot rows where that is asked for."""
        is_whole = "int" in str(output.dtype)
        if spec.output_mode == "one_hot":
            if key not in self.one_hot_encoders:
                layer = self.preprocessors.get(key) or self.crossers[key]
                size = _num_categories(layer) if is_whole else None
                if size is None:
                    raise _not_encodable(key, layer, output)
                self.one_hot_encoders[key] = layers.CategoryEncoding(size, output_mode="multi_hot")
            return self.one_hot_encoders[key](output)
        if self.output_mode == "concat" and (is_whole or str(output.dtype) == "string"):
            raise NotSupportedError(
                f"column '{key}'",
                expected="real numbers or one-hot rows, to be joined into one vector",
                got=f"values of type {output.dtype}",
                fix="Use FeatureSpace(..., output_mode='dict'), or one_hot for this column.",
            )
        return output

    def _value(self, key: str, data: Any) -> Any:
        if key not in data:
            raise UnknownNameError.of(f"column '{key}' of the data for '{self.name}'", key, map(str, data))
        return data[key]

    def _column(self, key: str, data: Any) -> Any:
        """The column with at least two dimensions: rows of one value."""
        value, dtype = self._value(key, data), self.features[key].dtype
        if not isinstance(value, jax.Array):
            value = np.asarray(value, object) if dtype == "string" else np.asarray(value)
        if dtype == "float32" and value.dtype != dtype:
            value = value.astype(dtype)
        if value.ndim == 0:
            return value.reshape(1, 1)
        return value[:, None] if value.ndim == 1 else value

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "features": {key: _described(feature) for key, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [_described(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }


_KINDS = (
    "float",
    "float_discretized",
    "float_normalized",
    "float_rescaled",
    "integer_categorical",
    "integer_hashed",
    "string_categorical",
    "string_hashed",
)


def _called(name: str | None, stem: str) -> str:
    return f"{name or config.next_name(stem)}_preprocessor"


def _described(part: Feature | Cross) -> dict[str, Any]:
    """A part as Keras writes it."""
    kind = type(part).__name__
    return {"module": _KERAS_MODULE, "class_name": kind, "config": part.get_config(), "registered_name": kind}


def _is_table(data: Any) -> bool:
    """Whether it has columns by name: a dict or a pandas table."""
    return isinstance(data, Mapping) or callable(getattr(data, "keys", None))


def _tables(dataset: Any) -> Iterable[Any]:
    for element in dataset:
        batch = element[0] if isinstance(element, tuple) else element
        if not _is_table(batch):
            raise DataError(
                "FeatureSpace.adapt",
                expected="a dict of columns, a pandas table, or batches of these",
                got=f"a {type(batch).__name__}",
                fix="Give {name: column, ...} with the columns it was made for.",
            )
        yield batch


def _learns(layer: Layer) -> bool:
    """Whether a layer has something to learn from data; layers of the user's own may not say."""
    return callable(getattr(layer, "adapt", None)) and bool(getattr(layer, "adapts", True))


def _is_ready(layer: Layer) -> bool:
    return not _learns(layer) or bool(getattr(layer, "is_ready", False))


def _num_categories(layer: Any) -> int | None:
    """How many categories a layer tells apart; None where nobody knows."""
    if isinstance(layer, (layers.IntegerLookup, layers.StringLookup)):
        return layer.vocabulary_size()
    if isinstance(layer, layers.CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, layers.Discretization):
        return layer.num_bins or len(layer.bin_boundaries or ()) + 1
    if isinstance(layer, (layers.Hashing, layers.HashedCrossing)):
        return layer.num_bins
    return None


def _not_encodable(key: str, layer: Layer, output: Any) -> NotSupportedError:
    return NotSupportedError(
        f"column '{key}'",
        expected="a layer that gives whole numbers of a known range, for output_mode='one_hot'",
        got=f"{type(layer).__name__}, which gives {output.dtype}",
        fix="Say output_mode='int' or 'float' for this column.",
    )
