"""scikit-learn's two searches: every combination, or so many drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.tune import spaces
from doltap.tune.search import Search
from doltap.tune.trials import Trials

__all__ = ["GridSearchCV", "RandomizedSearchCV"]


class GridSearchCV(Search):
    """Every combination of the listed values, as scikit-learn's, with models trained together.

    Args:
        estimator: an estimator, or a function that returns a compiled model.
        param_grid: a dict from a parameter's name to its values, or a list of such dicts.
        scoring, refit, cv, error_score, return_train_score: as scikit-learn.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        n_jobs, pre_dispatch: accepted and not needed.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        pad_widths: whether networks that differ a little in the widths of hidden layers are
            trained as the widest of them, with weights of zero beside their own: fewer
            programs, and scores that are equal up to rounding.
        folder: keeps the results, so that a search that was killed goes on where it was.

    >>> from doltap import Sequential
    >>> from doltap.layers import Dense
    >>> def tower(units):
    ...     model = Sequential([Dense(units, activation="tanh", input_dim=1), Dense(1)])
    ...     model.compile(loss="mse", optimizer="sgd")
    ...     return model
    >>> search = GridSearchCV(tower, {"units": [2, 3]}, cv=2)
    >>> search.fit(np.zeros((8, 1)), np.zeros(8)).best_params_
    {'units': 2}
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        carrier: str = "auto",
        pad_widths: bool = False,
        folder: Any = None,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.carrier = carrier
        self.pad_widths = pad_widths
        self.folder = folder

    def _space(self) -> list[dict[str, Any]]:
        return spaces.checked(self.param_grid, "param_grid", is_grid=True)

    def _first_candidates(self, space: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._candidates = spaces.grid(space)
        return self._candidates

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        self._tried(trials, self._candidates)


class RandomizedSearchCV(Search):
    """So many candidates drawn at random, as scikit-learn's, with models trained together.

    Args:
        estimator: an estimator, or a function that returns a compiled model.
        param_distributions: a dict from a parameter's name to its values or to a
            distribution with a method `rvs`, or a list of such dicts.
        n_iter: how many candidates are drawn.
        scoring, refit, cv, random_state, error_score, return_train_score: as scikit-learn.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        n_jobs, pre_dispatch: accepted and not needed.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        pad_widths: whether networks that differ a little in the widths of hidden layers are
            trained as the widest of them, with weights of zero beside their own: fewer
            programs, and scores that are equal up to rounding.
        folder: keeps the results, so that a search that was killed goes on where it was.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        carrier: str = "auto",
        pad_widths: bool = False,
        folder: Any = None,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.carrier = carrier
        self.pad_widths = pad_widths
        self.folder = folder

    def _space(self) -> list[dict[str, Any]]:
        spaces.check_count("n_iter", self.n_iter)
        return spaces.checked(self.param_distributions, "param_distributions")

    def _first_candidates(self, space: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._candidates = spaces.drawn(space, int(self.n_iter), self._drawn_from)
        return self._candidates

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        self._tried(trials, self._candidates)
