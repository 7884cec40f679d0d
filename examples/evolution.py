"""Networks that copy the best of them while they train: evolution, on handwritten digits.

A population of small networks trains together. After each generation the worst
take over the weights of the best, with parameters changed a little: so the
learning rate becomes a schedule that nobody wrote. A tournament then looks for
the shape of the network itself, each child trained from its beginning.
"""

import warnings

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import doltap as keras
from doltap import tune

layers = keras.layers


def load():
    """1,797 digits of 8 by 8 points from 0 to 1: a part to evolve on, and one to test on."""
    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(digits.data / 16, digits.target, random_state=42)
    return (x_train, y_train), (x_test, y_test)


def build_model(depth=1, units=32, activation="relu", rate=0.05, dropout=0.0):
    """A network of `depth` hidden layers, compiled."""
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(depth):
        model.add(layers.Dense(units, activation=activation))
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def evolve_while_training(x, y, n_generations=8):
    """Ten networks of one shape; what changes on the way is the rate and the dropout."""
    space = {"rate": loguniform(1e-3, 1.0), "dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}
    settings = {"population_size": 10, "n_generations": n_generations, "cv": 2, "random_state": 3}
    return tune.Evolution(build_model, space, **settings).fit(x, y)


def evolve_shapes(x, y, n_generations=5, epochs=10):
    """A tournament over depth, width, activation and rate."""
    space = {
        "depth": [1, 2],
        "units": [16, 64],
        "activation": ["relu", "tanh"],
        "rate": loguniform(1e-3, 1.0),
    }
    settings = {"population_size": 8, "n_generations": n_generations, "cv": 2, "random_state": 0}
    return tune.Evolution(build_model, space, method="tournament", **settings).fit(x, y, epochs=epochs)


def scores_by_generation(search):
    """For each generation the scores of its members, the best first."""
    results = search.cv_results_
    return [
        np.sort(results["mean_test_score"][results["generation"] == generation])[::-1]
        for generation in np.unique(results["generation"])
    ]


def show(search):
    """Print how the generations went."""
    for generation, scores in enumerate(scores_by_generation(search), 1):
        print(f"  generation {generation:>2}: best {scores[0]:.3f}, median {np.median(scores):.3f}")


def main():
    """Show what is found."""
    keras.utils.set_random_seed(0)
    train, test = load()
    print("a population that evolves while it trains, an epoch a generation")
    search = evolve_while_training(*train)
    show(search)
    print("  the schedule that came of it:")
    for epochs, params in search.schedule_:
        print(f"    {epochs} epochs at rate {params['rate']:.4f}, dropout {params['dropout']}")
    print(f"  right on {len(test[0])} digits it never saw: {search.score(*test):.3f}")

    print("a tournament of shapes")
    with warnings.catch_warnings():
        # The highest rates may end in losses that are no numbers; such a candidate comes last.
        warnings.simplefilter("ignore")
        search = evolve_shapes(*train)
    show(search)
    best = search.best_params_
    shape = f"{best['depth']} hidden of {best['units']}, {best['activation']}"
    print(f"  the best: {shape}, rate {best['rate']:.3f}")
    print(f"  right on {len(test[0])} digits it never saw: {search.score(*test):.3f}")


if __name__ == "__main__":
    main()
