"""What hinge losses read from their labels."""

from __future__ import annotations

import numpy as np
import pytest

from doltap import losses


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [1, 1], [0, 0], [-1, 0, 1]])
def test_labels_of_0_and_1_mean_minus_1_and_1_as_in_keras(keras, name, labels):
    random = np.random.default_rng(0)
    y = random.choice(labels, (8, 1)).astype("f")
    y[: len(labels), 0] = labels
    p = random.normal(size=(8, 1)).astype("f")
    ours, theirs = (np.asarray(getattr(module, name)(y, p)) for module in (losses, keras.losses))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("name", ["Hinge", "SquaredHinge"])
@pytest.mark.parametrize("labels", [(0, 1), (-1, 1)])
def test_a_row_of_one_kind_of_labels_counts_the_same_in_every_batch(name, labels):
    random = np.random.default_rng(0)
    y, p = random.choice(labels, (8, 1)).astype("f"), random.normal(size=(8, 1)).astype("f")
    loss = getattr(losses, name)(reduction="none")
    alone = [float(loss(y[i : i + 1], p[i : i + 1])[0]) for i in range(8)]
    np.testing.assert_allclose(loss(y, p), alone, rtol=1e-6)
    assert loss.rows_are_independent
    assert loss.labels == "signs"
