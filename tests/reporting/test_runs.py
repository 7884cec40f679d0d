"""The runs and searches that `doltap report FOLDER` finds, and what it says of folders without any."""

import json
import subprocess
import sys
import time

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


def test_a_file_that_a_spreadsheet_saved_is_a_run_too(tmp_path):
    (tmp_path / "log.csv").write_text("epoch;loss\n0;3\n1;2\n", encoding="utf-8-sig")
    (run,) = runs.found_in(tmp_path).runs
    assert run.curves == {"loss": [3.0, 2.0]}


@pytest.mark.parametrize(("language", "said"), [("en", "It holds no epochs."), ("ko", "에포크가 없습니다.")])
def test_a_training_of_no_epochs_is_named(tmp_path, capsys, language, said):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    fitted(keras.callbacks.TensorBoard(tmp_path / "none"), epochs=0)
    fitted(keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    page = tmp_path / "page.html"
    assert cli.main(["report", str(tmp_path), "--out", str(page), "--language", language]) == 0
    assert said in page.read_text(encoding="utf-8")
    assert said in capsys.readouterr().err


def test_a_part_of_a_run_leads_to_the_run(tmp_path):
    pytest.importorskip("tensorboardX")
    fitted(keras.callbacks.TensorBoard(tmp_path), epochs=1)
    with pytest.raises(DataError, match=f"a part of one.\n.*doltap report {tmp_path}$"):
        runs.found_in(tmp_path / "train")


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
    assert found.skipped == [("bad.csv", "not_text"), ("worse.csv", "damaged")]


@pytest.mark.parametrize(("language", "said"), [("en", "not text in UTF-8"), ("ko", "UTF-8로 쓴")])
def test_why_a_file_is_not_read_is_a_sentence(tmp_path, capsys, language, said):
    (tmp_path / "bad.csv").write_bytes(b"epoch,loss\n0,\xff\xfe\n")
    (tmp_path / "good.csv").write_text("epoch,loss\n0,3\n")
    page = tmp_path / "page.html"
    assert cli.main(["report", str(tmp_path), "--out", str(page), "--language", language]) == 0
    assert said in page.read_text(encoding="utf-8")
    shown = capsys.readouterr().err
    assert said in shown
    assert "codec" not in shown


def test_a_folder_with_nothing_that_can_be_read_says_why_in_one_sentence(tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"epoch,loss\n0,\xff\xfe\n")
    with pytest.raises(DataError, match=r"bad.csv could not be read: It is not text in UTF-8\.\n"):
        runs.found_in(tmp_path)


def test_nothing_of_tensorboards_own_is_said_of_a_folder_of_two_trainings(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    for _ in range(2):
        fitted(keras.callbacks.TensorBoard(tmp_path))
    program = f"""
import doltap as keras
from doltap import cli
keras.callbacks.History.from_tensorboard({str(tmp_path)!r})
cli.main(["report", {str(tmp_path)!r}, "--out", {str(tmp_path / "a.html")!r}])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == ""


def test_a_folder_of_tensorboard_is_a_run_with_its_time(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    history = fitted(keras.callbacks.TensorBoard(tmp_path / "deep" / "one"))
    (run,) = runs.found_in(tmp_path).runs
    assert (run.name, run.source, run.num_epochs) == ("deep/one", "TensorBoard", 3)
    assert run.curves["val_loss"] == pytest.approx(history.history["val_loss"], rel=1e-5)
    assert 0 < run.seconds < 60


class Slow(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.3)


@pytest.mark.parametrize("is_one", [True, False])
def test_the_time_is_that_of_all_fits_that_the_curve_consists_of(tmp_path, is_one):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path)
    for epochs in (3, 2):
        # Another object begins another training, which is the one that counts.
        board = board if is_one else keras.callbacks.TensorBoard(tmp_path)
        began = time.time()
        fitted(Slow(), board, epochs=epochs)
    (run,) = runs.found_in(tmp_path).runs
    assert run.num_epochs == (5 if is_one else 2)
    assert run.seconds > (3 + 2) * 0.3 if is_one else run.seconds < time.time() - began


def candidate(params, scores, error=None):
    scored = [{"score": score} for score in scores]
    return {"params": params, "test_scores": scored, "fit_seconds": [0.5, 0.5], "errors": [error]}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_without_tensorboard_what_else_is_there_is_shown_with_the_line_that_installs_it(
    tmp_path, monkeypatch, capsys, language
):
    pytest.importorskip("tensorboardX")
    for number in range(7):
        fitted(keras.callbacks.TensorBoard(tmp_path / "boards" / f"run-{number}"), epochs=1)
    fitted(keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    page = tmp_path / "page.html"
    assert cli.main(["report", str(tmp_path), "--out", str(page), "--language", language]) == 0
    text, said = page.read_text(encoding="utf-8"), capsys.readouterr()
    assert "log.csv" in text
    assert "pip install &quot;doltap[board]&quot;" in text
    assert text.count("doltap[board]") == 1
    assert "run-4, … (7)" in said.err
    assert ("Not read" in said.err) is (language == "en")
    assert cli.main(["report", str(tmp_path / "boards"), "--out", str(page)]) == 1
    assert "the package 'tensorboard': expected it to be installed" in capsys.readouterr().err


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
    assert "page.html: 학습 2개, 탐색 0개" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "학습 2개 비교" in page
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "page.html"), "--language", "en"]) == 0
    assert "Comparison of 2 runs" in (tmp_path / "page.html").read_text(encoding="utf-8")
    (tmp_path / "b.csv").unlink()
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "page.html"), "--language", "en"]) == 0
    assert "page.html: 1 run, 0 searches" in capsys.readouterr().out
    assert "Comparison of 1 run<" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such folder"),
        (["log.csv"], "got a file"),
        (["empty"], "expected a run"),
        (["good", "--out", "no/such/page.html"], "a folder that is there"),
        (
            ["good", "--out", "x.txt"],
            "a path that ends in .html or .htm, got 'x.txt'.\n  Did you mean 'x.html'?",
        ),
        (["nowhere", "--out", "x.txt"], "Did you mean 'x.html'?"),
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
    assert not [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.txt")]


def test_a_folder_that_does_not_exist_is_an_error_of_files():
    with pytest.raises(ModelFileError, match="no such folder"):
        runs.found_in("nowhere")
