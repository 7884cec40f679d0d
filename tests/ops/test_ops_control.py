"""Choices and loops against real Keras; Python's numbers, Variables and bad input."""

from __future__ import annotations

import inspect
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import Variable, config, ops
from doltap.errors import DataError, DoltapError, NotSupportedError, ShapeError, UnknownNameError

ROWS = np.arange(12, dtype="float32").reshape(3, 4)


def both(keras, name, *arguments, **keywords):
    """Our result and Keras's, as lists of NumPy arrays with their types."""
    for library in (ops, keras.ops):
        result = getattr(library, name)(*arguments, **keywords)
        yield [(np.asarray(leaf).tolist(), str(leaf.dtype)) for leaf in jax.tree.leaves(result)]


LOOPS = {
    "cond": [
        (True, lambda: jnp.ones(2), lambda: jnp.zeros(2)),
        (np.bool_(False), lambda: ROWS, lambda: -ROWS),
    ],
    "switch": [(1, [lambda x: x + 1.0, lambda x: x * 2.0], ROWS), (9, [lambda: ROWS, lambda: -ROWS])],
    "while_loop": [
        (lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, ROWS)),
        (lambda x: jnp.sum(x) < 500, lambda x: x * 2, ROWS),
        (lambda i: i < 100, lambda i: [i + 1], [0], 7),
    ],
    "fori_loop": [(0, 3, lambda i, x: x + i, ROWS), (1, 1, lambda i, x: x + i, ROWS)],
    "map": [(lambda row: row * 2, ROWS), (lambda pair: pair[0] + pair[1], (ROWS, ROWS))],
    "vectorized_map": [(lambda row: jnp.sort(-row), ROWS), (lambda pair: pair[0] * pair[1], [ROWS, ROWS])],
    "scan": [(lambda total, row: (total + row, total.sum()), jnp.zeros(4), ROWS)],
    "associative_scan": [(jnp.add, ROWS), (jnp.maximum, ROWS, True, 1)],
    "jvp": [(jnp.sin, (ROWS,), (ROWS,)), (lambda x: (x * 2, x), (ROWS,), (ROWS,), True)],
}


@pytest.mark.parametrize(("name", "arguments"), [(name, case) for name in LOOPS for case in LOOPS[name]])
def test_loops_and_choices_give_what_keras_gives(keras, name, arguments):
    ours, theirs = both(keras, name, *arguments)
    assert ours == theirs


def test_loops_have_the_options_of_keras(keras):
    def step(total, row):
        total = total + (1.0 if row is None else row)
        return total, total

    for keywords in ({"reverse": True}, {"unroll": True}, {"unroll": 2}):
        ours, theirs = both(keras, "scan", step, jnp.zeros(4), ROWS, **keywords)
        assert ours == theirs
    ours, theirs = both(keras, "scan", step, jnp.zeros(4), length=3)
    assert ours == theirs
    with pytest.raises(DataError, match=r"ops\.scan: expected unroll= from 1 on"):
        ops.scan(step, jnp.zeros(4), ROWS, unroll=0)


def test_a_function_can_bring_its_own_gradient():
    @ops.custom_gradient
    def doubled(x):
        """Twice."""
        return x * 2, lambda upstream: upstream * 100

    assert doubled.__doc__ == "Twice."
    assert jax.grad(doubled)(1.0) == 100
    assert doubled(Variable(3.0)) == 6
    assert jax.jit(ops.vectorize(lambda a, b: a @ b, signature="(n),(n)->()"))(ROWS, ROWS[0]).tolist() == [
        14,
        38,
        62,
    ]


def test_loops_run_inside_a_compiled_program():
    @jax.jit
    def run(x):
        once = ops.cond(x[0, 0] < 1, lambda: x, lambda: -x)
        return ops.fori_loop(0, 2, lambda i, y: y + once, ops.map(lambda row: row * 2, x))

    assert run(ROWS).tolist() == (ROWS * 4).tolist()


