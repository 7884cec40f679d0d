# The first network of many a blog, in Korean: XOR with two layers.
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Activation, Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import SGD

tf.random.set_seed(777)
입력 = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
정답 = np.array([[0], [1], [1], [0]])
model = Sequential()
model.add(Dense(16, input_dim=2))
model.add(Activation("tanh"))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=SGD(lr=0.2), metrics=["acc"])
model.fit(입력, 정답, batch_size=1, epochs=1000, verbose=0)
print("예측:", model.predict(입력).round().ravel())
assert (model.predict(입력).round() == 정답).all()
