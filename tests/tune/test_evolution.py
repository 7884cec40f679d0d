"""Candidates that descend from each other."""

from __future__ import annotations

import numpy as np
import pytest
import searched
from scipy.stats import loguniform, randint
from sklearn.linear_model import Ridge

import doltap as keras
from doltap import tune
from doltap.tune import spaces
from doltap.wrappers import scikeras

X, NUMBERS, _ = searched.points()
SPACE = {"units": [2, 3], "learning_rate": loguniform(0.001, 0.1)}
FEW = {"population_size": 5, "n_generations": 3, "cv": 2, "random_state": 0}


@pytest.fixture(scope="module")
def evolved():
    keras.utils.set_random_seed(0)
    return tune.Evolution(searched.number, SPACE, epochs_per_generation=3, **FEW).fit(X, NUMBERS)


def test_the_worst_are_replaced_by_children_of_the_best(evolved):
    results = evolved.cv_results_
    assert len(results["params"]) == 15
    means, params = results["mean_test_score"], results["params"]
    for generation in (1, 2):
        before = np.flatnonzero(results["generation"] == generation - 1)
        now = np.flatnonzero(results["generation"] == generation)
        children = [one for one in now if results["member"][results["parent"][one]] != results["member"][one]]
        (child,) = children
        assert results["parent"][child] == before[means[before].argmax()]
        worst = before[means[before].argmin()]
        assert results["member"][child] == results["member"][worst]
        # What decides shapes is inherited, the rest is explored.
        assert params[child]["units"] == params[results["parent"][child]]["units"]
        assert params[child]["learning_rate"] != params[results["parent"][child]]["learning_rate"]
        for one in set(now) - {child}:
            assert params[one] == params[results["parent"][one]]


def test_a_child_goes_on_where_its_parent_was(evolved):
    results = evolved.cv_results_
    means = results["mean_test_score"]
    later = [one for one in range(15) if results["generation"][one]]
    gains = [means[one] - means[results["parent"][one]] for one in later]
    assert np.mean(np.array(gains) > 0) > 0.8


def test_the_schedule_of_the_best_is_trained_again_on_all_rows(evolved):
    assert evolved.cv_results_["generation"][evolved.best_index_] == 2
    assert sum(epochs for epochs, _ in evolved.schedule_) == 9
    assert evolved.schedule_[-1][1] == evolved.best_params_
    assert evolved.best_estimator_.model.epochs_trained == 9
    assert evolved.score(X, NUMBERS) > -1


def test_a_population_that_explores_nothing_trains_as_one_that_only_trains():
    keras.utils.set_random_seed(2)
    given = {"learning_rate": [0.05]}
    whole = tune.GridSearchCV(searched.number, given, cv=2).fit(X, NUMBERS, epochs=4)
    keras.utils.set_random_seed(2)
    few = {"population_size": 2, "n_generations": 2, "cv": 2, "random_state": 0, "epochs_per_generation": 2}
    with pytest.warns(UserWarning, match="smaller than n_iter"):
        search = tune.Evolution(searched.number, given, **few).fit(X, NUMBERS)
    assert search.cv_results_["mean_test_score"][-1] == pytest.approx(whole.best_score_, rel=1e-6)


def test_rates_of_scikeras_evolve_too():
    regressor = scikeras.KerasRegressor(searched.number, verbose=0)
    search = tune.Evolution(regressor, {"model__learning_rate": loguniform(0.001, 0.1)}, **FEW).fit(
        X, NUMBERS
    )
    assert search.best_estimator_.model_.epochs_trained == 3


def test_a_tournament_searches_architectures():
    space = {"units": [1, 2, 4, 8], "learning_rate": loguniform(0.01, 0.2)}
    search = tune.Evolution(searched.number, space, method="tournament", **FEW).fit(X, NUMBERS, epochs=3)
    results = search.cv_results_
    assert results["generation"].tolist() == [0] * 5 + [1] * 2 + [2] * 2
    for number, parent in enumerate(results["parent"]):
        if parent >= 0:
            mine, theirs = results["params"][number], results["params"][parent]
            assert sum(mine[name] != theirs[name] for name in mine) == 1
    assert search.best_score_ == results["mean_test_score"].max()


def test_a_tournament_takes_any_estimator():
    search = tune.Evolution(Ridge(), {"alpha": loguniform(0.01, 10)}, method="tournament", **FEW)
    assert search.fit(X, NUMBERS).best_params_["alpha"] < 10


def test_a_neighbour_is_near():
    random = np.random.RandomState(0)
    assert {spaces.neighbour([1, 2, 4, 8], 4, random) for _ in range(20)} == {2, 8}
    assert {spaces.neighbour(["a", "b", "c"], "a", random) for _ in range(20)} == {"b", "c"}
    assert spaces.neighbour([5], 5, random) == 5
    numbers = {spaces.neighbour(randint(1, 100), 50, random) for _ in range(20)}
    assert numbers == {40, 60}
    rates = [spaces.neighbour(loguniform(0.01, 0.1), 0.1, random) for _ in range(20)]
    assert all(0.01 <= rate <= 0.1 for rate in rates)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"method": "populations"}, "Did you mean 'population'?"),
        ({"population_size": 1}, "population_size: expected a whole number of at least 2"),
        ({"n_generations": 0}, "n_generations"),
        ({"exploit": 0.9}, "exploit: expected a share above 0 and at most 0.5"),
        ({"param_distributions": {"units": [2, 3]}}, "take method='tournament'"),
        ({"param_distributions": {}}, "an empty space"),
        ({"estimator": Ridge(), "param_distributions": {"alpha": [1, 2]}}, "Take method='tournament'"),
    ],
)
def test_an_evolution_that_cannot_be_is_refused(change, told):
    given = {"estimator": searched.number, "param_distributions": SPACE, **FEW, **change}
    with pytest.raises(keras.errors.DoltapError) as caught:
        tune.Evolution(**given).fit(X, NUMBERS)
    assert told in str(caught.value)


def test_epochs_are_those_of_the_generations():
    with pytest.raises(keras.errors.DataError, match="epochs_per_generation="):
        tune.Evolution(searched.number, SPACE).fit(X, NUMBERS, epochs=3)
    with pytest.raises(keras.errors.DataError, match="max_iter="):
        tune.Hyperband(searched.number, SPACE).fit(X, NUMBERS, epochs=3)


def test_members_without_an_input_take_over_weights():
    # A fit that failed would warn, which is an error here.
    search = tune.Evolution(searched.unbuilt, SPACE, **FEW).fit(X, NUMBERS > 0)
    assert search.errors_ == {}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.model.epochs_trained == 3
