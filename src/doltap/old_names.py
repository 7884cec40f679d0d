"""Every old name and keyword, and what it is called now.

Only data and the functions that apply it; the tables work everywhere, without
being switched on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from doltap.errors import UnknownArgumentError

__all__ = ["KEYWORDS", "METHODS", "NAMES", "accepts", "translate"]

Function = TypeVar("Function", bound=Callable[..., Any])

# kind -> {old name: name of today}
NAMES: dict[str, dict[str, str]] = {
    "constraint": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "loss": {"cosine_proximity": "cosine_similarity"},
    "metric": {"cosine_proximity": "cosine_similarity", "f1": "f1_score"},
    "regularizer": {
        "ActivityRegularizer": "L1L2",
        "WeightRegularizer": "L1L2",
        "activity_l1": "l1",
        "activity_l1l2": "l1_l2",
        "activity_l2": "l2",
        "l1l2": "l1_l2",
    },
}

# family -> {old keyword: keyword of today}
KEYWORDS: dict[str, dict[str, str]] = {
    "batch_normalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "dense": {
        "W_constraint": "kernel_constraint",
        "W_regularizer": "kernel_regularizer",
        "b_constraint": "bias_constraint",
        "b_regularizer": "bias_regularizer",
        "bias": "use_bias",
        "init": "kernel_initializer",
        "output_dim": "units",
    },
    "dropout": {"p": "rate"},
    "embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer",
    },
    "fit": {"nb_epoch": "epochs"},
    "l1": {"l": "l1"},
    "l2": {"l": "l2"},
    "leaky_relu": {"alpha": "negative_slope"},
    "max_norm": {"m": "max_value"},
    "optimizer": {"lr": "learning_rate"},
    "reduce_lr_on_plateau": {"epsilon": "min_delta"},
}

# old method of a model -> what does its work today
METHODS: dict[str, str] = {
    "evaluate_generator": "Call evaluate: it takes generators, too.",
    "fit_generator": "Call fit: it takes generators, too.",
    "predict_classes": "Take the largest output: model.predict(x).argmax(axis=-1), "
    "or (model.predict(x) > 0.5).astype(int) after a sigmoid.",
    "predict_generator": "Call predict: it takes generators, too.",
    "predict_proba": "Call predict: after a softmax or a sigmoid it gives the probabilities.",
}


def translate(family: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords under the names they have today.

    Raises:
        UnknownArgumentError: one is given under both its names.

    >>> translate("optimizer", {"lr": 0.1})
    {'learning_rate': 0.1}
    """
    table = KEYWORDS[family]
    for old, new in table.items():
        if old in keywords and new in keywords:
            raise UnknownArgumentError(
                family, expected=f"'{new}=' once", got=f"'{old}=' too", fix=f"'{old}=' is its old name."
            )
    return {table.get(name, name): value for name, value in keywords.items()}


def accepts(family: str) -> Callable[[Function], Function]:
    """Decorator: the function is understood under the old keywords of the family, too.

    >>> @accepts("max_norm")
    ... def cut(max_value):
    ...     return max_value
    >>> cut(m=3)
    3
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return function(*arguments, **translate(family, keywords))

        return cast(Function, call)

    return decorate
