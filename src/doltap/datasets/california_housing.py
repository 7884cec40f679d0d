"""California housing: 20,640 districts of the census of 1990, 8 numbers each, and the median price."""

from __future__ import annotations

from doltap import doors
from doltap.datasets import archives, fetching
from doltap.errors import DataError
from doltap.registry import explained

__all__ = ["load_data"]

_MOST_BYTES = 800_000
_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_SMALL = 600


@explained
def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> archives.Split:
    """California housing as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    The columns of x are longitude, latitude, median age of the houses, rooms,
    bedrooms, people, households, median income; y is in dollars.

    Args:
        version: "large", or "small" for the first 600 rows.
        path: the file's name in the folders that are searched, or an absolute path.
        test_split: the share of the rows that are for testing.
        seed: of the order into which they are brought first.

    Raises:
        DatasetError: the file can be neither found nor fetched, or is not what it should be.
    """
    share = archives.checked_share(test_split)
    if version not in ("large", "small"):
        raise DataError(
            "california_housing.load_data(version)",
            expected="'large' or 'small'",
            got=repr(version),
            fix="'small' is the first 600 rows.",
        )
    file = fetching.PinnedFile(path, "california_housing.npz", _MOST_BYTES, _SHA256, stays_packed=True)
    x, y = archives.arrays(archives.content_of(file, "california_housing"), path, ("x", "y"))
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    x, y = archives.shuffled(seed, x, y)
    return archives.cut(x, y, share)


doors.guard(__name__)
