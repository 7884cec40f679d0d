"""A training that was interrupted anywhere ends with the bits of one that was not."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from resumed_runs import RUNS, run

from doltap.files import checkpoint
from doltap.training import loop, resuming


@pytest.fixture
def every_step(monkeypatch):
    """Every step ends a call, and every state is written and stays."""
    monkeypatch.setattr(loop, "_FIRST_STEPS", 1)
    monkeypatch.setattr(loop, "_LONGEST_CALL_SECONDS", 0.0)
    monkeypatch.setattr(resuming, "_SECONDS", -1.0)
    monkeypatch.setattr(resuming, "_SHARE", 0.0)
    monkeypatch.setattr(checkpoint.Folder, "is_busy", lambda self: self.wait())
    make = checkpoint.Folder.__init__
    monkeypatch.setattr(checkpoint.Folder, "__init__", lambda self, path, keep: make(self, path, 10**6))


def states_in(folder):
    return sorted(folder.glob("state-*.h5"))


@pytest.mark.filterwarnings("ignore:The data ended after:UserWarning")
@pytest.mark.parametrize("name", RUNS)
def test_whatever_the_step_the_bits_are_those_of_a_run_without_interruption(name, tmp_path, every_step):
    (tmp_path / "whole").mkdir()
    whole = run(name, tmp_path / "whole")
    (tmp_path / "files").mkdir()
    assert run(name, tmp_path / "files", resume=tmp_path / "all") == whole
    states = states_in(tmp_path / "all")
    assert len(states) >= 5
    chosen = sorted({int(place) for place in np.linspace(0, len(states) - 1, 7)})
    for number in chosen:
        folder = tmp_path / f"from {number}"
        folder.mkdir()
        shutil.copy(states[number], folder)
        # What was in files when the state was written is no longer known; a later moment is.
        assert run(name, tmp_path / "files", resume=folder) == whole, number
