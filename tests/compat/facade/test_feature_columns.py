"""Feature columns and DenseFeatures: what models make of them; their numbers are compared in tests/peers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow import feature_column as fc
from doltap.compat.tensorflow.dense_features import DenseFeatures
from doltap.errors import DoltapError

TABLE = {
    "age": np.array([19.5, 30.0, 41.0, 77.0]),
    "city": np.array(["Busan", "Seoul", "", "Jeju"], object),
    "note": np.array(["a", "b", "c", "d"], object),
}
AGE = fc.numeric_column("age")
AGES = fc.bucketized_column(AGE, [20, 40])
CITY = fc.categorical_column_with_vocabulary_list("city", ["Seoul", "Busan"])
COLUMNS = {
    "numbers alone": [AGE, AGES],
    "strings": [AGES, fc.indicator_column(CITY), fc.embedding_column(CITY, 3)],
    "a cross": fc.indicator_column(fc.crossed_column([AGES, "city"], 9)),
}


def row_of(columns):
    model = keras.Sequential([DenseFeatures(columns), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(TABLE, np.ones(4), verbose=0)
    return model


@pytest.mark.parametrize("what", COLUMNS)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_row_of_columns_comes_back_from_a_file(tf, what, ending, tmp_path):
    model = row_of(COLUMNS[what])
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}")
    np.testing.assert_array_equal(again.predict(TABLE, verbose=0), model.predict(TABLE, verbose=0))


@pytest.mark.parametrize("what", COLUMNS)
def test_a_row_of_columns_is_copied_and_grows(tf, what):
    model = pickle.loads(pickle.dumps(row_of(COLUMNS[what])))
    assert keras.models.clone_model(model).predict(TABLE, verbose=0).shape == (4, 1)
    model.add(keras.layers.Dense(2))
    assert model.predict(TABLE, verbose=0).shape == (4, 2)


@pytest.mark.parametrize("what", COLUMNS)
def test_tapes_reach_the_weights_behind_strings(tf, what):
    model = row_of(COLUMNS[what])
    table = {key: tf.constant(column) for key, column in TABLE.items()}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(table))
    assert None not in tape.gradient(loss, model.trainable_variables)


def test_the_vectors_of_an_embedding_column_are_those_of_its_categories(tf):
    layer = DenseFeatures(fc.embedding_column(CITY, 2))
    rows = layer(TABLE).numpy()
    (vectors,) = layer.get_weights()
    np.testing.assert_array_equal(rows, [vectors[1], vectors[0], [0, 0], [0, 0]])
    assert layer.weights[0].name == "city_embedding/embedding_weights"


def test_an_embedding_column_that_is_not_trained_stays(tf):
    model = row_of(fc.embedding_column(CITY, 2, trainable=False))
    assert len(model.trainable_weights) == 2
    assert len(model.non_trainable_weights) == 1


def test_columns_of_a_file_are_those_of_a_list(tf, tmp_path):
    (tmp_path / "cities.txt").write_text("Seoul\nBusan\nJeju\n")
    path = tmp_path / "cities.txt"
    assert fc.categorical_column_with_vocabulary_file("city", path, vocabulary_size=2) == CITY


REFUSED = {
    "a categorical column by itself": (lambda: DenseFeatures([CITY]), "indicator_column"),
    "the same column twice": (lambda: DenseFeatures([AGE, AGE]), "'age'"),
    "a key that is no name": (lambda: fc.numeric_column(3), "name of a column"),
    "buckets of categories": (lambda: fc.bucketized_column(CITY, [1]), "numeric_column"),
    "boundaries that fall": (lambda: fc.bucketized_column(AGE, [2, 1]), "rise"),
    "a vector for numbers": (lambda: fc.embedding_column(AGE, 2), "categorical"),
    "a cross of hashed columns": (
        lambda: fc.crossed_column(["age", fc.categorical_column_with_hash_bucket("city", 3)], 5),
        "Name the column of the table",
    ),
    "vectors from a checkpoint": (
        lambda: fc.embedding_column(CITY, 2, ckpt_to_load_from="x"),
        "set_weights",
    ),
    "a way to combine that nobody knows": (lambda: fc.embedding_column(CITY, 2, "maen"), "mean"),
    "columns that are weighted": (lambda: fc.weighted_categorical_column, "Embedding"),
    "columns of sequences": (lambda: fc.sequence_numeric_column, "recurrent"),
    "a linear model": (lambda: fc.linear_model, "Dense(1)"),
    "a table without the column": (lambda: DenseFeatures(AGE)({"aeg": [1.0]}), "aeg"),
    "strings for numbers": (lambda: DenseFeatures(AGE)({"age": ["1.0"]}), "vocabulary_list"),
    "numbers for strings": (lambda: DenseFeatures(fc.indicator_column(CITY))({"city": [1]}), "tf.int64"),
    "two numbers for one": (lambda: DenseFeatures(AGE)({"age": [[1.0, 2.0]]}), "shape=(2,)"),
    "a file for a function": (
        lambda: DenseFeatures(fc.numeric_column("age", normalizer_fn=abs)).get_config(),
        "save_weights",
    ),
    "a table for a layer of numbers": (
        lambda: keras.Sequential([keras.layers.Dense(1)]).predict(TABLE),
        "expected",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_left_out_or_wrong_is_refused_with_the_cure(tf, what):
    make, told = REFUSED[what]
    with pytest.raises(DoltapError) as caught:
        make()
    assert told in str(caught.value)
