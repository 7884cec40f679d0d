import numpy as np
import pytest

import doltap as keras
from doltap.errors import NotSupportedError, ShapeError
from doltap.models import Population
from doltap.models.widening import narrowed, widened

layers, optimizers = keras.layers, keras.optimizers
RNG = np.random.default_rng(2)
X = RNG.normal(size=(80, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] + X[:, 2]).astype("float32")


def build(units=(5, 3), optimizer="adam", activation="relu", **options):
    keras.utils.set_random_seed(4)
    hidden = [layers.Dense(count, activation=activation, **options) for count in units]
    model = keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(1)])
    model.compile(optimizer=optimizer, loss="mse", metrics=["mae"])
    return model


def wide_and_deep():
    keras.utils.set_random_seed(4)
    inputs = keras.Input((4,))
    first = layers.Dense(5, activation="tanh")(layers.Dropout(0.2)(inputs))
    both = layers.Add()([first, layers.Dense(5, activation="selu")(first)])
    mixed = layers.Concatenate()([layers.LeakyReLU(0.1)(both), inputs, first])
    outputs = layers.Dense(2)(layers.Activation("gelu")(layers.Dense(6)(mixed)))
    model = keras.Model(inputs, layers.Dense(1)(outputs))
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


def zeros_beside(model, wide):
    """The numbers of the wider model that the other does not have."""
    plan = wide._origin.plan
    for one, other, masks in plan.pairs(model, wide):
        values = other.numpy()
        values[np.ix_(*map(np.flatnonzero, masks))] = 0.0
        yield one.name, values


def check_equal_training(make, widths):
    """Twenty steps of the wider twin end where those of the network itself end."""
    arguments = {"batch_size": 16, "epochs": 4, "verbose": 0, "validation_split": 0.2}
    peer = make()
    expected = peer.fit(X, Y, **arguments).history
    model = make()
    wide = widened(model, widths)
    np.testing.assert_allclose(wide.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    found = wide.fit(X, Y, **arguments).history
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-6, atol=2e-6)
    for _, values in zeros_beside(model, wide):
        assert not values.any()
    back = narrowed(wide)
    assert back is model
    for have, want in zip(back.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)
    for have, want in zip(back.optimizer.variables, peer.optimizer.variables, strict=True):
        np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-4, atol=1e-5)
    assert back.epochs_trained == peer.epochs_trained == 4
    assert back.history is wide.history


MOVERS = {
    "sgd": lambda: optimizers.SGD(0.05),
    "nesterov": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True, weight_decay=0.01),
    "adagrad": lambda: optimizers.Adagrad(0.05, global_clipnorm=1.0),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "ftrl": lambda: optimizers.Ftrl(0.05, l1_regularization_strength=0.01),
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True, use_ema=True),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "lamb": lambda: optimizers.Lamb(0.01),
    "lion": lambda: optimizers.Lion(0.001),
}


@pytest.mark.parametrize("name", MOVERS)
def test_a_wider_twin_learns_what_the_network_learns(name):
    check_equal_training(lambda: build(optimizer=MOVERS[name]()), [8, 8])


@pytest.mark.parametrize("activation", ["tanh", "selu", "elu", "gelu", "swish", "mish", "softsign", None])
def test_activations_that_give_zero_for_zero_may_be_widened(activation):
    model = build(activation=activation)
    wide = widened(model, 7)
    np.testing.assert_allclose(wide.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_regularizers_and_constraints_see_zeros():
    def make():
        return build(
            kernel_regularizer=keras.regularizers.L1L2(l2=0.1),
            activity_regularizer="l2",
            kernel_constraint=keras.constraints.MaxNorm(0.5),
            bias_constraint=keras.constraints.MinMaxNorm(0.1, 0.5),
        )

    check_equal_training(make, 9)


def test_branches_are_widened_where_they_meet():
    check_equal_training(wide_and_deep, [8, 8, 9, 4])


def test_a_network_in_training_goes_on_as_its_twin():
    peer, model = build(optimizer="adagrad"), build(optimizer="adagrad")
    for each in (peer, model):
        each.fit(X, Y, epochs=2, verbose=0)
    peer.fit(X, Y, epochs=2, verbose=0)
    wide = widened(model, 6)
    wide.fit(X, Y, epochs=2, verbose=0)
    for have, want in zip(narrowed(wide).get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def test_networks_of_different_widths_become_one_population():
    models = [build((5, 3)), build((2, 4))]
    with pytest.raises(ShapeError, match="units=5 in both, got units=2"):
        Population(models)
    population = Population([widened(model, 6) for model in models])
    population.fit(X, Y, epochs=2, verbose=0)
    peer = build((2, 4))
    peer.fit(X, Y, epochs=2, verbose=0)
    for have, want in zip(narrowed(population.members[1]).get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def test_widening_changes_no_later_model():
    keras.utils.set_random_seed(3)
    first, second = build(), keras.Sequential([layers.Dense(2, input_dim=2)])
    keras.utils.set_random_seed(3)
    widened(build(), 9)
    again = keras.Sequential([layers.Dense(2, input_dim=2)])
    np.testing.assert_array_equal(second.get_weights()[0], again.get_weights()[0])
    assert first.seed != second.seed


def with_layer(layer):
    def make():
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(5, activation="relu"), layer, layers.Dense(1)]
        )
        model.compile(loss="mse")
        return model

    return make


def own_loop():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    return Own()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: build(activation="sigmoid"), "an activation that gives 0 for 0, got 'sigmoid'"),
        (lambda: build(activation=lambda x: x), "an activation that gives 0 for 0"),
        (lambda: build(kernel_regularizer="orthogonal_regularizer"), "OrthogonalRegularizer"),
        (lambda: build(kernel_regularizer="l1"), "zeros alone, as L2, got L1"),
        (lambda: build(optimizer="adafactor"), "moves every number by itself, got Adafactor"),
        (lambda: build(optimizer="muon"), "Muon"),
        (with_layer(layers.Dropout(0.5)), "Dropout"),
        (with_layer(layers.BatchNormalization()), "BatchNormalization"),
        (with_layer(layers.Activation("sigmoid")), "Activation"),
        (with_layer(layers.ReLU(negative_slope=0.1, threshold=1.0)), "ReLU"),
        (own_loop, "a Sequential or a Model"),
    ],
)
def test_what_cannot_be_widened_says_so(make, said):
    with pytest.raises(NotSupportedError, match=said) as caught:
        widened(make(), 8)
    assert "Train this network in its own width." in str(caught.value)


def test_widths_fit_the_hidden_layers():
    with pytest.raises(ShapeError, match="each of the 2 hidden Dense layers, got 3"):
        widened(build(), [5, 5, 5])
    with pytest.raises(ShapeError, match="at least its own 5 units, got 4"):
        widened(build(), 4)


def test_only_a_wider_twin_can_be_narrowed():
    with pytest.raises(NotSupportedError, match="widened"):
        narrowed(build())
