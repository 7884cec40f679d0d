"""The facade by itself, with calls by hand switched on for the time of a test."""

import pytest

import doltap.compat.tensorflow as facade
from doltap.compat.tensorflow import by_hand


@pytest.fixture
def tf():
    by_hand.switch_on()
    yield facade
    by_hand.switch_off()
