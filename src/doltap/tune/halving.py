"""Many candidates for a few epochs, the better ones of them for more: successive halving, and Hyperband.

A network that goes on is trained on from where it is; its epochs are those of
one long training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, NotSupportedError, printable
from doltap.tune import estimators, spaces
from doltap.tune.results import Outcome
from doltap.tune.search import Search
from doltap.tune.trials import Stage, Trials

__all__ = ["Hyperband", "SuccessiveHalving"]


class _Halving(Search):
    """What both have in common: rounds, each of fewer candidates with more resources."""

    param_distributions: Any
    random_state: Any
    resource: str = "epochs"

    def _checked_distributions(self, factor_name: str, factor: Any) -> list[dict[str, Any]]:
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not factor > 1:
            raise DataError(
                factor_name,
                expected="a number above 1: of so many candidates one goes on",
                got=printable(repr(factor)),
                fix=f"The usual one is {factor_name}=3.",
            )
        space = spaces.checked(self.param_distributions, "param_distributions")
        for part in space:
            if self.resource in part:
                raise DataError(
                    f"param_distributions['{self.resource}']",
                    expected=f"parameters beside '{self.resource}', which the rounds decide",
                    got=f"'{self.resource}' among them",
                    fix="Leave it out, or take RandomizedSearchCV.",
                )
        return space

    def _prepared(self, X: Any, y: Any, params: dict[str, Any]) -> Trials:
        trials = super()._prepared(X, y, params)
        if self.resource == "epochs" and not estimators.plans(self._estimator):
            raise NotSupportedError(
                f"resource='epochs' of {type(self).__name__}",
                expected="a function that makes a model, or an estimator of doltap",
                got=f"a {type(self._estimator).__name__}",
                fix="Name a parameter of it that says how long it is trained: resource='max_iter'.",
            )
        self._last_round: list[int] = []
        return trials

    def _halve(
        self, trials: Trials, candidates: list[dict[str, Any]], rounds: Sequence[int], more: dict[str, Any]
    ) -> None:
        """Try all for the first of the resources, and the best for each that follows.

        Args:
            rounds: resources, from small to large.
            more: what is noted beside each candidate.
        """
        factor, num = self._factor(), len(candidates)
        numbers: list[int] = []
        for place, amount in enumerate(rounds):
            notes = [{"iter": place, "n_resources": amount, **more} for _ in candidates]
            first = len(trials.outcomes)
            if self.resource == "epochs":
                before = rounds[place - 1] if place else 0
                known: list[int | None] = [*numbers] if place else [None] * len(candidates)
                stages = [Stage(before, amount, number, is_same=True) for number in known]
                self._tried(trials, candidates, notes, stages)
            else:
                self._tried(trials, [{**one, self.resource: amount} for one in candidates], notes)
            trials.forget(numbers)
            tried = range(first, len(trials.outcomes))
            keep = max(1, math.ceil(num / factor ** (place + 1))) if place + 1 < len(rounds) else 0
            numbers = self._top(trials.outcomes, tried, keep)
            trials.forget({*tried} - {*numbers})
            candidates = [candidates[number - first] for number in numbers]
        self._last_round += tried

    def _factor(self) -> float:
        raise NotImplementedError

    def _top(self, outcomes: Sequence[Outcome], tried: Sequence[int], keep: int) -> list[int]:
        """The numbers of so many of the best, in their order."""
        means = [outcomes[number].mean(self._ranked_by(outcomes[number].test_scores[0])) for number in tried]
        # What is no number comes last.
        order = np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable")
        return sorted(tried[place] for place in order[:keep])

    def _best_of(self, outcomes: list[Outcome], name: str) -> int:
        return self._top(outcomes, self._last_round, 1)[0]

    def _finish(self, trials: Trials) -> None:
        super()._finish(trials)
        self.n_resources_ = sorted({outcome.more["n_resources"] for outcome in trials.outcomes})

    def _fit_arguments(self) -> dict[str, Any]:
        """The keywords of fit for the last training: as long as the best was trained."""
        given = super()._fit_arguments()
        if self.resource == "epochs":
            given["epochs"] = int(self.cv_results_["n_resources"][self.best_index_])
        return given


class SuccessiveHalving(_Halving):
    """Random candidates for a few epochs, the better ones of them for more, until one is left.

    Args:
        estimator: an estimator, or a function that returns a compiled model.
        param_distributions: a dict from a parameter's name to its values or to a
            distribution with a method `rvs`, or a list of such dicts.
        n_candidates: how many there are in the first round; "exhaust" for as many as
            let the last round use the most resources.
        factor: of so many candidates one goes on, for so many times the epochs.
        resource: "epochs", for which a network goes on from where it is; or a
            parameter of any estimator, which is trained anew in each round.
        max_resources: the most that a candidate gets; "auto" for the epochs that the
            estimator, or `fit`, was given.
        min_resources: what each gets in the first round; "smallest" is 1.
        scoring, refit, cv, random_state, error_score, return_train_score: as scikit-learn.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        n_jobs: accepted and not needed.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        folder: keeps the results, so that a search that was killed goes on where it was.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_candidates: Any = "exhaust",
        factor: float = 3,
        resource: str = "epochs",
        max_resources: Any = "auto",
        min_resources: Any = "smallest",
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        error_score: Any = np.nan,
        return_train_score: bool = True,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        carrier: str = "auto",
        folder: Any = None,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_candidates = n_candidates
        self.factor = factor
        self.resource = resource
        self.max_resources = max_resources
        self.min_resources = min_resources
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.carrier = carrier
        self.folder = folder

    def _space(self) -> list[dict[str, Any]]:
        return self._checked_distributions("factor", self.factor)

    def _factor(self) -> float:
        return self.factor

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        smallest = self.min_resources == "smallest"
        self.min_resources_ = 1 if smallest else spaces.check_count("min_resources", self.min_resources)
        self.max_resources_ = self._most()
        num = self.max_resources_ // self.min_resources_
        if self.n_candidates != "exhaust":
            num = spaces.check_count("n_candidates", self.n_candidates)
        self.n_required_iterations_ = 1 + _powers(num, self.factor)
        self.n_possible_iterations_ = 1 + _powers(self.max_resources_ // self.min_resources_, self.factor)
        self.n_iterations_ = min(self.n_required_iterations_, self.n_possible_iterations_)
        rounds = [int(self.min_resources_ * self.factor**place) for place in range(self.n_iterations_)]
        self._halve(trials, spaces.drawn(space, num, self._drawn_from), rounds, {})

    def _most(self) -> int:
        if self.max_resources != "auto":
            most = spaces.check_count("max_resources", self.max_resources)
        else:
            most = self._asked_epochs() if self.resource == "epochs" else 1
        if most < self.min_resources_ * self.factor:
            raise DataError(
                "max_resources",
                expected=f"at least {math.ceil(self.min_resources_ * self.factor)}, for two rounds",
                got=f"{most}" + (f" {self.resource}" if self.max_resources == "auto" else ""),
                fix=f"For example {type(self).__name__}(..., max_resources=27).",
            )
        return most

    def _asked_epochs(self) -> int:
        """The epochs that the estimator would train for."""
        given = {**self._estimator.get_params(), **self._data.fit_params}
        given |= given.get("fit_kwargs") or {}
        return int(given.get("fit__epochs", given.get("epochs", given.get("nb_epoch", 1))))


class Hyperband(_Halving):
    """Successive halving several times, from many candidates and few epochs to few and many.

    It need not be known whether it takes long to tell a good candidate from a
    bad one (Li et al., Hyperband, 2018).

    Args:
        estimator: an estimator of doltap, or a function that returns a compiled model.
        param_distributions: a dict from a parameter's name to its values or to a
            distribution with a method `rvs`, or a list of such dicts.
        max_iter: the most epochs that a candidate is trained for.
        eta: of so many candidates one goes on, for so many times the epochs.
        scoring, refit, cv, random_state, error_score, return_train_score: as scikit-learn.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        n_jobs: accepted and not needed.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        folder: keeps the results, so that a search that was killed goes on where it was.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        max_iter: int = 81,
        eta: float = 3,
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
        self.max_iter = max_iter
        self.eta = eta
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
        space = self._checked_distributions("eta", self.eta)
        if spaces.check_count("max_iter", self.max_iter) < self.eta:
            raise DataError(
                "max_iter",
                expected=f"at least eta={self.eta} epochs, for two rounds",
                got=f"{self.max_iter}",
                fix="For example max_iter=81, eta=3.",
            )
        return space

    def _prepared(self, X: Any, y: Any, params: dict[str, Any]) -> Trials:
        self._refuse_epochs(params, [], "max_iter=")
        return super()._prepared(X, y, params)

    def _factor(self) -> float:
        return self.eta

    def brackets(self) -> list[tuple[int, list[int]]]:
        """For each bracket the number of its candidates, and the epochs of its rounds.

        >>> Hyperband(None, None, max_iter=9, eta=3).brackets()
        [(9, [1, 3, 9]), (5, [3, 9]), (3, [9])]
        """
        most = _powers(self.max_iter, self.eta)
        found = []
        for power in range(most, -1, -1):
            num = math.ceil((most + 1) / (power + 1) * self.eta**power)
            epochs = [round(self.max_iter * self.eta ** (place - power)) for place in range(power + 1)]
            found.append((num, [max(1, one) for one in epochs]))
        return found

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        brackets = self.brackets()
        drawn = spaces.drawn(space, sum(num for num, _ in brackets), self._drawn_from)
        for number, (num, rounds) in enumerate(brackets):
            candidates, drawn = drawn[:num], drawn[num:]
            if candidates:
                self._halve(trials, candidates, rounds, {"bracket": number})


def _powers(number: float, base: float) -> int:
    """The largest whole power of the base that is not above the number.

    >>> _powers(81, 3), _powers(80, 3)
    (4, 3)
    """
    power = 0
    while base ** (power + 1) <= number * (1 + 1e-12):
        power += 1
    return power
