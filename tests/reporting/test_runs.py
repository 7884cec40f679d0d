"""The runs and searches that `doltap report FOLDER` finds, and what it says of folders without any."""

import json

import numpy as np
import pytest

import doltap as keras
from doltap import cli, layers
from doltap.errors import DataError, ModelFileError
from doltap.reporting.report import runs

CHANCE = np.random.default_rng(0)


def fitted(*callbacks, epochs=3):
    x = CHANCE.normal(size=(40, 3))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(loss="mse", metrics=["mae"])
    return model.fit(x, x.sum(1), epochs=epochs, verbose=0, validation_split=0.25, callbacks=list(callbacks))


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_file_of_csv_logger_is_a_run(tmp_path, separator):
    history = fitted(keras.callbacks.CSVLogger(tmp_path / "deep.csv", separator=separator))
    (run,) = runs.found_in(tmp_path).runs
    assert (run.name, run.source, run.num_epochs, run.seconds) == ("deep.csv", "CSVLogger", 3, None)
    assert run.curves.keys() == history.history.keys()
    for name, values in run.curves.items():
        assert values == pytest.approx(history.history[name])


def test_of_several_trainings_in_a_file_it_is_the_last(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n0,3,NA\n1,2,9\n0,7,NA\n1,6,NA\n2,5,4\n")
    (run,) = runs.found_in(tmp_path).runs
    assert run.curves == {"loss": [7.0, 6.0, 5.0], "val_loss": [4.0]}
    assert run.when == {"loss": [0, 1, 2], "val_loss": [2]}


def test_tables_of_other_things_are_no_runs(tmp_path):
    (tmp_path / "houses.csv").write_text("rooms,price\n3,4\n")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="expected a run") as caught:
        runs.found_in(tmp_path)
    assert "CSVLogger" in str(caught.value)


def test_what_cannot_be_read_is_named_beside_what_can(tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"epoch,loss\n0,\xff\xfe\n")
    (tmp_path / "worse.csv").write_text("epoch,loss\nfirst,3\n")
    (tmp_path / "good.csv").write_text("epoch,loss\n0,3\n")
    found = runs.found_in(tmp_path)
    assert [run.name for run in found.runs] == ["good.csv"]
    assert [name for name, _ in found.skipped] == ["bad.csv", "worse.csv"]


def test_a_folder_of_tensorboard_is_a_run_with_its_time(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    history = fitted(keras.callbacks.TensorBoard(tmp_path / "deep" / "one"))
    (run,) = runs.found_in(tmp_path).runs
    assert (run.name, run.source, run.num_epochs) == ("deep/one", "TensorBoard", 3)
    assert run.curves["val_loss"] == pytest.approx(history.history["val_loss"], rel=1e-5)
    assert 0 < run.seconds < 60


def candidate(params, scores, error=None):
    scored = [{"score": score} for score in scores]
    return {"params": params, "test_scores": scored, "fit_seconds": [0.5, 0.5], "errors": [error]}


def test_a_folder_of_a_search_has_its_candidates_the_best_first(tmp_path):
    pytest.importorskip("sklearn")
    from doltap import tune

    def build(rate=0.1):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(rate), loss="mse")
        return model

    x = CHANCE.normal(size=(40, 3))
    grid = {"rate": [0.1, 0.0001]}
    search = tune.GridSearchCV(build, grid, cv=2, folder=tmp_path / "grid").fit(x, x.sum(1), epochs=3)
    (found,) = runs.found_in(tmp_path).searches
    assert (found.name, found.kind) == ("grid", "GridSearchCV")
    assert found.candidates[0].params == search.best_params_
    assert found.candidates[0].mean == pytest.approx(search.best_score_)


def test_candidates_that_failed_come_last(tmp_path):
    (tmp_path / "search.json").write_text(json.dumps({"format": "doltap search", "search": {}}))
    nan = float("nan")
    for number, kept in enumerate(
        [
            candidate({"a": 1}, [nan, nan], "boom"),
            candidate({"a": 2}, [0.5, 0.7]),
            candidate({"a": 3}, [0.9, 0.9]),
        ]
    ):
        (tmp_path / f"candidate-{number:06}.json").write_text(json.dumps(kept))
    (search,) = runs.found_in(tmp_path).searches
    assert [each.params["a"] for each in search.candidates] == [3, 2, 1]
    assert search.candidates[2].error == "boom"


@pytest.mark.parametrize("text", ["[", '{"format": "doltap search"}', "[" * 100_000, '{"format": 3}'])
def test_a_damaged_folder_of_a_search_is_no_crash(tmp_path, text):
    (tmp_path / "search.json").write_text(text)
    (tmp_path / "candidate-000000.json").write_text("{}")
    with pytest.raises(DataError, match="expected a run"):
        runs.found_in(tmp_path)


def test_hidden_folders_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside / ".hidden"):
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text("epoch,loss\n0,3\n")
    (inside / "link").symlink_to(outside)
    with pytest.raises(DataError):
        runs.found_in(inside)


def test_the_command_writes_the_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "ko")
    fitted(keras.callbacks.CSVLogger(tmp_path / "a.csv"))
    fitted(keras.callbacks.CSVLogger(tmp_path / "b.csv"), epochs=2)
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    assert "page.html: 2 runs" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "학습 2개 비교" in page
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "page.html"), "--language", "en"]) == 0
    assert "Comparison of 2 runs" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such folder"),
        (["log.csv"], "got a file"),
        (["empty"], "expected a run"),
        (["good", "--out", "no/such/page.html"], "a folder that is there"),
        (["good", "--language", "fr"], "language"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "good"):
        (tmp_path / name).mkdir()
    for path in ("log.csv", "good/log.csv"):
        (tmp_path / path).write_text("epoch,loss\n0,3\n")
    assert cli.main(["report", *words]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.html"))


def test_a_folder_that_does_not_exist_is_an_error_of_files():
    with pytest.raises(ModelFileError, match="no such folder"):
        runs.found_in("nowhere")
