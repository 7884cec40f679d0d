"""HDF5 by layer: models that Keras 1, 2 and 3 made are read, and what is written is read again."""

from __future__ import annotations

import json
import pathlib

import h5py
import numpy as np
import pytest

import doltap
from doltap.errors import DoltapError, ModelFileError
from doltap.files import h5_file
from doltap.files.hdf5 import Group, read_hdf5, write_hdf5
from doltap.files.record import Record

REFERENCE = pathlib.Path(__file__).parent / "reference"
NUMBERS = json.loads((REFERENCE / "keras2_numbers.json").read_text())
layers = doltap.layers


def loaded(path, **options):
    return doltap.models.load_model(str(path), **options)


# Files of Keras 2.


def data_of(name):
    found = NUMBERS[name]
    x, y = (np.asarray(found[key], np.float32) for key in ("x", "y"))
    return (x, y) if x.ndim == 2 else (list(x), list(y))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_file_of_keras_2_gives_its_numbers(name):
    model, (x, _) = loaded(REFERENCE / name), data_of(name)
    found = model.predict(x, verbose=0)
    for one, wanted in zip(
        found if isinstance(found, list) else [found], NUMBERS[name]["predictions"], strict=True
    ):
        np.testing.assert_allclose(one, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NUMBERS)
def test_training_begun_in_keras_2_goes_on(name):
    model, (x, y) = loaded(REFERENCE / name), data_of(name)
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], NUMBERS[name]["losses"], rtol=1e-5)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_file_of_keras_2_written_again_is_the_same_model(tmp_path, name):
    x, y = data_of(name)
    loaded(REFERENCE / name).save(str(tmp_path / "again.h5"))
    again = loaded(tmp_path / "again.h5")
    first = loaded(REFERENCE / name).fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    second = again.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    assert first == second


def test_compile_false_reads_the_model_alone():
    model = loaded(REFERENCE / "row.h5", compile=False)
    assert not model.compiled
    assert [layer.name for layer in model.layers] == ["hidden", "normal", "leaky", "last"]


