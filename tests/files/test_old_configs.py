"""Configurations of Keras 1 and 2, translated to those of Keras 3 and back, dict to dict."""

from __future__ import annotations

import numpy as np
import pytest

import doltap
from doltap.core import configs
from doltap.errors import ModelFileError, NotSupportedError
from doltap.files import old_configs
from doltap.files.old_configs import layers, operations, slots, training


def layer(class_name, **config):
    return layers.modern_layer({"class_name": class_name, "config": {"name": "it", **config}})


@pytest.mark.parametrize(
    ("class_name", "given", "today", "wanted"),
    [
        (
            "Dense",
            {"output_dim": 3, "init": "normal"},
            "Dense",
            {"units": 3, "kernel_initializer": "random_normal"},
        ),
        (
            "Dense",
            {"output_dim": 3, "init": "uniform", "bias": False},
            "Dense",
            {"use_bias": False, "units": 3},
        ),
        (
            "Dense",
            {"units": 2, "W_regularizer": {"name": "WeightRegularizer", "l1": 0.1, "l2": 0.2}},
            "Dense",
            {},
        ),
        ("TimeDistributedDense", {"output_dim": 3, "input_length": None}, "Dense", {"units": 3}),
        ("Dropout", {"p": 0.5}, "Dropout", {"rate": 0.5}),
        ("SpatialDropout1D", {"p": 0.5}, "SpatialDropout1D", {"rate": 0.5}),
        ("GaussianNoise", {"sigma": 0.5}, "GaussianNoise", {"stddev": 0.5}),
        ("GaussianDropout", {"p": 0.5}, "GaussianDropout", {"rate": 0.5}),
        ("LeakyReLU", {"alpha": 0.25}, "LeakyReLU", {"negative_slope": 0.25}),
        ("ThresholdedReLU", {"theta": 0.5}, "ReLU", {"threshold": 0.5}),
        ("PReLU", {"init": "zero"}, "PReLU", {"alpha_initializer": "zeros"}),
        ("BatchNormalization", {"axis": [3], "mode": 0}, "BatchNormalization", {"axis": 3}),
        ("BatchNormalization", {"beta_init": "zero", "gamma_init": "one"}, "BatchNormalization", {}),
        ("BatchNormalizationV1", {"axis": -1, "fused": True}, "BatchNormalization", {"axis": -1}),
        ("SyncBatchNormalization", {"axis": [1]}, "BatchNormalization", {"axis": 1, "synchronized": True}),
        ("Embedding", {"input_dim": 9, "output_dim": 2, "input_length": 3}, "Embedding", {"output_dim": 2}),
        ("Merge", {"mode": "sum"}, "Add", {}),
        ("Merge", {"mode": "concat", "concat_axis": 1}, "Concatenate", {"axis": 1}),
        ("Merge", {"mode": "cos", "dot_axes": 1}, "Dot", {"axes": 1, "normalize": True}),
    ],
)
def test_layers_have_the_words_of_today(class_name, given, today, wanted):
    found = layer(class_name, **given)
    assert found["class_name"] == today
    assert wanted.items() <= found["config"].items()
    assert configs.deserialize(found).name == "it"


def test_regularizers_and_constraints_of_keras_1_are_those_of_today():
    made = configs.deserialize(
        layer(
            "Dense",
            output_dim=2,
            W_regularizer={"name": "WeightRegularizer", "l1": 0.1, "l2": 0.2},
            W_constraint={"name": "maxnorm", "m": 3, "axis": 0},
        )
    )
    assert made.kernel_regularizer.get_config() == {"l1": pytest.approx(0.1), "l2": pytest.approx(0.2)}
    assert made.kernel_constraint.get_config()["max_value"] == 3


def test_initializers_lose_what_is_of_no_use_today():
    config = {"scale": 1.0, "mode": "fan_in", "distribution": "normal", "seed": None, "dtype": "float32"}
    found = layer("Dense", units=1, kernel_initializer={"class_name": "VarianceScaling", "config": config})
    written = found["config"]["kernel_initializer"]["config"]
    assert written == {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": None}


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("float32", "float32"),
        ({"class_name": "Policy", "config": {"name": "mixed_float16"}}, "mixed_float16"),
        (
            {"class_name": "PolicyV1", "config": {"name": "mixed_bfloat16", "loss_scale": None}},
            "mixed_bfloat16",
        ),
    ],
)
def test_policies_are_their_names(dtype, wanted):
    assert configs.deserialize(layer("Dense", units=1, dtype=dtype)).dtype_policy.name == wanted


