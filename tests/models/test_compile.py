"""Every form in which compile takes losses and metrics, beside real Keras."""

import numpy as np
import pytest

import doltap
from doltap.errors import (
    DataError,
    DoltapError,
    NotSupportedError,
    ShapeError,
    UnknownArgumentError,
    UnknownNameError,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:The structure of"),
]

numbers = np.random.default_rng(4)
X = numbers.random((20, 4), dtype=np.float32)
A = numbers.random((20, 1), dtype=np.float32)
B = numbers.integers(0, 3, 20)
ONE_HOT = np.eye(3, dtype=np.float32)[B]
W = numbers.random(20, dtype=np.float32)
V = numbers.random(20, dtype=np.float32)


def single(lib):
    inputs = lib.Input((4,))
    return lib.Model(inputs, lib.layers.Dense(1, name="a")(inputs))


def classes(lib):
    return lib.Sequential([lib.Input((4,)), lib.layers.Dense(3, activation="softmax", name="b")])


def double(lib):
    inputs = lib.Input((4,))
    hidden = lib.layers.Dense(5, activation="tanh")(inputs)
    a = lib.layers.Dense(1, name="a")(hidden)
    return lib.Model(inputs, [a, lib.layers.Dense(3, activation="softmax", name="b")(hidden)])


def named(lib):
    inputs = lib.Input((4,))
    a = lib.layers.Dense(1, name="first")(inputs)
    return lib.Model(inputs, {"a": a, "b": lib.layers.Dense(3, activation="softmax", name="second")(inputs)})


