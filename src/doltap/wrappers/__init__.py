"""Models as estimators of scikit-learn: a door."""

from doltap import doors
from doltap.wrappers import scikeras, scikit_learn
from doltap.wrappers.of_keras3 import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikeras", "scikit_learn"]

doors.guard(__name__)
