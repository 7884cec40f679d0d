"""What every estimator here does with a model: check the data, train, ask.

How its parameters are given, and what its attributes are called, differs from
one convention to the next; that stands in the files of those.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from doltap.callbacks import History, tensorboard
from doltap.errors import ShapeError
from doltap.models.model import Model
from doltap.wrappers import data
from doltap.wrappers.borrowed import base

__all__ = ["Estimator", "Plan", "flat"]


@dataclasses.dataclass
class Plan:
    """A training that is about to begin: a model, what it learns from, and the keywords of its `fit`."""

    model: Model
    x: Any
    y: Any
    settings: dict[str, Any]

    def run(self) -> History:
        """Train the model."""
        return self.model.fit(self.x, self.y, **self.settings)


class Estimator(base.BaseEstimator):
    """A model that scikit-learn can clone, train and search; `model_` is there after `fit`.

    `fit` is two steps, so that a search may train the models of many
    estimators at once: what comes before the training, and what comes after.
    """

    model_: Model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # A network takes rows of any shape.
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def planned(self, *data: Any, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        raise NotImplementedError

    def _new_plan(self, model: Model, x: Any, y: Any, settings: dict[str, Any]) -> Plan:
        """A plan; where callbacks ask for it, with a folder of event files of its own."""
        if settings.get("callbacks"):
            parameters = self.get_params(deep=False)
            settings["callbacks"] = tensorboard.for_every_fit(settings["callbacks"], parameters)
        return Plan(model, x, y, settings)

    def trained(self, plan: Plan, history: History) -> Any:
        """Take up what came of the plan: the end of `fit`."""
        return self

    def _outputs(self, x: Any, **keywords: Any) -> Any:
        """What the trained network gives for inputs."""
        data.check_fitted(self)
        return self.model_.predict(data.inputs(self, x), **keywords)


def flat(outputs: np.ndarray, estimator: str) -> np.ndarray:
    """One number for each row as a vector; several stay a table."""
    if not hasattr(outputs, "ndim"):
        raise ShapeError(
            estimator,
            expected="a model with one output",
            got=f"{len(outputs)} outputs",
            fix="Join them: layers.Concatenate()(outputs).",
        )
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs
