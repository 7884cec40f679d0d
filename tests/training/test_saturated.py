"""Where the network ends in a softmax or sigmoid, the loss computes from the logits behind it."""

import numpy as np
import pytest

import doltap as keras

LAYERS = keras.layers


def step(output, loss, y, *, split):
    """The weights after one step from a start at which every answer is wrong beyond all doubt."""
    units = y.shape[-1] if loss == "categorical_crossentropy" else 1 if output == "sigmoid" else 3
    layers = [LAYERS.Dense(units, activation=None if split else output, input_dim=2)]
    layers += [LAYERS.Activation(output)] if split else []
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(1.0), loss)
    kernel = np.zeros((2, units), np.float32)
    kernel[:, 0] = 100.0
    model.set_weights([kernel, np.zeros(units, np.float32)])
    before = model.evaluate(np.ones((4, 2)), y, verbose=0)
    model.fit(np.ones((4, 2)), y, verbose=0)
    return before, np.abs(model.get_weights()[0] - kernel).max()


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("output", "loss", "y"),
    [
        ("softmax", "sparse_categorical_crossentropy", np.full(4, 2)),
        ("softmax", "categorical_crossentropy", np.eye(3)[np.full(4, 2)]),
        ("sigmoid", "binary_crossentropy", np.zeros((4, 1))),
    ],
)
def test_a_network_that_is_sure_and_wrong_still_learns(output, loss, y, split):
    before, moved = step(output, loss, y, split=split)
    assert before == pytest.approx(200.0)
    assert moved == pytest.approx(1.0)


def test_probabilities_from_elsewhere_are_clipped_as_in_keras():
    def scaled(x):
        return keras.activations.softmax(x) * 1.0

    model = keras.Sequential([LAYERS.Dense(3, activation=scaled, input_dim=2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.set_weights([np.array([[100.0, 0, 0], [100.0, 0, 0]]), np.zeros(3)])
    assert model.evaluate(np.ones((4, 2)), np.full(4, 2), verbose=0) == pytest.approx(-np.log(1e-7), rel=1e-5)


def test_a_loss_told_to_expect_logits_takes_what_it_is_given(keras):
    def loss_of(library):
        model = library.Sequential([library.Input((2,)), library.layers.Dense(3, activation="softmax")])
        model.compile("sgd", library.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.set_weights([np.array([[2.0, 0, 0], [1.0, 0, 0]], "float32"), np.zeros(3, "float32")])
        return model.evaluate(np.ones((4, 2), "float32"), np.full(4, 2), verbose=0)

    import doltap

    assert loss_of(doltap) == pytest.approx(loss_of(keras), rel=1e-6)
