"""Keras 3's estimators: `SKLearnClassifier`, `SKLearnRegressor` and `SKLearnTransformer`.

They have four parameters: the model or what makes it, and the arguments of
that and of fit in a dict each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.arrays import to_categorical
from doltap.callbacks import History
from doltap.errors import LabelError, NotSupportedError
from doltap.models.cloning import clone_model
from doltap.models.model import Model
from doltap.registry import explained
from doltap.wrappers import building, data, targets
from doltap.wrappers.borrowed import base, multiclass
from doltap.wrappers.estimator import Estimator, Plan
from doltap.wrappers.parameters import Takes, check_names, of_model

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


class _FromModel(Estimator):
    """What Keras 3's estimators have in common.

    Args:
        model: a compiled model, which stays as it is: every fit trains a copy with
            new weights; or a function of `X`, `y` and `model_kwargs` that makes one.
        warm_start: whether `fit` goes on with the weights of the last one, or with
            those of the given model.
        model_kwargs: arguments of the function.
        fit_kwargs: keywords of `Model.fit`.
    """

    @explained
    def __init__(
        self,
        model: Any = None,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    @property
    def epoch_(self) -> int:
        """How many epochs the model was trained."""
        return len(getattr(self, "_epochs", ()))

    def _numbers_only(self) -> bool:
        """Whether labels have to be numbers."""
        return True

    def _targets(self, y: np.ndarray) -> Any:
        """The labels as the network learns from them, seen for the first time."""
        raise NotImplementedError

    def _held_out_targets(self, y: np.ndarray) -> Any:
        return y

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model and train it.

        Args:
            X: inputs, rows first.
            y: labels.
            sample_weight: a weight for each row.
            kwargs: keywords of `Model.fit`, which win over `fit_kwargs`.
        """
        plan = self.planned(X, y, sample_weight, **kwargs)
        return self.trained(plan, plan.run())

    def planned(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        X, y = data.checked(self, X, y, is_numeric=self._numbers_only())
        y = self._targets(y)
        model = self.model_ if self._goes_on() else self._new_model(X, y)
        settings = {**(self.fit_kwargs or {}), **kwargs}
        check_names(f"{type(self).__name__}.fit", settings, {*of_model("fit"), "nb_epoch"})
        if sample_weight is not None:
            settings["sample_weight"] = data.weights(sample_weight, X)
        given = settings.get("validation_data")
        settings["validation_data"] = data.held_out(given, lambda inputs: inputs, self._held_out_targets)
        return self._new_plan(model, X, y, settings)

    def trained(self, plan: Plan, history: History) -> Any:
        """Take up what came of the plan: the end of `fit`."""
        before = getattr(self, "_epochs", ()) if self._goes_on() else ()
        self.history_, self.model_ = history, plan.model
        self._epochs = [*before, *history.epoch]
        return self

    def _goes_on(self) -> bool:
        """Whether `fit` goes on with the model there is."""
        return self.warm_start and hasattr(self, "model_")

    def _new_model(self, X: Any, y: Any) -> Model:
        name = type(self).__name__
        if isinstance(self.model, Model):
            return self.model if self.warm_start else _copied(self.model)
        if not callable(self.model):
            raise NotSupportedError(
                name,
                expected="a compiled model, or a function that makes one",
                got=repr(self.model),
                fix=f"For example {name}(build_model), with def build_model(X, y).",
            )
        given, takes = dict(self.model_kwargs or {}), Takes(self.model)
        if not takes.takes_any:
            check_names(f"{name}(model_kwargs=)", given, takes.names)
        offered = {"X": X, "y": y}
        given |= {part: offered[part] for part in offered if part in takes.names or takes.takes_any}
        model = building.made_by(self.model, given, name)
        building.check_is_compiled(model, self.model)
        return model

    def _raw(self, X: Any) -> np.ndarray:
        verbose = (self.fit_kwargs or {}).get("verbose", "auto")
        return np.asarray(self._outputs(X, verbose=verbose))


def _copied(model: Model) -> Model:
    """A model of the same layers with new weights, compiled in the same way."""
    building.check_is_compiled(model, model.name)
    twin = clone_model(model)
    twin.compile_from_config(model.get_compile_config())
    return twin


class SKLearnClassifier(base.ClassifierMixin, _FromModel):
    """A network that tells classes apart, from labels in one-hot rows, whatever they are before.

    Args:
        model: a compiled model, of which every fit trains a copy with new weights;
            or a function of `X`, `y` and `model_kwargs` that makes one.
        warm_start: whether `fit` goes on with the weights of the last one.
        model_kwargs: arguments of the function.
        fit_kwargs: keywords of `Model.fit`.

    >>> from doltap import Sequential
    >>> from doltap.layers import Dense
    >>> def tower(X, y, units):
    ...     model = Sequential([Dense(units, activation="relu"), Dense(y.shape[1], activation="softmax")])
    ...     model.compile(loss="categorical_crossentropy", optimizer="adam")
    ...     return model
    >>> classifier = SKLearnClassifier(tower, model_kwargs={"units": 5}, fit_kwargs={"verbose": 0})
    >>> classifier.fit([[0.0], [1.0], [2.0]], ["a", "b", "c"]).classes_.tolist()
    ['a', 'b', 'c']
    """

    def _numbers_only(self) -> bool:
        return False

    def _targets(self, y: np.ndarray) -> Any:
        kind = multiclass.type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise LabelError(
                "y",
                expected="one label of a class for each row",
                got=f"Unknown label type: {kind}",
                fix="For numbers take SKLearnRegressor, for several labels scikeras.KerasClassifier.",
            )
        y = data.one_column(y)
        self.classes_ = targets.classes_of(y)
        return self._held_out_targets(y)

    def _held_out_targets(self, y: np.ndarray) -> Any:
        numbers = targets.class_numbers(y.reshape(-1), self.classes_)
        return np.asarray(to_categorical(numbers, len(self.classes_)))

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(axis=-1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, a column for each of `classes_`; Keras 3 does not have it."""
        outputs = self._raw(X)
        return targets.as_probabilities(outputs, self.model_.loss, len(self.classes_))

    def decision_function(self, X: Any) -> np.ndarray:
        """What the network gives for each class; for two, how far it is for the second."""
        outputs = self._raw(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1:] == (2,) else outputs


class SKLearnRegressor(base.RegressorMixin, _FromModel):
    """A network that estimates numbers; `score` is R².

    Args:
        model: a compiled model, of which every fit trains a copy with new weights;
            or a function of `X`, `y` and `model_kwargs` that makes one.
        warm_start: whether `fit` goes on with the weights of the last one.
        model_kwargs: arguments of the function.
        fit_kwargs: keywords of `Model.fit`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _targets(self, y: np.ndarray) -> Any:
        self._encoder = targets.RegressorTargetEncoder().fit(y)
        return y if y.ndim > 1 else y[:, None]

    def predict(self, X: Any) -> np.ndarray:
        """The number estimated for each row, or several, in the shape of those learned from."""
        outputs = self._raw(X)
        return self._encoder.inverse_transform(outputs)


class SKLearnTransformer(base.TransformerMixin, _FromModel):
    """A network whose outputs are the inputs of the next step of a pipeline.

    Args:
        model: a compiled model, of which every fit trains a copy with new weights;
            or a function of `X`, `y` and `model_kwargs` that makes one.
        warm_start: whether `fit` goes on with the weights of the last one.
        model_kwargs: arguments of the function.
        fit_kwargs: keywords of `Model.fit`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _targets(self, y: np.ndarray) -> Any:
        return y

    def predict(self, X: Any) -> np.ndarray:
        """The outputs of the network."""
        return self._raw(X)

    def transform(self, X: Any) -> np.ndarray:
        """The outputs of the network."""
        return self._raw(X)