def test_a_class_of_the_users_keeps_its_words():
    config = {
        "sparse": True,
        "weights": 3,
        "init": "uniform",
        "dtype": {"class_name": "Policy", "config": {"name": "x"}},
    }
    assert layer("Mine", **config)["config"] == {"name": "it", **config, "dtype": "x"}
    found = layer("pkg>Mine")
    assert (found["class_name"], found["registered_name"]) == ("pkg>Mine", "pkg>Mine")


@pytest.mark.parametrize(
    ("class_name", "config", "says"),
    [
        ("BatchNormalization", {"mode": 1}, "LayerNormalization is that layer today"),
        ("Merge", {"mode": "average of sorts"}, "a Merge with a mode among"),
        ("Merge", {"mode": "sum", "layers": [1]}, "models of its own"),
        ("InputLayer", {"batch_input_shape": [None, 3], "sparse": True}, "sparse=True"),
        ("InputLayer", {"batch_input_shape": [None, 3], "ragged": True}, "ragged=True"),
    ],
)
def test_what_is_no_more_is_said_with_the_way_out(class_name, config, says):
    with pytest.raises(NotSupportedError, match=says):
        layer(class_name, **config)


def test_the_functions_of_lambda_layers_stay_names_or_are_code():
    named = layer(
        "Lambda", function="mine", function_type="function", output_shape_type="raw", output_shape=None
    )
    assert named["config"]["function"] == {"module": "builtins", "class_name": "function", "config": "mine"}
    code = layer("Lambda", function=["4wE=", None, None], function_type="lambda", module="os")
    assert code["config"] == {"name": "it", "function": {"class_name": "__lambda__", "config": {}}}


def test_the_shape_in_front_of_a_sequential_is_a_layer():
    dense = {
        "class_name": "Dense",
        "config": {"name": "a", "units": 2, "batch_input_shape": [None, 3], "dtype": "float64"},
    }
    found = old_configs.modern_model({"class_name": "Sequential", "config": [dense]})
    first, second = found["config"]["layers"]
    assert first["config"] == {"batch_shape": [None, 3], "dtype": "float64", "name": "a_input"}
    assert "batch_input_shape" not in second["config"]


def test_what_keras_3_wrote_goes_through_unchanged():
    inputs = doltap.Input((3,), name="in")
    inner = doltap.Model(inputs, doltap.layers.Dense(2, name="deep")(inputs), name="inner")
    hidden = doltap.layers.BatchNormalization(name="norm")(inner(inputs)) + 1.0
    config = configs.serialize(doltap.Model(inputs, [hidden, inner(inputs)], name="net"))
    found = old_configs.modern_model(config)
    assert found["config"]["input_layers"] == config["config"]["input_layers"]
    assert found["config"]["output_layers"] == config["config"]["output_layers"]
    assert [one["inbound_nodes"] for one in found["config"]["layers"]] == [
        one["inbound_nodes"] for one in config["config"]["layers"]
    ]


# Calls.


def networks_of(calls, *, ends=(("last", 0, 0),), **more):
    """A network in Keras 2's form: a layer of every name, with its calls."""
    made = []
    for name, called in calls.items():
        kind = more.get(
            name, {"class_name": "InputLayer" if not called else "Activation", "config": {"name": name}}
        )
        made.append({**kind, "name": name, "inbound_nodes": called})
    first = [[name, 0, 0] for name, called in calls.items() if not called]
    config = {
        "name": "net",
        "layers": made,
        "input_layers": first,
        "output_layers": [list(end) for end in ends],
    }
    return old_configs.modern_model({"class_name": "Model", "config": config})["config"]


