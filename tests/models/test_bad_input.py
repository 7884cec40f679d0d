"""Bad input, as a user hands it in: each a clear error of the right class before any training."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pandas as pd
import pytest

import doltap
from doltap.errors import (
    DataError,
    DoltapError,
    LabelError,
    NotCompiledError,
    NotSupportedError,
    ShapeError,
    UnknownArgumentError,
    UnknownNameError,
)
from doltap.layers import Activation, Dense, Dropout, Flatten, Reshape

ROWS, COLUMNS, CLASSES = 20, 4, 3
X = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(np.float32)
REALS = X.sum(axis=1)
NUMBERS = np.arange(ROWS) % CLASSES
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[NUMBERS]
ESCAPE = "\x1b[31m"


def regressor(columns=COLUMNS):
    model = doltap.Sequential([doltap.Input((columns,)), Dense(1)])
    model.compile("sgd", "mse")
    return model


def classifier(loss="sparse_categorical_crossentropy", units=CLASSES, activation="softmax"):
    model = doltap.Sequential([doltap.Input((COLUMNS,)), Dense(units, activation=activation)])
    model.compile("sgd", loss)
    return model


def refused(call, kind, *words, model=None):
    """The error of `call`: of this very class, in three parts, with these words, and nothing trained."""
    before = model.get_weights() if model else []
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    kinds = kind if isinstance(kind, tuple) else (kind,)
    assert type(error) in kinds
    text = str(error)
    assert all(error.parts[part] for part in ("expected", "got", "fix"))
    for word in words:
        assert word in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.parts) == (type(error), text, error.parts)
    if model:
        assert model.history is None
        assert model.optimizer is None or int(model.optimizer.iterations) == 0
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
    return error


# One kind of bad value in any of the places.

PLACES = ["x", "y", "sample_weight", "validation x", "validation y", "validation sample_weight"]


def good(place):
    return X if place.endswith("x") else REALS


def fit_with(model, place, data):
    given = {name: good(name) for name in PLACES} | {place: data}
    held_out = tuple(given[f"validation {name}"] for name in ("x", "y", "sample_weight"))
    x, y, weights = (given[name] for name in ("x", "y", "sample_weight"))
    model.fit(x, y, sample_weight=weights, validation_data=held_out, verbose=0)


def spoiled(place, value, dtype):
    array = good(place).astype(dtype)
    array[(7, 2) if array.ndim == 2 else 7] = value
    return array


BAD_VALUES = [
    (np.nan, "float32", "NaN in row 7"),
    (np.nan, "float16", "NaN in row 7"),
    (np.nan, "float64", "NaN in row 7"),
    (np.nan, object, "NaN in row 7"),
    (np.inf, "float32", "infinity in row 7"),
    (-np.inf, "float64", "infinity in row 7"),
    (1e39, "float64", "1e+39, too large for float32, in row 7"),
    (2**31, "int64", "got 2147483648 in row 7"),
    (-(2**31) - 1, "int64", "got -2147483649 in row 7"),
    (2**63, "uint64", "got 9223372036854775808 in row 7"),
    (2**31, "uint32", "got 2147483648 in row 7"),
    (None, object, "NoneType 'None' in row 7"),
    ("seven", object, "str 'seven' in row 7"),
    (b"7", object, "bytes 'b'7'' in row 7"),
    ([1, 2], object, "list '[1, 2]' in row 7"),
    (1j, object, "complex '1j' in row 7"),
    (f"{ESCAPE}7", object, "str '\\x1b[31m7' in row 7"),
]


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("value", "dtype", "got"), BAD_VALUES, ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value))
)
def test_a_bad_value_is_named_with_its_row_and_column(place, value, dtype, got):
    model = regressor()
    if dtype in ("uint64", "uint32"):
        data = np.abs(good(place)).astype(dtype)
        data[(7, 2) if data.ndim == 2 else 7] = value
    elif isinstance(value, list):
        data = good(place).astype(object)
        data[(7, 2) if data.ndim == 2 else 7] = value
    else:
        data = spoiled(place, value, dtype)
    where = f"{got}, column 2" if place.endswith("x") else got
    refused(lambda: fit_with(model, place, data), DataError, f"{place}: ", where, model=model)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("make", "kind", "got"),
    [
        (lambda data: data.astype(str), DataError, "got str_ '"),
        (lambda data: data.astype("S"), DataError, "got bytes_ '"),
        (lambda data: data.astype(complex), DataError, "got complex128 '"),
        (lambda data: data.astype(np.complex64), DataError, "got complex64 '"),
        (lambda data: data.astype("datetime64[s]"), DataError, "got datetime64 '"),
        (lambda data: data.astype("timedelta64[s]"), DataError, "got timedelta64 '"),
        (lambda data: np.ma.masked_greater(data, 0), DataError, "NaN in row"),
        (lambda data: data[:0], DataError, "at least one row, got none"),
        (lambda data: data[:0].tolist(), DataError, "at least one row, got none"),
        (lambda data: data.reshape(ROWS, -1)[:, :0], DataError, "values in each row, got shape (20, 0)"),
        (lambda data: [[1.0], *([[1.0, 2.0]] * (ROWS - 1))], ShapeError, "rows of different lengths"),
        (lambda data: [[[1], [1, 2]], [[1], [2]]], ShapeError, "rows of different lengths"),
        (lambda data: [data, data], ShapeError, "got 2"),
        (lambda data: (data, data), ShapeError, "got 2"),
        (lambda data: {"a": data}, (ShapeError, UnknownNameError), "a'"),
        (lambda data: iter(data), (DataError, NotSupportedError), "iterator"),
        (lambda data: (row for row in data), (DataError, NotSupportedError), "a generator"),
        (lambda data: set(), (DataError, NotSupportedError), "a set"),
        (lambda data: object(), NotSupportedError, "a object"),
        (lambda data: 3.0, ShapeError, "the single value 3.0"),
        (lambda data: np.float32(3), ShapeError, "the single value 3.0"),
        (lambda data: f"{ESCAPE}x.csv", ShapeError, "the single value \\x1b[31mx.csv"),
        (lambda data: data[:-1], ShapeError, "got 1"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_everywhere(place, make, kind, got):
    model = regressor()
    is_first = place.endswith("x") and "shape" not in got
    data = make(good(place))
    if is_first and kind is ShapeError and isinstance(data, np.ndarray) and data.ndim:
        got = "got 20"
    if not place.endswith("x") and "none" in got:
        kind, got = ShapeError, "got 0"
    refused(lambda: fit_with(model, place, data), kind, got, model=model)


@pytest.mark.parametrize("place", ["x", "validation x"])
def test_bad_columns_of_a_table_are_called_by_their_names(place):
    table = pd.DataFrame(X, columns=["age", "height", f"{ESCAPE}name", "weight"])
    text = table.copy()
    text[f"{ESCAPE}name"] = ["1.5"] * ROWS
    missing = table.astype("Float64")
    missing.loc[5, "height"] = pd.NA
    whole = table.round().astype("Int64")
    whole.loc[6, "weight"] = pd.NA
    dates = table.copy()
    dates["age"] = pd.date_range("2020-01-01", periods=ROWS)
    kinds = table.copy()
    kinds["age"] = pd.Categorical(["old", "young"] * (ROWS // 2))
    holes = table.copy()
    holes.loc[3, "weight"] = np.nan
    large = table.round().astype("int64")
    large.loc[9, "height"] = 2**40
    for data, *words in [
        (text, "str '1.5' in row 0, column '\\x1b[31mname'"),
        (missing, "NAType '<NA>' in row 5, column 'height'"),
        (whole, "NAType '<NA>' in row 6, column 'weight'"),
        (dates, "Timestamp '2020-01-01 00:00:00' in row 0, column 'age'"),
        (kinds, "str 'old' in row 0, column 'age'"),
        (holes, "NaN in row 3, column 'weight'", "1 of 20 rows"),
        (large, "1099511627776 in row 9, column 'height'"),
    ]:
        model = regressor()
        refused(lambda m=model, d=data: fit_with(m, place, d), DataError, *words, model=model)


def test_good_tables_are_trained_on_whatever_their_type():
    table = pd.DataFrame(X, columns=list("abcd"))
    for x in (table, table.astype("Float64"), table.round().astype("Int64"), table > 0, table.astype(object)):
        for y in (pd.Series(REALS), pd.Series(REALS).astype("Float64"), pd.DataFrame({"y": REALS})):
            model = regressor()
            model.fit(x, y, verbose=0)
            assert np.isfinite(model.history.history["loss"]).all()


def test_the_count_of_bad_rows_is_right_in_large_data():
    x = np.ones((60_000, COLUMNS))
    x[[5, 59_999], 1] = np.nan
    x[5, 2] = np.inf
    model = regressor()
    words = ("NaN in row 5, column 1", "2 of 60000 rows")
    refused(lambda: model.fit(x, np.ones(60_000), verbose=0), DataError, *words, model=model)


# Labels against losses.


def calls_with_labels(model, y):
    return [
        lambda: model.fit(X, y, verbose=0),
        lambda: model.evaluate(X, y, verbose=0),
        lambda: model.train_on_batch(X, y),
        lambda: model.test_on_batch(X, y),
        lambda: model.fit(X, y, validation_split=0.5, verbose=0),
        lambda: model.fit(X, good_labels(model), validation_data=(X, y), verbose=0),
    ]


def good_labels(model):
    by_kind = {
        "class numbers": NUMBERS,
        "one-hot": ONE_HOT,
        "probabilities": NUMBERS % 2,
        "numbers": np.tile(REALS[:, None], model.output_shape[1:]),
    }
    return by_kind[doltap.losses.get(model.loss).labels]


SPARSE, ONE_HOT_LOSS, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "bce"


@pytest.mark.parametrize(
    ("loss", "units", "y", "kind", "words"),
    [
        (
            SPARSE,
            3,
            NUMBERS + 1,
            LabelError,
            ("0 to 2", "got 3 in row 2", "6 of 20 rows", "start at 1", "y - 1"),
        ),
        (SPARSE, 3, NUMBERS - 1, LabelError, ("got -1 in row 0", "7 of 20 rows", "cannot be negative")),
        (
            SPARSE,
            3,
            np.where(np.arange(ROWS) == 9, 10, NUMBERS),
            LabelError,
            ("got 10 in row 9", "1 of 20", "11"),
        ),
        (SPARSE, 3, np.where(np.arange(ROWS) == 9, 3, NUMBERS), LabelError, ("got 3 in row 9", "4 units")),
        (SPARSE, 3, (NUMBERS + 1).astype("uint8"), LabelError, ("got 3 in row 2",)),
        (SPARSE, 3, (NUMBERS + 1.0)[:, None], LabelError, ("got 3.0 in row 2",)),
        (SPARSE, 3, NUMBERS + 0.5, LabelError, ("whole numbers", "got 0.5 in row 0", "20 of 20")),
        (SPARSE, 3, ONE_HOT, LabelError, ("one-hot labels of shape (20, 3)", "categorical_crossentropy")),
        (SPARSE, 3, np.ones((ROWS, 2)), ShapeError, ("shape (20, 2)",)),
        (SPARSE, 3, np.ones((ROWS, 3, 1)), ShapeError, ("shape (20, 3, 1)",)),
        (ONE_HOT_LOSS, 3, NUMBERS, LabelError, ("one-hot labels of shape (20, 3)", SPARSE)),
        (ONE_HOT_LOSS, 3, NUMBERS[:, None], LabelError, ("class numbers of shape (20, 1)",)),
        (ONE_HOT_LOSS, 3, ONE_HOT * 2, LabelError, ("labels from 0 to 1", "got 2.0 in row 0")),
        (ONE_HOT_LOSS, 3, ONE_HOT[:, :2], ShapeError, ("shape (20, 3)", "shape (20, 2)")),
        (ONE_HOT_LOSS, 1, NUMBERS % 2, LabelError, ("a single output", "binary_crossentropy")),
        (BINARY, 1, NUMBERS, LabelError, ("labels from 0 to 1", "got 2 in row 2", "6 of 20")),
        (BINARY, 1, NUMBERS % 2 * 2 - 1, LabelError, ("got -1 in row 0",)),
        (BINARY, 3, NUMBERS, ShapeError, ("shape (20, 3)", "shape (20,)")),
        ("mse", 1, ONE_HOT, ShapeError, ("shape (20, 1)", "shape (20, 3)")),
        ("mse", 3, REALS, ShapeError, ("shape (20, 3)", "shape (20,)")),
        ("mae", 3, REALS[:, None], ShapeError, ("shape (20, 3)", "shape (20, 1)")),
        ("huber", 1, REALS.reshape(ROWS, 1, 1), ShapeError, ("shape (20, 1, 1)",)),
    ],
)
def test_labels_that_do_not_fit_the_loss_are_refused_by_every_call(loss, units, y, kind, words):
    for number in range(6):
        model = classifier(loss, units, "sigmoid")
        refused(calls_with_labels(model, y)[number], kind, *words, model=model)


@pytest.mark.parametrize("y", [REALS, REALS[:, None], REALS.tolist()])
def test_one_label_a_row_never_becomes_a_square(y):
    model = regressor()
    expected = np.mean((model.predict(X, verbose=0)[:, 0] - REALS) ** 2)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_an_ignored_class_may_lie_outside_the_classes():
    loss = doltap.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model = classifier(loss)
    model.fit(X, np.where(NUMBERS == 0, -1, NUMBERS), verbose=0)
    model = classifier(loss)
    y = np.where(NUMBERS == 0, -1, NUMBERS + 1)
    refused(lambda: model.fit(X, y, verbose=0), LabelError, "got 3 in row 2", model=model)


def test_no_labels_at_all_are_an_error():
    for call in calls_with_labels(model := classifier(), None):
        refused(call, DataError, "y: expected a label for each row", "got None", model=model)
    refused(lambda: model.fit(X, class_weight={0: 1.0}, verbose=0), DataError, "got None", model=model)


# Rows and columns.


@pytest.mark.parametrize(
    "call", ["fit", "evaluate", "predict", "train_on_batch", "predict_on_batch", "validation"]
)
def test_the_wrong_number_of_features_names_the_layer_and_both_numbers(call):
    model = doltap.Sequential([doltap.Input((COLUMNS,)), Dense(1, name=f"first{ESCAPE}")])
    model.compile("sgd", "mse")
    x = X[:, :3]
    calls = {
        "fit": lambda: model.fit(x, REALS, verbose=0),
        "evaluate": lambda: model.evaluate(x, REALS, verbose=0),
        "predict": lambda: model.predict(x, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(x, REALS),
        "predict_on_batch": lambda: model.predict_on_batch(x),
        "validation": lambda: model.fit(X, REALS, validation_data=(x, REALS), verbose=0),
    }
    words = ("layer 'first\\x1b[31m'", "expected 4 features per row", "got 3", "shape (20, 3)")
    refused(calls[call], ShapeError, *words, model=model)


@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 4, 4), (ROWS, 2, 2), (ROWS, 4, 1, 1)])
def test_rows_of_another_rank_are_refused(shape):
    model = regressor()
    refused(lambda: model.fit(np.ones(shape), REALS, verbose=0), ShapeError, "(4,)", str(shape), model=model)


def test_a_single_column_may_come_without_its_dimension_and_with_one_more():
    model = regressor(columns=1)
    expected = model.predict(X[:, :1], verbose=0)
    np.testing.assert_array_equal(model.predict(X[:, 0], verbose=0), expected)
    np.testing.assert_array_equal(model.predict(X[:, :1, None], verbose=0), expected)


@pytest.mark.parametrize(("rows_x", "rows_y"), [(20, 19), (19, 20), (20, 1), (1, 20)])
def test_lengths_that_differ_are_both_in_the_message(rows_x, rows_y):
    model = regressor()
    x, y = X[:rows_x], REALS[:rows_y]
    for call in (
        lambda: model.fit(x, y, verbose=0),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model.fit(X, REALS, validation_data=(x, y), verbose=0),
        lambda: model.fit(x, y, class_weight={0: 1.0}, verbose=0),
    ):
        refused(call, ShapeError, str(rows_x), f"got {rows_y}", model=model)


@pytest.mark.parametrize("shape", [(ROWS, 2), (ROWS, COLUMNS), (ROWS, 1, 1), (1, ROWS)])
def test_weights_of_another_shape_are_refused(shape):
    model = regressor()
    weights = np.ones(shape)
    calls = [
        lambda: model.fit(X, REALS, sample_weight=weights, verbose=0),
        lambda: model.evaluate(X, REALS, sample_weight=weights, verbose=0),
        lambda: model.fit(X, REALS, validation_data=(X, REALS, weights), verbose=0),
    ]
    for call in calls:
        refused(call, ShapeError, "sample_weight", model=model)


def test_weights_may_be_a_column_or_whole_numbers():
    for weights in (np.ones(ROWS), np.ones((ROWS, 1)), np.ones(ROWS, int), np.ones(ROWS, bool), [1] * ROWS):
        model = regressor()
        plain = model.evaluate(X, REALS, verbose=0)
        assert model.evaluate(X, REALS, sample_weight=weights, verbose=0) == pytest.approx(plain, rel=1e-6)


# Settings of the calls.


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "32", float("nan"), [32]])
def test_a_batch_size_must_be_a_whole_number_from_one(size):
    model = regressor()
    for call in (
        lambda: model.fit(X, REALS, batch_size=size, verbose=0),
        lambda: model.evaluate(X, REALS, batch_size=size, verbose=0),
        lambda: model.predict(X, batch_size=size, verbose=0),
    ):
        refused(call, DataError, "batch_size", repr(size), model=model)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", -1),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "10"),
        ("initial_epoch", -1),
        ("validation_freq", 0),
        ("validation_batch_size", 0),
        ("validation_batch_size", 1.5),
        ("validation_split", 1.5),
        ("validation_split", 1),
        ("validation_split", True),
        ("validation_split", -0.1),
        ("validation_split", float("nan")),
        ("validation_split", "0.2"),
        ("validation_split", 0.999),
        ("verbose", -1),
        ("verbose", "loud"),
        ("verbose", None),
        ("class_weight", [1.0, 2.0]),
        ("class_weight", "balanced"),
        ("class_weight", {0: "heavy"}),
        ("class_weight", {"a": 1.0}),
        ("class_weight", {1.5: 1.0}),
        ("class_weight", {0: float("nan")}),
        ("validation_data", X),
        ("validation_data", (X,)),
        ("validation_data", (X, NUMBERS, None, None)),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_a_setting_out_of_range_is_refused_before_training(setting, value):
    model = classifier()
    settings = {"verbose": 0, "validation_split": 0.2, "epochs": 1} | {setting: value}
    refused(lambda: model.fit(X, NUMBERS, **settings), DataError, setting, model=model)


def test_class_weights_and_sample_weights_exclude_each_other():
    model = classifier()
    settings = {"class_weight": {0: 2.0}, "sample_weight": np.ones(ROWS), "verbose": 0}
    refused(lambda: model.fit(X, NUMBERS, **settings), DataError, "got both", model=model)


def test_class_weights_of_many_labels_a_row_say_what_to_use_instead():
    model = doltap.Sequential([doltap.Input((COLUMNS,)), Dense(6), Reshape((2, 3)), Activation("softmax")])
    model.compile("sgd", SPARSE)
    y = np.zeros((ROWS, 2, 1), int)
    call = lambda: model.fit(X, y, class_weight={0: 2.0}, verbose=0)  # noqa: E731
    refused(call, NotSupportedError, "sample_weight", model=model)


@pytest.mark.parametrize("callbacks", [[3], [doltap.callbacks.EarlyStopping], [lambda: None]])
def test_what_is_no_callback_is_refused(callbacks):
    model = classifier()
    refused(lambda: model.fit(X, NUMBERS, callbacks=callbacks, verbose=0), NotSupportedError, model=model)


# Compiling.


def test_nothing_is_trained_or_measured_before_compile():
    model = doltap.Sequential([doltap.Input((COLUMNS,)), Dense(1)], name=f"{ESCAPE}net")
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        refused(lambda call=call: call(X, REALS), NotCompiledError, "\\x1b[31mnet", "compile(", model=model)
    assert model.predict(X, verbose=0).shape == (ROWS, 1)


def test_a_model_compiled_without_a_loss_predicts_but_does_not_train():
    model = doltap.Sequential([doltap.Input((COLUMNS,)), Dense(1)])
    model.compile("sgd")
    for call in (model.fit, model.evaluate, model.train_on_batch):
        refused(lambda call=call: call(X, REALS), NotCompiledError, "a loss", model=model)
    assert model.predict(X, verbose=0).shape == (ROWS, 1)


@pytest.mark.parametrize(
    ("make", "guess"),
    [
        (lambda: regressor().compile(optimizer="adamm", loss="mse"), "adam"),
        (lambda: regressor().compile(loss="sparese_categorical_crossentropy"), SPARSE),
        (lambda: regressor().compile(loss="mean_sqared_error"), "mean_squared_error"),
        (lambda: regressor().compile(loss="mse", metrics=["acuracy"]), "accuracy"),
        (lambda: regressor().compile(loss="mse", weighted_metrics=["acuracy"]), "accuracy"),
        (lambda: Dense(1, activation="rellu"), "relu"),
        (lambda: Activation("sofmax"), "softmax"),
        (lambda: Dense(1, kernel_initializer="he_norml"), "he_normal"),
        (lambda: Dense(1, bias_initializer="zeroes"), "zeros"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_known_one(make, guess):
    refused(make, UnknownNameError, f"Did you mean '{guess}'?")


def test_a_name_that_resembles_nothing_lists_the_known_ones():
    refused(lambda: regressor().compile("qqq", "mse"), UnknownNameError, "adam", "sgd", "rmsprop")
    refused(lambda: Dense(1, activation=f"{ESCAPE}"), UnknownNameError, "relu")
    model = doltap.Sequential([doltap.Input((2,)), Dense(1, name=f"{ESCAPE}a")])
    refused(lambda: model.get_layer("zzz"), UnknownNameError, "\\x1b[31ma")


@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": 3},
        {"optimizer": None},
        {"loss": 3},
        {"loss": doltap.losses.MeanSquaredError(reduction="none")},
        {"metrics": [3]},
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_what_compile_cannot_use_is_refused(given):
    refused(lambda: regressor().compile(**({"optimizer": "sgd", "loss": "mse"} | given)), NotSupportedError)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"loss": {"out": "mse"}}, UnknownNameError),
        ({"loss": ["mse", "mae"]}, ShapeError),
        ({"loss_weights": [1.0, 2.0]}, ShapeError),
        ({"metrics": {"out": "mae"}}, UnknownNameError),
    ],
    ids=str,
)
def test_what_names_outputs_that_are_not_there_is_refused(given, error):
    refused(lambda: regressor().compile(**({"optimizer": "sgd", "loss": "mse"} | given)), error)


def test_a_refused_compile_leaves_the_model_as_it_was():
    model = regressor()
    optimizer = model.optimizer
    for bad in ({"loss": "msee"}, {"optimizer": "adam", "loss": "mse", "metrics": ["acuracy"]}):
        refused(lambda bad=bad: model.compile(**bad), UnknownNameError, model=model)
        assert (model.optimizer, model.loss) == (optimizer, "mse")


# Layers.


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: Dense(0), ShapeError),
        (lambda: Dense(2.5), ShapeError),
        (lambda: Dense("ten"), ShapeError),
        (lambda: Dense(), ShapeError),
        (lambda: Dropout(1.5), DataError),
        (lambda: Dropout("half"), DataError),
        (lambda: Dropout(float("nan")), DataError),
        (lambda: Dense(1, activaton="relu"), UnknownArgumentError),
        (lambda: doltap.optimizers.SGD(learning_rat=0.1), UnknownArgumentError),
        (lambda: doltap.optimizers.SGD(learning_rate=-1), DataError),
        (lambda: doltap.optimizers.SGD(learning_rate=float("nan")), DataError),
        (lambda: doltap.optimizers.SGD(momentum=2), DataError),
        (lambda: doltap.Input(), ShapeError),
        (lambda: doltap.Sequential([3]), NotSupportedError),
        (lambda: doltap.Sequential([Dense]), NotSupportedError),
        (lambda: doltap.Sequential([doltap.Input((4, 4)), Flatten(), Reshape((3, 5))]), ShapeError),
        (lambda: doltap.utils.set_random_seed(-1), DataError),
        (lambda: doltap.utils.set_random_seed(1.5), DataError),
        (lambda: doltap.utils.set_random_seed("1"), DataError),
    ],
)
def test_a_bad_argument_is_refused_where_it_is_given(make, kind):
    refused(make, kind)


def test_a_model_still_trains_after_it_refused_something():
    model = classifier()
    for bad in (NUMBERS + 1, NUMBERS[:3], ["a"] * ROWS):
        with pytest.raises(DoltapError):
            model.fit(X, bad, verbose=0)
    history = model.fit(X, NUMBERS, epochs=2, verbose=0).history
    assert len(history["loss"]) == 2
