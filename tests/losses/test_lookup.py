"""Names, configs and functions, Keras's own among them."""

from __future__ import annotations

import json

import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses
from doltap.errors import NotSupportedError, UnknownNameError


def own(y_true, y_pred):
    return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)


class Cubed(losses.Loss):
    def call(self, y_true, y_pred):
        return own(y_true, y_pred)


def test_every_public_name_of_keras_is_here(keras):
    public = {name for name in dir(keras.losses) if name[0] != "_"}
    assert public <= set(losses.__all__)


def test_every_name_that_keras_finds_is_found_here(keras):
    theirs = set(keras.src.losses.ALL_OBJECTS_DICT)
    unknown = {name for name in theirs if name not in losses.names}
    # The two base classes compute nothing.
    assert unknown == {"Loss", "LossFunctionWrapper"}


def test_short_names_are_the_functions():
    short = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "bce": "binary_crossentropy"}
    short |= {"mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error"}
    short |= {"kld": "kl_divergence"}
    for name, full in short.items():
        for word in (name, name.upper()):
            assert getattr(losses, word) is getattr(losses, full) is losses.functions.find(word)
    assert losses.kullback_leibler_divergence is losses.kl_divergence
    assert losses.logcosh is losses.log_cosh


def test_ctc_says_that_it_is_not_there():
    uses = (
        losses.CTC,
        lambda: losses.ctc([[1]], [[[0.5, 0.5]]]),
        lambda: losses.get("ctc"),
        lambda: losses.get("CTC"),
        lambda: losses.get(losses.ctc),
        lambda: losses.deserialize({"class_name": "CTC", "config": {"name": "ctc"}}),
    )
    for use in uses:
        with pytest.raises(NotSupportedError, match="connectionist temporal classification"):
            use()


def test_a_function_written_by_keras_is_read(keras):
    written = keras.losses.serialize(keras.losses.mean_absolute_error)
    assert written["class_name"] == "function"
    assert type(losses.get(written)) is type(losses.deserialize(written)) is losses.MeanAbsoluteError
    theirs = keras.losses.serialize(own)
    assert losses.deserialize(theirs, {"own": own}).user_function is own
    with pytest.raises(UnknownNameError, match="'own'"):
        losses.get(theirs)


def test_a_loss_of_ones_own_is_read_with_custom_objects(keras):
    written = json.loads(json.dumps(losses.serialize(Cubed(name="mine", reduction="sum"))))
    back = losses.deserialize(written, {"Cubed": Cubed})
    assert (type(back), back.name, back.reduction) == (Cubed, "mine", "sum")
    assert keras.losses.serialize(keras.losses.Loss(name="mine")).keys() == written.keys()
    with pytest.raises(UnknownNameError, match="Cubed"):
        losses.deserialize(written)


def test_functions_are_written_by_their_names():
    assert losses.serialize(losses.poisson) == "poisson"
    assert losses.serialize(losses.get(own)) == "own"
    back = losses.deserialize("own", {"own": own})
    y, p = np.zeros((2, 2), "f"), np.ones((2, 2), "f")
    assert float(back(y, p)) == float(losses.get(own)(y, p)) == 1.0


def test_a_function_that_wears_the_name_of_ours_stays_the_users():
    def poisson(y_true, y_pred):
        return own(y_true, y_pred)

    assert losses.get(poisson).user_function is poisson


def test_a_class_made_from_ours_keeps_its_name_as_in_keras(keras):
    class Ours(losses.MeanSquaredError):
        pass

    class Theirs(keras.losses.MeanSquaredError):
        pass

    assert Ours().name == Theirs().name == "mean_squared_error"
    assert Ours("sum").reduction == Theirs("sum").reduction == "sum"
