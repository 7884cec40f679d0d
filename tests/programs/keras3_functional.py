# Keras 3: the functional interface, keras.ops, a .keras file.
import os
import tempfile

import keras
import numpy as np
from _points import heights, points
from keras import layers, ops

keras.utils.set_random_seed(812)
inputs = keras.Input(shape=(2,), name="points")
x = layers.Dense(16, activation="gelu")(inputs)
x = layers.LayerNormalization()(x)
x = layers.Add()([x, layers.Dense(16)(inputs)])
x = ops.tanh(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs, name="plane")
model.summary()
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=0.01),
    loss=keras.losses.MeanSquaredError(),
    metrics=[keras.metrics.R2Score()],
)
history = model.fit(points, heights.reshape(-1, 1), batch_size=32, epochs=10, validation_split=0.2, verbose=0)
assert history.history["r2_score"][-1] > 0.5
path = os.path.join(tempfile.mkdtemp(), "plane.keras")
model.save(path)
again = keras.saving.load_model(path)
np.testing.assert_allclose(again.predict(points, verbose=0), model.predict(points, verbose=0), rtol=1e-5)
