"""What cannot work is said before anything is trained, with the cure."""

from __future__ import annotations

import numpy as np
import pytest
import searched
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.model_selection import KFold

import doltap as keras
from doltap import tune
from doltap.wrappers import scikeras, scikit_learn

X, NUMBERS, NAMES = searched.points()
UNITS = {"units": [2, 3]}


@pytest.fixture(autouse=True)
def _nothing_is_trained(monkeypatch):
    def fit(self, *arguments, **keywords):
        raise AssertionError("a model was trained")

    monkeypatch.setattr(keras.Model, "fit", fit)


def refusal(estimator, space, labels=NUMBERS, *, fit=None, **keywords):
    """What the search says to this."""
    with pytest.raises(keras.errors.DoltapError) as caught:
        tune.GridSearchCV(estimator, space, **{"cv": 2, **keywords}).fit(X, labels, **(fit or {}))
    return str(caught.value)


def needing(units, depth):
    """Never called."""


@pytest.mark.parametrize("estimator", [needing, scikit_learn.KerasRegressor(needing)])
def test_an_argument_that_nobody_gives_is_named(estimator):
    told = refusal(estimator, UNITS)
    assert told.startswith("needing(): expected a value for 'depth'")


@pytest.mark.parametrize(
    ("estimator", "space", "cure"),
    [
        (searched.number, {"unitz": [2]}, "Did you mean 'units='?"),
        (scikit_learn.KerasRegressor(searched.number), {"unitz": [2]}, "Did you mean 'units='?"),
        (scikeras.KerasRegressor(searched.number), {"model__unitz": [2]}, "Did you mean 'model__units='?"),
        (LogisticRegression(), {"CC": [2]}, "Did you mean 'C='?"),
    ],
)
def test_a_parameter_that_nothing_takes_is_named_with_the_nearest(estimator, space, cure):
    assert cure in refusal(estimator, space, NAMES if isinstance(estimator, LogisticRegression) else NUMBERS)


@pytest.mark.parametrize(
    ("scoring", "cure"),
    [
        ("mean_squared_error", "scoring='neg_mean_squared_error'"),
        ("log_loss", "scoring='neg_log_loss'"),
        ("mse", "scoring='neg_mean_squared_error'"),
        ("acc", "scoring='accuracy'"),
        ("accurcy", "Did you mean 'accuracy'?"),
        (mean_squared_error, "scoring='neg_mean_squared_error'"),
        (make_scorer(mean_squared_error), "scoring='neg_mean_squared_error'"),
        (keras.losses.huber, "make_scorer(huber)"),
        (keras.losses.mean_absolute_error, "scoring='neg_mean_absolute_error'"),
        (lambda y_true, y_pred: 0.0, "make_scorer(<lambda>)"),
        (["r2", "max_error"], "scoring='neg_max_error'"),
        ({}, "scoring='accuracy'"),
        (3, "scoring='neg_mean_squared_error'"),
    ],
)
def test_a_score_of_which_less_is_better_is_refused(scoring, cure):
    assert cure in refusal(searched.number, UNITS, scoring=scoring, refit=False)


def test_a_score_among_several_has_to_be_chosen():
    scoring = ["r2", "neg_mean_squared_error"]
    assert "refit='r2'" in refusal(searched.number, UNITS, scoring=scoring)
    assert "Known names: neg_mean_squared_error, r2" in refusal(
        searched.number, UNITS, scoring=scoring, refit="accuracy"
    )


def test_folds_that_lack_a_class_are_refused():
    order = np.argsort(NAMES)
    sorted_x, sorted_names = X[order], NAMES[order]
    with pytest.raises(keras.errors.LabelError, match=r"none of class 'low'(?s:.)*StratifiedKFold"):
        tune.GridSearchCV(searched.classes, UNITS, cv=KFold(3)).fit(sorted_x, sorted_names)


def test_a_search_without_labels_is_refused():
    assert "fit(X, y)" in refusal(searched.number, UNITS, None)


