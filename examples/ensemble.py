"""Forty networks instead of one: where they disagree, none of them knows.

Each sees its own sample of the rows, drawn with repetition, and begins from its
own random numbers; all are trained as one population. Their mean predicts
better than one of them, and their spread says how far to trust that mean: not
how far patients differ from it.
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

import doltap as keras

layers = keras.layers


def load():
    """The body-mass index of 442 patients, and how far their diabetes went on within a year."""
    data = load_diabetes(scaled=False)
    return data.data[:, [data.feature_names.index("bmi")]], data.target


def build_model():
    """A small network from an index of about 25 to a number of about 150."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            layers.Rescaling(1 / 5, offset=-5),
            layers.Dense(30, activation="tanh"),
            layers.Dense(30, activation="tanh"),
            layers.Dense(1),
            layers.Rescaling(100, offset=150),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    return model


def train(x, y, size=40, epochs=60):
    """So many networks, each on a sample of the rows."""
    generator = np.random.default_rng(0)
    samples = [generator.integers(0, len(x), len(x)) for _ in range(size)]
    networks = keras.models.Population(build_model, size, seeds=range(size))
    networks.fit(x, y, epochs=epochs, verbose=0, rows=samples)
    return networks


def draw(networks, x, y):
    """The patients, the mean, and the band of two spreads, beyond the data too."""
    places = np.linspace(x.min() - 15, x.max() + 15, 200)
    mean, spread = networks.predict(places[:, None], spread=True)
    low, high = (mean - 2 * spread)[:, 0], (mean + 2 * spread)[:, 0]
    axes = Figure(figsize=(8, 5), layout="tight").add_subplot()
    axes.scatter(x, y, s=8, color="0.6", label="patients")
    axes.fill_between(places, low, high, alpha=0.3, label="two spreads")
    axes.plot(places, mean, label=f"mean of {len(networks)} networks")
    axes.set(xlabel="body-mass index", ylabel="diabetes after a year", title="Where the networks disagree")
    axes.legend()
    return axes.figure


def main(path="ensemble.png"):
    """Show what is found, and draw it into a file."""
    x, y = load()
    networks = train(x, y)
    each = networks.predict(x, combine=None)[..., 0]
    alone, together = np.mean((each - y) ** 2), np.mean((each.mean(axis=0) - y) ** 2)
    print(f"{len(networks)} networks; squared error of one {alone:.0f}, of their mean {together:.0f}")
    for index in (25, 35, 45, 60):
        mean, spread = (part.item() for part in networks.predict([[float(index)]], spread=True))
        where = "" if index <= x.max() else ", where no patient was"
        print(f"  body-mass index {index}: {mean:.0f}, give or take {2 * spread:.0f}{where}")
    draw(networks, x, y).savefig(path)
    print(f"drawn in {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
