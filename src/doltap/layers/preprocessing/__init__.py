"""Layers that turn raw columns, numbers or strings, into what a network can compute with."""

from doltap.layers.preprocessing.categories import CategoryEncoding, HashedCrossing, Hashing
from doltap.layers.preprocessing.lookup import IntegerLookup, StringLookup
from doltap.layers.preprocessing.scaling import Discretization, Normalization, Rescaling

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "Normalization",
    "Rescaling",
    "StringLookup",
]
