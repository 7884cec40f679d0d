"""Gradient tapes: what they hear, what they refuse, and that they compile once."""

import numpy as np
import pytest

from doltap.compat.tensorflow import tape as tapes
from doltap.errors import DataError


def test_a_tape_is_asked_once_unless_it_is_persistent(tf):
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)


def test_sources_keep_their_structure(tf):
    a, b = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = a * b
    found = tape.gradient(y, {"first": a, "rest": [b, (a,)]})
    assert found["first"].numpy() == 3.0
    assert found["rest"][0].numpy() == 2.0
    assert found["rest"][1][0].numpy() == 3.0


def test_what_is_not_watched_has_no_gradient(tf):
    constant, frozen = tf.constant(2.0), tf.Variable(2.0, trainable=False)
    with tf.GradientTape() as tape:
        y = constant * frozen
    assert tape.gradient(y, [constant, frozen]) == [None, None]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        v = tf.Variable(2.0)
        w = tf.Variable(3.0)
        tape.watch(v)
        y = v * w
    assert tape.gradient(y, [v, w])[0].numpy() == 3.0
    assert [one.name for one in tape.watched_variables()] == ["Variable:0"]


def test_what_left_for_numpy_is_lost_as_in_tensorflow(tf):
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(np.mean(v * v))
    assert tape.gradient(y, v) is None


def test_pythons_conditions_and_loops_decide_what_is_differentiated(tf):
    v = tf.Variable(2.0)
    for bound, expected in ((10.0, 12.0), (0.0, 1.0)):
        with tf.GradientTape() as tape:
            y = v
            while y < bound:
                y = y * v
        # 2 ** 4 is the first power above 10, and its derivative 4 * 2 ** 3.
        assert tape.gradient(y, v).numpy() == (32.0 if bound else 1.0), expected


def test_higher_derivatives_come_from_tapes_inside_tapes(tf):
    v = tf.Variable(2.0)
    with tf.GradientTape() as third:
        with tf.GradientTape() as second:
            with tf.GradientTape() as first:
                y = v**4
            dy = first.gradient(y, v)
        ddy = second.gradient(dy, v)
    assert [dy.numpy(), ddy.numpy(), third.gradient(ddy, v).numpy()] == [32.0, 48.0, 48.0]


def test_a_tape_that_is_still_open_may_be_asked(tf):
    v = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
        slope = tape.gradient(y, v)
    assert tape.gradient(slope, v).numpy() == 2.0


def test_a_tape_forgets_when_it_is_reset(tf):
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
        tape.reset()
        z = 2.0 * v
    assert tape.gradient(z, v).numpy() == 2.0
    with tf.GradientTape() as tape:
        pass
    assert tape.gradient(y, v) is None


def test_a_variable_may_be_the_target(tf):
    v, w = tf.Variable(3.0), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = v
    found = tape.gradient(y, [v, w])
    assert found[0].numpy() == 1.0
    assert found[1] is None


def test_gradients_of_64_bits_have_64_bits(tf):
    x = tf.constant(np.array([1 / 3, 2 / 3]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x**3)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 3 * np.array([1 / 3, 2 / 3]) ** 2, 1e-15)


def test_a_loop_compiles_its_gradient_once(tf):
    before = tapes._compiled.cache_info().misses
    v = tf.Variable(1.0)
    for step in range(4):
        with tf.GradientTape() as tape:
            y = tf.square(v - float(step)) * tf.constant(0.5 + step)
        v.assign_sub(0.1 * tape.gradient(y, v))
    assert tapes._compiled.cache_info().misses - before == 1


@pytest.mark.parametrize(
    "mistake",
    [
        lambda tf, tape: tape.watch(np.ones(2)),
        lambda tf, tape: tape.watch(3.0),
        lambda tf, tape: tape.gradient(tf.constant(1.0), 3.0),
        lambda tf, tape: tape.gradient(tf.constant(1.0), [np.ones(2)]),
    ],
)
def test_what_is_no_tensor_is_refused(mistake, tf):
    with tf.GradientTape(persistent=True) as tape, pytest.raises(DataError, match=r"tf\.constant"):
        mistake(tf, tape)


def test_a_gradient_goes_through_conversions_and_pieces(tf):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as tape:
        y = tf.cast(v[0], tf.float64)[1] * 3 + tf.constant([v[1, 0], v[1, 1] * 2])[1]
    assert tape.gradient(y, v).numpy().tolist() == [[0.0, 3.0], [0.0, 2.0]]


def test_loops_of_tensorflow_are_heard_too(tf):
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * v), (0, tf.constant(1.0)))
        z = tf.cond(y > 1, lambda: y * 2, lambda: y)
    assert tape.gradient(z, v).numpy() == 24.0


def test_a_program_with_another_structure_at_every_step_is_not_compiled_for_ever(tf, monkeypatch):
    monkeypatch.setattr(tapes, "_KEPT", 3)
    tapes._compiled.cache_clear()
    v = tf.Variable(1.5)
    for power in range(1, 9):
        with tf.GradientTape() as tape:
            y = v
            for _ in range(power):
                y = y * v
        np.testing.assert_allclose(tape.gradient(y, v).numpy(), (power + 1) * 1.5**power, 1e-5)
    assert tapes._compiled.cache_info().misses == 4
