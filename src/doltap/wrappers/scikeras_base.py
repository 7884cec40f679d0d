"""What SciKeras's estimators have in common: every parameter has the name of the place it goes to.

`model__units` goes to the function that makes the model, `optimizer__learning_rate`
to the optimizer, `fit__batch_size` to fit alone; `batch_size` to all that take it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from doltap import losses
from doltap.callbacks import History
from doltap.errors import DataError, NotCompiledError, NotSupportedError, ShapeError
from doltap.models.model import Model
from doltap.wrappers import building, data, routing
from doltap.wrappers.borrowed import multiclass
from doltap.wrappers.estimator import Estimator, Plan
from doltap.wrappers.parameters import ParameterError, Takes, check_names, of_model
from doltap.wrappers.seeding import seed_of, seeded
from doltap.wrappers.targets import ClassifierLabelEncoder

__all__ = ["BaseWrapper"]

_PLACES = ("model", "fit", "predict", "compile", "optimizer", "loss", "metrics", "callbacks", "score")
_MADE: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "optimizer": routing.made_optimizer,
    "loss": routing.made_loss,
    "metrics": routing.made_metrics,
}
# What fit and predict are given in another way.
_OURS = frozenset({"x", "y", "callbacks", "sample_weight", "class_weight"})


class BaseWrapper(Estimator):
    """What classifier and regressor have in common; with an encoder of one's own, any other network.

    Args:
        model: a function that returns a model, compiled or not, or a model. A
            function may take `meta`, a dict of what was learned of the data such
            as "n_features_in_"; `compile_kwargs`, the arguments of compile; and
            `params`, all parameters. None in a subclass with a `_keras_build_fn`.
        build_fn: the older name of `model`.
        warm_start: whether `fit` goes on with the weights of the last one.
        random_state: a seed for the weights and the order of the rows; None for other ones each time.
        optimizer, loss, metrics: for a model that is not compiled; names, classes or
            objects. loss="auto" chooses by the labels.
        batch_size: -1 takes all rows.
        callbacks: callbacks, or classes of them, in a list or a dict.
        kwargs: parameters with a place in front, such as `model__units`.
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        batch_size: int | None = None,
        validation_batch_size: int | None = None,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        run_eagerly: bool = False,
        epochs: int = 1,
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.build_fn = build_fn
        self.warm_start = warm_start
        self.random_state = random_state
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.batch_size = batch_size
        self.validation_batch_size = validation_batch_size
        self.verbose = verbose
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.run_eagerly = run_eagerly
        self.epochs = epochs
        self.__dict__.update(kwargs)

    # Parameters.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters, those with a place in front among them."""
        takes = Takes(type(self).__init__)
        own = [name for name in sorted(vars(self)) if not name.startswith("_") and not name.endswith("_")]
        return {name: getattr(self, name) for name in own if takes.takes_any or name in takes.names}

    def set_params(self, **params: Any) -> Any:
        """Change parameters; those with a place in front need not have been there before."""
        known = {*self.get_params(), *self._function_takes().names}
        for name, value in params.items():
            place = name.partition("__")[0] if "__" in name else ""
            if place not in _PLACES:
                names = {*known, *(f"{one}__{name.partition('__')[2]}" for one in _PLACES if place)}
                check_names(type(self).__name__, [name], names)
            setattr(self, name, value)
        return self

    def _extras(self) -> dict[str, Any]:
        """The parameters that no constructor names."""
        kinds = [kind for kind in type(self).__mro__ if issubclass(kind, BaseWrapper)]
        named = {name for kind in kinds for name in Takes(kind.__init__).names}
        return {name: value for name, value in self.get_params().items() if name not in named}

    def _settings(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        """The keywords of fit or predict: those without a place, those with one, those given now."""
        parameters, known = self.get_params(), of_model(method)
        check_names(f"{type(self).__name__}.{method}", given, known)
        found = {name: parameters[name] for name in known if name in parameters and name not in _OURS}
        placed = {
            n: v for n, v in routing.routed(parameters, method).items() if not n.startswith("callbacks")
        }
        callbacks = routing.made_callbacks(
            parameters.get("callbacks"), routing.routed(parameters, "callbacks")
        )
        where = f"{method}__callbacks"
        more = routing.made_callbacks(parameters.get(where), routing.routed(parameters, where), where)
        return {**found, **placed, "callbacks": [*callbacks, *more], **given}

    def _compile_settings(self, model: Model | None = None) -> dict[str, Any]:
        """The keywords of compile, with objects made of classes and their parameters."""
        parameters, known = self.get_params(), of_model("compile")
        found = {name: parameters[name] for name in known if name in parameters}
        found |= routing.routed(parameters, "compile")
        if isinstance(found["loss"], str) and found["loss"] == "auto":
            found["loss"] = self._chosen_loss(model)
        for name, make in _MADE.items():
            found[name] = make(found[name], routing.routed(parameters, name))
        return found

    def _chosen_loss(self, model: Model | None) -> Any:
        """What loss="auto" means for these labels, and for the model if it is there already."""
        return "mse"

    # The model.

    def _function(self) -> Any:
        """What makes the model, or the model."""
        own, given = getattr(self, "_keras_build_fn", None), self.model
        if given is None and self.build_fn is not None:
            warnings.warn("build_fn= is called model= now.", FutureWarning, stacklevel=4)
            given = self.build_fn
        if own is None and not callable(given) and not isinstance(given, Model):
            name = type(self).__name__
            raise NotSupportedError(
                name,
                expected="a function that makes a model",
                got=repr(given),
                fix=f"For example {name}(model=build_model), or define _keras_build_fn in a subclass.",
            )
        if own is not None and given is not None:
            raise NotSupportedError(
                type(self).__name__,
                expected="model=, or a _keras_build_fn in the class",
                got="both",
                fix="Leave one of them out.",
            )
        return given if own is None else own

    def _function_takes(self) -> Takes:
        given = self.build_fn if self.model is None else self.model
        function = getattr(self, "_keras_build_fn", given)
        is_function = callable(function) and not isinstance(function, Model)
        return Takes(function if is_function else lambda: None)

    def _new_model(self) -> Model:
        function = self._function()
        if isinstance(function, Model):
            return function
        takes, extras = Takes(function), self._extras()
        self._check_extras(extras, takes)
        given = takes.among(extras) | routing.routed(extras, "model")
        if takes.takes_any:
            anywhere = {*of_model("fit"), *of_model("predict"), *of_model("compile")}
            given = {n: v for n, v in extras.items() if "__" not in n and n not in anywhere} | given
        offered: dict[str, Callable[[], Any]] = {
            "meta": self._meta,
            "compile_kwargs": self._compile_settings,
            "params": self.get_params,
        }
        given |= {name: offer() for name, offer in offered.items() if name in takes.names or takes.takes_any}
        with seeded(self._seed):
            return building.made_by(function, given, type(self).__name__, "model__")

    def _check_extras(self, extras: dict[str, Any], takes: Takes) -> None:
        """An error for the first parameter that goes nowhere."""
        name = type(self).__name__
        known = {place: of_model(place) for place in ("fit", "predict", "compile")}
        flat = {*takes.names, *known["fit"], *known["predict"], *known["compile"]}
        if not takes.takes_any:
            check_names(
                name, [each for each in extras if "__" not in each], flat | {*self.get_params()} - {*extras}
            )
            check_names(name, routing.routed(extras, "model"), takes.names, "model__{}")
        placed = [each for each in extras if "__" in each]
        check_names(name, [each.partition("__")[0] for each in placed], _PLACES, "{}__")
        for place, names in known.items():
            heads = [each.partition("__")[0] for each in routing.routed(extras, place)]
            check_names(name, heads, names, f"{place}__{{}}")

    def _meta(self) -> dict[str, Any]:
        """What was learned of the data: the attributes that end in an underscore."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }

    def _ensure_compiled(self) -> None:
        if not self.model_.compiled:
            settings = self._compile_settings(self.model_)
            if settings["loss"] is None:
                raise NotCompiledError(
                    type(self).__name__,
                    expected="a compiled model, or loss=",
                    got=f"model '{self.model_.name}' without a loss",
                    fix="Give loss='mse', loss='auto', or compile the model before it is returned.",
                )
            with seeded(self._seed):
                self.model_.compile(**settings)
        elif self.loss is not None and _names_differ(self.loss, self.model_.loss):
            raise ParameterError(
                type(self).__name__,
                expected=f"a model compiled with loss={self.loss!r}",
                got=f"{self.model_.loss!r}",
                fix="Let the function take compile_kwargs, or leave loss= out.",
            )

    def _check_outputs(self) -> None:
        expected = getattr(self, "n_outputs_expected_", None)
        if expected and self.model_.built and len(self.model_.outputs) != expected:
            raise ShapeError(
                f"model '{self.model_.name}'",
                expected=f"{expected} output{'s' if expected > 1 else ''}",
                got=f"{len(self.model_.outputs)}",
                fix="Change the model, or override target_encoder and its n_outputs_expected_.",
            )

    # The data.

    @property
    def target_encoder(self) -> Any:
        """What turns labels into what the network learns from; override it for others."""
        return data.Unchanged()

    @property
    def feature_encoder(self) -> Any:
        """What turns inputs into what the network takes; override it for others."""
        return data.Unchanged()

    def _is_numeric(self) -> bool:
        """Whether labels have to be numbers."""
        return False

    def _type_of_target(self, y: Any) -> str:
        """What scikit-learn calls labels of this kind: "binary", "continuous" and so on."""
        return str(multiclass.type_of_target(y))

    def _looked_at(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """The data, checked; what is known of it becomes attributes when it is seen first."""
        if y is None and reset and not self.__sklearn_tags__().target_tags.required:
            X = data.inputs(self, X, reset=True)
        elif y is None and reset:
            X, y = data.checked(self, X, y, is_numeric=self._is_numeric())
        else:
            X, y = data.checked(self, X, y, is_numeric=self._is_numeric(), reset=reset)
        if reset and not data.is_several(X):
            self.X_dtype_, self.X_shape_ = X.dtype, X.shape
        if reset and y is not None:
            self.target_type_ = self._type_of_target(y)
            self.y_dtype_, self.y_ndim_ = y.dtype, y.ndim
        return X, y

    def _initialize(self, X: Any, y: Any) -> tuple[Any, Any]:
        self._seed = seed_of(self.random_state)
        X, y = self._looked_at(X, y, reset=True)
        self.target_encoder_ = self.target_encoder.fit(y)
        self.__dict__.update(getattr(self.target_encoder_, "get_metadata", dict)())
        self.feature_encoder_ = self.feature_encoder.fit(X)
        self.__dict__.update(getattr(self.feature_encoder_, "get_metadata", dict)())
        self.model_ = self._new_model()
        return X, y

    # Training and asking.

    @property
    def initialized_(self) -> bool:
        """Whether there is a model."""
        return hasattr(self, "model_")

    @property
    def current_epoch(self) -> int:
        """How many epochs the model was trained."""
        return len(self.history_["loss"]) if hasattr(self, "history_") else 0

    def initialize(self, X: Any, y: Any = None) -> Any:
        """Make the model without training it."""
        self._initialize(X, y)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model and train it.

        Args:
            X: inputs, rows first.
            y: labels, one or more a row.
            sample_weight: a weight for each row.
            kwargs: keywords of `Model.fit`, which win over parameters.
        """
        plan = self.planned(X, y, sample_weight, **kwargs)
        return self.trained(plan, plan.run())

    def planned(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        return self._plan(X, y, sample_weight, {"initial_epoch": 0, **kwargs}, keeps_model=self.warm_start)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train for one more epoch; the first time, make the model before."""
        for name in ("epochs", "initial_epoch"):
            if name in kwargs:
                raise ParameterError(
                    f"{type(self).__name__}.partial_fit",
                    expected="one epoch, after those there were",
                    got=f"'{name}='",
                    fix="Leave it out, or use fit with warm_start=True.",
                )
        done = self.current_epoch
        kwargs |= {"initial_epoch": done, "epochs": done + 1}
        plan = self._plan(X, y, sample_weight, kwargs, keeps_model=True)
        return self.trained(plan, plan.run())

    def _plan(self, X: Any, y: Any, sample_weight: Any, given: dict[str, Any], *, keeps_model: bool) -> Plan:
        goes_on = keeps_model and self.initialized_
        self._measured = getattr(self, "history_", {}) if goes_on else {}
        X, y = self._looked_at(X, y, reset=False) if goes_on else self._initialize(X, y)
        self._ensure_compiled()
        self._check_outputs()
        if isinstance(self.target_encoder_, ClassifierLabelEncoder):
            self.target_encoder_.loss = self.model_.loss
        weights = data.weights(sample_weight, X)
        if weights is not None and not data.is_several(X):
            # A row of no weight is no row: the mean is over those that count.
            counts = weights != 0
            X, y, weights = X[counts], y[counts], weights[counts]
        settings = self._settings("fit", given)
        settings["validation_data"] = data.held_out(
            settings.get("validation_data"), self._encoded_inputs, self._encoded
        )
        settings = {**_all_rows(settings, X), "sample_weight": weights}
        return self._new_plan(self.model_, self._encoded_inputs(X), self._encoded(y), settings)

    def trained(self, plan: Plan, history: History) -> Any:
        """Take up what came of the plan: the end of `fit`."""
        self.history_ = _joined(self._measured, history)
        return self

    def _encoded(self, y: Any) -> Any:
        return self.target_encoder_.transform(y)

    def _encoded_inputs(self, X: Any) -> Any:
        return self.feature_encoder_.transform(X)

    def _raw(self, X: Any, given: dict[str, Any]) -> Any:
        """The outputs of the network."""
        data.check_fitted(self)
        X = data.inputs(self, X)
        settings = _all_rows(self._settings("predict", given), X)
        return self.model_.predict(self._encoded_inputs(X), **settings)

    def predict(self, X: Any, **kwargs: Any) -> Any:
        """What the network says of each row, as labels or numbers."""
        outputs = self._raw(X, kwargs)
        return self.target_encoder_.inverse_transform(outputs)

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """How good predictions are; override it in a subclass of your own."""
        raise NotSupportedError(
            "BaseWrapper.score",
            expected="a scorer(y_true, y_pred, **kwargs)",
            got="none",
            fix="Take KerasClassifier or KerasRegressor, or define scorer in your class.",
        )

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """How good the predictions for these rows are, by `scorer`."""
        y = data.labels(self, y, is_numeric=self._is_numeric())
        given = routing.routed(self.get_params(), "score")
        return self.scorer(y, self.predict(X), sample_weight=sample_weight, **given)


def _names_differ(wanted: Any, compiled: Any) -> bool:
    """Whether two losses, as `compile` takes them, are of different classes; of several, nobody knows."""
    if any(isinstance(each, (list, tuple, dict)) for each in (wanted, compiled)) or compiled is None:
        return False
    if isinstance(wanted, str) and wanted == "auto":
        return False
    made = [losses.get(each) for each in (wanted, compiled)]
    return type(made[0]) is not type(made[1])


def _all_rows(settings: dict[str, Any], X: Any) -> dict[str, Any]:
    """The settings, with a batch of all rows where -1 asks for it."""
    if settings.get("batch_size") != -1:
        return settings
    if data.is_several(X):
        raise DataError(
            "batch_size",
            expected="a number, for several inputs",
            got="-1",
            fix="For example batch_size=len(y).",
        )
    return {**settings, "batch_size": len(X)}


def _joined(before: dict[str, list[Any]], history: History) -> dict[str, list[Any]]:
    """What was measured in earlier epochs and in these."""
    return {name: [*before.get(name, []), *values] for name, values in history.history.items()}
