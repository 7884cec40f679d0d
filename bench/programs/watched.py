"""What it costs to look at a training: seed 001's network, watched and not, in turn in one process.

The figure is the share of the time of the same fit without anybody watching.
Both have trained before, so that every program is compiled; what is opened,
written and closed at each fit counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from programs import pictures
from programs.clothes import CLASSIFIER, keras_network
from task import Task

__all__ = ["diagnose_in_keras", "live_in_keras", "tensorboard_in_keras"]

_NUM_EPOCHS = 5
_TURNS = 5


def tensorboard_in_keras(task: Task) -> dict:
    """Event files, with histograms of all weights after each epoch."""
    callbacks = task.open_keras().callbacks
    return _watched(task, lambda folder: callbacks.TensorBoard(folder, histogram_freq=1))


def live_in_keras(task: Task) -> dict:
    """Curves that are drawn into a file again and again."""
    callbacks = task.open_keras().callbacks
    return _watched(task, lambda folder: callbacks.LivePlot(os.path.join(folder, "curves.png")))


def diagnose_in_keras(task: Task) -> dict:
    """The vital signs of every layer, and what they mean."""
    callbacks = task.open_keras().callbacks
    return _watched(task, lambda folder: callbacks.Diagnose(verbose=0))


def _watched(task: Task, make: Callable[[str], Any]) -> dict:
    keras = task.open_keras()
    rows = slice(5000, 5000 + task.scaled(55000))
    x, y = (array[rows] for array in pictures.load(task, "fashion")[:2])
    x = x / 255.0

    def seconds(callbacks: list[Any], num_epochs: int) -> float:
        keras.utils.set_random_seed(task.seed)
        model = keras_network(keras, CLASSIFIER)
        model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
        began = time.perf_counter()
        model.fit(x, y, batch_size=CLASSIFIER.batch_size, epochs=num_epochs, callbacks=callbacks, verbose=0)
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        seconds([], 1), seconds([make(folder)], 1)
        turns = []
        for turn in range(_TURNS):
            # Each is first as often as the other, but for one.
            order = ("plain", "watched")[:: -1 if turn % 2 else 1]
            found = {who: seconds([make(folder)] if who == "watched" else [], _NUM_EPOCHS) for who in order}
            turns.append((found["plain"], found["watched"]))
    return {
        "plain_seconds": statistics.median(plain for plain, _ in turns),
        "seconds": statistics.median(watched for _, watched in turns),
        "share": statistics.median(watched / plain for plain, watched in turns),
        "epochs": _NUM_EPOCHS,
    }
