"""What a network has learned of written digits, on one page: how well, where it is wrong, and why.

The page is a file of its own. It needs no network and can be sent, printed and
kept; it ends with what is needed to do it again.
"""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import doltap as keras

layers = keras.layers


def load():
    """1,797 digits of 8 by 8 pixels, from 0 to 1; a quarter of them is kept for the report."""
    digits = load_digits()
    return train_test_split(digits.images / 16, digits.target, test_size=0.25, random_state=0)


def build_model():
    """A hidden layer of 32 units between the pixels and the ten digits."""
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Flatten(),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main(path="report.html", epochs=30):
    """Train, and write the page, the picture of the model beside it."""
    keras.utils.set_random_seed(0)
    x_train, x_test, y_train, y_test = load()
    model = build_model()
    model.fit(x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0, diagnose=True)
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    page = model.report(path, x_test, y_test, class_names=names)
    picture = page.with_suffix(".svg")
    keras.utils.plot_model(model, picture, show_shapes=True, show_layer_names=True, show_parameters=True)
    print(f"{model.evaluate(x_test, y_test, verbose=0)[1]:.1%} of {len(y_test)} digits are read as they are")
    print(f"the report is {page}, the picture of the model {picture}")


if __name__ == "__main__":
    main(*sys.argv[1:])
