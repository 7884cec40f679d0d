"""Types and policies: every way to say them, and what each stands for, as in Keras."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import config, dtype_policies, dtypes, mixed_precision
from doltap.dtypes import DTypePolicy
from doltap.errors import NotSupportedError, UnknownNameError
from doltap.layers import Dense

POLICIES = [
    "float32",
    "float16",
    "bfloat16",
    "mixed_float16",
    "mixed_bfloat16",
    "int32",
    "uint8",
    "bool",
    "string",
]


@pytest.fixture(autouse=True)
def restored(keras):
    yield
    dtypes.forget_policy()
    config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


class TypeOfTensorFlow:
    name = "bfloat16"
    as_numpy_dtype = None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("float16", "float16"),
        (np.float16, "float16"),
        (np.dtype("float64"), "float64"),
        (np.float64, "float64"),
        (jnp.bfloat16, "bfloat16"),
        (np.dtype("int64"), "int64"),
        (float, "float32"),
        ("float", "float32"),
        (int, "int32"),
        ("int", "int32"),
        (bool, "bool"),
        (str, "string"),
        (None, "float32"),
        (TypeOfTensorFlow, "bfloat16"),
        ("mixed_float16", "float16"),
        (DTypePolicy("mixed_bfloat16"), "bfloat16"),
        ({"class_name": "DTypePolicy", "config": {"name": "float16"}}, "float16"),
    ],
)
def test_a_type_has_one_plain_name(given, name):
    assert dtypes.standardize(given) == name


def test_types_of_torch_have_a_plain_name():
    torch = pytest.importorskip("torch")
    assert dtypes.standardize(torch.bfloat16) == "bfloat16"


@pytest.mark.parametrize("given", ["float33", "mixed_float32", 3, object, ""])
def test_what_is_no_type_is_refused(given):
    with pytest.raises(UnknownNameError, match="type"):
        dtypes.standardize(given)


def test_half_precision_is_widened_and_the_rest_left_alone():
    given = ["float16", "bfloat16", "float32", "float64", "int32", "bool"]
    assert [dtypes.widened(d) for d in given] == ["float32"] * 3 + ["float64"] + ["float32"] * 2
    assert [dtypes.is_float(d) for d in [*given, "string"]] == [True] * 4 + [False] * 3


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_that_of_keras(keras, name):
    ours, theirs = DTypePolicy(name), keras.DTypePolicy(name)
    for fact in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, fact) == getattr(theirs, fact)
    assert repr(ours) == repr(theirs)
    assert ours.get_config() == theirs.get_config()
    assert dtype_policies.serialize(ours) == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(keras.dtype_policies.serialize(theirs)) == ours
    assert keras.dtype_policies.deserialize(dtype_policies.serialize(ours)) == theirs


def test_policies_of_one_name_are_equal_and_others_are_not():
    assert DTypePolicy("float16") == DTypePolicy("float16") != DTypePolicy("mixed_float16")
    assert len({DTypePolicy("float16"), DTypePolicy("float16")}) == 1
    assert DTypePolicy("float16") != "float16"


@pytest.mark.parametrize(
    "given",
    [
        "mixed_float16",
        DTypePolicy("mixed_float16"),
        {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
        {"class_name": "FloatDTypePolicy", "config": {"name": "mixed_float16"}},
        # So tf.keras 2 wrote them.
        {"class_name": "Policy", "config": {"name": "mixed_float16"}},
    ],
)
def test_a_policy_can_be_said_in_many_ways(given):
    assert dtype_policies.get(given).name == "mixed_float16"
    layer = Dense(2, dtype=given)
    assert (layer.compute_dtype, layer.variable_dtype, layer.dtype) == ("float16", "float32", "float32")
    assert layer.dtype_policy == DTypePolicy("mixed_float16")


@pytest.mark.parametrize("given", ["mixed_float32", "foo", 3, {"class_name": "Dense", "config": {}}])
def test_an_unknown_policy_is_refused_with_the_nearest_one(given):
    with pytest.raises(UnknownNameError):
        dtype_policies.get(given)


def test_policies_that_are_still_to_come_are_refused_by_name(keras):
    theirs = keras.dtype_policies.DTypePolicyMap("mixed_bfloat16")
    for given in (
        "int8_from_float32",
        "float8_from_mixed_bfloat16",
        keras.dtype_policies.serialize(keras.dtype_policies.get("int8_from_mixed_bfloat16")),
        keras.dtype_policies.serialize(theirs),
    ):
        with pytest.raises(NotSupportedError, match="not there yet"):
            dtype_policies.get(given)


def test_a_policy_of_the_users_own_is_found_by_name():
    class Careful(DTypePolicy):
        def __init__(self):
            super().__init__("float32")

        def get_config(self):
            return {}

    written = {"module": "mine", "class_name": "Careful", "config": {}, "registered_name": "Careful"}
    assert type(dtype_policies.deserialize(written, {"Careful": Careful})) is Careful


def test_64_bits_have_to_be_switched_on_first():
    with pytest.raises(NotSupportedError, match="set_floatx"):
        DTypePolicy("float64")
    with pytest.raises(NotSupportedError, match="set_floatx"):
        config.set_dtype_policy("float64")
    assert config.dtype_policy().name == "float32"


# What the process chose.


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16", DTypePolicy("mixed_float16")])
def test_the_chosen_policy_is_that_of_new_layers_as_in_keras(keras, policy):
    name = getattr(policy, "name", policy)
    keras.config.set_dtype_policy(name)
    for choose in (config.set_dtype_policy, mixed_precision.set_global_policy):
        dtypes.forget_policy()
        choose(policy)
        for chosen in (config.dtype_policy(), mixed_precision.global_policy(), doltap.DTypePolicy()):
            assert chosen == DTypePolicy(name)
        ours, theirs = Dense(1), keras.layers.Dense(1)
        assert (ours.compute_dtype, ours.dtype) == (theirs.compute_dtype, theirs.dtype)
        assert Dense(1, dtype="float32").compute_dtype == "float32"
    assert config.floatx() == keras.config.floatx() == "float32"


@pytest.mark.parametrize("policy", [None, 3, "mixed", np.float16])
def test_a_policy_that_cannot_be_is_not_chosen(keras, policy):
    config.set_dtype_policy("bfloat16")
    with pytest.raises(UnknownNameError):
        config.set_dtype_policy(policy)
    with pytest.raises(ValueError, match=r"policy|Policy"):
        keras.config.set_dtype_policy(policy)
    assert config.dtype_policy().name == "bfloat16"


def test_without_a_choice_the_policy_follows_floatx():
    assert config.dtype_policy() == DTypePolicy("float32")
    config.set_floatx("bfloat16")
    assert config.dtype_policy() == DTypePolicy("bfloat16")
    config.set_dtype_policy("mixed_float16")
    config.set_floatx("float16")
    assert config.dtype_policy() == DTypePolicy("mixed_float16")


def test_clearing_the_session_forgets_the_policy_and_keeps_floatx_as_in_keras(keras):
    for library in (keras, doltap):
        library.config.set_floatx("float16")
        library.config.set_dtype_policy("mixed_bfloat16")
        library.backend.clear_session()
        assert library.config.dtype_policy().name == library.config.floatx() == "float16"
        library.config.set_floatx("float32")
    keras.backend.clear_session()


def test_the_doors_lead_to_one_class():
    assert mixed_precision.Policy is dtype_policies.FloatDTypePolicy is doltap.DTypePolicy is DTypePolicy
    assert doltap.mixed_precision.LossScaleOptimizer is doltap.optimizers.LossScaleOptimizer
