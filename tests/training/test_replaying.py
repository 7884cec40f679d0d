"""What is said where a loss is no finite number: epoch, step, tensor, rows and cure."""

import random
import re
import warnings
from string import Formatter

import jax
import numpy as np
import pytest

import doltap
from doltap import config, ops
from doltap.callbacks import Callback, TerminateOnNaN
from doltap.layers import BatchNormalization, Dense, Dropout, Layer
from doltap.training import loop, replaying, wording

X = np.linspace(0.5, 2.0, 96, dtype=np.float32).reshape(24, 4)
Y = np.linspace(-1.0, 1.0, 24, dtype=np.float32)[:, None]


@pytest.fixture(autouse=True)
def _seed(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "en")
    doltap.utils.set_random_seed(0)


def with_zero(row=13):
    x = X.copy()
    x[row, 2] = 0.0
    return x


class Log(Layer):
    def call(self, inputs):
        return ops.log(inputs)


class LogInside(doltap.Model):
    def __init__(self):
        super().__init__()
        self.last = Dense(1, name="last")

    def call(self, inputs):
        return self.last(ops.log(inputs))


class OwnStep(LogInside):
    def train_step(self, state, data):
        x, y = data
        moving, fixed, optimizer_variables, totals = state

        def loss_of(moving):
            y_pred, left = self.stateless_call(moving, fixed, x, training=True)
            return ops.mean((y_pred - y) ** 2), left

        (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(moving)
        moving, optimizer_variables = self.optimizer.stateless_apply(optimizer_variables, gradients, moving)
        return {"loss": loss}, (moving, fixed, optimizer_variables, totals)


def sequential():
    return doltap.Sequential([Log(name="logs"), Dense(1, name="last")])


def functional():
    inputs = doltap.Input((4,))
    return doltap.Model(inputs, Dense(1, name="last")(ops.log(inputs)))


def said(model, x=X, y=Y, *, ends=False, **options):
    """The one message of a training."""
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    callbacks = [*options.pop("callbacks", ()), *([TerminateOnNaN()] if ends else ())]
    data = (x,) if y is None else (x, y)
    with pytest.warns(UserWarning, match="not a finite number") as warned:
        model.fit(*data, callbacks=callbacks, **options)
    (text,) = [str(one.message) for one in warned]
    return text


def compiled(model, loss="mse", optimizer="sgd", **options):
    model.compile(optimizer, loss, **options)
    return model


# Where the numbers come from.


@pytest.mark.parametrize(
    ("make", "tensor"),
    [
        (sequential, "the output of layer 'logs'"),
        (functional, "what goes into layer 'last'"),
        (LogInside, "what goes into layer 'last'"),
        (OwnStep, "what goes into layer 'last'"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}])
def test_the_layer_the_rows_and_the_cause_are_named(make, tensor, options):
    text = said(compiled(make(), **options), with_zero())
    assert text.startswith("The loss is not a finite number since epoch 1, step 4: nothing more is learned.")
    assert f"It began with {tensor}, row 13 of x: log of 0" in text
    assert "log(x + 1e-7)" in text
    assert ("test_replaying.py, line " in text) is (make is not functional)
    assert text.endswith("TerminateOnNaN() stops training when this happens.")


def test_shuffled_rows_bear_the_numbers_they_have_in_x():
    text = said(compiled(sequential()), with_zero(), shuffle=True, epochs=2)
    assert "row 13 of x: log of 0" in text


def test_filling_of_the_last_batch_is_no_row():
    text = said(compiled(sequential()), with_zero(20)[:21], Y[:21], epochs=2)
    assert "epoch 1, step 6" in text
    assert "row 20 of x: log of 0" in text


def losses():
    def root(y_true, y_pred):
        return ops.mean(ops.sqrt(y_pred - y_pred - ops.abs(y_true) - 1.0))

    def quotient(y_true, y_pred):
        return ops.mean(y_pred / (y_true - y_true[0]))

    def power(y_true, y_pred):
        return ops.mean(y_pred * ops.power(-ops.abs(y_true) - 1.0, 0.5))

    def growing(y_true, y_pred):
        return ops.mean(y_pred * ops.exp(y_true * 0.0 + 100.0))

    return [
        (root, "square root of a negative number, -2"),
        (quotient, "division by 0"),
        (power, "a negative number, -2, to the power of 0.5"),
        (growing, "exp of 100 is too large"),
    ]


@pytest.mark.parametrize(("loss", "cause"), losses())
def test_a_loss_of_ones_own_is_named_with_its_line(loss, cause):
    text = said(compiled(doltap.Sequential([Dense(1)]), loss))
    assert "It began with the loss itself" in text
    assert re.search(rf"{re.escape(cause)} \(test_replaying.py, line \d+\)", text)


def test_a_slope_that_is_infinite_is_named_with_its_weight_a_step_earlier():
    def length(y_true, y_pred):
        return ops.sqrt(ops.sum((y_pred - y_pred) ** 2))

    text = said(compiled(doltap.Sequential([Dense(1, name="last")]), length))
    assert "since epoch 1, step 2" in text
    assert "It began in epoch 1, step 1, with the gradient of weight 'last/bias'" in text
    assert "a batch of rows 0, 1, 2 and 3 of x: division by 0, in a derivative" in text
    assert "sqrt(x + 1e-7)" in text


class Root(Layer):
    def call(self, inputs):
        return ops.sqrt(inputs * 0.0)


def test_a_slope_within_a_layer_is_that_of_the_layer():
    model = doltap.Sequential([Dense(4, name="first"), Root(name="root"), Dense(1, name="last")])
    text = said(compiled(model))
    assert "with the gradient of weight 'first/bias', on the way back through layer 'root'" in text


def test_a_rate_that_is_too_high_is_named_with_its_number():
    text = said(compiled(doltap.Sequential([Dense(1)]), optimizer=doltap.optimizers.SGD(1e25)), epochs=2)
    assert "is too large" in text
    assert "Lower the learning rate (it is 1e+25), scale the inputs, or give the optimizer clipnorm" in text


def test_inputs_that_are_not_scaled_are_named_with_their_size():
    text = said(compiled(doltap.Sequential([Dense(1)])), X * 1e19)
    assert "scale the inputs (they reach " in text


def test_an_update_that_overflows_is_named():
    optimizer = doltap.optimizers.SGD(3e38)
    text = said(compiled(doltap.Sequential([Dense(1, name="last")]), optimizer=optimizer), X * 100)
    assert "since epoch 1, step 2" in text
    assert "It began in epoch 1, step 1, with the update of weight 'last/kernel'" in text
    assert "a product is too large for float32" in text


def test_a_weight_that_was_none_before_is_named():
    model = compiled(doltap.Sequential([doltap.Input((4,)), Dense(1, name="last")]))
    model.set_weights([np.full((4, 1), np.nan, np.float32), np.zeros(1, np.float32)])
    assert "It began with weight 'last/kernel', not finite before this step" in said(model)


def test_values_that_are_missing_are_named_where_they_are_allowed():
    x = X.copy()
    x[9, 1] = np.nan
    config.allow_nan()
    try:
        text = said(compiled(doltap.Sequential([Dense(1)])), x)
    finally:
        config.allow_nan(False)
    assert "with the inputs x, not finite before this step, row 9 of x, column 1." in text
    assert "Fill in what is missing" in text
    assert "learning rate" not in text


def test_columns_that_are_missing_are_called_by_their_names(monkeypatch):
    pandas = pytest.importorskip("pandas")
    x = pandas.DataFrame(X, columns=["age", "fare", "class", "deck"])
    x.loc[9, "fare"] = np.inf
    x.loc[[8, 10], "deck"] = np.nan
    config.allow_nan()
    try:
        text = said(compiled(doltap.Sequential([Dense(1)])), x)
    finally:
        config.allow_nan(False)
    assert "rows 8, 9 and 10 of x, columns 'fare' and 'deck'." in text


class Shares(Layer):
    def call(self, inputs):
        return inputs / ops.sum(inputs, axis=-1, keepdims=True)


def test_a_row_of_zeros_that_is_divided_by_its_sum_is_0_by_0():
    x = X.copy()
    x[13] = 0.0
    text = said(compiled(doltap.Sequential([Shares(name="shares"), Dense(1)])), x)
    assert "the output of layer 'shares', row 13 of x: 0 divided by 0 (0/0) (test_replaying.py, line" in text
    assert "Keep the divisor away from 0" in text


def test_it_is_said_in_the_language_of_the_findings(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "ko")
    with pytest.warns(UserWarning, match="유한한 수가 아닙니다") as warned:
        compiled(sequential()).fit(with_zero(), Y, 4, shuffle=False, verbose=0)
    assert re.fullmatch(
        r"손실이 1번째 에포크의 4번째 스텝부터 유한한 수가 아닙니다. 더는 아무것도 학습되지 않습니다. "
        r"시작된 곳: 'logs' 층의 출력, x의 13번 행: 0의 로그 \(test_replaying.py, \d+번째 줄\). "
        r"log\(x \+ 1e-7\)처럼 들어가는 값을 0보다 크게 하세요. "
        r"TerminateOnNaN\(\)을 쓰면 이럴 때 학습이 멈춥니다.",
        str(warned[0].message),
    )


def test_a_language_nobody_knows_takes_no_training_down(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "tlh")
    assert "log of 0" in said(compiled(sequential()), with_zero())


@pytest.mark.parametrize("key", wording._WORDS)
def test_both_languages_say_the_same_things(key):
    first, second = ({name for _, name, _, _ in Formatter().parse(text)} for text in wording._WORDS[key])
    assert first | {None} == second | {None}


def test_the_warning_is_of_the_line_that_began_the_training():
    model = compiled(doltap.Sequential([doltap.Input((4,)), Dense(1)]))
    model.set_weights([np.full((4, 1), np.nan, np.float32), np.zeros(1, np.float32)])
    with pytest.warns(UserWarning, match="not a finite number") as told:
        model.fit(X, np.zeros(24), verbose=0)
    assert told[0].filename == __file__


class Masked(Layer):
    """Shares of the numbers above a limit."""

    def __init__(self, limit, **keywords):
        super().__init__(**keywords)
        self.limit = limit

    def call(self, inputs):
        shown = ops.where(inputs > self.limit, inputs, -np.inf)
        shares = ops.exp(shown - ops.max(shown, axis=-1, keepdims=True))
        return shares / ops.sum(shares, axis=-1, keepdims=True)


def test_infinities_that_mask_are_no_origin():
    log = Log(name="logs")
    model = doltap.Sequential([Masked(1.52), log, Dense(1)])
    text = said(compiled(model), X + 1.0)
    assert "It began with the output of layer 'logs', " in text
    assert "log of 0" in text


def test_a_row_that_is_masked_as_a_whole_is_named():
    text = said(compiled(doltap.Sequential([Masked(0.6, name="masked"), Dense(1)])))
    assert "the output of layer 'masked', rows 0 and 1 of x: infinite numbers cancel each other" in text
    assert "no row is masked out as a whole" in text


# How the data comes.


def test_batches_of_a_generator_are_numbered_from_within():
    x = with_zero()
    text = said(compiled(sequential()), ((x[n : n + 4], Y[n : n + 4]) for n in range(0, 24, 4)), None)
    assert "since epoch 1, step 4" in text
    assert "row 1 of the batch, counted from 0: log of 0" in text


def test_data_that_is_streamed_to_the_device_is_brought_again(monkeypatch):
    monkeypatch.setenv("DOLTAP_DEVICE_BYTES", "120")
    text = said(compiled(sequential()), with_zero(), shuffle=True, epochs=2)
    assert "row 13 of x: log of 0" in text


class EveryBatch(Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize("epochs", [1, 5])
def test_calls_since_an_older_copy_are_made_again_to_the_same_origin(monkeypatch, epochs):
    """With one copy, at the very beginning, as with one before each call."""
    found = []
    for share in (0, 1e9):
        monkeypatch.setattr(loop, "_COPY_SHARE", share)
        monkeypatch.setattr(loop, "_COPIED_BYTES_PER_SECOND", 1e30)
        doltap.utils.set_random_seed(3)
        model = compiled(
            doltap.Sequential([Dropout(0.5), Dense(4, "relu", name="first"), Dense(1, name="last")]),
            optimizer="adam",
        )

        class Later(Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.model.optimizer.learning_rate = 1e30 if epoch == epochs - 1 else 1e-3

        text = said(model, callbacks=[EveryBatch(), Later()], epochs=epochs, shuffle=True)
        assert f"since epoch {epochs}, step 2" in text
        assert "it is 1e+30" in text
        assert "not known" not in text
        found.append(text)
    assert found[0] == found[1]


# What cannot be made again says so.


def test_without_a_copy_it_says_so(monkeypatch):
    monkeypatch.setattr(loop, "_COPIED_BYTES_PER_SECOND", 1e-9)
    text = said(compiled(sequential()), with_zero())
    assert "Where it began is not known: no copy of the weights" in text


def test_blocks_that_were_too_large_to_keep_are_not_made_again(monkeypatch):
    monkeypatch.setattr(loop, "_MOST_BLOCK_BYTES", 0)
    monkeypatch.setattr(loop, "_COPY_SHARE", 1e9)
    monkeypatch.setattr(loop, "_COPIED_BYTES_PER_SECOND", 1e30)
    x = with_zero()
    data = ((x[n : n + 4], Y[n : n + 4]) for n in range(0, 24, 4))
    assert "no copy of the weights" in said(compiled(sequential()), data, None, callbacks=[EveryBatch()])


def test_steps_that_call_python_are_not_made_twice():
    calls = []

    class Calling(Layer):
        def call(self, inputs):
            jax.debug.callback(lambda: calls.append(1))
            return ops.log(inputs)

    model = compiled(doltap.Sequential([Calling(), Dense(1)]))
    assert "calls back into Python is not made twice" in said(model, with_zero())
    assert len(calls) == 6


def test_eager_steps_are_not_made_twice():
    text = said(compiled(sequential(), run_eagerly=True), with_zero())
    assert "run_eagerly=True" in text


def test_a_mistake_in_the_replay_does_not_end_the_training(monkeypatch):
    monkeypatch.setattr(replaying, "_first_bad_step", lambda *_: 1 / 0)
    assert "the step made again ended in ZeroDivisionError" in said(compiled(sequential()), with_zero())


# It leaves no trace.


def trained(form):
    doltap.utils.set_random_seed(7)
    layers = [Dense(8, "relu"), BatchNormalization(), Dropout(0.3), Log(), Dense(1)]
    model = compiled(doltap.Sequential(layers), optimizer="adam", metrics=["mae"])
    options = {"epochs": 3, "validation_split": 0.25} if form == "arrays" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "arrays":
            history = model.fit(X, Y, 4, verbose=0, **options)
        else:
            history = model.fit(((X[n : n + 4], Y[n : n + 4]) for n in range(0, 24, 4)), verbose=0)
    drawn = [doltap.Sequential([Dense(1)]).seed, np.random.random(), random.random()]
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)], history.history, drawn


@pytest.mark.parametrize("form", ["arrays", "generator"])
def test_nothing_is_changed_by_looking(monkeypatch, form):
    looked = trained(form)
    monkeypatch.setattr(replaying, "message", lambda *_: "")
    monkeypatch.setattr(loop, "_COPIED_BYTES_PER_SECOND", 1e-9)
    plain = trained(form)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(looked[0], plain[0], strict=True))
    assert repr(looked[1:]) == repr(plain[1:])
    assert not np.isfinite(plain[1]["loss"][-1])


