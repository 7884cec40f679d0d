"""Strings are looked up on the host, in front of the compiled network."""

import pickle

import numpy as np
import pytest

import doltap
from doltap import layers
from doltap.errors import DataError, NotSupportedError, ShapeError

RNG = np.random.default_rng(0)
WORDS = RNG.choice(["red", "green", "blue", "unknown"], (24, 1))
NUMBERS = RNG.normal(size=(24, 3)).astype(np.float32)
Y = (WORDS[:, 0] == "red").astype(int)
VOCABULARY = ["red", "green", "blue"]


def branches():
    """A network of a column of words and three of numbers."""
    words = layers.Input((1,), dtype="string", name="words")
    numbers = layers.Input((3,), name="numbers")
    codes = layers.StringLookup(vocabulary=VOCABULARY)(words)
    vectors = layers.Flatten()(layers.Embedding(4, 2)(codes))
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([vectors, numbers]))
    model = doltap.Model([words, numbers], output)
    model.compile("adam", "bce", metrics=["accuracy"])
    return model


def without_strings(model):
    """The same network with the codes as its input."""
    codes = layers.Input((1,))
    numbers = layers.Input((3,))
    table, dense = (layer for layer in model.layers if layer.weights)
    output = dense(layers.Concatenate()([layers.Flatten()(table(codes)), numbers]))
    return doltap.Model([codes, numbers], output)


def coded():
    return np.array([[VOCABULARY.index(word) + 1 if word in VOCABULARY else 0] for word in WORDS[:, 0]])


@pytest.mark.parametrize(
    "words", [WORDS, WORDS.astype(object), WORDS.tolist(), np.char.encode(WORDS)], ids=["U", "O", "list", "S"]
)
def test_a_column_of_words_predicts_as_its_codes_do(words):
    model = branches()
    expected = without_strings(model).predict([coded(), NUMBERS], verbose=0)
    np.testing.assert_allclose(model.predict([words, NUMBERS], verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(model([words, NUMBERS]), expected, rtol=1e-6)
    by_name = model.predict({"numbers": NUMBERS, "words": words}, verbose=0)
    np.testing.assert_array_equal(by_name, model.predict([words, NUMBERS], verbose=0))


def test_words_are_trained_on_in_every_form_of_data():
    def batches():
        for start in range(0, 24, 8):
            rows = slice(start, start + 8)
            yield (WORDS[rows], NUMBERS[rows]), Y[rows]

    histories = []
    for generated in (False, True):
        doltap.utils.set_random_seed(1)
        model = branches()
        data = (batches(),) if generated else ([WORDS, NUMBERS], Y)
        history = model.fit(*data, batch_size=8, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-6)
    split = model.fit([WORDS, NUMBERS], Y, validation_split=0.25, verbose=0)
    assert np.isfinite(split.history["val_loss"]).all()
    assert len(model.evaluate([WORDS, NUMBERS], Y, verbose=0)) == 2
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict([WORDS, NUMBERS], verbose=0), model.predict([WORDS, NUMBERS], verbose=0)
    )


@pytest.mark.parametrize("told", [True, False])
def test_a_row_of_layers_may_begin_with_a_look_up(told):
    first = [layers.Input((1,), dtype="string")] if told else []
    model = doltap.Sequential(
        [*first, layers.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot"), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(WORDS, Y, epochs=2, verbose=0).history["loss"]).all()
    kernel, bias = model.layers[-1].get_weights()
    one_hot = np.eye(4, dtype=np.float32)[coded()[:, 0]]
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), one_hot @ kernel + bias, rtol=1e-5)


def test_strings_where_numbers_are_computed_with_are_refused():
    words = layers.Input((1,), dtype="string", name="words")
    with pytest.raises(NotSupportedError, match="StringLookup"):
        doltap.Model(words, layers.Dense(1)(words))
    with pytest.raises(DataError, match="dtype='string'"):
        branches().predict([NUMBERS[:, :1], NUMBERS], verbose=0)
    with pytest.raises(DataError, match=r"'red'|'green'|'blue'|'unknown'"):
        branches().predict([WORDS, WORDS], verbose=0)


@pytest.mark.parametrize("rows", [1, 6])
def test_columns_of_one_dimension_are_lifted_beside_strings_too(rows):
    words, numbers = np.array(["red", "blue", "x", "red", "x", "blue"])[:rows], np.arange(6.0)[:rows]
    s, n = layers.Input((1,), dtype="string", name="s"), layers.Input((1,), name="n")
    coded = layers.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot")(s)
    model = doltap.Model([s, n], layers.Dense(1)(layers.Concatenate()([coded, n])))
    model.compile("sgd", "mse")
    flat, tall = {"s": words, "n": numbers}, {"s": words[:, None], "n": numbers[:, None]}
    expected = model.predict(tall, verbose=0)
    assert expected.shape == (rows, 1)
    np.testing.assert_array_equal(model.predict(flat, verbose=0), expected)
    np.testing.assert_allclose(model(flat), expected, rtol=1e-6)
    assert np.isfinite(model.fit(flat, numbers, verbose=0).history["loss"]).all()
    with pytest.raises(ShapeError, match="for 'n'"):
        model.predict({"s": words, "n": np.ones((rows, 2))}, verbose=0)


def test_a_feature_space_of_mixed_columns_feeds_a_model_from_columns_of_one_dimension():
    space = doltap.utils.FeatureSpace(
        {
            "a": doltap.utils.FeatureSpace.float_rescaled(scale=0.1),
            "c": doltap.utils.FeatureSpace.string_categorical(),
        },
        output_mode="concat",
    )
    table = {"a": np.arange(6.0), "c": np.array(["x", "y", "z", "x", "y", "x"])}
    space.adapt([{key: column[i : i + 1] for key, column in table.items()} for i in range(6)])
    model = doltap.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile("sgd", "mse")
    model.fit(table, table["a"], verbose=0)
    assert model.predict(table, verbose=0).shape == (6, 1)
    assert model.predict({"a": np.array([1.0]), "c": np.array(["x"])}, verbose=0).shape == (1, 1)


def test_a_network_that_takes_words_stands_inside_another_one(tmp_path):
    words = layers.Input((), dtype="string", name="words")
    rows = layers.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot")(words[:, None])
    head = doltap.Model({"words": words}, rows)
    ahead = {"words": layers.Input((), dtype="string", name="words")}
    model = doltap.Model(ahead, layers.Dense(1)(head(ahead)))
    model.compile("sgd", "mse")
    model.fit({"words": WORDS[:, 0]}, Y, verbose=0)
    alone = model.layers[-1](head({"words": WORDS[:, 0]}))
    np.testing.assert_allclose(model.predict({"words": WORDS[:, 0]}, verbose=0), alone, rtol=1e-6)
    model.save(tmp_path / "model.keras")
    again = doltap.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict({"words": WORDS[:, 0]}, verbose=0), alone, rtol=1e-6)


def test_a_row_of_layers_takes_words_by_hand_and_inside_a_network():
    row = doltap.Sequential([layers.StringLookup(vocabulary=VOCABULARY), layers.Embedding(4, 2)])
    vectors = row(WORDS[:, 0])
    assert vectors.shape == (24, 2)
    words = layers.Input((), dtype="string")
    np.testing.assert_array_equal(doltap.Model(words, row(words))(WORDS[:, 0]), vectors)
