"""Metrics and losses that ask `if tensor:` are compiled, and give what they give line by line."""

from __future__ import annotations

import concurrent.futures

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow.branching import each_way
from doltap.errors import NotSupportedError

X = np.random.default_rng(0).random((48, 3), "float32")
Y = (X.sum(1) > 1.5).astype("float32")


class F1(keras.metrics.Metric):
    def __init__(self, name="f1", **keywords):
        super().__init__(name=name, **keywords)
        self.precision, self.recall = keras.metrics.Precision(), keras.metrics.Recall()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.precision.update_state(y_true, y_pred)
        self.recall.update_state(y_true, y_pred)

    def result(self):
        precision, recall = self.precision.result(), self.recall.result()
        if precision + recall == 0:
            return 0.0
        return 2 * precision * recall / (precision + recall)

    def reset_state(self):
        self.precision.reset_state()
        self.recall.reset_state()


class Kinds(keras.metrics.Metric):
    """How many batches were of each of three kinds."""

    def __init__(self, name="kinds", **keywords):
        super().__init__(name=name, **keywords)
        self.sum = self.add_weight(name="sum", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        from doltap.compat import tensorflow as tf

        share = tf.reduce_mean(y_true)
        if share > 0.6:
            self.sum.assign_add(1.0)
        elif share > 0.4:
            self.sum.assign_add(100.0)
        else:
            self.sum.assign_add(10000.0)

    def result(self):
        return self.sum


class Agreed(keras.metrics.Metric):
    """The share of rows on the diagonal of a confusion matrix; 0 before any row."""

    def __init__(self, name="agreed", **keywords):
        super().__init__(name=name, **keywords)
        self.matrix = self.add_weight(name="matrix", shape=(2, 2), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        from doltap.compat import tensorflow as tf

        said = tf.cast(y_pred > 0.5, tf.int32)
        found = tf.math.confusion_matrix(
            tf.squeeze(y_true), tf.squeeze(said), num_classes=2, dtype=tf.float32
        )
        self.matrix.assign_add(found)

    def result(self):
        from doltap.compat import tensorflow as tf

        total = tf.reduce_sum(self.matrix)
        return 0.0 if total == 0 else tf.linalg.trace(self.matrix) / total


def far_or_near(y_true, y_pred):
    from doltap.compat import tensorflow as tf

    error = y_true - y_pred
    if tf.reduce_mean(tf.abs(error)) < 0.45:
        return tf.square(error)
    return tf.abs(error)


def trained(loss, metrics, *, run_eagerly):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.5), loss, metrics=metrics, run_eagerly=run_eagerly)
    history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=(X, Y))
    return history.history | {"evaluated": model.evaluate(X, Y, verbose=0)}


@pytest.mark.parametrize(
    ("loss", "metrics"),
    [
        ("binary_crossentropy", lambda: [F1()]),
        ("binary_crossentropy", lambda: [Kinds(), F1()]),
        ("binary_crossentropy", lambda: [Agreed(), "accuracy"]),
        ("binary_crossentropy", lambda: [far_or_near]),
        (far_or_near, lambda: ["mae"]),
    ],
    ids=["a result", "an update, and a result", "a matrix", "a function", "a loss"],
)
def test_what_asks_python_if_is_compiled_and_gives_what_it_gives_line_by_line(tf, loss, metrics):
    compiled, bare = (trained(loss, metrics(), run_eagerly=eager) for eager in (False, True))
    for name in bare:
        np.testing.assert_allclose(compiled[name], bare[name], rtol=1e-5, err_msg=name)


def test_a_loop_that_waits_for_a_value_is_refused_with_the_cure(tf):
    def counted(y_true, y_pred):
        rest = tf.reduce_sum(y_pred)
        while rest > 0:
            rest = rest - 1.0
        return rest

    with pytest.raises(NotSupportedError, match="run_eagerly=True"):
        trained("mse", [counted], run_eagerly=False)


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.5, 3.0])
def test_each_condition_chooses_for_itself(tf, x):
    def sorted_into(x):
        if x > 0:
            return {"kind": 1.0 if x > 1 else 2.0}
        return {"kind": 3.0 if x > -1 else 4.0}

    found = jax.jit(each_way(sorted_into))(jnp.float32(x))
    assert float(found["kind"]) == sorted_into(x)["kind"]


def test_outside_of_it_a_traced_array_has_no_truth(tf):
    jax.jit(each_way(lambda x: x if x > 0 else -x))(1.0)
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(lambda x: x if x > 0 else -x)(1.0)


def test_threads_that_ask_at_once_get_each_its_own_way(tf):
    def counted_limits(x):
        above = 0
        for limit in range(4):
            if x > limit:
                above += 1
        return jnp.float32(above)

    def compiled(x):
        return float(jax.jit(each_way(counted_limits))(jnp.float32(x)))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compiled, [0.5, 1.5, 2.5, 9.0] * 4)) == [1.0, 2.0, 3.0, 4.0] * 4