def test_folds_without_rows_are_refused():
    assert "rows to test on" in refusal(searched.number, UNITS, cv=[(np.arange(10), [])])


@pytest.mark.parametrize(
    "estimator",
    [
        searched.number,
        scikit_learn.KerasRegressor(searched.number),
        scikeras.KerasRegressor(searched.number, model__units=3),
    ],
)
def test_early_stopping_without_validation_data_is_refused(estimator):
    space = {"batch_size": [8]} if isinstance(estimator, scikeras.KerasRegressor) else UNITS
    told = refusal(estimator, space, fit={"callbacks": [keras.callbacks.EarlyStopping(patience=3)]})
    assert "EarlyStopping(monitor='val_loss'): expected validation data" in told
    assert "validation_split=0.1" in told


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({}, "an empty space"),
        ([], "an empty space"),
        ([{}], "an empty space"),
        ({"units": []}, "param_grid['units']: expected at least one value"),
        ({"units": 3}, "{'units': [3]}"),
        ({"units": "many"}, "{'units': ['many']}"),
        ("units", "a dict from a parameter's name"),
    ],
)
def test_a_space_that_is_none_is_refused(space, told):
    assert told in refusal(searched.number, space)


def test_a_distribution_cannot_be_listed():
    from scipy.stats import uniform

    assert "take RandomizedSearchCV" in refusal(searched.number, {"learning_rate": uniform(0, 1)})


def test_a_model_is_no_function_that_makes_one():
    assert "a function that returns a compiled model" in refusal(searched.number(), UNITS)


@pytest.mark.parametrize("n_iter", [0, -1, 2.5, True, "many"])
def test_the_number_of_candidates_is_a_number(n_iter):
    with pytest.raises(keras.errors.DataError, match="n_iter"):
        tune.RandomizedSearchCV(searched.number, UNITS, n_iter=n_iter).fit(X, NUMBERS)


@pytest.mark.parametrize("error_score", ["raize", None, True])
def test_the_score_of_failures_is_a_number_or_raise(error_score):
    assert "error_score=np.nan" in refusal(searched.number, UNITS, error_score=error_score)


def test_a_carrier_that_does_not_exist_is_refused():
    assert "loop, threads, vmap" in refusal(searched.number, UNITS, carrier="boat")


def test_a_function_that_returns_a_model_without_a_loss_is_told_to_compile_it():
    def build(units=2):
        return keras.Sequential([keras.layers.Dense(units)])

    assert "model.compile" in refusal(build, UNITS)


@pytest.mark.parametrize("name", ["GridSearchCV", "RandomizedSearchCV", "Hyperband", "Evolution"])
def test_an_unknown_argument_of_a_search_is_named_with_the_nearest(name):
    with pytest.raises(keras.errors.UnknownArgumentError, match=rf"^{name}: .*'verbos='[\s\S]*'verbose='"):
        getattr(tune, name)(searched.number, UNITS, verbos=1)
    assert "folder" in getattr(tune, name)(searched.number, UNITS).get_params()


@pytest.mark.parametrize("estimator", [searched.number, scikit_learn.KerasRegressor(searched.number)])
def test_an_unknown_keyword_of_fit_is_named_with_the_nearest(estimator):
    told = refusal(estimator, UNITS, fit={"epoch": 3})
    assert told.startswith("GridSearchCV.fit(): expected keywords it knows, got 'epoch='")
    assert "Did you mean 'epochs='?" in told


def test_a_function_that_hides_its_parameters_is_told_so():
    def hiding(**keywords):
        return searched.number(**keywords)

    told = refusal(hiding, UNITS)
    assert told.startswith("hiding(): expected its parameters by name, got 'units='")
    assert "def hiding(units=...)" in told


def test_errors_that_differ_in_generated_names_only_are_counted_together():
    def failing(units):
        raise ValueError(f"model '{keras.Sequential().name}' of {units % 2} is wrong")

    told = refusal(failing, {"units": [2, 4, 6, 3]})
    assert "6 x ValueError: model 'sequential_" in told
    assert "2 x ValueError: model 'sequential_" in told
