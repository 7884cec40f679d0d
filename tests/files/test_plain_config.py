"""Descriptions of models: those of Keras pass, those that ask for more are refused by name."""

import importlib.util
import json
import pathlib
import time
import warnings

import attacked
import numpy as np
import pytest

import doltap
from doltap import registry
from doltap.errors import ModelFileError
from doltap.files import plain_config

_PLACE = pathlib.Path(__file__).parents[1] / "models" / "saved_models.py"
_SPECIFICATION = importlib.util.spec_from_file_location("saved_models", _PLACE)
saved_models = importlib.util.module_from_spec(_SPECIFICATION)
_SPECIFICATION.loader.exec_module(saved_models)


def refusal(config):
    with pytest.raises(ModelFileError) as caught:
        plain_config.check(config, "model.keras")
    assert str(caught.value).startswith("model.keras: expected a description of a model in plain values")
    assert "\x1b" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("model", ["every_layer", "nested", "row"])
@pytest.mark.parametrize("is_keras", [True, False])
def test_what_keras_and_we_write_passes(model, is_keras, keras):
    lib = keras if is_keras else doltap
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(saved_models, model)(lib)
        made.compile("adam", loss="mse", metrics=["mae"])
        plain_config.check(json.loads(made.to_json()), "x")


# As Keras 3.15 writes them; there they need TensorFlow.
WORDS = {"invert": False, "max_tokens": None, "num_oov_indices": 1, "output_mode": "int", "encoding": "utf-8"}
LEGITIMATE = {
    "strings": attacked.layer(
        "StringLookup", {**WORDS, "vocabulary": ["a", "http://b", "/etc/c"], "oov_token": "../x"}
    ),
    "integers": attacked.layer("IntegerLookup", {**WORDS, "vocabulary": [1, 2**62, -(2**62)]}),
    "no vocabulary": attacked.layer("TextVectorization", {**WORDS, "vocabulary": None}),
    "salt": attacked.layer("Hashing", {"num_bins": 3, "salt": [2**63, 2]}),
    "boundaries": attacked.layer("Discretization", {"bin_boundaries": [0, 10**12]}),
    "seed": attacked.layer("Dropout", {"rate": 0.5, "seed": 2**60}),
    "shared": {**attacked.DENSE, "shared_object_id": 140_000_000_000_000},
    "free length": attacked.layer("Reshape", {"target_shape": [-1, 3]}),
    "an activation": attacked.layer("Activation", {"activation": attacked.function("relu")}),
    "a loss of Keras": attacked.function("mean_squared_error", "keras.losses"),
    "an old module of Keras": attacked.function("relu", "keras.src.activations.activations"),
    "an array": {"class_name": "__numpy__", "config": {"value": [[1, 2], [3, 4]], "dtype": "int8"}},
    "a small float": {"class_name": "__tensor__", "config": {"value": [0.5], "dtype": "bfloat16"}},
    "a slice": {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": None}},
    "bytes": {"class_name": "__bytes__", "config": {"value": "x"}},
    "an ellipsis": {"class_name": "__ellipsis__", "config": {}},
    "a name in parts": attacked.layer("Dense", {"name": "block/..a/dense", "units": 1}),
    "an own class": attacked.layer("Mine", {"path": "/tmp/x", "file": "http://x"}, module="mine.layers"),
    "an operation": {
        "module": "keras.src.ops.numpy",
        "class_name": "Mean",
        "config": {},
        "registered_name": "Mean",
    },
    "nothing": None,
    "a list": [1, [2]],
}


@pytest.mark.parametrize("case", LEGITIMATE)
def test_what_models_need_passes(case):
    plain_config.check({"layers": [LEGITIMATE[case]]}, "x")


CODE = {
    "__lambda__": {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}},
    "a Lambda layer": attacked.lambda_layer("/tmp/x"),
    "a Lambda layer of Keras 2": attacked.old_lambda("/tmp/x"),
    "a Lambda layer by its whole name": {
        **attacked.lambda_layer("/tmp/x"),
        "class_name": "keras.layers.Lambda",
    },
    "a Lambda layer under a registered name": {**attacked.old_lambda("/tmp/x"), "class_name": "keras>Lambda"},
    "a Lambda layer of a function of Python": attacked.layer("Lambda", {"function": "eval"}),
    "a Lambda layer of a function of Keras": attacked.layer(
        "Lambda", {"function": attacked.function("relu")}
    ),
    "a Lambda layer without a function": attacked.layer("Lambda", {}),
    "bytecode in another class": attacked.layer(
        "Dense", {"function": ["4wEA", None, None], "function_type": "lambda"}
    ),
    "TFSMLayer": attacked.layer("TFSMLayer", {"filepath": "/tmp/saved_model"}),
    "TorchModuleWrapper": attacked.layer("TorchModuleWrapper", {"module": "gASV"}),
    "JaxLayer": attacked.layer("JaxLayer", {"call_fn": {"class_name": "__lambda__"}}),
}


