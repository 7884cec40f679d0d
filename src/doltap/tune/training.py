"""Many fits at once: those of one program are trained as one population.

A fit is one candidate on one fold. What cannot be shared (a class with a `fit`
of its own, callbacks of the user's, data that differs by more than its rows)
is trained alone, as scikit-learn would.
"""

from __future__ import annotations

import concurrent.futures
import copy
import dataclasses
import functools
import time
import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from doltap import callbacks, registry
from doltap.callbacks import tensorboard
from doltap.models.model import Model
from doltap.models.population import Population
from doltap.training import cache
from doltap.training.carriers import num_cores
from doltap.tune import rows, states
from doltap.tune.estimators import plans
from doltap.wrappers.estimator import Plan

__all__ = ["Fit", "begun", "give_folder", "guarded", "inherit", "portions", "rekeyed", "train_all"]

# Keywords that every member of a population has for itself.
_OWN = frozenset({"callbacks", "sample_weight", "verbose"})
_MOST_TOGETHER = 512
# Callbacks that look at one model, and touch nothing else: a copy for each member will do.
_ALONE_WITH_THEIR_MODEL = (
    callbacks.EarlyStopping,
    callbacks.LearningRateScheduler,
    callbacks.ReduceLROnPlateau,
    callbacks.TerminateOnNaN,
)


@dataclasses.dataclass(eq=False)
class Fit:
    """One candidate on one fold."""

    candidate: int
    fold: int
    train: np.ndarray
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    estimator: Any = None
    plan: Plan | None = None
    # Where the rows of the plan are kept, if others share them.
    table: rows.Table | None = None
    # Fits of the same key are trained by one program.
    key: Hashable = None
    seconds: float = 0.0
    error: Exception | None = None
    trace: str = ""
    # The folders of its event files.
    runs: list[str] = dataclasses.field(default_factory=list)

    def fail(self, error: Exception) -> None:
        """Keep the error; the search goes on."""
        self.error, self.plan = error, None
        self.trace = "".join(traceback.format_exception(error))

    @property
    def model(self) -> Model:
        """The model of its plan."""
        assert self.plan is not None
        return self.plan.model

    @property
    def is_shared(self) -> bool:
        """Whether others may be trained with it."""
        return self.table is not None and self.key is not None


def begun(fit: Fit, data: rows.Data, tables: list[rows.Table]) -> Fit:
    """The fit with its model made and its data checked; what goes wrong is kept in it."""
    start = time.perf_counter()
    try:
        _begin(fit, data, tables)
    except Exception as error:  # Whatever a candidate's code raises is the candidate's.
        fit.fail(error)
    fit.seconds = time.perf_counter() - start
    return fit


def _begin(fit: Fit, data: rows.Data, tables: list[rows.Table]) -> None:
    if not plans(fit.estimator):
        return
    plan = fit.plan = fit.estimator.planned(*data.labelled(fit.train), **data.fit_arguments(fit.train))
    # One table shows how far the search is; the bars of the fits would only tear it.
    plan.settings["verbose"] = 0
    group = f"candidate-{fit.candidate:03d}"
    fit.runs = give_folder(plan, fit.params, f"{group}/fold-{fit.fold}", group)
    fit.key = _key(plan)
    if fit.key is not None:
        fit.table = rows.placed(tables, (plan.x, plan.y), fit.train, rows.count(data.X))
    if fit.table is not None:
        plan.x = plan.y = None


def give_folder(plan: Plan, params: dict[str, Any], run: str, trial_id: str | None = None) -> list[str]:
    """Let the event files of a plan, if it writes any, stand in a folder of their own; all its folders."""
    given = plan.settings.get("callbacks") or []
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    has_own = any(isinstance(one, callbacks.HParams) for one in listed)
    if not has_own and any(isinstance(one, callbacks.TensorBoard) for one in listed):
        plan.settings["callbacks"] = listed = tensorboard.for_one_run(listed, params, run, trial_id)
    return [one.log_dir for one in listed if isinstance(one, callbacks.HParams)]


def rekeyed(fit: Fit) -> None:
    """Look anew at which others the fit may be trained with, after its plan was changed."""
    if fit.plan is not None:
        fit.key = _key(fit.plan)


def _key(plan: Plan) -> Hashable:
    """What a population's members have in common; None for a plan that is carried out alone."""
    model, settings = plan.model, plan.settings
    given = settings.get("callbacks") or []
    listed = given if isinstance(given, (list, tuple)) else [given]
    if not all(type(one) in _ALONE_WITH_THEIR_MODEL for one in listed):
        return None
    if model.run_eagerly:
        return None
    if settings.get("class_weight") is not None and settings.get("sample_weight") is not None:
        return None
    network = cache.fingerprint([model, model.optimizer, *vars(model._wishes).values()])
    if network is None:
        return None
    shared = _shared(settings)
    if not {*shared} <= {*registry.arguments_of(Population.fit)}:
        return None
    return network, tuple((name, _hashable(shared[name])) for name in sorted(shared))


def _shared(settings: dict[str, Any]) -> dict[str, Any]:
    """The keywords of fit that members have in common; None is what they mean anyway."""
    return {name: value for name, value in settings.items() if name not in _OWN and value is not None}


