"""What imports in the user's own files find: doltap, where they say Keras or TensorFlow.

Only the import statement changes, and only for the user's files; `sys.modules`
holds what is really there, and so do installed packages.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from doltap.compat import asking
from doltap.old_modules import PACKAGES, ROOTS

__all__ = ["install", "is_installed", "real", "uninstall"]

_MODULES = "doltap.compat.modules"


class _Hook:
    """Python's three ways to a module, each asked for by everybody and answered differently to the user."""

    def __init__(self) -> None:
        self.is_on = False
        self.load: Callable[..., Any] = builtins.__import__
        self.load_by_path: Callable[..., Any] = importlib.import_module
        self.find_spec: Callable[..., Any] = importlib.util.find_spec

    def put(self) -> None:
        """Answer from now on."""
        if self.is_on:
            return
        self.load, builtins.__import__ = builtins.__import__, _load
        self.load_by_path, importlib.import_module = importlib.import_module, _load_by_path
        self.find_spec, importlib.util.find_spec = importlib.util.find_spec, _find_spec
        self.is_on = True

    def remove(self) -> None:
        """Let Python answer again; what somebody else has put over it since stays."""
        if builtins.__import__ is _load:
            builtins.__import__ = self.load
        if importlib.import_module is _load_by_path:
            importlib.import_module = self.load_by_path
        if importlib.util.find_spec is _find_spec:
            importlib.util.find_spec = self.find_spec
        self.is_on = False
        if _MODULES in sys.modules:
            sys.modules[_MODULES].rest()


_hook = _Hook()


def install() -> None:
    """Let the imports of the user's own files find doltap as `keras`, `tensorflow.keras` and so on.

    `tensorflow` is a small facade, and `numpy` has the names it has lost. What
    was imported before stays what it is.

    >>> install()
    >>> is_installed()
    True
    >>> uninstall()
    """
    _hook.put()


def uninstall() -> None:
    """Let all imports find what is really there again."""
    _hook.remove()


def is_installed() -> bool:
    """Whether the imports of the user's own files find doltap."""
    return _hook.is_on


def real(name: str) -> ModuleType:
    """The module that is really installed under a name, such as "keras", whoever asks."""
    found: ModuleType = _hook.load_by_path(name) if _hook.is_on else importlib.import_module(name)
    return found


def _load(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    root = name.partition(".")[0]
    if level or root not in ROOTS or not _hook.is_on:
        return _load_other(name, globals, locals, fromlist, level)
    if not asking.is_users_code(globals, sys._getframe(1)):
        return _hook.load(name, globals, locals, fromlist, level)
    return _aliases().answer(name, fromlist, _hook.load_by_path)


def _load_other(name: str, globals: Any, locals: Any, fromlist: Sequence[str] | None, level: int) -> Any:
    try:
        return _hook.load(name, globals, locals, fromlist, level)
    except ModuleNotFoundError as error:
        # "kears" is nobody's module; whose typing mistake it is, the line tells.
        root = name.partition(".")[0]
        # Some are installed, and find no TensorFlow.
        if level == 0 and (error.name == root or root in PACKAGES) and _hook.is_on:
            _explain(root, globals, sys._getframe(2))
        raise


def _explain(root: str, globals: Any, frame: Any) -> None:
    if asking.is_users_code(globals, frame) and (better := _aliases().mistyped(root)):
        raise better from None


def _load_by_path(name: str, package: str | None = None) -> Any:
    is_ours = name.partition(".")[0] in ROOTS and asking.is_users_code(None, sys._getframe(1))
    if not is_ours or not _hook.is_on:
        return _hook.load_by_path(name, package)
    return _aliases().leaf(name, _hook.load_by_path)


def _find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
    is_ours = name.partition(".")[0] in ROOTS and asking.is_users_code(None, sys._getframe(1))
    if not is_ours or not _hook.is_on:
        return _hook.find_spec(name, package)
    return _aliases().spec(name, _hook.find_spec)


def _aliases() -> Any:
    # Installing costs next to nothing, because the aliases are loaded when the first is asked for.
    return _hook.load_by_path(_MODULES)
