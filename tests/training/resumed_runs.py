"""Small trainings of every kind that can be interrupted, for the tests of resuming and of kills."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from unittest import mock

import jax.numpy as jnp
import numpy as np

import doltap
from doltap.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TerminateOnNaN,
)
from doltap.layers import BatchNormalization, Dense, Dropout, GaussianNoise
from doltap.optimizers import SGD, Adam
from doltap.optimizers.schedules import ExponentialDecay
from doltap.utils import PyDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 4)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5], [3.0]]) + RNG.normal(size=(45, 1))).astype(np.float32)
LABELS = (Y[:, 0] > 0).astype(np.int32)


class Batches(PyDataset):
    """Seven batches of the data."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.order = np.arange(len(X))

    def __len__(self):
        return 7

    def __getitem__(self, index):
        rows = self.order[index * 6 : index * 6 + 6]
        return X[rows], Y[rows]


class Shuffled(Batches):
    """Shuffles itself, by how many epochs ended."""

    ended = 0

    def on_epoch_end(self):
        self.ended += 1
        self.order = np.random.default_rng(self.ended).permutation(len(X))


class ShuffledWithState(Shuffled):
    """Can tell how it is shuffled."""

    def get_state(self):
        return {"order": self.order, "ended": self.ended}

    def set_state(self, state):
        self.order, self.ended = state["order"], state["ended"]


