"""What the cross-entropies do at the edges: undone activations, exact zeros, wrong options."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses
from doltap.errors import DataError


@pytest.mark.parametrize(
    ("name", "activation"), [("bce", "sigmoid"), ("cce", "softmax"), ("scce", "softmax")]
)
def test_a_loss_takes_the_logits_of_the_activation_it_undoes(name, activation):
    loss = losses.get(name)
    other, given = loss.undoing(activation, "logits", "probabilities")
    assert (other.from_logits, given) == (True, "logits")
    assert not loss.from_logits
    for same in (loss.undoing("tanh", 1, 2), type(loss)(from_logits=True).undoing(activation, 1, 2)):
        assert same[1] == 2
    assert losses.get("mse").undoing(activation, 1, 2)[1] == 2


def test_a_call_of_ones_own_receives_the_probabilities_it_was_written_for():
    class Doubled(losses.BinaryCrossentropy):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    loss = Doubled()
    assert loss.undoing("sigmoid", "logits", "probabilities") == (loss, "probabilities")


@pytest.mark.parametrize(
    ("name", "options", "y", "p"),
    [
        ("BinaryFocalCrossentropy", {"gamma": 0.5}, [[1.0, 0.0]], [[1.0, 0.0]]),
        ("BinaryFocalCrossentropy", {"gamma": 0.0}, [[1.0, 0.0]], [[1.0, 0.0]]),
        ("CategoricalGeneralizedCrossEntropy", {}, [0], [[0.0, 1.0]]),
    ],
)
def test_exact_probabilities_have_a_gradient_where_keras_gives_nan_or_infinity(name, options, y, p):
    loss = getattr(losses, name)(**options)
    gradient = jax.grad(lambda p: loss(jnp.asarray(y), p))(jnp.asarray(p))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("alpha", [[0.2, 0.5, 0.9], 0.4])
def test_each_class_may_weigh_its_own_in_the_focal_loss(keras, alpha):
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(3), 6).astype("f")
    y = np.eye(3, dtype="f")[random.integers(0, 3, 6)]
    ours, theirs = (
        module.CategoricalFocalCrossentropy(alpha=alpha)(y, p) for module in (losses, keras.losses)
    )
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_a_column_of_class_numbers_is_the_same_as_a_row_of_them():
    # Real Keras 3.15 compares every row with every other here.
    y, p = np.array([0, 1, 0]), np.array([[0.2, 0.8], [0.4, 0.6], [0.9, 0.1]], "f")
    flat = losses.categorical_generalized_cross_entropy(y, p, q=0.5)
    np.testing.assert_array_equal(losses.categorical_generalized_cross_entropy(y[:, None], p, q=0.5), flat)


@pytest.mark.parametrize("q", [0, 1, -0.5, 2, float("nan")])
def test_q_outside_of_0_and_1_is_refused(q):
    with pytest.raises(DataError, match="between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=q)


def test_class_numbers_above_what_a_float_holds_stay_apart():
    big = 2**24
    y = np.array([big, big + 1, big, big + 1])
    p = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], "f")
    expected = losses.Circle()(np.array([0, 1, 0, 1]), p)
    assert float(losses.Circle()(y, p)) == float(expected)
