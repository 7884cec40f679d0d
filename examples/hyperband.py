"""Many candidates for a few epochs, the better ones for more: Hyperband, on handwritten digits.

A network that is no good shows it early as a rule, and its epochs are better
spent on another. How early is not known, so Hyperband bets on several answers:
each of its brackets begins with another number of candidates, and epochs.
"""

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import doltap as keras
from doltap import tune

layers = keras.layers


def load():
    """1,797 digits of 8 by 8 points from 0 to 1: a part to search on, and one to test on."""
    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(digits.data / 16, digits.target, random_state=42)
    return (x_train, y_train), (x_test, y_test)


def build_model(units=32, activation="relu", rate=0.01, dropout=0.0):
    """One hidden layer, compiled."""
    model = keras.Sequential([keras.Input((64,)), layers.Dense(units, activation=activation)])
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


SPACE = {
    "units": [16, 32, 64],
    "activation": ["relu", "tanh"],
    "rate": loguniform(1e-4, 1.0),
    "dropout": [0.0, 0.2, 0.4, 0.6],
}


def search_in_brackets(x, y, max_iter=27):
    """The search, done, with at most so many epochs for a candidate."""
    return tune.Hyperband(build_model, SPACE, max_iter=max_iter, cv=3, random_state=0).fit(x, y)


def rounds_of(search):
    """For each bracket its rounds, in order: how many candidates, for how many epochs, and the best score."""
    results = search.cv_results_
    found = {}
    for bracket in np.unique(results["bracket"]):
        for epochs in np.unique(results["n_resources"]):
            here = (results["bracket"] == bracket) & (results["n_resources"] == epochs)
            if here.any():
                best = results["mean_test_score"][here].max()
                found.setdefault(int(bracket), []).append((int(here.sum()), int(epochs), float(best)))
    return found


def main():
    """Show what is found."""
    keras.utils.set_random_seed(0)
    train, test = load()
    search = search_in_brackets(*train)
    spent = 0
    for bracket, rounds in rounds_of(search).items():
        print(f"bracket {bracket}")
        before = 0
        for count, epochs, best in rounds:
            spent += count * (epochs - before)
            before = epochs
            print(f"  {count:>2} candidates after {epochs:>2} epochs: the best has {best:.3f} right")
    first = sum(rounds[0][0] for rounds in rounds_of(search).values())
    print(f"{first} candidates, {spent} epochs a fold; all of them to the end: {first * 27}")
    best = search.best_params_
    shape = f"{best['units']} units, {best['activation']}, dropout {best['dropout']}"
    print(f"the best: {shape}, rate {best['rate']:.4f}")
    print(f"  right on {len(test[0])} digits it never saw: {search.score(*test):.3f}")


if __name__ == "__main__":
    main()
