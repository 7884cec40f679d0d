"""What TensorBoard itself finds in the files that are written for it."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

import doltap
from doltap import errors
from doltap.callbacks import TensorBoard
from doltap.layers import Add, Dense, Embedding, Flatten

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


def test_vectors_are_written_with_the_file_of_their_labels(tmp_path):
    model = doltap.Sequential([doltap.Input((3,)), Embedding(5, 2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "labels.tsv"})
    model.fit(np.ones((8, 3), np.int32), np.ones(8), verbose=0, callbacks=[board])
    assert np.loadtxt(tmp_path / "words.tsv") == pytest.approx(model.layers[0].get_weights()[0], rel=1e-4)
    described = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words.tsv"' in described
    assert 'metadata_path: "labels.tsv"' in described


def test_labels_for_a_layer_that_is_not_there_are_refused(tmp_path):
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"word": "labels.tsv"})
    model = doltap.Sequential([doltap.Input((3,)), Embedding(5, 2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(errors.UnknownNameError, match="'words'"):
        model.fit(np.ones((8, 3), np.int32), np.ones(8), verbose=0, callbacks=[board])


@pytest.mark.parametrize(
    "options",
    [
        {"histogram_freq": -1},
        {"update_freq": "epochs"},
        {"update_freq": 0},
        {"profile_batch": (3, 2)},
        {"profile_batch": "all"},
        {"embeddings_freq": 0.5},
        {"histogramm_freq": 1},
    ],
)
def test_a_setting_that_means_nothing_is_refused(options, tmp_path):
    with pytest.raises(errors.DoltapError):
        TensorBoard(tmp_path, **options)


def test_words_of_keras_2_are_understood(tmp_path):
    fit(tmp_path, batch_size=32, write_grads=False, profile_batch="2,3")


def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path):
    (tmp_path / "logs").write_text("a file")
    model = network()
    before = model.get_weights()
    with pytest.raises(errors.ModelFileError, match="log_dir"):
        fit(tmp_path / "logs", model)
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


def test_tensorboard_itself_serves_the_curves(tmp_path):
    fit(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tags = _asked(f"http://127.0.0.1:{port}/data/plugin/scalars/tags", server)
    finally:
        server.terminate()
        server.wait()
    assert set(tags) == {"train", "validation"}
    assert "epoch_loss" in tags["train"]


def _asked(address, server):
    """What the server answers, once it is up and has read the files."""
    for _ in range(300):
        assert server.poll() is None, "tensorboard ended"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                found = json.load(answer)
        except OSError:
            found = {}
        if len(found) == 2:
            return found
        time.sleep(0.2)
    raise AssertionError("tensorboard shows no curves")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(errors.ModelFileError, match="log_dir"):
        fit(tmp_path / "logs")
