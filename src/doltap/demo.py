"""The first program of every newcomer: a small network that learns to tell clothes apart.

It goes through the public interface only; what it does, a user could write.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from doltap import datasets, layers, models
from doltap.datasets import fetching
from doltap.errors import DatasetError, optional_package

__all__ = ["run"]

_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class Pictures:
    """Grey pictures with values from 0 to 1, their classes, and how long to learn from them."""

    name: str
    training: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    class_names: tuple[str, ...]
    num_epochs: int


def run(*, num_epochs: int | None = None, folder: Path = Path("demo-output")) -> None:
    """Train on Fashion-MNIST, print how well it went, and save the weights.

    Where Fashion-MNIST cannot be had, scikit-learn's digits take its place.

    Args:
        num_epochs: None means enough for a good result.
        folder: where the weights go; made if it is not there.
    """
    pictures = _pictures()
    model = _network(pictures.training[0].shape[1:])
    model.summary()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    epochs = pictures.num_epochs if num_epochs is None else num_epochs
    model.fit(*pictures.training, epochs=epochs, validation_data=pictures.validation, verbose=1)
    _, accuracy = model.evaluate(*pictures.test, verbose=0)
    print(f"test accuracy: {accuracy:.2f}")
    _show_predictions(model, pictures)
    path = folder / f"{pictures.name}.npz"
    save_weights(model, path)
    print(f"weights saved to {path}")


def save_weights(model: models.Sequential, path: Path) -> None:
    """Write the model's weights to a `.npz` file, in the order of `get_weights`."""
    with fetching.whole_file(path) as stream:
        np.savez(stream, *model.get_weights())


def _network(shape: tuple[int, ...]) -> models.Sequential:
    return models.Sequential(
        [
            layers.Flatten(input_shape=list(shape)),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _show_predictions(model: models.Sequential, pictures: Pictures) -> None:
    images, labels = pictures.test
    chances = model.predict(images[:3], verbose=0)
    for row, (chance, label) in enumerate(zip(chances, labels[:3], strict=True)):
        guess = int(np.argmax(chance))
        names = pictures.class_names
        print(f"test image {row}: predicted {names[guess]} ({chance[guess]:.0%}), truly {names[label]}")


def _pictures() -> Pictures:
    try:
        (images, labels), (test_images, test_labels) = datasets.fashion_mnist.load_data()
    except DatasetError as error:
        print(
            f"Fashion-MNIST cannot be had ({error.parts['got']}): training on scikit-learn's digits instead."
        )
        return _digits()
    images, test_images = images / np.float32(255), test_images / np.float32(255)
    return Pictures(
        name="fashion",
        training=(images[5000:], labels[5000:]),
        validation=(images[:5000], labels[:5000]),
        test=(test_images, test_labels),
        class_names=_CLOTHES,
        num_epochs=20,
    )


def _digits() -> Pictures:
    """The 1,797 digits of 8x8 pixels that scikit-learn brings along."""
    source = optional_package("sklearn.datasets", extra="sklearn", purpose="the demo without Fashion-MNIST")
    bundle = source.load_digits()
    images, labels = (bundle.images / 16).astype(np.float32), bundle.target
    return Pictures(
        name="digits",
        training=(images[200:1437], labels[200:1437]),
        validation=(images[:200], labels[:200]),
        test=(images[1437:], labels[1437:]),
        class_names=tuple("0123456789"),
        num_epochs=50,
    )
