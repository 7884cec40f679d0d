"""One experiment: a network of the real engine, trained by `fit` and looked at between the fits.

Epochs in portions are the same epochs, to the bit; so a look changes nothing, and
the program that `programs` prints comes to the same losses.
"""

from __future__ import annotations

import base64
import math
import threading
import time
import warnings
from typing import Any

import numpy as np

from doltap import config, layers, models, optimizers, regularizers
from doltap.callbacks import Callback
from doltap.play.findings import Watch
from doltap.play.points import Points, features_of
from doltap.play.settings import OPTIMIZERS, Setup
from doltap.play.tables import Table

__all__ = ["GRID", "Experiment"]

# The picture is computed at this many places a side, and smoothed by the page.
GRID = 40
_MOST_EPOCHS = 2000
_ALL_ROWS = 1 << 14
# What the page calls them, and what the engine does.
_SIGNS = {
    "dead": "dead_share",
    "saturated": "saturated_share",
    "gradient": "gradient_reaching",
    "update": "update_ratio",
    "weight": "weight_norm",
}
# The global seed is lent for a moment to the model that is made.
_making = threading.Lock()
# Warnings are heard by the whole process, so that one experiment trains at a time.
_training = threading.Lock()


class Experiment:
    """A network, its points, and how far it has come.

    Args:
        setup: what was chosen.
        points: what it learns from.
        table: where they come from, if from a table.
    """

    def __init__(self, setup: Setup, points: Points, table: Table | None = None) -> None:
        self.setup, self.points, self.table = setup, points, table
        # Epochs trained at each rate, in order: what a program has to repeat.
        self.stages: list[tuple[int, float]] = []
        self.has_diverged = False
        self._seconds_per_epoch: float | None = None
        self._x = features_of(points.places, setup.features)
        with _making, config.keeping_seed():
            config.set_global_seed(setup.seed)
            self.model = network(setup, len(points.names))
            self._watch = Watch(_names(setup))
            outputs = [layer.output for layer in self.model.layers if isinstance(layer, layers.Dense)]
            self._neurons = models.Model(self.model.inputs, outputs)
        side = np.linspace(-points.span, points.span, GRID)
        # Rows of the picture go from top to bottom.
        places = np.stack(np.meshgrid(side, side[::-1]), axis=-1).reshape(-1, 2)
        self._grid = features_of(places, setup.features)

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return sum(count for count, _ in self.stages)

    def set_rate(self, rate: float) -> None:
        """Go on with this learning rate; nothing is compiled for it."""
        self.setup = self.setup.with_rate(rate)
        self.model.optimizer.learning_rate = rate
        self._watch.forget()

    def advance(self, epochs: int) -> None:
        """Train so many epochs, or until the loss is no number any more."""
        if self.has_diverged:
            return
        listener, before = _Listener(self._watch), self.epochs
        x, y = self._rows(self.points.train)
        began = time.perf_counter()
        # What the engine warns of stands among the findings.
        with _training, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = self.model.fit(
                x,
                y,
                batch_size=self.setup.batch_size,
                validation_data=self._rows(self.points.test),
                # Counted as the page counts them.
                initial_epoch=before,
                epochs=before + epochs,
                verbose=0,
                callbacks=[listener],
            )
        self._seconds_per_epoch = (time.perf_counter() - began) / epochs
        self.has_diverged = listener.has_halted
        self._watch.note(history.history, history.when)
        self._note(len(history.epoch))

    def epochs_within(self, seconds: float) -> int:
        """How many epochs can be trained in this time, as far as is known."""
        if self._seconds_per_epoch is None:
            return 1
        return min(max(int(seconds / self._seconds_per_epoch), 1), _MOST_EPOCHS)

    def losses(self) -> dict[str, list[float | None]]:
        """The loss, and the accuracy if there are classes, on the training and on the test points."""
        results = [
            self.model.evaluate(*self._rows(rows), verbose=0, return_dict=True)
            for rows in (self.points.train, self.points.test)
        ]
        return {name: [finite(result[name]) for result in results] for name in results[0]}

    def frame(self, *, has_signs: bool = True) -> dict[str, Any]:
        """All that is drawn of it now, as plain values.

        Args:
            has_signs: whether the vital signs are taken, whose program takes longest to compile.
        """
        neurons = self._neurons.predict(self._grid, batch_size=_ALL_ROWS, verbose=0)
        neurons = neurons if isinstance(neurons, list) else [neurons]
        dense = [layer for layer in self.model.layers if isinstance(layer, layers.Dense)]
        return {
            "epoch": self.epochs,
            "rate": self.setup.rate,
            "has_diverged": self.has_diverged,
            **self.losses(),
            "weights": [_rounded(layer.get_weights()[0]) for layer in dense],
            "biases": [_rounded(layer.get_weights()[1]) for layer in dense],
            "neurons": [_map(values.T) for values in neurons[:-1]],
            "picture": self._picture(neurons[-1]),
            "signs": self._signs() if has_signs else [],
            "findings": self._watch.findings(),
        }

    def _signs(self) -> list[dict[str, Any]]:
        """How each layer fares on the training points."""
        told, watch = [], self._watch
        rows = self._rows(self.points.train)
        for signs in watch.take(self.epochs) if watch.has_begun else self.model.vital_signs(*rows):
            if np.isnan(signs.weight_norm):
                continue
            line = {name: finite(getattr(signs, attribute)) for name, attribute in _SIGNS.items()}
            if signs.is_output:
                # At the answer, the ends of the range are where it should be.
                line["saturated"] = None
            told.append({"activation": signs.activation, **line})
        return told

    def _note(self, epochs: int) -> None:
        rate = self.setup.rate
        if self.stages and self.stages[-1][1] == rate:
            epochs += self.stages.pop()[0]
        self.stages.append((epochs, rate))

    def _rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._x[rows], self.points.labels[rows]

    def _picture(self, output: np.ndarray) -> dict[str, str]:
        """What the network says of every place: a value, or a class and how sure it is of it."""
        output = np.nan_to_num(output)
        if self.setup.is_value:
            return {"values": _encoded(np.clip(output[:, 0] / 2, -1, 1) * 127 + 128)}
        if output.shape[1] == 1:
            output = np.concatenate([1 - output, output], axis=1)
        chance, least = output.max(axis=1), 1 / output.shape[1]
        sure = np.clip((chance - least) / (1 - least), 0, 1)
        return {"classes": _encoded(output.argmax(axis=1)), "sure": _encoded(sure * 255)}


