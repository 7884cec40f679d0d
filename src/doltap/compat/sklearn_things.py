"""What scikit-learn had, has no more, and the data sets of Keras still have."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.datasets import boston_housing
from doltap.errors import optional_package

__all__ = ["load_boston"]

_SEED = 113
_COLUMNS = "CRIM ZN INDUS CHAS NOX RM AGE DIS RAD TAX PTRATIO B LSTAT"
_ABOUT = """Boston housing: 506 districts of the year 1970.

Each row has 13 numbers: CRIM crimes for each person, ZN share of large lots, INDUS share of industry,
CHAS 1 at the river, NOX nitric oxides, RM rooms in a house, AGE share of houses from before 1940,
DIS way to the workplaces, RAD motorways near by, TAX property tax, PTRATIO pupils for each teacher,
B a number made from the share of Black residents, LSTAT share of poor residents.
The target is MEDV, the median price of a house in thousands of dollars.

scikit-learn dropped the table because of B; fetch_california_housing does as well to learn with.
"""


def load_boston(return_X_y: bool = False) -> Any:  # noqa: N803
    """The table as scikit-learn gave it until 1.1, from the file that Keras keeps.

    Args:
        return_X_y: only the two arrays, in a tuple.

    Raises:
        DatasetError: the file can be neither found nor fetched.
    """
    (rows, prices), _ = boston_housing.load_data(test_split=0.0, seed=_SEED)
    order = np.arange(len(rows))
    np.random.RandomState(_SEED).shuffle(order)
    # Keras shuffles the rows; programs that look at some of them mean the file's own order.
    there = np.argsort(order)
    data, target = rows[there], prices[there]
    if return_X_y:
        return data, target
    utils = optional_package("sklearn.utils", extra="sklearn", purpose="scikit-learn's data sets")
    return utils.Bunch(
        data=data, target=target, feature_names=np.array(_COLUMNS.split()), DESCR=_ABOUT,
        filename="boston_housing.npz",
    )  # fmt: skip
