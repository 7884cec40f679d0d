"""Every layer that doltap and Keras 2 both have goes from one to the other."""

import numpy as np
import pytest
from exchange import assert_same_predictions, forget_names, loaded, saved
from test_every_layer import CASES

import doltap
from doltap import constraints, initializers, regularizers

# Keras 2 has not got them, or means something else by these options.
NOT_IN_KERAS_2 = {"RMSNormalization", "RMSNormalization-axes", "LayerNormalization-rms", "Lambda"}
# Keras 2 lays these weights out in the order in which the axes were given: [2, 1].
NOT_IN_KERAS_2 |= {"LayerNormalization-axes"}
# Keras 2 fails on these; Keras 3 cannot write the noise_shape of this one.
NOT_IN_KERAS_2 |= {"AlphaDropout", "GroupNormalization-each"}
CASES_OF_BOTH = [case for case in CASES if case not in NOT_IN_KERAS_2]
TAKES_NUMBERS = ("Embedding", "Embedding-mask")


def network(lib, case):
    """The layer of a case between inputs and a last layer."""
    make, shapes = CASES[case]
    several = isinstance(shapes, list)
    inputs = [lib.Input(shape[1:]) for shape in (shapes if several else [shapes])]
    options = {"name": "it"} if not case.startswith("TimeDistributed") else {}
    outputs = make(lib.layers, **options)(inputs if several else inputs[0])
    return lib.Model(inputs, outputs)


def rows(case):
    numbers = np.random.default_rng(3)
    make = (lambda s: numbers.integers(0, 9, s)) if case in TAKES_NUMBERS else (lambda s: numbers.random(s))
    shapes = CASES[case][1]
    x = [make(shape).astype(np.float32) for shape in (shapes if isinstance(shapes, list) else [shapes])]
    return x if len(x) > 1 else x[0]


def shaken(model):
    """The model with weights that nobody starts with."""
    numbers = np.random.default_rng(4)
    model.set_weights([numbers.random(weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("case", CASES_OF_BOTH)
def test_a_layer_of_keras_2_is_read(keras2, tmp_path, case, suffix):
    forget_names(keras2, doltap)
    theirs = shaken(network(keras2, case))
    ours = loaded(doltap, saved(theirs, tmp_path / f"model.{suffix}"))
    assert_same_predictions(ours, theirs, rows(case), 3e-6)


@pytest.mark.parametrize("case", CASES_OF_BOTH)
def test_a_layer_of_doltaps_is_read_by_keras_2(keras2, tmp_path, case):
    forget_names(keras2, doltap)
    ours = shaken(network(doltap, case))
    theirs = loaded(keras2, saved(ours, tmp_path / "model.h5"))
    assert_same_predictions(theirs, ours, rows(case), 3e-6)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("Lambda", "AlphaDropout")])
def test_a_layer_goes_through_hdf5_to_keras_3_and_back(keras3, tmp_path, case):
    forget_names(keras3, doltap)
    ours = shaken(network(doltap, case))
    theirs = loaded(keras3, saved(ours, tmp_path / "model.h5"))
    assert_same_predictions(theirs, ours, rows(case), 3e-6)
    again = loaded(doltap, saved(theirs, tmp_path / "again.h5"))
    assert_same_predictions(again, ours, rows(case), 3e-6)


def every(family, base, arguments=None):
    made = arguments or {}
    return {
        name: kind(*made.get(name, ()))
        for name, kind in vars(family).items()
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base and name == kind.__name__
    }


MADE_WITH = {
    **{
        f"kernel_initializer-{name}": one
        for name, one in every(initializers, initializers.Initializer).items()
    },
    **{
        f"kernel_regularizer-{name}": one
        for name, one in every(regularizers, regularizers.Regularizer).items()
    },
    **{f"kernel_constraint-{name}": one for name, one in every(constraints, constraints.Constraint).items()},
}


@pytest.mark.parametrize("given", [one for one in MADE_WITH if not one.endswith("-STFT")])
def test_what_a_layer_is_made_with_goes_both_ways(keras2, tmp_path, given):
    keyword = given.partition("-")[0]
    ours = doltap.Sequential([doltap.Input((3,)), doltap.layers.Dense(3, **{keyword: MADE_WITH[given]})])
    theirs = loaded(keras2, saved(ours, tmp_path / "ours.h5"))
    written = getattr(theirs.layers[0], keyword).get_config()
    again = loaded(doltap, saved(theirs, tmp_path / "theirs.h5"))
    found = getattr(again.layers[0], keyword)
    assert type(found) is type(MADE_WITH[given])
    wanted = MADE_WITH[given].get_config()
    for key, value in found.get_config().items():
        assert value == pytest.approx(wanted[key]), key
    assert set(written) <= set(wanted)


TEXTS = np.array([["sun", "moon"], ["stars", "earth"], ["moon", "?"]])
TABLE = np.random.default_rng(1).random((6, 3)).astype("float32")
WHOLE = np.array([[3, 5], [7, 9], [5, 0]])


def adapted(layer, rows):
    layer.adapt(rows)
    return layer


# Layers in front of a network, which learn from data before training or not at all; and what they are given.
PREPARING = {
    "Rescaling": (lambda k: k.Rescaling(0.5, 0.1), TABLE),
    "Normalization": (lambda k: k.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]), TABLE),
    "Normalization-inverted": (lambda k: k.Normalization(mean=0.5, variance=4.0, invert=True), TABLE),
    "Normalization-adapted": (lambda k: adapted(k.Normalization(), TABLE), TABLE),
    "Discretization": (lambda k: k.Discretization([0.2, 0.5]), TABLE),
    "Discretization-one-hot": (lambda k: k.Discretization([0.2, 0.5], output_mode="multi_hot"), TABLE),
    "CategoryEncoding": (lambda k: k.CategoryEncoding(10, output_mode="multi_hot"), WHOLE),
    "CategoryEncoding-count": (lambda k: k.CategoryEncoding(10, output_mode="count"), WHOLE),
    "Hashing": (lambda k: k.Hashing(7), TEXTS),
    "Hashing-salted": (lambda k: k.Hashing(7, salt=[3, 5], output_mode="multi_hot"), TEXTS),
    "StringLookup": (lambda k: k.StringLookup(vocabulary=["sun", "moon", "stars"]), TEXTS),
    "StringLookup-hot": (
        lambda k: k.StringLookup(vocabulary=["sun", "moon"], output_mode="multi_hot"),
        TEXTS,
    ),
    "IntegerLookup": (lambda k: k.IntegerLookup(vocabulary=[3, 5, 7]), WHOLE),
    "IntegerLookup-count": (lambda k: k.IntegerLookup(vocabulary=[3, 5], output_mode="count"), WHOLE),
}


