"""Sparse tensors, sets, rows of different lengths: what books show of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.errors import NotSupportedError


def few(tf):
    return tf.SparseTensor(indices=[[0, 1], [2, 0]], values=[3.0, 4.0], dense_shape=[3, 2])


DENSE = [[0.0, 3.0], [0.0, 0.0], [4.0, 0.0]]


def test_a_sparse_tensor_is_a_plain_one_with_places(tf):
    sparse = few(tf)
    assert tf.sparse.to_dense(sparse).numpy().tolist() == sparse.numpy().tolist() == DENSE
    assert type(tf.sparse.to_dense(sparse)) is tf.Tensor
    assert "indices" in repr(sparse)
    assert "dense_shape" in repr(sparse)
    again = tf.sparse.from_dense(tf.constant(DENSE))
    for one in (again, pickle.loads(pickle.dumps(sparse))):
        assert one.indices.numpy().tolist() == [[0, 1], [2, 0]]
        assert one.values.numpy().tolist() == [3.0, 4.0]
    assert float(tf.reduce_sum(sparse)) == 7.0
    np.testing.assert_array_equal(tf.sparse.reduce_sum(sparse, axis=0), [4.0, 3.0])


def test_products_of_a_sparse_tensor_stay_sparse_and_sums_are_refused(tf):
    for found in (few(tf) * 2.0, 2.0 * few(tf), few(tf) / tf.constant([0.5, 0.5])):
        assert isinstance(found, tf.SparseTensor)
        np.testing.assert_array_equal(found.numpy(), 2 * np.array(DENSE))
    for add in (lambda: few(tf) + 1.0, lambda: 1.0 - few(tf)):
        with pytest.raises(TypeError, match="to_dense"):
            add()


def test_products_of_matrices_are_plain(tf):
    other = np.float32([[1.0], [2.0]])
    np.testing.assert_array_equal(tf.sparse.sparse_dense_matmul(few(tf), other), DENSE @ other)
    swapped = tf.sparse.sparse_dense_matmul(few(tf), np.eye(3, dtype="float32"), adjoint_a=True)
    np.testing.assert_array_equal(swapped, np.transpose(DENSE))


def test_places_out_of_order_are_put_in_order_first(tf):
    mixed = tf.SparseTensor([[0, 2], [0, 1]], ["b", "a"], [1, 3])
    with pytest.raises(InvalidArgumentError, match=r"indices\[1\] = \[0, 1\].*\n.*reorder"):
        tf.sparse.to_dense(mixed)
    found = tf.sparse.to_dense(tf.sparse.reorder(mixed), default_value=b"-")
    assert found.numpy().tolist() == [[b"-", b"a", b"b"]]


@pytest.mark.parametrize("name", ["union", "difference", "intersection"])
def test_rows_are_joined_as_sets(tf, name):
    first, second = [[2, 3, 7], [9, 0, 9]], [[4, 3], [0, 8]]
    found = getattr(tf.sets, name)(tf.constant(first), tf.constant(second))
    wanted = [sorted(getattr(set(a), name)(b)) for a, b in zip(first, second, strict=True)]
    assert tf.RaggedTensor.from_sparse(found).to_list() == wanted
    assert tf.sets.size(found).numpy().tolist() == [len(row) for row in wanted]
    assert found.dtype == tf.int32


def test_rows_of_a_variable_are_changed_by_number(tf):
    rows = tf.IndexedSlices(values=[[1.0, 2.0], [3.0, 4.0]], indices=[2, 0])
    v = tf.Variable(tf.ones((3, 2)))
    assert v.scatter_update(rows).numpy().tolist() == [[3.0, 4.0], [1.0, 1.0], [1.0, 2.0]]
    assert v.scatter_add(rows).numpy().tolist() == [[6.0, 8.0], [1.0, 1.0], [2.0, 4.0]]
    assert v.scatter_sub(rows).numpy().tolist() == [[3.0, 4.0], [1.0, 1.0], [1.0, 2.0]]


def test_rows_of_different_lengths_are_seen_cut_and_filled_up(tf):
    rows = tf.strings.unicode_decode(["ab", "", "cde"], "UTF-8")
    assert repr(rows) == "<tf.RaggedTensor [[97, 98], [], [99, 100, 101]]>"
    assert repr(rows[1:]) == "<tf.RaggedTensor [[], [99, 100, 101]]>"
    assert int(rows[2, 1]) == 100
    assert rows.row_lengths().numpy().tolist() == [2, 0, 3]
    assert rows.flat_values.numpy().tolist() == [97, 98, 99, 100, 101]
    assert rows.to_tensor(shape=[None, 2]).numpy().tolist() == [[97, 98], [0, 0], [99, 100]]
    assert rows.shape == (3, None)
    assert rows.dtype == tf.int32
    assert tf.strings.unicode_encode(rows, "UTF-8").numpy().tolist() == [b"ab", b"", b"cde"]
    words = tf.strings.split(["a b", "c"]).to_tensor(default_value="-", shape=[2, 3])
    assert words.numpy().tolist() == [[b"a", b"b", b"-"], [b"c", b"-", b"-"]]
    made = tf.ragged.constant([["x"], []])
    assert made.dtype == tf.string
    assert tf.RaggedTensor.from_sparse(few(tf)).to_list() == [[3.0], [], [4.0]]


def lengths(tf):
    class Lengths(keras.layers.Layer):
        def __init__(self, **keywords):
            super().__init__(dtype=tf.string, **keywords)

        def call(self, texts):
            return tf.strings.length(tf.strings.strip(texts))

    return Lengths


def test_a_layer_of_ones_own_takes_texts_by_hand_and_in_front_of_a_model(tf):
    layer = lengths(tf)()
    assert layer(tf.constant([" ab", "c"])).numpy().tolist() == [2, 1]
    mapped = tf.data.Dataset.from_tensor_slices(["a", "bb "]).batch(2).map(layer)
    assert next(iter(mapped)).numpy().tolist() == [1, 2]


def test_inside_a_model_it_is_told_where_texts_belong(tf):
    with pytest.raises(NotSupportedError, match=r"dataset\.map"):
        keras.Sequential([lengths(tf)(input_shape=[])])
