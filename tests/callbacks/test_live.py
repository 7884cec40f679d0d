"""Curves that move while a model trains, and the pictures and tables of a History."""

import os
import sys
import threading
import time

import numpy as np
import pytest

import doltap
from doltap import errors
from doltap.callbacks import Callback, History, LambdaCallback, LivePlot, TensorBoard
from doltap.layers import Dense
from doltap.reporting.fonts import with_korean

pytest.importorskip("matplotlib").use("agg")

X, Y = np.random.default_rng(0).random((64, 4), np.float32), np.ones(64, np.float32)
PNG = b"\x89PNG"


def network():
    model = doltap.Sequential([doltap.Input((4,)), Dense(4, "relu"), Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(*callbacks, epochs=3, **options):
    return network().fit(X, Y, epochs=epochs, verbose=0, callbacks=list(callbacks), **options)


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_curves_are_drawn_while_training_goes_on(tmp_path):
    path, seen = tmp_path / "curves.png", []

    def look(epoch, logs):
        time.sleep(0.05)
        seen.append(path.read_bytes()[:4] if path.exists() else None)

    # Long enough for a drawing to be made between the epochs.
    fit(LivePlot(path, seconds=0.01), LambdaCallback(on_epoch_end=look), epochs=60)
    assert PNG in seen
    assert path.read_bytes().startswith(PNG)
    assert os.listdir(tmp_path) == ["curves.png"], "what was unfinished is gone"
    assert not drawing_threads()


def drawing_threads():
    return [thread for thread in threading.enumerate() if thread.name == "drawing curves"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("carrier", [None, "loop", "threads", "vmap"])
def test_a_training_that_fails_is_drawn_once_more_and_never_again(tmp_path, error, carrier):
    class Failing(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 3:
                raise error("of the user's")

    def callbacks(number=0):
        return [LivePlot(tmp_path / f"{number}.svg", seconds=0.01), Failing()]

    model, given = network(), callbacks if carrier else callbacks()
    trained = doltap.models.Population([model, network()], carrier=carrier) if carrier else model
    with pytest.raises(error, match="of the user's"):
        trained.fit(X, Y, epochs=9, verbose=0, callbacks=given)
    assert not drawing_threads()
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert b"<!-- loss -->" in drawn["0.svg"]
    model.fit(X, Y, epochs=3, verbose=0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == drawn


def test_an_error_before_the_first_epoch_ends_the_drawing_too(tmp_path):
    def fail(logs):
        raise ValueError("at once")

    plot = LivePlot(tmp_path / "curves.png", seconds=0.01)
    with pytest.raises(ValueError, match="at once"):
        fit(plot, LambdaCallback(on_train_begin=fail))
    assert not drawing_threads()
    assert not list(tmp_path.iterdir())
    fit(plot)
    assert os.listdir(tmp_path) == ["curves.png"], "the same one draws the next training"


def test_a_drawing_that_fails_at_the_end_loses_no_history(tmp_path):
    path = tmp_path / "curves.png"
    plot = LivePlot(path, seconds=100)
    with pytest.warns(UserWarning, match="LivePlot: the last drawing failed.*a folder"):
        history = fit(plot, LambdaCallback(on_epoch_end=lambda epoch, logs: path.mkdir(exist_ok=True)))
    assert history.epoch == [0, 1, 2]
    assert os.listdir(tmp_path) == ["curves.png"], "nothing unfinished is left"
    assert not drawing_threads()


def test_what_goes_wrong_while_a_training_fails_stands_with_its_error(tmp_path):
    path = tmp_path / "curves.png"

    def fail(epoch, logs):
        path.mkdir(exist_ok=True)
        if epoch == 1:
            raise ValueError("of the user's")

    # Warnings are errors here: it must not stand in place of the first one.
    with pytest.raises(ValueError, match="of the user's") as caught:
        fit(LivePlot(path, seconds=100), LambdaCallback(on_epoch_end=fail))
    assert "LivePlot: the last drawing failed" in caught.value.__notes__[0]


def test_nothing_is_stopped_for_a_drawing(tmp_path):
    calls = []

    class Counting(Callback):
        def on_train_end(self, logs=None):
            calls.append(self.model.history.epoch)

    model = network()
    listeners = doltap.callbacks.CallbackList([LivePlot(tmp_path / "curves.png"), Counting()], model=model)
    assert not listeners.listens_to("on_epoch_end", "on_epoch_begin", "on_train_batch_end")


def test_the_last_drawing_holds_every_epoch(tmp_path):
    fit(LivePlot(tmp_path / "curves.svg", metrics="loss", seconds=100), validation_split=0.25)
    text = (tmp_path / "curves.svg").read_text()
    assert "<svg" in text
    assert text.count("<!-- loss -->") == 1
    assert "<!-- validation -->" in text


def test_training_keeps_its_bits(tmp_path):
    weights = []
    for callbacks in ([], [LivePlot(tmp_path / "a.png", seconds=0.001)]):
        doltap.utils.set_random_seed(3)
        model = network()
        model.fit(X, Y, epochs=20, verbose=0, callbacks=callbacks)
        weights.append(np.concatenate([each.ravel() for each in model.get_weights()]))
    np.testing.assert_array_equal(*weights)


def test_without_a_screen_it_draws_to_a_file_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fit(LivePlot())
    assert (tmp_path / "training.png").read_bytes().startswith(PNG)
    assert "training.png" in capsys.readouterr().err


def test_in_a_notebook_the_picture_stands_below_the_cell(monkeypatch):
    shown = []

    class Handle:
        def update(self, image):
            shown.append(("again", image.data[:4]))

    class Shell:
        kernel = object()

    display = pytest.importorskip("IPython.display")

    def first(image, display_id):
        shown.append(("first", image.data[:4]))
        return Handle()

    monkeypatch.setattr(display, "display", first)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", Shell)
    fit(LivePlot(seconds=0.01), LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.05)), epochs=30)
    assert shown[0] == ("first", PNG)
    assert set(shown[1:]) == {("again", PNG)}


def test_a_training_of_no_epochs_draws_nothing_and_says_so_of_nothing(tmp_path, capsys):
    fit(LivePlot(tmp_path / "a.png"), epochs=0)
    assert not list(tmp_path.iterdir())
    assert "curves" not in capsys.readouterr().err


def test_names_are_drawn_letter_by_letter_in_korean_too(tmp_path):
    if not with_korean():
        pytest.skip("no typeface with Korean letters is installed, or matplotlib has not heard of it")
    history = History()
    history.history, history.epoch, history.when = {"나이_$x": [1.0, 2.0]}, [0, 1], {"나이_$x": [0, 1]}
    figure = history.plot()
    # matplotlib warns of letters that it has not, and warnings are errors here.
    figure.savefig(tmp_path / "a.png")
    assert figure.axes[0].get_title() == "나이 $x"
    assert not figure.axes[0].title.get_parse_math()


def test_without_ipython_a_file_is_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "IPython", None)
    fit(LivePlot())
    assert (tmp_path / "training.png").read_bytes()[:4] == PNG


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"path": "curves"}, errors.DataError, r"ends in \.png.*\n.*Did you mean 'curves.png'"),
        ({"path": 3}, errors.ModelFileError, r"LivePlot\(path\): expected the path of a file, as text"),
        ({"path": "nowhere/curves.png"}, errors.ModelFileError, "a folder that is there"),
        ({"path": "/proc/curves.png"}, errors.ModelFileError, "a folder that is there"),
        ({"path": "folder.png"}, errors.ModelFileError, "expected a file to write, got a folder"),
        ({"seconds": 0}, errors.DataError, "a number above 0"),
        ({"metrics": ["lose"]}, errors.UnknownNameError, "'loss'"),
        ({"seconds_": 2}, errors.UnknownArgumentError, "seconds"),
    ],
)
def test_bad_input_is_refused_before_training(tmp_path, monkeypatch, options, error, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    model = network()
    with pytest.raises(error, match=words):
        model.fit(X, Y, verbose=0, callbacks=[LivePlot(**options)])
    assert int(model.optimizer.iterations.numpy()) == 0


def test_without_matplotlib_the_line_that_installs_it_is_told_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(errors.MissingPackageError, match=r"doltap\[plot\]"):
        LivePlot()


def test_a_history_plots_each_measure_with_its_validation():
    figure = fit(validation_split=0.25).plot()
    assert titles(figure) == ["loss", "mae"]
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["training", "validation"]
        assert list(axes.lines[0].get_xdata()) == [1, 2, 3]
    np.testing.assert_allclose(fit().plot("loss").axes[0].lines[0].get_ydata()[0], 1, atol=10)


def test_a_history_plots_what_is_asked_for():
    history = fit()
    assert titles(history.plot(["mae"])) == ["mae"]
    with pytest.raises(errors.UnknownNameError, match="'mae'"):
        history.plot(["maee"])
    with pytest.raises(errors.DataError, match="at least one epoch"):
        History().plot()


def test_a_history_is_a_table():
    pandas = pytest.importorskip("pandas")
    history = fit(validation_split=0.25, validation_freq=2, epochs=4)
    frame = history.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.index) == [0, 1, 2, 3]
    assert list(frame["loss"]) == history.history["loss"]
    assert list(frame["val_loss"].dropna().index) == [1, 3]
    assert list(history.plot("loss").axes[0].lines[1].get_xdata()) == [2, 4]


