"""What TensorBoard itself finds in the files that are written for it."""

import copy
import os
import re
import stat
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import doltap
from doltap import errors
from doltap.callbacks import Callback, HParams, TensorBoard
from doltap.layers import Add, Dense, Embedding, Flatten
from doltap.reporting import events as event_files
from doltap.reporting import histograms

pytest.importorskip("tensorboardX")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

X, Y = np.random.default_rng(0).random((64, 4), np.float32), np.ones(64, np.float32)


def network():
    inputs = doltap.Input((4,))
    hidden = Dense(4, "relu", name="hidden")(inputs)
    model = doltap.Model(inputs, Dense(1, name="out")(Add(name="sum")([inputs, hidden * 2])), name="net")
    model.compile("adam", "mse", metrics=["mae"])
    return model


def read(folder):
    events = accumulator.EventAccumulator(
        str(folder), size_guidance={accumulator.IMAGES: 0, accumulator.HISTOGRAMS: 0}
    )
    events.Reload()
    return events


def fit(folder, model=None, epochs=2, **options):
    model = model or network()
    history = model.fit(
        X, Y, epochs=epochs, validation_split=0.25, verbose=0, callbacks=[TensorBoard(folder, **options)]
    )
    return model, history.history


def test_every_epoch_is_a_point_of_its_curve(tmp_path):
    _, history = fit(tmp_path)
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert train.Tags()["scalars"] == ["epoch_loss", "epoch_mae", "epoch_learning_rate"]
    for events, key, tag in (
        (train, "loss", "epoch_loss"),
        (train, "mae", "epoch_mae"),
        (validation, "val_loss", "epoch_loss"),
    ):
        points = events.Scalars(tag)
        assert [point.step for point in points] == [0, 1]
        assert [point.value for point in points] == pytest.approx(history[key])
    assert train.Scalars("epoch_learning_rate")[0].value == pytest.approx(0.001)
    steps = validation.Scalars("evaluation_loss_vs_iterations")
    assert [point.step for point in steps] == [2, 4]