class Growing(Callback):
    """Makes the rate larger after every batch, and knows what it did; as the book has it."""

    def __init__(self):
        super().__init__()
        self.rates, self.losses = [], np.zeros(0)

    def on_train_batch_end(self, batch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        self.rates.append(rate)
        self.losses = np.append(self.losses, logs["loss"])
        self.model.optimizer.learning_rate = rate * (1.01 + 0.001 * len(self.rates))

    def get_state(self):
        return {"rates": self.rates, "losses": self.losses}

    def set_state(self, state):
        self.rates, self.losses = state["rates"], state["losses"]


class StopsAt(Callback):
    """Ends training in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 15:
            self.model.stop_training = True

    def get_state(self):
        return None


class Own(doltap.Model):
    """A class of one's own with a loss tracker."""

    def __init__(self):
        super().__init__()
        self.hidden, self.drop, self.out = Dense(6, activation="tanh"), Dropout(0.2), Dense(1)
        self.seen = self.add_weight((), "zeros", trainable=False, name="seen")

    def call(self, inputs, training=False):
        if training:
            self.seen.assign(self.seen + 1.0)
        return self.out(self.drop(self.hidden(inputs), training=training))


class OwnStep(Own):
    """One that trains itself."""

    def __init__(self):
        super().__init__()
        self.tracker = doltap.metrics.Mean(name="tracked")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, state, data):
        import jax

        moving, fixed, slots, totals = state
        x, y = data

        def loss_of(moving):
            y_pred, left = self.stateless_call(moving, fixed, x, training=True)
            return jnp.mean((y_pred - y) ** 2), left

        (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(moving)
        moving, slots = self.optimizer.stateless_apply(slots, gradients, moving)
        totals = self.tracker.stateless_update_state(totals, loss)
        return {"tracked": self.tracker.stateless_result(totals)}, (moving, fixed, slots, totals)


def plain(optimizer="adam", loss="mse", hidden=6):
    layers = [Dense(hidden, activation="relu"), BatchNormalization(), Dropout(0.3), Dense(1)]
    model = doltap.Sequential([doltap.Input((4,)), *layers])
    model.compile(optimizer, loss, metrics=["mae"])
    return model


def scaled():
    layers = [doltap.Input((4,)), Dense(6, activation="relu", dtype="mixed_float16"), Dense(1)]
    model = doltap.Sequential(layers)
    optimizer = doltap.optimizers.LossScaleOptimizer(Adam(0.02), initial_scale=2.0**4, dynamic_growth_steps=3)
    model.compile(optimizer, "mse")
    return model


def two_outputs():
    inputs = doltap.Input((4,))
    hidden = GaussianNoise(0.1, seed=3)(Dense(5, activation="selu")(inputs))
    model = doltap.Model(inputs, [Dense(1, name="left")(hidden), Dense(2, "softmax", name="right")(hidden)])
    rate = ExponentialDecay(0.05, 5, 0.9)
    losses = ["mse", "sparse_categorical_crossentropy"]
    optimizer = SGD(rate, momentum=0.9, gradient_accumulation_steps=2)
    model.compile(optimizer, losses, loss_weights=[0.5, 2.0], metrics={"right": ["accuracy"]})
    return model


def own(kind=Own, **keywords):
    model = kind()
    model.compile("sgd", None if kind is OwnStep else "mse", **keywords)
    return model


def csv(folder):
    return CSVLogger(os.path.join(folder, "log.csv"))


def saving(folder):
    """Callbacks that save the model every few batches, and its best weights after epochs."""
    whole = ModelCheckpoint(os.path.join(folder, "model.keras"), save_freq=4)
    name = os.path.join(folder, "{epoch:02d}-{val_loss:.4f}.weights.h5")
    return [whole, ModelCheckpoint(name, save_best_only=True, save_weights_only=True)]


ARRAYS = {"x": X, "y": Y, "batch_size": 8}

# Name -> (how the model is made, the arguments of fit for a folder of files).
RUNS = {
    "plain": (plain, lambda _: ARRAYS | {"validation_split": 0.2}),
    "averages": (
        lambda: plain(Adam(0.05, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=7)),
        lambda _: (
            ARRAYS
            | {
                "validation_data": (X[:20], Y[:20]),
                "callbacks": [
                    SwapEMAWeights(swap_on_epoch=True),
                    EarlyStopping(patience=1, restore_best_weights=True, min_delta=0.02),
                ],
            }
        ),
    ),
    "rates": (
        lambda: plain("sgd"),
        lambda folder: (
            ARRAYS
            | {
                "validation_split": 0.2,
                "validation_freq": 2,
                "shuffle": False,
                "callbacks": [
                    LearningRateScheduler(lambda epoch, rate: rate * 0.9),
                    ReduceLROnPlateau("loss", patience=1, min_delta=1.0, cooldown=1, factor=0.5),
                    csv(folder),
                    TerminateOnNaN(),
                ],
            }
        ),
    ),
    "scaled": (
        scaled,
        lambda _: ARRAYS | {"callbacks": [EarlyStopping("loss", restore_best_weights=True, patience=1)]},
    ),
    "two outputs": (
        two_outputs,
        lambda _: {"x": X, "y": [Y, LABELS], "batch_size": 10, "sample_weight": np.linspace(0, 2, 45)},
    ),
    "numbered": (
        plain,
        lambda _: {
            "x": Batches(workers=2),
            "steps_per_epoch": 4,
            "validation_data": Batches(workers=0),
            "validation_steps": 3,
        },
    ),
    "numbered, whole": (plain, lambda folder: {"x": Batches(workers=0), "callbacks": [csv(folder)]}),
    "shuffles itself": (plain, lambda _: {"x": ShuffledWithState(workers=1), "shuffle": False}),
    "steps of arrays": (
        plain,
        lambda _: ARRAYS | {"steps_per_epoch": 5, "validation_data": (X[:20], Y[:20]), "validation_steps": 2},
    ),
    "batches heard": (lambda: plain("sgd"), lambda _: ARRAYS | {"callbacks": [Growing()]}),
    "stopped": (plain, lambda _: ARRAYS | {"callbacks": [StopsAt()]}),
    "saved": (plain, lambda folder: ARRAYS | {"validation_split": 0.2, "callbacks": saving(folder)}),
    "own class": (own, lambda _: ARRAYS | {"class_weight": None}),
    "own step": (lambda: own(OwnStep), lambda _: ARRAYS),
    "eager": (
        lambda: own(run_eagerly=True),
        lambda _: {"x": X[:15], "y": Y[:15], "batch_size": 5, "epochs": 2},
    ),
    # More than this may lie on the device at once.
    "streamed": (plain, lambda _: ARRAYS | {"validation_split": 0.2}),
    "functions": (
        plain,
        lambda _: ARRAYS | {"callbacks": [LambdaCallback(on_epoch_begin=lambda epoch, logs: None)]},
    ),
}


def run(name, folder, *, epochs=4, resume=None, seed=1, **more):
    """Train one of them; everything that is left of it, as a text that can be compared."""
    make, arguments = RUNS[name]
    if seed is not None:
        doltap.utils.set_random_seed(seed)
    model = make()
    given = {"epochs": epochs, "verbose": 0} | arguments(str(folder)) | more
    with mock.patch.dict(os.environ, {"DOLTAP_DEVICE_BYTES": "400"} if name == "streamed" else {}):
        history = model.fit(**given, **({} if resume is None else {"resume": str(resume)}))
    return left_of(model, history, given.get("callbacks", []), folder)


def left_of(model, history, callbacks, folder):
    variables = [*model.weights, *model.optimizer.variables, *model.metrics_variables]
    digest = hashlib.sha256(b"".join(variable.numpy().tobytes() for variable in variables)).hexdigest()
    states = [(type(one).__name__, repr(one.get_state())) for one in callbacks]
    log = os.path.join(folder, "log.csv")
    written = pathlib.Path(log).read_text() if os.path.exists(log) else None
    saved = sorted(name for name in os.listdir(folder) if name.endswith((".keras", ".weights.h5")))
    facts = [saved, model.epochs_trained, model.stop_training, int(model.optimizer.iterations), history.epoch]
    return json.dumps([digest, repr(history.history), states, written, facts])
