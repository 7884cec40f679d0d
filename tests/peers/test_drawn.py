"""Networks drawn by chance go from one library to another and give the same predictions."""

import pytest
from exchange import FILES, assert_same_losses, assert_same_predictions, forget_names, loaded, saved
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from networks import drawn_network, drawn_row, rows_for

import doltap

# Each test has a share of the files.
SHARE = settings(
    max_examples=max(1, FILES // 4), deadline=None, derandomize=True, database=None, phases=[Phase.generate]
)
seeds = st.integers(0, 10_000)
optimizers = st.sampled_from(["sgd", "adam", "rmsprop", "adagrad", "adamax", "adadelta"])


def trained(model, optimizer):
    """The model after a few steps."""
    x, y = rows_for(model)
    losses = ["mse", "mae"][: len(model.outputs)]
    model.compile(optimizer, loss=losses if len(losses) > 1 else "mse")
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("draw", [drawn_row, drawn_network])
def test_what_keras_2_wrote_is_read(keras2, tmp_path_factory, draw, suffix):
    @SHARE
    @given(seed=seeds, optimizer=optimizers)
    def exchange(seed, optimizer):
        forget_names(keras2, doltap)
        theirs = trained(draw(keras2, seed), optimizer)
        ours = loaded(doltap, saved(theirs, tmp_path_factory.mktemp("files") / f"model.{suffix}"))
        x, _ = rows_for(theirs)
        assert_same_predictions(ours, theirs, x)
        assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)

    exchange()


@pytest.mark.parametrize("draw", [drawn_row, drawn_network])
def test_what_doltap_wrote_is_read_by_keras_2(keras2, tmp_path_factory, draw):
    @SHARE
    @given(seed=seeds, optimizer=optimizers)
    def exchange(seed, optimizer):
        forget_names(keras2, doltap)
        ours = trained(draw(doltap, seed), optimizer)
        theirs = loaded(keras2, saved(ours, tmp_path_factory.mktemp("files") / "model.h5"))
        x, _ = rows_for(ours)
        assert_same_predictions(theirs, ours, x)
        assert int(theirs.optimizer.iterations) == int(ours.optimizer.iterations)

    exchange()
