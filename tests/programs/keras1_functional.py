# Keras 1: Model(input=, output=), merge with a mode, W_regularizer and its kin.
import numpy as np
from _points import heights, points
from keras.constraints import maxnorm
from keras.layers import Dense, Input, merge
from keras.models import Model
from keras.regularizers import l2

left, right = Input(shape=(1,), name="left"), Input(shape=(1,), name="right")
both = merge([left, right], mode="concat")
hidden = Dense(
    16, activation="tanh", W_regularizer=l2(0.0001), W_constraint=maxnorm(3), b_regularizer=l2(0.0)
)(both)
value = Dense(1, bias=True)(hidden)
model = Model(input=[left, right], output=value)
model.compile(optimizer="adam", loss="mse")
before = model.evaluate([points[:, :1], points[:, 1:]], heights, verbose=0)
model.fit([points[:, :1], points[:, 1:]], heights, nb_epoch=60, batch_size=32, verbose=0)
after = model.evaluate([points[:, :1], points[:, 1:]], heights, verbose=0)
assert after < 0.3 * before, (before, after)
assert model.predict([points[:3, :1], points[:3, 1:]]).shape == (3, 1)
assert [layer.name for layer in model.layers][:2] == ["left", "right"]