def test_a_history_comes_back_from_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    history = fit(TensorBoard(tmp_path), validation_split=0.25, epochs=5)
    found = History.from_tensorboard(tmp_path)
    assert found.epoch == history.epoch
    for name, values in history.history.items():
        assert found.history[name] == pytest.approx(values, rel=1e-6)
    assert titles(found.plot(["loss"])) == ["loss"]


def test_of_two_trainings_in_one_folder_the_last_comes_back(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    fit(TensorBoard(tmp_path), validation_split=0.25, epochs=5)
    for epochs in (2, 3, 1, 1):
        history = fit(TensorBoard(tmp_path), epochs=epochs)
        found = History.from_tensorboard(tmp_path)
        assert found.epoch == history.epoch
        assert {*found.history} - {"learning_rate"} == {*history.history}
        assert found.history["loss"] == pytest.approx(history.history["loss"], rel=1e-6)


def test_a_training_that_went_on_comes_back_whole(tmp_path):
    pytest.importorskip("tensorboardX")
    pytest.importorskip("tensorboard")
    first = fit(TensorBoard(tmp_path), epochs=4)
    later = fit(TensorBoard(tmp_path), initial_epoch=2, epochs=6)
    found = History.from_tensorboard(tmp_path)
    assert found.epoch == [0, 1, 2, 3, 4, 5]
    assert found.history["loss"] == pytest.approx(first.history["loss"][:2] + later.history["loss"], rel=1e-6)


def test_a_folder_without_event_files_is_refused(tmp_path):
    pytest.importorskip("tensorboard")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(errors.ModelFileError, match="TensorBoard"):
            History.from_tensorboard(folder)