@pytest.mark.parametrize(
    ("function", "arguments", "dtype"),
    [
        ("add", (np.int32(1), 0.5), "float32"),
        ("add", (ROWS.astype("float16"), 0.5), "float16"),
        ("add", (1, 2), "int32"),
        ("multiply", (np.ones(2, bool), 2), "int32"),
        ("add", (np.float64(1), np.ones(2, "float16")), "float32"),
        ("convert_to_tensor", (1.0,), "float32"),
        ("mean", ([1, 2],), "float32"),
        ("where", (True, 1, 0.5), "float32"),
        ("cast", (1, "float64"), "float32"),
        ("arange", (3,), "int32"),
        ("full_like", (1.0, 2), "float32"),
    ],
)
def test_pythons_numbers_bend_to_arrays_and_leave_no_weak_type(function, arguments, dtype):
    result = getattr(ops, function)(*arguments)
    assert (str(result.dtype), result.weak_type) == (dtype, False)


def test_whole_numbers_become_floatx():
    config.set_floatx("float16")
    try:
        found = [ops.mean([1, 2]), ops.sqrt(4), ops.add(1, 0.5), ops.zeros(2), ops.add(np.ones(1, int), 0.5)]
        found += [ops.convert_to_tensor(1.0), ops.one_hot([0], 2), ops.arange(0.0, 1.0, 0.5)]
        assert {str(each.dtype) for each in found} == {"float16"}
        assert ops.add(np.float32(1), 0.5).dtype == "float32"
    finally:
        config.set_floatx("float32")


def test_variables_lists_and_numbers_are_arrays_too():
    variable = Variable([1.0, 4.0])
    assert ops.sqrt(variable).tolist() == [1, 2]
    assert ops.add(variable, [1, 1]).tolist() == [2, 5]
    assert ops.stack([variable, variable]).shape == (2, 2)
    assert (ops.shape(variable), ops.dtype(variable), ops.ndim([[1]])) == ((2,), "float32", 2)
    assert not ops.is_tensor(variable)
    assert isinstance(ops.convert_to_numpy(variable), np.ndarray)
    assert ops.cond(True, lambda: variable.value, lambda: variable.value * 2).tolist() == [1, 4]


def test_files_keep_axes_as_lists():
    assert ops.sum(ROWS[None], axis=[0, 2]).shape == (3,)
    assert ops.squeeze(ROWS[None, None], axis=[0, 1]).shape == (3, 4)
    assert ops.softmax(ROWS, axis=[0, 1]).sum() == pytest.approx(1)
    assert ops.tensordot(ROWS, ROWS, axes=[[0, 1], [0, 1]]).shape == ()
    assert ops.flip(ROWS, axis=[0])[0, 0] == 8


def test_help_and_pickles_know_the_operation():
    assert str(inspect.signature(ops.sum)).startswith(
        "(x: 'Tensor', axis: 'Axis' = None, keepdims: 'bool' = False)"
    )
    assert ops.sum.__doc__.startswith("The sum of the elements.")
    assert pickle.loads(pickle.dumps(ops.sum)) is ops.sum
    assert doltap.ops is ops
    assert ops.absolute is ops.abs is ops.numpy.abs


