"""Layers of Keras 1 and 2 do what they did, in words of today."""

from __future__ import annotations

import numpy as np
import pytest

from doltap import layers, models, old_names
from doltap.errors import NotSupportedError, UnknownNameError

chance = np.random.default_rng(0)
A, B = chance.random((2, 3, 4), dtype=np.float32)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", A + B),
        ("mul", A * B),
        ("ave", (A + B) / 2),
        ("max", np.maximum(A, B)),
        ("concat", np.concatenate([A, B], axis=-1)),
        ("dot", (A * B).sum(axis=-1, keepdims=True)),
        (
            "cos",
            (A * B).sum(axis=-1, keepdims=True)
            / (np.linalg.norm(A, axis=-1, keepdims=True) * np.linalg.norm(B, axis=-1, keepdims=True)),
        ),
    ],
)
def test_merge_merges_in_every_mode(mode, expected):
    told = []
    old_names.hear(lambda *each: told.append(each))
    try:
        np.testing.assert_allclose(layers.merge([A, B], mode=mode), expected, rtol=1e-5)
    finally:
        old_names.hear(None)
    assert told[0][:2] == ("function", f"merge(mode={mode!r})")
    inputs = [layers.Input((4,)), layers.Input((4,))]
    model = models.Model(inputs, layers.merge(inputs, mode=mode, name="merged"))
    assert model.layers[-1].name == "merged"
    np.testing.assert_allclose(model.predict([A, B], verbose=0), expected, rtol=1e-5)


def test_merge_takes_axes_and_refuses_what_it_cannot_do():
    assert layers.merge([A, B], mode="concat", concat_axis=0).shape == (6, 4)
    np.testing.assert_allclose(layers.merge.concatenate([A, B]), np.concatenate([A, B], axis=-1))
    with pytest.raises(UnknownNameError, match="Did you mean 'concat'"):
        layers.merge([A, B], mode="concatt")
    with pytest.raises(NotSupportedError, match="Lambda"):
        layers.merge([A, B], mode=lambda both: both[0])
    with pytest.raises(NotSupportedError, match="node_indices="):
        layers.merge([A, B], node_indices=[0])


def test_a_thresholded_relu_keeps_what_is_above_theta():
    layer = layers.ThresholdedReLU(theta=0.5)
    expected = np.where(A > 0.5, A, 0)
    np.testing.assert_array_equal(layer(A), expected)
    np.testing.assert_array_equal(layers.ThresholdedReLU.from_config(layer.get_config())(A), expected)
    model = models.Sequential([layers.Input((4,)), layer])
    assert model.output_shape == (None, 4)
    np.testing.assert_array_equal(models.clone_model(model).predict(A, verbose=0), expected)