@pytest.mark.parametrize("case", CODE)
def test_code_is_refused_with_what_to_do_instead(case):
    said = refusal(attacked.sequential(CODE[case]))
    assert "A file cannot bring code along, whatever safe_mode says" in said
    assert "register_keras_serializable" in said
    assert "model.load_weights(path)" in said


def test_a_lambda_layer_of_a_registered_function_passes():
    function = registry.register_keras_serializable("mine")(lambda x: x)
    config = attacked.layer("Lambda", {"function": attacked.function(function._registered_name)})
    plain_config.check(config, "x")
    with registry.custom_object_scope({"triple": function}):
        plain_config.check(attacked.layer("Lambda", {"function": attacked.function("triple")}), "x")
    assert "a Lambda layer with code" in refusal(
        attacked.layer("Lambda", {"function": attacked.function("triple")})
    )


FUNCTIONS = {
    ("system", "os"): "the function 'system' of the module 'os'",
    ("run", "subprocess"): "of the module 'subprocess'",
    ("get_file", "keras.utils"): "of the module 'keras.utils'",
    ("enable_unsafe_deserialization", "keras.config"): "of the module 'keras.config'",
    ("load_model", "keras.saving"): "of the module 'keras.saving'",
    ("set_global_attribute", "keras.src.backend.common.global_state"): "the function 'set_global_attribute'",
    ("mine", "my_package.functions"): "load_model(path, custom_objects={'mine': mine})",
}


@pytest.mark.parametrize(("name", "module"), FUNCTIONS)
def test_functions_of_other_modules_are_refused(name, module):
    said = refusal(attacked.layer("Activation", {"activation": attacked.function(name, module, name)}))
    assert FUNCTIONS[name, module] in said
    assert "Nothing that a file names is imported" in said


def test_functions_that_the_user_registered_or_passed_are_found_by_either_name():
    def mine(x):
        return x

    with registry.custom_object_scope({"mine": mine, "pack>other": mine}):
        plain_config.check(attacked.function("mine", "my_package", "mine"), "x")
        plain_config.check(attacked.function("other", "my_package", "pack>other"), "x")
    refusal(attacked.function("mine", "my_package", "mine"))


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization", "Mine"])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "vocabulary.txt", "https://example.com/v.txt", "gs://b/v", ""]
)
def test_the_path_of_a_vocabulary_is_refused(name, path):
    said = refusal(attacked.sequential(attacked.layer(name, {"vocabulary": path})))
    assert f"vocabulary='{path}', which names a file" in said


ABSURD = {
    "units": 2**40,
    "filters": 2**31,
    "input_dim": 10**30,
    "kernel_size": [3, 2**35],
    "batch_shape": [None, 2**33],
    "target_shape": [-(2**40)],
    "padding": [[1, 2], [3, 2**31]],
    "n": 2**31,
}


@pytest.mark.parametrize("key", ABSURD)
def test_absurd_sizes_are_refused(key):
    assert f"{key}=" in refusal(attacked.sequential(attacked.layer("Dense", {key: ABSURD[key]})))


