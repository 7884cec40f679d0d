"""Models written by doltap and read by real Keras, and the reverse."""

from __future__ import annotations

import json
import os
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_networks import close, drawn, rows_for
from saved_models import LAYERS, data, every_layer, nested, row, rows, shaken, subclassed

import doltap
from doltap.errors import NotSupportedError, UnknownNameError
from doltap.models.saving import made_from, record_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning"),
]
both_ways = pytest.mark.parametrize("writer", ["doltap", "keras"])


def passed_on(writer, keras, make, path, **keywords):
    """A model made in one library and written, and what the other library reads."""
    here, there = (doltap, keras) if writer == "doltap" else (keras, doltap)
    model = make(here)
    model.save(path)
    return model, there.models.load_model(path, **keywords)


def outputs(one, other, x):
    """What both models give, each as a list, from one program that is compiled fast rather than well."""
    both = jax.jit(
        lambda x: [jax.tree.leaves(model(x)) for model in (one, other)],
        compiler_options={"xla_backend_optimization_level": 0},
    )
    return both(jax.tree.map(jnp.asarray, x))


def same(one, other, x, tolerance=1e-6):
    """Whether both models predict the same."""
    return close(*outputs(one, other, x), tolerance)


@both_ways
def test_every_layer_is_read_by_the_other_library(keras, tmp_path, writer):
    model, read = passed_on(writer, keras, lambda lib: shaken(every_layer(lib)), tmp_path / "net.keras")
    x = [array for case in LAYERS for array in rows(case)]
    for case, found, wanted in zip(LAYERS, *outputs(read, model, x), strict=True):
        assert close(found, wanted, 1e-6), case


def test_every_layer_of_the_table_is_there():
    not_alone = {"Layer", "Wrapper", "InputLayer", "Lambda"}
    of_strings = {"StringLookup", "IntegerLookup", "Hashing", "HashedCrossing"}
    listed = {name for name in doltap.layers.__all__ if isinstance(getattr(doltap.layers, name), type)}
    assert listed - not_alone - of_strings == {case.split("-")[0] for case in LAYERS}


@both_ways
@pytest.mark.parametrize("make", [row, nested])
def test_a_model_is_read_by_the_other_library(keras, tmp_path, writer, make):
    model, read = passed_on(writer, keras, lambda lib: shaken(make(lib)), tmp_path / "net.keras")
    assert same(model, read, data())
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
    assert type(read).__name__ == type(model).__name__.replace("Model", "Functional") or writer == "keras"


def check_drawn(keras, path, writer, seed):
    keras.utils.clear_session()
    doltap.config.clear_session()
    model, read = passed_on(writer, keras, lambda lib: drawn(lib, seed), path)
    x = rows_for(model)
    assert same(model, read, x if len(x) > 1 else x[0]), seed


@both_ways
@pytest.mark.parametrize("seed", range(4))
def test_a_drawn_network_is_read_by_the_other_library(keras, tmp_path, writer, seed):
    check_drawn(keras, tmp_path / "net.keras", writer, seed)


@pytest.mark.slow
@both_ways
@pytest.mark.parametrize("seed", range(4, 104))
def test_a_hundred_drawn_networks_are_read_by_the_other_library(keras, tmp_path, writer, seed):
    check_drawn(keras, tmp_path / "net.keras", writer, seed)


@both_ways
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_a_class_of_ones_own_is_read_by_the_other_library(keras, tmp_path, writer, suffix):
    classes = {lib.__name__: subclassed(lib) for lib in (keras, doltap)}
    here, there = (doltap, keras) if writer == "doltap" else (keras, doltap)
    model = classes[here.__name__][0](units=3)
    model(data())
    shaken(model)
    path = tmp_path / f"net{suffix}"
    if suffix == ".keras":
        model.save(path)
        net, block = classes[there.__name__]
        read = there.models.load_model(path, custom_objects={"Net": net, "Block": block})
        assert read.units == 3
    else:
        model.save_weights(path)
        read = classes[there.__name__][0](units=3)
        read(data())
        read.load_weights(path)
    assert same(model, read, data())


# Training goes on.

