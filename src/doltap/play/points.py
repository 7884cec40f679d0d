"""Points of a plane with a label each: what a network in the playground learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["FEATURES", "Feature", "Points", "features_of"]


@dataclass(frozen=True)
class Points:
    """The points of one experiment, and which of them the network learns from.

    Args:
        places: (rows, 2).
        labels: a class number or a value for each row.
        names: of the classes; none where the labels are values.
        train, test: row numbers.
    """

    places: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray

    @property
    def span(self) -> float:
        """How far from the middle the picture reaches, on either axis."""
        # A row far from all others would leave the rest in one spot.
        return float(min(max(np.abs(self.places).max() * 1.1, 1.0), 5.0))


@dataclass(frozen=True)
class Feature:
    """A number the network is told of each point: as Python writes it, and as it is computed."""

    text: str
    compute: Callable[[np.ndarray], np.ndarray]


FEATURES = {
    "x": Feature("points[:, 0]", lambda points: points[:, 0]),
    "y": Feature("points[:, 1]", lambda points: points[:, 1]),
    "x²": Feature("points[:, 0] ** 2", lambda points: points[:, 0] ** 2),
    "y²": Feature("points[:, 1] ** 2", lambda points: points[:, 1] ** 2),
    "xy": Feature("points[:, 0] * points[:, 1]", lambda points: points[:, 0] * points[:, 1]),
    "sin x": Feature("np.sin(points[:, 0])", lambda points: np.sin(points[:, 0])),
    "sin y": Feature("np.sin(points[:, 1])", lambda points: np.sin(points[:, 1])),
}


def features_of(places: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """What the network is told of these points, a column for each feature.

    >>> features_of(np.array([[2.0, 3.0]]), ["x", "xy"])
    array([[2., 6.]])
    """
    return np.column_stack([FEATURES[name].compute(places) for name in names])
