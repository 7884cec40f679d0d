"""What all searches are: an estimator that tries candidates, keeps the best, and then is that one.

A kind of search says in `_search` which candidates it tries, one round after
the other; the constructors differ as scikit-learn's do.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from doltap import config, registry
from doltap.errors import DataError, MissingAttributeError, UnknownNameError
from doltap.reporting.searching import SearchDisplay
from doltap.training import identity
from doltap.tune import checking, estimators, folder, plotting, results, rows, scoring, training
from doltap.tune.borrowed import base, exceptions, metaestimators, model_selection, utils
from doltap.tune.results import Outcome
from doltap.tune.trials import Options, Stage, Trials
from doltap.wrappers.data import is_several
from doltap.wrappers.seeding import seed_of, seeded

__all__ = ["NotSearchedError", "Search"]


class NotSearchedError(MissingAttributeError, exceptions.NotFittedError):
    """The search was not run, or did not train the best candidate."""


def _best_has(name: str) -> Callable[[Any], Any]:
    """Whether the best estimator, or before the search the given one, has a method."""

    def has(search: Any) -> bool:
        if not search.refit:
            raise AttributeError(f"refit=False leaves {type(search).__name__} without {name}.")
        getattr(getattr(search, "best_estimator_", search.estimator), name)
        return True

    decorate: Callable[[Any], Any] = metaestimators.available_if(has)
    return decorate


class Search(base.MetaEstimatorMixin, base.BaseEstimator):
    """A search for the best parameters.

    Args:
        estimator: one of doltap's estimators, any of scikit-learn's, or a function
            that returns a compiled model and whose arguments are the parameters.
        scoring: a name or a scorer of scikit-learn's; several in a list or dict;
            None is the estimator's own score.
        n_jobs, pre_dispatch: accepted and not needed: models of one program are
            trained together, and the next program is compiled meanwhile.
        refit: whether the best is trained once more on all rows; the name of a
            score where there are several; or a function from `cv_results_` to the
            number of the best.
        cv: folds, as scikit-learn takes them; None means 5.
        verbose: 0 silent, 1 a table, 2 with the scores of the folds.
        error_score: the score of a candidate that fails; "raise" stops the search.
        return_train_score: whether the rows trained on are scored too.
        carrier: how models of one program are trained: "auto", "loop", "threads" or "vmap".
        folder: where results are kept; the same search on the same folder tries no
            candidate again that it finished before it was killed.
    """

    estimator: Any
    scoring: Any
    refit: Any
    cv: Any
    verbose: Any
    error_score: Any
    return_train_score: bool
    carrier: str
    folder: Any

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__init__" in vars(cls) and cls.__module__.startswith("doltap."):
            cls.__init__ = registry.explained(cls.__init__)  # type: ignore[method-assign]

    # What a kind of search says.

    def _space(self) -> list[dict[str, Any]]:
        """The space, checked; so are the other arguments of the kind."""
        raise NotImplementedError

    def _first_candidates(self, space: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Candidates that show every set of parameter names the search may try; they are not trained."""
        return [{name: _some(values) for name, values in part.items()} for part in space]

    def _search(self, space: list[dict[str, Any]], trials: Trials) -> None:
        """Try candidates."""
        raise NotImplementedError

    # Searching.

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Try the candidates, and train the best on all rows.

        Args:
            X: inputs, rows first; several in a list or dict for a model of several inputs.
            y: labels.
            params: keywords of the estimator's `fit`, such as `epochs` or
                `callbacks`; arrays with a value for each row are cut like X. `groups`
                goes to `cv`.
        """
        X, y = rows.checked(X, y)
        # One random_state, one result: networks are drawn from it, too, unless set_random_seed was called.
        with seeded(_seed_of(getattr(self, "random_state", None))):
            return self._fitted(X, y, params)

    def _fitted(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        before = set(vars(self))
        trials = self._prepared(X, y, dict(params))
        trials.listener = self._noted
        self._display = SearchDisplay(self.verbose, type(self).__name__)
        try:
            self._search(self._checked_space, trials)
        finally:
            self._display.close()
        self._finish(trials)
        # The data and what belongs to the search alone are not kept, nor pickled.
        for name in set(vars(self)) - before - {"_estimator", "_scoring"}:
            if name.startswith("_"):
                delattr(self, name)
        return self

    def _prepared(self, X: Any, y: Any, params: dict[str, Any]) -> Trials:
        """All that is checked before the first candidate is trained."""
        checking.check_carrier(self.carrier)
        checking.check_error_score(self.error_score)
        # What candidates are drawn from; a folder keeps it, so that they can be drawn again.
        self._drawn_from = folder.random_state(self.folder, getattr(self, "random_state", None))
        self._checked_space = self._space()
        first = self._first_candidates(self._checked_space)
        self._estimator = estimators.estimator_of(self.estimator, first, y)
        checking.check_labels(self._estimator, y)
        asked = self.scoring
        if asked is None and estimators.is_function(self.estimator):
            # A model that tells classes apart need not measure its accuracy.
            asked = "accuracy" if base.is_classifier(self._estimator) else None
        self._scoring = scoring.asked(self._estimator, asked)
        self._check_refit()
        classes = scoring.classes_of(y) if estimators.takes_one_hot(self._estimator) else y
        self._scoring.counts_classes = classes is not y and self._scoring.asks_for_labels()
        groups = params.pop("groups", None)
        checking.check_keywords(type(self).__name__, self._estimator, params)
        splitter = model_selection.check_cv(self.cv, classes, classifier=base.is_classifier(self._estimator))
        seen = np.zeros(rows.count(X)) if is_several(X) else X
        folds = list(splitter.split(seen, classes, groups))
        self.n_splits_ = len(folds)
        checking.check_folds(self._estimator, classes, folds)
        weighs = params.get("sample_weight") is not None and self._scoring.takes_weights()
        self._data = rows.Data(X, y, folds, params, weighs)
        checking.check_candidates(self._estimator, first, self._data)
        pads = bool(getattr(self, "pad_widths", False))
        options = Options(self.error_score, self.return_train_score, self.carrier, pads)
        kept = folder.opened(self.folder, self._identity()) if self.folder is not None else None
        return Trials(self._estimator, self._data, self._scoring, options, self._noted, kept)

    def _identity(self) -> dict[str, Any]:
        """What the search is: by this its folder is known again."""
        data, own = self._data, self.get_params(deep=False)
        untold = ("estimator", "n_jobs", "pre_dispatch", "verbose", "refit", "carrier", "folder", "cv")
        return {
            "class": type(self).__name__,
            **{name: folder.described(value) for name, value in own.items() if name not in untold},
            "random_state": folder.described(self._drawn_from),
            "estimator": folder.described(self._estimator),
            "X": identity.of_data(_plain(data.X)),
            "y": None if data.y is None else identity.of_data(np.asarray(data.y)),
            "folds": identity.of_data([np.concatenate(fold) for fold in data.folds]),
            "keywords of fit": folder.described(data.fit_params),
            "seed": config.chosen_seed(),
        }

    def _tried(
        self,
        trials: Trials,
        candidates: Sequence[dict[str, Any]],
        more: Sequence[dict[str, Any]] = (),
        stages: Sequence[Stage] = (),
    ) -> list[Outcome]:
        """What came of these candidates, shown while it comes."""
        self._display.begin(len(candidates), self.n_splits_)
        return trials.run(candidates, more, stages)

    def _refuse_epochs(self, params: dict[str, Any], space: list[dict[str, Any]], instead: str) -> None:
        """An error for a number of epochs where the search itself decides how long is trained."""
        if "epochs" in params or any("epochs" in part for part in space):
            raise DataError(
                f"{type(self).__name__}.fit(epochs=...)",
                expected=f"{instead}, which says how long candidates are trained",
                got="'epochs' beside it",
                fix="Leave it out.",
            )

    def _noted(self, number: int, outcome: Outcome) -> None:
        error = next((one for one in outcome.errors if one is not None), None)
        scores = [one[self._ranked_by(one)] for one in outcome.test_scores]
        self._display.note(outcome.params, scores, error)

    def _ranked_by(self, scores: dict[str, float]) -> str:
        """The name of the score that decides."""
        return self.refit if isinstance(self.refit, str) and self.refit in scores else next(iter(scores))

    def _check_refit(self) -> None:
        names = self._scoring.names()
        if len(names) == 1 or self.refit is False or callable(self.refit):
            return
        if not isinstance(self.refit, str):
            raise DataError(
                "refit",
                expected="the name of the score that decides, of several",
                got=repr(self.refit),
                fix=f"refit='{names[0]}', or refit=False.",
            )
        if self.refit not in names:
            raise UnknownNameError.of("refit", self.refit, names)

    def _finish(self, trials: Trials) -> None:
        outcomes = trials.outcomes
        results.check_failures(outcomes, self.error_score)
        self.cv_results_ = results.table(outcomes, with_train=self.return_train_score)
        self.errors_ = results.error_texts(outcomes)
        names = list(outcomes[0].test_scores[0])
        self.multimetric_ = names != ["score"]
        self.scorer_ = self._scoring.public
        if self.refit or not self.multimetric_:
            self._choose(outcomes, names)
        if self.refit:
            self._refit(trials)

    def _choose(self, outcomes: list[Outcome], names: list[str]) -> None:
        if callable(self.refit):
            chosen = self.refit(self.cv_results_)
            if not hasattr(chosen, "__index__") or not 0 <= int(chosen) < len(outcomes):
                raise DataError(
                    "refit",
                    expected=f"the number of one of {len(outcomes)} candidates",
                    got=repr(chosen),
                    fix="A function for refit= takes cv_results_ and returns an index.",
                )
            self.best_index_ = int(chosen)
        else:
            name = self.refit if self.multimetric_ else "score"
            self.best_index_ = self._best_of(outcomes, name)
            self.best_score_ = self.cv_results_[f"mean_test_{name}"][self.best_index_]
        self.best_params_ = outcomes[self.best_index_].params

    def _best_of(self, outcomes: list[Outcome], name: str) -> int:
        """The number of the best candidate."""
        return int(self.cv_results_[f"rank_test_{name}"].argmin())

    def _refit(self, trials: Trials) -> None:
        """Train the best on all rows."""
        start = time.perf_counter()
        self.best_estimator_ = self._trained_on_all()
        self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def _fit_arguments(self) -> dict[str, Any]:
        """The keywords of fit for the last training, on all rows."""
        return self._data.fit_arguments()

    def _trained_on_all(self) -> Any:
        best = estimators.with_params(self._estimator, self.best_params_)
        given = self._fit_arguments()
        if estimators.plans(best):
            plan = best.planned(*self._data.labelled(None), **{"verbose": 0, **given})
            training.give_folder(plan, self.best_params_, "best")
            return best.trained(plan, plan.run())
        return best.fit(*self._data.labelled(None), **given)

    def plot(self) -> Any:
        """A Figure of matplotlib: each candidate as a line through its parameters, and the scores of each."""
        if not hasattr(self, "cv_results_"):
            raise NotSearchedError(
                f"{type(self).__name__}.plot",
                expected="results",
                got="a search that was not run",
                fix="Call fit first.",
            )
        names = [key for key in self.cv_results_ if key.startswith("mean_test_")]
        name = f"mean_test_{self.refit}" if f"mean_test_{self.refit}" in names else names[0]
        params = self.cv_results_["params"]
        return plotting.figure(params, np.asarray(self.cv_results_[name]), name.removeprefix("mean_test_"))

    # Being the best.

    def _best(self, asked: str) -> Any:
        if not hasattr(self, "best_estimator_"):
            is_fitted = hasattr(self, "cv_results_")
            raise NotSearchedError(
                f"{type(self).__name__}.{asked}",
                expected="the best candidate, trained on all rows",
                got="refit=False" if is_fitted else "a search that was not run",
                fix="Search with refit=True." if is_fitted else "Call fit first.",
            )
        return self.best_estimator_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cv_results_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = getattr(self, "_estimator", None)
        if inner is None and not estimators.is_function(self.estimator):
            inner = self.estimator
        if inner is not None:
            of_inner = utils.get_tags(inner)
            tags.estimator_type = of_inner.estimator_type
            tags.classifier_tags = copy.deepcopy(of_inner.classifier_tags)
            tags.regressor_tags = copy.deepcopy(of_inner.regressor_tags)
            tags.target_tags = copy.deepcopy(of_inner.target_tags)
            tags.input_tags.sparse = of_inner.input_tags.sparse
        return tags

    @property
    def classes_(self) -> Any:
        """The labels of the classes, in order."""
        return self._best("classes_").classes_

    @property
    def n_features_in_(self) -> int:
        """How many columns the inputs had."""
        return int(self._best("n_features_in_").n_features_in_)

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """The score of the best candidate on this data, the one that decided in the search."""
        best = self._best("score")
        scores = self._scoring.of(best, X, y, params)
        return scores[self._ranked_by(scores)]

    @_best_has("predict")
    def predict(self, X: Any) -> Any:
        """What the best candidate predicts for each row."""
        return self._best("predict").predict(X)

    @_best_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, as the best candidate sees it."""
        return self._best("predict_proba").predict_proba(X)

    @_best_has("predict_log_proba")
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class."""
        return self._best("predict_log_proba").predict_log_proba(X)

    @_best_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """What the best candidate gives for each class."""
        return self._best("decision_function").decision_function(X)

    @_best_has("score_samples")
    def score_samples(self, X: Any) -> Any:
        """The score of each row, by the best candidate."""
        return self._best("score_samples").score_samples(X)

    @_best_has("transform")
    def transform(self, X: Any) -> Any:
        """The rows as the best candidate transforms them."""
        return self._best("transform").transform(X)

    @_best_has("inverse_transform")
    def inverse_transform(self, X: Any) -> Any:
        """The rows as they were before the best candidate's `transform`."""
        return self._best("inverse_transform").inverse_transform(X)


def _plain(X: Any) -> Any:
    """Inputs as arrays."""
    if isinstance(X, dict):
        return {name: np.asarray(part) for name, part in X.items()}
    return [np.asarray(part) for part in X] if is_several(X) else np.asarray(X)


def _some(values: Any) -> Any:
    """One of the values, the same each time."""
    return values.rvs(random_state=0) if hasattr(values, "rvs") else next(iter(values))


def _seed_of(random_state: Any) -> int | None:
    """The seed of all networks; None where they have one, nothing is to be repeated, or it is none."""
    is_one = isinstance(random_state, (int, np.integer, np.random.RandomState))
    return seed_of(random_state) if is_one and config.chosen_seed() is None else None