OPTIMIZERS = {
    "SGD": lambda o: o.SGD(0.1),
    "SGD-momentum": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda o: o.Adam(0.01),
    "Adam-amsgrad": lambda o: o.Adam(0.01, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda o: o.AdamW(0.01),
    "Adamax": lambda o: o.Adamax(0.01),
    "Nadam": lambda o: o.Nadam(0.01),
    "RMSprop": lambda o: o.RMSprop(0.01),
    "RMSprop-all": lambda o: o.RMSprop(0.01, momentum=0.9, centered=True),
    "Adagrad": lambda o: o.Adagrad(0.1),
    "Adadelta": lambda o: o.Adadelta(1.0),
    "Adafactor": lambda o: o.Adafactor(0.01),
    "Ftrl": lambda o: o.Ftrl(0.1),
    "Lion": lambda o: o.Lion(0.01),
    "Lamb": lambda o: o.Lamb(0.01),
    "Muon": lambda o: o.Muon(0.01),
    "averages": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.5),
    "accumulation": lambda o: o.SGD(0.1, momentum=0.5, gradient_accumulation_steps=2),
    "clipping": lambda o: o.SGD(0.1, clipnorm=0.5),
    "schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.05, 3, 0.5)),
    "scaled": lambda o: o.LossScaleOptimizer(o.SGD(0.1, momentum=0.9)),
}
ONE_OF_ALL = ["Adam", "SGD-momentum", "schedule", "scaled", "averages", "Muon"]


def small(lib):
    k = lib.layers
    return lib.Sequential([lib.Input((4,)), k.Dense(3, "tanh"), k.BatchNormalization(), k.Dense(2)])


def continues(keras, path, writer, name):
    """Trains a model, passes it on, and trains both; the losses."""
    x, y = data(12), data(12, 2)

    def make(lib):
        model = shaken(small(lib))
        model.compile(OPTIMIZERS[name](lib.optimizers), "mse", metrics=["mae"])
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        return model

    model, read = passed_on(writer, keras, make, path)
    assert int(read.optimizer.iterations) == int(model.optimizer.iterations)
    return [m.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history for m in (model, read)]


# Keras 3.15 cannot train on once averages have taken the place of weights: both are one array then.


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        pytest.param(writer, name, marks=() if name in ONE_OF_ALL else pytest.mark.slow)
        for writer in ("doltap", "keras")
        for name in OPTIMIZERS
        if (writer, name) != ("keras", "averages")
    ],
)
def test_training_goes_on_in_the_other_library_where_it_stopped(keras, tmp_path, writer, name):
    before, after = continues(keras, tmp_path / "net.keras", writer, name)
    assert list(before) == list(after)
    for key in before:
        assert np.allclose(before[key], after[key], rtol=2e-5), key


def my_loss(y_true, y_pred):
    return abs(y_true - y_pred)


