"""Networks drawn by chance train beside real Keras."""

import numpy as np
import pytest
from drawn_networks import close, drawn, rows_for
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import doltap

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def labels_for(model, rows, seed):
    chance = np.random.default_rng(seed)
    return [chance.random((rows, *tensor.shape[1:]), dtype=np.float32) for tensor in model.outputs]


def trained(model, lib, optimizer, x, y, scales):
    rule = lib.optimizers.get({"class_name": optimizer, "config": {"learning_rate": 0.01}})
    model.compile(rule, loss=["mse"] * len(y), loss_weights=scales)
    num_batches = -(-len(y[0]) // 4)
    return model.fit(x, y, batch_size=4, epochs=20 // num_batches, shuffle=False, verbose=0).history


@settings(max_examples=6, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    optimizer=st.sampled_from(["sgd", "adam", "rmsprop"]),
    rows=st.sampled_from([8, 11]),
    weighted=st.booleans(),
)
def test_a_drawn_network_trains_like_keras(keras, seed, optimizer, rows, weighted):
    keras.utils.clear_session()
    doltap.config.clear_session()
    theirs, ours = drawn(keras, seed, most=7), drawn(doltap, seed, most=7)
    assume(ours.trainable_weights)
    ours.set_weights(theirs.get_weights())
    x, y = rows_for(theirs, rows), labels_for(theirs, rows, seed)
    scales = [0.1 + 0.2 * number for number in range(len(y))] if weighted else None
    wanted = trained(theirs, keras, optimizer, x, y, scales)
    found = trained(ours, doltap, optimizer, x, y, scales)
    assert close(ours.get_weights(), theirs.get_weights(), 1e-4)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        assert np.allclose(values, found[name], rtol=1e-4), name
    assert close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-4)
    # Of outputs with one name Keras gives the last one's loss for all.
    if len(set(ours.output_names)) == len(y):
        results = theirs.evaluate(x, y, verbose=0)
        assert np.allclose(ours.evaluate(x, y, verbose=0), results, rtol=1e-4)
