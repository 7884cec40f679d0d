# Keras 1: fit_generator counts samples.
import numpy as np
from _points import points, sides
from keras.layers import Dense
from keras.models import Sequential


def batches():
    while True:
        for start in range(0, 200, 20):
            yield points[start : start + 20], sides[start : start + 20]


model = Sequential([Dense(8, input_shape=(2,), activation="relu"), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit_generator(batches(), samples_per_epoch=200, nb_epoch=3, verbose=0)
assert len(history.history["loss"]) == 3
loss, accuracy = model.evaluate_generator(batches(), val_samples=200)
assert 0 <= accuracy <= 1
assert model.predict_generator(batches(), val_samples=200).shape == (200, 1)
