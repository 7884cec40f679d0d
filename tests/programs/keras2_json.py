# Keras 2: the architecture as JSON, the weights in a file beside it.
import os
import tempfile

import numpy as np
from _points import points, sides
from keras.layers import Dense, Dropout
from keras.models import Sequential, model_from_json

os.chdir(tempfile.mkdtemp())
model = Sequential()
model.add(Dense(12, input_dim=2, kernel_initializer="uniform", activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(1, kernel_initializer="normal", activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(points, sides, epochs=2, batch_size=10, verbose=0)
with open("model.json", "w") as json_file:
    json_file.write(model.to_json())
model.save_weights("model.h5")
with open("model.json", "r") as json_file:
    loaded_model = model_from_json(json_file.read())
loaded_model.load_weights("model.h5")
loaded_model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
score = loaded_model.evaluate(points, sides, verbose=0)
print("%s: %.2f%%" % (loaded_model.metrics_names[1], score[1] * 100))
np.testing.assert_allclose(loaded_model.predict(points), model.predict(points), rtol=1e-5)
config = model.get_config()
assert Sequential.from_config(config).count_params() == model.count_params() == 49
