"""What is changed in libraries when a program that is run imports them.

Processes that the program starts are to see the aliases, too; and a machine
without a screen is to show no figures instead of failing. Nothing is loaded
that the program does not ask for.
"""

from __future__ import annotations

import functools
import importlib.machinery
import inspect
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
    """Mend nothing more; numbers are shown, and models answer, as they do today."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Watch)]
    _answer_with_arrays()
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


def _answer_with_numbers(models: Any) -> None:
    """Let what a model predicts be a number where it is one: float(model.predict(x)[0])."""
    if int(sys.modules["numpy"].__version__.partition(".")[0]) < 2:
        return
    answers = importlib.import_module("doltap.compat.answers")
    for kind, name in _answering(models):
        if not hasattr(getattr(kind, name), "usual"):
            setattr(kind, name, answers.with_numbers(getattr(kind, name)))


def _answer_with_arrays() -> None:
    for kind, name in _answering(sys.modules.get("doltap.models.trainer")):
        method = getattr(kind, name)
        setattr(kind, name, getattr(method, "usual", method))


def _answering(models: Any) -> list[tuple[Any, str]]:
    """The methods of models that give predictions, and the classes in which they stand."""
    kinds = getattr(models, "Trainer", object).__mro__
    return [(kind, name) for kind in kinds for name in vars(kind) if name.startswith("predict")]


# What an old word of pandas's readers says in those of today.
_READING: dict[str, Callable[[Any], dict[str, Any]]] = {
    "delim_whitespace": lambda value: {"sep": r"\s+"} if value else {},
    "error_bad_lines": lambda value: {} if value else {"on_bad_lines": "skip"},
    "infer_datetime_format": lambda value: {},
    "mangle_dupe_cols": lambda value: {},
    "squeeze": lambda value: {},
    "warn_bad_lines": lambda value: {},
}


def _read_in_old_words(pandas: Any) -> None:
    """Let `read_csv` and `read_table` take the words they took before pandas 2 and 3."""
    for name in ("read_csv", "read_table"):
        read = getattr(pandas, name)
        if not hasattr(read, "takes_old_words"):
            setattr(pandas, name, _in_old_words(read))


def _in_old_words(read: Callable[..., Any]) -> Callable[..., Any]:
    lost = _READING.keys() - inspect.signature(read).parameters.keys()

    @functools.wraps(read)
    def read_table(*arguments: Any, **keywords: Any) -> Any:
        old = {word: keywords.pop(word) for word in lost & keywords.keys()}
        for word, value in old.items():
            keywords |= _READING[word](value)
        table = read(*arguments, **keywords)
        return table.squeeze("columns") if old.get("squeeze") else table

    read_table.takes_old_words = True  # type: ignore[attr-defined]
    return read_table


_MENDS: dict[str, Callable[[Any], None]] = {
    "multiprocessing.spawn": _tell_children,
    "joblib.externals.loky.backend.spawn": _tell_children,
    "multiprocessing.forkserver": _leave_main_to_children,
    "matplotlib": _ignore_windows,
    "numpy": _show_bare_numbers,
    "pandas": _read_in_old_words,
    "doltap.models.trainer": _answer_with_numbers,
    "tqdm.notebook": _draw_bars_as_text,
}