class _Listener(Callback):
    """Lets a watch see the training, and ends it where the loss is no number any more, without a word."""

    waits_for_bad_loss = True
    has_halted = False

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def on_train_begin(self, logs: Any = None) -> None:
        params: Any = self.params
        if not self._watch.has_begun:
            self._watch.begin(self.model.examined(*params.at_work))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            self.has_halted = self.model.stop_training = True


def _names(setup: Setup) -> dict[str, dict[str, str]]:
    """What the page calls each layer, by its name in the engine."""
    hidden = range(1, len(setup.layers) + 1)
    return {
        "en": {"answer": "answer", **{f"layer_{number}": f"layer {number}" for number in hidden}},
        "ko": {"answer": "답", **{f"layer_{number}": str(number) for number in hidden}},
    }


def network(setup: Setup, num_classes: int) -> models.Sequential:
    """The compiled network of an experiment, made as the printed program makes it."""
    stack: list[Any] = [layers.Input((len(setup.features),))]
    # Named as the page names them, for what the engine says of a layer; results do not depend on names.
    for number, units in enumerate(setup.layers, 1):
        penalty = regularizers.L2(setup.l2) if setup.l2 else None
        kind, name = setup.activation, f"layer_{number}"
        stack.append(layers.Dense(units, activation=kind, kernel_regularizer=penalty, name=name))
        if setup.dropout:
            stack.append(layers.Dropout(setup.dropout))
    units, activation, loss = head(setup, num_classes)
    stack.append(layers.Dense(units, activation=activation, name="answer"))
    model = models.Sequential(stack)
    rule = OPTIMIZERS[setup.optimizer]
    mover = getattr(optimizers, rule.kind)(learning_rate=setup.rate, **rule.arguments)
    model.compile(optimizer=mover, loss=loss, metrics=[] if setup.is_value else ["accuracy"])
    return model


def head(setup: Setup, num_classes: int) -> tuple[int, str | None, str]:
    """The units and the activation of the last layer, and the loss."""
    if setup.is_value:
        return 1, None, "mse"
    if num_classes == 2:
        return 1, "sigmoid", "binary_crossentropy"
    return num_classes, "softmax", "sparse_categorical_crossentropy"


def finite(value: float) -> float | None:
    """The number, or None for one that JSON does not know."""
    return float(value) if math.isfinite(value) else None


def _rounded(array: np.ndarray) -> Any:
    return np.nan_to_num(np.round(array.astype(float), 4)).tolist()


def _map(values: np.ndarray) -> list[str]:
    """The outputs of each unit over the picture, 128 for 0, between 1 and 255."""
    values = np.nan_to_num(values)
    largest = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-6)
    return [_encoded(row) for row in values / largest * 127 + 128]


def _encoded(numbers: np.ndarray) -> str:
    return base64.b64encode(np.round(numbers).astype(np.uint8).tobytes()).decode()
