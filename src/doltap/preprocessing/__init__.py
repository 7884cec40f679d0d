"""Data made ready for a network, under the names that Keras gives it: a door."""

from doltap import doors
from doltap.preprocessing import sequence

__all__ = ["sequence"]

doors.guard(__name__)
