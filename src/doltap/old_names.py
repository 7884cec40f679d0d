"""Every old name and keyword, and what it is called now.

Only data and the functions that apply it; the tables work everywhere, without
being switched on. What they hold is plain text, so that a page can show it.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from doltap.errors import MissingKeyError, NotSupportedError, UnknownArgumentError, closest

__all__ = [
    "ATTRIBUTES",
    "GONE",
    "KEPT",
    "KEYWORDS",
    "LOGS",
    "METHODS",
    "NAMES",
    "NO_LONGER",
    "PARAMS",
]
__all__ += ["VALUES", "WITHOUT_EFFECT", "Measures", "accepts", "hear", "in_logs", "note"]
__all__ += ["note_kept", "of_today", "old_keywords", "translate", "unheard"]

Function = TypeVar("Function", bound=Callable[..., Any])

# kind -> {old name: name of today}
NAMES: dict[str, dict[str, str]] = {
    "activation": {},
    "callback": {},
    "constraint": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "initializer": {
        "normal": "random_normal",
        "one": "ones",
        "uniform": "random_uniform",
        "zero": "zeros",
    },
    "layer": {
        "SyncBatchNormalization": "BatchNormalization",
        "TimeDistributedDense": "Dense",
    },
    "loss": {
        "CosineProximity": "CosineSimilarity",
        "cosine": "cosine_similarity",
        "cosine_proximity": "cosine_similarity",
        "huber_loss": "huber",
    },
    "metric": {
        "KLD": "kl_divergence",
        "MAE": "mean_absolute_error",
        "MAPE": "mean_absolute_percentage_error",
        "MSE": "mean_squared_error",
        "MSLE": "mean_squared_logarithmic_error",
        "CosineProximity": "CosineSimilarity",
        "cosine": "cosine_similarity",
        "cosine_proximity": "cosine_similarity",
        "f1": "f1_score",
        "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "logcosh": "log_cosh",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "mse": "mean_squared_error",
        "msle": "mean_squared_logarithmic_error",
    },
    "optimizer": {
        "ADAM": "Adam",
        "RMSProp": "RMSprop",
        "Sgd": "SGD",
        "adadelta": "Adadelta",
        "adagrad": "Adagrad",
        "adam": "Adam",
        "adamax": "Adamax",
        "ftrl": "Ftrl",
        "nadam": "Nadam",
        "rmsprop": "RMSprop",
        "sgd": "SGD",
    },
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
    "evaluate_generator": {"val_samples": "steps"},
    "fit": {"nb_epoch": "epochs"},
    "fit_generator": {
        "nb_epoch": "epochs",
        "nb_val_samples": "validation_steps",
        "samples_per_epoch": "steps_per_epoch",
    },
    "gaussian_noise": {"sigma": "stddev"},
    "imdb": {"nb_words": "num_words"},
    "l1": {"l": "l1"},
    "l2": {"l": "l2"},
    "leaky_relu": {"alpha": "negative_slope"},
    "max_norm": {"m": "max_value"},
    "model": {"input": "inputs", "output": "outputs"},
    "optimizer": {"lr": "learning_rate"},
    "p_re_lu": {"init": "alpha_initializer"},
    "reduce_lr_on_plateau": {"epsilon": "min_delta"},
    "reuters": {"nb_words": "num_words"},
    "to_categorical": {"nb_classes": "num_classes", "y": "x"},
}

# family -> {old keyword that keeps its meaning: how it is written today}
KEPT: dict[str, dict[str, str]] = {
    "evaluate": {"show_accuracy": "compile(metrics=['accuracy'])"},
    "fit": {"show_accuracy": "compile(metrics=['accuracy'])"},
    "layer": {
        "batch_input_shape": "Input(batch_shape=...) in front",
        "dynamic": "compile(run_eagerly=True)",
        "input_dim": "Input(shape=(n,)) in front",
        "input_length": "Input(shape=(n,)) in front",
        "input_shape": "Input(shape=...) in front",
        "weights": "layer.set_weights(values)",
    },
    "optimizer": {"decay": "learning_rate=schedules.InverseTimeDecay(rate, 1, decay)"},
    "to_categorical": {"dtype": "to_categorical(x).astype(dtype)"},
}

# family -> {keyword: why nothing is lost by leaving it out}
_AHEAD = "Batches are made ready ahead of the step in any case."
_WORKERS = {
    "max_q_size": _AHEAD,
    "max_queue_size": _AHEAD,
    "nb_worker": _AHEAD,
    "pickle_safe": _AHEAD,
    "use_multiprocessing": _AHEAD,
    "workers": _AHEAD,
}
WITHOUT_EFFECT: dict[str, dict[str, str]] = {
    "batch_normalization": {
        "fused": "Everything is compiled into one program.",
    },
    "compile": {
        "class_mode": "What 'accuracy' means follows from the labels.",
        "experimental_run_tf_function": "Everything is one compiled program.",
        "sample_weight_mode": "What weights mean follows from their shape.",
    },
    "evaluate": _WORKERS,
    "fit": _WORKERS,
    "optimizer": {
        "is_legacy_optimizer": "There is one kind of optimizer.",
        "jit_compile": "Everything is compiled.",
    },
    "predict": _WORKERS,
    "progbar_logger": {
        "count_mode": "fit knows how many steps there are.",
        "stateful_metrics": "All metrics are running means.",
    },
}

# family -> {keyword that means nothing more as long as it is None or False: what does its work today}
NO_LONGER: dict[str, dict[str, str]] = {
    "batch_normalization": {
        "adjustment": "Leave it out.",
        "mode": "mode=0 is what BatchNormalization does; LayerNormalization does what mode=1 did.",
        "virtual_batch_size": "Give fit that batch_size.",
    },
    "compile": {
        "cloning": "Leave it out.",
        "distribute": "Leave it out: training is on one device.",
        "target_tensors": "Give fit the labels as y.",
    },
    "embedding": {"dropout": "Put SpatialDropout1D behind the Embedding; it takes the same number."},
    "optimizer": {"schedule_decay": "Nadam's own schedule is fixed; leave it out."},
    "train_on_batch": {
        "reset_metrics": "model.evaluate gives the means over many batches.",
    },
}
# What other values say nothing either.
_HARMLESS: dict[str, Any] = {"schedule_decay": 0.004, "reset_metrics": True}

# argument -> {old value: value of today}
VALUES: dict[str, dict[str, str]] = {"reduction": {"auto": "sum_over_batch_size"}}

# Names in the logs and in the History; either one finds what is there under the other.
LOGS: dict[str, str] = {
    "acc": "accuracy",
    "cosine_proximity": "cosine_similarity",
    "kullback_leibler_divergence": "kld",
    "lr": "learning_rate",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "mean_squared_error": "mse",
    "mean_squared_logarithmic_error": "msle",
}

# What callbacks found in `params` -> where it is today
PARAMS: dict[str, str] = {
    "batch_size": "an argument of your callback",
    "do_validation": "an argument of your callback",
    "metrics": "the keys of logs",
    "nb_epoch": "params['epochs']",
    "nb_sample": "an argument of your callback",
    "samples": "an argument of your callback",
}

# old method of a model -> how its work is written today
METHODS: dict[str, str] = {
    "evaluate_generator": "model.evaluate(generator)",
    "fit_generator": "model.fit(generator)",
    "predict_classes": "model.predict(x).argmax(axis=-1), or (model.predict(x) > 0.5).astype(int)",
    "predict_generator": "model.predict(generator)",
    "predict_proba": "model.predict(x)",
    "reset_states": "leave it out: these layers remember nothing from batch to batch",
}

# old attribute of a layer, a model or an optimizer -> where it is found today
ATTRIBUTES: dict[str, dict[str, str]] = {
    "layer": {
        "W": "kernel",
        "b": "bias",
        "_inbound_nodes": "nodes",
        "add_variable": "add_weight",
        "inbound_nodes": "nodes",
        "input_shape": "input.shape",
        "output_dim": "units",
        "output_shape": "output.shape",
        "p": "rate",
        "sigma": "stddev",
    },
    "optimizer": {"lr": "learning_rate"},
}

# What is no more, by where it was -> {name: what does its work today}
_MODEL_GONE: dict[str, str] = {
    "graph": "There are no graphs: model.summary() and utils.plot_model(model) show the network.",
    "loss_functions": "model.loss is what compile was given.",
    "state_updates": "Layers assign their own variables in call().",
    "to_yaml": "A file that is opened must not run code: use model.to_json().",
    "total_loss": "Write a train_step of your own, or ask model.compute_loss(x, y, y_pred).",
    "uses_learning_phase": "Call the model with training=True or training=False.",
    "validation_data": "Hand the data to the callback yourself, as an argument of its __init__.",
}
GONE: dict[str, dict[str, str]] = {
    "Model": _MODEL_GONE,
    "callbacks": {"BaseLogger": "fit keeps the running means itself; leave the callback out."},
    "layers": {
        "DenseFeatures": "`doltap run` has it; utils.FeatureSpace does the same work today.",
        "Highway": "Write the gate: t * Dense(n, activation='relu')(x) + (1 - t) * x, "
        "with t = Dense(n, activation='sigmoid')(x).",
        "MaxoutDense": "Write maximum([Dense(n)(x), Dense(n)(x), ...]).",
        "Merge": "Call concatenate, add or multiply on a list of outputs: "
        "Model([a.input, b.input], Dense(1)(concatenate([a.output, b.output]))).",
    },
    "metrics": {
        "MeanRelativeError": "Write it as a function of y_true and y_pred.",
        "fbeta_score": "metrics.FBetaScore() does it.",
        "fmeasure": "metrics.F1Score() does it.",
        "matthews_correlation": "Write it as a function of y_true and y_pred.",
        "precision": "metrics.Precision() does it.",
        "recall": "metrics.Recall() does it.",
    },
    "models": {
        "model_from_config": "Model.from_config(config) or Sequential.from_config(config) does it.",
        "model_from_yaml": "A file that is opened must not run code: use to_json and model_from_json.",
    },
    "optimizers": {"TFOptimizer": "The optimizers here do the same."},
    "utils": {
        "HDF5Matrix": "h5py.File(path)[name] can be given to fit in its place.",
        "multi_gpu_model": "Leave it out: a model trains on one device.",
    },
}

_hearers: list[Callable[[str, str, str], None]] = []
_reading = threading.local()


def hear(hearer: Callable[[str, str, str], None] | None) -> None:
    """Let a function hear of every old name that is used: what kind it is, the old name, that of today.

    Args:
        hearer: None ends it.
    """
    _hearers[:] = [hearer] if hearer else []


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Inside the `with` nobody is told of old names: what a file says, the program does not say."""
    outer, _reading.is_on = getattr(_reading, "is_on", False), True
    try:
        yield
    finally:
        _reading.is_on = outer


