"""Cosine and circle: vectors without length, rows without a partner, other rows to compare with."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses
from doltap.errors import ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")


def vectors(rows=6, size=3, seed=0):
    raw = np.random.default_rng(seed).normal(size=(rows, size)).astype("f")
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_cosine_along_each_axis_is_that_of_keras(keras, axis):
    y, p = vectors(seed=1) * 3, vectors(seed=2) * 0.1
    ours, theirs = (
        np.asarray(module.cosine_similarity(y, p, axis=axis)) for module in (losses, keras.losses)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert losses.CosineSimilarity(axis=axis).rows_are_independent is (axis != 0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_vector_without_length_has_cosine_0_and_a_gradient_where_keras_gives_nan(dtype):
    y, p = jnp.ones((1, 2), dtype), jnp.zeros((1, 2), dtype)
    assert float(losses.cosine_similarity(y, p)[0]) == 0
    assert np.isfinite(jax.grad(lambda p: losses.cosine_similarity(y, p)[0])(p)).all()


@pytest.mark.parametrize("labels", [[0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 2, 2]])
def test_a_row_without_a_partner_or_an_opponent_counts_as_0_and_has_a_finite_gradient(keras, labels):
    p, y = vectors(), np.array(labels)
    ours = np.asarray(losses.circle(y, p))
    np.testing.assert_allclose(ours, keras.losses.circle(y, p), rtol=1e-5)
    counts = np.bincount(labels, minlength=6)[labels]
    assert (ours[(counts == 1) | (counts == 6)] == 0).all()
    assert np.isfinite(jax.grad(lambda p: losses.circle(y, p).sum())(jnp.asarray(p))).all()


def test_rows_may_be_compared_with_other_rows(keras):
    y, p, others, their_labels = np.arange(6) % 3, vectors(), vectors(4, seed=5), np.array([0, 1, 2, 0])
    given = {"ref_labels": their_labels, "ref_embeddings": others, "remove_diagonal": False}
    ours, theirs = (np.asarray(module.circle(y, p, **given)) for module in (losses, keras.losses))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(("labels", "size"), [((5,), (6, 3)), ((6, 2), (6, 3)), ((6,), (6, 2, 3))])
def test_circle_refuses_labels_and_vectors_that_do_not_belong_together(labels, size):
    with pytest.raises(ShapeError, match="one class number and one vector a row"):
        losses.circle(np.zeros(labels, int), np.ones(size, "f"))


@pytest.mark.parametrize("name", ["circle", "cosine_similarity"])
def test_a_network_learns_with_the_loss_as_in_keras(keras, name):
    import doltap

    x = np.random.default_rng(0).normal(size=(10, 2)).astype("f")
    y = np.arange(10) % 2 if name == "circle" else np.abs(x[:, :1] * np.array([1, 2, 3], "f"))
    start, seen = None, []
    for library in (keras, doltap):
        layers = [library.layers.Input((2,)), library.layers.Dense(3, activation="sigmoid")]
        model = library.Sequential(layers)
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile(optimizer="sgd", loss=name)
        seen.append(model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-4)
