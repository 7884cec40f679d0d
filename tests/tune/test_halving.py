"""Rounds of fewer candidates and more epochs."""

from __future__ import annotations

import numpy as np
import pytest
import searched
from scipy.stats import loguniform
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge

import doltap as keras
from doltap import tune
from doltap.wrappers import scikeras, scikit_learn

X, NUMBERS, NAMES = searched.points()
SPACE = {"units": [2, 3], "learning_rate": loguniform(0.001, 0.1)}
ESTIMATORS = {
    "a function": (searched.number, SPACE),
    "Keras 2": (scikit_learn.KerasRegressor(searched.number), SPACE),
    "SciKeras": (scikeras.KerasRegressor(searched.number), {f"model__{name}": SPACE[name] for name in SPACE}),
    "Keras 3": (
        keras.wrappers.SKLearnRegressor(searched.for_targets),
        {"model_kwargs": [{"units": 2}, {"units": 3}]},
    ),
}


@pytest.mark.parametrize("case", ESTIMATORS)
def test_the_epochs_of_all_rounds_are_those_of_one_training(case):
    estimator, space = ESTIMATORS[case]
    given = {"cv": 2, "random_state": 0, "scoring": "neg_mean_squared_error"}
    halved = tune.SuccessiveHalving(estimator, space, n_candidates=2, factor=2, max_resources=9, **given)
    keras.utils.set_random_seed(3)
    halved.fit(X, NUMBERS)
    assert halved.cv_results_["n_resources"].tolist() == [1, 1, 2]
    keras.utils.set_random_seed(3)
    whole = tune.RandomizedSearchCV(estimator, space, n_iter=2, **given).fit(X, NUMBERS, epochs=2)
    best = whole.cv_results_["params"].index(halved.best_params_)
    assert halved.best_score_ == whole.cv_results_["mean_test_score"][best]


def test_as_many_candidates_as_epochs_leave_one_for_all_of_them():
    search = tune.SuccessiveHalving(searched.number, SPACE, cv=2, random_state=0).fit(X, NUMBERS, epochs=9)
    assert search.cv_results_["iter"].tolist() == [0] * 9 + [1] * 3 + [2]
    assert search.cv_results_["n_resources"].tolist() == [1] * 9 + [3] * 3 + [9]
    assert (search.n_iterations_, search.max_resources_, search.min_resources_) == (3, 9, 1)
    assert search.best_index_ == 12
    assert len(search.best_estimator_.history["loss"]) == 9


def test_those_that_go_on_are_the_best_of_their_round():
    search = tune.Hyperband(searched.number, SPACE, max_iter=9, cv=2, random_state=0).fit(X, NUMBERS)
    results = search.cv_results_
    assert search.brackets() == [(9, [1, 3, 9]), (5, [3, 9]), (3, [9])]
    for bracket, (num, epochs) in enumerate(search.brackets()):
        in_bracket = results["bracket"] == bracket
        assert sorted(set(results["n_resources"][in_bracket])) == epochs
        first = in_bracket & (results["iter"] == 0)
        assert first.sum() == num
        if len(epochs) > 1:
            second = in_bracket & (results["iter"] == 1)
            means = results["mean_test_score"]
            went_on = [results["params"][place] for place in np.flatnonzero(second)]
            scores = {str(results["params"][place]): means[place] for place in np.flatnonzero(first)}
            assert {scores[str(one)] for one in went_on} == set(sorted(scores.values())[-len(went_on) :])
    # Only what was trained to the end can be the best.
    assert results["n_resources"][search.best_index_] == 9


def test_a_parameter_of_any_estimator_can_be_what_is_shared_out():
    search = tune.SuccessiveHalving(
        RandomForestRegressor(random_state=0),
        {"max_depth": [1, 2, 3]},
        resource="n_estimators",
        max_resources=9,
        n_candidates=3,
        cv=2,
        random_state=0,
    ).fit(X, NUMBERS)
    assert search.best_params_["n_estimators"] == 3
    assert search.best_estimator_.n_estimators == 3


def test_what_fails_does_not_go_on():
    def build(units):
        if units == 2:
            raise RuntimeError("no")
        return searched.number(units)

    search = tune.SuccessiveHalving(
        build, {"units": [2, 3]}, n_candidates=2, factor=2, max_resources=4, cv=2, error_score=-99.0
    )
    with pytest.warns(FitFailedWarning, match="RuntimeError: no"):
        search.fit(X, NUMBERS)
    assert search.best_params_ == {"units": 3}


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"max_iter": 0}, "max_iter: expected a whole number"),
        ({"max_iter": 2.5}, "max_iter: expected a whole number"),
        ({"max_iter": 2}, "max_iter: expected at least eta=3 epochs"),
        ({"eta": 1}, "eta: expected a number above 1"),
        ({"eta": "three"}, "eta: expected a number above 1"),
    ],
)
def test_a_hyperband_of_no_rounds_is_refused(keywords, told):
    with pytest.raises(keras.errors.DataError) as caught:
        tune.Hyperband(searched.number, SPACE, **keywords).fit(X, NUMBERS)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({}, "max_resources: expected at least 3, for two rounds, got 1 epochs"),
        ({"max_resources": 2}, "max_resources: expected at least 3, for two rounds"),
        ({"max_resources": 9, "min_resources": 5}, "max_resources: expected at least 15"),
        ({"factor": 0.5}, "factor: expected a number above 1"),
        ({"max_resources": 9, "n_candidates": 0}, "n_candidates: expected a whole number"),
    ],
)
def test_a_halving_of_no_rounds_is_refused(keywords, told):
    with pytest.raises(keras.errors.DataError) as caught:
        tune.SuccessiveHalving(searched.number, SPACE, **keywords).fit(X, NUMBERS)
    assert str(caught.value).startswith(told)


def test_epochs_are_no_parameter_where_the_rounds_decide_them():
    with pytest.raises(keras.errors.DataError, match="the rounds decide"):
        tune.Hyperband(searched.number, {"epochs": [1, 2]}).fit(X, NUMBERS)


def test_what_has_no_epochs_is_refused():
    with pytest.raises(keras.errors.NotSupportedError, match="got a Ridge"):
        tune.Hyperband(Ridge(), {"alpha": [1, 2]}).fit(X, NUMBERS)
