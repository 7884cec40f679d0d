"""What scikit-learn builds of estimators: pipelines, searches, ensembles, in one process and in several."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest
import wrapped
from joblib import parallel_config
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingRegressor, StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import doltap as keras
from doltap.wrappers import scikeras, scikit_learn

X, NUMBERS, NAMES = wrapped.points()
PROGRAM = pathlib.Path(__file__).with_name("searching_program.py")

SHORT = {"epochs": 40, "verbose": 0}
CLASSIFIERS = {
    "Keras 2": lambda: scikit_learn.KerasClassifier(wrapped.softmax, units=4, **SHORT),
    "SciKeras": lambda: scikeras.KerasClassifier(wrapped.softmax, model__units=4, **SHORT),
    "Keras 3": lambda: keras.wrappers.SKLearnClassifier(wrapped.for_targets, fit_kwargs=SHORT),
}
REGRESSORS = {
    "Keras 2": lambda: scikit_learn.KerasRegressor(wrapped.number, units=4, **SHORT),
    "SciKeras": lambda: scikeras.KerasRegressor(wrapped.number, model__units=4, **SHORT),
    "Keras 3": lambda: keras.wrappers.SKLearnRegressor(wrapped.for_targets, fit_kwargs=SHORT),
}
GRIDS = {
    "Keras 2": {"units": [2, 4]},
    "SciKeras": {"model__units": [2, 4]},
    "Keras 3": {"model_kwargs": [{"units": 2}, {"units": 4}]},
}


@pytest.fixture(params=CLASSIFIERS)
def classifier(request):
    return CLASSIFIERS[request.param]()


@pytest.fixture(params=REGRESSORS)
def convention(request):
    return request.param


def test_they_stand_at_the_end_of_pipelines(classifier):
    pipe = make_pipeline(StandardScaler(), classifier).fit(X, NAMES)
    assert pipe.score(X, NAMES) > 0.8
    assert (cross_val_score(pipe, X, NAMES, cv=3) > 0.6).all()


def test_an_ensemble_is_made_of_them(classifier):
    others = [("network", classifier), ("line", LogisticRegression())]
    for ensemble in (
        CalibratedClassifierCV(classifier, cv=3),
        StackingClassifier(others, cv=3),
        VotingClassifier(others, voting="soft"),
    ):
        ensemble.fit(X, NAMES)
        assert ensemble.score(X, NAMES) > 0.7
        assert ensemble.predict_proba(X).shape == (60, 3)


def test_regressors_are_searched_bagged_and_stacked(convention):
    regressor, grid = REGRESSORS[convention](), GRIDS[convention]
    for search in (
        GridSearchCV(regressor, grid, cv=2),
        RandomizedSearchCV(regressor, grid, n_iter=2, cv=2, random_state=0),
        HalvingRandomSearchCV(regressor, grid, cv=2, random_state=0, min_resources=20, n_candidates=2),
    ):
        search.fit(X, NUMBERS)
        assert search.best_score_ > (-0.3 if convention == "Keras 2" else 0.3)
        assert search.predict(X).shape == (60,)
    bagged = BaggingRegressor(regressor, n_estimators=2, random_state=0).fit(X, NUMBERS)
    assert np.corrcoef(bagged.predict(X), NUMBERS)[0, 1] > 0.9
    stacked = StackingRegressor([("network", regressor)], cv=2).fit(X, NUMBERS)
    assert stacked.score(X, NUMBERS) > 0.8


def test_importance_and_predictions_of_folds(convention):
    regressor = REGRESSORS[convention]().fit(X, NUMBERS)
    importance = permutation_importance(regressor, X, NUMBERS, n_repeats=2, random_state=0)
    assert importance.importances_mean[0] > importance.importances_mean[1] > 0
    assert np.corrcoef(cross_val_predict(regressor, X, NUMBERS, cv=2), NUMBERS)[0, 1] > 0.8


def test_several_threads_give_what_one_gives():
    regressor = scikeras.KerasRegressor(wrapped.number, random_state=1, **SHORT)
    alone = cross_validate(regressor, X, NUMBERS, cv=4)["test_score"]
    with parallel_config("threading", n_jobs=4):
        together = cross_validate(regressor, X, NUMBERS, cv=4)["test_score"]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("backend", ["loky", "dask"])
def test_a_search_runs_in_other_processes(backend):
    if backend == "dask":
        pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), backend], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["best"]["optimizer__learning_rate"] == 0.1
    assert told["score"] > 0.5
    assert told["same"]
    assert told["elsewhere"]
    assert told["predicted"] == [[60], [60], [60]]


@pytest.fixture
def compilations():
    """Everything that XLA compiles, or is read from the disk in its place."""
    seen = []

    def listen(name, *_, **__):
        if name == "/jax/core/compile/backend_compile_duration":
            seen.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("kind", ["Keras 2", "SciKeras"])
def test_ten_candidates_of_one_shape_are_compiled_once(compilations, kind):
    rate = "learning_rate" if kind == "Keras 2" else "model__learning_rate"
    regressor = REGRESSORS[kind]()
    stopping = [keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)]
    settings = {"validation_data": (X[:20], NUMBERS[:20]), "callbacks": stopping}

    def search(rates):
        grid = GridSearchCV(regressor, {rate: rates}, cv=3, refit=False, error_score="raise")
        compilations.clear()
        grid.fit(X, NUMBERS, **settings)
        return len(compilations)

    first = search([0.01])
    assert first <= 6
    assert search(np.geomspace(0.001, 0.1, 10)) == 0


def test_a_candidate_that_fails_does_not_end_the_search():
    search = GridSearchCV(REGRESSORS["Keras 2"](), {"units": [-1, 4]}, cv=2)
    with pytest.warns(Warning, match="fits failed"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, NUMBERS)
    assert search.best_params_ == {"units": 4}
    assert np.isnan(search.cv_results_["mean_test_score"][0])
