"""Small things users call: a door."""

from doltap.arrays import normalize, pad_sequences, to_categorical
from doltap.random import set_random_seed

__all__ = ["normalize", "pad_sequences", "set_random_seed", "to_categorical"]
