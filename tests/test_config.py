"""The switches of the process: each in one place, and each undone by the test that turned it."""

from __future__ import annotations

import numpy as np
import pytest

import doltap
from doltap import config
from doltap.errors import UnknownNameError
from doltap.layers import Dense


@pytest.fixture(autouse=True)
def restored():
    before = config.floatx(), config.epsilon()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])


def test_the_usual_settings_are_those_of_keras(keras):
    assert config.floatx() == keras.config.floatx() == "float32"
    assert config.epsilon() == keras.config.epsilon() == 1e-7


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_weights_are_made_in_the_chosen_type(name):
    config.set_floatx(name)
    layer = Dense(2)
    assert str(layer(np.ones((3, 4), np.float32)).dtype) == name
    assert layer.kernel.dtype == name


@pytest.mark.parametrize("name", ["float33", "int32", "", None])
def test_an_unknown_type_is_refused_and_changes_nothing(name):
    with pytest.raises(UnknownNameError, match="floating-point type"):
        config.set_floatx(name)
    assert config.floatx() == "float32"


def test_the_small_number_can_be_chosen():
    config.set_epsilon(1e-3)
    assert config.epsilon() == 1e-3


def test_a_seed_counts_models_anew():
    config.set_global_seed(9)
    assert config.global_seed() == 9
    assert [config.next_count() for _ in range(3)] == [0, 1, 2]
    config.set_global_seed(9)
    assert config.next_count() == 0


def test_automatic_names_count_as_in_keras_and_can_begin_again():
    config.clear_session()
    assert [Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert Dense(1, name="mine").name == "mine"
    assert Dense(1).name == "dense_3"
    config.clear_session()
    assert Dense(1).name == "dense"


def test_clearing_the_session_leaves_the_seeds_alone():
    def weights(clear):
        doltap.utils.set_random_seed(4)
        Dense(1)(np.ones((1, 2)))
        if clear:
            config.clear_session()
        return Dense(3)(np.ones((1, 2), np.float32))

    np.testing.assert_array_equal(weights(True), weights(False))
