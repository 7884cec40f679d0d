"""Which rows are pictures, and how numbers become one: test images, and the filters of a first layer."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["as_filters", "as_pictures", "picture_shape", "shades", "tiled"]

_SMALLEST_SIDE = 8
_LARGEST_SIDE = 96
# In pictures neighbours are more alike than any two pixels are; below this share of the difference.
_ALIKE = 0.85
_NUM_LOOKED_AT = 200


def picture_shape(values: np.ndarray) -> tuple[int, int, int] | None:
    """(height, width, channels) of the rows if they look like pictures, else None.

    Flat rows may be squares of grey pixels. What is no picture is told by its
    neighbours, which are no more alike than other pairs.

    Args:
        values: (n, h, w), (n, h, w, 1 or 3), or (n, h * h).

    >>> picture_shape(np.arange(64.0).reshape(1, 8, 8))
    (8, 8, 1)
    """
    shape = values.shape[1:]
    if len(shape) == 1 and math.isqrt(shape[0]) ** 2 == shape[0]:
        side = math.isqrt(shape[0])
        shape = (side, side)
    if len(shape) == 3 and shape[2] in (1, 3):
        found = (shape[0], shape[1], shape[2])
    elif len(shape) == 2:
        found = (shape[0], shape[1], 1)
    else:
        return None
    if min(found[:2]) < _SMALLEST_SIDE or values.dtype.kind not in "fiub":
        return None
    return found if _looks_smooth(values[:_NUM_LOOKED_AT].reshape(-1, *found)) else None


def _looks_smooth(images: np.ndarray) -> bool:
    images = np.nan_to_num(images.astype(np.float64))
    # Pictures that were standardized by column have rims of zeros; the middle tells.
    chance = np.random.default_rng(0)
    pixels = images.reshape(len(images), -1, images.shape[-1])
    strange = np.abs(pixels - pixels[:, chance.permutation(pixels.shape[1])]).mean()
    down = np.abs(np.diff(images, axis=1)).mean()
    across = np.abs(np.diff(images, axis=2)).mean()
    return bool(strange > 0 and max(down, across) < _ALIKE * strange)


def as_pictures(rows: np.ndarray, shape: tuple[int, int, int], low: float, high: float) -> list[np.ndarray]:
    """Rows as images from 0 to 255, grey or coloured, no side longer than needed.

    Args:
        low, high: the values that are black and white.
    """
    images = np.nan_to_num(rows.astype(np.float64)).reshape(-1, *shape)
    step = max(1, math.ceil(max(shape[:2]) / _LARGEST_SIDE))
    images = images[:, ::step, ::step]
    scaled = np.clip((images - low) / ((high - low) or 1.0), 0, 1) * 255
    whole = np.asarray(np.rint(scaled), np.uint8)
    return [image[:, :, 0] if shape[2] == 1 else image for image in whole]


def as_filters(kernel: np.ndarray, shape: tuple[int, int, int], most: int = 48) -> list[np.ndarray] | None:
    """What each unit of a first layer looks for, as coloured images; None where its weights are none.

    Args:
        kernel: (pixels, units) of a layer that takes all pixels, or (h, w, channels, units).
        shape: of the pictures it is given.
    """
    if kernel.ndim == 2 and kernel.shape[0] == math.prod(shape):
        weights = kernel.T.reshape(-1, *shape)
    elif kernel.ndim == 4 and min(kernel.shape[:2]) >= 3:
        weights = np.moveaxis(kernel, -1, 0)
    else:
        return None
    # The strongest; of several channels the mean, since a sign has one colour.
    strength = np.abs(weights).reshape(len(weights), -1).sum(1)
    weights = weights[np.argsort(-strength, kind="stable")[:most]].astype(np.float64).mean(-1)
    step = max(1, math.ceil(max(weights.shape[1:]) / _LARGEST_SIDE))
    return [shades(each[::step, ::step]) for each in weights]


def shades(values: np.ndarray) -> np.ndarray:
    """Numbers as colours: blue below zero, white at zero, red above.

    >>> shades(np.array([[-1.0, 0.0, 1.0]]))[0].tolist()
    [[33, 102, 172], [247, 247, 247], [178, 24, 43]]
    """
    values = np.nan_to_num(values)
    largest = np.abs(values).max() or 1.0
    share = (values / largest)[..., None]
    middle, below, above = (
        np.array(each, float) for each in ((247, 247, 247), (33, 102, 172), (178, 24, 43))
    )
    mixed = np.where(share < 0, middle + (below - middle) * -share, middle + (above - middle) * share)
    return np.asarray(np.rint(mixed), np.uint8)


def tiled(images: list[np.ndarray], across: int, gap: int = 1) -> np.ndarray:
    """Many small images of one size as one, in rows, with a grey line between them."""
    height, width = images[0].shape[:2]
    down = math.ceil(len(images) / across)
    shape = (down * (height + gap) - gap, across * (width + gap) - gap, *images[0].shape[2:])
    whole = np.full(shape, 128, np.uint8)
    for number, image in enumerate(images):
        y, x = number // across * (height + gap), number % across * (width + gap)
        whole[y : y + height, x : x + width] = image
    return whole
