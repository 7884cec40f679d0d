"""How weights move: the optimizers."""

from doltap.optimizers.optimizer import Optimizer
from doltap.optimizers.rules import SGD, Adagrad, Adam, RMSprop, deserialize, get, serialize

__all__ = ["SGD", "Adagrad", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]
