"""The CSV file holds what real Keras writes, whatever ends the training."""

from __future__ import annotations

import csv
import os

import jax.numpy as jnp
import numpy as np
import pytest
from callback_runs import fit, model_of, quiet_peer

import doltap
from doltap.callbacks import Callback, CSVLogger
from doltap.errors import DataError, UnknownArgumentError

pytestmark = quiet_peer


def table(path, separator=","):
    """The lines of the file; numbers are rounded, for the last digits differ."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file, delimiter=separator))
    return [[_rounded(field) for field in row] for row in rows]


def _rounded(field):
    try:
        return round(float(field), 4)
    except ValueError:
        return field


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("keywords", [{}, {"validation_split": 0.5}])
def test_the_file_of_a_fit_is_that_of_keras(keras, tmp_path, separator, keywords):
    tables = []
    for library in (keras, doltap):
        path = tmp_path / f"{library.__name__}.csv"
        fit(model_of(library), [library.callbacks.CSVLogger(path, separator)], **keywords)
        tables.append(table(path, separator))
        assert path.read_bytes().count(b"\r\n") == 3
    assert tables[0] == tables[1]
    assert tables[1][0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]


EPOCHS = {
    "numbers": [{"loss": 0.5}, {"loss": 1e-9}],
    "arrays": [{"loss": np.float32(0.5), "a": np.array(2.0), "b": np.array([1.0, 2.0]), "c": [3, 4]}],
    "words": [{"b": "word", "a": 'with "quotes", and commas', "val_a": None}],
    "a column that is missing later": [{"loss": 1.0, "mae": 2.0}, {"loss": 1.0}],
    "a column that comes later": [{"loss": 1.0}, {"loss": 1.0, "mae": 2.0}],
    "validation that comes later": [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}],
    "nothing": [{}, {"loss": 1.0}],
}


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("before", [None, "", "old line\n"])
@pytest.mark.parametrize("epochs", EPOCHS.values(), ids=EPOCHS)
def test_a_file_has_the_bytes_that_keras_writes(keras, tmp_path, epochs, before, append):
    written = []
    for library in (keras, doltap):
        path = tmp_path / f"{library.__name__}.csv"
        if before is not None:
            path.write_text(before)
        logger = library.callbacks.CSVLogger(str(path), append=append)
        for _ in range(2):  # A second fit goes on with the same object.
            logger.on_train_begin()
            for epoch, logs in enumerate(epochs):
                logger.on_epoch_end(epoch, dict(logs))
            logger.on_train_end()
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_numbers_of_the_device_are_written_as_numbers(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": jnp.float32(0.5)})
    assert table(tmp_path / "log.csv")[1][:2] == [0.0, 0.5]


def test_every_epoch_that_ended_is_in_the_file_after_an_error_and_nothing_stays_open(tmp_path):
    class Fails(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyError("mine")

    path = tmp_path / "log.csv"
    with pytest.raises(KeyError, match="mine"):
        fit(model_of(doltap), [CSVLogger(path), Fails()], epochs=4)
    assert [row[0] for row in table(path)] == ["epoch", 0.0, 1.0]
    if os.path.isdir("/proc/self/fd"):
        links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        assert str(path) not in [os.readlink(link) for link in links if os.path.islink(link)]


def test_a_program_that_changes_its_folder_still_writes_to_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside").mkdir()
    away = doltap.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: os.chdir(tmp_path / "inside"))
    fit(model_of(doltap), [away, CSVLogger("log.csv")])
    assert len(table(tmp_path / "log.csv")) == 3
    assert not os.listdir(tmp_path / "inside")


def test_a_folder_that_is_not_there_is_said_before_training(tmp_path):
    model = model_of(doltap)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fit(model, [CSVLogger(tmp_path / "nowhere" / "log.csv")])
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="folder"):
        fit(model, [CSVLogger(tmp_path / "folder")])
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize("wrong", ["", ", ", None])
def test_a_separator_is_one_character(wrong):
    with pytest.raises(DataError, match="separator"):
        CSVLogger("log.csv", wrong)


def test_a_misspelt_argument_gets_a_guess():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'append='"):
        CSVLogger("log.csv", apend=True)