def own(lib):
    class Pair(lib.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = lib.layers.Dense(1), lib.layers.Dense(3, activation="softmax")

        def call(self, inputs):
            return self.first(inputs), self.second(inputs)

    return Pair()


def grouped(lib):
    inputs = lib.Input((4,))
    a, b, c = (lib.layers.Dense(1, name=name)(inputs) for name in ("one", "two", "h"))
    return lib.Model(inputs, {"g": [a, b], "h": c})


def nested(lib):
    inputs = lib.Input((4,))
    a, b, c = (lib.layers.Dense(1, name=name)(inputs) for name in ("one", "two", "three"))
    return lib.Model(inputs, [[a, b], c])


def distance(y_true, y_pred):
    return abs(y_true - y_pred)


SPARSE = "sparse_categorical_crossentropy"

# model, what compile takes (given the library), y, sample_weight
FORMS = {
    "a string": (single, lambda lib: {"loss": "mse", "metrics": ["mae"]}, A, None),
    "an object": (
        single,
        lambda lib: {
            "loss": lib.losses.Huber(0.3),
            "metrics": [lib.metrics.MeanSquaredError(name="squared"), lib.metrics.RootMeanSquaredError()],
        },
        A,
        None,
    ),
    "functions": (single, lambda lib: {"loss": distance, "metrics": [distance, "mse"]}, A, None),
    "a function of the library": (
        single,
        lambda lib: {"loss": lib.losses.mean_squared_error, "metrics": [lib.metrics.mean_absolute_error]},
        A,
        None,
    ),
    "a class's name": (
        single,
        lambda lib: {"loss": "MeanSquaredError", "metrics": ["MeanAbsoluteError"]},
        A,
        None,
    ),
    "a list of one loss": (single, lambda lib: {"loss": ["mse"], "metrics": [["mae", "mse"]]}, A, None),
    "a dict of one": (single, lambda lib: {"loss": {"a": "mse"}, "metrics": {"a": "mae"}}, A, None),
    "a dict of one with a list": (
        single,
        lambda lib: {"loss": {"a": "mse"}, "metrics": {"a": ["mae", "mse"]}},
        A,
        None,
    ),
    "weights": (
        single,
        lambda lib: {"loss": "mse", "loss_weights": [0.5], "metrics": ["mae"], "weighted_metrics": ["mse"]},
        A,
        W,
    ),
    "accuracy of class numbers": (classes, lambda lib: {"loss": SPARSE, "metrics": ["accuracy"]}, B, W),
    "accuracy of one-hot": (
        classes,
        lambda lib: {
            "loss": "categorical_crossentropy",
            "metrics": ["acc", "AUC"],
            "weighted_metrics": ["accuracy"],
        },
        ONE_HOT,
        W,
    ),
    "two: one for all": (
        double,
        lambda lib: {"loss": ["mse", "mse"], "metrics": ["mae", "mse"]},
        [A, ONE_HOT],
        None,
    ),
    "two: a list": (
        double,
        lambda lib: {"loss": ["mse", SPARSE], "metrics": [["mae"], ["accuracy"]]},
        [A, B],
        None,
    ),
    "two: a list with None": (
        double,
        lambda lib: {"loss": ["mse", SPARSE], "metrics": [None, ["accuracy"]]},
        [A, B],
        None,
    ),
    "two: a list of strings": (
        double,
        lambda lib: {"loss": ["mse", SPARSE], "metrics": ["mae", "accuracy"]},
        [A, B],
        None,
    ),
    "two: dicts": (
        double,
        lambda lib: {
            "loss": {"b": SPARSE, "a": "mse"},
            "loss_weights": {"b": 0.2, "a": 2.0},
            "metrics": {"b": ["accuracy"], "a": "mae"},
        },
        {"b": B, "a": A},
        None,
    ),
    "two: dicts and a list of labels": (
        double,
        lambda lib: {"loss": {"b": SPARSE, "a": "mse"}, "metrics": {"b": "accuracy"}},
        [A, B],
        None,
    ),
    "two: weighted": (
        double,
        lambda lib: {
            "loss": ["mse", SPARSE],
            "loss_weights": [0.3, 0.7],
            "metrics": [["mae"], ["accuracy"]],
            "weighted_metrics": [["mae", "mse"], ["accuracy"]],
        },
        [A, B],
        [W, V],
    ),
    "two: one loss is missing": (
        double,
        lambda lib: {"loss": ["mse", None], "metrics": [["mae"], None]},
        [A, B],
        None,
    ),
    "named: dicts": (
        named,
        lambda lib: {"loss": {"a": "mse", "b": SPARSE}, "metrics": {"a": ["mae"], "b": ["accuracy"]}},
        {"a": A, "b": B},
        None,
    ),
    "named: weighted": (
        named,
        lambda lib: {
            "loss": {"b": SPARSE, "a": "mse"},
            "loss_weights": {"a": 0.1, "b": 1.0},
            "weighted_metrics": {"a": ["mae"]},
        },
        {"b": B, "a": A},
        {"a": W, "b": V},
    ),
    "named: a loss for one": (named, lambda lib: {"loss": {"a": "mse"}}, {"a": A}, None),
    "named: a loss for one, and metrics": (
        named,
        lambda lib: {"loss": {"a": "mse"}, "metrics": {"b": ["accuracy"]}},
        {"a": A, "b": B},
        None,
    ),
    "grouped: one loss": (grouped, lambda lib: {"loss": "mse"}, {"g": [A, A + 1], "h": 2 * A}, None),
    "grouped: weighted": (
        grouped,
        lambda lib: {
            "loss": {"g": ["mse", "mae"], "h": "mse"},
            "loss_weights": {"g": [1.0, 2.0], "h": 0.5},
            "metrics": {"g": ["mae", "mse"], "h": ["mae"]},
        },
        {"g": [A, A + 1], "h": 2 * A},
        None,
    ),
    "nested: weighted": (
        nested,
        lambda lib: {
            "loss": [["mse", "mae"], "mse"],
            "loss_weights": [[1.0, 2.0], 0.5],
            "metrics": [["mae", "mse"], ["mae"]],
        },
        [[A, A + 1], 2 * A],
        None,
    ),
    "class: a list": (
        own,
        lambda lib: {"loss": ["mse", SPARSE], "metrics": [["mae"], ["accuracy"]]},
        [A, B],
        None,
    ),
    "class: weighted": (
        own,
        lambda lib: {"loss": ["mse", SPARSE], "loss_weights": [0.3, 2.0], "metrics": [["mae"], ["accuracy"]]},
        (A, B),
        None,
    ),
    "class: losses by function": (
        own,
        lambda lib: {"loss": ["mse", "mae"], "metrics": [["cosine_similarity"], ["mae", "mse"]]},
        [A, ONE_HOT],
        None,
    ),
}


def compiled(form, lib):
    build, options, _, _ = FORMS[form]
    model = build(lib)
    model(X[:1])
    model.compile(optimizer="sgd", **options(lib))
    return model


@pytest.mark.parametrize("form", FORMS)
def test_names_and_values_are_those_of_keras(keras, form):
    _, _, y, weights = FORMS[form]
    theirs, ours = compiled(form, keras), compiled(form, doltap)
    ours.set_weights(theirs.get_weights())
    options = {"batch_size": 8, "verbose": 0, "sample_weight": weights}
    if ":" in form and "weight" in form:
        wanted, found = (model.fit(X, y, shuffle=False, **options).history for model in (theirs, ours))
        assert list(found) == list(wanted)
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=2e-5, err_msg=name)
    wanted, found = (np.atleast_1d(model.evaluate(X, y, **options)) for model in (theirs, ours))
    np.testing.assert_allclose(found, wanted, rtol=2e-5)
    wanted, found = (model.evaluate(X, y, return_dict=True, **options) for model in (theirs, ours))
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=2e-5), name
    assert len(ours.metrics_names) == len(found)


