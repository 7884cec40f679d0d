"""IDX is the plain format in which MNIST and its kin were published: a header, then bytes.

The header must account for every byte that follows; anything else is an error
that names the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from doltap.errors import DatasetError

__all__ = ["FILE_NAMES", "Split", "parse", "split"]

FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# Two zero bytes, the code of the type, the number of dimensions; then each
# dimension as a big-endian integer of four bytes.
_UNSIGNED_BYTES = 0x08


def parse(content: bytes, place: object, num_dimensions: int) -> np.ndarray:
    """The uint8 array that an uncompressed IDX file holds.

    Args:
        place: the file's name, for errors.
        num_dimensions: 3 for images (count, height, width), 1 for labels.

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels", 1)
    array([7, 9], dtype=uint8)
    """
    magic = bytes([0, 0, _UNSIGNED_BYTES, num_dimensions])
    start = 4 + 4 * num_dimensions
    if content[:4] != magic or len(content) < start:
        _refuse(place, f"an IDX header that begins with {magic.hex()}", f"{content[:4].hex() or 'nothing'}")
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    if math.prod(shape) != len(content) - start:
        expected = f"{math.prod(shape)} bytes after the header, which gives the shape {shape}"
        _refuse(place, expected, str(len(content) - start))
    # A copy, because an array over a bytes object could not be written to.
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def split(contents: Sequence[bytes], places: Sequence[object]) -> Split:
    """Images and labels for training and for testing, from four files in the order of `FILE_NAMES`."""
    dimensions = (3, 1, 3, 1)
    arrays = [parse(*each) for each in zip(contents, places, dimensions, strict=True)]
    for at in (0, 2):
        if len(arrays[at]) != len(arrays[at + 1]):
            _refuse(places[at + 1], f"{len(arrays[at])} labels, one for each image", str(len(arrays[at + 1])))
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def _refuse(place: object, expected: str, got: str) -> NoReturn:
    fix = "Put the published file there, or take this one away."
    raise DatasetError(f"file '{place}'", expected=expected, got=got, fix=fix)
