"""The embedding: its inputs keep their values, and what is out of range does not hide."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import notes
from doltap.errors import DataError, DoltapError, ShapeError
from doltap.layers import Embedding

X = np.array([[1, 2, 0], [3, 0, 0]])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "float64", "float16"])
def test_whole_numbers_of_any_type_find_their_vectors(dtype):
    layer = Embedding(10, 4)
    np.testing.assert_array_equal(layer(X.astype(dtype)), layer.embeddings.numpy()[X])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_numbers_are_not_rounded_to_the_precision_of_the_layer(policy):
    layer = Embedding(5000, 2, dtype=policy)
    for x in (np.array([[1001, 4097]]), np.array([[1001.0, 4097.0]], np.float32)):
        y = layer(x)
        np.testing.assert_array_equal(y, layer.embeddings.array[np.array([[1001, 4097]])].astype(y.dtype))


def test_known_vectors_can_be_given_as_in_keras(keras):
    vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    for weights in (vectors, [vectors]):
        layer, peer = Embedding(10, 4, weights=weights), keras.layers.Embedding(10, 4, weights=weights)
        np.testing.assert_array_equal(layer(X), vectors[X])
        np.testing.assert_array_equal(layer(X), np.asarray(peer(X)))
        assert len(layer.weights) == 1
    with pytest.raises(ShapeError, match=r"\(10, 4\)"):
        Embedding(10, 4, weights=vectors.T)


def test_zeros_are_masked_where_that_was_wanted():
    x = jnp.asarray(X)
    with notes.taken() as taken:
        assert taken.mask_of(Embedding(10, 4)(x)) is None
        mask = taken.mask_of(Embedding(10, 4, mask_zero=True)(x))
    assert mask.tolist() == [[True, True, False], [True, False, False]]


def test_a_number_out_of_range_gives_nan_in_and_out_of_a_program_and_the_highest_is_told():
    layer = Embedding(4, 2)
    assert layer.highest_index == 3
    for y in (layer(np.array([[3, 4]])), jax.jit(layer)(jnp.array([[3, 4]]))):
        assert np.isnan(np.asarray(y)).all(axis=-1).tolist() == [[False, True]]


def test_the_gradient_reaches_only_the_vectors_that_were_looked_up():
    layer = Embedding(5, 2)
    layer.build()

    def total(vectors):
        return jnp.take(vectors, jnp.asarray(X), axis=0).sum()

    gradient = jax.grad(total)(layer.embeddings.array)
    assert gradient[:, 0].tolist() == [3, 1, 1, 1, 0]


def test_the_length_of_rows_may_be_said_as_in_keras_2():
    layer = Embedding(10, 4, input_length=3)
    assert layer.compute_output_shape((None, 3)) == (None, 3, 4)
    assert layer._batch_input_shape == (None, 3)
    assert Embedding(10, 4)._batch_input_shape is None


@pytest.mark.parametrize("size", [0, -1, 2.5, "ten", None, True])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(DataError, match=r"Embedding\(input_dim\)"):
        Embedding(size, 4)
    with pytest.raises(DataError, match=r"Embedding\(output_dim\)"):
        Embedding(4, size)


def test_options_that_it_does_not_have_are_refused():
    with pytest.raises(DoltapError, match="Did you mean 'mask_zero='"):
        Embedding(4, 4, mask_zeros=True)


def embedding_model(form):
    inputs = doltap.Input((2,), dtype="int32", name="ids")
    if form == "row":
        model = doltap.Sequential([Embedding(3, 2), doltap.layers.Flatten(), doltap.layers.Dense(1)])
    else:
        other = doltap.Input((1,), name="other")
        flat = doltap.layers.Flatten()(Embedding(3, 2, name="embedding")(inputs))
        given = [inputs, other] if form == "two inputs" else inputs
        flat = doltap.layers.Concatenate()([flat, other]) if form == "two inputs" else flat
        model = doltap.Model(given, doltap.layers.Dense(1)(flat))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("form", ["row", "network", "two inputs"])
@pytest.mark.parametrize(("wrong", "got"), [(7, "7 in row 1, column 0"), (-1, "-1 in row 1, column 0")])
def test_an_id_without_a_vector_is_refused_before_training_and_predicting(form, wrong, got):
    model = embedding_model(form)

    def given(*rows):
        return [np.array(rows), np.ones((2, 1))] if form == "two inputs" else np.array(rows)

    good, bad, y = given([0, 2], [1, 1]), given([0, 2], [wrong, 1]), np.ones((2, 1))
    model.fit(good, y, verbose=0)
    before = model.get_weights()
    for call in (
        lambda: model.fit(bad, y, verbose=0),
        lambda: model.evaluate(bad, y, verbose=0),
        lambda: model.predict(bad, verbose=0),
        lambda: model.train_on_batch(bad, y),
        lambda: model.fit(iter([(bad, y)]), verbose=0),
    ):
        with pytest.raises(DataError, match=f"ids from 0 to 2, got {got}"):
            call()
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert np.isfinite(model.predict(good, verbose=0)).all()