def tensor(name, number=0, output=0):
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, number, output]}}


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ([["a", 0, 0]], {"args": [tensor("a")], "kwargs": {}}),
        ([["a", 0, 0, {"training": None}]], {"args": [tensor("a")], "kwargs": {"training": None}}),
        (["a", 0, 0, {"times": 2}], {"args": [tensor("a")], "kwargs": {"times": 2}}),
        ([["a", 0, 0, {}], ["b", 0, 1, {}]], {"args": [[tensor("a"), tensor("b", 0, 1)]], "kwargs": {}}),
        ([["a", 0, 0, {"mask": ["b", 0, 0]}]], {"args": [tensor("a")], "kwargs": {"mask": tensor("b")}}),
        ({"x": ["a", 0, 0, {}]}, {"args": [{"x": tensor("a")}], "kwargs": {}}),
        (
            [["_CONSTANT_VALUE", -1, 2.5, {"y": ["a", 0, 0]}]][0],
            {"args": [2.5], "kwargs": {"y": tensor("a")}},
        ),
    ],
)
def test_calls_are_arguments_and_keywords(call, wanted):
    found = networks_of({"a": [], "b": [], "last": [call]})
    assert found["layers"][2]["inbound_nodes"] == [wanted]
    assert found["output_layers"] == ["last", 0, 0]


@pytest.mark.parametrize(("kind", "end"), [("Model", 1), ("Sequential", 0)])
def test_calls_of_networks_in_networks_are_counted_from_0(kind, end):
    inner = {"class_name": kind, "config": {"name": "inner"}}
    calls = {
        "a": [],
        "inner": [[["a", 0, 0]], [["inner", 1, 0]]],
        "last": [[["inner", 1, 0], ["inner", 2, 0]]],
    }
    found = networks_of(calls, inner=inner, ends=[("inner", 2, 0), ("last", 0, 0)])
    assert found["layers"][2]["inbound_nodes"][0]["args"] == [[tensor("inner", 0), tensor("inner", 1)]]
    # Where outputs are named, Keras 3 counts those of Functional models from 1.
    assert found["output_layers"] == [["inner", 1 + end, 0], ["last", 0, 0]]


def test_calls_that_were_counted_from_0_stay_so():
    inner = {"class_name": "Sequential", "config": {"name": "inner"}}
    found = networks_of({"a": [], "inner": [[["a", 0, 0]]], "last": [[["inner", 0, 0]]]}, inner=inner)
    assert found["layers"][2]["inbound_nodes"][0]["args"] == [tensor("inner", 0)]


# Functions of TensorFlow's.


def operation(function, call, **config):
    return operations.modern_operation("it", {"function": function, **config}, call)


@pytest.mark.parametrize(
    ("function", "keywords", "name", "arguments", "config"),
    [
        ("__operators__.add", {"y": 1.0, "name": None}, "Add", [tensor("a"), 1.0], {}),
        ("math.subtract", {"y": tensor("b")}, "Subtract", [tensor("a"), tensor("b")], {}),
        (
            "math.reduce_mean",
            {"axis": -1, "keepdims": True},
            "Mean",
            [tensor("a")],
            {"axis": -1, "keepdims": True},
        ),
        ("math.argmax", {}, "Argmax", [tensor("a")], {"axis": 0}),
        ("nn.gelu", {}, "Gelu", [tensor("a")], {"approximate": False}),
        ("where", {"x": tensor("b"), "y": 0.0}, "Where", [tensor("a"), tensor("b"), 0.0], {}),
        ("nn.relu", {"name": "label"}, "Relu", [tensor("a")], {}),
    ],
)
def test_functions_are_operations(function, keywords, name, arguments, config):
    found = operation(function, {"args": [tensor("a")], "kwargs": keywords})
    assert (found["class_name"], found["module"]) == (name, "keras.src.ops")
    assert found["config"] == {"name": "it", **config}
    assert found["inbound_nodes"] == [{"args": arguments, "kwargs": {}}]


def test_an_index_is_slices_by_class():
    spec = [{"start": None, "stop": 2, "step": None}, None, {"class_name": "__ellipsis__"}, 3]
    call = {"args": [tensor("a")], "kwargs": {"slice_spec": spec}}
    [made] = operation("__operators__.getitem", call)["inbound_nodes"]
    limits = {"class_name": "__slice__", "config": spec[0]}
    assert made["args"] == [tensor("a"), [limits, None, {"class_name": "__ellipsis__", "config": {}}, 3]]


