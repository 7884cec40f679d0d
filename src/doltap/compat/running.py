"""A program is run as Python runs it, and finds doltap where it asks for Keras or TensorFlow.

What it sees of itself is what `python program.py` would show it: `__main__`,
`sys.argv`, `sys.path`, tracebacks that begin in its own file, the exit status.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from doltap.compat import mending, settling, tracebacks
from doltap.compat.imports import install
from doltap.errors import ProgramError, closest

__all__ = ["Program", "from_code", "from_file", "from_module", "main_module", "read", "run", "under_aliases"]

# What begins like this is no text, whatever it is called.
_KINDS = {
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"PK\x03\x04": "a zip archive",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUM": "an array of NumPy",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program for the machine itself",
}
_SUFFIXES = ("", ".py", ".pyw")


class Program(NamedTuple):
    """What is run, what it sees of itself in its module, and what stands first in `sys.path`."""

    code: CodeType
    names: dict[str, Any]
    words: list[str]
    folder: str


def run(program: Program) -> None:
    """Run a program as `__main__`, with all its exceptions, which begin in its own lines."""
    under_aliases(program.words, program.folder)
    main = main_module(program.names)
    try:
        exec(program.code, vars(main))
    except SystemExit:
        raise
    except BaseException as error:
        # What runs the program is no part of it.
        tracebacks.show_from(error, error.__traceback__ and error.__traceback__.tb_next)
        raise


def under_aliases(words: Sequence[str], folder: str | None) -> None:
    """Let what comes see doltap as Keras, and itself as started alone with those words.

    Args:
        words: what `sys.argv` is to be.
        folder: where its own modules lie; None leaves the path as it is.
    """
    install()
    settling.claim()
    mending.watch()
    sys.argv[:] = words
    if folder is not None and not sys.flags.safe_path:
        # There stood the folder of the command that was called.
        sys.path[0] = folder


def main_module(names: dict[str, Any]) -> ModuleType:
    """A fresh `__main__` with these names in it."""
    main = ModuleType("__main__")
    vars(main).update({"__builtins__": importlib.import_module("builtins"), **names})
    sys.modules["__main__"] = main
    return main


def from_code(code: str, arguments: Sequence[str]) -> Program:
    """The program that the words after `-c` are."""
    return Program(_compiled(code, "<string>"), {}, ["-c", *arguments], "")


def from_file(path: str, arguments: Sequence[str]) -> Program:
    """The program in a file.

    Raises:
        ProgramError: there is no program in it, or no such file.
    """
    source = read(path)
    full = os.path.abspath(path)
    code = _compiled(source, full) if path.endswith(_SUFFIXES[1:]) else _compiled_if_python(source, path)
    names = {"__file__": full, "__cached__": None}
    return Program(code, names, [path, *arguments], os.path.dirname(os.path.realpath(path)))


def from_module(name: str, arguments: Sequence[str]) -> Program:
    """The program that a module is, or the `__main__` of a package, as after `python -m`.

    Raises:
        ProgramError: there is no such module, or it cannot be run.
    """
    folder = os.getcwd()
    # Its package is imported on the way to it.
    under_aliases(["-m", *arguments], folder)
    spec = _spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name, spec = f"{name}.__main__", _spec(f"{name}.__main__")
    code = getattr(spec.loader, "get_code", lambda name: None)(name) if spec is not None else None
    if spec is None or code is None:
        raise ProgramError(
            "doltap run -m",
            expected="a module that can be run",
            got=repr(name),
            fix="Write its name without .py, and call from the folder in which it lies.",
        )
    file = spec.origin or name
    about = {"__file__": file, "__spec__": spec, "__loader__": spec.loader, "__package__": spec.parent}
    return Program(code, {**about, "__cached__": spec.cached}, [file, *arguments], folder)


def _spec(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):
        return None


def _compiled(source: Any, name: str) -> CodeType:
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        tracebacks.show_from(error, None)
        raise


def _compiled_if_python(source: bytes, path: str) -> CodeType:
    """The code of a file whose name does not say that it is a program."""
    try:
        return compile(source, os.path.abspath(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        raise _no_program(path, f"a file in which something else stands{where}") from None


def read(path: str) -> bytes:
    """The bytes of a program; an error in words for what cannot be one."""
    if os.path.isdir(path):
        inside = sorted(name for name in os.listdir(path) if name.endswith((".py", ".ipynb")))
        listed = f" In it are: {', '.join(inside[:8])}." if inside else ""
        raise _no_program(path, "a folder", f"Name the program in it.{listed}")
    try:
        with open(path, "rb") as file:
            source = file.read()
    except FileNotFoundError:
        raise _no_program(path, "nothing there", _nearest(path)) from None
    except OSError as error:
        raise _no_program(path, f"'{error.strerror}'", "Check the file and who may read it.") from None
    kind = next((kind for start, kind in _KINDS.items() if source.startswith(start)), None)
    if kind or b"\0" in source[:4096]:
        raise _no_program(path, kind or "a file that is not text")
    return source


def _no_program(path: str, got: str, fix: str = "Name a .py file or an .ipynb notebook.") -> ProgramError:
    return ProgramError(f"doltap run {path}", expected="a Python program or a notebook", got=got, fix=fix)


def _nearest(path: str) -> str:
    """What is there instead of a file that is not."""
    folder, name = os.path.split(path)
    try:
        files = os.listdir(folder or os.curdir)
    except OSError:
        return "Its folder is not there either; check the path."
    programs = [file for file in files if file.endswith((".py", ".ipynb"))]
    guess = next((file for file in programs if os.path.splitext(file)[0] == name), closest(name, programs))
    return f"Did you mean '{os.path.join(folder, guess)}'?" if guess else "Check the name and the folder."
