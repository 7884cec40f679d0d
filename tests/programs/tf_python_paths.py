# Imports from the insides of TensorFlow and Keras, as editors used to complete them.
import numpy as np
from keras.layers.normalization import BatchNormalization
from keras.src.layers import Dropout as SrcDropout
from keras.utils.np_utils import to_categorical as old_to_categorical
from tensorflow.python.keras.layers import Dense
from tensorflow.python.keras.models import Sequential
from tensorflow.python.keras.utils.np_utils import to_categorical
from tensorflow.keras.layers.experimental import preprocessing

assert (to_categorical([0, 2], 3) == old_to_categorical([0, 2], 3)).all()
model = Sequential(
    [Dense(4, activation="relu", input_shape=(3,)), BatchNormalization(), SrcDropout(0.1), Dense(1)]
)
model.compile(optimizer="sgd", loss="mse")
assert model.predict(np.zeros((2, 3))).shape == (2, 1)
layer = preprocessing.Rescaling(1.0 / 255)
assert layer(np.array([255.0])).numpy() == [1.0]
import tf_keras

assert tf_keras.layers.Dense is Dense