def preparing(lib, case):
    """A model of the layer alone."""
    make, x = PREPARING[case]
    kind = "string" if x.dtype.kind == "U" else "float32" if x.dtype.kind == "f" else "int64"
    inputs = lib.Input((x.shape[1],), dtype=kind, name="in")
    return lib.Model(inputs, make(lib.layers)(inputs))


def prepared(model, x):
    if type(model).__module__.startswith("tf_keras"):
        return np.asarray(model(x))
    return model.predict(x, verbose=0)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("case", PREPARING)
def test_a_layer_that_prepares_data_goes_both_ways(keras2, tmp_path, case, suffix):
    forget_names(keras2, doltap)
    x = PREPARING[case][1]
    theirs = preparing(keras2, case)
    wanted = prepared(theirs, x)
    ours = loaded(doltap, saved(theirs, tmp_path / f"theirs.{suffix}"))
    np.testing.assert_allclose(prepared(ours, x), wanted, rtol=1e-6, atol=1e-6)
    again = loaded(keras2, saved(ours, tmp_path / "again.h5"))
    np.testing.assert_allclose(prepared(again, x), wanted, rtol=1e-6, atol=1e-6)


def test_crossed_features_go_both_ways(keras2, tmp_path):
    def crossing(lib):
        inputs = [lib.Input((1,), dtype="string", name="a"), lib.Input((1,), dtype="string", name="b")]
        return lib.Model(inputs, lib.layers.HashedCrossing(9)(inputs))

    x = [TEXTS[:, :1], TEXTS[:, 1:]]
    theirs = crossing(keras2)
    ours = loaded(doltap, saved(theirs, tmp_path / "theirs.h5"))
    np.testing.assert_array_equal(ours.predict(x, verbose=0), np.asarray(theirs(x)))
    again = loaded(keras2, saved(ours, tmp_path / "ours.h5"))
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(theirs(x)))