def test_its_tags_are_those_of_keras(tmp_path):
    fit(tmp_path, histogram_freq=1, write_images=True, write_steps_per_second=True, update_freq="batch")
    train = read(tmp_path / "train")
    wanted = {"batch_loss", "batch_mae", "epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(train.Tags()["scalars"]) == wanted | {"epoch_steps_per_second"}
    weights = {f"{layer}/{weight}" for layer in ("hidden", "out") for weight in ("kernel", "bias")}
    assert set(train.Tags()["histograms"]) == {f"{weight}/histogram" for weight in weights}
    # A single number is no picture.
    assert set(train.Tags()["images"]) == {f"{weight}/image" for weight in weights - {"out/bias"}}
    assert [point.step for point in train.Scalars("batch_loss")] == [1, 2, 3, 4]


def test_a_histogram_counts_the_weights_and_an_image_has_their_shape(tmp_path):
    model, _ = fit(tmp_path, histogram_freq=2, write_images=True, epochs=3)
    train = read(tmp_path / "train")
    (first, last) = train.Histograms("hidden/kernel/histogram")
    assert (first.step, last.step) == (0, 2)
    assert last.histogram_value.num == 16
    kernel = model.get_layer("hidden").kernel.numpy()
    assert last.histogram_value.sum == pytest.approx(kernel.sum(), rel=1e-4)
    picture = train.Images("out/kernel/image")[0]
    assert (picture.height, picture.width) == (1, 4)


def test_the_graph_leads_from_layer_to_layer_through_operations(tmp_path):
    fit(tmp_path)
    nodes = {node.name: node for node in read(tmp_path / "train").Graph().node}
    (start,) = [name for name in nodes if name.startswith("input")]
    assert list(nodes["sum"].input) == [start, "hidden"]
    assert list(nodes["out"].input) == ["sum"]
    assert nodes["hidden"].op == "Dense"


def test_without_a_graph_there_is_none(tmp_path):
    fit(tmp_path, write_graph=False)
    with pytest.raises(ValueError, match="no graph"):
        read(tmp_path / "train").Graph()


def test_only_a_number_of_batches_makes_it_hear_batches(tmp_path):
    assert TensorBoard(tmp_path).unheard == ("on_train_batch_begin", "on_train_batch_end")
    assert TensorBoard(tmp_path, update_freq=3).unheard == ()


def test_a_class_of_ones_own_hears_its_batches(tmp_path):
    heard = []

    class Mine(TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            heard.append(batch)

    network().fit(X, Y, verbose=0, callbacks=[Mine(tmp_path)])
    assert heard == [0, 1]


def test_the_profiler_watches_the_batches_asked_for(tmp_path):
    fit(tmp_path, profile_batch=(2, 3))
    assert list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_an_interruption_ends_the_profiler_too(tmp_path):
    class Ending(Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    board = TensorBoard(tmp_path / "first", profile_batch=(1, 8))
    with pytest.raises(KeyboardInterrupt):
        network().fit(X, Y, verbose=0, callbacks=[board, Ending()])
    fit(tmp_path / "second", profile_batch=(2, 3))
    for folder in ("first", "second"):
        assert list((tmp_path / folder).rglob("*.xplane.pb"))


def test_of_two_profilers_at_once_one_watches_and_the_other_says_so(tmp_path):
    boards = [TensorBoard(tmp_path / name, profile_batch=(1, 2)) for name in "ab"]
    with pytest.warns(UserWarning, match="b', profile_batch=.*watches no batch: .* one profiler at a time"):
        history = network().fit(X, Y, epochs=2, verbose=0, callbacks=boards)
    assert history.epoch == [0, 1]
    assert [bool(list((tmp_path / name).rglob("*.xplane.pb"))) for name in "ab"] == [True, False]


def fit_words(board):
    model = doltap.Sequential([doltap.Input((3,)), Embedding(5, 2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3), np.int32), np.ones(8), verbose=0, callbacks=[board])
    return model


@pytest.mark.parametrize(
    ("given", "there", "kept"),
    [
        ("words.tsv", "logs/words.tsv", "words.tsv"),
        ("logs/meta.tsv", "logs/meta.tsv", "meta.tsv"),
        ("meta.tsv", "meta.tsv", "projector/words-labels.tsv"),
        ({"words": 'logs/말 "1".tsv'}, 'logs/말 "1".tsv', '말 \\"1\\".tsv'),
    ],
)
def test_vectors_are_written_beside_their_labels_wherever_these_are(
    tmp_path, monkeypatch, given, there, kept
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / there).write_text("a\nb\nc\nd\ne\n")
    model = fit_words(TensorBoard("logs", embeddings_freq=1, embeddings_metadata=given))
    described = (tmp_path / "logs/projector_config.pbtxt").read_text(encoding="utf-8")
    vectors = re.search('tensor_path: "(.*)"', described)[1]
    assert np.loadtxt(tmp_path / "logs" / vectors) == pytest.approx(
        model.layers[0].get_weights()[0], rel=1e-4
    )
    assert f'metadata_path: "{kept}"' in described
    for path in (tmp_path / there, tmp_path / "logs" / kept.replace("\\", "")):
        assert path.read_text() == "a\nb\nc\nd\ne\n"


@pytest.mark.parametrize("given", ["labels.tsv", {"words": "no/labels.tsv"}, "projector/words-vectors.tsv"])
def test_labels_that_are_not_there_are_refused_before_training(tmp_path, given):
    (tmp_path / "projector").mkdir()
    (tmp_path / "projector/words-vectors.tsv").write_text("1\t2")
    with pytest.raises(errors.DataError, match=r"label for each vector, got (no such|the) file"):
        fit_words(TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata=given))
    assert (tmp_path / "projector/words-vectors.tsv").read_text() == "1\t2"


def test_labels_for_a_layer_that_is_not_there_are_refused(tmp_path):
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"word": "labels.tsv"})
    model = doltap.Sequential([doltap.Input((3,)), Embedding(5, 2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(errors.UnknownNameError, match="'words'"):
        model.fit(np.ones((8, 3), np.int32), np.ones(8), verbose=0, callbacks=[board])


@pytest.mark.parametrize(
    "options",
    [
        {"log_dir": None},
        {"log_dir": 3},
        {"log_dir": "a\0b"},
        {"histogram_freq": -1},
        {"histogram_freq": True},
        {"update_freq": "epochs"},
        {"update_freq": 0},
        {"profile_batch": (3, 2)},
        {"profile_batch": "a,b"},
        {"profile_batch": "2,b"},
        {"profile_batch": "all"},
        {"embeddings_freq": 0.5},
    ],
)
def test_a_setting_that_means_nothing_is_refused_and_quoted(options, tmp_path):
    ((name, value),) = options.items()
    with pytest.raises(errors.DoltapError) as caught:
        TensorBoard(**{"log_dir": tmp_path, **options})
    assert f"TensorBoard({name})" in str(caught.value)
    assert f"got {value!r}" in str(caught.value)


def test_a_misspelt_setting_gets_a_guess_and_a_word_its_choices(tmp_path):
    with pytest.raises(errors.UnknownArgumentError, match="histogram_freq"):
        TensorBoard(tmp_path, histogramm_freq=1)
    with pytest.raises(errors.DataError, match="expected 'epoch', 'batch' or a number of batches"):
        TensorBoard(tmp_path, update_freq="epochs")


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path):
    one = np.int64(1)
    fit(tmp_path, histogram_freq=one, update_freq=one, embeddings_freq=one, profile_batch=(one, one))
    assert read(tmp_path / "train").Tags()["histograms"]


def test_words_of_keras_2_are_understood(tmp_path):
    fit(tmp_path, batch_size=32, write_grads=False, profile_batch="2,3")


@pytest.mark.parametrize("options", [{}, {"embeddings_freq": 1}])
def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path, options):
    (tmp_path / "logs").write_text("a file")
    model = network()
    before = model.get_weights()
    with pytest.raises(errors.ModelFileError, match="log_dir"):
        fit(tmp_path / "logs", model, **options)
    assert all((old == new).all() for old, new in zip(before, model.get_weights(), strict=True))


def test_without_tensorboardx_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(errors.MissingPackageError, match=r"doltap\[board\]"):
        TensorBoard("logs")


def test_a_second_training_goes_on_in_the_same_folder(tmp_path):
    model, _ = fit(tmp_path)
    board = TensorBoard(tmp_path)
    model.fit(X, Y, initial_epoch=2, epochs=3, verbose=0, callbacks=[board])
    model.evaluate(X, Y, verbose=0, callbacks=[board])
    found = {path.parent.name for path in tmp_path.glob("*/events*")}
    assert found == {"train", "validation"}
    assert [point.step for point in read(tmp_path / "train").Scalars("epoch_loss")] == [0, 1, 2]


def test_one_object_at_several_fits_writes_one_curve_and_one_graph(tmp_path, caplog):
    model, board = network(), TensorBoard(tmp_path, histogram_freq=1)
    losses = []
    for spans in ({"epochs": 2}, {"epochs": 3}, {"initial_epoch": 5, "epochs": 6}):
        history = model.fit(X, Y, validation_split=0.25, verbose=0, callbacks=[board], **spans).history
        losses += history["loss"]
    train = read(tmp_path / "train")
    assert "graph event" not in caplog.text
    assert train.Graph().node
    points = train.Scalars("epoch_loss")
    assert [point.step for point in points] == [0, 1, 2, 3, 4, 5]
    assert [point.value for point in points] == pytest.approx(losses)
    assert [point.step for point in train.Histograms("hidden/kernel/histogram")] == [0, 1, 2, 3, 4, 5]
    validation = read(tmp_path / "validation").Scalars("epoch_loss")
    assert [point.step for point in validation] == [0, 1, 2, 3, 4, 5]
    assert doltap.callbacks.History.from_tensorboard(tmp_path).history["loss"] == pytest.approx(losses)


def test_a_copy_of_a_used_object_begins_at_the_first_epoch_with_a_graph(tmp_path):
    model, board = network(), TensorBoard(tmp_path / "first")
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[board])
    other = copy.copy(board)
    other.log_dir = str(tmp_path / "second")
    model.fit(X, Y, verbose=0, callbacks=[other])
    found = read(tmp_path / "second" / "train")
    assert [point.step for point in found.Scalars("epoch_loss")] == [0]
    assert found.Graph().node