def settings(lib):
    """Arguments of compile, of every kind."""
    losses, metrics = lib.losses, lib.metrics
    # Keras 3.15 forgets the delta of its Huber.
    several = {"a": "mse", "b": losses.MeanSquaredError(reduction="sum")}
    return {
        "names": {"loss": "mse", "metrics": ["mae"]},
        "objects": {
            "loss": losses.MeanSquaredError(reduction="sum"),
            "metrics": [metrics.MeanAbsoluteError(name="m"), "mse"],
        },
        "function": {"loss": losses.mean_absolute_error, "weighted_metrics": [losses.mean_squared_error]},
        "own": {"loss": my_loss, "metrics": [my_loss]},
        "options": {"loss": "mse", "jit_compile": False, "steps_per_execution": 3, "run_eagerly": True},
        "dict": {
            "loss": several,
            "loss_weights": {"a": 2.0, "b": np.float32(0.5)},
            "metrics": {"a": ["mae"], "b": [metrics.MeanSquaredError(name="s")]},
        },
        "lists": {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse", "mae"]]},
    }


@both_ways
@pytest.mark.parametrize("kind", ["names", "objects", "function", "own", "dict", "lists"])
def test_what_compile_was_told_is_read_by_the_other_library(keras, tmp_path, writer, kind):
    y = data(8, 2)

    def make(lib):
        x = lib.Input((4,))
        dense = lib.layers.Dense
        outputs = dense(2, name="a")(x)
        if kind in ("dict", "lists"):
            outputs = (
                {"a": outputs, "b": dense(2, name="b")(x)}
                if kind == "dict"
                else [outputs, dense(2, name="b")(x)]
            )
        model = shaken(lib.Model(x, outputs))
        model.compile("sgd", **settings(lib)[kind])
        return model

    model, read = passed_on(writer, keras, make, tmp_path / "net.keras", custom_objects={"my_loss": my_loss})
    y = {"names": y, "dict": {"a": y, "b": -y}, "lists": [y, -y]}.get(kind, y)
    wanted = model.evaluate(data(), y, verbose=0, return_dict=True)
    found = read.evaluate(data(), y, verbose=0, return_dict=True)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_settings_without_effect_are_kept(keras, tmp_path):
    model = row(doltap)
    model.compile("adam", **settings(doltap)["options"])
    written = model.get_compile_config()
    assert (written["jit_compile"], written["steps_per_execution"], written["run_eagerly"]) == (
        False,
        3,
        True,
    )
    model.save(tmp_path / "net.keras")
    read = doltap.models.load_model(tmp_path / "net.keras")
    assert read.get_compile_config() == written
    theirs = keras.models.load_model(tmp_path / "net.keras")
    assert (theirs.jit_compile, theirs.steps_per_execution, theirs.run_eagerly) == (False, 3, True)


def test_a_model_read_without_compiling_is_not_compiled(keras, tmp_path):
    model = nested(keras)
    model.compile("adam", {"a": my_loss, "b": "mse"})
    model.save(tmp_path / "net.keras")
    read = doltap.models.load_model(tmp_path / "net.keras", compile=False)
    assert not read.compiled
    assert same(read, model, data())
    with pytest.raises(UnknownNameError, match=r"my_loss.*\n.*custom_objects.*compile=False"):
        doltap.models.load_model(tmp_path / "net.keras")


# What is shared stays shared.


@both_ways
@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_a_layer_in_a_wrapper_and_in_the_network_is_one_layer(keras, tmp_path, writer):
    def make(lib):
        k = lib.layers
        x, dense = lib.Input((3, 4)), k.Dense(4, name="both")
        return shaken(lib.Model(x, dense(k.Flatten()(k.TimeDistributed(dense)(x)[:, :1]))))

    if writer == "keras":
        # Keras 3.15 does not read its own file of this model; doltap does.
        model = make(keras)
        model.save(tmp_path / "net.keras")
        with pytest.raises(ValueError, match="received 0 variables"):
            keras.models.load_model(tmp_path / "net.keras")
        read = doltap.models.load_model(tmp_path / "net.keras")
    else:
        model, read = passed_on(writer, keras, make, tmp_path / "net.keras")
    assert read.layers[1].layer is read.layers[-1]
    assert same(model, read, np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32"))


@both_ways
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16"])
def test_weights_of_half_precision_are_read_by_the_other_library(keras, tmp_path, writer, dtype):
    def make(lib):
        k = lib.layers
        return shaken(lib.Sequential([lib.Input((4,)), k.Dense(3, dtype=dtype), k.Dense(2, dtype=dtype)]))

    model, read = passed_on(writer, keras, make, tmp_path / "net.keras")
    assert [w.dtype for w in read.get_weights()] == [w.dtype for w in model.get_weights()]
    assert all(np.array_equal(*pair) for pair in zip(read.get_weights(), model.get_weights(), strict=True))


@both_ways
@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built:UserWarning")
def test_a_model_that_was_never_built_is_read_unbuilt(keras, tmp_path, writer):
    def make(lib):
        return lib.Sequential([lib.layers.Dense(3), lib.layers.Dense(2)])

    _, read = passed_on(writer, keras, make, tmp_path / "net.keras")
    assert not read.built
    assert read(data()).shape == (8, 2)


@both_ways
def test_a_frozen_layer_stays_frozen(keras, tmp_path, writer):
    def make(lib):
        model = nested(lib)
        model.get_layer("deep").trainable = False
        model.get_layer("a").trainable = False
        return model

    model, read = passed_on(writer, keras, make, tmp_path / "net.keras")
    # Keras 3.15 forgets it of a Sequential, whose layers know it themselves.
    known = ["a"] if writer == "doltap" else ["deep", "a"]
    assert [layer.name for layer in read.layers if not layer.trainable] == known
    assert len(read.trainable_weights) == len(model.trainable_weights)
    assert same(model, read, data())


# Weights alone, and configurations alone.


@both_ways
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_alone_are_read_by_the_other_library(keras, tmp_path, writer, suffix):
    here, there = (doltap, keras) if writer == "doltap" else (keras, doltap)
    model, other = shaken(nested(here)), nested(there)
    path = tmp_path / f"net{suffix}"
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    other.load_weights(path)
    assert same(model, other, data())


def test_every_old_suffix_is_written_and_read(tmp_path):
    model = shaken(row(doltap))
    for name in ("net.ckpt", "net", "net.tf", "weights.01-0.5", "net.keras.weights"):
        model.save_weights(tmp_path / name)
        other = row(doltap)
        other.load_weights(tmp_path / name)
        assert close(other.get_weights(), model.get_weights(), 0), name
        assert (tmp_path / name).read_bytes().startswith(b"\x89HDF")
    for name in ("net", "net.pb", "net.model"):
        model.save(str(tmp_path / name))
        assert same(doltap.models.load_model(str(tmp_path / name)), model, data())


@both_ways
def test_a_description_as_json_is_understood_by_the_other_library(keras, writer):
    here, there = (doltap, keras) if writer == "doltap" else (keras, doltap)
    model = shaken(nested(here))
    model.compile("adam", {"a": "mse", "b": "mae"})
    read = there.models.model_from_json(model.to_json())
    read.set_weights(model.get_weights())
    assert same(read, model, data())
    assert type(read.optimizer).__name__ == "Adam"
    assert json.loads(model.to_json(indent=1)) == json.loads(model.to_json())


def test_the_state_of_a_model_is_one_tree_of_the_names_of_keras(keras):
    trees = []
    for lib in (keras, doltap):
        lib.utils.clear_session()
        model = small(lib)
        model.compile("adam", "mse", metrics=["mean_absolute_error"])
        model.fit(data(), data(8, 2), verbose=0)
        trees.append(model.get_state_tree("numpy_array"))
    theirs, ours = (
        jax.tree.map(np.shape, tree, is_leaf=lambda x: isinstance(x, np.ndarray)) for tree in trees
    )
    assert ours == theirs
    before = trees[1]
    fresh = small(doltap)
    fresh.compile("adam", "mse", metrics=["mae"])
    fresh.name, fresh.optimizer.name = model.name, model.optimizer.name
    for layer, known in zip(fresh.layers, model.layers, strict=True):
        layer.name = known.name
    fresh.set_state_tree({"trainable_variables": before["trainable_variables"]})
    assert close(fresh.trainable_weights[0].numpy(), model.trainable_weights[0].numpy(), 0)
    with pytest.raises(UnknownNameError, match="kernels"):
        fresh.set_state_tree({"trainable_variables": {"kernels": np.zeros(3)}})
    with pytest.raises(UnknownNameError, match="numpy_array"):
        fresh.get_state_tree("numpy")


# Classes of one's own.


def of_ones_own(lib):
    """Layers that write more than weights, and a registered one."""

    @lib.saving.register_keras_serializable("test", "Halving")
    class Half(lib.layers.Layer):
        def call(self, x):
            return x / 2

    class Keeper(lib.layers.Layer):
        def __init__(self, inner=None, act="relu", words=(), **keywords):
            super().__init__(**keywords)
            self.inner, self.act, self.words = inner, lib.activations.get(act), list(words)

        def build(self, input_shape):
            self.table = self.add_weight(shape=(2,), name="table", trainable=False, initializer="zeros")
            if not self.inner.built:
                self.inner.build(input_shape)

        def call(self, x):
            return self.act(self.inner(x)) + self.table

        def save_own_variables(self, store):
            store["half"] = np.asarray(self.table) / 2

        def load_own_variables(self, store):
            self.table.assign(2 * np.asarray(store["half"]))

        def save_assets(self, folder):
            with open(os.path.join(folder, "words.txt"), "w") as file:
                file.write(" ".join(self.words))

        def load_assets(self, folder):
            with open(os.path.join(folder, "words.txt")) as file:
                self.words = file.read().split()

        def get_config(self):
            parts = {"inner": self.inner, "act": self.act}
            return {
                **super().get_config(),
                **{k: lib.saving.serialize_keras_object(v) for k, v in parts.items()},
            }

        @classmethod
        def from_config(cls, config):
            for part in ("inner", "act"):
                config[part] = lib.saving.deserialize_keras_object(config[part])
            return cls(**config)

    return Half, Keeper


@both_ways
def test_classes_of_ones_own_keep_what_they_write_themselves(keras, tmp_path, writer):
    made = {lib.__name__: of_ones_own(lib) for lib in (keras, doltap)}

    def make(lib):
        half, keeper = made[lib.__name__]
        inner = lib.layers.Dense(2, name="inner")
        layers = [half(name="half"), keeper(inner, "tanh", ["a", "b"], name="keeper")]
        return shaken(lib.Sequential([lib.Input((4,)), *layers]))

    there = "keras" if writer == "doltap" else "doltap"
    model, read = passed_on(
        writer, keras, make, tmp_path / "net.keras", custom_objects={"Keeper": made[there][1]}
    )
    assert same(model, read, data())
    assert read.layers[1].words == ["a", "b"]
    assert read.layers[1].inner.name == "inner"
    assert read.layers[0].get_config()["name"] == "half"


@both_ways
def test_a_layer_that_builds_in_its_own_way_tells_how(keras, tmp_path, writer):
    def layer(lib):
        class Sized(lib.layers.Layer):
            def build(self, input_shape, more=2):
                self.scale = self.add_weight(shape=(more,), initializer="ones", name="scale")

            def call(self, x):
                return x * self.scale.sum() if hasattr(self.scale, "sum") else x * lib.ops.sum(self.scale)

            def get_build_config(self):
                return {"more": self.scale.shape[0]}

            def build_from_config(self, config):
                self.build(None, config["more"])

        return Sized

    classes = {lib.__name__: layer(lib) for lib in (keras, doltap)}

    def make(lib):
        sized = classes[lib.__name__]()
        sized.build((None, 4), 3)
        return shaken(lib.Sequential([lib.Input((4,)), sized]))

    there = "keras" if writer == "doltap" else "doltap"
    model, read = passed_on(
        writer, keras, make, tmp_path / "net.keras", custom_objects={"Sized": classes[there]}
    )
    assert read.get_weights()[0].shape == (3,)
    assert same(model, read, data())


def test_a_compile_of_ones_own_is_left_to_its_owner(tmp_path):
    class Net(doltap.Sequential):
        def compile(self, strength, **keywords):
            super().compile("sgd", "mse", **keywords)
            self.strength = strength

    class Known(Net):
        def get_compile_config(self):
            return {"strength": self.strength}

        def compile_from_config(self, config):
            self.compile(**config)

    for kind in (Net, Known):
        model = kind([doltap.Input((4,)), doltap.layers.Dense(1)])
        model.compile(3)
        model.save(tmp_path / "net.keras")
        if kind is Net:
            with pytest.warns(UserWarning, match="compile of its own"):
                read = doltap.models.load_model(tmp_path / "net.keras", {"Net": Net})
            assert not read.compiled
        else:
            assert doltap.models.load_model(tmp_path / "net.keras", {"Known": Known}).strength == 3


def test_what_was_read_is_written_again_as_it_was(tmp_path):
    model = shaken(nested(doltap))
    model.compile("adam", {"a": "mse", "b": "mse"})
    model.fit(data(), {"a": data(8, 2), "b": data(8, 1)}, verbose=0)
    model.save(tmp_path / "one.keras")
    doltap.models.load_model(tmp_path / "one.keras").save(tmp_path / "two.keras")
    one, two = (zipfile.ZipFile(tmp_path / f"{name}.keras") for name in ("one", "two"))
    for name in ("config.json", "model.weights.h5"):
        assert one.read(name) == two.read(name), name


def test_saving_in_the_middle_of_training_keeps_every_step(tmp_path):
    class Saver(doltap.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.save(tmp_path / "net.keras")

    model = shaken(small(doltap))
    model.compile(doltap.optimizers.Adam(0.01), "mse")
    x, y = data(12), data(12, 2)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[Saver()])
    read = doltap.models.load_model(tmp_path / "net.keras")
    assert int(read.optimizer.iterations) == 2
    read.fit(x[8:], y[8:], batch_size=4, shuffle=False, verbose=0)
    assert close(read.get_weights(), model.get_weights(), 1e-6)


def test_objects_of_every_family_are_described_and_made_again(keras):
    things = {
        "optimizers": ["Adam", {"learning_rate": 0.5}],
        "losses": ["Hinge", {"reduction": "sum"}],
        "metrics": ["MeanIoU", {"num_classes": 3}],
        "initializers": ["TruncatedNormal", {"stddev": 0.5}],
        "regularizers": ["L1L2", {"l1": 0.5}],
        "constraints": ["MaxNorm", {"max_value": 3.0}],
        "layers": ["Dense", {"units": 3}],
    }
    for family, (name, options) in things.items():
        ours, theirs = (getattr(getattr(lib, family), name)(**options) for lib in (doltap, keras))
        written = json.loads(json.dumps(doltap.saving.serialize_keras_object([ours, {"a": ours}])))
        assert written[0]["module"] == keras.saving.serialize_keras_object(theirs)["module"]
        (again, _) = doltap.saving.deserialize_keras_object(written)
        assert again.get_config() == ours.get_config()
        from_theirs = doltap.saving.deserialize_keras_object(keras.saving.serialize_keras_object(theirs))
        assert type(from_theirs) is type(ours)
        assert type(keras.saving.deserialize_keras_object(written[0])) is type(theirs)
    values = [None, True, 3, 0.5, "a", {"b": [1, 2]}, slice(1, None, 2), b"ab", ...]
    again = doltap.saving.deserialize_keras_object(doltap.saving.serialize_keras_object(values))
    assert again == values
    array = doltap.saving.deserialize_keras_object(doltap.saving.serialize_keras_object(np.arange(3)))
    assert array.tolist() == [0, 1, 2]
    assert doltap.saving.serialize_keras_object(np.float32(0.5)) == 0.5
    relu = keras.saving.serialize_keras_object(keras.activations.relu)
    assert doltap.saving.deserialize_keras_object(relu) is doltap.activations.relu
    for value in (lambda x: x, object(), {1, 2}):
        with pytest.raises(NotSupportedError):
            doltap.saving.serialize_keras_object(value)
    with pytest.raises(NotSupportedError, match="code"):
        doltap.saving.deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}})


