"""Layers of one's own: what they own, in which order, and how they train, as in real Keras."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap.core.layer import Layer, as_shape
from doltap.errors import NotSupportedError, ShapeError, UnknownArgumentError
from doltap.layers import Dense, Dropout

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

X = np.random.default_rng(0).normal(size=(22, 3)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(22, 2)).astype(np.float32)


def linear(library):
    """A layer as in every tutorial."""

    class Linear(library.layers.Layer):
        def __init__(self, units=2, **keywords):
            super().__init__(**keywords)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(
                shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True, name="w"
            )
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True, name="b")

        def call(self, inputs):
            return jnp.matmul(inputs, self.w.value) + self.b

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Linear


def centred(library):
    """A layer with a state that `call` assigns, and a weight made after it."""

    class Centred(library.layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean"
            )
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

        def call(self, inputs, training=False):
            if training:
                self.mean.assign(0.9 * self.mean + 0.1 * jnp.mean(inputs, axis=0))
            return (inputs - self.mean) * self.scale

        def compute_output_shape(self, input_shape):
            return input_shape

    return Centred


def branching(library):
    """Layers inside: as attribute, in a list, in a dict, and with own weights before and after."""

    class Branching(library.layers.Layer):
        def __init__(self, **keywords):
            super().__init__(**keywords)
            dense = library.layers.Dense
            self.first = dense(4, activation="tanh", name="first")
            self.many = [dense(4, name="list_0"), dense(4, use_bias=False, name="list_1")]
            self.named = {"a": dense(4, name="dict_a"), "b": centred(library)(name="dict_b")}

        def build(self, input_shape):
            self.state = self.add_weight(shape=(5,), initializer="ones", trainable=False, name="state")
            self.own = self.add_weight(shape=(4, 2), initializer="glorot_uniform", name="own")
            self.first.build(input_shape)
            for layer in (*self.many, *self.named.values()):
                layer.build((None, 4))

        def call(self, inputs, training=False):
            outputs = self.first(inputs)
            for layer in self.many:
                outputs = outputs + layer(outputs)
            outputs = self.named["a"](outputs) + self.named["b"](outputs, training=training)
            return jnp.matmul(outputs, self.own.value) * self.state[0]

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 2)

    return Branching


def trained(library, make, start=None, **fit_keywords):
    model = library.Sequential([library.layers.Input((3,)), make(library)(), library.layers.Dense(2)])
    if start is None:
        start = [
            np.random.default_rng(4).normal(size=array.shape).astype("f") * 0.5
            for array in model.get_weights()
        ]
    model.set_weights(start)
    model.compile(optimizer=library.optimizers.SGD(learning_rate=0.05), loss="mse")
    history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, **fit_keywords).history
    return model, start, history


@pytest.mark.parametrize("make", [linear, centred, branching], ids=lambda make: make.__name__)
def test_a_layer_of_ones_own_trains_as_in_keras(keras, make):
    theirs, start, their_history = trained(keras, make, validation_data=(X, Y))
    ours, _, our_history = trained(doltap, make, start, validation_data=(X, Y))
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert [w.shape for w in ours.trainable_weights] == [tuple(w.shape) for w in theirs.trainable_weights]
    assert [w.name for w in ours.non_trainable_weights] == [w.name for w in theirs.non_trainable_weights]
    for mine, peer in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-4, atol=1e-6)
    for name, values in their_history.items():
        np.testing.assert_allclose(our_history[name], values, rtol=1e-4)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-4, atol=1e-5)
    assert ours.count_params() == theirs.count_params()


def test_a_state_assigned_in_call_moves_in_fit_and_not_in_evaluate_or_predict():
    model, start, _ = trained(doltap, centred)
    mean = model.layers[0].mean
    after_fit = mean.numpy()
    assert not np.allclose(after_fit, start[1])
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model.layers[0](X)
    np.testing.assert_array_equal(mean.numpy(), after_fit)
    model.layers[0](X, training=True)
    np.testing.assert_allclose(mean.numpy(), 0.9 * after_fit + 0.1 * X.mean(axis=0), rtol=1e-5, atol=1e-7)


def test_a_layer_computes_when_called_and_builds_once():
    layer = linear(doltap)(2)
    assert not layer.built
    assert layer.weights == []
    y = layer(X)
    assert layer.built
    weights = layer.weights
    np.testing.assert_allclose(y, X @ layer.w.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer(X), y)
    assert layer.weights == weights
    assert [weight.name for weight in weights] == ["w", "b"]


def test_weights_may_be_made_in_init_and_in_call_positions_of_keras_2():
    doltap.config.clear_session()

    class Scale(Layer):
        def __init__(self):
            super().__init__()
            self.factor = self.add_weight(initializer="ones")
            self.old = self.add_weight("old", (2, 3))

        def call(self, inputs):
            return inputs * self.factor

    layer = Scale()
    assert [(w.name, w.shape) for w in layer.weights] == [("variable", ()), ("old", (2, 3))]
    np.testing.assert_array_equal(layer(X), X)


@pytest.mark.parametrize("dtype", [None, "float32", "bfloat16", "int32"])
def test_add_weight_without_an_initializer_starts_as_in_keras(keras, dtype):
    starts = []
    for library in (keras, doltap):
        layer = library.layers.Layer()
        weight = layer.add_weight(shape=(300, 200), dtype=dtype, trainable=dtype != "int32")
        starts.append(np.asarray(weight.value, np.float32))
        assert str(weight.dtype) == (dtype or "float32")
    assert starts[1].std() == pytest.approx(starts[0].std(), rel=0.02)
    assert np.abs(starts[1]).max() == pytest.approx(np.abs(starts[0]).max(), rel=0.02)


def test_training_is_passed_down_to_layers_inside():
    heard = []

    class Inner(Layer):
        def call(self, inputs, training=False):
            heard.append(training)
            return inputs

    class Middle(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs)

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.middle = Middle()
            self.off = Inner()

        def call(self, inputs):
            return self.off(self.middle(inputs), training=False)

    outer = Outer()
    outer(X)
    outer(X, training=True)
    outer(X, training=False)
    outer(X)
    assert heard == [False, False, True, False, False, False, False, False]


def test_dropout_inside_a_layer_of_ones_own_is_on_in_fit_only():
    class Thin(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(1.0)

        def call(self, inputs):
            return self.dropout(inputs)

    model = doltap.Sequential([Thin(), Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizer=doltap.optimizers.SGD(learning_rate=0.0), loss="mse")
    loss = model.fit(X, np.zeros((22, 1)), verbose=0).history["loss"][0]
    assert loss == 0  # Everything is dropped: the output is 0.
    assert model.evaluate(X, np.zeros((22, 1)), verbose=0) > 0.1
    np.testing.assert_allclose(
        model.predict(X, verbose=0), X.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-5
    )


def test_a_layer_built_by_hand_is_not_built_again():
    layer = Dense(2)
    layer.build((None, 3))
    assert layer.built
    kernel = layer.kernel
    layer(X)
    assert layer.kernel is kernel
    assert len(layer.weights) == 2


def test_a_layer_called_twice_owns_its_weights_once():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3)
            self.again = [self.dense, self.dense]

        def call(self, inputs):
            return self.again[1](self.again[0](inputs))

    layer = Twice()
    layer(X)
    assert [weight.shape for weight in layer.weights] == [(3, 3), (3,)]
    assert layer.count_params() == 12


@pytest.mark.parametrize("how", ["layer", "model", "constructor", "inner"])
def test_what_is_not_trainable_stays_as_it_is_as_in_keras(keras, how):
    results = []
    for library in (keras, doltap):
        dense = library.layers.Dense
        frozen = {"trainable": False} if how == "constructor" else {}
        model = library.Sequential([library.layers.Input((3,)), dense(4, **frozen), dense(2)])
        start = [np.random.default_rng(2).normal(size=w.shape).astype("f") for w in model.get_weights()]
        model.set_weights(start)
        if how == "layer":
            model.layers[0].trainable = False
        elif how == "model":
            model.trainable = False
        elif how == "inner":
            model.trainable = False
            model.layers[1].trainable = True
        counts = (len(model.trainable_weights), len(model.non_trainable_weights), len(model.weights))
        states = [layer.trainable for layer in model.layers]
        model.compile(optimizer="sgd", loss="mse")
        if counts[0]:
            model.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
        results.append((counts, states, start, model.get_weights()))
    theirs, ours = results
    assert ours[:2] == theirs[:2]
    for mine, peer in zip(ours[3], theirs[3], strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-5, atol=1e-6)


def test_freezing_after_compile_holds_from_the_next_compile_on():
    model = doltap.Sequential([Dense(2, input_dim=3)])
    model.layers[0].trainable = False
    model.compile(optimizer="sgd", loss="mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert np.array_equal(model.get_weights()[0], before[0])
    model.layers[0].trainable = True
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.get_weights()[0], before[0])


def test_get_weights_are_copies_and_set_weights_gives_them_back():
    layer = Dense(2)
    layer(X)
    saved = layer.get_weights()
    kept = [array.copy() for array in saved]
    saved[0][:] = 0
    assert np.array_equal(layer.get_weights()[0], kept[0])
    layer.set_weights([array + 1 for array in kept])
    np.testing.assert_array_equal(layer.get_weights()[1], kept[1] + 1)


@pytest.mark.parametrize(
    "weights", [[], [np.zeros((3, 2))], [np.zeros((2, 3)), np.zeros(2)], [np.zeros((3, 2))] * 3]
)
def test_weights_of_other_shapes_are_refused_and_nothing_changes(weights):
    layer = Dense(2, name="top")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ShapeError, match="'top'"):
        layer.set_weights(weights)
    assert np.array_equal(layer.get_weights()[0], before[0])


def test_a_config_makes_a_layer_of_ones_own_again():
    cls = linear(doltap)
    layer = cls(5, name="한국어 층", trainable=False)
    again = cls.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.units, again.name, again.trainable) == (5, "한국어 층", False)


def test_an_output_shape_is_found_by_looking_at_what_call_does():
    class Pairs(Layer):
        def call(self, inputs):
            return inputs.reshape(inputs.shape[0], -1, 2)

    class Across(Layer):
        def call(self, inputs):
            return inputs.T

    assert Pairs().compute_output_shape((None, 6)) == (None, 3, 2)
    assert Across().compute_output_shape((None, 6)) == (6, None)
    assert linear(doltap)(7).compute_output_shape((None, 4)) == (None, 7)


def test_several_inputs_and_further_arguments_reach_call():
    class Mix(Layer):
        def build(self, input_shape):
            self.shapes = input_shape

        def call(self, inputs, share, *, shift=0.0):
            first, second = inputs
            return first * share + second * (1 - share) + shift

    layer = Mix()
    y = layer([X, X * 3], 0.5, shift=1.0)
    np.testing.assert_allclose(y, X * 2 + 1, rtol=1e-6)
    assert [tuple(shape) for shape in layer.shapes] == [(22, 3), (22, 3)]


def test_a_list_of_numbers_is_one_input():
    np.testing.assert_array_equal(Layer.__call__(Dropout(0.5), [[1, 2], [3, 4]]), [[1, 2], [3, 4]])


def test_names_are_counted_as_keras_counts_them(keras):
    names = []
    for library in (keras, doltap):
        _forget_names(library)
        cls = linear(library)
        names.append(
            [layer.name for layer in (cls(), cls(), library.layers.Dense(1), cls(name="mine"), cls())]
        )
    assert names[0] == names[1]


def _forget_names(library):
    (library.utils if hasattr(library.utils, "clear_session") else library.backend).clear_session()


def test_misspelt_keywords_are_answered_with_the_nearest_ones():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'trainable='"):
        linear(doltap)(2, trainible=False)


def test_a_layer_without_call_says_what_to_define():
    class Empty(Layer):
        pass

    with pytest.raises(NotSupportedError, match=r"call\(self, inputs\)"):
        Empty()(X)


def test_shapes_are_tuples_and_bare_numbers_are_one_dimension():
    assert as_shape(784) == as_shape((784,)) == as_shape([784]) == as_shape(np.int64(784)) == (784,)
    assert as_shape((None, np.int32(3))) == (None, 3)
    assert as_shape(()) == ()
