"""NaN in the data: what is said of it, and models that handle it."""

import numpy as np
import pytest

import doltap
from doltap.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

X = np.random.default_rng(0).random((8, 3), np.float32)
Y = X.sum(1, keepdims=True)
HOLED = np.where(np.arange(24).reshape(8, 3) == 4, np.nan, X)
GAPPED = np.where(np.arange(8)[:, None] == 2, np.nan, Y)


@pytest.fixture
def welcome():
    doltap.config.allow_nan()
    yield
    doltap.config.allow_nan(False)


def model_of(lib):
    class Fill(lib.layers.Layer):
        def call(self, inputs):
            return lib.ops.where(lib.ops.isnan(inputs), 0.0, inputs)

    def known(y_true, y_pred):
        counts = lib.ops.cast(lib.ops.logical_not(lib.ops.isnan(y_true)), "float32")
        return lib.ops.square(lib.ops.where(lib.ops.isnan(y_true), 0.0, y_true) - y_pred) * counts

    model = lib.Sequential([lib.Input((3,)), Fill(), lib.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", known)
    return model


def test_a_model_that_handles_nan_gets_it_after_the_switch(keras, welcome):
    ours, theirs = model_of(doltap), model_of(keras)
    for model in (ours, theirs):
        model.fit(HOLED, GAPPED, batch_size=3, shuffle=False, epochs=2, verbose=0)
    np.testing.assert_allclose(ours.get_weights()[0], theirs.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(ours.predict(HOLED, verbose=0), theirs.predict(HOLED, verbose=0), rtol=1e-5)
    with pytest.raises(DataError, match="too large for float32"):
        ours.fit(X.astype(np.float64) * 1e300, Y, verbose=0)


def test_without_the_switch_the_cure_speaks_of_the_array_with_the_nan():
    model = model_of(doltap)
    with pytest.raises(DataError, match=r"x\[np.isnan\(x\)\](?s:.*)config.allow_nan\(\)"):
        model.fit(HOLED, Y, verbose=0)
    with pytest.raises(DataError, match=r"keep = ~np.isnan\(y\)(?s:.*)config.allow_nan\(\)") as error:
        model.fit(X, GAPPED, verbose=0)
    assert "isnan(x)" not in str(error.value)
