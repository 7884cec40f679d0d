"""Draw docs/images/report.png: parts of a real report, as a real browser shows them."""

import pathlib
import sys
import tempfile

import doltap as keras

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from browser import started  # noqa: E402

NAMES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def trained():
    """A network that tells clothes apart, and the rows it did not see."""
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), dense(128, "relu"), dense(10, "softmax")]
    model = keras.Sequential(layers, name="clothes")
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x / 255, y, epochs=8, batch_size=128, validation_split=0.1, verbose=0, diagnose=True)
    return model, x_test / 255, y_test


def main():
    """Write the picture."""
    model, x_test, y_test = trained()
    with tempfile.TemporaryDirectory() as folder, started() as browser:
        page = model.report(f"{folder}/report.html", x_test, y_test, class_names=NAMES, language="en")
        browser.open(page, width=1080, height=1910)
        # There is no room for everything: the tables are left out, and what comes after the first pictures.
        left_out = "#model table, #learning table, .pair.scores, .pair.classes"
        browser.run(f"for (const each of document.querySelectorAll('{left_out}')) each.remove()")
        browser.screenshot(ROOT / "docs" / "images" / "report.png")


if __name__ == "__main__":
    main()