BAD = {
    "a name": [
        (lambda: ops.names.find("reduce_sun"), UnknownNameError, "Known names|Did you mean"),
        (lambda: ops.names.find("softmacks"), UnknownNameError, "Did you mean 'softmax'"),
        (lambda: ops.scatter_update(ROWS, [[0, 0]], [1.0], "mull"), UnknownNameError, "Did you mean 'mul'"),
        (lambda: ops.qr(ROWS, "completed"), UnknownNameError, "Did you mean 'complete'"),
        (lambda: ops.max_pool(ROWS[None], 2, padding="sam"), UnknownNameError, "Did you mean 'same'"),
        (lambda: ops.conv(ROWS[None], ROWS[None], data_format="first"), UnknownNameError, "channels_first"),
        (lambda: ops.stft(ROWS, 4, 2, 4, window="han"), UnknownNameError, "Did you mean 'hann'"),
    ],
    "a shape": [
        (lambda: ops.searchsorted(ROWS, ROWS), ShapeError, "one row of sorted numbers, got shape .3, 4."),
        (lambda: ops.unstack(ROWS, 4), ShapeError, "expected length 4 along axis 0, got 3"),
        (lambda: ops.cdist(ROWS, ROWS[:, :2]), ShapeError, "same number of coordinates"),
        (lambda: ops.inv(ROWS), ShapeError, "ops.inv: expected square matrices"),
        (lambda: ops.svd(ROWS[0]), ShapeError, "expected matrices"),
        (lambda: ops.categorical_crossentropy([1, 2], ROWS), ShapeError, "sparse_categorical_crossentropy"),
        (lambda: ops.sparse_categorical_crossentropy(ROWS, ROWS), ShapeError, "One-hot targets"),
        (lambda: ops.dot_product_attention(ROWS, ROWS, ROWS), ShapeError, "heads"),
        (lambda: ops.conv(ROWS[None], np.ones((2, 3, 5))), ShapeError, "multiple of the kernel's 3, got 4"),
        (lambda: ops.fft((ROWS, ROWS[0])), ShapeError, "of one shape"),
        (lambda: ops.stft(ROWS, 4, 2, 2), ShapeError, "fft_length of at least"),
        (lambda: ops.stft(ROWS, 4, 2, 4, window=[1.0]), ShapeError, "a window of 4 numbers"),
        (lambda: ops.rearrange(ROWS, "a b -> a"), ShapeError, "names each of the 2 axes once"),
        (lambda: ops.rearrange(ROWS, "a (b c) -> a b c"), ShapeError, "lengths for all but one"),
        (lambda: ops.rearrange(ROWS, "a (b c) -> a b c", b=3), ShapeError, "whose product is 4"),
        (lambda: ops.fold(np.ones((1, 4, 4)), 4, 2), ShapeError, "ops.unfold"),
    ],
    "a value": [
        (lambda: ops.ldexp(ROWS, 0.5), DataError, "whole numbers as x2"),
        (lambda: ops.pad(ROWS, 1, "edge", 3), DataError, "mode='constant'"),
        (lambda: ops.cholesky(-np.eye(2)), DataError, "positive definite"),
        (lambda: ops.fft(ROWS), DataError, "a pair"),
        (lambda: jax.jit(ops.segment_sum)(ROWS, np.zeros(3, int)), DataError, "num_segments="),
    ],
    "a wish": [
        (lambda: ops.one_hot([1], 2, sparse=True), NotSupportedError, "sparse"),
        (lambda: ops.multi_hot([1], 2, sparse=True), NotSupportedError, "sparse"),
        (lambda: ops.bincount([1], sparse=True), NotSupportedError, "sparse"),
        (lambda: ops.convert_to_tensor(ROWS, sparse=True), NotSupportedError, "dense"),
        (lambda: ops.convert_to_tensor(ROWS, ragged=True), NotSupportedError, "pad_sequences"),
        (lambda: ops.moments(ROWS, 0, synchronized=True), NotSupportedError, "synchronized"),
        (lambda: ops.dot_product_attention(1, 1, 1, flash_attention=True), NotSupportedError, "flash"),
    ],
}


@pytest.mark.parametrize(("call", "error", "message"), [each for listed in BAD.values() for each in listed])
def test_bad_input_is_named_with_its_cure(call, error, message):
    assert issubclass(error, DoltapError)
    with pytest.raises(error, match=message):
        call()


def test_groups_are_counted_where_their_numbers_can_be_seen():
    assert ops.segment_sum([1, 2, 3], [0, 2, 0]).tolist() == [4, 0, 2]
    assert ops.segment_max([1, 2, 3], [0, 1, 0]).tolist() == [3, 2]
    assert ops.bincount([[0, 1, 1], [2, 2, 2]]).tolist() == [[1, 2, 0], [0, 0, 3]]
    assert ops.bincount([[0, 1]], weights=[[0.5, 2.0]]).tolist() == [[0.5, 2.0]]


def test_the_old_option_of_layer_normalization_only_divides():
    rows = ops.layer_normalization(ROWS, ROWS[1], rms_scaling=True)
    deviation = np.std(ROWS, axis=-1, keepdims=True)
    np.testing.assert_allclose(rows, ROWS / deviation * ROWS[1], rtol=1e-5)
