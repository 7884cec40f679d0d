"""Programs for Keras 1 and 2 keep their words, and every row of the tables does something."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

import doltap as keras
from doltap import arrays, callbacks, constraints, losses, metrics, old_modules, old_names, regularizers
from doltap.callbacks import LambdaCallback, ReduceLROnPlateau
from doltap.errors import DoltapError, NotSupportedError, UnknownArgumentError, UnknownNameError
from doltap.initializers import Zeros
from doltap.layers import Dense, Dropout, Input
from doltap.registry import custom_object_scope

chance = np.random.default_rng(0)
X = chance.random((20, 4), dtype=np.float32)
Y = (X.sum(axis=1) > 2).astype("int32")

SPACES = {
    "activation": keras.activations,
    "callback": callbacks,
    "constraint": constraints,
    "initializer": keras.initializers,
    "layer": keras.layers,
    "loss": losses,
    "metric": metrics,
    "optimizer": keras.optimizers,
    "regularizer": regularizers,
}
REGISTRIES = {
    "initializer": keras.initializers.names,
    "constraint": constraints.names,
    "layer": importlib.import_module("doltap.core.layer").names,
    "loss": losses.names,
    "metric": metrics.names,
    "optimizer": importlib.import_module("doltap.optimizers.optimizer").names,
    "regularizer": regularizers.names,
}


def compiled(metrics=None, **keywords):
    model = keras.Sequential([Input((4,)), Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=metrics, **keywords)
    return model


@pytest.fixture
def heard():
    told = []
    old_names.hear(lambda *each: told.append(each))
    yield told
    old_names.hear(None)


def rows(table):
    return [(family, old) for family, names in table.items() for old in names]


# Names.


def found_as(kind, name):
    """What the name means as an attribute of its namespace and as text; None where it means nothing."""
    attribute = getattr(SPACES[kind], name, None)
    known = REGISTRIES.get(kind, ())
    return attribute, known.find(name) if name in known else None


@pytest.mark.parametrize(("kind", "old"), rows(old_names.NAMES))
def test_an_old_name_means_the_thing_of_today(kind, old, heard, monkeypatch):
    new = old_names.NAMES[kind][old]
    today = found_as(kind, new)
    meant = found_as(kind, old)
    acting = [(a, b) for a, b in zip(meant, today, strict=True) if a is not None]
    assert acting
    assert all(a is b or a.__name__.lower() == b.__name__.lower() for a, b in acting if b is not None)
    assert heard
    assert set(heard) == {(kind, old, new)}
    monkeypatch.delitem(old_names.NAMES[kind], old)
    # What is left of "ftrl" is the file in which Keras kept it.
    left = [None if inspect.ismodule(each) else each for each in found_as(kind, old)]
    assert None in left, "without the row it means the same"


NAMESPACES = {"initializations": "initializers", "objectives": "losses", "layers.core": "layers"}
NAMESPACES |= {"optimizers.legacy": "optimizers", "utils.np_utils": "utils"}


@pytest.mark.parametrize("old", NAMESPACES)
def test_an_old_place_leads_to_that_of_today(old, heard, monkeypatch):
    space, _, name = old.rpartition(".")
    outer = importlib.import_module(f"doltap.{space}".rstrip("."))
    assert getattr(outer, name) is importlib.import_module(f"doltap.{NAMESPACES[old]}")
    assert heard == [("module", old, NAMESPACES[old])]
    others = {place: today for place, today in old_modules.PLACES.items() if place != f"keras.{old}"}
    monkeypatch.setattr("doltap.doors.PLACES", others)
    assert not hasattr(outer, name)


def test_old_places_can_be_followed_further():
    assert keras.layers.experimental.preprocessing.Normalization is keras.layers.Normalization
    assert keras.optimizers.legacy.Adam is keras.optimizers.Adam
    from doltap.optimizers import rmsprop

    assert rmsprop is keras.optimizers.RMSprop


@pytest.mark.parametrize(("space", "name"), rows(old_names.GONE))
def test_what_is_no_more_says_what_to_do(space, name, monkeypatch):
    thing = keras.Sequential() if space == "Model" else importlib.import_module(f"doltap.{space}")
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    assert old_names.GONE[space][name] in str(error.value)
    assert "long ago" in str(error.value)
    monkeypatch.delitem(old_names.GONE[space], name)
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    assert "long ago" not in str(error.value)


def test_a_metric_keeps_its_old_name_in_the_logs():
    for old, new in (("f1", "f1_score"), ("cosine_proximity", "cosine_similarity")):
        metric = metrics.get(old)
        assert (type(metric), metric.name) == (type(metrics.get(new)), old)


def test_a_name_of_the_users_comes_before_an_old_one():
    class F1(metrics.Mean):
        pass

    with custom_object_scope({"f1": F1}):
        assert type(metrics.get("f1")) is F1
    assert type(metrics.get("f1")) is metrics.F1Score
    with pytest.raises(UnknownNameError, match="Did you mean"):
        metrics.get("f1_scoer")


@pytest.mark.parametrize(
    ("family", "names"),
    [
        (
            keras.optimizers,
            "Adam ADAM adam RMSprop RMSProp rmsprop SGD sgd Nadam nadam Adagrad Adadelta Adamax",
        ),
        (losses, "mse MSE mean_squared_error MeanSquaredError mae MAE mape MAPE msle MSLE kld KLD"),
        (
            losses,
            "kl_divergence kullback_leibler_divergence logcosh log_cosh LogCosh hinge Hinge huber Huber",
        ),
        (losses, "huber_loss cosine cosine_proximity cosine_similarity CosineSimilarity poisson Poisson"),
        (losses, "categorical_crossentropy CategoricalCrossentropy squared_hinge categorical_hinge bce BCE"),
        (losses, "sparse_categorical_crossentropy binary_crossentropy mean_absolute_percentage_error"),
        (metrics, "acc accuracy Accuracy mse MSE mae MAE cosine_proximity kullback_leibler_divergence"),
        (
            keras.initializers,
            "uniform normal zero one zeros ones identity orthogonal glorot_normal lecun_uniform",
        ),
        (
            keras.initializers,
            "he_normal he_uniform lecun_normal glorot_uniform truncated_normal RandomNormal",
        ),
        (keras.activations, "relu softmax sigmoid tanh linear softplus softsign elu selu hard_sigmoid swish"),
        (constraints, "maxnorm max_norm MaxNorm nonneg unitnorm"),
        (regularizers, "l1 l2 l1_l2 l1l2 L1L2"),
    ],
)
def test_names_are_known_in_all_their_spellings(family, names):
    for name in names.split():
        assert family.get(name) is not None, name


# Keywords.


def generator():
    while True:
        yield X[:10], Y[:10]


MAKERS = {
    "batch_normalization": keras.layers.BatchNormalization,
    "compile": lambda **given: compiled(**given),
    "dense": lambda **given: Dense(
        **{**({} if {"output_dim", "units"} & {*given} else {"units": 3}), **given}
    ),
    "dropout": keras.layers.Dropout,
    "embedding": lambda **given: keras.layers.Embedding(4, 3, **given),
    "evaluate": lambda **given: compiled().evaluate(X, Y, verbose=0, **given),
    "fit": lambda **given: compiled().fit(X, Y, verbose=0, **given),
    "fit_generator": lambda **given: compiled().fit_generator(
        generator(),
        verbose=0,
        validation_data=generator(),
        **{"steps_per_epoch": 2, "validation_steps": 2} | given,
    ),
    "gaussian_noise": keras.layers.GaussianNoise,
    "l1": keras.regularizers.L1,
    "l2": keras.regularizers.L2,
    "leaky_relu": keras.layers.LeakyReLU,
    "max_norm": constraints.MaxNorm,
    "optimizer": keras.optimizers.Adam,
    "p_re_lu": keras.layers.PReLU,
    "predict": lambda **given: compiled().predict(X, verbose=0, **given),
    "progbar_logger": callbacks.ProgbarLogger,
    "reduce_lr_on_plateau": ReduceLROnPlateau,
    "to_categorical": lambda **given: arrays.to_categorical(
        **{**({} if {"x", "y"} & {*given} else {"x": [0, 1]}), **given}
    ),
    "train_on_batch": lambda **given: compiled().train_on_batch(X, Y, **given),
}
# What a keyword is given, by its name of today.
VALUES = {
    "alpha_initializer": "ones",
    "beta_initializer": "ones",
    "bias_constraint": "non_neg",
    "bias_regularizer": "l2",
    "embeddings_constraint": "non_neg",
    "embeddings_initializer": "ones",
    "embeddings_regularizer": "l2",
    "gamma_initializer": "zeros",
    "kernel_constraint": "non_neg",
    "kernel_initializer": "ones",
    "kernel_regularizer": "l2",
    "l1": 0.25,
    "l2": 0.25,
    "learning_rate": 0.25,
    "max_value": 7.0,
    "min_delta": 0.25,
    "negative_slope": 0.25,
    "num_classes": 5,
    "rate": 0.25,
    "stddev": 0.25,
    "units": 2,
    "use_bias": False,
    "x": [0, 2],
}


def essence(made):
    """What came of the arguments, apart from names that are made up."""
    if isinstance(made, np.ndarray):
        return made.tolist()
    if not hasattr(made, "get_config"):
        return made.min_delta
    return {key: value for key, value in made.get_config().items() if key != "name"}


# Tested by themselves, here and with the data sets.
OF_MODELS = ("evaluate_generator", "fit", "fit_generator", "imdb", "model", "reuters")


@pytest.mark.parametrize(
    ("family", "old"), [row for row in rows(old_names.KEYWORDS) if row[0] not in OF_MODELS]
)
def test_an_old_keyword_means_the_one_of_today(family, old, heard, monkeypatch):
    make, new = MAKERS[family], old_names.KEYWORDS[family][old]
    made, usual = make(**{old: VALUES[new]}), make() if new not in ("rate", "stddev") else None
    assert heard == [(family, f"{old}=", f"{new}=")]
    assert essence(made) == essence(make(**{new: VALUES[new]}))
    assert usual is None or essence(made) != essence(usual)
    monkeypatch.delitem(old_names.KEYWORDS[family], old)
    with pytest.raises((TypeError, DoltapError)):
        make(**{old: VALUES[new]})


def test_the_old_keywords_of_models_mean_those_of_today(heard):
    assert len(compiled().fit(X, Y, nb_epoch=3, verbose=0).epoch) == 3
    inputs = Input((4,))
    model = keras.Model(input=inputs, output=Dense(1)(inputs))
    assert model.output_shape == (None, 1)
    assert ("model", "input=", "inputs=") in heard
    assert ("model", "output=", "outputs=") in heard
    with pytest.raises(UnknownArgumentError, match="is its old name"):
        keras.Model(input=inputs, inputs=inputs, outputs=inputs)


KEEPING = {
    ("evaluate", "show_accuracy"): lambda: compiled().evaluate(X, Y, verbose=0, show_accuracy=True),
    ("fit", "show_accuracy"): lambda: compiled().fit(X, Y, verbose=0, show_accuracy=True),
    ("layer", "batch_input_shape"): lambda: Dense(3, batch_input_shape=(None, 4)),
    ("layer", "dynamic"): lambda: Dense(3, dynamic=True),
    ("layer", "input_dim"): lambda: Dense(3, input_dim=4),
    ("layer", "input_length"): lambda: keras.layers.Embedding(3, 2, input_length=4),
    ("layer", "input_shape"): lambda: Dense(3, input_shape=(4,)),
    ("layer", "weights"): lambda: Dense(3, weights=[np.ones((4, 3)), np.ones(3)]),
    ("optimizer", "decay"): lambda: keras.optimizers.SGD(decay=0.1),
    ("to_categorical", "dtype"): lambda: arrays.to_categorical([0, 1], dtype="int8"),
}


@pytest.mark.parametrize(("family", "keyword"), rows(old_names.KEPT))
def test_a_keyword_that_keeps_its_meaning_is_told(family, keyword, heard):
    KEEPING[family, keyword]()
    assert (family, f"{keyword}=", old_names.KEPT[family][keyword]) in heard
    heard.clear()
    assert not compiled().fit(X, Y, verbose=0).history.keys() - {"loss"}
    assert not heard, "programs of today are told nothing"


@pytest.mark.parametrize(("family", "keyword"), rows(old_names.WITHOUT_EFFECT))
def test_a_keyword_that_has_no_effect_is_accepted(family, keyword, heard, monkeypatch):
    MAKERS[family](**{keyword: 1})
    assert heard == [(family, f"{keyword}=", "")]
    monkeypatch.delitem(old_names.WITHOUT_EFFECT[family], keyword)
    with pytest.raises((TypeError, DoltapError)):
        MAKERS[family](**{keyword: 1})


@pytest.mark.parametrize(("family", "keyword"), rows(old_names.NO_LONGER))
def test_a_keyword_that_is_no_more_may_say_nothing_and_is_refused_with_the_cure(family, keyword):
    make = {**MAKERS, "optimizer": keras.optimizers.Nadam}[family]
    make(**{keyword: None})
    harmless = old_names._HARMLESS.get(keyword)
    make(**{keyword: harmless})
    with pytest.raises(NotSupportedError, match=re.escape(old_names.NO_LONGER[family][keyword])):
        make(**{keyword: 2})


def test_a_dense_layer_understands_the_words_of_keras_1():
    layer = Dense(
        output_dim=2,
        init="zeros",
        W_regularizer="l2",
        b_regularizer="l1",
        W_constraint="maxnorm",
        b_constraint="nonneg",
        input_dim=3,
    )
    config = Dense(
        2,
        kernel_initializer="zeros",
        kernel_regularizer="l2",
        bias_regularizer="l1",
        kernel_constraint="max_norm",
        bias_constraint="non_neg",
    ).get_config()
    differing = {key for key, value in config.items() if layer.get_config()[key] != value}
    assert differing <= {"name", "batch_input_shape"}
    layer(np.ones((1, 3)))
    assert not layer.kernel.numpy().any()


@pytest.mark.parametrize(
    ("make", "attribute", "value"),
    [
        (lambda: constraints.maxnorm(m=3, axis=1), "axis", 1),
        (lambda: regularizers.WeightRegularizer(l1=0.1, l2=0.2), "l2", 0.2),
        (lambda: keras.layers.GaussianDropout(p=0.5), "rate", 0.5),
        (lambda: keras.layers.SpatialDropout1D(p=0.5), "rate", 0.5),
        (lambda: keras.layers.AlphaDropout(p=0.5), "rate", 0.5),
        (lambda: keras.layers.Embedding(3, 2, init="zeros").embeddings_initializer, "__class__", Zeros),
        (lambda: losses.MeanSquaredError(reduction="auto"), "reduction", "sum_over_batch_size"),
        (lambda: losses.Hinge(reduction=losses.Reduction.SUM), "reduction", "sum"),
        (lambda: arrays.to_categorical([0, 1], dtype="float32"), "dtype", np.float32),
        (lambda: keras.layers.TimeDistributedDense(3), "units", 3),
        (lambda: keras.layers.InputLayer(input_dim=3), "batch_shape", (None, 3)),
        (lambda: keras.layers.InputLayer(input_shape=(3,)), "batch_shape", (None, 3)),
        (lambda: keras.layers.InputLayer(batch_input_shape=(None, 3)), "batch_shape", (None, 3)),
        (lambda: Input(shape=784), "shape", (None, 784)),
        (lambda: Input(784), "shape", (None, 784)),
        (lambda: keras.initializers.RandomUniform(-0.05, 0.05), "maxval", 0.05),
        (lambda: keras.initializers.normal(stddev=0.1), "stddev", 0.1),
        (lambda: keras.initializers.glorot_uniform(seed=3), "seed", 3),
        (lambda: keras.optimizers.Adam(0.1, epsilon=None, amsgrad=False), "epsilon", 1e-7),
    ],
)
def test_what_old_programs_write_means_what_it_meant(make, attribute, value):
    assert getattr(make(), attribute) == value


@pytest.mark.parametrize("layer", [Dense, keras.layers.BatchNormalization])
def test_a_layer_takes_the_first_values_of_its_weights(layer):
    options = (3,) if layer is Dense else ()
    plain = layer(*options)
    plain(np.ones((1, 4)))
    values = [np.full_like(weight, number) for number, weight in enumerate(plain.get_weights(), 1)]
    made = layer(*options, weights=values)
    made(np.ones((1, 4)))
    for ours, given in zip(made.get_weights(), values, strict=True):
        np.testing.assert_array_equal(ours, given)
    in_model = keras.Sequential([layer(*options, weights=values, input_shape=(4,))])
    np.testing.assert_array_equal(in_model.get_weights()[0], values[0])
    with pytest.raises(DoltapError, match="the weights given"):
        layer(*options, weights=values[:1])(np.ones((1, 4)))


def test_a_word_under_both_its_names_is_refused():
    for use in (
        lambda: Dense(3, W_regularizer="l2", kernel_regularizer="l1"),
        lambda: constraints.MaxNorm(m=1, max_value=2),
    ):
        with pytest.raises(UnknownArgumentError, match="is its old name"):
            use()
    with pytest.raises(TypeError):
        constraints.MaxNorm(1, m=2)
    with pytest.raises(TypeError):
        constraints.MaxNorm(meters=2)


def test_the_tables_are_plain_and_have_no_word_for_themselves():
    for table in (old_names.KEYWORDS, old_names.NAMES):
        for names in table.values():
            assert not set(names) & set(names.values())
    tables = [getattr(old_names, name) for name in old_names.__all__ if name.isupper()]
    for table in tables:
        assert json.loads(json.dumps(table)) == table
        for each in table.values():
            assert isinstance(each, str) or all(isinstance(text, str) for text in each.values())


# The learning rate.


def test_the_learning_rate_has_its_old_name(heard):
    optimizer = keras.optimizers.SGD(lr=0.5)
    assert float(optimizer.lr) == 0.5
    optimizer.lr = 0.25
    assert float(optimizer.learning_rate) == 0.25
    optimizer.lr.assign(0.125)
    assert float(optimizer.learning_rate) == 0.125
    assert ("attribute", "optimizer.lr", "optimizer.learning_rate") in heard
    assert ("optimizer", "lr=", "learning_rate=") in heard


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_decay_is_that_of_keras_2(name):
    kind = getattr(keras.optimizers, name)
    falling, plain = kind(lr=0.5, decay=0.25), kind(0.5)
    weights = [keras.Variable(np.ones(3)) for _ in range(2)]
    assert float(falling.decay) == 0.25
    assert plain.decay == 0.0
    for step in range(4):
        plain.learning_rate = 0.5 / (1.0 + 0.25 * step)
        for optimizer, weight in zip((falling, plain), weights, strict=True):
            optimizer.apply_gradients([(np.array([0.1, -0.2, 0.3]), weight)])
        np.testing.assert_allclose(weights[0].numpy(), weights[1].numpy(), rtol=1e-6)
    assert float(falling.lr) == 0.5


# What was measured.


@pytest.mark.parametrize(("old", "new"), old_names.LOGS.items())
@pytest.mark.parametrize("form", ["{}", "val_{}", "val_out_{}"])
def test_a_measure_is_found_under_both_its_names(old, new, form, heard):
    for shown, asked in ((old, new), (new, old)):
        measured = old_names.Measures({form.format(shown): 0.5, "loss": 1.0})
        assert measured[form.format(asked)] == measured.get(form.format(asked)) == 0.5
        assert form.format(asked) in measured
        assert list(measured) == [form.format(shown), "loss"]
    assert ("log", form.format(old), form.format(new)) in heard


def test_measures_are_a_plain_dict_to_everybody_else():
    measured = old_names.Measures(accuracy=[0.5])
    assert measured == {"accuracy": [0.5]}
    assert repr(measured) == "{'accuracy': [0.5]}"
    assert json.dumps(measured) == '{"accuracy": [0.5]}'
    assert type(pickle.loads(pickle.dumps(measured))) is dict
    assert copy.deepcopy(measured) == measured
    assert "auc" not in measured
    assert measured.get("auc", 3) == 3
    assert measured.get(3) is None
    with pytest.raises(KeyError, match="auc"):
        measured["auc"]


def test_the_history_finds_accuracy_as_acc_and_the_other_way_round():
    history = compiled(["accuracy"]).fit(X, Y, validation_split=0.2, verbose=0).history
    assert history["val_acc"] == history["val_accuracy"]
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    history = compiled(["acc"]).fit(X, Y, verbose=0).history
    assert history["accuracy"] == history["acc"]
    assert set(history) == {"loss", "acc"}
    history = compiled(["mae"]).fit(X, Y, verbose=0).history
    assert history["mean_absolute_error"] == history["mae"]


def test_callbacks_understand_the_old_names_of_measures(tmp_path, recwarn):
    told = []
    model = compiled(["accuracy"])
    model.fit(
        X,
        Y,
        validation_split=0.2,
        epochs=3,
        verbose=0,
        callbacks=[
            callbacks.EarlyStopping(monitor="val_acc", patience=0, mode="min"),
            callbacks.ModelCheckpoint(str(tmp_path / "{epoch}-{val_acc:.2f}.h5"), monitor="val_acc"),
            ReduceLROnPlateau(monitor="acc", epsilon=0.1),
            LambdaCallback(on_epoch_end=lambda epoch, logs: told.append((logs["val_acc"], logs.get("lr")))),
        ],
    )
    assert len(told) == 2, "it stopped by val_acc"
    assert told[0][1] == pytest.approx(0.01)
    assert len(list(tmp_path.iterdir())) == 2
    assert not recwarn.list


@pytest.mark.parametrize("name", old_names.PARAMS)
def test_callbacks_are_told_what_they_were_told_long_ago(name, heard, monkeypatch):
    found = []

    class Asking(callbacks.Callback):
        def on_train_begin(self, logs=None):
            assert set(self.params) == {"epochs", "steps", "verbose"}
            found.append(self.params[name])
            assert self.params.get(name) == found[0]

    compiled(["accuracy"]).fit(X, Y, validation_split=0.2, batch_size=8, verbose=0, callbacks=[Asking()])
    assert ("params", name, old_names.PARAMS[name]) in heard
    expected = {
        "batch_size": 8,
        "do_validation": True,
        "metrics": {"accuracy", "loss", "val_accuracy", "val_loss"},
        "nb_epoch": 1,
        "nb_sample": 16,
        "samples": 16,
    }
    assert (set(found[0]) if name == "metrics" else found[0]) == expected[name]
    with pytest.raises(KeyError):
        callbacks.CallbackList(epochs=1).params["samples"]


def test_old_batch_hooks_are_called_for_every_batch():
    heard_batches = []

    class Losses(callbacks.Callback):
        def on_batch_begin(self, batch, logs={}):  # noqa: B006 - as old programs write it.
            heard_batches.append(batch)

        def on_batch_end(self, batch, logs={}):  # noqa: B006
            heard_batches.append(logs.get("loss") > 0)

    compiled().fit(X, Y, batch_size=10, verbose=0, callbacks=[Losses()])
    assert heard_batches == [0, True, 1, True]


# Methods.


def test_classes_are_predicted(heard):
    yes_or_no, three = compiled(), keras.Sequential([Input((4,)), Dense(3, activation="softmax")])
    found = yes_or_no.predict_classes(X)
    assert (found.shape, found.dtype) == ((20, 1), np.int32)
    np.testing.assert_array_equal(found, yes_or_no.predict(X, verbose=0) > 0.5)
    expected = three.predict(X, verbose=0).argmax(axis=-1)
    np.testing.assert_array_equal(three.predict_classes(X, batch_size=4, verbose=0), expected)
    np.testing.assert_array_equal(three.predict_proba(X), three.predict(X, verbose=0))
    assert {
        ("method", name, old_names.METHODS[name]) for name in ("predict_classes", "predict_proba")
    } == set(heard)
    inputs = Input((4,))
    with pytest.raises(NotSupportedError, match="one output"):
        keras.Model(inputs, [Dense(1)(inputs), Dense(1)(inputs)]).predict_classes(X)


def counted_generator(counts):
    while True:
        counts.append(1)
        yield X[:10], Y[:10]


@pytest.mark.parametrize(
    ("keywords", "num_steps"),
    [
        ({"steps_per_epoch": 3}, 3),
        ({"steps_per_epoch": 3, "epochs": 2}, 3),
        ({"samples_per_epoch": 45, "nb_epoch": 2}, 5),
        ({"samples_per_epoch": 40, "max_q_size": 10, "nb_worker": 1, "pickle_safe": True}, 4),
        ({"steps_per_epoch": 2, "workers": 2, "use_multiprocessing": False, "max_queue_size": 1}, 2),
        ({"steps_per_epoch": 2, "class_weight": None, "shuffle": True, "initial_epoch": 0}, 2),
    ],
)
def test_fit_generator_is_fit(keywords, num_steps, heard):
    steps = []
    epochs = keywords.get("epochs", keywords.get("nb_epoch", 1))
    counting = LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    history = compiled().fit_generator(counted_generator([]), verbose=0, callbacks=[counting], **keywords)
    assert steps == [*range(num_steps)] * epochs
    assert len(history.epoch) == epochs
    assert ("method", "fit_generator", old_names.METHODS["fit_generator"]) in heard


def test_fit_generator_validates():
    for keywords in ({"validation_steps": 2}, {"nb_val_samples": 20}):
        history = compiled().fit_generator(generator(), 2, 1, 0, None, generator(), **keywords)
        assert "val_loss" in history.history
    history = compiled().fit_generator(generator(), 2, verbose=0, validation_data=(X, Y))
    assert "val_loss" in history.history
    weights = {0: 1.0, 1: 0.0}
    model = compiled()
    model.fit_generator(generator(), 2, 1, 0, None, None, None, 1, weights)


def test_evaluate_generator_and_predict_generator_count_steps_or_rows(heard):
    model = compiled(["accuracy"])
    expected = model.evaluate(X[:10], Y[:10], verbose=0)
    for keywords in ({"steps": 3}, {"val_samples": 30}, {"steps": 3, "workers": 2, "verbose": 0}):
        np.testing.assert_allclose(model.evaluate_generator(generator(), **keywords), expected, rtol=1e-6)
        keywords.pop("verbose", None)
        inputs = (x for x, _ in generator())
        assert model.predict_generator(inputs, **keywords).shape == (30, 1)
    np.testing.assert_allclose(model.evaluate_generator(generator(), 3, 10), expected, rtol=1e-6)
    assert ("method", "evaluate_generator", old_names.METHODS["evaluate_generator"]) in heard
    assert ("method", "predict_generator", old_names.METHODS["predict_generator"]) in heard
    assert ("evaluate_generator", "val_samples=", "steps=") in heard


def test_states_can_be_reset_where_nothing_is_remembered(heard):
    compiled().reset_states()
    assert heard == [("method", "reset_states", old_names.METHODS["reset_states"])]


def test_every_old_method_is_there():
    for name in old_names.METHODS:
        assert callable(getattr(keras.Model, name)), name
        with pytest.raises(AttributeError):
            getattr(Dense(1), name)


def test_show_accuracy_shows_it():
    model = compiled()
    assert "accuracy" in model.fit(X, Y, show_accuracy=True, verbose=0).history
    before = model.evaluate(X, Y, verbose=0)
    assert len(before) == 2
    assert model.evaluate(X, Y, show_accuracy=True, verbose=0) == before
    assert len(compiled().evaluate(X, Y, show_accuracy=True, verbose=0)) == 2
    assert "accuracy" not in compiled().fit(X, Y, show_accuracy=False, verbose=0).history


# Attributes of layers.


@pytest.mark.parametrize("name", old_names.ATTRIBUTES["layer"])
def test_an_old_attribute_is_found(name, heard, monkeypatch):
    model = keras.Sequential([Input((4,)), Dense(3), Dropout(0.5), keras.layers.GaussianNoise(0.25)])
    dense, dropout, noise = model.layers
    owner, expected = {
        "W": (dense, dense.kernel),
        "b": (dense, dense.bias),
        "_inbound_nodes": (dense, dense.nodes),
        "add_variable": (dense, dense.add_weight),
        "inbound_nodes": (dense, dense.nodes),
        "input_shape": (dropout, (None, 3)),
        "output_dim": (dense, 3),
        "output_shape": (dense, (None, 3)),
        "p": (dropout, 0.5),
        "sigma": (noise, 0.25),
    }[name]
    found = getattr(owner, name)
    assert found is expected or found == expected
    assert heard == [("attribute", f"layer.{name}", f"layer.{old_names.ATTRIBUTES['layer'][name]}")]
    monkeypatch.delitem(old_names.ATTRIBUTES["layer"], name)
    with pytest.raises(AttributeError, match=name):
        getattr(owner, name)


def test_an_old_attribute_that_the_layer_never_had_is_missing_under_its_own_name():
    with pytest.raises(AttributeError, match="'sigma'"):
        _ = Dense(1).sigma
    with pytest.raises(AttributeError, match="first called"):
        _ = Dense(1).W
    with pytest.raises(AttributeError, match="never part of a network"):
        _ = Dense(1).output_shape


def test_the_calls_of_a_shared_layer_are_told_apart():
    layer = Dense(3)
    first, second = Input((4,)), Input((4,))
    one, two = layer(first), layer(second)
    assert layer.get_output_at(0) is one
    assert layer.get_output_at(1) is two
    assert layer.get_input_at(1) is second
    assert layer.get_input_shape_at(0) == (None, 4)
    assert layer.get_output_shape_at(0) == (None, 3)
    with pytest.raises(AttributeError, match="its 2 on symbolic tensors"):
        layer.get_output_at(2)


# Files and seeds of a whole program.

PROGRAM = """
import numpy as np
import doltap as keras
from doltap.models import Sequential
from doltap.layers import Dense, Dropout, Activation
from doltap.optimizers import sgd

