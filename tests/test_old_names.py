"""Programs for Keras 1 and 2 keep their words."""

from __future__ import annotations

import numpy as np
import pytest

import doltap as keras
from doltap import constraints, losses, metrics, old_names, regularizers
from doltap.callbacks import ReduceLROnPlateau
from doltap.errors import UnknownArgumentError, UnknownNameError
from doltap.initializers import Zeros
from doltap.registry import custom_object_scope


@pytest.mark.parametrize(
    ("family", "old", "new"),
    [
        (losses, "cosine_proximity", "cosine_similarity"),
        (constraints, "maxnorm", "max_norm"),
        (constraints, "nonneg", "non_neg"),
        (constraints, "unitnorm", "unit_norm"),
        (regularizers, "activity_l1", "l1"),
        (regularizers, "activity_l2", "l2"),
        (regularizers, "activity_l1l2", "l1_l2"),
        (regularizers, "l1l2", "l1_l2"),
    ],
)
def test_an_old_name_means_the_thing_of_today(family, old, new):
    assert old in family.names
    ours, today = family.get(old), family.get(new)
    assert type(ours) is type(today)
    assert ours.get_config() == today.get_config()
    assert getattr(family, old) is getattr(family, new)


@pytest.mark.parametrize(("old", "new"), [("f1", "f1_score"), ("cosine_proximity", "cosine_similarity")])
def test_a_metric_keeps_its_old_name_in_the_logs(old, new):
    metric = metrics.get(old)
    assert (type(metric), metric.name) == (type(metrics.get(new)), old)


def test_every_old_name_leads_somewhere():
    families = {"constraint": constraints, "loss": losses, "metric": metrics, "regularizer": regularizers}
    for kind, table in old_names.NAMES.items():
        for old, new in table.items():
            assert families[kind].names.find(old) is families[kind].names.find(new)


def test_a_name_of_the_users_comes_before_an_old_one():
    class F1(metrics.Mean):
        pass

    with custom_object_scope({"f1": F1}):
        assert type(metrics.get("f1")) is F1
    assert type(metrics.get("f1")) is metrics.F1Score
    with pytest.raises(UnknownNameError, match="Did you mean"):
        metrics.get("f1_scoer")


@pytest.mark.parametrize(
    ("make", "attribute", "value"),
    [
        (lambda: constraints.MaxNorm(m=3), "max_value", 3),
        (lambda: constraints.maxnorm(m=3, axis=1), "axis", 1),
        (lambda: regularizers.l1(l=0.5), "l1", 0.5),
        (lambda: regularizers.l2(l=0.5), "l2", 0.5),
        (lambda: regularizers.WeightRegularizer(l1=0.1, l2=0.2), "l2", 0.2),
        (lambda: ReduceLROnPlateau(epsilon=0.5), "min_delta", 0.5),
        (lambda: keras.optimizers.SGD(lr=0.5).learning_rate.numpy(), "real", 0.5),
        (lambda: keras.layers.Dropout(p=0.5), "rate", 0.5),
        (lambda: keras.layers.Dense(output_dim=3), "units", 3),
        (lambda: keras.layers.Dense(3, bias=False), "use_bias", False),
        (lambda: keras.layers.LeakyReLU(alpha=0.5), "negative_slope", 0.5),
        (lambda: keras.layers.Embedding(3, 2, init="zeros").embeddings_initializer, "__class__", Zeros),
        (lambda: keras.layers.BatchNormalization(gamma_init="zeros").gamma_initializer, "__class__", Zeros),
    ],
)
def test_an_old_keyword_means_the_one_of_today(make, attribute, value):
    assert getattr(make(), attribute) == value


def test_a_dense_layer_understands_the_words_of_keras_1():
    layer = keras.layers.Dense(
        output_dim=2,
        init="zeros",
        W_regularizer="l2",
        b_regularizer="l1",
        W_constraint="maxnorm",
        b_constraint="nonneg",
        input_dim=3,
    )
    config = keras.layers.Dense(
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


def test_a_word_under_both_its_names_is_refused():
    for use in (
        lambda: keras.layers.Dense(3, W_regularizer="l2", kernel_regularizer="l1"),
        lambda: constraints.MaxNorm(m=1, max_value=2),
    ):
        with pytest.raises(UnknownArgumentError, match="is its old name"):
            use()
    with pytest.raises(TypeError):
        constraints.MaxNorm(1, m=2)
    with pytest.raises(TypeError):
        constraints.MaxNorm(meters=2)


def test_the_table_has_no_word_for_itself():
    for table in (*old_names.KEYWORDS.values(), *old_names.NAMES.values()):
        assert not set(table) & set(table.values())


@pytest.mark.parametrize(
    ("method", "word"),
    [
        ("fit_generator", "Call fit"),
        ("evaluate_generator", "Call evaluate"),
        ("predict_generator", "Call predict"),
        ("predict_classes", "argmax"),
        ("predict_proba", "Call predict"),
    ],
)
def test_a_method_of_long_ago_names_what_does_its_work_today(method, word):
    with pytest.raises(AttributeError, match=word):
        getattr(keras.Sequential([keras.layers.Dense(1)]), method)
    with pytest.raises(AttributeError) as error:
        getattr(keras.layers.Dense(1), method)
    assert word not in str(error.value)
