"""Data sets to learn with: `fashion_mnist.load_data()`, `mnist.load_data()` and all others of Keras.

A door: what is here is defined in the modules of this folder.
"""

from doltap import doors
from doltap.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]

doors.guard(__name__)
