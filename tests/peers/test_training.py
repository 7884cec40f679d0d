"""Training goes on in another library where it stopped, with the same optimizer, losses and metrics."""

import json

import h5py
import numpy as np
import pytest
from exchange import assert_same_losses, assert_same_predictions, evaluate, forget_names, loaded, saved, train

import doltap
from doltap import losses, optimizers

OPTIMIZERS = {
    "SGD": {"learning_rate": 0.05},
    "SGD-momentum": {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
    "SGD-ema": {"learning_rate": 0.05, "use_ema": True, "ema_overwrite_frequency": 3},
    "SGD-momentum-ema": {"momentum": 0.9, "use_ema": True, "ema_momentum": 0.9},
    "SGD-clipped": {"learning_rate": 0.05, "clipnorm": 0.1},
    "RMSprop": {"learning_rate": 0.01},
    "RMSprop-all": {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "rho": 0.8},
    "Adam": {"learning_rate": 0.01, "beta_1": 0.8, "epsilon": 1e-5},
    "Adam-amsgrad": {"learning_rate": 0.01, "amsgrad": True},
    "Adam-decayed": {"learning_rate": 0.01, "weight_decay": 0.05},
    "AdamW": {"learning_rate": 0.01, "weight_decay": 0.1},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.9},
    "Adagrad": {"learning_rate": 0.05, "initial_accumulator_value": 0.2},
    "Adamax": {"learning_rate": 0.01},
    "Nadam": {"learning_rate": 0.01},
    "Ftrl": {"learning_rate": 0.05, "l1_regularization_strength": 0.01},
    "Lion": {"learning_rate": 0.005, "beta_1": 0.8},
    "Adafactor": {"learning_rate": 0.05},
}
OLD = ["SGD", "SGD-momentum", "SGD-clipped", "Adam", "Adam-amsgrad", "Adadelta", "Adagrad", "Adamax", "Ftrl"]
# Keras 2 multiplies Nadam's momenta once for every weight in a step, and forgets the product when it saves.
OTHERWISE = ("Nadam",)
OF_BOTH = [name for name in OPTIMIZERS if name not in OTHERWISE]


def network(lib, end=None):
    inputs = lib.Input((4,))
    hidden = lib.layers.Dense(5, activation="tanh", name="first")(inputs)
    hidden = lib.layers.BatchNormalization(name="normal")(hidden)
    return lib.Model(inputs, lib.layers.Dense(2, end, use_bias=False, name="last")(hidden))


def data(classes=False):
    numbers = np.random.default_rng(0)
    x, y = numbers.random((12, 4), dtype=np.float32), numbers.random((12, 2), dtype=np.float32)
    return x, (np.eye(2, dtype=np.float32)[numbers.integers(0, 2, 12)] if classes else y)


def trained(lib, optimizer, **compiled):
    forget_names(lib, doltap)
    model = network(lib)
    model.compile(optimizer, loss=compiled.pop("loss", "mse"), **compiled)
    train(model, *data(), epochs=2)
    return model


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("name", OF_BOTH)
def test_training_begun_in_keras_2_goes_on(keras2, tmp_path, name, suffix):
    made = getattr(keras2.optimizers, name.partition("-")[0])(**OPTIMIZERS[name])
    theirs = trained(keras2, made)
    ours = loaded(doltap, saved(theirs, tmp_path / f"model.{suffix}"))
    assert_same_losses(ours, theirs, *data())
    assert_same_predictions(ours, theirs, data()[0], 1e-5)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop", "adagrad", "adamw"])
def test_optimizers_by_name_have_their_usual_settings(keras2, tmp_path, name, suffix):
    theirs = trained(keras2, name)
    ours = loaded(doltap, saved(theirs, tmp_path / f"model.{suffix}"))
    assert_same_losses(ours, theirs, *data())


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OLD)
def test_training_begun_in_keras_2_before_2_11_goes_on(keras2, tmp_path, name, decay):
    made = getattr(keras2.optimizers.legacy, name.partition("-")[0])(**OPTIMIZERS[name], decay=decay)
    theirs = trained(keras2, made)
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_losses(ours, theirs, *data())
    again = loaded(keras2, saved(ours, tmp_path / "again.h5"))
    assert type(again.optimizer) is type(made)
    assert_same_losses(again, ours, *data())


