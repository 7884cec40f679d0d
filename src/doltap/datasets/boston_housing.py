"""Boston housing: 506 districts of the year 1970, 13 numbers each, and the median price of a house.

One of the columns guesses at who lives there; scikit-learn dropped the table
for it. California housing does as well to learn with.
"""

from __future__ import annotations

from doltap import doors
from doltap.datasets import archives, fetching
from doltap.registry import explained

__all__ = ["load_data"]

_MOST_BYTES = 60_000
_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


@explained
def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> archives.Split:
    """Boston housing as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    x has 13 columns, y is in thousands of dollars.

    Args:
        path: the file's name in the folders that are searched, or an absolute path.
        test_split: the share of the rows that are for testing.
        seed: of the order into which they are brought first.

    Raises:
        DatasetError: the file can be neither found nor fetched, or is not what it should be.
    """
    share = archives.checked_share(test_split)
    file = fetching.PinnedFile(path, "boston_housing.npz", _MOST_BYTES, _SHA256, stays_packed=True)
    x, y = archives.arrays(archives.content_of(file, "boston_housing"), path, ("x", "y"))
    x, y = archives.shuffled(seed, x, y)
    return archives.cut(x, y, share)


doors.guard(__name__)
