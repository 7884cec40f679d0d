# SciKeras: parameters of the network by name, in a search and in a pipeline.
import numpy as np
from _points import heights, points
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.model_selection import RandomizedSearchCV
from tensorflow import keras


def build_model(n_hidden=1, n_neurons=10):
    model = keras.models.Sequential()
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(1))
    return model


regressor = KerasRegressor(
    model=build_model,
    loss="mse",
    optimizer="adam",
    optimizer__learning_rate=0.01,
    epochs=5,
    verbose=0,
    n_hidden=1,
    n_neurons=10,
)
regressor.fit(points, heights)
assert regressor.score(points, heights) < 1 and regressor.predict(points[:3]).shape == (3,)
search = RandomizedSearchCV(regressor, {"n_hidden": [0, 1], "n_neurons": np.arange(4, 12)}, n_iter=2, cv=2)
search.fit(points, heights)
assert set(search.best_params_) == {"n_hidden", "n_neurons"}


def build_classes():
    return keras.models.Sequential(
        [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    )


labels = np.array(["low", "middle", "high"])[np.digitize(heights, [-1, 1])]
classifier = KerasClassifier(
    build_classes, loss="sparse_categorical_crossentropy", epochs=10, verbose=0, random_state=1
)
classifier.fit(points, labels)
assert set(classifier.predict(points)) <= {"low", "middle", "high"}
assert classifier.predict_proba(points[:4]).shape == (4, 3)
