"""Dice and Tversky: which pixels count for what, and over which axes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from doltap import losses

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")


def images():
    random = np.random.default_rng(0)
    shape = (2, 3, 4, 1)
    return random.integers(0, 2, shape).astype("f"), random.uniform(size=shape).astype("f")


@pytest.mark.parametrize("name", ["dice", "tversky"])
@pytest.mark.parametrize("axis", [None, -1, 1, (1, 2, 3), [1, 2, 3], (0, 1)])
def test_sets_stretch_over_the_axes_given_as_in_keras(keras, name, axis):
    y, p = images()
    ours, theirs = (np.asarray(getattr(module, name)(y, p, axis=axis)) for module in (losses, keras.losses))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("axis", "alone"), [(None, False), ((1, 2, 3), True), (1, True), (0, False), (-1, False), ((0, 1), False)]
)
@pytest.mark.parametrize("name", ["Dice", "Tversky"])
def test_rows_are_independent_where_no_set_stretches_over_them(name, axis, alone):
    assert getattr(losses, name)(axis=axis).rows_are_independent is alone


def test_alpha_weighs_what_is_missed_and_beta_what_is_too_much():
    y, p = np.array([[1, 1, 0, 0]]), np.array([[1.0, 0.0, 0.0, 0.0]], "f")
    missed = float(losses.tversky(y, p, alpha=1.0, beta=0.0))
    assert missed == pytest.approx(0.5, abs=1e-6)
    assert float(losses.tversky(y, p, alpha=0.0, beta=1.0)) == pytest.approx(0, abs=1e-6)


def test_axes_survive_a_file():
    loss = losses.Dice(axis=(1, 2, 3), reduction="none")
    back = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    np.testing.assert_array_equal(back(*images()), loss(*images()))


def test_nothing_to_find_and_nothing_found_is_finite():
    nothing = np.zeros((2, 3), "f")
    assert float(losses.Dice()(nothing, nothing)) == 1.0
    assert float(losses.Tversky()(nothing, nothing)) == 1.0


def test_a_network_for_segmentation_trains_as_in_keras(keras):
    import doltap

    x, y = (
        np.linspace(-1, 1, 20, dtype="f").reshape(10, 2),
        (np.arange(20) % 3 == 0).astype("f").reshape(10, 2),
    )
    start, seen = None, []
    for library in (keras, doltap):
        model = library.Sequential(
            [library.layers.Input((2,)), library.layers.Dense(2, activation="sigmoid")]
        )
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile(optimizer="sgd", loss="dice")
        # The last batch of 2 rows counts on its own: its sets are smaller.
        seen.append(model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-5)
