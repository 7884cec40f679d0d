"""Candidates that Optuna proposes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import searched
from scipy.stats import loguniform, norm, randint
from sklearn.linear_model import Ridge

import doltap as keras
from doltap import tune

X, NUMBERS, _ = searched.points()
SPACE = {"units": [2, 3, 5], "learning_rate": loguniform(0.001, 0.1)}


def test_without_optuna_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(keras.errors.MissingPackageError, match=r'pip install "doltap\[tune\]"'):
        tune.BayesianSearch(searched.number, SPACE).fit(X, NUMBERS)


class TestWithOptuna:
    @pytest.fixture(autouse=True)
    def _optuna(self):
        pytest.importorskip("optuna")

    def test_a_search_finds_what_is_best_and_keeps_the_study(self):
        def build(place, kind):
            model = searched.number(2, 0.01)
            model.shift = (place - 0.03) ** 2 + (kind != "b")
            return model

        def scorer(estimator, x, y):
            return -estimator.model.shift

        space = {"place": loguniform(0.001, 1), "kind": ["a", "b", "c"]}
        search = tune.BayesianSearch(build, space, n_iter=25, cv=2, scoring=scorer, random_state=0)
        search.fit(X, NUMBERS)
        assert search.best_params_["kind"] == "b"
        assert abs(search.best_params_["place"] - 0.03) < 0.05
        assert len(search.study_.trials) == 25
        assert search.study_.best_value == search.best_score_

    def test_the_same_seed_proposes_the_same(self, tmp_path):
        found = []
        for folder in (None, tmp_path, tmp_path):
            keras.utils.set_random_seed(0)
            search = tune.BayesianSearch(
                searched.number, SPACE, n_iter=4, n_together=2, cv=2, random_state=1, folder=folder
            )
            found.append(search.fit(X, NUMBERS))
        for other in found[1:]:
            assert other.cv_results_["params"] == found[0].cv_results_["params"]
            assert other.best_score_ == found[0].best_score_

    def test_values_are_of_the_kind_that_the_space_has(self):
        space = {"alpha": norm(5, 0.1), "max_iter": randint(3, 9), "positive": [True, False], "tol": [0.1, 1]}
        search = tune.BayesianSearch(Ridge(), space, n_iter=5, cv=2, random_state=0).fit(X, NUMBERS)
        for params in search.cv_results_["params"]:
            assert isinstance(params["alpha"], float)
            assert type(params["max_iter"]) is int
            assert 3 <= params["max_iter"] < 9
            assert type(params["positive"]) is bool
            assert params["tol"] in (0.1, 1)

    def test_it_is_silent(self, capfd):
        tune.BayesianSearch(Ridge(), {"alpha": loguniform(0.1, 1)}, n_iter=2, cv=2).fit(X, NUMBERS)
        assert capfd.readouterr() == ("", "")

    def test_a_candidate_that_fails_is_told_as_failed(self):
        def build(units):
            if units == 3:
                raise RuntimeError("no")
            return searched.number(units)

        search = tune.BayesianSearch(build, {"units": [2, 3]}, n_iter=6, cv=2, random_state=0)
        with pytest.warns(Warning, match="RuntimeError: no|non-finite"):
            search.fit(X, NUMBERS)
        states = {trial.state.name for trial in search.study_.trials}
        assert states == {"COMPLETE", "FAIL"}
        assert np.isfinite(search.best_score_)

    @pytest.mark.parametrize(
        ("space", "told"), [([{"units": [2]}, {"units": [3]}], "one dict"), ({}, "an empty space")]
    )
    def test_a_space_that_it_cannot_search_is_refused(self, space, told):
        with pytest.raises(keras.errors.DataError, match=told):
            tune.BayesianSearch(searched.number, space).fit(X, NUMBERS)
