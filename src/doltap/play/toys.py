"""Data to play with: points of a plane that are easy to draw and more or less hard to tell apart.

Each function stands alone, because the program that the playground prints holds its text.
"""

from __future__ import annotations

import numpy as np

__all__ = ["TOYS", "VALUES", "checker", "circles", "moons", "plane", "spiral"]


def circles(rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """A ring round a disc."""
    labels = np.arange(count) % 2
    radius = np.where(labels == 0, 1.2 * np.sqrt(rng.uniform(0, 1, count)), rng.uniform(1.9, 2.6, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points + rng.normal(0, 1, (count, 2)) * noise, labels


def moons(rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Two crescents, one in the arms of the other."""
    labels = np.arange(count) % 2
    angle = rng.uniform(0, np.pi, count)
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    points = 1.6 * np.where(labels[:, None] == 0, upper, -upper)
    return points + rng.normal(0, 1, (count, 2)) * noise, labels


def spiral(rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Two arms wound round each other."""
    labels = np.arange(count) % 2
    along = rng.uniform(0.05, 1, count)
    angle = 3.5 * np.pi * along + np.pi * labels
    points = 2.6 * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return points + rng.normal(0, 1, (count, 2)) * noise, labels


def checker(rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Exclusive or: two opposite squares against the other two."""
    points = rng.uniform(0.15, 2.6, (count, 2)) * rng.choice([-1, 1], (count, 2))
    labels = (points[:, 0] * points[:, 1] > 0).astype(int)
    return points + rng.normal(0, 1, (count, 2)) * noise, labels


def plane(rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Values, not classes: they rise along the diagonal."""
    points = rng.uniform(-2.6, 2.6, (count, 2))
    return points, (points[:, 0] + points[:, 1]) / 3 + rng.normal(0, 1, count) * noise


TOYS = {toy.__name__: toy for toy in (circles, moons, spiral, checker, plane)}

# Those whose labels are values.
VALUES = ("plane",)
