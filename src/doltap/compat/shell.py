"""IPython as the cells of a notebook find it, in this process and without a screen.

What cells show goes to `Outputs`; what needs a notebook in a browser says in
one line what to do instead.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

import IPython
from IPython.core import page
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from doltap.compat import tracebacks
from doltap.compat.outputs import Outputs

__all__ = ["Shell"]

_IPYTHON = os.path.join(str(pathlib.Path(IPython.__file__).parent), "")
_PIP = re.compile(r"\s*(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+|uv\s+)?(?:pip[\d.]*|conda)\s+install\s(.*)$")
# What is often written behind it: where its words go.
_AWAY = re.compile(r"(?:\s*(?:2>&1|[12&]?>>?\s*/dev/null))+\s*$")
_PACKAGES = re.compile(
    r"tensorflow(-(cpu|gpu|macos|metal|intel))?|tf-nightly(-gpu)?|tf-keras(-nightly)?|keras(-(nightly|core|preprocessing))?"
)
# The magics %time and %%time compile what they run under this name.
_TIMED = "<timed exec>"


class _Compiler(CachingCompiler):
    """Names the code of a cell after the notebook and the cell, as it stands in tracebacks."""

    cell = "cell"

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return self.cell


class _Display(DisplayPublisher):
    """What `display(...)` gives to."""

    def publish(self, data: Any, metadata: Any = None, *rest: Any, **keywords: Any) -> None:
        known_as = (keywords.get("transient") or {}).get("display_id")
        if keywords.get("update") and known_as:
            self.shell.outputs.update(data, metadata, known_as)
        else:
            self.shell.outputs.display(data, metadata, known_as)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


class _LastLine(DisplayHook):
    """What the value of the last line is given to."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        assert self.shell is not None
        self.shell.outputs.result(format_dict, md_dict)

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """IPython whose outputs are collected, and whose errors begin in the user's own lines."""

    compiler_class = Type(_Compiler)
    display_pub_class = Type(_Display)
    displayhook_class = Type(_LastLine)
    compile: Any
    outputs: Outputs
    load_as_before: Callable[[str], Any]
    path = ""
    is_leaving = False
    # The last error: its text, and the line of the cell at which it left it.
    told: str | None = None
    line: int | None = None

    @classmethod
    def made(cls, outputs: Outputs, path: str, module: Any, folder: str) -> Shell:
        """A shell for the notebook of that path; IPython may write to the folder."""
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.warn_venv = False
        cls.outputs, cls.path = outputs, path
        shell = cls.instance(config=config, ipython_dir=folder, user_module=module)
        # Under Jupyter nobody is told how to leave a terminal.
        warnings.filterwarnings("ignore", message="To exit: use")
        shell.set_hook("show_in_pager", page.as_hook(page.display_page), 90)
        shell.load_as_before = shell.find_line_magic("load_ext")
        for name in ("load_ext", "reload_ext", "pip", "conda", "tensorboard", "tensorflow_version"):
            shell.register_magic_function(getattr(shell, f"_{name}"), "line", name)
        return shell

    def run_numbered(self, source: str) -> BaseException | None:
        """Run a cell; the error that ended it, if one did."""
        self.compile.cell = f"{self.path}, cell {self.execution_count}"
        self.told = self.line = None
        result = self.run_cell(source, store_history=True)
        return result.error_before_exec or result.error_in_exec

    # Errors.

    def showtraceback(self, exc_tuple: Any = None, *given: Any, **keywords: Any) -> None:
        """Note an error down as Python shows it, from the lines of the cells on."""
        _, error, trace = exc_tuple or sys.exc_info()
        if error is None:
            return
        if isinstance(error, SyntaxError) and error.filename == self.compile.cell:
            self.line, trace = error.lineno, None
        self.told = "".join(self._lines(error, trace))
        self.outputs.error(type(error).__name__, str(error), self.told.splitlines())

    def showsyntaxerror(self, filename: Any = None, running_compiled_code: bool = False) -> None:
        """The same for a line that is no Python."""
        self.showtraceback()

    def showindentationerror(self) -> None:
        """The same for a line that does not stand where it should."""
        self.showsyntaxerror()

    def _lines(self, error: BaseException, trace: TracebackType | None) -> list[str]:
        """The error as Python shows it, from the first line of a cell on."""
        told = traceback.TracebackException(type(error), error, tracebacks.shortened(error, trace))
        frames = [each for each in told.stack if not each.filename.startswith(_IPYTHON)]
        starts = [n for n, each in enumerate(frames) if each.filename in (self.compile.cell, _TIMED)]
        if starts:
            first = next((n for n in starts if frames[n].filename == _TIMED), starts[0])
            frames = [self._of_cell(each) if each.filename == _TIMED else each for each in frames[first:]]
            self.line = frames[0].lineno
            self.line = next(f.lineno for f in reversed(frames) if f.filename == self.compile.cell)
        if type(error).__name__ == "UsageError":
            frames = frames[:1]
        told.stack = traceback.StackSummary.from_list(frames)
        return list(told.format())

    def _of_cell(self, frame: traceback.FrameSummary) -> traceback.FrameSummary:
        """A frame of what `%%time` runs, under the line it has in the cell."""
        line = (frame.lineno or 0) + 1
        return traceback.FrameSummary(self.compile.cell, line, frame.name, line=frame.line)

    # What needs a browser, or another process.

    def ask_exit(self) -> None:
        """End the notebook with this cell: what `exit` and `quit` do."""
        self.is_leaving = True

    def enable_gui(self, gui: Any = None) -> None:
        """Nothing: there are no windows."""

    def enable_matplotlib(self, gui: Any = None) -> Any:
        """Show figures below the cells, whatever was asked for."""
        if gui not in (None, "inline", "auto", "agg"):
            print(f"doltap: '%matplotlib {gui}' shows figures as '%matplotlib inline' does.")
        return super().enable_matplotlib("inline")

    def system(self, cmd: str) -> None:
        """Run a line that begins with `!`."""
        left = _without_packages(self.var_expand(cmd, depth=1))
        if left and _PIP.match(left):
            # It would go to whichever Python the shell finds first.
            print(f"doltap: skipped: {left.strip()}")
        elif left:
            super().system(left)

    def _pip(self, line: str) -> None:
        left = _without_packages(f"pip {line}")
        if left:
            super().system(f"{shlex.quote(sys.executable)} -m {left}")

    def _conda(self, line: str) -> None:
        left = _without_packages(f"conda {line}")
        if left:
            super().system(left)

    def _load_ext(self, name: str) -> None:
        if name.split(".")[0] == "tensorboard":
            print("doltap: TensorBoard opens in a browser; after the notebook: tensorboard --logdir FOLDER")
        elif name != "doltap":
            self.load_as_before(name)

    _reload_ext = _load_ext

    def _tensorboard(self, line: str) -> None:
        print(f"doltap: to look at the logs, in another terminal: tensorboard {line}")

    def _tensorflow_version(self, line: str) -> None:
        print("doltap: there is one version here; %tensorflow_version changes nothing.")


def _without_packages(command: str) -> str | None:
    """The command without the packages that doltap stands for; None where nothing is left to install."""
    found = _PIP.match(command)
    if found is None:
        return command
    # Without quotes, `tensorflow>=2` would be a redirection to a file "=2"; nobody means that.
    text = re.sub(r"(?<=[\w\]])[<>]=", "==", _AWAY.sub("", found[1]))
    words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    ours = [word for word in words if _PACKAGES.fullmatch(_package(word))]
    if not ours or any(set(word) <= set("();<>|&") for word in words):
        return command
    print(f"doltap: '{' '.join(ours)}' is not installed: doltap answers for it here.")
    left = [word for word in words if word not in ours]
    if all(word.startswith("-") for word in left):
        return None
    return command[: found.start(1)] + shlex.join(left)


def _package(word: str) -> str:
    name = re.split(r"[=<>~!\[ ;]", word, maxsplit=1)[0]
    return name.lower().replace("_", "-")
