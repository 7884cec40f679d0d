"""The vital signs of layers against what the formulas give, for every kind of model."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap as keras
from doltap import errors
from doltap.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Lambda,
    Softmax,
)
from doltap.training import cache

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 5)).astype("float32")
Y = RANDOM.normal(size=(64, 1)).astype("float32")
CLASSES = RANDOM.integers(0, 3, 64)


def network(*layers, optimizer="sgd", loss="mse", shape=(5,)):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer, loss)
    return model


def named(signs):
    return {one.name: one for one in signs}


def two_layers(**options):
    return network(Dense(8, "relu", name="hidden"), Dense(1, name="out"), **options)


def test_gradients_and_steps_are_those_of_the_formulas():
    model = two_layers(optimizer=keras.optimizers.SGD(0.1))
    (kernel, bias, kernel_2, bias_2) = (jnp.asarray(each) for each in model.get_weights())

    def loss(weights, nudge=0.0):
        hidden = jax.nn.relu(X @ weights[0] + weights[1]) + nudge
        return jnp.mean((hidden @ weights[2] + weights[3] - Y) ** 2)

    weights = [kernel, bias, kernel_2, bias_2]
    gradients = jax.grad(loss)(weights)
    per_row = jax.grad(lambda nudge: loss(weights, nudge))(jnp.zeros((64, 8))) * 64
    hidden = named(model.vital_signs(X, Y))["hidden"]
    length = math.sqrt(float(sum((each**2).sum() for each in gradients[:2])))
    size = math.sqrt(float((kernel**2).sum() + (bias**2).sum()))
    assert hidden.gradient_norm == pytest.approx(length, rel=1e-5)
    assert hidden.weight_norm == pytest.approx(size, rel=1e-5)
    assert hidden.update_ratio == pytest.approx(0.1 * length / size, rel=1e-3)
    typical = math.sqrt(float((per_row**2).sum(1).mean()))
    assert hidden.gradient_reaching == pytest.approx(typical, rel=1e-5)


def test_numbers_of_a_layer_are_those_it_gives():
    model = two_layers()
    given = np.maximum(X @ model.get_weights()[0] + model.get_weights()[1], 0)
    hidden = named(model.vital_signs(X, Y))["hidden"]
    assert hidden.mean == pytest.approx(given.mean(), rel=1e-4)
    assert hidden.std == pytest.approx(given.std(), rel=1e-4)
    assert hidden.row_std == pytest.approx(math.sqrt((given.std(0) ** 2).mean()), rel=1e-4)
    assert (hidden.position, hidden.is_output, hidden.activation, hidden.kind) == (0, False, "relu", "Dense")


def test_a_first_step_of_adam_is_its_rate_in_every_weight():
    model = two_layers(optimizer=keras.optimizers.Adam(0.01))
    out = named(model.vital_signs(X, Y))["out"]
    assert out.update_ratio == pytest.approx(0.01 * math.sqrt(9) / out.weight_norm, rel=1e-3)


def test_units_that_are_zero_for_every_row_are_dead():
    model = two_layers()
    kernel, bias, *rest = model.get_weights()
    bias[:2] = -100
    model.set_weights([kernel, bias, *rest])
    signs = named(model.vital_signs(X, Y))
    assert signs["hidden"].dead_share == 2 / 8
    assert signs["hidden"].constant_share == 2 / 8
    assert math.isnan(signs["out"].dead_share), "what has no relu cannot die"


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard_sigmoid", "softsign", "softmax"])
def test_numbers_at_the_flat_ends_of_a_curve_are_saturated(activation):
    model = network(Dense(4, activation, name="hidden"), Dense(1))
    kernel, bias, *rest = model.get_weights()
    gentle = named(model.vital_signs(X * 0.01, Y))["hidden"].saturated_share
    model.set_weights([kernel * 1e4, bias, *rest])
    steep = named(model.vital_signs(X, Y))["hidden"].saturated_share
    assert gentle == 0
    assert steep > 0.95


def test_a_softmax_that_the_loss_undoes_still_has_a_gradient():
    model = network(Dense(3, activation="softmax", name="out"), loss="sparse_categorical_crossentropy")
    shares = model.predict(X, verbose=0)
    away = shares - np.eye(3)[CLASSES]
    out = named(model.vital_signs(X, CLASSES))["out"]
    assert out.gradient_reaching == pytest.approx(math.sqrt((away**2).sum(1).mean()), rel=1e-4)
    assert out.is_output


def functional():
    first, second = keras.Input((5,), name="first"), keras.Input((5,), name="second")
    shared = Dense(4, "tanh", name="shared")
    merged = keras.layers.Concatenate()([shared(first), shared(second)])
    ends = Dense(1, name="number")(merged), Dense(3, activation="softmax", name="kind")(merged)
    model = keras.Model([first, second], list(ends))
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"])
    return model, [X, X], [Y, CLASSES], ["shared", "number", "kind"]


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        # In another order than they are called in.
        self.ends = Dense(1, name="ends")
        self.inner = keras.Sequential([Dense(6, name="one"), BatchNormalization(name="two")])
        self.curve = Activation("relu", name="three")
        self.drop = Dropout(0.5)

    def call(self, x):
        return self.ends(self.drop(self.curve(self.inner(x))))


def nested():
    model = Nested()
    model.compile("rmsprop", "mse")
    return model, X, Y, ["one", "two", "three", "ends"]


def embedded():
    layers = [Embedding(10, 4, name="words"), Flatten(), Dense(3, name="sums"), Softmax(name="shares")]
    model = network(*layers, loss="sparse_categorical_crossentropy", shape=(6,))
    return model, RANDOM.integers(0, 10, (64, 6)), CLASSES, ["words", "sums", "shares"]


@pytest.mark.parametrize("make", [functional, nested, embedded])
def test_layers_stand_in_the_order_of_their_calls(make):
    model, x, y, names = make()
    signs = model.vital_signs(x, y)
    # Ends that do not need each other may be called in any order.
    inner = [one.name for one in signs if not one.is_output]
    assert inner == [name for name in names if name in inner]
    assert {one.name: one.output for one in signs if one.is_output} == {
        name: place for place, name in enumerate(name for name in names if name not in inner)
    }
    with_weights = [one for one in signs if one.weight_norm > 0]
    assert all(one.gradient_norm > 0 and one.update_ratio > 0 for one in with_weights)
    assert all(one.gradient_reaching > 0 for one in signs)


def test_nothing_of_the_model_changes():
    model, x, y, _ = nested()
    model.fit(x, y, epochs=1, verbose=0)
    before = [
        np.array(each) for each in (*model.get_weights(), *(v.array for v in model.optimizer.variables))
    ]
    first = model.vital_signs(x, y)
    after = [np.array(each) for each in (*model.get_weights(), *(v.array for v in model.optimizer.variables))]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
    assert repr(first) == repr(model.vital_signs(x, y))


def test_two_models_of_one_architecture_share_the_program(monkeypatch):
    two_layers().vital_signs(X, Y)
    compiled = []
    monkeypatch.setattr(cache, "_compile", lambda *parts: compiled.append(parts))
    two_layers().vital_signs(X, Y)
    assert not compiled


def test_of_many_rows_a_sample_is_looked_at():
    model = two_layers()
    many = model.examined(FakeTraining(model, np.tile(X, (100, 1)), np.tile(Y, (100, 1))), None, [])
    assert many.rows.count == 256


class FakeTraining:
    """As much of a training as an examination looks at."""

    counts, num_batches = (6400, 32), 200

    def __init__(self, model, x, y):
        self.rows = model._labelled(x, y, None, "")
        self.recipe = model._recipe("train", self.rows)


def test_frozen_layers_have_weights_and_no_step():
    frozen = Dense(8, "relu", name="hidden", trainable=False)
    hidden = named(network(frozen, Dense(1)).vital_signs(X, Y))["hidden"]
    assert hidden.weight_norm > 0
    assert math.isnan(hidden.gradient_norm)
    assert math.isnan(hidden.update_ratio)


def test_rows_that_weigh_nothing_have_no_gradient():
    model = two_layers()
    out = named(model.vital_signs(X, Y, sample_weight=np.zeros(64)))["out"]
    assert out.gradient_norm == 0


def test_a_scaled_loss_gives_the_gradient_of_the_loss():
    plain = two_layers(optimizer=keras.optimizers.SGD(0.1))
    scaled = two_layers(optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)))
    scaled.set_weights(plain.get_weights())
    for one, other in zip(plain.vital_signs(X, Y), scaled.vital_signs(X, Y), strict=True):
        assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-4)
        assert other.gradient_reaching == pytest.approx(one.gradient_reaching, rel=1e-4)
        assert other.update_ratio == pytest.approx(one.update_ratio, rel=1e-3)


def test_code_of_the_users_own_is_followed():
    class Twice(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight((shape[-1],), "ones", name="scale")

        def call(self, x):
            return 2 * x * self.scale

    def bend(x):
        return jnp.sin(x)

    layers = [Twice(name="twice"), Lambda(lambda x: x + 1), Dense(4, activation=bend, name="bent"), Dense(1)]
    signs = named(network(*layers).vital_signs(X, Y))
    assert signs["twice"].mean == pytest.approx(2 * X.mean(), abs=1e-5)
    assert signs["bent"].activation is None


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_model_with_a_step_of_its_own_is_measured_by_the_compiled_loss(eagerly):
    class Own(keras.Model):
        def train_step(self, state, data):
            return super().train_step(state, data)

    inputs = keras.Input((5,))
    model = Own(inputs, Dense(1, name="out")(Dense(8, "relu", name="hidden")(inputs)))
    model.compile("sgd", "mse", run_eagerly=eagerly)
    assert named(model.vital_signs(X, Y))["hidden"].gradient_norm > 0


def test_without_a_loss_of_its_own_kind_there_are_numbers_and_no_gradients():
    class Alone(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return jnp.mean((y - y_pred) ** 2)

    inputs = keras.Input((5,))
    model = Alone(inputs, Dense(1, name="out")(inputs))
    model.compile("sgd")
    out = named(model.vital_signs(X, Y))["out"]
    assert out.std > 0
    assert math.isnan(out.gradient_norm)


def test_a_model_that_was_not_compiled_says_so():
    model = keras.Sequential([keras.Input((5,)), Dense(1)])
    with pytest.raises(errors.NotCompiledError, match=r"vital_signs\(\): expected a compiled model"):
        model.vital_signs(X, Y)


def test_labels_that_do_not_fit_are_refused_as_in_fit():
    model = network(Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy")
    with pytest.raises(errors.LabelError):
        model.vital_signs(X, CLASSES + 5)


def test_a_straight_line_is_told_from_what_is_not_known():
    class Bent(Dense):
        def call(self, x):
            return jnp.tanh(super().call(x))

    signs = named(network(Dense(4, name="line"), Bent(4, name="bent"), Dense(1)).vital_signs(X, Y))
    assert signs["line"].activation == "linear"
    assert signs["bent"].activation is None
