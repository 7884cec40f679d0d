"""Every layer that doltap and Keras 2 both have goes from one to the other, and so does what layers are made with."""

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


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_lookup_keeps_its_words(keras2, tmp_path, suffix):
    words = ["sun", "moon", "stars"]
    theirs = keras2.Sequential([keras2.layers.StringLookup(vocabulary=words, output_mode="multi_hot")])
    theirs.build((None, 2))
    numbers = keras2.Sequential([keras2.layers.IntegerLookup(vocabulary=[3, 5, 7], name="numbers")])
    numbers.build((None, 2))
    for model in (theirs, numbers):
        ours = loaded(doltap, saved(model, tmp_path / f"{model.name}.{suffix}"))
        assert ours.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()
