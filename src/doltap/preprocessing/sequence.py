"""Sequences of one length: a door."""

from doltap import doors
from doltap.arrays import pad_sequences

__all__ = ["pad_sequences"]

doors.guard(__name__)
