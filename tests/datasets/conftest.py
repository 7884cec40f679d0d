"""What the tests of data sets share: a machine on which no data set lies anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `own`, `cache`, `keras` and `system` are all that is searched."""
    monkeypatch.delenv("DOLTAP_DATASETS", raising=False)
    monkeypatch.delenv("DOLTAP_OFFLINE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("DOLTAP_SYSTEM_DATASETS", str(tmp_path / "system"))
    # The tests' server is on this machine, whatever proxy the network needs.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path