def test_a_resumed_training_says_what_the_whole_one_says(tmp_path):
    x = with_zero(21)

    class Stopping(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

        def get_state(self):
            return None

        def set_state(self, state):
            pass

    class Turning(Log):
        def call(self, inputs):
            return ops.where(ops.abs(inputs) > 1e-6, inputs, ops.log(inputs))

    def model():
        doltap.utils.set_random_seed(5)
        return compiled(doltap.Sequential([Turning(name="turning"), Dense(1)]))

    whole = said(model(), x, shuffle=True, epochs=3)
    assert "row 21 of x" in whole
    with pytest.warns(UserWarning, match="row 21 of x"), pytest.raises(KeyboardInterrupt):
        model().fit(x, Y, 4, epochs=3, verbose=0, resume=tmp_path, callbacks=[Stopping()])
    assert "row 21 of x" in said(model(), x, shuffle=True, epochs=3, resume=tmp_path)


# Who else says it.


def test_where_training_ends_there_the_message_says_so(capsys):
    text = said(compiled(sequential()), with_zero(), ends=True)
    assert "row 13 of x: log of 0" in text
    assert text.endswith("Training ends here.")
    assert "Invalid loss" in capsys.readouterr().out


def test_an_error_that_is_raised_there_comes_after_the_message():
    with pytest.warns(UserWarning, match="row 13 of x"), pytest.raises(RuntimeError, match="Batch 3"):
        compiled(sequential()).fit(
            with_zero(), Y, 4, shuffle=False, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)]
        )


