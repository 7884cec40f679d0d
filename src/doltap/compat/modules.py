"""The modules that old programs import: `keras`, `keras.layers.core`, `tensorflow.python.keras.utils`.

Which module of doltap answers for which path stands in `old_modules`; a name
is looked up there when it is first used.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from doltap import doors, old_names
from doltap.compat import numpy_names, settling, stand_ins
from doltap.errors import DoltapError, MissingAttributeError, MissingNameError, closest
from doltap.old_modules import (
    CALLED,
    GONE,
    LIBRARIES,
    LIBRARY_THINGS,
    PACKAGES,
    PLACES,
    PREFIXES,
    ROOTS,
    THINGS,
    VERSIONS,
)
from doltap.planned import LACKS, lack_of

__all__ = ["Alias", "MissingModuleError", "answer", "fill", "forget", "leaf", "mistyped", "module", "rest"]
__all__ += ["spec", "wake"]

_FACADE = "doltap.compat.tensorflow"
_BY_HAND, _LACKING = f"{_FACADE}.by_hand", f"{_FACADE}.lacking"
# How an error begins that has no reason to give.
_GUESSES = ("Did you mean", "dir(")
# Below these stand the files of Keras itself.
_INSIDES = ("keras.src.", "keras.api.", "tensorflow.python.keras.", "tensorflow_core.", "tf_keras.src.")
_INSIDE = "It is one of TensorFlow's insides; what programs are to use stands in tf and keras."
# Where a name is looked for that stands in the wrong module.
_USED = ("models", "layers", "utils", "callbacks", "losses", "metrics", "optimizers")


class MissingModuleError(MissingNameError, ModuleNotFoundError):
    """There is no module of this name."""


class Alias(ModuleType):
    """A module of Keras, under whose path doltap answers.

    Args:
        path: what Keras called it: "keras.layers.core".
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, f"What programs find in `{path}`.")
        self.__path__: list[str] = []
        self.__spec__ = ModuleSpec(path, None, is_package=True)
        self.__package__ = path
        if path in VERSIONS:
            self.__version__ = VERSIONS[path]

    def __getattr__(self, name: str) -> Any:
        path = self.__name__
        if name == "__all__":
            return _public(path)
        if name.startswith("__"):
            raise AttributeError(f"module {path!r} has no attribute {name!r}")
        found = _found(path, name)
        if found is None:
            is_import = doors.imports(sys._getframe(1))
            missing = _lacking(path, name, is_import=is_import)
            if is_import and _was_there(path, name):
                return stand_ins.stand_in(name, missing)
            raise missing
        vars(self)[name] = found[0]
        return found[0]

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *_public(self.__name__), *_children(self.__name__)})

    def __reduce__(self) -> tuple[Any, ...]:
        # Searches send functions to other processes, and the modules they use with them.
        return module, (self.__name__,)

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} of doltap>"


