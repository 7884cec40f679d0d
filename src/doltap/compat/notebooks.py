"""A notebook is run from its first cell to its last, as Jupyter runs it, in this process.

The cells are IPython's to run; the file is nbformat's to read and write.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import pathlib
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from doltap.compat import imports, mending, running
from doltap.compat.outputs import Outputs, Stream
from doltap.errors import ProgramError, optional_package

__all__ = ["Notebook", "check_target", "load_ipython_extension", "read", "run", "unload_ipython_extension"]

_INLINE = "module://matplotlib_inline.backend_inline"


class Notebook(NamedTuple):
    """A notebook's path, and what is in it in the form of nbformat 4."""

    path: str
    content: Any


def read(words: list[str]) -> Notebook:
    """The notebook that the words after `doltap run` name.

    Raises:
        ProgramError: there is none, it is damaged, or it is written in another language.
        MissingPackageError: what runs notebooks is not installed.
    """
    path = words[-1]
    if len(words) > 1:
        raise ProgramError(
            f"doltap run {path}",
            expected="no arguments for a notebook",
            got=" ".join(words[:-1]),
            fix="Set variables in its first cell.",
        )
    text = running.read(path)
    nbformat = optional_package("nbformat", extra="notebook", purpose="running notebooks")
    optional_package("IPython", extra="notebook", purpose="running notebooks")
    content = _content(nbformat, text, path)
    about = content.get("metadata", {})
    language = about.get("kernelspec", {}).get("language") or about.get("language_info", {}).get("name")
    if language and not str(language).lower().startswith(("python", "ipython")):
        raise ProgramError(
            path, expected="a notebook in Python", got=f"one in {language}", fix="Open it in Jupyter."
        )
    return Notebook(path, content)


def _content(nbformat: Any, text: bytes, path: str) -> Any:
    """What is in the file, in the form of nbformat 4."""
    try:
        found = json.loads(text.decode("utf-8-sig"))
        if not isinstance(found, dict) or not isinstance(found.get("nbformat", 2), int):
            raise ValueError("it is no notebook")
        if not isinstance(found.get("cells", found.get("worksheets")), list):
            raise ValueError("it has no cells")
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            return nbformat.reads(json.dumps(found), as_version=4)
    except Exception as error:
        # nbformat lets through whatever goes wrong in a damaged file.
        got = f"'{str(error).splitlines()[0] if str(error) else type(error).__name__}'"
        got = "an empty file" if not text.strip() else got
        raise ProgramError(path, expected="a notebook", got=got, fix="Save it anew in Jupyter.") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Small faults of a file are nobody's business."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def run(notebook: Notebook, out: str | None = None, *, goes_on: bool = False) -> int:
    """Run all cells, and return the exit status: 1 if a cell failed that should not.

    Args:
        out: where the notebook is written with its outputs; None writes nothing.
        goes_on: whether the cells after one that fails are run, too.
    """
    path, folder = os.path.abspath(notebook.path), os.environ.get(mending.FOLDER)
    out = None if out is None else os.path.abspath(out)
    running.under_aliases([path], os.path.dirname(path))
    # As in Jupyter, files are looked for beside the notebook, and figures stand below the cells.
    os.chdir(os.path.dirname(path))
    os.environ["MPLBACKEND"] = _INLINE
    outputs = Outputs(sys.stdout, folder, pathlib.Path(path).stem)
    with tempfile.TemporaryDirectory() as place, _collected(outputs):
        shell = importlib.import_module("doltap.compat.shell").Shell
        shell = shell.made(outputs, path, running.main_module({}), place)
        status = _run_cells(notebook.content, shell, outputs, goes_on)
    if out is not None:
        _write(notebook.content, out)
    elif outputs.num_pictures and folder is None:
        what = "1 figure is" if outputs.num_pictures == 1 else f"{outputs.num_pictures} figures are"
        print(f"doltap: {what} not shown: --out FILE or --figures FOLDER keeps them.", file=sys.stderr)
    return status


@contextlib.contextmanager
def _collected(outputs: Outputs) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        Stream(f"std{name}", outputs, to) for name, to in zip(("out", "err"), before, strict=True)
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _run_cells(content: Any, shell: Any, outputs: Outputs, goes_on: bool) -> int:
    cells = [cell for cell in content.get("cells", []) if cell.get("cell_type") == "code"]
    for cell in cells:
        cell["outputs"], cell["execution_count"] = [], None
    for cell in cells:
        source, tags = cell.get("source", ""), cell.get("metadata", {}).get("tags", [])
        source = "".join(source) if isinstance(source, list) else source
        if not source.strip() or "skip-execution" in tags:
            continue
        cell["execution_count"] = shell.execution_count
        cell["outputs"] = outputs.begin(shell.execution_count)
        error = shell.run_numbered(source)
        status = 0 if error is None else _said(error, shell, cell, goes_on or "raises-exception" in tags)
        if status or shell.is_leaving:
            return status
    return 0


def _said(error: BaseException, shell: Any, cell: Any, goes_on: bool) -> int:
    """Say what went wrong in a cell; the exit status, 0 if the next one is to be run."""
    # The notebook has it already.
    said = sys.__stderr__ or sys.stderr
    print(shell.told or f"{type(error).__name__}: {error}", end="", file=said)
    if isinstance(error, KeyboardInterrupt):
        return 130
    if goes_on:
        return 0
    line = f", line {shell.line}" if shell.line else ""
    name = os.path.basename(shell.path)
    print(
        f"doltap: {name} stopped at cell {cell['execution_count']}{line}; --allow-errors goes on.", file=said
    )
    return 1


def check_target(out: str | None) -> None:
    """An error where the notebook could not be written, before hours of cells."""
    if out is not None:
        importlib.import_module("doltap.files.writing").check_writable(out)


def _write(content: Any, out: str) -> None:
    """Write the notebook, whole or not at all."""
    nbformat = importlib.import_module("nbformat")
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        text = nbformat.writes(nbformat.from_dict(content)) + "\n"
    writing = importlib.import_module("doltap.files.writing")
    writing.write_aside(out, lambda aside: aside.write_text(text, encoding="utf-8"))


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext doltap` does: from now on, cells find doltap where they import Keras or TensorFlow."""
    imports.install()
    mending.watch()
    before = [name for name, value in ipython.user_ns.items() if _is_real(value)]
    if before:
        print(f"doltap: imported before, and left as it is: {', '.join(sorted(before))}. Import it again.")


def _is_real(value: Any) -> bool:
    is_module = isinstance(value, type(sys))
    return (
        is_module and value.__name__.split(".")[0] in ("keras", "tensorflow") and value.__spec__ is not None
    )


def unload_ipython_extension(ipython: Any) -> None:
    """What `%unload_ext doltap` does: imports find what is really there again."""
    imports.uninstall()
    mending.unwatch()