@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_what_is_no_number_is_a_point_too_and_prints_nothing(tmp_path, caplog, spoiled):
    model = network()
    model.compile("sgd", lambda y, guess: doltap.ops.mean(guess - y) * spoiled)
    with pytest.warns(UserWarning, match="(?i)the loss"):
        model.fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=1)])
    (point,) = read(tmp_path / "train").Scalars("epoch_loss")
    assert not np.isfinite(point.value)
    assert "NaN" not in caplog.text


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(errors.ModelFileError, match="log_dir"):
        fit(tmp_path / "logs")


def test_a_validation_folder_that_cannot_be_made_is_named_before_training(tmp_path):
    (tmp_path / "validation").write_text("a file")
    model = network()
    with pytest.raises(errors.ModelFileError, match=r"log_dir=.*validation"):
        fit(tmp_path, model)
    assert int(model.optimizer.iterations) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])


# Histograms.


ARRAYS = [
    np.random.default_rng(1).normal(size=(7, 11)).astype(np.float32),
    np.array([3.0], np.float32),
    np.array([np.nan, -np.inf, 1.0, 2.0, 2.5], np.float32),
    np.full((2, 2), np.nan, np.float32),
    np.arange(12),
    np.array([True, False, True]),
]


@pytest.mark.parametrize("number", range(len(ARRAYS)))
def test_the_program_counts_what_numpy_counts(number):
    found = histograms.Histograms(*map(np.asarray, histograms.counted(ARRAYS)))
    values = ARRAYS[number].astype(np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    assert found.counts[number].sum() == len(values)
    if not len(values):
        return
    assert (found.low[number], found.high[number]) == (values.min(), values.max())
    assert found.sums[number] == pytest.approx(values.sum(), rel=1e-5, abs=1e-5)
    assert found.squares[number] == pytest.approx((values**2).sum(), rel=1e-5)
    if values.min() < values.max():
        expected = np.histogram(values, histograms.NUM_BUCKETS)[0]
        assert abs(found.counts[number] - expected).sum() <= 2


def test_weights_that_are_no_numbers_are_left_out(tmp_path):
    writer = event_files.Writer()
    file = writer.open(str(tmp_path))
    names = [f"array_{number}" for number in range(len(ARRAYS))]
    file.add_histograms(names, histograms.counted(ARRAYS), 5)
    writer.close()
    events = read(tmp_path)
    assert set(events.Tags()["histograms"]) == {*names} - {"array_3"}
    histogram = events.Histograms("array_2")[0].histogram_value
    assert (histogram.min, histogram.max, histogram.num) == (1.0, 2.5, 3)
    assert histogram.bucket_limit[-1] == 2.5
    alone = events.Histograms("array_1")[0].histogram_value
    assert (alone.bucket_limit, alone.bucket) == ([3.0], [1.0])


# The thread that writes.


def test_a_disk_that_is_full_is_said_at_the_end_and_ends_no_training(tmp_path, monkeypatch):
    writer = pytest.importorskip("tensorboardX.event_file_writer").EventsWriter
    usual = writer.write_event

    def full(self, event):
        if event.step == 1:
            raise OSError(28, "No space left on device")
        usual(self, event)

    monkeypatch.setattr(writer, "write_event", full)
    board = TensorBoard(tmp_path, histogram_freq=1)
    with pytest.warns(UserWarning, match="could not write to .*: No space left on device"):
        history = network().fit(X, Y, epochs=4, verbose=0, callbacks=[board])
    assert len(history.epoch) == 4
    assert [point.step for point in read(tmp_path / "train").Scalars("epoch_loss")] == [0]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, RuntimeError("mine")])
