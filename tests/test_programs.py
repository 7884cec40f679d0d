"""Programs in every dialect from Keras 1 to Keras 3 run unchanged; each asserts its own results."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from doltap import compat, config, layers, models, utils
from doltap.compat import mending, running

FOLDER = pathlib.Path(__file__).parent / "programs"
PROGRAMS = sorted(path.name for path in FOLDER.glob("[!_]*.py"))
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("[!_]*.ipynb"))
# Those that start processes or choose how figures are shown; the others can share this one.
ALONE = ["children.py", "history_plots.py"]


@pytest.fixture
def alike(monkeypatch, tmp_path):
    """What a program finds when it begins; afterwards all is as it was before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    # Where the command that was called would lie.
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(config, "_settings", dict(config._settings))
    yield
    compat.uninstall()
    mending.unwatch()
    for name in [name for name, module in sys.modules.items() if _lies_beside(module)]:
        del sys.modules[name]


def _lies_beside(module):
    return (getattr(module, "__file__", None) or "").startswith(str(FOLDER))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ALONE])
def test_a_program_runs(alike, name):
    utils.set_random_seed(42)
    running.run(running.from_file(str(FOLDER / name), []))
    assert any(isinstance(finder, mending.Watch) for finder in sys.meta_path)


def test_answers_are_plain_arrays_when_nothing_is_mended_any_more(alike):
    model = models.Sequential([layers.Dense(1)])
    mending.watch()
    assert float(model.predict(np.ones((2, 3)))[1]) == model.predict(np.ones((2, 3)))[1, 0]
    mending.unwatch()
    assert type(model.predict(np.ones((2, 3)))) is np.ndarray


def test_numbers_are_shown_as_before_when_nothing_is_mended_any_more(alike):
    before = repr(np.float32(0.5))
    mending.watch()
    mending.watch()
    assert repr(np.float32(0.5)) == "0.5"
    mending.unwatch()
    assert repr(np.float32(0.5)) == before != "0.5"
    assert not any(isinstance(finder, mending.Watch) for finder in sys.meta_path)


def doltap(folder, name):
    """A program in a process of its own."""
    path = os.pathsep.join([str(FOLDER.parents[1] / "src"), *filter(None, sys.path)])
    command = [sys.executable, "-m", "doltap", "run", str(FOLDER / name)]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("name", ALONE)
def test_a_program_runs_in_a_process_of_its_own(tmp_path, name):
    found = doltap(tmp_path, name)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(tmp_path, name):
    pytest.importorskip("IPython")
    pytest.importorskip("nbformat")
    found = doltap(tmp_path, name)
    assert found.returncode == 0, found.stderr


def test_there_are_programs_in_every_dialect():
    assert len(PROGRAMS) + len(NOTEBOOKS) >= 30
    for dialect in ("keras1", "keras2", "keras3", "tf1", "tf2", "notebook"):
        assert any(name.startswith(dialect) for name in PROGRAMS + NOTEBOOKS), dialect