@pytest.mark.parametrize("form", ["a string", "two: weighted", "named: dicts"])
def test_batches_by_hand_give_what_keras_gives(keras, form):
    _, _, y, weights = FORMS[form]
    results = []
    theirs, ours = compiled(form, keras), compiled(form, doltap)
    ours.set_weights(theirs.get_weights())
    for model in (theirs, ours):
        trained = model.train_on_batch(X, y, sample_weight=weights, return_dict=True)
        model.reset_metrics()
        tested = model.test_on_batch(X, y, sample_weight=weights)
        results.append((trained, np.atleast_1d(tested)))
    assert results[0][0].keys() == results[1][0].keys()
    for name, value in results[0][0].items():
        assert results[1][0][name] == pytest.approx(float(value), rel=1e-5), name
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-5)


# Where Keras stumbles.


@pytest.mark.parametrize("build", [double, own])
@pytest.mark.parametrize("scales", [[0.5, 2.0], (0.5, 2.0)])
def test_one_loss_for_all_outputs_goes_with_a_weight_for_each(build, scales):
    model = build(doltap)
    model.compile("sgd", "mse", loss_weights=scales)
    history = model.fit(X, [A, ONE_HOT], batch_size=20, verbose=0).history
    parts = [values[0] for name, values in history.items() if name.endswith("_loss")]
    if len(parts) == 2:
        assert history["loss"][0] == pytest.approx(0.5 * parts[0] + 2.0 * parts[1], rel=1e-5)


def test_one_loss_object_serves_several_outputs():
    model = double(doltap)
    model.compile("sgd", doltap.losses.MeanSquaredError(), metrics=["mae"])
    history = model.fit(X, [A, ONE_HOT], verbose=0).history
    assert set(history) == {"loss", "a_loss", "b_loss", "a_mae", "b_mae"}


def test_weights_may_come_by_name_where_losses_do():
    model = double(doltap)
    model.compile("sgd", {"a": "mse", "b": SPARSE}, weighted_metrics={"b": ["accuracy"]})
    by_name = model.evaluate(X, {"a": A, "b": B}, sample_weight={"a": W, "b": V}, verbose=0)
    assert by_name == pytest.approx(model.evaluate(X, [A, B], sample_weight=[W, V], verbose=0))
    assert by_name != pytest.approx(model.evaluate(X, [A, B], sample_weight=[V, W], verbose=0))