@pytest.mark.parametrize(
    ("function", "keywords", "says"),
    [
        ("math.special.bessel_i0", {}, "got tf.math.special.bessel_i0"),
        ("math.reduce_men", {}, "tf.math.reduce_mean has one"),
        ("math.multiply", {}, "one operand"),
        ("linalg.matmul", {"b": tensor("b"), "transpose_b": True}, "tf.linalg.matmul with transpose_b="),
    ],
)
def test_what_no_operation_does_is_named(function, keywords, says):
    with pytest.raises(NotSupportedError, match=says):
        operation(function, {"args": [tensor("a")], "kwargs": keywords})


def test_every_row_leads_to_an_operation_and_back():
    assert len(operations.ROWS) > 80
    for function, row in operations.ROWS.items():
        given = {word: tensor("b") if word in ("x", "y", "b") else 1 for word in row.words}
        found = operation(function, {"args": [tensor("a")], "kwargs": given})
        assert found["class_name"] == row.operation
        again = operations.old_operation(
            found, lambda value: ["a", 0, 0] if isinstance(value, dict) else value
        )
        assert operations.ROWS[again["config"]["function"]].operation == row.operation


def test_operations_that_keras_2_had_not_are_named():
    model = doltap.Input((4,))
    made = doltap.Model(model, doltap.ops.sinc(model))
    with pytest.raises(NotSupportedError, match=r"ops\.Sinc.*\n.*\.keras"):
        old_configs.old_model(configs.serialize(made))


# The settings of compile.


def optimizer(class_name, **config):
    return {"class_name": class_name, "config": config}


@pytest.mark.parametrize(
    ("given", "name", "wanted"),
    [
        (optimizer("SGD", lr=0.1, decay=0.0, momentum=0.9), "SGD", {"learning_rate": 0.1, "momentum": 0.9}),
        (optimizer("SGD", lr=0.1, decay=0.01), "SGD", {"learning_rate": 0.1, "decay": 0.01}),
        (
            optimizer("Custom>Adam", learning_rate=0.1, jit_compile=True, is_legacy_optimizer=False),
            "Adam",
            {},
        ),
        (optimizer("Adagrad", lr=0.1, epsilon=1e-8), "Adagrad", {"initial_accumulator_value": 0.0}),
        (optimizer("Adagrad", learning_rate=0.1, initial_accumulator_value=0.3), "Adagrad", {}),
        (optimizer("Nadam", lr=0.1, schedule_decay=0.004), "Nadam", {"learning_rate": 0.1}),
        (optimizer("ExperimentalSGD", learning_rate=0.1), "SGD", {"learning_rate": 0.1}),
        (optimizer("adam"), "Adam", {}),
    ],
)
def test_optimizers_have_the_words_of_today(given, name, wanted):
    found = old_configs.modern_optimizer(given)
    assert found["class_name"] == name
    assert wanted.items() <= found["config"].items()
    made = doltap.optimizers.get(found)
    assert type(made).__name__ == name
    if wanted:
        assert float(made.learning_rate) == pytest.approx(0.1)


def test_an_optimizer_of_the_users_keeps_its_name():
    found = old_configs.modern_optimizer(optimizer("mine>Adam", learning_rate=0.1))
    assert (found["class_name"], found["registered_name"]) == ("mine>Adam", "mine>Adam")


@pytest.mark.parametrize(
    ("given", "outputs", "wanted"),
    [
        ([["accuracy"]], ["out"], ["accuracy"]),
        (["mae", "accuracy"], [], ["mae", "accuracy"]),
        ([["mae"], ["mse"]], ["a", "b"], [["mae"], ["mse"]]),
        ({"a": ["mae"], "b": "mse"}, ["a", "b"], {"a": ["mae"], "b": "mse"}),
        (None, ["a"], None),
        ([[None], ["mae"]], ["a", "b"], [[], ["mae"]]),
    ],
)
def test_metrics_keep_their_outputs(given, outputs, wanted):
    settings = {"optimizer_config": optimizer("SGD"), "loss": "mse", "metrics": given}
    assert old_configs.modern_training(settings, outputs)["metrics"] == wanted