@pytest.mark.parametrize("name", OF_BOTH)
def test_training_begun_here_goes_on_in_keras_2(keras2, tmp_path, name):
    ours = trained(doltap, getattr(optimizers, name.partition("-")[0])(**OPTIMIZERS[name]))
    theirs = loaded(keras2, saved(ours, tmp_path / "model.h5"))
    assert int(theirs.optimizer.iterations) == 6
    assert_same_losses(theirs, ours, *data())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_keras_3_reads_the_settings_of_the_optimizer(keras3, tmp_path, name):
    ours = trained(doltap, getattr(optimizers, name.partition("-")[0])(**OPTIMIZERS[name]))
    theirs = loaded(keras3, saved(ours, tmp_path / "model.h5"))
    wanted, found = ours.optimizer.get_config(), theirs.optimizer.get_config()
    assert type(theirs.optimizer).__name__ == type(ours.optimizer).__name__
    if name.partition("-")[0] in OLD and "ema" not in name and "decayed" not in name:
        assert {key: found[key] for key in wanted if key != "name"} == {
            key: pytest.approx(value) for key, value in wanted.items() if key != "name"
        }
    # Keras 3 builds it for no weights when it reads HDF5, its own files too; it has to be compiled again.
    theirs.compile(type(theirs.optimizer)(learning_rate=0.01), loss="mse")
    theirs.fit(*data(), verbose=0)


def test_what_keras_3_wrote_in_hdf5_goes_on(keras3, tmp_path):
    theirs = trained(keras3, keras3.optimizers.Adam(0.01), metrics=["mae"])
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_losses(ours, theirs, *data())


SCHEDULES = {
    "ExponentialDecay": (0.1, 3, 0.5),
    "PiecewiseConstantDecay": ([3, 6], [0.1, 0.05, 0.01]),
    "PolynomialDecay": (0.1, 9),
    "InverseTimeDecay": (0.1, 3, 0.5),
    "CosineDecay": (0.1, 9),
    "CosineDecayRestarts": (0.1, 4),
}


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_go_on(keras2, tmp_path, name, optimizer):
    schedule = getattr(keras2.optimizers.schedules, name)(*SCHEDULES[name])
    theirs = trained(keras2, getattr(keras2.optimizers, optimizer)(schedule))
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_losses(ours, theirs, *data())
    again = loaded(keras2, saved(ours, tmp_path / "again.h5"))
    assert_same_losses(again, ours, *data())


def test_half_precision_goes_on(keras2, tmp_path):
    forget_names(keras2, doltap)
    keras2.mixed_precision.set_global_policy("mixed_float16")
    try:
        # The scale of the moment is in no file of Keras 2's: here it never changes.
        scaled = keras2.mixed_precision.LossScaleOptimizer(keras2.optimizers.Adam(), initial_scale=256.0)
        theirs = trained(keras2, scaled)
    finally:
        keras2.mixed_precision.set_global_policy("float32")
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert ours.get_layer("first").compute_dtype == "float16"
    assert_same_losses(ours, theirs, *data(), tolerance=2e-3)
    again = loaded(keras2, saved(ours, tmp_path / "again.h5"))
    assert_same_losses(again, ours, *data(), tolerance=2e-3)


LOSSES = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SquaredHinge",
]
SHORT = [
    "mse",
    "mae",
    "mape",
    "msle",
    "bce",
    "kld",
    "binary_crossentropy",
    "cosine_similarity",
    "log_cosh",
    "huber",
]


@pytest.mark.parametrize("given", [*LOSSES, *SHORT])
def test_losses_mean_the_same_everywhere(keras2, keras3, tmp_path, given):
    forget_names(keras2, doltap)
    x, y = data(classes=True)
    end = "softmax" if "Categorical" in given else "sigmoid"
    ours = network(doltap, end)
    ours.compile("sgd", loss=getattr(losses, given)() if given in LOSSES else given)
    path = saved(ours, tmp_path / "model.h5")
    wanted = evaluate(ours, x, y)
    for lib in (keras2, keras3):
        theirs = loaded(lib, path)
        assert evaluate(theirs, x, y) == pytest.approx(wanted, rel=1e-5)
        again = loaded(doltap, saved(theirs, tmp_path / "again.h5"))
        assert evaluate(again, x, y) == pytest.approx(wanted, rel=1e-5)
    theirs = network(keras2, end)
    theirs.set_weights(ours.get_weights())
    theirs.compile("sgd", loss=getattr(keras2.losses, given)() if given in LOSSES else given)
    for suffix in ("h5", "keras"):
        again = loaded(doltap, saved(theirs, tmp_path / f"theirs.{suffix}"))
        assert evaluate(again, x, y) == pytest.approx(wanted, rel=1e-5)


METRICS = {
    **{name: () for name in LOSSES if "Focal" not in name and name not in ("LogCosh", "Huber")},
    **dict.fromkeys(("LogCoshError", "RootMeanSquaredError", "BinaryAccuracy", "CategoricalAccuracy"), ()),
    **dict.fromkeys(
        ("TopKCategoricalAccuracy", "AUC", "Precision", "Recall", "FalsePositives", "R2Score"), ()
    ),
    **dict.fromkeys(("TrueNegatives", "F1Score"), ()),
    "PrecisionAtRecall": (0.5,),
    "SensitivityAtSpecificity": (0.5,),
    "MeanIoU": (2,),
}
BY_NAME = ["accuracy", "acc", "mse", "mae", "mape"]


