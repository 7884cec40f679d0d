# TensorFlow 2, the regression tutorial: a table of pandas, a Normalization layer that adapts.
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

print(tf.__version__)
rng = np.random.default_rng(1)
raw = pd.DataFrame({"Horsepower": rng.uniform(50, 200, 120), "Weight": rng.uniform(1500, 4500, 120)})
raw["Origin"] = rng.integers(1, 4, 120)
raw["MPG"] = 50 - raw["Horsepower"] / 10 - raw["Weight"] / 300
raw["Origin"] = raw["Origin"].map({1: "USA", 2: "Europe", 3: "Japan"})
dataset = pd.get_dummies(raw, columns=["Origin"], prefix="", prefix_sep="")
train = dataset.sample(frac=0.8, random_state=0)
test = dataset.drop(train.index)
train_features, test_features = train.copy(), test.copy()
train_labels, test_labels = train_features.pop("MPG"), test_features.pop("MPG")

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(np.array(train_features).astype("float32"))
assert np.array(normalizer.mean).shape == (1, 5)
model = keras.Sequential([normalizer, layers.Dense(16, activation="relu"), layers.Dense(1)])
model.compile(loss="mean_absolute_error", optimizer=tf.keras.optimizers.Adam(0.05))
history = model.fit(
    np.asarray(train_features).astype("float32"), train_labels, validation_split=0.2, verbose=0, epochs=40
)
hist = pd.DataFrame(history.history)
hist["epoch"] = history.epoch
assert hist["loss"].iloc[-1] < hist["loss"].iloc[0]
predictions = model.predict(np.asarray(test_features).astype("float32")).flatten()
assert np.mean(np.abs(predictions - test_labels)) < 15

horsepower = np.array(train_features["Horsepower"])
one = layers.Normalization(input_shape=[1], axis=None)
one.adapt(horsepower)
linear = tf.keras.Sequential([one, layers.Dense(units=1)])
linear.summary()
assert linear.predict(horsepower[:10]).shape == (10, 1)
