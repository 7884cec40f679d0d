"""In which type a layer computes, and in which it keeps its weights: a door."""

from doltap import doors
from doltap.dtypes import DTypePolicy, deserialize, get, serialize
from doltap.dtypes import DTypePolicy as FloatDTypePolicy

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

doors.guard(__name__)
