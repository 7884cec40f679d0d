# Keras 2: Sequence, and generators counted in steps.
import math

import numpy as np
from _points import points, sides
from keras.layers import Dense
from keras.models import Sequential
from keras.utils import Sequence


class Pieces(Sequence):
    def __init__(self, size):
        self.size = size
        self.epochs = 0

    def __len__(self):
        return math.ceil(len(points) / self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return points[rows], sides[rows]

    def on_epoch_end(self):
        self.epochs += 1


pieces = Pieces(30)
model = Sequential()
model.add(Dense(8, activation="relu", input_dim=2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["acc"])
history = model.fit_generator(pieces, epochs=4, verbose=0, validation_data=pieces, workers=1)
assert sorted(history.history) == ["acc", "loss", "val_acc", "val_loss"]
assert pieces.epochs >= 4
loss, acc = model.evaluate_generator(pieces, steps=len(pieces))
assert model.predict_generator(pieces, steps=len(pieces)).shape == (200, 1)
assert np.isclose(loss, model.evaluate(points, sides, verbose=0)[0], rtol=1e-4)
