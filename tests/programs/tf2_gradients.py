# TensorFlow 2: automatic differentiation, as its guide shows it.
import numpy as np
import tensorflow as tf

x = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = x**2
assert tape.gradient(y, x).numpy() == 6.0

w = tf.Variable(tf.random.normal((3, 2)), name="w")
b = tf.Variable(tf.zeros(2, dtype=tf.float32), name="b")
rows = [[1.0, 2.0, 3.0]]
with tf.GradientTape(persistent=True) as tape:
    y = rows @ w + b
    loss = tf.reduce_mean(y**2)
dl_dw, dl_db = tape.gradient(loss, [w, b])
assert dl_dw.shape == w.shape
named = tape.gradient(loss, {"w": w, "b": b})
np.testing.assert_allclose(named["b"], dl_db)
del tape

constant = tf.constant(2.0)
with tf.GradientTape() as tape:
    tape.watch(constant)
    z = tf.math.log(constant) * 3
assert np.isclose(tape.gradient(z, constant), 1.5)

with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        y = x * x * x
    first = inner.gradient(y, x)
second = outer.gradient(first, x)
assert (first.numpy(), second.numpy()) == (27.0, 18.0)

other = tf.Variable(1.0)
with tf.GradientTape() as tape:
    y = x * 2
assert tape.gradient(y, other) is None

points = tf.linspace(-1.0, 1.0, 5)
with tf.GradientTape() as tape:
    tape.watch(points)
    y = tf.nn.sigmoid(points)
slopes = tape.gradient(y, points)
np.testing.assert_allclose(slopes, y * (1 - y), rtol=1e-5)