def note(kind: str, old: str, new: str) -> None:
    """Tell whoever wants to hear that an old name was used."""
    for hearer in () if getattr(_reading, "is_on", False) else _hearers:
        hearer(kind, old, new)


def note_kept(family: str, names: Iterable[str]) -> None:
    """Tell of those among the keywords that are old and keep their meaning."""
    for name in KEPT[family].keys() & {*names}:
        note(family, f"{name}=", KEPT[family][name])


def of_today(kind: str, name: str) -> str:
    """The name that a thing of this kind has today, which may be the same one.

    >>> of_today("constraint", "maxnorm"), of_today("constraint", "max_norm")
    ('max_norm', 'max_norm')
    """
    new = NAMES.get(kind, {}).get(name)
    if new is not None:
        note(kind, name, new)
    return name if new is None else new


def translate(family: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords under the names they have today, without those that mean nothing any more.

    Raises:
        UnknownArgumentError: one is given under both its names.
        NotSupportedError: one asks for what is not done any more.

    >>> translate("optimizer", {"lr": 0.1})
    {'learning_rate': 0.1}
    >>> translate("fit", {"nb_epoch": 3, "workers": 4})
    {'epochs': 3}
    """
    table, idle, ended = (each.get(family, {}) for each in (KEYWORDS, WITHOUT_EFFECT, NO_LONGER))
    modern: dict[str, Any] = {}
    for name, value in keywords.items():
        new = table.get(name, name)
        if new != name and new in keywords:
            raise UnknownArgumentError(
                family, expected=f"'{new}=' once", got=f"'{name}=' too", fix=f"'{name}=' is its old name."
            )
        if name in idle or name in ended:
            if name in ended:
                _check_harmless(family, name, value, ended[name])
            note(family, f"{name}=", "")
            continue
        if new != name:
            note(family, f"{name}=", f"{new}=")
        modern[new] = value
    return modern


def _check_harmless(family: str, name: str, value: Any, cure: str) -> None:
    """An error where a keyword that is no more asks for something."""
    is_number = isinstance(value, (int, float)) and value in (0, _HARMLESS.get(name, 0))
    if value is not None and not is_number:
        raise NotSupportedError(
            family, expected=f"no '{name}='", got=f"{name}={value!r}, a keyword of long ago", fix=cure
        )


def accepts(family: str) -> Callable[[Function], Function]:
    """Decorator: the function is understood under the old keywords of the family, too.

    >>> @accepts("max_norm")
    ... def cut(max_value):
    ...     return max_value
    >>> cut(m=3)
    3
    """
    tables = (KEYWORDS, WITHOUT_EFFECT, NO_LONGER)
    old = frozenset(name for table in tables for name in table.get(family, ()))

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            if keywords and not old.isdisjoint(keywords):
                keywords = translate(family, keywords)
            return function(*arguments, **keywords)

        vars(call)["old_keywords"] = old
        return cast(Function, call)

    return decorate


def old_keywords(function: Any) -> frozenset[str]:
    """The old keywords under which a function is understood, by `accepts`."""
    found: frozenset[str] = getattr(function, "old_keywords", frozenset())
    inner = getattr(function, "__wrapped__", None)
    return found if inner is None else found | old_keywords(inner)


def in_logs(name: str, known: Any) -> str | None:
    """Under which of the `known` names a measure stands in the logs; None where it does not.

    The measure of one output, and that of the validation, have a word in front.

    >>> in_logs("val_acc", ["loss", "val_accuracy"]), in_logs("accuracy", ["acc"]), in_logs("auc", [])
    ('val_accuracy', 'acc', None)
    >>> in_logs("acc", ["loss", "binary_accuracy", "val_binary_accuracy"])
    'binary_accuracy'
    """
    if name in known:
        return name
    for pair in LOGS.items():
        for one, other in (pair, pair[::-1]):
            stem = name.removesuffix(one)
            if stem != name and (not stem or stem.endswith("_")) and f"{stem}{other}" in known:
                return f"{stem}{other}"
    # Keras 2 wrote out 'RootMeanSquaredError' and 'AUC' as its functions are written.
    written = [each for each in known if _spelled(each) == _spelled(name)] or _accuracies(name, known)
    return written[0] if len(written) == 1 else None


def _accuracies(name: str, known: Any) -> list[str]:
    """The accuracies that are written out, where a program asks for the one there is."""
    front = "val_" if name.startswith("val_") else ""
    if name.removeprefix(front) not in ("acc", "accuracy"):
        return []
    written = (f"{front}{kind}_accuracy" for kind in ("binary", "categorical", "sparse_categorical"))
    return [each for each in written if each in known]


def _spelled(name: str) -> str:
    return name.replace("_", "").lower()


class Measures(dict[str, Any]):
    """What was measured, by name; what has another name in the other age of Keras is found under both.

    It shows, counts and is written down as the plain dict it is.

    >>> measured = Measures(accuracy=0.5)
    >>> measured["acc"], measured.get("acc"), "acc" in measured, measured
    (0.5, 0.5, True, {'accuracy': 0.5})
    """

    def __missing__(self, name: str) -> Any:
        found = in_logs(name, self.keys()) if isinstance(name, str) else None
        if found is None:
            raise self._missing(name)
        note("log", name, found)
        return self[found]

    def _missing(self, name: Any) -> MissingKeyError:
        guess = closest(str(name), self)
        cure = f"Did you mean '{guess}'?" if guess else f"There are: {', '.join(map(str, self)) or 'none'}."
        if str(name).startswith("val_") and not any(str(each).startswith("val_") for each in self):
            cure = "Give fit validation_data or validation_split for the names that begin with val_."
        return MissingKeyError("what was measured", expected="a name it has", got=repr(name), fix=cure)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (
            isinstance(name, str) and in_logs(name, self.keys()) is not None
        )

    def get(self, name: Any, default: Any = None) -> Any:
        """The measure of that name, or the default."""
        return self[name] if name in self else default  # noqa: SIM401 - that would ask itself.

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
