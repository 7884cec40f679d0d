# TensorFlow 1: tf.keras with functions of tf.nn as activations, and the seeds of those days.
import tensorflow as tf
from sklearn.datasets import load_digits

tf.set_random_seed(777)
digits = load_digits()
x_train, y_train = digits.images / 16.0, digits.target
model = tf.keras.models.Sequential()
model.add(tf.keras.layers.Flatten(input_shape=(8, 8)))
model.add(tf.keras.layers.Dense(32, activation=tf.nn.relu))
model.add(tf.keras.layers.Dense(10, activation=tf.nn.softmax))
model.compile(
    optimizer=tf.keras.optimizers.SGD(lr=0.5), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(x_train, y_train, epochs=5, verbose=0)
val_loss, val_acc = model.evaluate(x_train, y_train, verbose=0)
assert val_acc > 0.8, val_acc
predictions = model.predict([x_train])
assert predictions.shape == (1797, 10)
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
