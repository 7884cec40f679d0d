"""How weights move: the optimizers, and the schedules of their learning rates."""

from doltap import doors
from doltap.optimizers import schedules
from doltap.optimizers.adaptive import Adafactor, Adam, Adamax, AdamW, Lamb, Lion, Nadam
from doltap.optimizers.finding import deserialize, get, serialize
from doltap.optimizers.loss_scale import LossScaleOptimizer
from doltap.optimizers.muon import Muon
from doltap.optimizers.optax_optimizer import OptaxOptimizer
from doltap.optimizers.optimizer import Optimizer
from doltap.optimizers.rules import SGD, Adadelta, Adagrad, Ftrl, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Muon",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

doors.guard(__name__, "optimizer")
