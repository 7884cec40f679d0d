"""What an import gets for a name that Keras has and doltap lacks.

Programs import more than they use: a network of Dense layers whose first line
names Conv2D, too. The import passes; using the name is refused, in the line
that uses it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from doltap import doors
from doltap.errors import DoltapError, NotSupportedError

__all__ = ["Absent", "StandIn", "stand_in"]


class StandIn(type):
    """A class that is there by name only: calling, reading or extending it is refused.

    Nothing is an instance of it, as nothing is of the class that it stands for.
    """

    _why: DoltapError

    def __new__(cls, name: str, bases: tuple[type, ...], has: dict[str, Any]) -> StandIn:
        """A class that extends nothing; extending another stand-in is refused."""
        for base in bases:
            if isinstance(base, StandIn):
                raise base._refusal()
        return super().__new__(cls, name, bases, has)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        """Refuse to make one."""
        raise cls._refusal()

    def __getattr__(cls, name: str) -> Any:
        # Python and its tools ask every object for names with underscores.
        if name.startswith("_"):
            raise AttributeError(f"{cls.__name__!r} has no attribute {name!r}")
        if doors.imports(sys._getframe(1)):
            return stand_in(name, cls._why)
        raise cls._refusal()

    def __repr__(cls) -> str:
        return f"<{cls.__name__}: imported, and not there>"

    def _refusal(cls) -> NotSupportedError:
        return NotSupportedError(cls._why.subject, **cls._why.parts)


class Absent(ModuleType):
    """A module that is there by name only: what is imported from it stands in.

    Args:
        path: what Keras or TensorFlow called it.
        why: the error that using it meets.
    """

    def __init__(self, path: str, why: DoltapError) -> None:
        super().__init__(path)
        self.__path__: list[str] = []
        self.__all__: tuple[str, ...] = ()
        self._why = why

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return stand_in(name, self._why)


def stand_in(name: str, why: DoltapError) -> StandIn:
    """A class of that name which refuses to be used.

    Args:
        why: the error whose words the refusal has.

    >>> Conv2D = stand_in("Conv2D", doors.lacking("doltap.layers", "Conv2D"))
    >>> isinstance("a layer", Conv2D)
    False
    >>> Conv2D(32, 3)
    Traceback (most recent call last):
    doltap.errors.NotSupportedError: doltap.layers: expected a name it has, got 'Conv2D', which is planned.
      Layers for images are the next family to come.
    """
    told = f"{name} was imported, and is not there. {why.parts['fix']}"
    return StandIn(name, (), {"_why": why, "__module__": why.subject, "__doc__": told})
