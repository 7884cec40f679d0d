# A prediction is written as a number, as it was before NumPy 2.4: in shape (1,) or (1, 1).
import math

import numpy as np
from keras.layers import Dense
from keras.models import Sequential

x = np.linspace(0, 1, 40).reshape(-1, 1)
y = 2 * x[:, 0]
model = Sequential()
model.add(Dense(1, input_dim=1, kernel_initializer="ones"))
model.compile(loss="mse", optimizer="adam")
model.fit(x, y, epochs=1, verbose=0)
predictions = model.predict(x)
first = float(predictions[5])
assert abs(first - predictions[5][0]) < 1e-6
assert int(predictions[39] * 10) == math.floor(predictions[39] * 10)
print("%d => %.2f (expected %.2f)" % (predictions[39], predictions[39], y[39]))
print("%.3f" % model.predict(x[:1]))
assert "%.4f" % model.predict_on_batch(x[5:6])[0] == "%.4f" % first
# Otherwise they are arrays like any other.
assert isinstance(predictions, np.ndarray) and repr(predictions[:1]).startswith("array([[")
assert type(predictions.sum()) is np.float32 and type(predictions[0][0]) is np.float32
rounded = [round(value[0]) for value in predictions]
assert len(rounded) == 40
try:
    float(predictions)
except TypeError:
    pass
else:
    raise AssertionError("forty numbers are no number")