def test_metrics_lose_the_names_of_their_outputs_and_their_wrappers():
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "b_accuracy", "fn": "binary_accuracy"}}
    own = {"class_name": "MeanMetricWrapper", "config": {"name": "b_mine", "fn": "mine"}}
    settings = {"optimizer_config": optimizer("SGD"), "loss": None, "metrics": [[], [wrapped, own]]}
    first, second = old_configs.modern_training(settings, ["a", "b"])["metrics"][1]
    assert (first["class_name"], first["config"]) == ("BinaryAccuracy", {"name": "accuracy"})
    assert second["config"]["fn"] == {"module": "builtins", "class_name": "function", "config": "mine"}
    assert second["config"]["name"] == "mine"


def test_losses_have_the_words_of_today():
    config = {"reduction": "auto", "name": "mse", "fn": "mean_squared_error"}
    given = {"a": {"class_name": "MeanSquaredError", "config": config}, "b": "mae"}
    settings = {"optimizer_config": optimizer("SGD"), "loss": given}
    found = old_configs.modern_training(settings, ["a", "b"])["loss"]
    assert found["a"]["config"] == {"reduction": "sum_over_batch_size", "name": "mse"}
    assert found["b"] == "mae"


def test_functions_are_written_by_their_whole_names():
    settings = {"optimizer": doltap.optimizers.serialize(doltap.optimizers.get("sgd"))}
    found = old_configs.old_training({**settings, "loss": "mse", "metrics": ["mae", "accuracy"]}, ["out"])
    assert found["loss"] == "mean_squared_error"
    assert found["metrics"] == [
        {"class_name": "MeanAbsoluteError", "config": {"name": "mae", "dtype": "float32"}},
        "accuracy",
    ]


@pytest.mark.parametrize(
    ("made", "name", "is_new"),
    [
        (doltap.optimizers.Adam(), "Adam", False),
        (doltap.optimizers.RMSprop(), "Custom>RMSprop", True),
        (doltap.optimizers.RMSprop(decay=0.1), "RMSprop", False),
        (doltap.optimizers.Adam(weight_decay=0.1), "Custom>Adam", True),
        (doltap.optimizers.Lion(), "Custom>Lion", True),
    ],
)
def test_optimizers_are_written_as_keras_2_has_them(made, name, is_new):
    written = training.old_training({"optimizer": doltap.optimizers.serialize(made), "loss": None}, [])
    found = written["optimizer_config"]
    assert (found["class_name"], training.is_since_2_11(found)) == (name, is_new)
    again = doltap.optimizers.get(old_configs.modern_optimizer(found))
    wanted = {key: value for key, value in made.get_config().items() if key != "name"}
    assert {key: value for key, value in again.get_config().items() if key != "name"} == wanted


def test_only_an_older_nadam_is_spoken_of():
    assert old_configs.notes_on(optimizer("Adam")) == []
    assert old_configs.notes_on(optimizer("Custom>Nadam", is_legacy_optimizer=False)) == []
    assert "momentum schedule" in old_configs.notes_on(optimizer("Nadam", lr=0.002, schedule_decay=0.004))[0]


# What optimizers remember.

KERNEL, BIAS = np.zeros((2, 3)), np.zeros(3)


def marked(*arrays):
    """Arrays that tell which they are."""
    return [array + number for number, array in enumerate(arrays, start=1)]


def marks(arrays):
    """Which arrays they are."""
    return [int(np.max(array)) for array in arrays]


COUNT = np.asarray(7)
TWICE = (KERNEL, BIAS, KERNEL, BIAS)


