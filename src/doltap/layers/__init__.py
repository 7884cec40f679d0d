"""The layers a model is built from."""

from doltap.core.layer import Layer
from doltap.layers.arrange import Activation, Flatten, Input, InputLayer, Reshape
from doltap.layers.dense import Dense
from doltap.layers.noise import Dropout

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "Layer", "Reshape"]
