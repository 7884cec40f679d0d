"""What the real TensorBoard shows of what was logged, asked over HTTP as its page does."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

import doltap
from board_server import Server, measured
from doltap.callbacks import HParams, TensorBoard
from doltap.layers import Dense

pytest.importorskip("tensorboardX")
pytest.importorskip("tensorboard")

X, Y = np.random.default_rng(0).random((32, 4), np.float32), np.ones(32, np.float32)


def build(units=4, rate=0.01):
    model = doltap.Sequential([doltap.Input((4,)), Dense(units, "relu", name="hidden"), Dense(1)])
    model.compile(doltap.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


def test_the_curves_are_those_of_the_history(tmp_path):
    board = TensorBoard(tmp_path, histogram_freq=1)
    history = build().fit(X, Y, epochs=3, validation_split=0.25, verbose=0, callbacks=[board]).history
    with Server(tmp_path) as server:
        tags = server.asked("scalars/tags", lambda found: len(found) == 2)
        assert set(tags) == {"train", "validation"}
        for run, key in (("train", "loss"), ("validation", "val_loss")):
            page = f"scalars/scalars?run={run}&tag=epoch_loss"
            points = server.asked(page, lambda found: len(found) == 3)
            assert [step for _, step, _ in points] == [0, 1, 2]
            assert [value for *_, value in points] == pytest.approx(history[key])
        tags = server.asked("histograms/tags", lambda found: "train" in found)["train"]
        (kernel,) = [tag for tag in tags if tag.endswith("hidden/kernel/histogram")]
        points = server.asked(f"histograms/histograms?run=train&tag={kernel}", lambda found: len(found) == 3)
        assert sum(count for _, _, count in points[0][2]) == 16


def test_one_object_at_two_fits_is_one_curve_and_what_is_no_number_is_shown(tmp_path):
    board, model = TensorBoard(tmp_path), build()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[board])
    model.compile("sgd", lambda y, guess: doltap.ops.mean(guess - y) * np.nan)
    with pytest.warns(UserWarning, match="The loss"):
        model.fit(X, Y, verbose=0, callbacks=[board])
    with Server(tmp_path) as server:
        points = server.asked("scalars/scalars?run=train&tag=epoch_loss", lambda found: len(found) == 3)
        graph = server.asked("graphs/info", lambda found: "train" in found)
    assert [step for _, step, _ in points] == [0, 1, 2]
    # JSON knows no NaN; TensorBoard's page takes the word for one.
    assert points[2][2] in ("NaN", pytest.approx(np.nan, nan_ok=True))
    assert graph["train"]["run_graph"]


def test_the_parameters_of_runs_stand_beside_what_they_led_to(tmp_path):
    wanted = {}
    for number, (units, rate) in enumerate([(2, 0.01), (8, 0.1)]):
        folder = tmp_path / f"run-{number}"
        parameters = {"units": np.int64(units), "rate": rate, "optimizer": "sgd", "shuffled": True}
        callbacks = [TensorBoard(folder), HParams(folder, parameters)]
        history = build(units, rate).fit(
            X, Y, epochs=2, validation_split=0.25, verbose=0, callbacks=callbacks
        )
        wanted[units] = history.history
    with Server(tmp_path) as server:
        groups = server.sessions(2)
    for group in groups:
        assert group["hparams"]["optimizer"] == "sgd"
        assert group["hparams"]["shuffled"] is True
        history = wanted[group["hparams"]["units"]]
        assert measured(group, "epoch_loss", "train") == pytest.approx(history["loss"][-1])
        assert measured(group, "epoch_mae", "validation") == pytest.approx(history["val_mae"][-1])


@pytest.mark.parametrize("place", ["logs/words.tsv", "words.tsv"])
def test_the_projector_shows_vectors_and_labels(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / place).write_text("a\nb\nc\n")
    words = doltap.layers.Embedding(3, 2, name="words")
    model = doltap.Sequential([doltap.Input((4,)), words, doltap.layers.Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    board = TensorBoard("logs", embeddings_freq=1, embeddings_metadata=place)
    model.fit(np.ones((8, 4), np.int32), np.ones(8), verbose=0, callbacks=[board])
    with Server(tmp_path / "logs") as server:
        (run,) = server.asked("projector/runs", bool)
        page = f"{server.address}projector/{{}}?run={run}&name=words"
        with urllib.request.urlopen(page.format("metadata"), timeout=30) as answer:
            assert answer.read() == b"a\nb\nc\n"
        with urllib.request.urlopen(page.format("tensor"), timeout=30) as answer:
            vectors = np.frombuffer(answer.read(), np.float32).reshape(3, 2)
    assert vectors == pytest.approx(words.get_weights()[0], rel=1e-4)


def test_a_search_writes_a_run_for_each_candidate_and_fold(tmp_path):
    parameters = {"units": [2, 4], "rate": [0.01, 0.1]}
    search = doltap.tune.GridSearchCV(build, parameters, cv=2)
    search.fit(X, Y, epochs=2, verbose=0, callbacks=[TensorBoard(tmp_path)])
    names = {f"candidate-{number:03d}" for number in range(4)}
    assert {path.name for path in tmp_path.iterdir()} == {*names, "best"}
    with Server(tmp_path) as server:
        groups = server.sessions(5)
    trials = [group for group in groups if len(group["sessions"]) == 2]
    assert {group["name"] for group in trials} == names
    for group in trials:
        number = int(group["name"].removeprefix("candidate-"))
        assert group["hparams"] == search.cv_results_["params"][number]
        assert measured(group, "score") == pytest.approx(search.cv_results_["mean_test_score"][number])
    (best,) = [group for group in groups if len(group["sessions"]) == 1]
    assert best["hparams"] == search.best_params_


def test_a_search_with_event_files_finds_what_it_finds_without(tmp_path):
    found = []
    for callbacks in ([], [TensorBoard(tmp_path, histogram_freq=1)]):
        doltap.utils.set_random_seed(1)
        search = doltap.tune.GridSearchCV(build, {"units": [2, 4]}, cv=2)
        search.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
        found.append(search.cv_results_["mean_test_score"].tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("names", [None, ["model__units", "epochs"]])
def test_a_search_of_scikit_learns_writes_a_run_for_each_fit(tmp_path, names):
    model_selection = pytest.importorskip("sklearn.model_selection")
    from doltap.wrappers.scikeras import KerasRegressor

    callbacks = [TensorBoard(tmp_path), HParams(tmp_path, names)]
    estimator = KerasRegressor(build, model__units=4, epochs=2, verbose=0, callbacks=callbacks)
    search = model_selection.RandomizedSearchCV(estimator, {"model__units": [2, 8]}, n_iter=2, cv=2)
    search.fit(X, Y)
    assert {path.name for path in tmp_path.iterdir()} == {f"run-{number:04d}" for number in range(1, 6)}
    with Server(tmp_path) as server:
        groups = server.sessions(5)
    units = [group["hparams"]["model__units"] for group in groups]
    assert sorted(units) == sorted([2, 2, 8, 8, search.best_params_["model__units"]])
    assert all(group["hparams"]["epochs"] == 2 for group in groups)
    assert all(len(group["hparams"]) == 2 for group in groups) is (names is not None)


def test_a_parameter_that_the_estimator_does_not_have_gets_a_guess(tmp_path):
    from doltap.wrappers.scikeras import KerasRegressor

    callbacks = [TensorBoard(tmp_path), HParams(tmp_path, ["model__unit"])]
    estimator = KerasRegressor(build, model__units=4, verbose=0, callbacks=callbacks)
    with pytest.raises(doltap.errors.UnknownNameError, match="'model__units'"):
        estimator.fit(X, Y)


NOTEBOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
assert shell.run_cell("%load_ext tensorboard").success
cell = shell.run_cell(f"%tensorboard --logdir {sys.argv[1]} --port {sys.argv[2]}")
assert cell.success
from tensorboard import manager
for one in manager.get_all():
    if one.port == int(sys.argv[2]):
        print("pid", one.pid)
"""


@pytest.mark.skipif(os.name == "nt", reason="a process is ended by a signal")
def test_a_cell_of_a_notebook_opens_tensorboard_on_the_folder(tmp_path):
    pytest.importorskip("IPython")
    build().fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", NOTEBOOK, str(tmp_path), str(port)]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "TMPDIR": str(tmp_path)}
    # As in an environment that was activated.
    environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert result.returncode == 0, result.stderr + result.stdout
    pid = re.search(r"pid (\d+)", result.stdout)
    assert pid, result.stdout
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/plugins_listing", timeout=30) as answer:
            assert "scalars" in json.load(answer)
    finally:
        os.kill(int(pid[1]), 15)
