"""Three deep networks: one whose gradients vanish, one whose rate is too low, and one that is well.

Run it: python examples/diagnosis.py
In Korean: DOLTAP_LANG=ko python examples/diagnosis.py
"""

from __future__ import annotations

from sklearn.datasets import load_digits

import doltap as keras
from doltap.layers import Dense, Flatten


def images(rows=None):
    """Pictures of clothes with their kinds; of digits, far fewer and smaller, where there are none."""
    try:
        (x, y), _ = keras.datasets.fashion_mnist.load_data()
    except keras.errors.DatasetError:
        digits = load_digits()
        x, y = digits.images, digits.target
    return x[:rows], y[:rows]


def network(shape, activations, optimizer):
    """Five hidden layers that end in these activations, and a softmax of ten classes."""
    model = keras.Sequential([keras.Input(shape), Flatten()])
    for units, activation in zip((64, 128, 256, 128, 64), activations, strict=True):
        model.add(Dense(units, activation=activation))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def models():
    """What each is called, its activations and its optimizer."""
    sigmoids = ("relu", "sigmoid", "sigmoid", "sigmoid", "sigmoid")
    relus = ("relu",) * 5
    yield "1. Four sigmoid layers in a row, SGD", sigmoids, "sgd"
    yield "2. relu, plain SGD at a rate of 0.001", relus, keras.optimizers.SGD(0.001)
    yield "3. relu, Adam", relus, "adam"


def main(epochs=20, rows=None):
    """Train the three, each with a diagnosis; gives their histories."""
    x, y = images(rows)
    histories = []
    for title, activations, optimizer in models():
        model = network(x.shape[1:], activations, optimizer)
        print(title)
        history = model.fit(
            x, y, validation_split=0.2, epochs=epochs, batch_size=64, verbose=0, diagnose=True
        )
        print(f"  accuracy {history.history['accuracy'][-1]:.3f}, "
              f"in validation {history.history['val_accuracy'][-1]:.3f}\n")  # fmt: skip
        histories.append(history)
    return histories


if __name__ == "__main__":
    main()
