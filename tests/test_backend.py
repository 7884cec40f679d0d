"""The doors through which Keras programs reach small things."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest

import doltap
from doltap import backend, config, utils
from doltap.errors import NotSupportedError, UnknownNameError

TYPES = ["bool", "int8", "uint8", "int32", "float16", "bfloat16", "float32"]


def test_types_meet_as_in_keras(keras):
    for pair in itertools.product(TYPES, TYPES):
        assert backend.result_type(*pair) == keras.backend.result_type(*pair), pair
    assert backend.result_type() == keras.backend.result_type() == "float32"
    for name in TYPES:
        assert backend.is_int_dtype(name) == keras.backend.is_int_dtype(name)
        assert backend.is_float_dtype(name) == keras.backend.is_float_dtype(name)
        assert backend.standardize_dtype(np.dtype(name) if name != "bfloat16" else name) == name


def test_the_one_backend_and_the_one_order_of_axes_are_told():
    assert backend.backend() == config.backend() == "jax"
    backend.set_image_data_format("channels_last")
    assert config.image_data_format() == "channels_last"
    with pytest.raises(NotSupportedError, match="moveaxis"):
        config.set_image_data_format("channels_first")
    with pytest.raises(UnknownNameError, match="Did you mean 'channels_last'"):
        config.set_image_data_format("channel_last")


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_a_program_may_say_for_what_its_next_lines_are_written(name, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    config.set_backend(name)
    assert os.environ["KERAS_BACKEND"] == name
    assert config.backend() == "jax"


def test_loops_for_another_library_are_refused_where_they_begin():
    with pytest.raises(NotSupportedError, match="Leave the training to fit"):
        config.set_backend("torch")
    with pytest.raises(UnknownNameError, match="Did you mean 'tensorflow'"):
        config.set_backend("tensorflw")


def test_tracebacks_are_never_shortened():
    assert config.disable_traceback_filtering() is None
    assert config.is_traceback_filtering_enabled() is False


def test_a_symbolic_tensor_is_known_for_one():
    assert utils.is_keras_tensor(doltap.Input((3,)))
    assert not utils.is_keras_tensor(np.zeros(3))
    assert isinstance(doltap.Input((3,)), doltap.KerasTensor)


def test_classes_of_ones_own_are_registered_through_either_door():
    @doltap.saving.register_keras_serializable("shop", "Twice")
    class Double(doltap.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    assert utils.get_registered_name(Double) == "shop>Twice"
    assert doltap.saving.get_registered_object("shop>Twice") is Double
    with utils.CustomObjectScope({"Other": Double}):
        assert utils.get_custom_objects()["Other"] is Double
    assert "Other" not in utils.get_custom_objects()


def test_the_doors_lead_to_the_same_things():
    assert utils.Sequence is utils.PyDataset
    assert doltap.preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert doltap.mixed_precision.Policy is doltap.DTypePolicy is doltap.dtype_policies.FloatDTypePolicy
    assert doltap.mixed_precision.LossScaleOptimizer is doltap.optimizers.LossScaleOptimizer
