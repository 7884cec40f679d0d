"""What is changed in libraries when a program that is run imports them.

Processes that the program starts are to see the aliases, too; and a machine
without a screen is to show no figures instead of failing. Nothing is loaded
that the program does not ask for.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from doltap.compat.imports import install
from doltap.errors import ProgramError

__all__ = ["Aliases", "Watch", "begin", "keep_figures", "unwatch", "watch"]

FIGURES = "module://doltap.compat.figures"
FOLDER = "DOLTAP_FIGURES"
# How NumPy showed numbers before: what `unwatch` puts back.
_SHOWN: dict[str, Any] = {}


def begin() -> None:
    """What `doltap run` puts in place before a program begins; the processes it starts call it, too."""
    install()
    watch()


def watch() -> None:
    """From now on, mend each library of the list when it is imported."""
    if not any(isinstance(finder, Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, Watch())
    for name in _MENDS.keys() & sys.modules.keys():
        _MENDS[name](sys.modules[name])
    if not _has_screen():
        os.environ["MPLBACKEND"] = FIGURES


def unwatch() -> None:
    """Mend nothing more; numbers are shown again as NumPy shows them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Watch)]
    if "numpy" in sys.modules and _SHOWN:
        sys.modules["numpy"].set_printoptions(legacy=_SHOWN.pop("legacy"))


def keep_figures(folder: str) -> None:
    """Let figures be saved in a folder instead of shown, in this process and in those it starts."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ProgramError(
            "--figures", expected="a folder, or a name for one", got=f"'{folder}': {error.strerror}",
            fix="Choose another one.",
        ) from None  # fmt: skip
    os.environ[FOLDER] = os.path.abspath(folder)
    os.environ["MPLBACKEND"] = FIGURES


def _has_screen() -> bool:
    """Whether figures can be shown here: matplotlib asks the same on Linux."""
    if os.environ.get("MPLBACKEND", "").lower() in ("agg", FIGURES):
        return False
    if os.environ.get("MPLBACKEND") or not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Watch:
    """A finder of modules that finds what Python finds, and mends it once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python finds under the name, if it is one of the list; else nothing."""
        mend = _MENDS.get(name)
        if mend is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            _mend_after(spec.loader, mend)
        return spec


def _mend_after(loader: Any, mend: Callable[[Any], None]) -> None:
    load = loader.exec_module

    def load_and_mend(module: ModuleType) -> None:
        load(module)
        mend(module)

    loader.exec_module = load_and_mend


class Aliases:
    """What puts the aliases in place where it is unpickled: before a new process imports the program."""

    def __reduce__(self) -> tuple[Any, ...]:
        return begin, ()


def _tell_children(spawning: Any) -> None:
    prepare = spawning.get_preparation_data

    def get_preparation_data(*arguments: Any, **keywords: Any) -> Any:
        return {"doltap": Aliases(), **prepare(*arguments, **keywords)}

    if not hasattr(prepare, "__wrapped__"):
        get_preparation_data.__wrapped__ = prepare  # type: ignore[attr-defined]
        spawning.get_preparation_data = get_preparation_data


def _leave_main_to_children(forkserver: Any) -> None:
    # The server would import the program before anybody could put the aliases in place.
    forkserver.set_forkserver_preload([])


def _ignore_windows(matplotlib: Any) -> None:
    """Let `matplotlib.use("TkAgg")` and the like change nothing where there is no screen."""
    use = matplotlib.use

    def use_if_possible(backend: str, *arguments: Any, **keywords: Any) -> None:
        is_window = str(backend).lower() not in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")
        if not is_window or os.environ.get("MPLBACKEND") != FIGURES or backend == FIGURES:
            use(backend, *arguments, **keywords)

    if not hasattr(use, "__wrapped__"):
        use_if_possible.__wrapped__ = use  # type: ignore[attr-defined]
        matplotlib.use = use_if_possible


def _show_bare_numbers(numpy: Any) -> None:
    """Let `repr` of a number be the number, as before NumPy 2: old programs write tables with it."""
    if int(numpy.__version__.partition(".")[0]) >= 2:
        _SHOWN.setdefault("legacy", numpy.get_printoptions()["legacy"])
        numpy.set_printoptions(legacy="1.25")


def _draw_bars_as_text(notebook: Any) -> None:
    """Let tqdm's bars for notebooks be lines of text where their widgets are not installed."""
    if notebook.IProgress is None:
        notebook.tqdm = notebook.tqdm_notebook = notebook.std_tqdm


_MENDS: dict[str, Callable[[Any], None]] = {
    "multiprocessing.spawn": _tell_children,
    "joblib.externals.loky.backend.spawn": _tell_children,
    "multiprocessing.forkserver": _leave_main_to_children,
    "matplotlib": _ignore_windows,
    "numpy": _show_bare_numbers,
    "tqdm.notebook": _draw_bars_as_text,
}