def test_what_was_logged_before_an_interruption_is_on_the_disk(tmp_path, ending):
    class Ending(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise ending

    board = TensorBoard(tmp_path)
    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        network().fit(X, Y, epochs=4, verbose=0, callbacks=[board, HParams(tmp_path, {"a": 1}), Ending()])
    assert not [thread for thread in threading.enumerate() if thread.name == "writing event files"]
    assert [point.step for point in read(tmp_path / "train").Scalars("epoch_loss")] == [0, 1, 2]


PROGRAM = """
import os, signal, sys
import numpy as np
import doltap

class Ending(doltap.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

model = doltap.Sequential([doltap.layers.Dense(1)])
model.compile("sgd", "mse")
board = doltap.callbacks.TensorBoard(sys.argv[1], histogram_freq=1)
model.fit(np.ones((8, 2)), np.ones(8), epochs=1000, verbose=0, callbacks=[board, Ending()])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signal")
def test_a_program_that_is_interrupted_leaves_whole_files(tmp_path):
    result = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True)
    assert "KeyboardInterrupt" in result.stderr
    assert "Exception" not in result.stderr
    train = read(tmp_path / "train")
    assert [point.step for point in train.Scalars("epoch_loss")][:3] == [0, 1, 2]
    assert len(train.Histograms("sequential/dense/kernel/histogram")) >= 3


def test_a_copy_of_a_callback_in_use_writes_files_of_its_own(tmp_path):
    board = TensorBoard(tmp_path)
    copies = []

    class Copying(Callback):
        def on_epoch_end(self, epoch, logs=None):
            copies.append(copy.copy(board))

    network().fit(X, Y, verbose=0, callbacks=[board, Copying()])
    assert copies[0]._writer is None
    assert len(read(tmp_path / "train").Scalars("epoch_loss")) == 1


# Parameters.


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, np.ones(2)])
def test_a_parameter_that_tensorboard_does_not_take_is_refused(value):
    with pytest.raises(errors.DataError, match="units"):
        HParams("logs", {"units": value})


def test_parameters_are_missing_for_a_model_of_its_own(tmp_path):
    with pytest.raises(errors.DataError, match="a dict of names and values"):
        network().fit(X, Y, verbose=0, callbacks=[HParams(tmp_path)])


def test_parameters_in_a_folder_that_cannot_be_written_are_refused_before_training(tmp_path):
    (tmp_path / "logs").write_text("a file")
    model = network()
    with pytest.raises(errors.ModelFileError, match=r"HParams\(log_dir=.*\n.*HParams\('logs'\)"):
        model.fit(X, Y, verbose=0, callbacks=[HParams(tmp_path / "logs", {"units": 4})])
    assert int(model.optimizer.iterations) == 0