def assert_same_results(found, wanted):
    assert len(found) == len(wanted)
    for name, value in wanted.items():
        # Keras 2 has another name for this one, and a file keeps the name it was given.
        value_found = found.get(name, found.get("kullback_leibler_divergence"))
        np.testing.assert_allclose(value_found, value, rtol=1e-5, err_msg=name)


def measured(lib, end):
    """A model that follows everything there is to follow at its end."""
    model = network(lib, end)
    # Keras 2 takes what is in front of the last activation for what it is not.
    other = "BinaryCrossentropy" if end == "softmax" else "CategoricalCrossentropy"
    names = [name for name in METRICS if name != other]
    made = [getattr(lib.metrics, name)(*METRICS[name]) for name in names]
    model.compile("sgd", loss="mse", metrics=[*made, *BY_NAME])
    return model


@pytest.mark.parametrize("end", ["softmax", "sigmoid"])
def test_metrics_mean_the_same_everywhere(keras2, keras3, tmp_path, end):
    forget_names(keras2, keras3, doltap)
    x, y = data(classes=True)
    ours = measured(doltap, end)
    path = saved(ours, tmp_path / "model.h5")
    wanted = evaluate(ours, x, y)
    for lib in (keras2, keras3):
        assert_same_results(evaluate(loaded(lib, path), x, y), wanted)
    theirs = measured(keras2, end)
    theirs.set_weights(ours.get_weights())
    evaluate(theirs, x, y)
    for suffix in ("h5", "keras"):
        again = loaded(doltap, saved(theirs, tmp_path / f"theirs.{suffix}"))
        assert_same_results(evaluate(again, x, y), wanted)


def two_ends(lib):
    inputs = lib.Input((4,), name="in")
    hidden = lib.layers.Dense(3, name="hidden")(inputs)
    return lib.Model(
        inputs, [lib.layers.Dense(1, name="one")(hidden), lib.layers.Dense(2, name="two")(hidden)]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "mse", "metrics": [["mae"], ["mse"]], "loss_weights": [0.5, 2.0]},
        {"loss": {"one": "mse", "two": "mae"}, "metrics": {"one": ["mae", "mse"], "two": ["mae"]}},
        {"loss": ["mse", "mae"], "metrics": {"two": "mae"}, "loss_weights": {"one": 0.5, "two": 1.5}},
        {"loss": ["mse", "mae"], "weighted_metrics": [["mae"], []]},
    ],
)
def test_several_outputs_keep_what_is_theirs(keras2, keras3, tmp_path, settings):
    forget_names(keras2, keras3, doltap)
    x, y = data()
    ours = two_ends(doltap)
    ours.compile("sgd", **settings)
    ours.fit(x, [y[:, :1], y], verbose=0)
    wanted = evaluate(ours, x, [y[:, :1], y])
    path = saved(ours, tmp_path / "model.h5")
    theirs = loaded(keras2, path)
    assert evaluate(theirs, x, [y[:, :1], y]) == pytest.approx(wanted, rel=1e-5)
    # Keras 3 puts the outputs' names in front once more.
    found = evaluate(loaded(keras3, path), x, [y[:, :1], y])
    assert sorted(found.values()) == pytest.approx(sorted(wanted.values()), rel=1e-5)
    for suffix in ("h5", "keras"):
        again = loaded(doltap, saved(theirs, tmp_path / f"again.{suffix}"))
        found = evaluate(again, x, [y[:, :1], y])
        if suffix == "h5":
            assert found == pytest.approx(wanted, rel=1e-5)


def test_a_model_that_was_never_compiled_stays_so(keras2, keras3, tmp_path):
    path = saved(network(doltap), tmp_path / "model.h5")
    with h5py.File(path) as file:
        assert "training_config" not in file.attrs
        assert json.loads(file.attrs["model_config"])["class_name"] == "Functional"
    for lib in (keras2, keras3, doltap):
        assert not getattr(loaded(lib, path), "compiled", False)


def test_a_model_that_was_compiled_and_not_trained_trains_in_keras_3(keras3, tmp_path):
    ours = network(doltap)
    ours.compile(optimizers.RMSprop(0.001), loss="mse", metrics=["mae"])
    theirs = loaded(keras3, saved(ours, tmp_path / "model.h5"))
    assert_same_losses(theirs, ours, *data())


def test_without_its_optimizer_a_model_trains_on_in_keras_3(keras3, tmp_path):
    ours = trained(doltap, "adam")
    ours.save(str(tmp_path / "model.h5"), include_optimizer=False)
    theirs = loaded(keras3, str(tmp_path / "model.h5"))
    assert_same_predictions(theirs, ours, data()[0])
    theirs.compile("adam", loss="mse")
    theirs.fit(*data(), verbose=0)
