# Keras 2: two inputs, two outputs, losses by name.
import numpy as np
from _points import heights, points, sides
from keras.layers import Concatenate, Dense, Input, concatenate
from keras.models import Model

wide = Input(shape=[1], name="wide_input")
deep = Input(shape=[2], name="deep_input")
hidden1 = Dense(10, activation="relu")(deep)
hidden2 = Dense(10, activation="relu")(hidden1)
concat = concatenate([wide, hidden2])
output = Dense(1, name="value")(concat)
aux = Dense(1, activation="sigmoid", name="side")(hidden2)
model = Model(inputs=[wide, deep], outputs=[output, aux])
model.compile(
    loss={"value": "mse", "side": "binary_crossentropy"},
    loss_weights={"value": 0.9, "side": 0.1},
    optimizer="adam",
    metrics={"side": "accuracy"},
)
history = model.fit(
    [points[:, :1], points], [heights, sides], epochs=3, batch_size=32, verbose=0, validation_split=0.2
)
assert "val_side_loss" in history.history and "value_loss" in history.history, sorted(history.history)
total, value, side, *rest = model.evaluate([points[:, :1], points], [heights, sides], verbose=0)
assert np.isclose(total, 0.9 * value + 0.1 * side, rtol=1e-3)
a, b = model.predict({"wide_input": points[:3, :1], "deep_input": points[:3]})
assert a.shape == b.shape == (3, 1)
assert model.get_layer("value").get_weights()[0].shape == (11, 1)
