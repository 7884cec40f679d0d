"""Keras 2's estimators: `KerasClassifier(build_fn, **sk_params)` and `KerasRegressor`.

The parameters are the arguments of the function that makes the model and those
of fit, predict and evaluate, all in one list; each goes to whoever takes it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.models.model import Model
from doltap.wrappers import building, data, targets
from doltap.wrappers.borrowed import base, multiclass
from doltap.wrappers.estimator import Estimator, Plan, flat
from doltap.wrappers.parameters import FIT_OLD, ParameterError, Takes, check_names, of_model

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


class BaseWrapper(Estimator):
    """What Keras 2's classifier and regressor have in common.

    Args:
        build_fn: a function, or an object with `__call__`, that returns a
            compiled model; None in a subclass that has a `__call__` of its own.
        sk_params: arguments of `build_fn`, and of fit, predict and evaluate.
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self._sk_params = sk_params
        self.check_params(sk_params)

    # Parameters.

    @property
    def sk_params(self) -> dict[str, Any]:
        """The arguments of the model function and of fit, predict and evaluate, by name."""
        return self._sk_params

    def check_params(self, params: dict[str, Any]) -> None:
        """An error for a name that neither the model function nor fit, predict or evaluate takes."""
        known = {*of_model("fit"), *of_model("predict"), *of_model("evaluate"), *FIT_OLD}
        function = self._function()
        if not callable(function):
            check_names(type(self).__name__, params, known - {"x", "y"})
            return
        if params and isinstance(function, Model):
            raise ParameterError(
                "build_fn",
                expected="the function that makes the model",
                got=f"the model '{function.name}' that it made",
                fix="Leave the brackets out: build_fn=build_model, not build_fn=build_model().",
            )
        takes = Takes(function)
        known = (known - {"x", "y"}) | {*takes.names}
        hidden = next((name for name in params if takes.takes_any and name not in known), None)
        if hidden is not None:
            raise ParameterError(
                building.shown(function),
                expected="its parameters by name",
                got=f"'{hidden}=', which only its **keywords could take: they hide what it knows",
                fix=f"Name them: def {building.shown(function)[:-2]}({hidden}=...).",
            )
        check_names(type(self).__name__, params, known)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, with `build_fn` among them."""
        return {**self._sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Change parameters; the others stay."""
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self._sk_params = {**self._sk_params, **params}
        return self

    def filter_sk_params(
        self, fn: Callable[..., Any], override: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Those of the parameters that the function takes, and what overrides them."""
        return Takes(fn).among(self._sk_params) | (override or {})

    def _function(self) -> Any:
        """What makes the model; None where nothing does."""
        return getattr(self, "__call__", None) if self.build_fn is None else self.build_fn  # noqa: B004

    # The model.

    @property
    def model(self) -> Model:
        """The model that was trained; another one may be put in its place."""
        data.check_fitted(self)
        return self.model_

    @model.setter
    def model(self, model: Model) -> None:
        self.model_ = model

    @property
    def history(self) -> Any:
        """What was measured after each epoch of the last `fit`, by name."""
        return self._last_history.history

    @property
    def epoch(self) -> list[int]:
        """The epochs of the last `fit`."""
        return self._last_history.epoch

    @property
    def params(self) -> dict[str, Any]:
        """The settings of the last `fit`, as Keras's History has them."""
        return self._last_history.params

    @property
    def _last_history(self) -> Any:
        data.check_fitted(self)
        return self.model_.history

    def _new_model(self) -> Model:
        name = type(self).__name__
        function = self._function()
        if not callable(function) or isinstance(function, Model):
            raise NotSupportedError(
                name,
                expected="a function that makes a compiled model",
                got=repr(self.build_fn),
                fix=f"For example {name}(build_model), or define __call__ in a subclass of {name}.",
            )
        model = building.made_by(function, self.filter_sk_params(function), name)
        building.check_is_compiled(model, function)
        return model

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model and train it; the estimator returned has the `history` of it.

        Args:
            x: inputs, rows first.
            y: labels: for a classifier one a row, strings or numbers, or one-hot
                rows; for a regressor a number, or several, for each row.
            sample_weight: a weight for each row.
            kwargs: keywords of `Model.fit`, which win over parameters.
        """
        plan = self.planned(x, y, sample_weight, **kwargs)
        return self.trained(plan, plan.run())

    def _plan(self, x: Any, y: Any, sample_weight: Any, keywords: dict[str, Any]) -> Plan:
        """Make a model; keywords win over parameters."""
        self.model_ = self._new_model()
        known = {*of_model("fit"), *FIT_OLD} - {"x", "y"}
        settings = {name: value for name, value in self._sk_params.items() if name in known}
        if "callbacks" in settings:
            # Every clone has the same objects, and callbacks remember their last training.
            settings["callbacks"] = copy.deepcopy(settings["callbacks"])
        settings |= keywords
        if sample_weight is not None:
            settings["sample_weight"] = data.weights(sample_weight, x)
        given = settings.get("validation_data")
        settings["validation_data"] = data.held_out(given, lambda inputs: inputs, self._held_out_labels)
        return self._new_plan(self.model_, x, self._labels_for_loss(y), settings)

    def _held_out_labels(self, y: np.ndarray) -> Any:
        return y

    def _labels_for_loss(self, y: Any) -> Any:
        return y

    def _asked(self, method: str, keywords: dict[str, Any]) -> dict[str, Any]:
        """The keywords of predict or evaluate."""
        known = {*of_model(method)} - {"x", "y"}
        check_names(f"{type(self).__name__}.{method}", keywords, known)
        # Callbacks and weights of the constructor are those of the training.
        meant = known - {"callbacks", "sample_weight"}
        taken = {name: value for name, value in self._sk_params.items() if name in meant}
        return {"verbose": 0, **taken, **keywords}


class KerasClassifier(base.ClassifierMixin, BaseWrapper):
    """A network that tells classes apart; `score` is its accuracy, which it has to be compiled with.

    >>> from doltap import Sequential
    >>> from doltap.layers import Dense
    >>> def tower(units=3):
    ...     model = Sequential([Dense(units, activation="relu", input_dim=1), Dense(1, activation="sigmoid")])
    ...     model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> classifier = KerasClassifier(tower, units=5, verbose=0)
    >>> classifier.fit([[0.0], [1.0]], ["no", "yes"]).classes_.tolist()
    ['no', 'yes']
    """

    classes_: np.ndarray
    n_classes_: int

    def planned(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        x, y = data.checked(self, x, y, is_numeric=False)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim <= 2:
            multiclass.check_classification_targets(y)
            y = y.reshape(-1)
            self.classes_ = targets.classes_of(y)
            y = targets.class_numbers(y, self.classes_)
        else:
            raise ShapeError(
                "y",
                expected="one label a row, or one-hot rows",
                got=f"shape {y.shape}",
                fix="Flatten it, or use the model itself: model.fit(x, y).",
            )
        self.n_classes_ = len(self.classes_)
        return self._plan(x, y, sample_weight, kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each row."""
        chances = self.predict_proba(x, **kwargs)
        return self.classes_[chances.argmax(axis=-1)]

    def predict_classes(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each row: the older name of `predict`."""
        return self.predict(x, **kwargs)

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class, a column for each of `classes_`."""
        outputs = self._outputs(x, **self._asked("predict", kwargs))
        return targets.as_probabilities(outputs, self.model_.loss, self.n_classes_)

    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The accuracy, as the model measures it.

        Raises:
            DataError: the model was compiled without it.
        """
        data.check_fitted(self)
        y = data.labels(self, y, is_numeric=False)
        y = y if y.ndim == 2 and y.shape[1] > 1 else targets.class_numbers(y.reshape(-1), self.classes_)
        settings = self._asked("evaluate", kwargs) | {"return_dict": True}
        if sample_weight is not None:
            settings["sample_weight"] = np.asarray(sample_weight)
        measured = self.model_.evaluate(data.inputs(self, x), self._labels_for_loss(y), **settings)
        for name in ("accuracy", "acc"):
            if name in measured:
                return float(measured[name])
        raise DataError(
            f"{type(self).__name__}.score",
            expected="a model compiled with the metric 'accuracy'",
            got=f"one that measures {', '.join(measured)}",
            fix="model.compile(..., metrics=['accuracy']), or give the search a scoring= of its own.",
        )

    def _labels_for_loss(self, y: Any) -> Any:
        return targets.one_hot_for(self.model_.loss, y, self.n_classes_)

    def _held_out_labels(self, y: np.ndarray) -> Any:
        if y.ndim == 1 or y.shape[1:] == (1,):
            y = targets.class_numbers(y.reshape(-1), self.classes_, "the labels of validation_data")
        return self._labels_for_loss(y)


class KerasRegressor(base.RegressorMixin, BaseWrapper):
    """A network that estimates numbers; `score` is the negative of its loss, so that more is better."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def planned(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        x, y = data.checked(self, x, y, is_numeric=True)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        return self._plan(x, y, sample_weight, kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The number estimated for each row, or several."""
        return flat(self._outputs(x, **self._asked("predict", kwargs)), type(self).__name__)

    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The negative loss, so that a search for the largest score finds the smallest loss."""
        data.check_fitted(self)
        settings = self._asked("evaluate", kwargs) | {"return_dict": True}
        if sample_weight is not None:
            settings["sample_weight"] = np.asarray(sample_weight)
        y = data.labels(self, y, is_numeric=True)
        return -float(self.model_.evaluate(data.inputs(self, x), y, **settings)["loss"])
