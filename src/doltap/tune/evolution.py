"""Candidates that descend from each other: populations that evolve while they train, and tournaments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, NotSupportedError, UnknownNameError
from doltap.tune import estimators, spaces, states
from doltap.tune.borrowed import utils
from doltap.tune.results import Outcome
from doltap.tune.search import Search
from doltap.tune.trials import Stage, Trials
from doltap.wrappers.seeding import seeded

__all__ = ["Evolution"]

_METHODS = ("population", "tournament")


class Evolution(Search):
    """A search in which good candidates have children.

    With method="population" (population-based training, Jaderberg et al. 2017) all
    members train at once; after each generation the worst take the weights and
    parameters of one of the best, and change a parameter a little. Parameters that
    decide the shapes of weights stay what they are in a family. The best one's
    whole schedule is trained again on all rows.

    With method="tournament" (Real et al., Regularized Evolution, 2019) every child
    is trained from the beginning, and any parameter may change: layers, widths,
    activations. The best of a few members, chosen by lot, has a child that differs
    from it in one parameter, and the oldest member goes.

    Args:
        estimator: a function that returns a compiled model, or an estimator; for
            method="population" one of doltap's.
        param_distributions: a dict from a parameter's name to its values or to a
            distribution with a method `rvs`, or a list of such dicts.
        method: "population" or "tournament".
        population_size: how many members there are.
        n_generations: how many there are, the first, which is drawn at random, among them;
            a later one of a tournament has half as many children as there are members.
        epochs_per_generation: how long a population trains between two changes.
        exploit: share of a population that is replaced after a generation.
        tournament_size: how many members a parent is the best of.
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
        method: str = "population",
        population_size: int = 10,
        n_generations: int = 10,
        epochs_per_generation: int = 1,
        exploit: float = 0.2,
        tournament_size: int = 3,
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
        self.method = method
        self.population_size = population_size
        self.n_generations = n_generations
        self.epochs_per_generation = epochs_per_generation
        self.exploit = exploit
        self.tournament_size = tournament_size
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
        if self.method not in _METHODS:
            raise UnknownNameError.of("method", self.method, _METHODS)
        spaces.check_count("population_size", self.population_size, 2)
        for name in ("n_generations", "epochs_per_generation", "tournament_size"):
            spaces.check_count(name, getattr(self, name))
        if not isinstance(self.exploit, (int, float)) or not 0 < self.exploit <= 0.5:
            raise DataError(
                "exploit",
                expected="a share above 0 and at most 0.5",
                got=repr(self.exploit),
                fix="The usual one is exploit=0.2.",
            )
        return spaces.checked(self.param_distributions, "param_distributions")

    def _prepared(self, X: Any, y: Any, params: dict[str, Any]) -> Trials:
        if self.method == "population":
            self._refuse_epochs(params, self._space(), "epochs_per_generation=")
        trials = super()._prepared(X, y, params)
        self._random = utils.check_random_state(self._drawn_from)
        if self.method == "population":
            self._fixed = self._find_fixed(self._checked_space)
        return trials

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        if self.method == "population":
            self._evolve(space, trials)
        else:
            self._compete(space, trials)

    # A population that trains.

    def _evolve(self, space: list[dict[str, Any]], trials: Trials) -> None:
        candidates = spaces.drawn(space, self.population_size, self._random)
        # For each member the number of its latest outcome, and its parameters.
        members: list[int] = []
        epochs = self.epochs_per_generation
        for generation in range(self.n_generations):
            sources = self._sources(trials.outcomes, members)
            plan = []
            for member in range(len(candidates)):
                source = sources.get(member, member)
                params = candidates[member] if source == member else self._explored(space, candidates[source])
                before = members[source] if members else None
                stage = Stage(generation * epochs, (generation + 1) * epochs, before, source == member)
                parent = -1 if before is None else before
                plan.append(
                    (member, params, stage, {"generation": generation, "member": member, "parent": parent})
                )
            # A copy is made before the one that is copied trains on.
            plan.sort(key=lambda one: (one[2].is_same, one[0]))
            first = len(trials.outcomes)
            self._tried(trials, [one[1] for one in plan], [one[3] for one in plan], [one[2] for one in plan])
            trials.forget(members)
            candidates = [params for _, params, *_ in sorted(plan, key=lambda one: one[0])]
            places = {one[0]: first + place for place, one in enumerate(plan)}
            members = [places[member] for member in range(len(candidates))]
        self._last = members
        trials.forget(members)

    def _sources(self, outcomes: Sequence[Outcome], members: Sequence[int]) -> dict[int, int]:
        """For each member that is replaced, the member whose place it takes."""
        if not members:
            return {}
        order = self._ordered(outcomes, members)
        num = max(1, round(self.exploit * len(members)))
        best, worst = order[:num], order[-num:]
        return {member: best[self._random.randint(num)] for member in worst if member not in best}

    def _ordered(self, outcomes: Sequence[Outcome], members: Sequence[int]) -> list[int]:
        """The places of the members, the best first."""
        means = [
            outcomes[number].mean(self._ranked_by(outcomes[number].test_scores[0])) for number in members
        ]
        return [int(place) for place in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable")]

    def _explored(self, space: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
        """The parameters, of which those that may are changed a little, or drawn anew."""
        part, child = spaces.part_of(space, params), dict(params)
        for name in part:
            if name not in self._fixed:
                is_drawn = self._random.rand() < 0.25
                child[name] = (
                    spaces.drawn([{name: part[name]}], 1, self._random)[0][name]
                    if is_drawn
                    else spaces.neighbour(part[name], params[name], self._random)
                )
        # Two parameters may together decide what neither does alone.
        return child if self._shapes(child) == self._shapes(params) else dict(params)

    def _find_fixed(self, space: list[dict[str, Any]]) -> set[str]:
        """The parameters that decide the shapes of weights."""
        if not estimators.plans(self._estimator):
            raise NotSupportedError(
                "Evolution(method='population')",
                expected="a function that makes a model, or an estimator of doltap",
                got=f"a {type(self._estimator).__name__}",
                fix="Take method='tournament', which trains every candidate from the beginning.",
            )
        fixed: set[str] = set()
        free: set[str] = set()
        for part in space:
            (params,) = spaces.drawn([part], 1, 0)
            for name, values in part.items():
                several = [spaces.drawn([{name: values}], 1, seed)[0] for seed in range(4)]
                listed = several if hasattr(values, "rvs") else [{name: one} for one in [*values][:8]]
                shapes = [self._shapes({**params, **one}) for one in listed]
                (fixed if any(one != shapes[0] for one in shapes) else free).add(name)
        if not free - fixed:
            raise DataError(
                "param_distributions",
                expected="a parameter that may change while a network trains, such as its learning rate",
                got=f"only those that decide its shape: {', '.join(sorted(fixed))}",
                fix="Add one, or take method='tournament', which searches architectures.",
            )
        return fixed

    def _shapes(self, params: dict[str, Any]) -> Any:
        """The shapes of the weights that a candidate has; None where it cannot be made."""
        data = self._data
        train = data.folds[0][0]
        # Nothing that the candidates start from is changed by looking.
        with seeded(0):
            try:
                estimator = estimators.quiet(estimators.with_params(self._estimator, params))
                plan = estimator.planned(*data.labelled(train), **data.fit_arguments(train))
                states.build_for(plan.model, plan.x, plan.y)
                return states.architecture(plan.model)
            except Exception:  # It is the candidate's, and said when it is trained.
                return None

    def _best_of(self, outcomes: list[Outcome], name: str) -> int:
        if self.method == "tournament":
            return super()._best_of(outcomes, name)
        return self._last[self._ordered(outcomes, self._last)[0]]

    def _trained_on_all(self) -> Any:
        if self.method == "tournament":
            return super()._trained_on_all()
        self.schedule_ = self._lineage()
        given, best, done = self._fit_arguments(), None, 0
        for epochs, params in self.schedule_:
            before, best = best, estimators.with_params(self._estimator, params)
            plan = best.planned(*self._data.labelled(None), **given)
            plan.settings |= {"initial_epoch": done, "epochs": done + epochs, "verbose": 0}
            if before is not None:
                states.build_for(plan.model, plan.x, plan.y)
                states.take_state(plan.model, states.state_of(before.model_), with_seed=True)
            best.trained(plan, plan.run())
            done += epochs
        return best

    def _lineage(self) -> list[tuple[int, dict[str, Any]]]:
        """How the best became what it is: for how many epochs it had which parameters, from the first on."""
        found: list[tuple[int, dict[str, Any]]] = []
        number = self.best_index_
        while number >= 0:
            params, epochs = self.cv_results_["params"][number], self.epochs_per_generation
            if found and found[0][1] == params:
                found[0] = (found[0][0] + epochs, params)
            else:
                found.insert(0, (epochs, params))
            number = int(self.cv_results_["parent"][number])
        return found

    # Tournaments.

    def _compete(self, space: list[dict[str, Any]], trials: Trials) -> None:
        candidates = spaces.drawn(space, self.population_size, self._random)
        parents = [-1] * len(candidates)
        for generation in range(self.n_generations):
            notes = [{"generation": generation, "parent": parent} for parent in parents]
            self._tried(trials, candidates, notes)
            alive = range(max(0, len(trials.outcomes) - self.population_size), len(trials.outcomes))
            candidates, parents = [], []
            for _ in range(max(1, self.population_size // 2)):
                parent = self._winner(trials.outcomes, alive)
                known = [outcome.params for outcome in trials.outcomes] + candidates
                candidates.append(self._mutated(space, trials.outcomes[parent].params, known))
                parents.append(parent)

    def _winner(self, outcomes: Sequence[Outcome], alive: Sequence[int]) -> int:
        """The best of a few, chosen by lot."""
        num = min(self.tournament_size, len(alive))
        chosen = [alive[place] for place in self._random.choice(len(alive), num, replace=False)]
        return chosen[self._ordered(outcomes, chosen)[0]]

    def _mutated(
        self, space: list[dict[str, Any]], params: dict[str, Any], known: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """The parameters with one of them changed, into something that was not tried if that is found."""
        part = spaces.part_of(space, params)
        names = sorted(part)
        child = dict(params)
        for _ in range(20):
            name = names[self._random.randint(len(names))]
            child = {**params, name: spaces.neighbour(part[name], params[name], self._random)}
            if not any(repr(child) == repr(one) for one in known):
                return child
        return child