def _hashable(value: Any) -> Hashable:
    """A value by which two settings are compared: arrays by what they hold."""
    if isinstance(value, dict):
        return tuple((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(_hashable, value))
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value.shape, value.dtype.str, hash(np.ascontiguousarray(value).tobytes())
    return value if isinstance(value, (bool, int, float, str, type(None))) else id(value)


def portions(fits: Sequence[Fit]) -> list[list[Fit]]:
    """The fits in the order in which their programs first come, those that are trained as one together."""
    groups: dict[Hashable, list[Fit]] = {}
    for fit in fits:
        groups.setdefault((fit.key, id(fit.table)) if fit.is_shared else id(fit), []).append(fit)
    most = _most_together()
    return [group[at : at + most] for group in groups.values() for at in range(0, len(group), most)]


def _most_together() -> int:
    """How many are trained before the first of them is done and noted."""
    if jax.default_backend() != "cpu":
        return _MOST_TOGETHER
    return max(8, 2 * num_cores())


def train_all(parts: Sequence[list[Fit]], data: rows.Data, carrier: str) -> Iterator[list[Fit]]:
    """Train one portion after the other; each comes when it is done, in order.

    While one is trained the programs of the next are compiled, in threads of their own.
    """
    if not all(fit.is_shared for part in parts for fit in part):
        # Code of the user's takes part, which need not bear two threads.
        for part in parts:
            yield _trained(part, data, carrier)
        return
    with concurrent.futures.ThreadPoolExecutor(_num_threads(), "training") as pool:
        coming = [pool.submit(_trained, part, data, carrier) for part in parts]
        try:
            for future in coming:
                yield future.result()
        finally:
            for future in coming:
                future.cancel()


def _num_threads() -> int:
    """Two, so that one compiles while one trains; more where there are cores for them."""
    return 2 if jax.default_backend() != "cpu" else max(2, num_cores())


def _trained(part: list[Fit], data: rows.Data, carrier: str) -> list[Fit]:
    """The portion with all its models trained; what goes wrong is kept in each."""
    start = time.perf_counter()
    ready = [fit for fit in part if fit.error is None]
    if ready and ready[0].is_shared:
        _train_together(ready, data, carrier)
    else:
        for fit in ready:
            guarded(fit, functools.partial(_train_alone, fit, data))
    for fit in part:
        fit.seconds += (time.perf_counter() - start) / len(part)
    return part


def guarded(fit: Fit, work: Callable[[], Any]) -> None:
    """Do it; what goes wrong is kept in the fit."""
    try:
        work()
    except Exception as error:  # Whatever a candidate's code raises is the candidate's.
        fit.fail(error)


def inherit(fit: Fit, state: dict[str, Any], *, with_seed: bool) -> None:
    """Let the model of the fit go on from another's state; it gets weights first, if it has none."""
    assert fit.plan is not None
    x, y = fit.plan.x, fit.plan.y
    if fit.table is not None:
        x, y = jax.tree.map(lambda array: array[fit.train[:1]], fit.table.content())
    states.build_for(fit.model, x, y)
    states.take_state(fit.model, state, with_seed=with_seed)


def _train_alone(fit: Fit, data: rows.Data) -> None:
    if fit.plan is not None:
        if fit.table is not None:
            content = fit.table.content()
            fit.plan.x, fit.plan.y = jax.tree.map(lambda array: array[fit.train], content)
        fit.estimator.trained(fit.plan, fit.plan.run())
        return
    fit.estimator.fit(*data.labelled(fit.train), **data.fit_arguments(fit.train))


def _train_together(fits: list[Fit], data: rows.Data, carrier: str) -> None:
    """Train models of one program, on rows of one table; each that cannot be is trained alone."""
    histories: dict[int, callbacks.History] = {}
    try:
        _fit_population(fits, carrier, histories)
    except Exception as error:  # One member's, as it seems; which one, training alone will show.
        for number, fit in enumerate(fits):
            if number not in histories and fit.plan is not None and fit.plan.model.epochs_trained:
                fit.fail(error)
    for number, fit in enumerate(fits):
        plan = fit.plan
        if plan is not None and number in histories:
            fit.estimator.trained(plan, histories[number])
        elif plan is not None:
            guarded(fit, functools.partial(_train_alone, fit, data))


def _fit_population(fits: list[Fit], carrier: str, histories: dict[int, callbacks.History]) -> None:
    """Train the models of the fits as one population; the Histories, by the fits' numbers, as they end."""
    table, members = fits[0].table, [fit.plan for fit in fits if fit.plan is not None]
    assert table is not None
    x, y = table.content()
    settings = _shared(members[0].settings)
    weights = [plan.settings.get("sample_weight") for plan in members]
    if any(given is not None for given in weights):
        settings["sample_weight"] = [
            _spread(given, fit.train, table.num_rows) for given, fit in zip(weights, fits, strict=True)
        ]

    def listeners(number: int) -> list[Any]:
        given = members[number].settings.get("callbacks") or []
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        return [*map(_copied, listed), _Ended(number, histories)]

    together = Population([plan.model for plan in members], carrier=carrier)
    together._tells_numbers = False
    chosen = [fit.train for fit in fits]
    together.fit(x, y, verbose=0, callbacks=listeners, rows=chosen, **settings)


class _Ended(callbacks.Callback):
    """Notes the History of a member that was trained to its end."""

    def __init__(self, number: int, histories: dict[int, callbacks.History]) -> None:
        super().__init__()
        self._number, self._histories = number, histories

    def on_train_end(self, logs: Any = None) -> None:
        """Note it."""
        self._histories[self._number] = self.model.history


def _copied(callback: Any) -> Any:
    """A callback for one member; the model that it saw last is not copied with it."""
    seen = vars(callback).get("_model")
    return copy.deepcopy(callback, {id(seen): seen})


def _spread(weights: Any, train: np.ndarray, num_rows: int) -> np.ndarray:
    """The weights of a fold's rows in the places of those rows."""
    if weights is None:
        return np.ones(num_rows, np.float32)
    spread = np.zeros(num_rows, np.asarray(weights).dtype)
    spread[train] = weights
    return spread
