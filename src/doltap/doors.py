"""What a module says when it is asked for a name it lacks.

An old name gives the thing of today; a name that Keras has, the reason why it
is not here; any other one, the nearest name there is.
"""

from __future__ import annotations

import dis
import importlib
import sys
from typing import Any

from doltap import old_names
from doltap.errors import MissingAttributeError, MissingNameError, closest
from doltap.old_modules import PLACES
from doltap.planned import LACKS

# The last one is what Python 3.12 does for a star.
_IMPORTS = ("IMPORT_FROM", "IMPORT_STAR", "CALL_INTRINSIC_1")

__all__ = ["guard", "imports", "lacking", "later", "moved"]


def guard(module: str, kind: str = "") -> None:
    """Let the module answer for the names it lacks.

    A type checker that saw a `__getattr__` in the module would believe every
    name to be there; so it is put there by this call.

    Args:
        module: the module's full name.
        kind: what its members are in the singular, where they have old names.
    """

    def answer(name: str) -> Any:
        has = vars(sys.modules[module])
        if old_names.NAMES.get(kind, {}).get(name) in has:
            return has[old_names.of_today(kind, name)]
        found = moved(module, name)
        if found is None:
            raise lacking(module, name, is_import=imports(sys._getframe(1)))
        return found

    vars(sys.modules[module])["__getattr__"] = answer


def later(package: str, *names: str) -> None:
    """Let the package load its modules when they are first asked for.

    Args:
        package: the package's full name.
        names: the modules in it that others use.
    """

    def answer(name: str) -> Any:
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise lacking(package, name, is_import=imports(sys._getframe(1)))

    vars(sys.modules[package])["__getattr__"] = answer


def moved(module: str, name: str) -> Any:
    """The module that does today what was called `name` in another one; None where nothing was.

    >>> moved("doltap", "objectives").__name__
    'doltap.losses'
    """
    path = f"{module}.{name}".partition(".")[2]
    today, *others = PLACES.get(f"keras.{path}", path).split()
    # What stood in one namespace and stands in several today is found under the aliases alone.
    is_one = all(other.startswith(f"{today}.") for other in others)
    if today in (path, ".") or today.startswith("compat") or not is_one:
        return None
    old_names.note("module", path, today)
    return importlib.import_module(f"doltap.{today}")


def lacking(module: str, name: str, *, is_import: bool = False) -> MissingAttributeError | MissingNameError:
    """The error for a name that the module lacks.

    Args:
        is_import: whether it was asked for by `from module import name`.

    >>> print(lacking("doltap.layers", "Conv2D"))
    doltap.layers: expected a name it has, got 'Conv2D', which is planned.
      Layers for images are the next family to come.
    """
    kind = MissingNameError if is_import else MissingAttributeError
    rows = LACKS.get(module.partition(".")[2], ())
    missing = {each: row for row in rows for each in row.names if each != "*"}
    if name in missing:
        got = f"'{name}', which is {missing[name].fate}"
        return kind(module, expected="a name it has", got=got, fix=missing[name].why)
    gone = old_names.GONE.get(module.partition(".")[2], {})
    if name in gone:
        return kind(module, expected="a name it has", got=f"'{name}', a name of long ago", fix=gone[name])
    # Python itself asks for names with underscores; nobody reads those answers.
    has = vars(sys.modules[module]) if module in sys.modules else {}
    known = () if name.startswith("_") else (*has.get("__all__", has), *missing)
    guess = closest(name, known)
    fix = f"Did you mean '{guess}'?" if guess else f"dir({module}) lists those it has."
    if guess in missing:
        fix += f" It is {missing[guess].fate}: {missing[guess].why}"
    return kind(module, expected="a name it has", got=repr(name), fix=fix)


def imports(frame: Any) -> bool:
    """Whether the frame is at `from module import name`, or `import *`.

    There Python drops the words of an AttributeError, and says only that it
    cannot import the name. Anywhere else, `hasattr` and its kin expect one.
    """
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in _IMPORTS
