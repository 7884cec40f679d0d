# Keras 2: losses, metrics and layers written with keras.backend.
import keras
import keras.backend as K
import numpy as np
from _points import heights, points
from keras.engine.topology import Layer
from keras.layers import Dense, Lambda
from keras.models import Sequential


def root_mean_squared_error(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true)))


def r_square(y_true, y_pred):
    rest = K.sum(K.square(y_true - y_pred))
    total = K.sum(K.square(y_true - K.mean(y_true)))
    return 1 - rest / (total + K.epsilon())


class MyLayer(Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(MyLayer, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True
        )
        super(MyLayer, self).build(input_shape)

    def call(self, x):
        return K.dot(x, self.kernel)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


model = Sequential()
model.add(MyLayer(8, input_shape=(2,)))
model.add(Lambda(lambda x: K.relu(x)))
model.add(Dense(1))
model.compile(optimizer="adam", loss=root_mean_squared_error, metrics=[r_square, "mae"])
history = model.fit(points, heights, epochs=20, batch_size=20, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert {"r_square", "mae"} <= set(history.history) or {"r_square", "mean_absolute_error"} <= set(
    history.history
)
assert K.image_data_format() == "channels_last" and K.floatx() == "float32" and K.epsilon() == 1e-07
values = K.eval(K.concatenate([K.constant([[1.0, 2.0]]), K.ones((1, 2))], axis=0))
np.testing.assert_array_equal(values, [[1, 2], [1, 1]])
assert K.int_shape(K.variable(np.zeros((2, 3)))) == (2, 3)
K.clear_session()
