# TensorFlow 2, the quickstart: logits, tensors by calling the model, a model round the model.
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

print("TensorFlow version:", tf.__version__)
assert tf.__version__.split(".")[0] == "2"
digits = load_digits()
x_train, y_train = digits.images[:1500] / 16.0, digits.target[:1500]
x_test, y_test = digits.images[1500:] / 16.0, digits.target[1500:]
model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(8, 8)),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10),
    ]
)
predictions = model(x_train[:1]).numpy()
assert predictions.shape == (1, 10)
probabilities = tf.nn.softmax(predictions).numpy()
assert np.isclose(probabilities.sum(), 1)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
assert 0.5 < loss_fn(y_train[:1], predictions).numpy() < 6
model.compile(optimizer="adam", loss=loss_fn, metrics=["accuracy"])
model.fit(x_train, y_train, epochs=5, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=2)
assert accuracy > 0.7
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
result = probability_model(x_test[:5])
assert result.shape == (5, 10) and isinstance(result, tf.Tensor)
assert np.argmax(result[0]) in range(10)
