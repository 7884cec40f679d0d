"""Which network and which learning rate: candidates drawn at random, each on three folds.

The search of many a course: up to three hidden layers, up to a hundred neurons,
rates over two orders of magnitude, training that stops early. The networks of
one shape are trained as one program, and the next shape is compiled meanwhile.
"""

import warnings

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import fetch_california_housing, load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import doltap as keras
from doltap import tune


def load():
    """Houses and their prices, where they are at hand; else patients and how their diabetes went on.

    Gives the name of the data, and inputs and labels to train on, to stop early
    by, and to test on.
    """
    try:
        data, name = fetch_california_housing(download_if_missing=False), "California housing"
    except OSError:
        data, name = load_diabetes(), "diabetes"
    target = (data.target - data.target.mean()) / data.target.std()
    x_full, x_test, y_full, y_test = train_test_split(data.data, target, random_state=42)
    x_train, x_valid, y_train, y_valid = train_test_split(x_full, y_full, random_state=42)
    scaler = StandardScaler().fit(x_train)
    # A few houses lie a hundred spreads away, and one such row can undo an epoch.
    train, valid, test = (np.clip(scaler.transform(x), -5, 5) for x in (x_train, x_valid, x_test))
    return name, (train, y_train), (valid, y_valid), (test, y_test)


def build_model(width, n_hidden=1, n_neurons=30, learning_rate=3e-3):
    """A network with `n_hidden` layers of `n_neurons` each, compiled."""
    model = keras.models.Sequential()
    model.add(keras.layers.InputLayer(shape=[width]))
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=learning_rate))
    return model


def search_at_random(train, valid, n_iter=10, epochs=40):
    """The search, done: `best_params_`, `best_score_`, `cv_results_`, and it predicts as the best network."""
    space = {
        "width": [train[0].shape[1]],
        "n_hidden": [0, 1, 2, 3],
        "n_neurons": np.arange(1, 101),
        "learning_rate": loguniform(3e-4, 3e-2),
    }
    search = tune.RandomizedSearchCV(build_model, space, n_iter=n_iter, cv=3, random_state=42)
    stopping = keras.callbacks.EarlyStopping(patience=5)
    with warnings.catch_warnings():
        # The highest rates may end in losses that are no numbers; such a candidate comes last.
        warnings.simplefilter("ignore")
        return search.fit(*train, epochs=epochs, validation_data=valid, callbacks=[stopping])


def main():
    """Show what is found."""
    keras.utils.set_random_seed(42)
    name, train, valid, test = load()
    print(f"{name}: {len(train[0])} rows of {train[0].shape[1]} numbers")

    print("a learning rate for one hidden layer of 30")
    found = tune.find_learning_rate(build_model(train[0].shape[1]), *train)
    print(f"  {found}")

    print("ten networks at random")
    search = search_at_random(train, valid)
    results = search.cv_results_
    for place in np.argsort(results["rank_test_score"]):
        params, score = results["params"][place], results["mean_test_score"][place]
        shape = f"{params['n_hidden']} hidden of {params['n_neurons']}"
        print(f"  {shape:<15} rate {params['learning_rate']:.4f}  mean squared error {-score:.3f}")
    error = np.mean((search.predict(test[0]) - test[1]) ** 2)
    print(
        f"  the best, on {len(test[0])} rows it never saw: {error:.3f} (always the mean: {test[1].var():.3f})"
    )


if __name__ == "__main__":
    main()
