# Keras 2: callbacks, a model kept in .h5, training going on from it.
import os
import tempfile

import keras
import numpy as np
from _points import points, sides
from keras.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from keras.layers import BatchNormalization, Dense, LeakyReLU
from keras.models import Sequential, load_model

folder = tempfile.mkdtemp()
path = os.path.join(folder, "best.h5")


def build():
    model = Sequential()
    model.add(Dense(12, input_shape=(2,)))
    model.add(BatchNormalization())
    model.add(LeakyReLU(alpha=0.2))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(lr=0.01), metrics=["accuracy"])
    return model


seen = []
callbacks = [
    ModelCheckpoint(path, monitor="val_loss", save_best_only=True, verbose=0),
    EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
    LearningRateScheduler(lambda epoch: 0.01 * 0.9**epoch),
    CSVLogger(os.path.join(folder, "log.csv")),
    LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"])),
]
model = build()
history = model.fit(points, sides, epochs=10, validation_split=0.25, callbacks=callbacks, verbose=0)
assert len(seen) == len(history.history["loss"])
assert history.history["accuracy"][-1] > 0.5
again = load_model(path)
assert again.predict(points[:4]).shape == (4, 1)
again.fit(
    points,
    sides,
    epochs=1,
    verbose=0,
    callbacks=[ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, verbose=0)],
)
rate = keras.backend.get_value(again.optimizer.lr)
keras.backend.set_value(again.optimizer.lr, rate / 2)
assert np.isclose(keras.backend.get_value(again.optimizer.lr), rate / 2)


class Losses(keras.callbacks.Callback):
    def on_train_begin(self, logs={}):
        self.losses = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))


losses = Losses()
model.fit(points, sides, epochs=1, batch_size=50, callbacks=[losses], verbose=0)
assert len(losses.losses) == 4
