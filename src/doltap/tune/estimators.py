"""From what the user wants searched to an estimator: one already, or a function that makes a model."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap import losses
from doltap.errors import NotSupportedError
from doltap.models.model import Model
from doltap.tune.borrowed import base, multiclass
from doltap.wrappers import building, of_keras3, scikit_learn
from doltap.wrappers.estimator import Estimator
from doltap.wrappers.parameters import ParameterError, Takes, check_names, of_model
from doltap.wrappers.seeding import seeded

__all__ = ["estimator_of", "is_function", "is_ours", "plans", "quiet", "takes_one_hot", "with_params"]

# How many candidates are asked for a model whose loss can be seen.
_MOST_TRIED = 5
_CLASSIFYING = ("doltap.losses.crossentropy", "doltap.losses.margins")


def is_function(thing: Any) -> bool:
    """Whether it makes models, and is no estimator."""
    return callable(thing) and not isinstance(thing, (Model, type)) and not hasattr(thing, "fit")


def is_ours(estimator: Any) -> bool:
    """Whether it is one of doltap's estimators."""
    return isinstance(estimator, Estimator)


def takes_one_hot(estimator: Any) -> bool:
    """Whether it learns from one-hot rows, but answers with classes."""
    return isinstance(estimator, scikit_learn.KerasClassifier)


def plans(estimator: Any) -> bool:
    """Whether its `fit` is what `planned` and `trained` do; not where a class of the user's has its own."""
    return is_ours(estimator) and type(estimator).fit.__module__.startswith("doltap.")


def estimator_of(thing: Any, candidates: Sequence[dict[str, Any]], y: Any) -> Any:
    """The estimator that is searched; a function that makes a model becomes one.

    Args:
        candidates: parameters to make a first model of, for a look at its loss.
    """
    if hasattr(thing, "fit") and not isinstance(thing, (Model, type)):
        return thing
    if not is_function(thing):
        raise NotSupportedError(
            "estimator",
            expected="an estimator, or a function that returns a compiled model",
            got=f"the model '{thing.name}'" if isinstance(thing, Model) else repr(thing),
            fix="def build(units=30): ...; return model. Its arguments are the parameters.",
        )
    takes = Takes(thing)
    if not takes.takes_any:
        given = dict.fromkeys(name for params in candidates for name in params)
        check_names(building.shown(thing), given, {*takes.names, *of_model("fit")} - {"x", "y"})
    model = _first_model(thing, candidates[:_MOST_TRIED])
    kind = scikit_learn.KerasClassifier if _classifies(model, y) else scikit_learn.KerasRegressor
    return kind(thing)


def _first_model(function: Any, candidates: Sequence[dict[str, Any]]) -> Model | None:
    """The model of the first candidate that has one."""
    takes = Takes(function)
    # A first look must not change what the candidates start from.
    with seeded(0):
        for params in candidates:
            try:
                model = building.made_by(function, takes.among(params), "the search")
            except (ParameterError, NotSupportedError):
                raise
            except Exception:  # It may be this candidate's alone.
                continue
            building.check_is_compiled(model, function)
            return model
    return None


def _classifies(model: Model | None, y: Any) -> bool:
    """Whether the model tells classes apart, by its loss, its metrics and the labels."""
    labels = np.asarray(y)
    if labels.dtype.kind in "OUSb":
        return True
    if str(multiclass.type_of_target(labels)).startswith("continuous") or model is None:
        return False
    with contextlib.suppress(Exception):  # Several losses, or one of the user's.
        found = losses.get(model.loss)
        home = getattr(found, "__module__", "")
        if home.startswith("doltap.losses."):
            return home.startswith(_CLASSIFYING)
    return any("acc" in str(getattr(one, "name", one)) for one in (model._wishes.metrics or ()))


def with_params(estimator: Any, params: dict[str, Any]) -> Any:
    """A clone of the estimator with these parameters."""
    return base.clone(estimator).set_params(**base.clone(params, safe=False))


def quiet(estimator: Any) -> Any:
    """The estimator, which shows no bars of its own: the search has one for all."""
    if isinstance(estimator, scikit_learn.BaseWrapper):
        estimator.set_params(verbose=0)
    elif isinstance(estimator, (of_keras3.SKLearnClassifier, of_keras3.SKLearnRegressor)):
        estimator.fit_kwargs = {**(estimator.fit_kwargs or {}), "verbose": 0}
    elif is_ours(estimator):
        shown = [name for name in estimator.get_params() if name.rpartition("__")[2] == "verbose"]
        estimator.set_params(**dict.fromkeys(shown, 0))
    else:
        # One may be a step of a pipeline.
        for part in estimator.get_params(deep=True).values():
            if is_ours(part):
                quiet(part)
    return estimator
