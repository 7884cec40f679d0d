"""Functions of TensorFlow in the networks of Keras 2 are operations here, and these are written as such."""

import numpy as np
import pytest
from exchange import assert_same_predictions, forget_names, loaded, saved

import doltap
from doltap.errors import NotSupportedError

X = [np.random.default_rng(0).random((3, 4)).astype("float32") + 0.1 for _ in range(2)]

# What is computed in Keras 2 of two inputs of four columns.
THERE = {
    "operators": lambda tf, a, b: (a + b) * 2.0 - b / (1.0 + a) + (-a) ** 2 + 3.0 - a,
    "more operators": lambda tf, a, b: abs(a - b) + 2.0**a + a // 0.3 + b % 0.4 + 1.0 / a,
    "lists": lambda tf, a, b: a + np.arange(4, dtype="float32"),
    "comparisons": lambda tf, a, b: tf.cast(a < b, "float32") + tf.cast(a >= 0.5, "float32"),
    "logic": lambda tf, a, b: tf.cast(tf.logical_and(a > 0.2, tf.logical_not(b > 0.5)), tf.float32),
    "matmul": lambda tf, a, b: a @ tf.ones((4, 2)) + tf.linalg.matmul(b, tf.ones((4, 2))),
    "slices": lambda tf, a, b: a[:, 1:3] + b[:, ::2],
    "new axes": lambda tf, a, b: a[:, None, :] + b[:, :, tf.newaxis],
    "one column": lambda tf, a, b: a[:, 0] * b[:, -1],
    "activations": lambda tf, a, b: tf.nn.relu(a - 0.5) + tf.nn.softmax(b) + tf.sigmoid(a) + tf.tanh(b),
    "more activations": lambda tf, a, b: (
        tf.nn.gelu(a) + tf.nn.leaky_relu(-b, 0.3) + tf.nn.elu(-a) + tf.nn.silu(b)
    ),
    "yet more": lambda tf, a, b: (
        tf.nn.selu(a) + tf.nn.relu6(a * 9) + tf.nn.softplus(b) + tf.nn.log_softmax(b)
    ),
    "reductions": lambda tf, a, b: (
        tf.reduce_mean(a, axis=-1, keepdims=True) + tf.reduce_sum(b, 1, keepdims=True)
    ),
    "more reductions": lambda tf, a, b: tf.reduce_max(a, 1) + tf.reduce_min(b, 1) * tf.reduce_prod(a, axis=1),
    "spread": lambda tf, a, b: tf.math.reduce_std(a, 1) + tf.math.reduce_variance(b, 1),
    "places": lambda tf, a, b: tf.argmax(a, axis=-1),
    "joined": lambda tf, a, b: tf.concat([a, b, a], axis=1),
    "stacked": lambda tf, a, b: tf.stack([a, b], axis=1),
    "shapes": lambda tf, a, b: tf.transpose(tf.reshape(a, (-1, 2, 2)), [0, 2, 1]),
    "axes": lambda tf, a, b: tf.squeeze(tf.expand_dims(a, 1), axis=1) + tf.tile(b, [1, 1]),
    "numbers": lambda tf, a, b: tf.exp(-a) + tf.math.log(b) + tf.sqrt(a) + tf.square(b) + tf.math.rsqrt(a),
    "waves": lambda tf, a, b: tf.sin(a) * tf.cos(b) + tf.sign(a - b) + tf.round(a * 9) + tf.floor(b * 9),
    "limits": lambda tf, a, b: tf.clip_by_value(a, 0.2, 0.7) + tf.maximum(a, b) - tf.minimum(b, 0.5),
    "where": lambda tf, a, b: tf.where(a > b, a, b * 2.0),
    "one hot": lambda tf, a, b: tf.one_hot(tf.cast(a * 3, tf.int32), 4),
    "gather": lambda tf, a, b: tf.gather(a, [2, 0], axis=1),
    "sums": lambda tf, a, b: tf.cumsum(a, axis=1),
    "nothing": lambda tf, a, b: tf.stop_gradient(tf.identity(a)) + tf.zeros_like(b) + tf.ones_like(b),
    "divided": lambda tf, a, b: tf.math.divide_no_nan(a, b) + tf.divide(a, b),
}


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("case", THERE)
def test_functions_of_tensorflow_are_operations(keras2, tmp_path, case, suffix):
    import tensorflow

    forget_names(keras2, doltap)
    inputs = [keras2.Input((4,), name="a"), keras2.Input((4,), name="b")]
    theirs = keras2.Model(inputs, THERE[case](tensorflow, *inputs))
    ours = loaded(doltap, saved(theirs, tmp_path / f"model.{suffix}"))
    assert_same_predictions(ours, theirs, X)
    again = loaded(keras2, saved(ours, tmp_path / "again.h5"))
    assert_same_predictions(again, theirs, X)


def test_an_ellipsis_is_read(keras2, tmp_path):
    inputs = [keras2.Input((4,), name="a"), keras2.Input((4,), name="b")]
    theirs = keras2.Model(inputs, inputs[0][..., ::2] + inputs[1][..., 1:3])
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_predictions(ours, theirs, X)
    assert_same_predictions(loaded(keras2, saved(ours, tmp_path / "again.h5")), theirs, X)


REFUSED = {
    "einsum": lambda tf, a, b: tf.einsum("ab,cb->ac", a, b),
    "split": lambda tf, a, b: tf.split(a, 2, axis=1)[0],
    "equal": lambda tf, a, b: tf.cast(a == b, "float32"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_counterpart_is_named(keras2, tmp_path, case):
    import tensorflow

    inputs = [keras2.Input((4,), name="a"), keras2.Input((4,), name="b")]
    path = saved(keras2.Model(inputs, REFUSED[case](tensorflow, *inputs)), tmp_path / "model.h5")
    named = "one operand" if case == "equal" else f"got tf.{case}"
    with pytest.raises(NotSupportedError, match=named):
        loaded(doltap, path)


def test_operations_of_keras_3_are_read_from_hdf5(keras3, tmp_path):
    forget_names(keras3, doltap)
    inputs = [keras3.Input((4,), name="a"), keras3.Input((4,), name="b")]
    a, b = inputs
    hidden = keras3.layers.Add()([a, b]) + keras3.ops.concatenate(
        [a[:, :2], keras3.ops.tanh(b)[:, 2:]], axis=1
    )
    theirs = keras3.Model(inputs, keras3.ops.mean(hidden * 2.0, axis=1, keepdims=True))
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_predictions(ours, theirs, X)
