"""The two searches of scikit-learn, beside scikit-learn's own over the same estimators."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import searched
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, r2_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import doltap as keras
from doltap import config, tune
from doltap.tune import training
from doltap.wrappers import scikeras, scikit_learn

X, NUMBERS, NAMES = searched.points()
RATES = loguniform(1e-3, 1e-1)
FLAT = {"units": [2, 3], "learning_rate": RATES}
PLACED = {"model__units": [2, 3], "model__learning_rate": RATES}
DICTS = {"model_kwargs": [{"units": 2}, {"units": 3}, {"learning_rate": 0.01}, {"learning_rate": 0.2}]}
SHORT = {"epochs": 3, "verbose": 0}
STOPPING = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=0.01)
CASES = {
    "Keras 2 regressor": (scikit_learn.KerasRegressor(searched.number, **SHORT), FLAT, NUMBERS),
    "Keras 2 classifier": (scikit_learn.KerasClassifier(searched.classes, **SHORT), FLAT, NAMES),
    "SciKeras regressor": (
        scikeras.KerasRegressor(searched.number, random_state=3, **SHORT),
        PLACED,
        NUMBERS,
    ),
    "SciKeras classifier": (
        scikeras.KerasClassifier(searched.classes, callbacks=[STOPPING], **SHORT),
        PLACED,
        NAMES,
    ),
    "Keras 3 regressor": (
        keras.wrappers.SKLearnRegressor(searched.for_targets, fit_kwargs=SHORT),
        DICTS,
        NUMBERS,
    ),
    "Keras 3 classifier": (
        keras.wrappers.SKLearnClassifier(searched.for_targets, fit_kwargs=SHORT),
        DICTS,
        NAMES,
    ),
    "a pipeline": (
        make_pipeline(StandardScaler(), scikit_learn.KerasRegressor(searched.number, **SHORT)),
        {"kerasregressor__units": [2, 3], "kerasregressor__learning_rate": RATES},
        NUMBERS,
    ),
    "of scikit-learn's own": (Ridge(), {"alpha": loguniform(0.01, 10)}, NUMBERS),
}


def searched_by(kind, estimator, space, labels, *, fit=None, **keywords):
    keras.utils.set_random_seed(1)
    return kind(clone(estimator), space, cv=3, return_train_score=True, **keywords).fit(
        X, labels, **(fit or {})
    )


def check_same(ours, theirs):
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_index_ == theirs.best_index_
    assert ours.best_score_ == theirs.best_score_
    assert ours.n_splits_ == theirs.n_splits_
    assert ours.refit_time_ > 0
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if "time" in name:
            assert (ours.cv_results_[name] >= 0).all()
        elif name == "params":
            assert ours.cv_results_[name] == values
        else:
            np.testing.assert_array_equal(ours.cv_results_[name], values)
            assert ours.cv_results_[name].dtype == values.dtype
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("case", CASES)
def test_a_random_search_finds_what_scikit_learn_finds(case):
    estimator, space, labels = CASES[case]
    keywords = {"n_iter": 3, "random_state": 4}
    theirs = searched_by(model_selection.RandomizedSearchCV, estimator, space, labels, **keywords)
    ours = searched_by(tune.RandomizedSearchCV, estimator, space, labels, **keywords)
    check_same(ours, theirs)
    assert ours.score(X, labels) == theirs.score(X, labels)
    assert is_classifier(ours) == is_classifier(theirs)
    if labels is NAMES:
        np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)


def test_a_grid_search_of_several_scores_finds_what_scikit_learn_finds():
    scoring = {"r2": "r2", "error": "neg_mean_squared_error"}
    grid = [{"units": [2, 3]}, {"learning_rate": [0.01, 0.1], "epochs": [1]}]
    found = [
        searched_by(kind, CASES["Keras 2 regressor"][0], grid, NUMBERS, scoring=scoring, refit="error")
        for kind in (tune.GridSearchCV, model_selection.GridSearchCV)
    ]
    check_same(*found)
    assert found[0].scorer_.keys() == scoring.keys()
    assert found[0].score(X, NUMBERS) == found[1].score(X, NUMBERS)


def test_keywords_of_fit_reach_every_fold_and_weights_the_scores():
    held_out = searched.points(20, seed=1)[:2]
    stopping = keras.callbacks.EarlyStopping(patience=1)
    weights = np.random.default_rng(0).uniform(0.5, 1, len(X))
    fit = {"epochs": 6, "validation_data": held_out, "callbacks": [stopping], "sample_weight": weights}
    estimator = scikit_learn.KerasRegressor(searched.number, verbose=0)
    grid = {"learning_rate": [0.01, 0.5]}
    found = [
        searched_by(kind, estimator, grid, NUMBERS, fit=fit)
        for kind in (tune.GridSearchCV, model_selection.GridSearchCV)
    ]
    check_same(*found)
    history = found[0].best_estimator_.history
    assert "val_loss" in history


@pytest.mark.parametrize(("build", "labels"), [(searched.number, NUMBERS), (searched.classes, NAMES)])
def test_a_function_that_makes_a_model_is_searched_as_the_estimator_its_loss_calls_for(build, labels):
    search = tune.RandomizedSearchCV(build, FLAT, n_iter=2, cv=2, random_state=0)
    search.fit(X, labels, epochs=2)
    assert is_classifier(search) == (build is searched.classes)
    assert isinstance(search.best_estimator_.model, keras.Model)
    assert search.predict(X).dtype.kind == labels.dtype.kind
    assert np.isfinite(search.best_score_)


def test_a_classifier_of_numbered_classes_without_accuracy_is_scored_by_its_predictions():
    def build(units=3):
        model = keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(loss="binary_crossentropy", optimizer="sgd")
        return model

    search = tune.GridSearchCV(build, {"units": [2, 3]}, cv=2).fit(X, (NUMBERS > 0).astype(int))
    assert 0 <= search.best_score_ <= 1
    assert set(search.predict(X)) <= {0, 1}


def test_folds_share_one_table_and_one_program(monkeypatch):
    compiled = []
    lower = keras.training.cache.jax.stages.Lowered.compile
    monkeypatch.setattr(
        keras.training.cache.jax.stages.Lowered,
        "compile",
        lambda self, *args, **keywords: compiled.append(1) or lower(self, *args, **keywords),
    )
    search = tune.RandomizedSearchCV(searched.number, {"learning_rate": RATES, "units": [7]}, n_iter=3, cv=3)
    x, y, _ = searched.points(33)
    search.fit(x, y, epochs=2)
    # One to train a fold, one to train on all rows, one or two to score.
    assert len(compiled) <= 5


def refused(rows):
    raise RuntimeError("seven units are unlucky")


def unlucky(units=3):
    return refused(units) if units == 7 else searched.number(units)


def test_a_candidate_that_fails_has_the_error_score_and_its_error_is_kept():
    search = tune.GridSearchCV(unlucky, {"units": [7, 2]}, cv=2, error_score=-9.0)
    with pytest.warns(FitFailedWarning, match="seven units are unlucky"):
        search.fit(X, NUMBERS)
    assert search.cv_results_["mean_test_score"][0] == -9.0
    assert search.best_params_ == {"units": 2}
    assert set(search.errors_) == {(0, 0), (0, 1)}
    assert search.errors_[0, 1] == "RuntimeError: seven units are unlucky"


def test_a_candidate_that_fails_has_no_number_as_score_and_comes_last():
    search = tune.GridSearchCV(unlucky, {"units": [7, 2]}, cv=2)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, NUMBERS)
    assert np.isnan(search.cv_results_["mean_test_score"][0])
    assert search.cv_results_["rank_test_score"].tolist() == [2, 1]


def test_an_error_is_raised_where_it_happens_if_that_is_asked_for():
    with pytest.raises(RuntimeError, match="unlucky"):
        tune.GridSearchCV(unlucky, {"units": [2, 7]}, cv=2, error_score="raise").fit(X, NUMBERS)


def test_a_search_in_which_everything_fails_says_why():
    with pytest.raises(ValueError, match=r"errors in all 2 fits(?s:.)*seven units"):
        tune.GridSearchCV(unlucky, {"units": [7]}, cv=2).fit(X, NUMBERS)


def test_without_refit_there_is_a_best_candidate_and_nothing_that_predicts():
    search = tune.GridSearchCV(searched.number, {"units": [2, 3]}, cv=2, refit=False)
    with pytest.raises(NotFittedError, match="not run"):
        search.score(X, NUMBERS)
    search.fit(X, NUMBERS)
    assert search.best_params_ in search.cv_results_["params"]
    assert not hasattr(search, "best_estimator_")
    assert not hasattr(search, "predict")


def test_a_function_chooses_the_best():
    search = tune.GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, refit=lambda results: 1, cv=2)
    assert search.fit(X, NUMBERS).best_params_ == {"alpha": 1.0}


def test_a_search_is_cloned_and_searched_again():
    search = clone(
        tune.RandomizedSearchCV(searched.number, FLAT, n_iter=2, cv=2, scoring=make_scorer(r2_score))
    )
    first = search.fit(X, NUMBERS).best_score_
    assert first == search.cv_results_["mean_test_score"].max()


def test_a_table_of_lines_is_written_where_there_is_no_terminal(capsys):
    search = tune.GridSearchCV(unlucky, {"units": [2, 7]}, cv=2, verbose=2, error_score=-9)
    with pytest.warns(FitFailedWarning):
        search.fit(X, NUMBERS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "GridSearchCV: 2 candidates on 2 folds, 4 fits"
    assert any("units=7: -9 (-9, -9), rank 2, failed: RuntimeError" in line for line in lines)
    assert len(lines) == 3


def test_a_silent_search_is_silent(capsys):
    regressor = scikeras.KerasRegressor(searched.number)
    tune.GridSearchCV(regressor, {"model__units": [2]}, cv=2).fit(X, NUMBERS)
    pipe = Pipeline([("scale", StandardScaler()), ("net", regressor)])
    tune.GridSearchCV(pipe, {"net__model__units": [2]}, cv=2, refit=False).fit(X, NUMBERS)
    assert capsys.readouterr() == ("", "")


def test_while_one_program_trains_the_next_is_on_its_way(monkeypatch):
    both, trained = threading.Barrier(2, timeout=20), training._trained

    def meeting(*arguments):
        # Nobody comes through here alone.
        both.wait()
        return trained(*arguments)

    monkeypatch.setattr(training, "_trained", meeting)
    search = tune.GridSearchCV(searched.number, {"units": [2, 3]}, cv=2, refit=False).fit(X, NUMBERS)
    assert not search.errors_


@pytest.mark.parametrize(
    "search",
    [
        tune.GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise"),
        pytest.param(
            tune.RandomizedSearchCV(
                LogisticRegression(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, error_score="raise"
            ),
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_search_is_an_estimator_as_scikit_learn_checks_them(search):
    results = check_estimator(search, on_fail=None)
    assert not [one["check_name"] for one in results if one["status"] not in ("passed", "skipped")]


def test_a_search_that_is_done_is_pickled_without_its_data():
    search = tune.GridSearchCV(searched.number, {"units": [2, 3]}, cv=2).fit(X, NUMBERS)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert again.score(X, NUMBERS) == search.score(X, NUMBERS)
    assert len(pickle.dumps(search)) < 100_000


def test_several_inputs_are_cut_alike():
    def build(units):
        inputs = {name: keras.Input((1,), name=name) for name in ("a", "b")}
        joined = keras.layers.Concatenate()(list(inputs.values()))
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(units)(joined)))
        model.compile(loss="mse", optimizer="sgd")
        return model

    x = {"a": X[:, :1], "b": X[:, 1:]}
    search = tune.GridSearchCV(build, {"units": [2, 3]}, cv=2).fit(x, NUMBERS, epochs=2)
    assert search.predict(x).shape == (40,)
    with pytest.raises(keras.errors.DataError, match="a label for each of the 40 rows"):
        tune.GridSearchCV(build, {"units": [2, 3]}, cv=2).fit(x, NUMBERS[:30])


def test_widths_made_equal_score_the_same_with_fewer_programs():
    space = {"units": [2, 3, 5, 6], "learning_rate": [0.01, 0.1]}
    found, programs = [], []
    for pads in (False, True):
        keras.training.cache.forget_programs()
        search = tune.GridSearchCV(searched.number, space, cv=2, refit=False, pad_widths=pads)
        keras.utils.set_random_seed(1)
        found.append(search.fit(X, NUMBERS, epochs=5).cv_results_)
        programs.append(sum(key[-1][0] == "train" for key in keras.training.cache._programs))
    np.testing.assert_allclose(found[1]["mean_test_score"], found[0]["mean_test_score"], rtol=1e-4)
    assert programs == [4, 1]


def test_widths_that_are_far_apart_keep_programs_of_their_own():
    keras.training.cache.forget_programs()
    search = tune.GridSearchCV(searched.number, {"units": [2, 3, 4000]}, cv=2, refit=False, pad_widths=True)
    stops = [keras.callbacks.EarlyStopping("loss", min_delta=1e9)]
    search.fit(X, NUMBERS, epochs=100_000, batch_size=4, callbacks=stops)
    assert sum(key[-1][0] == "train" for key in keras.training.cache._programs) == 2


@pytest.mark.parametrize("carrier", ["loop", "threads", "vmap"])
def test_every_carrier_trains_the_same(carrier, monkeypatch):
    def alone(self, *arguments, **keywords):
        raise AssertionError("a model was trained alone")

    estimator, space, labels = CASES["Keras 2 regressor"]
    keywords = {"n_iter": 4, "random_state": 4, "refit": False}
    theirs = searched_by(model_selection.RandomizedSearchCV, estimator, space, labels, **keywords)
    monkeypatch.setattr(keras.Model, "fit", alone)
    ours = searched_by(tune.RandomizedSearchCV, estimator, space, labels, carrier=carrier, **keywords)
    exactly = {} if carrier != "vmap" else {"rtol": 1e-4}
    for name in ("mean_test_score", "mean_train_score"):
        np.testing.assert_allclose(
            ours.cv_results_[name], theirs.cv_results_[name], **({"rtol": 0} | exactly)
        )


SCORINGS = ["accuracy", "roc_auc_ovr", "roc_auc", "neg_log_loss", "f1_macro", "top_k_accuracy"]


@pytest.mark.parametrize("scoring", [None, *SCORINGS, ["accuracy", "neg_log_loss"]])
def test_one_hot_labels_are_scored_as_the_classes_they_stand_for(scoring):
    numbers = np.unique(NAMES, return_inverse=True)[1]
    given = {"cv": 2, "scoring": scoring, "refit": "accuracy" if isinstance(scoring, list) else True}
    search = tune.GridSearchCV(searched.one_hot_classes, {"units": [2]}, **given)
    one_hot = keras.utils.to_categorical(numbers)
    search.fit(X, one_hot, epochs=30)
    assert 0.5 < search.best_score_ <= 1 or scoring == "neg_log_loss"
    if scoring in (None, "accuracy"):
        assert search.score(X, one_hot) == (search.predict(X) == numbers).mean()


@pytest.fixture
def no_seed(monkeypatch):
    monkeypatch.setattr(config, "_settings", {**config._settings, "chosen": None})


KINDS = {
    "random": lambda state: tune.RandomizedSearchCV(
        searched.number, FLAT, n_iter=3, cv=2, random_state=state
    ),
    "halving": lambda state: tune.SuccessiveHalving(
        searched.number, FLAT, n_candidates=4, max_resources=4, cv=2, random_state=state
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_random_state_gives_one_result_and_leaves_others_random_numbers_alone(no_seed, kind):
    fit = {"epochs": 2} if kind == "random" else {}
    before = np.random.get_state()[1].copy()
    first, again, other = (KINDS[kind](state).fit(X, NUMBERS, verbose=0, **fit) for state in (1, 1, 2))
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(first.cv_results_[name], again.cv_results_[name])
    np.testing.assert_array_equal(first.predict(X), again.predict(X))
    assert not np.array_equal(first.predict(X), other.predict(X))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_without_a_random_state_networks_begin_anew(no_seed):
    one, other = (KINDS["random"](None).fit(X, NUMBERS, epochs=2, verbose=0) for _ in range(2))
    assert not np.array_equal(one.predict(X), other.predict(X))