@pytest.mark.parametrize(
    ("old", "arrays", "wanted"),
    [
        (optimizer("Adam", lr=0.1), [COUNT, *marked(*TWICE)], [1, 3, 2, 4]),
        (optimizer("Adam", lr=0.1), [COUNT, *marked(*TWICE), np.zeros(1), np.zeros(1)], [1, 3, 2, 4]),
        (optimizer("Adam", lr=0.1, amsgrad=True), [COUNT, *marked(*TWICE, KERNEL, BIAS)], [1, 3, 2, 4, 5, 6]),
        (optimizer("SGD", lr=0.1, momentum=0.9), [COUNT, *marked(KERNEL, BIAS)], [1, 2]),
        (optimizer("RMSprop", lr=0.1), marked(KERNEL, BIAS), [1, 2]),
        (optimizer("RMSprop", lr=0.1), [COUNT, *marked(KERNEL, BIAS)], [1, 2]),
        (optimizer("Adadelta", lr=0.1), marked(*TWICE), [1, 3, 2, 4]),
        (optimizer("Nadam", lr=0.1), [COUNT, np.asarray(9.0), *marked(*TWICE)], [1, 3, 2, 4, 9]),
        (
            optimizer("Custom>Adam", learning_rate=0.1),
            [COUNT, *marked(KERNEL, KERNEL, BIAS, BIAS)],
            [1, 2, 3, 4],
        ),
        (optimizer("Custom>SGD", learning_rate=0.1, momentum=0.0), [COUNT, *marked(KERNEL, BIAS)], []),
        (
            optimizer("Custom>Adafactor", learning_rate=0.1),
            [COUNT, *marked(np.zeros(2), np.zeros(3), KERNEL, BIAS)],
            [1, 2, 3, 0, 0, 4],
        ),
    ],
)
def test_slots_come_in_the_order_of_today(old, arrays, wanted):
    count, rate, *found = slots.modern_slots(old, arrays)
    has_count = np.ndim(arrays[0]) == 0
    assert (int(count), float(rate)) == (7 if has_count else 0, pytest.approx(0.1))
    assert marks(found) == wanted


def test_what_a_class_of_ones_own_remembers_stays_as_it_is():
    arrays = [COUNT, *marked(*TWICE)]
    assert slots.modern_slots(optimizer("Mine", rate=1), arrays) == arrays
    assert slots.old_slots(optimizer("Mine", rate=1), arrays) == arrays


def test_an_optimizer_by_name_has_its_usual_rate():
    for name, rate in (("adam", 0.001), ("sgd", 0.01)):
        assert float(slots.modern_slots(optimizer(name), [COUNT])[1]) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"args": [tensor("a"), tensor("b")], "kwargs": {}}, "a call with 2 arguments"),
        ({"args": [[[tensor("a")], tensor("b")]], "kwargs": {}}, "lists of tensors in a list"),
    ],
)
def test_calls_that_keras_2_could_not_write_are_refused(call, says):
    inputs = [{"class_name": "InputLayer", "config": {}, "name": name, "inbound_nodes": []} for name in "ab"]
    made = {
        "class_name": "Mine",
        "module": None,
        "config": {"trainable": True},
        "name": "it",
        "inbound_nodes": [call],
    }
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": ["it", 0, 0]}
    with pytest.raises(NotSupportedError, match=says):
        old_configs.old_model({"class_name": "Functional", "config": {"layers": [*inputs, made], **ends}})


def test_a_schedule_is_no_variable():
    schedule = {"class_name": "ExponentialDecay", "config": {}}
    found = slots.modern_slots(optimizer("Adam", learning_rate=schedule), [COUNT, *marked(*TWICE)])
    assert marks(found) == [7, 1, 3, 2, 4]


def test_what_nadam_multiplied_is_computed_again():
    given = optimizer("Custom>Nadam", learning_rate=0.1, beta_1=0.9)
    *_, product = slots.modern_slots(given, [np.asarray(2), *marked(*TWICE)])
    assert float(product) == pytest.approx(0.9 * (1 - 0.5 * 0.96) * 0.9 * (1 - 0.5 * 0.96**2))


def test_slots_that_cannot_be_are_damage():
    with pytest.raises(ModelFileError, match="2 arrays for each weight"):
        slots.modern_slots(optimizer("Adam", lr=0.1), [COUNT, KERNEL, BIAS, KERNEL])


@pytest.mark.parametrize(
    "name", ["SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adafactor", "Ftrl", "Adadelta"]
)
def test_slots_come_back_as_they_went(name):
    model = doltap.Sequential([doltap.Input((2,)), doltap.layers.Dense(3), doltap.layers.Dense(2)])
    made = getattr(doltap.optimizers, name)()
    made.build(model.trainable_weights)
    arrays = [np.asarray(variable.numpy()) for variable in made.variables]
    arrays = [array if array.ndim == 0 else array + number for number, array in enumerate(arrays)]
    written = training.old_training({"optimizer": doltap.optimizers.serialize(made), "loss": None}, [])
    written = written["optimizer_config"]
    again = slots.modern_slots(written, slots.old_slots(written, arrays))
    assert [array.shape for array in again] == [array.shape for array in arrays]
    for one, other in zip(again, arrays, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
