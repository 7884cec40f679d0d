"""The facade by itself, with calls by hand switched on for the time of a test."""

import pytest

import doltap.compat.tensorflow as facade
from doltap.compat.tensorflow import by_hand


@pytest.fixture
def tf(monkeypatch):
    # Which the comparisons with Keras set, and which a program sets that is written in JAX.
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    by_hand.switch_on()
    yield facade
    by_hand.switch_off()
