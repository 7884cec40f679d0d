"""Tensors and variables: what they are to Python, to NumPy and to those who print them."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap.errors import DoltapError, MissingAttributeError, UnknownNameError


def test_a_tensor_shows_itself_as_tensorflows_do(tf):
    assert repr(tf.constant([1.0, 2.0])) == (
        "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>"
    )
    assert repr(tf.constant("hi")) == "<tf.Tensor: shape=(), dtype=string, numpy=b'hi'>"
    assert str(tf.constant([1, 2])) == "tf.Tensor([1 2], shape=(2,), dtype=int32)"
    assert f"{tf.constant(3.14159):.2f}" == "3.14"
    assert repr(tf.constant([[1]]).shape) == "TensorShape([1, 1])"


def test_values_keep_numpys_types_and_give_pythons_tensorflows(tf):
    assert tf.constant(np.zeros(2)).dtype == tf.float64
    assert tf.constant(np.arange(2)).dtype == "int64"
    assert tf.constant([1, 2.5]).dtype == np.float32
    assert tf.constant(2**40).dtype is tf.int64
    assert (tf.constant(np.zeros(2)) + 1).numpy().dtype == np.float64
    assert np.zeros(3, dtype=tf.float32.as_numpy_dtype).dtype == np.float32


def test_types_that_tensorflow_refuses_to_mix_meet_in_the_wider_one(tf):
    assert (tf.constant(1.0) + tf.constant(1)).dtype == tf.float32
    assert (tf.constant(1.0) + tf.constant(1.0, tf.float64)).dtype == tf.float64
    assert (tf.constant([1]) + 2.5).numpy().tolist() == [3.5]


def test_python_and_numpy_take_a_tensor_as_a_number_or_an_array(tf):
    single, row = tf.constant(3), tf.constant([1.0, 2.0])
    assert [float(single), int(single), bool(single), [10, 20, 30, 40][single]] == [3.0, 3, True, 40]
    assert [each.numpy() for each in row] == [1.0, 2.0]
    assert len(row) == 2
    assert np.square(row).tolist() == [1.0, 4.0]
    assert (np.array([1.0, 1.0]) + row).numpy().tolist() == [2.0, 3.0]
    assert jnp.sum(jnp.asarray(row)).item() == 3.0
    assert sum([row, row]).numpy().tolist() == [2.0, 4.0]


def test_what_numpy_gives_may_be_written_to(tf):
    x = tf.constant([1.0, 2.0])
    x.numpy()[0] = 9.0
    np.asarray(x)[0] = 9.0
    assert x.numpy().tolist() == [1.0, 2.0]


def test_an_array_changed_later_changes_no_tensor(tf):
    array = np.ones(3, np.float32)
    x, turned = tf.constant(array), tf.reshape(array, [3, 1])
    array[:] = 7.0
    assert x.numpy().tolist() == [1.0, 1.0, 1.0]
    assert turned.numpy().tolist() == [[1.0], [1.0], [1.0]]


def test_a_tensor_is_no_key_but_its_reference_is(tf):
    x = tf.constant(1.0)
    with pytest.raises(TypeError, match="ref"):
        hash(x)
    assert {x.ref(): "found"}[x.ref()] == "found"
    assert x.ref().deref() is x


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_tensors_and_variables_are_copied(again, tf):
    assert again(tf.constant([1.0, 2.0])).numpy().tolist() == [1.0, 2.0]
    assert again(tf.float32) == tf.float32


def test_a_name_of_numpys_is_told_the_function(tf):
    with pytest.raises(MissingAttributeError, match=r"tf\.reshape"):
        tf.constant([1.0]).reshape(1, 1)
    with pytest.raises(AttributeError, match="Did you mean 'numpy'"):
        _ = tf.constant([1.0]).nunpy
    assert not hasattr(tf.constant(1.0), "to_numpy")


@pytest.mark.parametrize(
    "mistake",
    [
        lambda tf: tf.reshape(tf.range(6), [4, 2]),
        lambda tf: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3])),
        lambda tf: tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0]),
        lambda tf: tf.constant([1, 2, 3])[5],
        lambda tf: tf.linalg.inv(tf.zeros([2, 3])),
        lambda tf: tf.nn.gelu(tf.constant([[1.0]]), approximate=True) @ tf.ones([3]),
    ],
)
def test_shapes_that_do_not_fit_are_tensorflows_error_with_both_shapes(mistake, tf):
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected tensors that it can compute with"):
        mistake(tf)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda tf: tf.constant([[1.0, 2.0], [3.0]]), "rows of different lengths"),
        (lambda tf: tf.constant(None), "None"),
        (lambda tf: tf.Variable(), "an initial value"),
        (lambda tf: tf.Variable([1.0, 2.0]).assign([1.0]), "a value of shape"),
        (lambda tf: tf.reduce_sum([1.0], axes=0), "axis="),
        (lambda tf: tf.reduce_sum(), "input_tensor="),
        (lambda tf: tf.cast(1.0, "float23"), "float32"),
        (lambda tf: tf.constant(1.0).assign(2.0), "tf.Variable"),
        (lambda tf: tf.ones([2]).set_shape([3]), "(3)"),
        (lambda tf: tf.random.uniform([2], dtype=tf.int32), "maxval="),
        (lambda tf: tf.nn.dropout([1.0], rate=1.5), "0 to below 1"),
        (lambda tf: tf.TensorShape(None), "None"),
    ],
)
def test_a_mistake_is_told_in_the_programs_words(mistake, words, tf):
    with pytest.raises(DoltapError) as told:
        mistake(tf)
    assert words.strip("()") in str(told.value)


def test_a_tensor_of_several_is_neither_true_nor_false(tf):
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tf.constant([1, 2]))
    with pytest.raises(TypeError, match=r"no `len"):
        len(tf.constant(1))
    with pytest.raises(TypeError, match=r"Cannot convert 5\.5"):
        tf.constant(5.5, dtype=tf.int32)


def test_overflow_is_silent_as_in_tensorflow(tf):
    assert tf.exp(1000.0).numpy() == np.inf
    assert np.isnan(tf.math.log(-1.0).numpy())
    assert tf.divide(1.0, 0.0).numpy() == np.inf


# Variables.


def test_a_variable_is_assigned_whole_and_in_pieces(tf):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
    v.assign(2 * v)
    v[0, 1].assign(42.0)
    v[:, 0].assign_add([1.0, 1.0])
    v.assign_sub(tf.ones([2, 2]))
    v.scatter_nd_update([[1, 1]], [0.0])
    assert v.numpy().tolist() == [[2.0, 41.0], [6.0, 0.0]]
    assert v.name == "w:0"
    assert v.value().numpy().tolist() == v.value.numpy().tolist() == v.numpy().tolist()


def test_a_loop_written_in_jax_gets_the_arrays_of_variables(tf, monkeypatch):
    v = doltap.Variable([1.0, 2.0])
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert jax.grad(lambda values: (values[0] ** 2).sum())([v.value])[0].tolist() == [2.0, 4.0]


def test_types_are_known_by_the_numbers_that_tensorflow_gives_them(tf):
    assert tf.zeros(2, 1).dtype == tf.float32
    assert [tf.as_dtype(number) for number in (3, 9, 10, 14, 19)] == [
        tf.int32,
        tf.int64,
        tf.bool,
        tf.bfloat16,
        tf.float16,
    ]
    with pytest.raises(UnknownNameError):
        tf.as_dtype(99)


def test_a_variable_keeps_64_bits(tf):
    v, count = tf.Variable(np.full(2, 1 / 3)), tf.Variable(2**40, dtype=tf.int64)
    v.assign_add(np.full(2, 1e-12))
    count.assign_add(1)
    assert v.numpy().dtype == np.float64
    assert v.numpy()[0] == 1 / 3 + 1e-12
    assert count.numpy() == 2**40 + 1


def test_what_was_read_from_a_variable_stays_when_it_changes(tf):
    v = tf.Variable([1.0, 2.0])
    before, row = v.read_value(), tf.reshape(v, [2, 1])
    v.assign([5.0, 6.0])
    assert before.numpy().tolist() == [1.0, 2.0]
    assert row.numpy().tolist() == [[1.0], [2.0]]


def test_a_layers_own_weights_are_tensors_to_a_program(tf):
    from doltap.layers import Dense

    layer = Dense(2)
    layer.build((None, 3))
    for found in (
        layer.kernel * 2,
        layer.kernel[0],
        -layer.bias,
        layer.kernel.value,
        tf.ones([1, 3]) @ layer.kernel,
    ):
        assert isinstance(found, tf.Tensor)
    layer.bias[1].assign(5.0)
    assert layer.bias.numpy().tolist() == [0.0, 5.0]


def test_a_variables_truth_is_that_of_its_value(tf):
    assert tf.Variable(3.0)
    assert tf.Variable(2.0) < 3
    assert (tf.Variable([1.0]) == tf.Variable([1.0])).numpy().all()
    assert [x.numpy() for x in tf.Variable([1, 2])] == [1, 2]


def test_a_row_of_one_number_is_taken_for_the_number(tf):
    assert (float(tf.constant([0.5])), int(tf.constant([[3]]))) == (0.5, 3)
    assert "%.1f percent" % (100 * tf.constant([0.25])) == "25.0 percent"
    with pytest.raises(TypeError):
        float(tf.constant([1.0, 2.0]))
    with pytest.raises(TypeError):
        range(tf.constant([3]))
