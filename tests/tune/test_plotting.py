"""The picture of a search, and its table in a terminal."""

from __future__ import annotations

import numpy as np
import pytest
import searched
from scipy.stats import loguniform
from sklearn.linear_model import Ridge

import doltap as keras
from doltap import tune
from doltap.reporting.searching import SearchDisplay
from doltap.tune import plotting

X, NUMBERS, _ = searched.points()


def test_a_search_is_plotted_as_lines_and_points():
    pytest.importorskip("matplotlib")
    space = {"alpha": loguniform(0.001, 10), "fit_intercept": [True, False], "solver": ["svd", "cholesky"]}
    search = tune.RandomizedSearchCV(Ridge(), space, n_iter=6, cv=2, random_state=0).fit(X, NUMBERS)
    figure = search.plot()
    lines, *points = figure.axes
    assert [label.get_text() for label in lines.get_xticklabels()] == [*sorted(space), "score"]
    # A line for each candidate, the best once more, and an upright line for each parameter and the score.
    assert len(lines.lines) == 6 + 1 + 4
    assert [place.get_xlabel() for place in points] == sorted(space)
    assert points[0].get_xscale() == "log"
    drawn = points[0].collections[0].get_offsets()
    np.testing.assert_allclose(sorted(drawn[:, 1]), sorted(search.cv_results_["mean_test_score"]))
    best = points[0].collections[1].get_offsets()[0]
    np.testing.assert_allclose(best, [search.best_params_["alpha"], search.best_score_])
    figure.canvas.draw()


def test_candidates_without_a_score_are_left_out():
    pytest.importorskip("matplotlib")
    figure = plotting.figure([{"units": 1}, {"units": 2}, {"depth": 1}], np.array([0.5, np.nan, 0.1]), "r2")
    assert len(figure.axes[1].collections[0].get_offsets()) == 2
    with pytest.raises(keras.errors.DataError, match="errors_"):
        plotting.figure([{"units": 1}], np.array([np.nan]), "r2")


def test_a_search_that_was_not_run_has_no_picture():
    with pytest.raises(keras.errors.MissingAttributeError, match="not run"):
        tune.GridSearchCV(Ridge(), {"alpha": [1]}).plot()


def test_a_terminal_shows_the_best_candidates_in_order(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    display = SearchDisplay(1, "GridSearchCV")
    display.begin(3, 2)
    display.note({"units": 2}, [0.5, 0.7])
    display.note({"units": 3}, [0.9, 0.8])
    display.note({"units": 4}, [float("nan"), float("nan")], "RuntimeError: no")
    display.close()
    shown = capsys.readouterr().out
    assert "3 of 3 candidates" in shown
    last = shown[shown.rindex("rank") :]
    assert last.index("units=3") < last.index("units=2") < last.index("units=4")
    assert "0.9 0.8" in last


def test_texts_from_outside_cannot_command_the_terminal(capsys):
    display = SearchDisplay(1, "GridSearchCV")
    display.begin(1, 1)
    display.note({"name": "a\x1b[31mb"}, [1.0], "an \x1b[31m error")
    display.close()
    assert "\x1b" not in capsys.readouterr().out
