"""FeatureSpace against what real Keras gives, with TensorFlow where it needs that."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pandas as pd
import pytest

from doltap.core.graph import Graph
from doltap.errors import DataError, NotSupportedError, UnknownNameError
from doltap.layers import Dense, IntegerLookup, Layer, Normalization
from doltap.utils import FeatureSpace
from reference.make_tensorflow_preprocessing import space, table

REFERENCE = json.loads(
    (pathlib.Path(__file__).parent / "reference" / "tensorflow_preprocessing.json").read_text()
)
TABLE = REFERENCE["table"]


def adapted(output_mode="concat", data=TABLE):
    made = space(FeatureSpace, output_mode)
    made.adapt(data)
    return made


def test_every_kind_of_column_is_encoded_as_tensorflow_did():
    assert table() == TABLE
    np.testing.assert_allclose(adapted()(TABLE), REFERENCE["concat"], rtol=1e-5, atol=1e-6)
    encoded = adapted("dict")(TABLE)
    assert list(encoded) == list(REFERENCE["dict"])
    for key, values in REFERENCE["dict"].items():
        np.testing.assert_allclose(encoded[key], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("output_mode", ["concat", "dict"])
def test_a_single_row_is_encoded_alone(output_mode):
    made = adapted(output_mode)
    row = made({key: column[3] for key, column in TABLE.items()})
    jax.tree.map(np.testing.assert_array_equal, row, jax.tree.map(lambda rows: rows[3], made(TABLE)))


def cut(start, stop):
    return {key: np.array(column)[start:stop] for key, column in TABLE.items()}


@pytest.mark.parametrize(
    "told",
    [
        lambda: pd.DataFrame(TABLE),
        lambda: [cut(0, 5), cut(5, 12)],
        lambda: ((cut(start, start + 1), 1) for start in range(12)),
        lambda: ({key: column[row] for key, column in TABLE.items()} for row in range(12)),
        lambda: {key: np.array(column)[:, None] for key, column in TABLE.items()},
        lambda: {**TABLE, "label": [0] * 12},
    ],
)
def test_what_is_learned_does_not_depend_on_how_data_comes(told):
    np.testing.assert_allclose(adapted(data=told())(TABLE), adapted()(TABLE), rtol=1e-5, atol=1e-6)


def test_a_pandas_table_is_encoded_too():
    np.testing.assert_array_equal(adapted()(pd.DataFrame(TABLE)), adapted()(TABLE))


def test_a_network_begins_with_the_columns():
    made = adapted()
    inputs, encoded = made.get_inputs(), made.get_encoded_features()
    assert {key: (tensor.shape, tensor.dtype) for key, tensor in inputs.items()} == {
        key: ((None, 1), feature.dtype) for key, feature in made.features.items()
    }
    assert encoded.shape == (None, len(REFERENCE["concat"][0]))
    graph = Graph(inputs, Dense(2, kernel_initializer="ones")(encoded))
    columns = [
        np.array(TABLE[tensor.name], None if tensor.dtype != "string" else object) for tensor in graph.inputs
    ]
    output = graph.run([column[:, None] for column in columns])
    np.testing.assert_allclose(output[:, 0], np.sum(REFERENCE["concat"], axis=1), rtol=1e-5)
    on_host = {call.name for call in graph.calls if isinstance(call, Layer) and call.on_host}
    assert on_host == {made.preprocessors[key].name for key in ("color", "word")}
    assert made(inputs).shape == encoded.shape


def test_columns_of_numbers_are_encoded_inside_a_compiled_program():
    kinds = {"normal": "float_normalized", "number": "integer_categorical", "id": "integer_hashed"}
    made = FeatureSpace(kinds, crosses=[("number", "id")])
    made.adapt(TABLE)
    columns = {key: np.array(TABLE[key], np.float32 if key == "normal" else np.int32) for key in kinds}
    np.testing.assert_allclose(jax.jit(made)(columns), made(columns), rtol=1e-6)


def test_keras_configs_are_read_and_ours_come_back():
    made = FeatureSpace.from_config(REFERENCE["config"])
    with pytest.raises(DataError, match="adapt"):
        made(TABLE)
    made.adapt(TABLE)
    jax.tree.map(np.testing.assert_array_equal, made(TABLE), adapted("dict")(TABLE))
    again = FeatureSpace.from_config(json.loads(json.dumps(made.get_config())))
    assert again.get_config() == made.get_config()
    # All but means and variances is in the configuration; those are weights.
    again.build()
    again.set_weights(made.get_weights())
    jax.tree.map(np.testing.assert_array_equal, again(TABLE), made(TABLE))


def test_our_config_differs_from_keras_s_only_by_what_was_learned():
    ours, theirs = adapted("dict").get_config(), REFERENCE["config"]
    assert ours["crosses"] == theirs["crosses"]
    assert {key for key in ours if ours[key] != theirs[key]} == {"features"}
    for key, feature in theirs["features"].items():
        assert ours["features"][key]["module"] == feature["module"]
        assert ours["features"][key]["registered_name"] == feature["registered_name"]
        layer, peer = (one["features"][key]["config"]["preprocessor"] for one in (ours, theirs))
        assert {part: layer[part] for part in ("module", "class_name", "registered_name")} == {
            part: peer[part] for part in ("module", "class_name", "registered_name")
        }
        differing = {part for part in peer["config"] if layer["config"][part] != peer["config"][part]}
        assert differing <= {"dtype", "vocabulary", "name", "axis", "bin_boundaries"}


def test_real_keras_reads_our_config(keras):
    made = FeatureSpace({"plain": "float", "scaled": FeatureSpace.float_rescaled(0.5, 1.0)})
    theirs = keras.utils.FeatureSpace.from_config(made.get_config())
    assert sorted(theirs.features) == ["plain", "scaled"]
    assert theirs.features["scaled"].preprocessor.scale == 0.5


def test_a_layer_of_ones_own_is_a_column_too():
    class Doubling(Layer):
        def call(self, x):
            return 2 * x

    lookup = IntegerLookup(vocabulary=[5, 7])
    made = FeatureSpace(
        {
            "a": FeatureSpace.feature("float32", Doubling(), "float"),
            "b": FeatureSpace.feature("int32", lookup, "one_hot"),
            "c": FeatureSpace.feature("float32", Normalization(mean=1.0, variance=4.0), "float"),
            "d": FeatureSpace.float_discretized(None, bin_boundaries=[0.0, 1.0]),
        }
    )
    data = {"a": [1, 2], "b": [7, 6], "c": [1.0, 3.0], "d": [0.5, 2.0]}
    np.testing.assert_array_equal(made(data), [[2, 0, 0, 1, 0, 0, 1, 0], [4, 1, 0, 0, 1, 0, 0, 1]])
    made.adapt(data)
    assert lookup.get_vocabulary() == [-1, 5, 7]


class Unknown(Layer):
    def call(self, x):
        return x


NAMES = {"a": "float", "b": "integer_hashed"}


@pytest.mark.parametrize(
    ("made", "kind", "says"),
    [
        (lambda: FeatureSpace({}), DataError, "at least one"),
        (
            lambda: FeatureSpace({"a": "float_normalised"}),
            UnknownNameError,
            "Did you mean 'float_normalized'",
        ),
        (lambda: FeatureSpace(NAMES, output_mode="list"), UnknownNameError, "output_mode"),
        (lambda: FeatureSpace(NAMES, crosses=[("b", "c")]), UnknownNameError, "crosses"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="float"), UnknownNameError, "output_mode"),
        (lambda: FeatureSpace.integer_hashed(3, output_mode="two_hot"), UnknownNameError, "one_hot"),
        (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), DataError, "adapt"),
        (lambda: FeatureSpace({"a": "float_normalized"}).get_inputs(), DataError, "'a'"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt([[1.0]]), DataError, "dict of columns"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt([]), DataError, "empty"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt({"b": [1.0]}), UnknownNameError, "column 'a'"),
        (lambda: FeatureSpace(NAMES)([1.0]), DataError, "dict of columns"),
        (lambda: FeatureSpace(NAMES)({"a": [1.0]}), UnknownNameError, "column 'b'"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, output_mode="int")})({"a": [1]}),
            NotSupportedError,
            "output_mode='dict'",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("int32", Unknown(), "one_hot")})({"a": [1]}),
            NotSupportedError,
            "Unknown",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("float32", Unknown(), "one_hot")})({"a": [1]}),
            NotSupportedError,
            "float32",
        ),
        (
            lambda: FeatureSpace({**NAMES, "c": "float"}, crosses=[("a", "c")])(
                {"a": [1.0], "b": [1], "c": [1.0]}
            ),
            DataError,
            "Discretization",
        ),
    ],
)
def test_wrong_use_is_refused_with_the_cure(made, kind, says):
    with pytest.raises(kind, match=says):
        made()


def test_a_space_is_saved_with_what_it_has_learned(tmp_path):
    kinds = {"age": "float_normalized", "city": "string_categorical", "size": "integer_categorical"}
    kinds["pay"] = FeatureSpace.float_discretized(num_bins=3)
    space = FeatureSpace(kinds, crosses=[("city", "size")])
    table = {
        "age": [20.0, 30.0, 70.0],
        "city": ["Busan", "Seoul", "Busan"],
        "size": [1, 2, 2],
        "pay": [1.0, 2.0, 9.0],
    }
    space.adapt(table)
    space.save(tmp_path / "space.keras")
    # In a program that has not asked for the class yet.
    code = (
        "import json, sys, doltap; space = doltap.models.load_model(sys.argv[1]);"
        "print(json.dumps(space(json.loads(sys.argv[2])).tolist()))"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "space.keras"), json.dumps(table)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == space(table).tolist()
