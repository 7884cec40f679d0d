"""Candidates that a model of the scores so far proposes: Optuna asks, the search answers."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from doltap.errors import DataError, optional_package
from doltap.tune import spaces
from doltap.tune.borrowed import utils
from doltap.tune.search import Search
from doltap.tune.trials import Trials

__all__ = ["BayesianSearch"]


@dataclasses.dataclass
class _Axis:
    """A parameter as Optuna sees it, and the value that its number stands for."""

    distribution: Any
    value: Callable[[Any], Any]


class BayesianSearch(Search):
    """Each candidate is where Optuna expects the best score after those before it.

    Args:
        estimator: an estimator, or a function that returns a compiled model.
        param_distributions: a dict from a parameter's name to its values or to one of
            SciPy's distributions.
        n_iter: how many candidates are tried.
        n_together: how many are proposed at once, and trained together.
        sampler: one of Optuna's; None for its TPESampler.
        scoring, refit, cv, random_state, error_score, return_train_score: as scikit-learn.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        n_jobs: accepted and not needed.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        folder: keeps the results, so that a search that was killed goes on where it was.

    Raises:
        MissingPackageError: Optuna is not installed.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        n_together: int = 1,
        sampler: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        carrier: str = "auto",
        folder: Any = None,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.n_together = n_together
        self.sampler = sampler
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.carrier = carrier
        self.folder = folder

    def _space(self) -> list[dict[str, Any]]:
        self._optuna: Any = optional_package("optuna", extra="tune", purpose="tune.BayesianSearch")
        spaces.check_count("n_iter", self.n_iter)
        spaces.check_count("n_together", self.n_together)
        space = spaces.checked(self.param_distributions, "param_distributions")
        if len(space) > 1:
            raise DataError(
                "param_distributions",
                expected="one dict, of which a model of the scores is made",
                got=f"a list of {len(space)}",
                fix="Search each by itself, or take RandomizedSearchCV.",
            )
        self._axes = {name: self._axis(name, values) for name, values in space[0].items()}
        return space

    def _axis(self, name: str, values: Any) -> _Axis:
        kinds = self._optuna.distributions
        if hasattr(values, "ppf"):
            # In shares of what is drawn, a distribution over powers of ten is even.
            return _Axis(kinds.FloatDistribution(0.0, 1.0), lambda share: _quantile(values, share))
        if hasattr(values, "rvs"):
            raise DataError(
                f"param_distributions['{name}']",
                expected="a list, or a distribution with ppf()",
                got=f"a {type(values).__name__}, which can only be drawn from",
                fix="Take one of SciPy's: scipy.stats.loguniform(0.001, 0.1).",
            )
        listed = list(values)
        if all(isinstance(one, (int, float, np.number)) and not isinstance(one, bool) for one in listed):
            listed.sort()
            return _Axis(kinds.IntDistribution(0, len(listed) - 1), lambda place: listed[int(place)])
        choices = list(range(len(listed)))
        return _Axis(kinds.CategoricalDistribution(choices), lambda place: listed[int(place)])

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        seed = int(utils.check_random_state(self._drawn_from).randint(2**31 - 1))
        with self._quietly():
            sampler = self._optuna.samplers.TPESampler(seed=seed) if self.sampler is None else self.sampler
            self.study_ = self._optuna.create_study(direction="maximize", sampler=sampler)
            while len(trials.outcomes) < self.n_iter:
                self._step(trials, min(self.n_together, self.n_iter - len(trials.outcomes)))

    def _step(self, trials: Trials, num: int) -> None:
        """Try so many of Optuna's proposals, and tell it what came of them."""
        distributions = {name: axis.distribution for name, axis in self._axes.items()}
        asked = [self.study_.ask(distributions) for _ in range(num)]
        candidates = [
            {name: axis.value(one.params[name]) for name, axis in self._axes.items()} for one in asked
        ]
        for one, outcome in zip(asked, self._tried(trials, candidates), strict=True):
            mean = outcome.mean(self._ranked_by(outcome.test_scores[0]))
            if math.isfinite(mean):
                self.study_.tell(one, mean)
            else:
                self.study_.tell(one, state=self._optuna.trial.TrialState.FAIL)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Optuna tells of every trial; the search has a table for that."""
        logging = self._optuna.logging
        before = logging.get_verbosity()
        logging.set_verbosity(logging.WARNING)
        try:
            yield
        finally:
            logging.set_verbosity(before)


def _quantile(distribution: Any, share: float) -> Any:
    """The value below which that share of what is drawn lies."""
    # The ends of a distribution may be infinite.
    value = distribution.ppf(min(max(share, 1e-12), 1 - 1e-12))
    kind = getattr(distribution, "dist", distribution)
    is_whole = hasattr(kind, "pmf") or not hasattr(kind, "pdf")
    return int(value) if is_whole else float(value)