def test_a_class_made_of_tensors_is_made_again_by_its_own_arguments(keras, tmp_path):
    def kind(lib):
        class Made(lib.Model):
            def __init__(self, units, **keywords):
                x = lib.Input((4,))
                self_dense = lib.layers.Dense(units)
                super().__init__(x, self_dense(x), **keywords)
                self.units, self.more = units, [lib.layers.Dense(2)]

            def get_config(self):
                return {"units": self.units, "name": self.name}

            @classmethod
            def from_config(cls, config):
                return cls(**config)

        return Made

    for writer, there in (("doltap", keras), ("keras", doltap)):
        here = {"doltap": doltap, "keras": keras}[writer]
        model = shaken(kind(here)(3))
        model.save(tmp_path / "net.keras")
        read = there.models.load_model(tmp_path / "net.keras", custom_objects={"Made": kind(there)})
        assert read.units == 3
        assert same(model, read, data())


def test_a_note_about_an_old_optimizer_is_told_once(tmp_path):
    record = record_of(small(doltap), "h5")
    record.metadata["notes"] = ["Nadam goes on in another way."]
    with pytest.warns(UserWarning, match="'FILE': Nadam") as told:
        made_from(record, "'FILE'")
    assert len(told) == 1


def test_layers_inside_a_network_are_found(tmp_path):
    model = nested(doltap)
    assert {layer.name for layer in model.inside(doltap.layers.Dense)} >= {"again", "a", "b"}


def test_a_layer_for_whole_numbers_predicts_in_a_network():
    lookup = doltap.layers.IntegerLookup(vocabulary=[3, 4], output_mode="one_hot")
    bins = doltap.layers.Discretization([0.0, 1.0])
    x = doltap.Input((1,), dtype="int64")
    assert doltap.Model(x, lookup(x)).predict(np.array([[4]]), verbose=0).tolist() == [[0, 0, 1]]
    x = doltap.Input((1,))
    assert doltap.Model(x, bins(x)).predict(np.array([[0.5]]), verbose=0).tolist() == [[1]]
