# Curves of what was learned, drawn and shown.
import matplotlib.pyplot as plt
import pandas as pd
import tensorflow as tf
from _points import points, sides

model = tf.keras.models.Sequential([tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dense(1, "sigmoid")])
model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
history = model.fit(points, sides, epochs=3, validation_split=0.2, verbose=0)
pd.DataFrame(history.history).plot(figsize=(4, 3))
plt.grid(True)
plt.gca().set_ylim(0, 1)
plt.show()
acc = history.history["accuracy"]
plt.plot(range(1, 1 + len(acc)), acc, "bo", label="Training acc")
plt.legend()
plt.show()
assert len(acc) == 3
