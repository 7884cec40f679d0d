# TensorFlow 2: linear regression with variables and nothing else.
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
x = rng.normal(size=100).astype("float32")
y = 3.0 * x + 2.0 + 0.01 * rng.normal(size=100).astype("float32")


class LinearModel(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(5.0)
        self.b = tf.Variable(0.0)

    def __call__(self, x):
        return self.w * x + self.b


def loss(target, predicted):
    return tf.reduce_mean(tf.square(target - predicted))


model = LinearModel()
for epoch in range(60):
    with tf.GradientTape() as tape:
        current = loss(y, model(x))
    dw, db = tape.gradient(current, [model.w, model.b])
    model.w.assign_sub(0.1 * dw)
    model.b.assign_sub(0.1 * db)
assert abs(model.w.numpy() - 3) < 0.05 and abs(model.b.numpy() - 2) < 0.05
assert len(model.trainable_variables) == 2
matrix = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
matrix[0, 1].assign(9.0)
assert matrix.numpy().tolist() == [[1.0, 9.0], [3.0, 4.0]]
assert tf.reduce_sum(matrix, axis=0).numpy().tolist() == [4.0, 13.0]
t = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
assert t.shape == (2, 3) and t[:, 1:].shape.as_list() == [2, 2]
assert tf.transpose(t).shape == (3, 2) and (t @ tf.transpose(t)).numpy()[0, 0] == 14
assert (np.square(t) == tf.square(t).numpy()).all()
