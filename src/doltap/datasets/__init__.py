"""Data sets to learn with: `fashion_mnist.load_data()`, `mnist.load_data()`.

A door: what is here is defined in the modules of this folder.
"""

from doltap import doors
from doltap.datasets import fashion_mnist, mnist

__all__ = ["fashion_mnist", "mnist"]

doors.guard(__name__)
