"""Networks drawn by chance go from one library to another and give the same predictions."""

import pytest
from exchange import FILES, assert_same_predictions, forget_names, loaded, saved
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from networks import drawn_network, drawn_row, rows_for

import doltap

# Ways into doltap, and out of it: the files are shared out among them.
INTO = [("keras2", "h5"), ("keras2", "keras"), ("keras3", "h5"), ("keras3", "keras")]
OUT = [("keras2", "h5"), ("keras3", "h5"), ("keras3", "keras")]
DRAWS = [drawn_row, drawn_network]
draws = pytest.mark.parametrize("draw", DRAWS)
seeds = st.integers(0, 10_000)
optimizers = st.sampled_from(["sgd", "adam", "rmsprop", "adagrad", "adamax", "adadelta"])


def share(ways):
    """As many examples as make `FILES` with all ways and draws."""
    return settings(
        max_examples=-(-FILES // (len(ways) * len(DRAWS))),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )


def trained(model, optimizer):
    """The model after two steps."""
    x, y = rows_for(model)
    options = {"run_eagerly": True} if type(model).__module__.startswith("tf_keras") else {}
    model.compile(
        optimizer, **options, loss=["mse"] * len(model.outputs) if len(model.outputs) > 1 else "mse"
    )
    for _ in range(2):
        model.train_on_batch(x, y)
    return model


def other_library(request, name):
    lib = request.getfixturevalue(name)
    forget_names(lib, doltap)
    return lib


@draws
@pytest.mark.parametrize(("name", "suffix"), INTO)
def test_what_keras_wrote_is_read(request, tmp_path_factory, name, suffix, draw):
    @share(INTO)
    @given(seed=seeds, optimizer=optimizers)
    def exchange(seed, optimizer):
        theirs = trained(draw(other_library(request, name), seed), optimizer)
        ours = loaded(doltap, saved(theirs, tmp_path_factory.mktemp("files") / f"model.{suffix}"))
        assert_same_predictions(ours, theirs, rows_for(theirs)[0])
        # Keras counts no steps of a network that has no weights.
        assert int(ours.optimizer.iterations) == (2 if theirs.trainable_weights else 0)

    exchange()


@draws
@pytest.mark.parametrize(("name", "suffix"), OUT)
def test_what_doltap_wrote_is_read_by_keras(request, tmp_path_factory, name, suffix, draw):
    # Keras 2 and 3 count the calls of a Functional model inside another one differently in HDF5.
    options = {"networks": False} if (name, suffix, draw) == ("keras3", "h5", drawn_network) else {}

    @share(OUT)
    @given(seed=seeds, optimizer=optimizers)
    def exchange(seed, optimizer):
        lib = other_library(request, name)
        ours = trained(draw(doltap, seed, **options), optimizer)
        theirs = loaded(lib, saved(ours, tmp_path_factory.mktemp("files") / f"model.{suffix}"))
        assert_same_predictions(theirs, ours, rows_for(ours)[0])
        assert int(theirs.optimizer.iterations) == 2

    exchange()
