"""Data that does not fit the device comes there in pieces, and nothing else changes."""

import numpy as np
import pytest

import doltap as keras
from doltap.training import batches
from doltap.training.batches import Rows

ROWS = 1003


def trained(monkeypatch, room, callbacks=None, own_layer=False):
    if room is None:
        monkeypatch.delenv("DOLTAP_DEVICE_BYTES", raising=False)
    else:
        monkeypatch.setenv("DOLTAP_DEVICE_BYTES", str(room))
    keras.utils.set_random_seed(3)
    generator = np.random.default_rng(0)
    x = generator.random((ROWS, 20), dtype=np.float32)
    y, weights = (x.sum(axis=1) > 10).astype(int), generator.random(ROWS)
    layers = [
        keras.layers.Dense(8, activation=(lambda z: z * 0.5) if own_layer else "relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(2, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    held_out = (x[:333], y[:333])
    history = model.fit(
        x, y, sample_weight=weights, epochs=3, verbose=0, validation_data=held_out, callbacks=callbacks
    )
    return history.history, model.get_weights(), model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("own_layer", [False, True])
@pytest.mark.parametrize("room", [9_000, 30_000, 80_000])
def test_streamed_data_trains_to_the_same_bits(monkeypatch, room, own_layer):
    whole = trained(monkeypatch, None, own_layer=own_layer)
    pieces = trained(monkeypatch, room, own_layer=own_layer)
    assert pieces[0] == whole[0]
    assert all((a == b).all() for a, b in zip(pieces[1], whole[1], strict=True))
    assert pieces[2] == whole[2]


def test_a_batch_hook_hears_every_batch_of_streamed_data(monkeypatch):
    class Counts(keras.callbacks.Callback):
        def __init__(self):
            self.batches, self.tests = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.batches.append(batch)

        def on_test_batch_end(self, batch, logs=None):
            self.tests.append(batch)

    counts = Counts()
    trained(monkeypatch, 9_000, callbacks=[counts])
    assert counts.batches == list(range(32)) * 3
    assert counts.tests == list(range(11)) * 3


def test_pieces_are_cut_between_batches_and_leave_nothing_out(monkeypatch):
    monkeypatch.setenv("DOLTAP_DEVICE_BYTES", "5000")
    rows = Rows(np.arange(ROWS * 4, dtype=np.float32).reshape(ROWS, 4), np.arange(ROWS))
    cut = batches.pieces(rows, 32)
    assert len(cut) > 1
    assert all(len(piece.x) % 32 == 0 for piece in cut[:-1])
    assert np.array_equal(np.concatenate([piece.y for piece in cut]), rows.y)


def test_a_batch_larger_than_the_device_still_comes_one_at_a_time(monkeypatch):
    whole = trained(monkeypatch, None)
    assert trained(monkeypatch, 100)[0] == whole[0]