def test_weights_are_taken_from_the_file_of_a_whole_model():
    model = loaded(REFERENCE / "row.h5", compile=False)
    wanted = model.get_weights()
    model.set_weights([weight * 0 for weight in wanted])
    model.load_weights(str(REFERENCE / "row.h5"))
    for found, weight in zip(model.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(found, weight)


# Files of Keras 1, written by hand as its sources say.


def write_keras_1(path, model, weights, training=None, optimizer=()):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(model).encode()
        group = file.create_group("model_weights")
        put_keras_1(group, weights)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
            slots = file.create_group("optimizer_weights")
            slots.attrs["weight_names"] = [f"param_{number}".encode() for number in range(len(optimizer))]
            for number, array in enumerate(optimizer):
                slots[f"param_{number}"] = array


def put_keras_1(group, weights):
    group.attrs["layer_names"] = [name.encode() for name in weights]
    for layer, arrays in weights.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [name.encode() for name in arrays]
        for name, array in arrays.items():
            inner[name] = array


def dense(name, width, **config):
    return {
        "class_name": "Dense",
        "config": {
            "name": name,
            "trainable": True,
            "output_dim": width,
            "init": "glorot_uniform",
            "activation": "linear",
            "W_regularizer": None,
            "b_regularizer": None,
            "activity_regularizer": None,
            "W_constraint": None,
            "b_constraint": None,
            "bias": True,
            "input_dim": None,
            **config,
        },
    }


def kernels(*shapes):
    numbers = np.random.default_rng(0)
    return [numbers.random(shape).astype("float32") for shape in shapes]


def test_a_sequential_of_keras_1_is_read(tmp_path):
    first, bias, last, gamma, beta, mean, variance = kernels((4, 3), 3, (3, 1), 3, 3, 3, 3)
    regularizer = {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.01}
    in_front = {"batch_input_shape": [None, 4], "input_dtype": "float32", "W_regularizer": regularizer}
    constraint = {"name": "MaxNorm", "m": 2, "axis": 0}
    normal = {"name": "bn", "trainable": True, "epsilon": 0.01, "mode": 0, "axis": -1, "momentum": 0.9}
    normal |= {"gamma_regularizer": None, "beta_regularizer": None}
    model = {
        "class_name": "Sequential",
        "config": [
            dense("dense_1", 3, init="uniform", activation="relu", **in_front),
            {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "p": 0.25}},
            {"class_name": "BatchNormalization", "config": normal},
            dense("dense_2", 1, bias=False, W_constraint=constraint, activation="sigmoid"),
        ],
    }
    weights = {
        "dense_1": {"dense_1_W": first, "dense_1_b": bias},
        "dropout_1": {},
        "bn": {"bn_gamma": gamma, "bn_beta": beta, "bn_running_mean": mean, "bn_running_std": variance},
        "dense_2": {"dense_2_W": last},
    }
    momenta = kernels((4, 3), 3, 3, 3, (3, 1))
    settings = {"name": "SGD", "lr": 0.05, "momentum": 0.9, "decay": 0.01, "nesterov": True}
    training = {
        "optimizer_config": {
            "class_name": "SGD",
            "config": {key: settings[key] for key in settings if key != "name"},
        },
        "loss": "binary_crossentropy",
        "metrics": ["accuracy"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    write_keras_1(tmp_path / "old.h5", model, weights, training, [np.float32(7), *momenta])
    ours, x = loaded(tmp_path / "old.h5"), kernels((5, 4))[0]
    hidden = (np.maximum(x @ first + bias, 0) - mean) / np.sqrt(variance + 0.01) * gamma + beta
    np.testing.assert_allclose(ours.predict(x, verbose=0), 1 / (1 + np.exp(-hidden @ last)), rtol=1e-5)
    optimizer = ours.optimizer
    assert (int(optimizer.iterations), float(optimizer.learning_rate)) == (7, pytest.approx(0.05))
    assert optimizer.get_config()["decay"] == pytest.approx(0.01)
    assert optimizer.nesterov
    for slot, momentum in zip(optimizer.variables[2:], momenta, strict=True):
        np.testing.assert_array_equal(slot.numpy(), momentum)
    assert ours.layers[0].kernel_regularizer.l2 == pytest.approx(0.01)
    assert ours.layers[3].kernel_constraint.max_value == 2
    assert ours.layers[1].rate == 0.25
    ours.fit(x, np.ones((5, 1)), verbose=0)


def test_a_network_of_keras_1_is_read(tmp_path):
    shared, last = kernels((4, 3), (6, 2))
    inputs = [
        {
            "class_name": "InputLayer",
            "config": {
                "batch_input_shape": [None, 4],
                "input_dtype": "float32",
                "sparse": False,
                "name": name,
            },
            "name": name,
            "inbound_nodes": [],
        }
        for name in ("a", "b")
    ]
    merge = {"name": "merge_1", "mode": "concat", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1}
    config = {
        "name": "model_1",
        "layers": [
            *inputs,
            {**dense("d", 3, bias=False), "name": "d", "inbound_nodes": [[["a", 0, 0]], [["b", 0, 0]]]},
            {
                "class_name": "Merge",
                "config": {**merge, "output_shape": None, "output_mask": None, "arguments": {}},
                "name": "merge_1",
                "inbound_nodes": [[["d", 0, 0], ["d", 1, 0]]],
            },
            {**dense("last", 2, bias=False), "name": "last", "inbound_nodes": [[["merge_1", 0, 0]]]},
        ],
        "input_layers": [["a", 0, 0], ["b", 0, 0]],
        "output_layers": [["last", 0, 0]],
    }
    weights = {"a": {}, "b": {}, "d": {"d_W": shared}, "merge_1": {}, "last": {"last_W": last}}
    write_keras_1(tmp_path / "old.h5", {"class_name": "Model", "config": config}, weights)
    ours, (one, two) = loaded(tmp_path / "old.h5"), kernels((5, 4), (5, 4))
    wanted = np.concatenate([one @ shared, two @ shared], axis=1) @ last
    np.testing.assert_allclose(ours.predict([one, two], verbose=0), wanted, rtol=1e-5)
    assert not ours.compiled


def test_weights_of_keras_1_are_read(tmp_path):
    kernel, bias = kernels((4, 3), 3)
    with h5py.File(tmp_path / "old.h5", "w") as file:
        put_keras_1(file, {"dense_1": {"dense_1_W": kernel, "dense_1_b": bias}, "activation_1": {}})
    model = doltap.Sequential([doltap.Input((4,)), layers.Dense(3), layers.Activation("relu")])
    model.load_weights(str(tmp_path / "old.h5"))
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


# What is written is read again.


def network():
    inputs = doltap.Input((4,), name="in")
    inner = doltap.Sequential([layers.Dense(3), layers.BatchNormalization()], name="inner")
    hidden = layers.Dense(4, "tanh", kernel_regularizer="l2", name="first")(inputs)
    hidden = layers.Add(name="sum")([inner(hidden), inner(inputs)])
    return doltap.Model(
        inputs, [layers.Dense(1, name="one")(hidden), layers.Dense(2, name="two")(hidden * 2.0)]
    )


@pytest.mark.parametrize(
    "optimizer",
    [
        doltap.optimizers.SGD(0.1, momentum=0.9, decay=0.01),
        doltap.optimizers.Adam(doltap.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), amsgrad=True),
        doltap.optimizers.RMSprop(centered=True, momentum=0.5),
        doltap.optimizers.AdamW(weight_decay=0.1),
        doltap.optimizers.Nadam(),
        doltap.optimizers.Adafactor(),
        doltap.optimizers.SGD(0.1, use_ema=True, clipnorm=1.0),
        doltap.optimizers.Lamb(),
        doltap.optimizers.Muon(),
        doltap.optimizers.LossScaleOptimizer(doltap.optimizers.Adam(0.01), initial_scale=64.0),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_model_comes_back_with_all_it_was_trained_with(tmp_path, optimizer):
    model = network()
    x, y = np.ones((6, 4), np.float32), [np.ones((6, 1), np.float32), np.zeros((6, 2), np.float32)]
    metrics = [["mae"], [doltap.metrics.MeanSquaredError(name="square")]]
    model.compile(
        optimizer, {"one": "mse", "two": doltap.losses.Huber(0.5)}, metrics=metrics, loss_weights=[1.0, 0.5]
    )
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    model.save(str(tmp_path / "model.h5"))
    again = loaded(tmp_path / "model.h5")
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        # The scale of half precision begins anew, as in Keras 2.
        if other.name not in ("step_counter", "learning_rate"):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, err_msg=other.name)
    first, second = (
        each.fit(x, y, batch_size=2, shuffle=False, verbose=0).history for each in (model, again)
    )
    assert list(first) == list(second)
    np.testing.assert_allclose([*first.values()], [*second.values()], rtol=1e-5)


def test_an_optimizer_that_made_no_step_is_left_out(tmp_path):
    model = doltap.Sequential([doltap.Input((4,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.save(str(tmp_path / "model.h5"))
    assert "optimizer_weights" not in read_hdf5(tmp_path / "model.h5", "it").groups
    assert loaded(tmp_path / "model.h5").compiled


def test_many_names_are_spread_over_attributes():
    names = [f"layer_{number}" for number in range(4100)]
    root = h5_file.write(Record("h5_weights", layers=[(name, []) for name in names]))
    assert [len(root.attributes[f"layer_names{number}"]) for number in range(3)] == [2000, 2000, 100]
    assert [name for name, _ in h5_file.read(root, "it").layers] == names


def test_layers_of_one_name_inside_a_layer_keep_their_own_weights():
    arrays = kernels(2, 3, 4)
    weights = [("inner/kernel:0", array) for array in arrays]
    root = h5_file.write(Record("h5_weights", layers=[("a/b", weights), ("c", [])]))
    [(name, found), _] = h5_file.read(root, "it").layers
    assert (name, [path for path, _ in found]) == (
        "a/b",
        ["inner/kernel:0", "inner/kernel_1:0", "inner/kernel_2:0"],
    )
    assert all(one is other for (_, one), other in zip(found, arrays, strict=True))


@pytest.mark.filterwarnings("ignore")
def test_keras_3_reads_what_is_written(keras, tmp_path):
    doltap.utils.set_random_seed(0)  # What two units are normalized to may hang on their last digits.
    inputs = doltap.Input((4,), name="in")
    inner = doltap.Sequential([doltap.Input((4,)), layers.Dense(3), layers.LeakyReLU(0.2)], name="inner")
    hidden = layers.TimeDistributed(layers.Dense(2))(layers.Reshape((1, 3))(inner(inputs)))
    hidden = layers.LayerNormalization(axis=[1, 2])(hidden)
    model = doltap.Model(inputs, layers.Dense(1)(layers.Flatten()(hidden)))
    model.compile(doltap.optimizers.Adam(0.02), "mse", metrics=["mae", "accuracy"])
    x, y = np.ones((6, 4), np.float32), np.zeros((6, 1), np.float32)
    model.fit(x, y, verbose=0)
    model.save(str(tmp_path / "model.h5"))
    theirs = keras.models.load_model(str(tmp_path / "model.h5"))
    np.testing.assert_allclose(theirs.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    assert float(theirs.optimizer.learning_rate) == pytest.approx(0.02)
    found, wanted = (each.evaluate(x, y, verbose=0, return_dict=True) for each in (theirs, model))
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_what_keras_3_writes_in_hdf5_is_read(keras, tmp_path):
    inputs = keras.Input((4,))
    hidden = keras.layers.Add()([inputs, inputs]) + keras.ops.tanh(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    x, y = np.ones((6, 4), np.float32), np.zeros((6, 1), np.float32)
    model.fit(x, y, verbose=0)
    model.save(str(tmp_path / "model.h5"))
    ours = loaded(tmp_path / "model.h5")
    first, second = (each.fit(x, y, epochs=2, shuffle=False, verbose=0).history for each in (model, ours))
    assert list(first) == list(second)
    np.testing.assert_allclose([*first.values()], [*second.values()], rtol=1e-5)


# Damage, and what cannot be read.


def saved_root(tmp_path):
    model = doltap.Sequential([doltap.Input((4,)), layers.Dense(3, name="hidden")], name="row")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    model.save(str(tmp_path / "model.h5"))
    return read_hdf5(tmp_path / "model.h5", "it")


def without_array(root):
    del root.groups["model_weights"].groups["hidden"].groups["hidden"].arrays["kernel:0"]


def without_layer(root):
    del root.groups["model_weights"].groups["hidden"]


def without_slots(root):
    del root.groups["optimizer_weights"].groups["vars"].arrays["1:0"]


def broken(path, value):
    def change(root):
        *places, last = path.split("/")
        name = "training_config" if places[0] == "training" else "model_config"
        config = json.loads(root.attributes[name])
        inner = config
        for place in places[1:]:
            inner = inner[int(place) if place.isdigit() else place]
        inner[int(last) if last.isdigit() else last] = value
        root.attributes[name] = json.dumps(config)

    return change


def attribute(name, value):
    return lambda root: root.attributes.__setitem__(name, value)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (without_array, r"the array 'hidden/kernel:0' of layer 'hidden'"),
        (without_layer, r"the weights of layer 'hidden'"),
        (without_slots, r"the array 'vars/1:0' of the optimizer"),
        (
            lambda root: root.groups["model_weights"].attributes.__setitem__("layer_names", 3),
            "a list of names",
        ),
        (
            lambda root: root.groups["model_weights"].attributes.__setitem__("layer_names", [1.0]),
            "a list of names",
        ),
        (attribute("model_config", "{"), "model_config in"),
        (attribute("model_config", "[]"), "cannot be understood"),
        (attribute("model_config", '{"class_name": "Sequential"}'), "cannot be understood"),
        (attribute("training_config", "7"), "cannot be understood"),
        (attribute("training_config", "{}"), "cannot be understood"),
        (broken("model/config/layers", 3), "cannot be understood"),
        (broken("model/config/layers/1", "Dense"), "cannot be understood"),
        (broken("model/config/layers/1/class_name", "Dens"), "Did you mean 'dense'"),
        (broken("model/config/layers/1/config/units", "many"), "hidden"),
        (broken("training/optimizer_config/class_name", "Adamm"), "adam"),
        (broken("training/optimizer_config/config", None), "cannot be understood"),
    ],
)
def test_damage_is_reported_as_such(tmp_path, damage, says):
    root = saved_root(tmp_path)
    damage(root)
    write_hdf5(tmp_path / "damaged.h5", root)
    with pytest.raises(DoltapError, match=says):
        loaded(tmp_path / "damaged.h5")


def test_a_model_whose_optimizer_is_damaged_begins_training_anew(tmp_path):
    root = saved_root(tmp_path)
    names = root.groups["optimizer_weights"].attributes["weight_names"]
    root.groups["optimizer_weights"].attributes["weight_names"] = names[:-1]
    write_hdf5(tmp_path / "damaged.h5", root)
    with pytest.warns(UserWarning, match=r"begins anew.*2 arrays for each weight, got 3"):
        model = loaded(tmp_path / "damaged.h5")
    assert int(model.optimizer.iterations) == 0
    assert loaded(tmp_path / "damaged.h5", compile=False).optimizer is None


def test_an_older_nadam_is_spoken_of(tmp_path):
    root = saved_root(tmp_path)
    training = json.loads(root.attributes["training_config"])
    training["optimizer_config"] = {"class_name": "Nadam", "config": {"lr": 0.002, "schedule_decay": 0.004}}
    root.attributes["training_config"] = json.dumps(training)
    write_hdf5(tmp_path / "old.h5", root)
    with pytest.warns(UserWarning, match="momentum schedule of Keras 3"):
        assert float(loaded(tmp_path / "old.h5").optimizer.learning_rate) == pytest.approx(0.002)


def test_weights_by_number_are_refused_with_the_way_out():
    with pytest.raises(ModelFileError, match=r"before 1\.0.*\n.*Keras 1 first"):
        h5_file.read(Group({"nb_layers": 2}), "'old.h5'")


def test_the_names_in_a_file_are_escaped():
    root = Group({"layer_names": ["\x1b[31mred"]})
    with pytest.raises(ModelFileError, match=r"\\x1b\[31mred"):
        h5_file.read(root, "'it'")
