"""Every test of the searches begins from the same random numbers."""

from __future__ import annotations

import pytest

import doltap

pytest.importorskip("sklearn")


@pytest.fixture(autouse=True)
def _same_start():
    doltap.utils.set_random_seed(0)
