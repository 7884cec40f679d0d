"""What holds functions to the shapes and types that they are annotated with, in tests only."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

__all__ = ["checked"]

# A whole number will do where a float is asked for, as everywhere in Python.
_typed = beartype(conf=BeartypeConf(is_pep484_tower=True))


def checked(function):
    """The function, refusing arguments and results of other shapes and types.

    Constructors take what users pass, and refuse it in their own words.
    """
    return function if function.__qualname__.endswith("__init__") else _typed(function)
