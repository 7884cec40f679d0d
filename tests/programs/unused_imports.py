# Programs import more than they use, and editors write imports of TensorFlow's insides into them.
import keras.applications
import numpy as np
from keras.layers import *
from sklearn.model_selection import train_test_split
from tensorflow.keras.layers import LSTM, Conv2D, Dense, Flatten, MaxPooling2D
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.python.keras.metrics import accuracy
from tensorflow.python.keras.models import Sequential
from tensorflow.python.keras.optimizer_v2 import adam
from tensorflow.python.keras.optimizers import rmsprop
from tensorflow.python.ops.variables import validate_synchronization

x = np.random.rand(60, 4).astype("float32")
y = (x.sum(axis=1) > 2).astype("float32")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2)

model = Sequential()
model.add(Dense(8, input_dim=4, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
for optimizer in (adam.Adam(lr=0.01), rmsprop(lr=0.01)):
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["acc"])
    model.fit(x_train, y_train, epochs=2, verbose=3)
assert not any(isinstance(layer, (Conv2D, LSTM)) for layer in model.layers)
print(model.evaluate(x_test, y_test))

for use in (lambda: Conv2D(32, 3), ImageDataGenerator, lambda: validate_synchronization(1), accuracy):
    try:
        use()
    except NotImplementedError as refusal:
        print(refusal)
    else:
        raise AssertionError("it is not there")