def test_one_metric_needs_no_list_and_two_of_a_name_are_told_apart():
    model = single(doltap)
    model.compile("sgd", "mse", metrics="mae", weighted_metrics=["mae", "mse"])
    results = model.evaluate(X, A, sample_weight=W, verbose=0, return_dict=True)
    assert list(results) == ["loss", "mae", "mse", "weighted_mae"]
    listed = model.evaluate(X, A, sample_weight=W, verbose=0)
    assert listed == pytest.approx([results[name] for name in model.metrics_names])


def test_a_part_of_the_metrics_may_be_left_out_of_a_dict():
    model = double(doltap)
    model.compile("sgd", {"a": "mse", "b": SPARSE}, metrics={"b": "accuracy"})
    assert "b_accuracy" in model.fit(X, {"a": A, "b": B}, verbose=0).history


def test_a_metric_of_an_output_without_labels_is_an_error():
    model = named(doltap)
    model.compile("sgd", {"a": "mse"}, metrics={"b": ["accuracy"]})
    with pytest.raises(DataError, match="labels for this output"):
        model.fit(X, {"a": A}, verbose=0)


@pytest.mark.parametrize("loss", [{"g": {"x": "mse"}, "h": "mse"}, {"f": "mse"}])
def test_a_part_of_the_outputs_that_is_not_there_is_an_error_at_compile(loss):
    with pytest.raises((UnknownNameError, ShapeError)):
        nested(doltap).compile("sgd", loss)
    with pytest.raises((UnknownNameError, ShapeError)):
        grouped(doltap).compile("sgd", loss)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("options", [{"loss": "msee"}, {"loss": "mse", "metrics": [["acuracy", "mse"]]}])
def test_an_unknown_name_is_an_error_at_compile(options, is_known):
    model = single(doltap) if is_known else doltap.Sequential([doltap.layers.Dense(1)])
    with pytest.raises(UnknownNameError, match="Did you mean"):
        model.compile("sgd", **options)


# Options.


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("metrics", [["mae"], ("mae",), "mae", [doltap.metrics.MeanAbsoluteError("mae")]])
def test_metrics_may_stand_where_they_stood_in_keras_2(metrics, is_known):
    model = single(doltap) if is_known else doltap.Sequential([doltap.layers.Dense(1)])
    model.compile("sgd", "mse", metrics)
    assert set(model.fit(X, A, verbose=0).history) == {"loss", "mae"}
    model.compile("sgd", "mse", metrics, [0.5])
    loss, error = model.evaluate(X, A, verbose=0)
    model.compile("sgd", "mse", [0.5], metrics)
    assert model.evaluate(X, A, verbose=0) == [loss, error]
    with pytest.raises(UnknownNameError, match="accuracy"):
        model.compile("sgd", "mse", ["acuracy"])


def test_what_is_accepted_and_not_needed_changes_nothing():
    histories = []
    for options in ({}, {"jit_compile": True, "steps_per_execution": 4}, {"steps_per_execution": "auto"}):
        doltap.utils.set_random_seed(1)
        model = single(doltap)
        model.compile("sgd", "mse", **options)
        histories.append(model.fit(X, A, verbose=0, validation_data=(X, A), validation_batch_size=7).history)
    assert histories[0] == histories[1] == histories[2]


def test_the_learning_rate_of_a_compiled_model_can_be_set():
    model = single(doltap)
    model.compile(doltap.optimizers.SGD(0.1), "mse")
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(X, A, verbose=0)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_compiling_again_forgets_the_metrics_of_before():
    model = single(doltap)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, A, verbose=0)
    model.compile("adam", "mae")
    assert set(model.fit(X, A, verbose=0).history) == {"loss"}


def test_metrics_keep_what_they_measured_until_they_are_reset():
    model = single(doltap)
    model.compile("sgd", "mse", metrics=["mae"])
    loss, mae = model.evaluate(X, A, verbose=0)
    results = {metric.name: float(metric.result()) for metric in model.metrics}
    assert results == pytest.approx({"loss": loss, "mae": mae})
    assert model.get_metrics_result() == pytest.approx(results)
    model.reset_metrics()
    assert all(float(metric.result()) == 0 for metric in model.metrics)
    assert model.metrics_names == ["loss", "mae"]
    assert len(model.metrics_variables) == sum(len(metric.variables) for metric in model.metrics)


