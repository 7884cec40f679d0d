"""Models of one library in another: built alike, saved here, loaded there, compared."""

from __future__ import annotations

import os

import jax
import numpy as np

import doltap

# How many networks are drawn for each way.
FILES = int(os.environ.get("PEERS_FILES", "100"))


def leaves(tree):
    """The arrays of nested outputs, in order."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def predictions(model, x):
    """What a model of either library gives for the rows, as a list of arrays."""
    if type(model).__module__.startswith("tf_keras"):
        return leaves(jax.tree.map(np.asarray, model(x, training=False)))
    return leaves(model.predict(x, verbose=0))


def assert_same_predictions(one, other, x, tolerance=1e-6):
    """Both models give the same numbers."""
    found, wanted = predictions(one, x), predictions(other, x)
    assert [a.shape for a in found] == [a.shape for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def assert_same_losses(one, other, x, y, tolerance=1e-5):
    """Both models go on training alike: the same loss in the next steps."""
    found, wanted = (train(model, x, y, epochs=3) for model in (one, other))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def train(model, x, y, epochs=1):
    """The losses of a few epochs, each row in its turn."""
    if type(model).__module__.startswith("tf_keras"):
        # To trace and compile such a small program takes TensorFlow longer than to run it line by line.
        model.run_eagerly = True
    return model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def evaluate(model, x, y):
    """What `evaluate` says of these rows, by name."""
    if type(model).__module__.startswith("tf_keras"):
        model.run_eagerly = True
    return model.evaluate(x, y, verbose=0, return_dict=True)


def saved(model, path):
    """The path, after the model was saved there."""
    model.save(str(path))
    return str(path)


def loaded(lib, path, **options):
    """The model in the file, in that library."""
    return lib.models.load_model(path, **options)


def forget_names(*libs):
    """Let layers be numbered from the start."""
    for lib in libs:
        (
            lib.utils if lib is not doltap and hasattr(lib.utils, "clear_session") else lib.backend
        ).clear_session()