VALUES = {
    "an object array": {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}},
    "an array of texts": {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "str"}},
    "an array of a type": {"class_name": "__numpy__", "config": {"value": [1], "dtype": ["float32"]}},
    "a list that is no array": {
        "class_name": "__numpy__",
        "config": {"value": [[1, 2], [3]], "dtype": "int8"},
    },
    "a number out of range": {"class_name": "__tensor__", "config": {"value": [300], "dtype": "uint8"}},
    "an array without numbers": {"class_name": "__numpy__", "config": {"dtype": "int8"}},
    "an array of nothing": {"class_name": "__numpy__", "config": None},
    "an array of a dict": {"class_name": "__numpy__", "config": {"value": {}, "dtype": "float32"}},
    "a type of TensorFlow": {"class_name": "__typespec__", "spec_name": "x", "module": "os", "config": []},
    "bytes of numbers": {"class_name": "__bytes__", "config": {"value": [1]}},
    "a made-up value": {"class_name": "__import__", "config": {"value": "os"}},
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_are_none_are_refused(case):
    refusal({"config": {"a": [VALUES[case]]}})


NAMES = {
    "a class as a list": {"class_name": ["Dense"], "config": {}},
    "a module as a dict": {"class_name": "Dense", "module": {"a": 1}, "config": {}},
    "a registered name as a number": {"class_name": "Dense", "registered_name": 3, "config": {}},
    "a function without a name": {"class_name": "function", "config": {"value": 1}},
    "a name out of the folder": attacked.layer("Dense", {"name": "../../etc/cron.d/x"}),
    "a name out of the folder on Windows": attacked.layer("Dense", {"name": "a\\..\\..\\x"}),
    "an absolute name": attacked.layer("Dense", {"name": "/etc/x"}),
    "another class for one of Keras": {**attacked.DENSE, "registered_name": "evil>Other"},
}


@pytest.mark.parametrize("case", NAMES)
def test_names_that_mean_something_else_are_refused(case):
    refusal({"config": {"layers": [NAMES[case]]}})


def dense(name, *arguments):
    return attacked.called(attacked.layer("Dense", {"name": name, "units": 3}), *arguments)


GRAPHS = {
    "a layer that waits for itself": (
        attacked.functional(dense("a", attacked.tensor("a"))),
        "'a' waits for itself",
    ),
    "layers in a circle": (
        attacked.functional(
            dense("a", attacked.tensor("b")), dense("b", [attacked.tensor("a"), attacked.tensor("x")])
        ),
        "waits for itself",
    ),
    "two layers of one name": (
        attacked.functional(dense("a", attacked.tensor("x")), dense("a", attacked.tensor("x"))),
        "two layers called 'a'",
    ),
    "a call without a tensor": (attacked.functional(dense("a", 3)), "a call of 'a' without a tensor"),
    "an operation on numbers": (
        attacked.functional(
            attacked.called(
                {"module": "keras.src.ops.numpy", "class_name": "Ones", "config": {"name": "ones"}},
                [2**20, 2**20],
            )
        ),
        "a call of 'ones' without a tensor",
    ),
    "a tensor from nowhere": (
        attacked.functional(
            dense("a", {"class_name": "__keras_tensor__", "config": {"keras_history": None}})
        ),
        "a tensor from None",
    ),
    "a tensor of a place that is none": (
        attacked.functional(
            dense("a", {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", {}, 0]}})
        ),
        "a tensor from",
    ),
    "many objects": ({"metrics": [attacked.DENSE] * 100_001}, "more than 100000 objects"),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_networks_that_cannot_be_or_never_end_are_refused(case):
    config, words = GRAPHS[case]
    assert words in refusal(config)


def test_a_layer_that_is_called_again_on_its_own_result_passes():
    again = dense("a", attacked.tensor("x"))
    again["inbound_nodes"].append({"args": [attacked.tensor("a", 0)], "kwargs": {}})
    plain_config.check(attacked.functional(again, last="a"), "x")


def test_looking_takes_time_in_proportion():
    layers = [dense("0", attacked.tensor("x"))]
    layers += [dense(str(number), attacked.tensor(str(number - 1))) for number in range(1, 4_999)]
    # The most that a network may have.
    config = attacked.functional(*reversed(layers), last="4998")
    started = time.perf_counter()
    plain_config.check(config, "x")
    assert time.perf_counter() - started < 5


def test_what_is_found_is_escaped_for_the_terminal():
    assert "\\x1b[31m" in refusal(attacked.layer("StringLookup", {"vocabulary": "\x1b[31m"}))
    assert np.char.count(refusal(attacked.function("f\x07", "m\x1b")), "\\x").item() >= 2
