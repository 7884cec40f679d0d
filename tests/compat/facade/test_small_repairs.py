"""What broke in old programs for small reasons: repaired, or told with the cure."""

from __future__ import annotations

import traceback

import numpy as np
import pytest

import doltap as keras
from doltap.compat import tracebacks
from doltap.errors import MissingAttributeError, NotSupportedError

L = keras.layers
X = np.random.default_rng(0).random((32, 6), dtype="float32")


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_tensor_of_one_number_counts_as_that_number(tf, shape):
    tensor = tf.fill(shape, 1.5)
    assert float(tensor) == 1.5
    assert int(tensor) == 1
    assert "%.2f".__mod__(tensor) == f"{tensor:.2f}" == "1.50"
    with pytest.raises(TypeError):
        float(tf.constant([1.0, 2.0]))


@pytest.mark.parametrize("use", [float, "%.2f".__mod__, "{:.2f}".format])
def test_an_array_where_a_number_is_to_be_is_told_with_the_cure(use):
    with pytest.raises(TypeError) as caught:
        use(np.ones((1, 1)))
    tracebacks.shortened(caught.value, caught.value.__traceback__)
    tracebacks.shortened(caught.value, caught.value.__traceback__)
    told = "".join(traceback.format_exception(caught.value))
    assert told.count("write x.item()") == 1


def test_a_python_function_may_give_nothing(tf):
    assert tf.py_function(lambda: None, [], ()) == []
    assert tf.py_function(lambda x: x * 2, [tf.constant(2.0)], tf.float32).numpy() == 4


def test_a_model_with_a_lambda_is_cloned():
    model = keras.Sequential([keras.Input((6,)), L.Lambda(lambda x: x * 2, name="twice"), L.Dense(1)])
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X, verbose=0), model.predict(X, verbose=0))
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    ("place", "name", "said"),
    [
        ("strings", "unicode_split", "Python does it"),
        ("", "saved_model", r"model\.keras"),
    ],
)
def test_what_is_not_there_names_the_nearest_thing(tf, place, name, said):
    with pytest.raises(MissingAttributeError, match=said):
        getattr(getattr(tf, place) if place else tf, name)


def test_an_optimizer_of_todays_form_trains(tf):
    class Today(keras.optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, momentum=0.5, name="today"):
            super().__init__(learning_rate, name=name)
            self.momentum = momentum

        def build(self, variables):
            super().build(variables)
            self.m = [self.add_variable_from_reference(v, "m") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            m = self.m[self._get_variable_index(variable)]
            m.assign(m * self.momentum - gradient * learning_rate)
            variable.assign_add(m)

    model = keras.Sequential([keras.Input((6,)), L.Dense(1)])
    model.compile(Today(), "mse")
    losses = model.fit(X, X[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]


def test_evaluate_gives_losses_then_the_metrics_of_one_output_after_the_other(tf):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, [L.Dense(1, name="b")(inputs), L.Dense(1, name="a")(inputs)])
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    labels = [X[:, :1], X[:, 1:2]]
    model.fit(X, labels, verbose=0)
    # As TensorFlow 2.15; Keras 3 goes by the alphabet.
    assert model.metrics_names == ["loss", "b_loss", "a_loss", "b_mae", "a_mae"]
    found = model.evaluate(X, labels, verbose=0, return_dict=True)
    assert model.evaluate(X, labels, verbose=0) == pytest.approx(
        [found[name] for name in model.metrics_names]
    )


def test_a_model_that_takes_strings_stands_in_another_one(tf):
    inputs = {"a": keras.Input((1,), name="a"), "s": keras.Input((1,), name="s", dtype=tf.string)}
    lookup = L.StringLookup(vocabulary=["x", "y"])
    encoded = L.CategoryEncoding(num_tokens=3)(lookup(inputs["s"]))
    head = keras.Model(inputs, L.Concatenate()([inputs["a"], encoded]))
    rows = {"a": np.array([[1.0], [2.0]], "float32"), "s": np.array([["x"], ["q"]])}
    assert head(dict(rows)).numpy().tolist() == [[1, 0, 1, 0], [2, 1, 0, 0]]
    model = keras.Model(inputs, L.Dense(1, kernel_initializer="ones")(head(inputs)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(rows, np.zeros(2), verbose=0)
    assert model.predict(rows, verbose=0).tolist() == [[2], [3]]


@pytest.mark.parametrize(("values", "dtype", "shape"), [([], "int32", (0,)), ([[], []], "int64", (2, 0))])
def test_empty_lists_take_the_asked_type(tf, values, dtype, shape):
    for make in (tf.constant, tf.convert_to_tensor):
        found = make(values, dtype=getattr(tf, dtype))
        assert (found.dtype.name, tuple(found.shape)) == (dtype, shape)


def test_generators_may_give_empty_lists_of_whole_numbers(tf):
    spec = tf.TensorSpec([None], tf.int64)
    rows = list(tf.data.Dataset.from_generator(lambda: iter([[], [1]]), output_signature=spec))
    assert [(row.dtype.name, row.numpy().tolist()) for row in rows] == [("int64", []), ("int64", [1])]


@pytest.mark.parametrize("kind", [str, str.encode, lambda text: np.array(text)])
def test_patterns_of_texts_are_texts_or_bytes(tf, kind):
    texts = tf.constant(["a-b", "c"])
    found = tf.strings.regex_replace(texts, kind("([a-z])-"), kind(r"\1+"))
    assert found.numpy().tolist() == [b"a+b", b"c"]
    assert tf.strings.regex_full_match(texts, kind(".")).numpy().tolist() == [False, True]
    assert tf.strings.join(["a", "b"], kind("-")).numpy() == b"a-b"
    assert [row.numpy().tolist() for row in tf.strings.split(texts, kind("-"))] == [[b"a", b"b"], [b"c"]]


def test_what_tells_of_a_graph_is_refused_with_a_sentence(tf):
    concrete = tf.function(abs).get_concrete_function(tf.constant(1.0))
    with pytest.raises(NotSupportedError, match="function_def"):
        concrete.function_def  # noqa: B018
    assert not hasattr(concrete, "nothing")
