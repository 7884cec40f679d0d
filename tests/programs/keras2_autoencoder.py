# Keras 2: an autoencoder, whose encoder and decoder are models of their own.
import numpy as np
from keras.layers import Dense, Input
from keras.models import Model
from sklearn.datasets import load_digits

x = load_digits().data.astype("float32") / 16.0
encoding_dim = 12
input_img = Input(shape=(64,))
encoded = Dense(encoding_dim, activation="relu")(input_img)
decoded = Dense(64, activation="sigmoid")(encoded)
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
encoded_input = Input(shape=(encoding_dim,))
decoder = Model(encoded_input, autoencoder.layers[-1](encoded_input))
autoencoder.compile(optimizer="adadelta", loss="binary_crossentropy")
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(x, x, epochs=3, batch_size=64, shuffle=True, validation_data=(x[:100], x[:100]), verbose=0)
codes = encoder.predict(x[:10])
assert codes.shape == (10, 12)
np.testing.assert_allclose(decoder.predict(codes), autoencoder.predict(x[:10]), rtol=1e-4, atol=1e-5)
