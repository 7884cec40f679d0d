"""What each level of `verbose` shows."""

import numpy as np
import pytest

import doltap

X = np.ones((8, 2))


@pytest.mark.parametrize("verbose", [3, 4, 100])
def test_from_three_on_verbose_shows_the_numbers_of_epochs_alone_as_keras(capsys, keras, verbose):
    shown = []
    for library in (keras, doltap):
        model = library.Sequential([library.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, X[:, :1], epochs=2, validation_split=0.25, verbose=verbose)
        model.evaluate(X, X[:, :1], verbose=verbose)
        model.predict(X, verbose=verbose)
        shown.append(capsys.readouterr().out)
    assert shown == ["Epoch 1/2\nEpoch 2/2\n"] * 2