x, y = np.random.rand(60, 4), keras.utils.to_categorical(np.arange(60) % 3, nb_classes=3)
model = Sequential()
model.add(Dense(output_dim=8, input_dim=4, init="uniform", W_regularizer=keras.regularizers.l2(l=0.01)))
model.add(Activation("relu"))
model.add(Dropout(p=0.2))
model.add(Dense(3, init="glorot_normal"))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=sgd(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True),
              metrics=["accuracy"], class_mode="categorical")
history = model.fit(x, y, nb_epoch=2, batch_size=16, verbose=0, validation_split=0.1)
print(sorted(history.history), len(history.history["val_acc"]))
score = model.evaluate(x, y, verbose=0)
print(model.metrics_names, len(score), model.predict_classes(x, verbose=0).shape)
"""


def test_a_program_of_keras_1_runs():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['accuracy', 'loss', 'val_accuracy', 'val_loss'] 2",
        "['loss', 'accuracy'] 2 (60,)",
    ]


def test_the_families_are_asked_for_somewhere():
    text = "\n".join(inspect.getsource(module) for module in SOURCES())
    for family in {*old_names.KEYWORDS, *old_names.WITHOUT_EFFECT, *old_names.NO_LONGER}:
        asked = re.search(rf'(translate|accepts)\("{family}"|def {family}\(', text)
        assert asked, family


def SOURCES():  # noqa: N802
    names = ["arrays", "constraints", "regularizers", "layers.dense", "layers.noise", "layers.embedding"]
    names += ["layers.activation", "layers.normalization", "optimizers.optimizer", "callbacks.rates"]
    names += ["callbacks.progress", "models.trainer", "models.compiling", "models.old_ways"]
    names += ["models.model"]
    names += ["datasets.imdb", "datasets.reuters"]
    return [importlib.import_module(f"doltap.{name}") for name in names]


def test_measures_are_found_as_keras_2_spelled_them():
    history = compiled(metrics=["RootMeanSquaredError", "AUC"]).fit(X, Y, verbose=0).history
    assert history["root_mean_squared_error"] == history["RootMeanSquaredError"]
    assert history["auc"] == history["AUC"]
    assert old_names.in_logs("val_auc", ["val_AUC", "val_Auc"]) is None
