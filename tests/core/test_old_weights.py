"""Weights made and listed as Keras 1 and 2 did, in layers of the user's own."""

import numpy as np
import pytest

from doltap import layers
from doltap.compat import telling
from doltap.core.tensors import Variable
from doltap.errors import NotSupportedError


@pytest.mark.parametrize(
    "make",
    [
        lambda layer: layer.add_weight("kernel", shape=[3, 2], initializer="ones"),
        lambda layer: layer.add_weight("kernel", (3, 2), "float32", "ones"),
        lambda layer: layer.add_weight("kernel", (3, 2), initializer="ones", trainable=True),
        lambda layer: layer.add_variable("kernel", shape=[3, 2], initializer="ones"),
        lambda layer: layer.add_weight((3, 2), "ones", name="kernel"),
        lambda layer: layer.add_weight((3, 2), initializer="ones", name="kernel"),
    ],
)
def test_the_name_of_a_weight_may_stand_first(make):
    weight = make(layers.Layer())
    assert (weight.name, tuple(weight.shape)) == ("kernel", (3, 2))
    assert np.all(weight.numpy() == 1)


def test_a_name_that_stands_first_is_told():
    telling.listen()
    try:
        layers.Layer().add_weight("kernel", (3, 2))
    finally:
        telling.stop_listening()
    assert [row.new for row in telling.told()] == ["add_weight(shape, name=name)"]


class Listed(layers.Layer):
    def build(self, input_shape):
        self.W = Variable(np.ones((3, 2), "float32"), name="W")
        self.mean = Variable(np.zeros(2, "float32"), name="mean")
        self.trainable_weights = [self.W]
        self.non_trainable_weights = [self.mean]

    def call(self, x):
        return x @ self.W + self.mean


def test_a_layer_may_list_its_weights_as_in_keras_1():
    layer = Listed()
    layer(np.ones((4, 3), "float32"))
    assert [weight.name for weight in layer.trainable_weights] == ["W"]
    assert [weight.name for weight in layer.non_trainable_weights] == ["mean"]


@pytest.mark.parametrize("role", ["trainable_weights", "non_trainable_weights"])
def test_a_listed_weight_that_the_layer_has_not_names_add_weight(role):
    with pytest.raises(NotSupportedError, match=r"'lost'[\s\S]*add_weight"):
        setattr(layers.Layer(), role, [Variable(np.ones(2), name="lost")])