# Mistakes.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": {"a": "mse", "bb": SPARSE}}, "Did you mean"),
        ({"loss": {"a": "mse"}}, "'b'"),
        ({"loss": ["mse"]}, "one for each of the 2 outputs"),
        ({"loss": ["mse", "mse"], "metrics": {"aa": "mae"}}, "Did you mean"),
        ({"loss": ["mse", "mse"], "metrics": [["mae"]]}, "one for each of the 2 outputs"),
        ({"loss": ["mse", "mse"], "loss_weights": [1.0]}, "one for each of the 2 outputs"),
        ({"loss": ["mse", "mse"], "loss_weights": {"c": 1.0}}, "compile"),
        ({"loss": "mes"}, "Did you mean 'mse'"),
        ({"loss": "mse", "metrics": ["accurracy"]}, "Did you mean 'accuracy'"),
        ({"loss": "mse", "optimizer": "adma"}, "Did you mean"),
        ({"loss": 3}, "a function or a Loss"),
    ],
)
def test_mistakes_in_compile_are_named_at_once(options, message):
    with pytest.raises(DoltapError, match=message):
        double(doltap).compile(**{"optimizer": "sgd", **options})


@pytest.mark.parametrize(
    ("y", "weights", "error"),
    [
        ([A], None, ShapeError),
        (A, None, ShapeError),
        ([A, B, B], None, ShapeError),
        ({"a": A, "c": B}, None, UnknownNameError),
        ({"a": A}, None, DataError),
        ([A, B[:5]], None, ShapeError),
        ([A, B], [W, W, W], ShapeError),
        ([A, B], {"x": W}, UnknownNameError),
        ([A, B + 5], None, DataError),
        ([A, None], None, DataError),
    ],
)
def test_labels_that_do_not_fit_the_outputs_are_refused(y, weights, error):
    model = double(doltap)
    model.compile("sgd", ["mse", SPARSE])
    with pytest.raises(error):
        model.fit(X, y, sample_weight=weights, verbose=0)


def test_a_metric_of_probabilities_refuses_logits():
    model = doltap.Sequential([doltap.Input((4,)), doltap.layers.Dense(1)])
    model.compile("sgd", doltap.losses.BinaryCrossentropy(from_logits=True), metrics=["AUC"])
    with pytest.raises(DataError, match="probabilities"):
        model.fit(X, (A > 0.5).astype("float32"), verbose=0)


def test_names_for_outputs_without_names_are_refused():
    model = own(doltap)
    model.compile("sgd", {"a": "mse", "b": "mse"})
    with pytest.raises(NotSupportedError, match="list"):
        model.fit(X, [A, ONE_HOT], verbose=0)


def test_training_without_a_loss_is_refused():
    model = single(doltap)
    model.compile("sgd")
    with pytest.raises(DoltapError, match="a loss"):
        model.fit(X, A, verbose=0)


@pytest.mark.parametrize(
    ("call", "keyword", "guess"),
    [
        ("fit", "epoch", "epochs"),
        ("fit", "batchsize", "batch_size"),
        ("fit", "validation_slit", "validation_split"),
        ("evaluate", "batch_sise", "batch_size"),
        ("predict", "verbos", "verbose"),
        ("compile", "metric", "metrics"),
        ("compile", "learning_rate", ""),
        ("train_on_batch", "sample_weights", "sample_weight"),
    ],
)
def test_unknown_keywords_are_guessed(call, keyword, guess):
    model = single(doltap)
    model.compile("sgd", "mse")
    with pytest.raises(UnknownArgumentError, match=f"'{guess}='" if guess else "takes"):
        getattr(model, call)(**{keyword: 3})


def test_old_keywords_of_fit_still_work():
    model = single(doltap)
    model.compile("sgd", "mse")
    assert len(model.fit(X, A, nb_epoch=3, verbose=0).history["loss"]) == 3