class _CallableAlias(Alias):
    """A module that was a function, too: `keras.layers.merge`, `keras.optimizers.adam`."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*arguments, **keywords)


def answer(path: str, names: Sequence[str] | None, load: Callable[..., Any]) -> Any:
    """What an import statement of the user's gets: the module that its names come from, else the topmost one.

    Args:
        names: those after `from path import`; None or none for `import path`.
        load: finds what is really there.

    Raises:
        MissingModuleError: there is none; it says what was meant.
    """
    root = path.partition(".")[0]
    if root == "numpy":
        return numpy_names.renewed(load(path) if names else load(path) and load(root))
    if root == "sklearn":
        return _mended(path, names, load)
    if root == "tensorboard":
        return importlib.import_module("doltap.compat.hyperparameters").answer(path, names)
    found = _asked_in_passing(path)
    if names and "*" in names:
        fill(found)
    return found if names else module(root)


def _asked_in_passing(path: str) -> Any:
    """The module of that path, or what stands in for one that Keras or TensorFlow has and doltap lacks."""
    try:
        return _asked(path)
    except MissingModuleError as missing:
        place, _, name = _today(path).rpartition(".")
        if not _was_there(place, name):
            raise
        return stand_ins.Absent(path, missing)


def _asked(path: str) -> Any:
    """The module of that path; the error says so where a class or function has that name."""
    wake()
    try:
        return module(path)
    except MissingModuleError as error:
        place, _, name = path.rpartition(".")
        today = _today(place)
        if today not in PLACES or not _found(today, name, is_told=False):
            raise
        told = MissingModuleError(
            place,
            expected="a module it has",
            got=f"'{name}', which is no module",
            fix=f"Write: from {place} import {name}",
        )
        told.name = error.name
        raise told from None


def wake() -> None:
    """Let what programs call by hand give tensors, as long as the aliases are installed."""
    if _BY_HAND not in sys.modules:
        with settling.loading():
            importlib.import_module(_BY_HAND)
    sys.modules[_BY_HAND].switch_on()
    importlib.import_module(f"{_FACADE}.data.at_hand").enter_all()
    vars(sys.modules[_FACADE]).setdefault("keras", module("keras"))


def rest() -> None:
    """Let what programs call by hand give arrays again."""
    if _BY_HAND in sys.modules:
        sys.modules[_BY_HAND].switch_off()


def leaf(path: str, load: Callable[..., Any]) -> Any:
    """The module of a path itself, as `importlib.import_module` gives it."""
    if path.partition(".")[0] in ("numpy", "sklearn", "tensorboard"):
        return answer(path, ["__name__"], load)
    return _asked(path)


@functools.cache
def module(path: str) -> Any:
    """The module of Keras or TensorFlow of that path.

    >>> module("tensorflow.keras.layers") is module("keras.src.layers")
    True
    >>> module("keras.layers.core").Dense
    <class 'doltap.layers.dense.Dense'>
    """
    today = _today(path)
    if today != path:
        return module(today)
    if path.partition(".")[0] == "tensorflow" and path not in PLACES:
        return _of_tensorflow(path)
    if path not in PLACES:
        raise _no_module(path)
    if PLACES[path] and not list(_sources(path)):
        raise _no_module(path)
    return (_CallableAlias if path in CALLED else Alias)(path)


def _today(path: str) -> str:
    """The path of the tables that stands for this one."""
    today = path
    while prefix := _longest(today, PREFIXES):
        today = PREFIXES[prefix] + today[len(prefix) :]
    place = _longest(today, PLACES)
    if place in ("", today) or _longest(today, GONE):
        return today
    # The files of Keras itself have moved with every version, and those of an old place within it.
    is_old = place.count(".") and f"keras.{PLACES[place]}" != place and place.startswith("keras.")
    return place if is_old or path.startswith(_INSIDES) else today


def _longest(path: str, table: dict[str, str]) -> str:
    while path and path not in table:
        path = path.rpartition(".")[0]
    return path


def _of_tensorflow(path: str) -> Any:
    """What stands in the facade under the path."""
    found: Any = module("tensorflow")
    for name in path.split(".")[1:]:
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise _no_module(path, error) from None
    return found


def fill(found: Any) -> None:
    """Look all names of a module up at once, as `from module import *` does, without a word on each."""
    if isinstance(found, numpy_names.Renewed):
        found.fill()
    if not isinstance(found, Alias):
        return
    path = found.__name__
    for name in _public(path):
        if there := _found(path, name, is_told=False):
            vars(found)[name] = there[0]
    vars(found)["__all__"] = [*_public(path), *_lacked(path)]
    first = (PLACES[path].split() or ["compat"])[0]
    if not first.startswith("compat") and f"keras.{first}".rstrip(".") != path:
        old_names.note("module", path, f"keras.{first}".rstrip("."))


def spec(path: str, find: Callable[..., Any]) -> ModuleSpec | None:
    """What `importlib.util.find_spec` says of a path; None where nothing is."""
    if path.partition(".")[0] in ("numpy", "sklearn", "tensorboard"):
        return find(path)
    try:
        module(path)
    except MissingModuleError:
        return None
    return ModuleSpec(path, None, is_package=True)


def mistyped(name: str) -> MissingModuleError | None:
    """The error for a module that looks like one of ours, "kears", or that needs TensorFlow; else None."""
    if name in PACKAGES:
        return _not_there("a package that does without TensorFlow", name, PACKAGES[name])
    # Nobody means that one.
    known = sorted(ROOTS - {"tensorflow_core"} | {"doltap", "pandas", "matplotlib"})
    near = [
        each for each in difflib.get_close_matches(name, known, n=1, cutoff=0.75) if len(each) - len(name) < 3
    ]
    if not near or len(name) - len(near[0]) > 2:
        return None
    return _not_there("a module that is installed", name, f"Did you mean '{near[0]}'?")


def _not_there(expected: str, name: str, fix: str) -> MissingModuleError:
    error = MissingModuleError("import", expected=expected, got=repr(name), fix=fix)
    error.name = name
    return error


def forget() -> None:
    """Look every module up anew when it is next asked for."""
    module.cache_clear()


def _found(path: str, name: str, *, is_told: bool = True) -> tuple[Any] | None:
    """What stands under the name in the module of that path, in a tuple; None where nothing does."""
    inner = f"{path}.{name}"
    if inner in THINGS:
        return (_thing(inner, is_told),)
    if inner in PREFIXES or (inner in PLACES and _is_there(inner)):
        return (module(inner),)
    for place, source in _sources(path):
        found = _named(source, name)
        if found is not None:
            if is_told:
                _tell(path, place, name, found[0])
            return found
    return None


def _is_there(path: str) -> bool:
    return not PLACES[path] or any(True for _ in _sources(path))


def _thing(path: str, is_told: bool) -> Any:
    place, _, name = THINGS[path].rpartition(".")
    if is_told:
        old_names.note("module", path, f"keras.{THINGS[path]}")
    return getattr(importlib.import_module(f"doltap.{place}"), name)


def _sources(path: str) -> Iterator[tuple[str, ModuleType]]:
    """The modules of doltap that answer for a path and are there, each with its name below doltap."""
    for place in PLACES[path].split():
        full = f"doltap.{place}".rstrip(".")
        if _exists(full):
            yield place, importlib.import_module(full)


@functools.cache
def _exists(full: str) -> bool:
    try:
        return full in sys.modules or importlib.util.find_spec(full) is not None
    except ModuleNotFoundError:
        return False


def _named(source: ModuleType, name: str) -> tuple[Any] | None:
    """What the module has under a name it offers, or under the old name of one; in a tuple."""
    has = vars(source)
    offered = has.get("__all__")
    if name in (has if offered is None else offered) and not name.startswith("_"):
        return (getattr(source, name),)
    try:
        return (has["__getattr__"](name),) if "__getattr__" in has else None
    except (MissingAttributeError, MissingNameError):
        return None


def _tell(path: str, place: str, name: str, found: Any) -> None:
    """Let those who listen hear of a path that has changed."""
    if place.startswith("compat"):
        return
    today = f"keras.{place}".rstrip(".")
    if today != path:
        old_names.note("module", f"{path}.{name}", f"{today}.{getattr(found, '__name__', name)}")


def _public(path: str) -> list[str]:
    """The names that `from path import *` gives."""
    names: set[str] = set()
    for _, source in _sources(path):
        names.update(vars(source).get("__all__", dir(source)))
    return sorted(name for name in names if not name.startswith("_"))


def _lacked(path: str) -> list[str]:
    """The names that Keras's module of that path has, and doltap's lacks."""
    rows = [row for place, _ in _sources(path) for row in LACKS.get(place.strip("."), ())]
    return [name for row in rows for name in row.names if name != "*"]


def _was_there(path: str, name: str) -> bool:
    """Whether the module of that path has the name where Keras and TensorFlow are installed.

    Of the insides of TensorFlow nothing is known; editors write imports of
    them into programs on their own.
    """
    if path.startswith("tensorflow.python"):
        return True
    known = _reason(f"{path}.{name}") or (path in PLACES and _reason_in_sources(path, name))
    return path.startswith("keras") and bool(known)


def _children(path: str) -> list[str]:
    """The modules that stand directly below a path, and are there."""
    inner = (place.removeprefix(f"{path}.") for place in PLACES if place.startswith(f"{path}."))
    return [name for name in inner if "." not in name and _is_there(f"{path}.{name}")]


def _reason(path: str) -> str | None:
    """Why there is nothing under a path that was right once; None where it never was."""
    if gone := _longest(path, GONE):
        return GONE[gone]
    root, _, below = path.partition(".")
    if root == "tensorflow":
        reasons: dict[str, str] = importlib.import_module(_LACKING).REASONS
        inside = _INSIDE if below.startswith("python.") else None
        return reasons.get(below.removeprefix("compat.v1."), inside)
    lack = lack_of("wrappers" if root == "scikeras" else below)
    return f"It is {lack.fate}: {lack.why}" if lack else None


def _lacking(path: str, name: str, *, is_import: bool) -> MissingAttributeError | MissingNameError:
    """The error for a name that the module of that path has not."""
    kind: Any = MissingNameError if is_import else MissingAttributeError
    fix = _reason(f"{path}.{name}") or _reason_in_sources(path, name) or _elsewhere(name)
    if not fix:
        guess = closest(name, [*dir(module(path)), *_lacked(path)])
        fix = f"Did you mean '{guess}'?" if guess else f"dir({path}) lists those it has."
    return kind(path, expected="a name it has", got=repr(name), fix=fix)


def _reason_in_sources(path: str, name: str) -> str | None:
    """What the first module that knows of the name says of it."""
    for place, source in _sources(path):
        told = ""
        try:
            vars(source).get("__getattr__", lambda _: None)(name)
        except DoltapError as error:
            told = error.parts["fix"]
        today = f"keras.{name}" if place == "." else f"keras.{place}.{name}"
        if today in GONE or (told and not told.startswith(_GUESSES)):
            return _reason(today) or told
    return None


def _elsewhere(name: str) -> str | None:
    """Where a name is that was looked for in the wrong module."""
    for place in _USED:
        if name in _public(f"keras.{place}"):
            return f"It stands in keras.{place}."
    return None


def _no_module(path: str, error: Exception | None = None) -> MissingModuleError:
    """The error for a module that is not there, with the reason or the nearest one."""
    place = path.rpartition(".")[0]
    fix = _reason(path) or (error.parts["fix"] if isinstance(error, DoltapError) else None)
    if not fix:
        near = [f"{place}.{each}" for each in _children(place)] if place in PLACES else list(PLACES)
        guess = next(iter(difflib.get_close_matches(path, near, n=1, cutoff=0.8)), None)
        fix = f"Did you mean '{guess}'?" if guess else f"dir({path.partition('.')[0]}) lists those it has."
    missing = MissingModuleError(place or path, expected="a module it has", got=f"'{path}'", fix=fix)
    missing.name = path
    return missing


class _Mended(ModuleType):
    """A module of a library, and what it has lost."""

    def __init__(self, path: str, load: Callable[..., Any]) -> None:
        super().__init__(path)
        if _exists(path):
            self._real = load(path)
            vars(self).update(vars(self._real))
        # The library's own answer for lost names is an error; its modules are looked up when asked for.
        for name in ["__getattr__", *(each.rpartition(".")[2] for each in _mended_places())]:
            vars(self).pop(name, None)

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}"
        if path in _mended_places() and _exists(path):
            return _mended_module(path)
        if path in LIBRARIES and _exists(LIBRARIES[path]) and not _exists(path):
            return importlib.import_module(LIBRARIES[path])
        if path not in LIBRARY_THINGS:
            return getattr(vars(self).get("_real"), name)
        place, _, thing = LIBRARY_THINGS[path].rpartition(".")
        old_names.note("module", path, f"doltap.{LIBRARY_THINGS[path]}")
        return getattr(importlib.import_module(f"doltap.{place}"), thing)

    def __reduce__(self) -> tuple[Any, ...]:
        return _mended_module, (self.__name__,)


@functools.cache
def _mended_module(path: str) -> _Mended:
    return _Mended(path, importlib.import_module)


@functools.cache
def _mended_places() -> frozenset[str]:
    return frozenset(each.rpartition(".")[0] for each in LIBRARY_THINGS)


def _mended(path: str, names: Sequence[str] | None, load: Callable[..., Any]) -> Any:
    """A module of a library, or where its things are since it is gone."""
    gone = [path, *(f"{path}.{name}" for name in names or ())]
    lost = [each for each in gone if each in LIBRARIES and not _exists(each)]
    root = path.partition(".")[0]
    for each in lost:
        old_names.note("module", each, LIBRARIES[each])
    if names and path in lost:
        return load(LIBRARIES[path])
    if names and not lost and _mended_places().isdisjoint(gone):
        return load(path)
    if path not in lost:
        load(path)
    # Programs go on from the topmost module: sklearn.datasets.load_boston().
    return _mended_module(path if names else root)