@pytest.mark.parametrize("carrier", ["loop", "threads"])
def test_a_member_of_a_population_is_told_apart(carrier):
    def build(bias):
        return compiled(
            doltap.Sequential([doltap.layers.Lambda(lambda x: ops.log(x + bias), name="logs"), Dense(1)])
        )

    population = doltap.models.Population(build, parameters=[{"bias": 1.0}, {"bias": 0.0}], carrier=carrier)
    with pytest.warns(UserWarning, match="member 1 is not .* layer 'logs', row 13 of x: log of 0"):
        population.fit(with_zero(), Y, batch_size=4, shuffle=False, verbose=0)


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_a_search_does_not_look():
    def build(rate):
        return compiled(doltap.Sequential([Dense(1)]), optimizer=doltap.optimizers.SGD(rate))

    search = doltap.tune.GridSearchCV(build, {"rate": [1e30, 1e-3]}, cv=2)
    with pytest.warns(UserWarning, match="a search does not look"):
        search.fit(X, Y, batch_size=4, verbose=0)


def test_gradients_that_overflow_in_half_precision_are_no_news():
    config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(doltap.Sequential([Dense(4, "relu"), Dense(1)]), optimizer="adam")
    finally:
        config.set_dtype_policy("float32")
    model.optimizer.dynamic_scale = 2.0**30
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, 4, epochs=2, verbose=0)


def test_a_forward_pass_that_leaves_half_precision_is_named():
    policy = "mixed_float16"
    model = doltap.Sequential([Dense(4, dtype=policy, name="first", kernel_initializer="ones"), Dense(1)])
    text = said(compiled(model), X * 30000)
    assert "the output of layer 'first'" in text
    assert "too large for float16" in text


def test_a_mean_whose_sum_overflows_is_told_from_a_loss_that_does():
    def large(y_true, y_pred):
        return ops.mean(y_pred * 0.0) + 2e38

    text = said(compiled(doltap.Sequential([Dense(1)]), large))
    assert "the weights still are" in text
    assert "the mean over the epoch, whose sum is too large; each loss is finite" in text
