"""Waves as weights: real Keras's numbers, and exact where its float32 is not."""

from __future__ import annotations

import numpy as np
import pytest

from doltap import initializers
from doltap.errors import DataError, ShapeError, UnknownNameError

OWN = np.linspace(0.1, 1.0, 16).astype(np.float32)


@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("window", ["hann", "hamming", None, OWN], ids=["hann", "hamming", "none", "own"])
@pytest.mark.parametrize(("side", "periodic"), [("real", True), ("imag", False)])
def test_waves_are_those_of_keras(keras, side, window, scaling, periodic):
    arguments = {"side": side, "window": window, "scaling": scaling, "periodic": periodic}
    ours, theirs = (
        np.asarray(module.STFT(**arguments)((16, 1, 9))) for module in (initializers, keras.initializers)
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    given = initializers.STFT(**arguments).get_config()
    peer = keras.initializers.STFT(**arguments).get_config()
    assert given.keys() == peer.keys()
    again = initializers.deserialize(initializers.serialize(initializers.STFT(**arguments)))
    np.testing.assert_array_equal(again((16, 1, 9)), ours)


def test_a_config_of_keras_is_read(keras):
    written = keras.initializers.serialize(keras.initializers.STFT("imag", scaling="spectrum"))
    read = initializers.deserialize(written)
    assert read.get_config() == written["config"]
    assert keras.initializers.deserialize(initializers.serialize(read)).get_config() == written["config"]


def test_late_places_of_a_long_frame_are_as_exact_as_early_ones():
    waves = np.asarray(initializers.STFT(window=None)((4096, 1, 513)))[:, 0]
    np.testing.assert_array_equal(waves[:1024], waves[3072:])


def test_wrong_arguments_are_answered_at_once():
    for arguments, guess in (({"side": "rael"}, "real"), ({"window": "hamm1ng"}, "hamming")):
        with pytest.raises(UnknownNameError, match=f"Did you mean '{guess}'"):
            initializers.STFT(**arguments)
    with pytest.raises(UnknownNameError, match="scaling"):
        initializers.STFT(scaling="loud")
    with pytest.raises(DataError, match="without further numbers"):
        initializers.STFT(window="kaiser")
    with pytest.raises(ShapeError, match="a window of 8 numbers"):
        initializers.STFT(window=OWN)((8, 1, 5))
    with pytest.raises(ShapeError, match="frame length"):
        initializers.STFT()((8, 5))
