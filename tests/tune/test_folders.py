"""Results that are kept: a killed search goes on, another search is refused."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import searched
from scipy.stats import loguniform
from sklearn.exceptions import FitFailedWarning

import doltap as keras
from doltap import tune
from doltap.tune.folder import Folder, described

X, NUMBERS, _ = searched.points()
SPACE = {"units": [2, 3], "learning_rate": loguniform(0.001, 0.1)}
PROGRAM = pathlib.Path(__file__).with_name("killed_program.py")


def run(kind, folder="", dies_after=0):
    given = [sys.executable, str(PROGRAM), kind, str(folder), str(dies_after)]
    return subprocess.run(given, capture_output=True, text=True, timeout=300)


def told(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("kind", "dies_after"),
    [("random", 5), ("hyperband", 11), pytest.param("evolution", 9, marks=pytest.mark.slow)],
)
def test_a_search_that_was_killed_goes_on_and_repeats_no_candidate(tmp_path, kind, dies_after):
    killed = run(kind, tmp_path, dies_after)
    assert killed.returncode == -signal.SIGKILL
    kept = {file: file.read_bytes() for file in tmp_path.glob("candidate-*.json")}
    assert len(kept) == dies_after
    alone, resumed = told(run(kind)), told(run(kind, tmp_path))
    assert resumed["scores"] == alone["scores"]
    assert resumed["best"] == alone["best"]
    assert resumed["predicted"] == alone["predicted"]
    assert all(file.read_bytes() == content for file, content in kept.items())
    assert resumed["trained"] == alone["trained"] - 2 * dies_after
    assert not list(tmp_path.glob(".*.part"))


def random_search(folder, space=SPACE, x=X, y=NUMBERS, *, build=searched.number, fit=None, **keywords):
    given = {"n_iter": 2, "cv": 2, "random_state": 0, "folder": folder} | keywords
    return tune.RandomizedSearchCV(build, space, **given).fit(x, y, **(fit or {}))


def test_a_search_that_is_done_trains_the_best_only(tmp_path, monkeypatch):
    first = random_search(tmp_path)
    trained, run_fit = [], keras.Model._run_fit
    monkeypatch.setattr(
        keras.Model, "_run_fit", lambda self, *given: trained.append(1) or run_fit(self, *given)
    )
    keras.utils.set_random_seed(0)
    second = random_search(tmp_path)
    assert len(trained) == 1
    assert (first.predict(X) == second.predict(X)).all()


def other(units=4, learning_rate=0.05):
    return searched.number(units, learning_rate * 2)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"space": {**SPACE, "units": [2, 4]}}, "param_distributions.units"),
        ({"space": {**SPACE, "learning_rate": loguniform(0.002, 0.1)}}, "param_distributions.learning_rate"),
        ({"x": X + 1}, "X.values"),
        ({"y": -NUMBERS}, "y.values"),
        ({"x": X[:30], "y": NUMBERS[:30]}, "X.shape"),
        ({"random_state": 1}, "random_state"),
        ({"n_iter": 3}, "n_iter"),
        ({"cv": 4}, "folds"),
        ({"scoring": "r2"}, "scoring"),
        ({"fit": {"epochs": 2}}, "keywords of fit"),
        ({"build": other}, "estimator"),
    ],
)
def test_the_folder_of_another_search_is_refused(tmp_path, change, where):
    random_search(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(keras.errors.DataError, match="the search that was begun there") as caught:
        random_search(tmp_path, **change)
    assert f"with {where}" in str(caught.value)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_folder_of_another_seed_is_refused(tmp_path):
    random_search(tmp_path)
    keras.utils.set_random_seed(5)
    with pytest.raises(keras.errors.DataError, match="seed = 0, got one with seed = 5"):
        random_search(tmp_path)


def test_candidates_drawn_without_a_seed_are_drawn_again_from_the_folder(tmp_path):
    first = random_search(tmp_path, random_state=None)
    (tmp_path / "candidate-000001.json").unlink()
    second = random_search(tmp_path, random_state=None)
    assert first.cv_results_["params"] == second.cv_results_["params"]
    assert first.best_score_ == second.best_score_


@pytest.mark.parametrize("content", [b"", b"{}", b"nothing", b'{"params": 3}', b"[" * 200])
def test_a_damaged_result_is_said_to_be_one(tmp_path, content):
    random_search(tmp_path)
    (tmp_path / "candidate-000001.json").write_bytes(content)
    with pytest.raises(keras.errors.ModelFileError, match="candidate-000001"):
        random_search(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "search.json").write_text('{"format": "recipes"}')
    with pytest.raises(keras.errors.ModelFileError, match="a folder of its own"):
        random_search(tmp_path)


def test_a_failed_candidate_is_kept_with_its_error(tmp_path):
    def build(units):
        if units == 3:
            raise RuntimeError("three is too many")
        return searched.number(units)

    for _ in range(2):
        search = tune.GridSearchCV(build, {"units": [2, 3]}, cv=2, folder=tmp_path, error_score=-1.0)
        with pytest.warns(FitFailedWarning, match="three is too many"):
            search.fit(X, NUMBERS)
        assert search.errors_[1, 0] == "RuntimeError: three is too many"


def test_functions_are_known_again_by_what_they_compute():
    assert described(searched.number) == described(searched.number)
    assert described(searched.number) != described(searched.classes)
    assert described(lambda x: x + 1) != described(lambda x: x + 2)


def test_a_folder_has_plain_files_only(tmp_path):
    tune.SuccessiveHalving(searched.number, SPACE, max_resources=3, cv=2, folder=tmp_path).fit(X, NUMBERS)
    assert {os.path.splitext(name)[1] for _, _, names in os.walk(tmp_path) for name in names} == {".json"}


@pytest.mark.parametrize("dies_after", [7, 11])
def test_networks_without_an_input_go_on_from_their_stage(tmp_path, monkeypatch, dies_after):
    def hyperband(folder):
        keras.utils.set_random_seed(0)
        search = tune.Hyperband(searched.unbuilt, SPACE, max_iter=9, cv=2, random_state=0, folder=folder)
        return search.fit(X, NUMBERS > 0)

    keep, kept = Folder.keep, []

    def keeping(self, *arguments):
        keep(self, *arguments)
        kept.append(1)
        if len(kept) == dies_after:
            raise KeyboardInterrupt

    alone = hyperband(None)
    monkeypatch.setattr(Folder, "keep", keeping)
    with pytest.raises(KeyboardInterrupt):
        hyperband(tmp_path)
    resumed = hyperband(tmp_path)
    assert resumed.errors_ == {}
    scores = resumed.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, alone.cv_results_["mean_test_score"])
