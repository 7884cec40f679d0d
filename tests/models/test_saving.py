"""Models written by doltap and read by real Keras, and the reverse."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_networks import close, drawn, rows_for
from saved_models import LAYERS, data, every_layer, nested, row, rows, shaken, subclassed

import doltap
from doltap.errors import DoltapError, ModelFileError, NotSupportedError, UnknownNameError

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


@both_ways
@pytest.mark.parametrize("name", [name if name in ONE_OF_ALL else pytest.param(name, marks=pytest.mark.slow) for name in OPTIMIZERS])
def test_training_goes_on_in_the_other_library_where_it_stopped(keras, tmp_path, writer, name):
    before, after = continues(keras, tmp_path / "net.keras", writer, name)
    assert list(before) == list(after)
    for key in before:
        assert np.allclose(before[key], after[key], rtol=2e-5), key
