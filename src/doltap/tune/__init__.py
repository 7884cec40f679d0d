"""Search over many models at once: a door."""

from doltap import doors
from doltap.tune.bayesian import BayesianSearch
from doltap.tune.cross_validation import GridSearchCV, RandomizedSearchCV
from doltap.tune.evolution import Evolution
from doltap.tune.halving import Hyperband, SuccessiveHalving
from doltap.tune.rate_finder import LearningRateRange, find_learning_rate

__all__ = [
    "BayesianSearch",
    "Evolution",
    "GridSearchCV",
    "Hyperband",
    "LearningRateRange",
    "RandomizedSearchCV",
    "SuccessiveHalving",
    "find_learning_rate",
]

doors.guard(__name__)
