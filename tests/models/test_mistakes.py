"""Mistakes in the user's own code, and losses that are no numbers: what is said, and when."""

import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.callbacks import Callback, TerminateOnNaN
from doltap.errors import DoltapError, NotSupportedError
from doltap.layers import Dense, Input, Layer
from doltap.models import Model, Sequential

chance = np.random.default_rng(0)
X = chance.random((12, 3), dtype=np.float32)
Y = chance.random((12, 1), dtype=np.float32)

MISTAKES = {
    "a condition on values": lambda a: a if a.sum() > 0 else -a,
    "a NumPy function": lambda a: np.asarray(a) * 2,
    "another NumPy function": lambda a: a * np.linalg.norm(a),
    "float": lambda a: a * float(a.sum()),
    "int as an index": lambda a: a * [1.0, 2.0][int(a[0, 0])],
    "rows chosen by a condition": lambda a: a[a[:, 0] > 0.5],
    "a while loop": lambda a: next(a for _ in iter(lambda: bool(a.sum() > 1), False)),
}


def layer_of(mistake):
    class Wrong(Layer):
        def call(self, inputs):
            return mistake(inputs)

    return Wrong()


def explained(error):
    """Whether the message names the place, the cause and the cure."""
    text = str(error.value)
    return "test_mistakes.py" in text and "ops.where" in text and "run_eagerly" in text


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_layer_of_a_sequential_is_explained(name):
    model = Sequential([layer_of(MISTAKES[name]), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(NotSupportedError) as error:
        model.fit(X, Y, verbose=0)
    assert explained(error)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_class_is_explained(name):
    class Wrong(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1)

        def call(self, inputs):
            return self.dense(MISTAKES[name](inputs))

    model = Wrong()
    with pytest.raises(NotSupportedError) as error:
        model.predict(X, verbose=0)
    assert explained(error)


@pytest.mark.parametrize("name", ["a condition on values", "a NumPy function", "float"])
@pytest.mark.parametrize("where", ["loss", "metric", "regularizer", "activation", "functional"])
def test_a_mistake_anywhere_else_is_explained(name, where):
    mistake = MISTAKES[name]

    def wrong(y_true, y_pred):
        return ops.mean(ops.square(y_true - mistake(y_pred)), axis=-1)

    options = {"kernel_regularizer": lambda w: ops.sum(mistake(w))} if where == "regularizer" else {}
    options |= {"activation": mistake} if where == "activation" else {}
    inputs = Input((3,))
    hidden = layer_of(mistake)(inputs) if where == "functional" else inputs
    model = Model(inputs, Dense(1, **options)(hidden))
    loss, metrics = (wrong if where == "loss" else "mse"), ([wrong] if where == "metric" else None)
    model.compile("sgd", loss, metrics=metrics)
    with pytest.raises(NotSupportedError) as error:
        model.fit(X, Y, verbose=0)
    assert explained(error)


def test_shapes_that_do_not_fit_in_a_class_keep_their_message():
    class Wrong(Model):
        def call(self, inputs):
            return ops.matmul(inputs, inputs)

    with pytest.raises((TypeError, ValueError), match=r"dot_general|shape|contract"):
        Wrong().predict(X, verbose=0)


# Losses that are no numbers.


def exploding(rate=1e30):
    model = Sequential([Input((3,)), Dense(1)])
    model.compile(doltap.optimizers.SGD(rate), "mse")
    return model


class Hearing(Callback):
    def __init__(self):
        super().__init__()
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1


@pytest.mark.parametrize("callbacks", [None, [Hearing()]])
@pytest.mark.parametrize("form", ["arrays", "feed"])
def test_a_loss_that_is_no_number_is_said_once_with_its_place(form, callbacks):
    model = exploding()
    data = (X, Y) if form == "arrays" else (iter([(X[n : n + 4], Y[n : n + 4]) for n in (0, 4, 8)]),)
    with pytest.warns(UserWarning, match=r"since epoch 1, step 2") as said:
        model.fit(
            *data,
            batch_size=4,
            shuffle=False,
            epochs=3 if form == "arrays" else 1,
            callbacks=callbacks,
            verbose=0,
        )
    assert len(said) == 1


def test_a_loss_that_breaks_later_is_said_with_its_epoch():
    model = exploding(0.0)

    class Turning(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 1e30 if epoch == 2 else 0.0

    with pytest.warns(UserWarning, match=r"since epoch 3, step 2"):
        model.fit(X, Y, batch_size=4, shuffle=False, epochs=3, callbacks=[Turning()], verbose=0)


@pytest.mark.parametrize("form", ["arrays", "feed"])
def test_training_can_be_stopped_there(form):
    model = exploding()
    data = (X, Y) if form == "arrays" else (iter([(X[n : n + 4], Y[n : n + 4]) for n in (0, 4, 8)]),)
    with pytest.warns(UserWarning, match="Training ends here"):
        model.fit(*data, batch_size=4, shuffle=False, epochs=1, callbacks=[TerminateOnNaN()], verbose=0)
    assert int(model.optimizer.iterations) == 2


# Layers before their time.


def test_a_layer_before_its_first_call_says_what_is_missing():
    layer = Dense(2, name="early")
    for name in ("kernel", "bias"):
        with pytest.raises(DoltapError, match="first called"):
            getattr(layer, name)
    for name in ("input", "output"):
        with pytest.raises(DoltapError, match="never part of a network"):
            getattr(layer, name)
    with pytest.raises(DoltapError, match="Did you mean 'units'"):
        _ = layer.unit


def test_a_model_before_its_first_data_says_what_is_missing():
    model = Sequential([Dense(2)])
    for name in ("input_shape", "output_shape", "inputs", "outputs", "input"):
        with pytest.raises(DoltapError, match="shape of its input"):
            getattr(model, name)


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_a_model_that_was_not_compiled_says_how(call):
    model = Sequential([Input((3,)), Dense(1)])
    with pytest.raises(DoltapError, match=r"model\.compile"):
        getattr(model, call)(X, Y)


@pytest.mark.parametrize("place", ["loss", "metric"])
def test_a_loss_or_metric_of_ones_own_that_gives_nothing_or_does_not_fit_is_named(place):
    def nothing(y_true, y_pred):
        y_true - y_pred

    def misfit(y_true, y_pred):
        return y_true @ y_pred

    for function in (nothing, misfit):
        model = Sequential([Input((3,)), Dense(1)])
        model.compile("sgd", *(["mse", None, [function]] if place == "metric" else [function]))
        with pytest.raises((NotSupportedError, TypeError)) as caught:
            model.fit(X, Y, verbose=0)
        said = str(caught.value) + "".join(getattr(caught.value, "__notes__", ()))
        assert f"{place} '{function.__name__}'" in said
        assert ("got None" if function is nothing else "y_pred of shape (12, 1)") in said
