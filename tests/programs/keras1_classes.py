# Keras 1: output_dim and init, nb_epoch, predict_classes, np_utils, a learning rate called lr.
import numpy as np
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import np_utils
from sklearn.datasets import load_iris

np.random.seed(1337)
iris = load_iris()
X = (iris.data - iris.data.mean(axis=0)) / iris.data.std(axis=0)
Y = np_utils.to_categorical(iris.target, 3)

model = Sequential()
model.add(Dense(output_dim=16, input_dim=4, init="glorot_uniform"))
model.add(Activation("relu"))
model.add(Dropout(p=0.1))
model.add(Dense(output_dim=3, init="uniform"))
model.add(Activation("softmax"))
sgd = SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
history = model.fit(X, Y, nb_epoch=30, batch_size=16, verbose=0, validation_split=0.1)
assert len(history.history["acc"]) == len(history.history["val_acc"]) == 30
classes = model.predict_classes(X, verbose=0)
probabilities = model.predict_proba(X, verbose=0)
assert classes.shape == (150,) and probabilities.shape == (150, 3)
assert np.mean(classes == iris.target) > 0.9
score = model.evaluate(X, Y, verbose=0)
print("Test accuracy:", score[1])
