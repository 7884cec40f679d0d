"""Keras 3's estimators, beside Keras's own."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import wrapped
from sklearn.base import clone

import doltap
from doltap.errors import DoltapError, LabelError, NotCompiledError, NotSupportedError
from doltap.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from doltap.wrappers.parameters import ParameterError

X, NUMBERS, NAMES = wrapped.points()
QUIET = {"verbose": 0}


@pytest.mark.parametrize("name", ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"])
def test_the_parameters_are_those_of_keras(keras, name):
    ours, theirs = getattr(doltap.wrappers, name), getattr(keras.wrappers, name)
    assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters]
    public = {each for each in dir(theirs) if not each.startswith("_")}
    assert public <= set(dir(ours))


@pytest.mark.filterwarnings("ignore")
def test_they_predict_what_keras_predicts(keras):
    def tower(of, X, y):
        head = "softmax" if y.shape[1] > 1 else None
        outputs = of.layers.Dense(y.shape[1], activation=head, kernel_initializer="ones")
        model = of.Sequential([of.Input((2,)), outputs])
        model.compile(loss="mse", optimizer=of.optimizers.SGD(0.1))
        return model

    for name, y in (
        ("SKLearnClassifier", NAMES),
        ("SKLearnRegressor", NUMBERS),
        ("SKLearnTransformer", NUMBERS),
    ):
        found = []
        for of in (doltap, keras):
            kind = getattr(of.wrappers, name)
            estimator = kind(lambda X, y, of=of: tower(of, X, y.reshape(len(y), -1)), fit_kwargs={**QUIET})
            estimator.fit(X, y, epochs=3, batch_size=60, shuffle=False)
            found.append(estimator.transform(X) if "Trans" in name else estimator.predict(X))
        assert found[0].shape == found[1].shape
        if name == "SKLearnClassifier":
            assert (found[0] == found[1]).all()
        else:
            np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_a_model_is_copied_for_every_fit():
    model = wrapped.number()
    before = model.get_weights()
    regressor = SKLearnRegressor(model, fit_kwargs={"epochs": 30, **QUIET}).fit(X, NUMBERS)
    assert regressor.model_ is not model
    assert regressor.score(X, NUMBERS) > 0.5
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert regressor.history_.epoch == [*range(30)]
    assert regressor.epoch_ == 30


def test_warm_start_goes_on():
    regressor = SKLearnRegressor(wrapped.number(), warm_start=True, fit_kwargs={"epochs": 2, **QUIET})
    first = regressor.fit(X, NUMBERS).model_
    assert first is regressor.model
    assert regressor.fit(X, NUMBERS).model_ is first
    assert regressor.epoch_ == 4


def test_a_clone_keeps_all_parameters_and_a_fit_changes_none():
    regressor = SKLearnRegressor(
        wrapped.for_targets, model_kwargs={"units": 3}, fit_kwargs={"epochs": 1, **QUIET}
    )
    copy = clone(regressor).fit(X, NUMBERS, epochs=2)
    assert copy.fit_kwargs == {"epochs": 1, "verbose": 0}
    assert (copy.epoch_, copy.model_.layers[0].units) == (2, 3)


def test_a_classifier_of_two_has_one_decision():
    classifier = SKLearnClassifier(wrapped.for_targets, fit_kwargs={"epochs": 30, **QUIET}).fit(
        X, NUMBERS > 0
    )
    assert classifier.model_.output_shape == (None, 2)
    np.testing.assert_array_equal(classifier.decision_function(X) > 0, classifier.predict(X))
    assert classifier.score(X, NUMBERS > 0) > 0.8
    assert SKLearnClassifier(wrapped.for_targets, fit_kwargs=QUIET).fit(X, NAMES).decision_function(
        X
    ).shape == (60, 3)


def test_a_transformer_gives_the_outputs():
    transformer = SKLearnTransformer(wrapped.number(), fit_kwargs=QUIET)
    np.testing.assert_array_equal(transformer.fit_transform(X, NUMBERS), transformer.predict(X))


def test_labels_of_validation_data_are_encoded_too():
    classifier = SKLearnClassifier(wrapped.for_targets, fit_kwargs=QUIET)
    classifier.fit(X, NAMES, validation_data=(X, NAMES))
    assert "val_accuracy" in classifier.history_.history


def plain(X, y):
    return doltap.Sequential([doltap.layers.Dense(1)])


@pytest.mark.parametrize(
    ("use", "kind", "said"),
    [
        (lambda: SKLearnRegressor(plain).fit(X, NUMBERS), NotCompiledError, "plain"),
        (lambda: SKLearnRegressor(plain(X, X)).fit(X, NUMBERS), NotCompiledError, "compile"),
        (lambda: SKLearnRegressor(lambda X, y: None).fit(X, NUMBERS), NotSupportedError, "return model"),
        (lambda: SKLearnRegressor().fit(X, NUMBERS), NotSupportedError, "build_model"),
        (
            lambda: SKLearnRegressor(wrapped.for_targets, model_kwargs={"unit": 1}).fit(X, NUMBERS),
            ParameterError,
            "Did you mean 'units='",
        ),
        (
            lambda: SKLearnRegressor(wrapped.for_targets, fit_kwargs={"epoch": 1}).fit(X, NUMBERS),
            ParameterError,
            "Did you mean 'epochs='",
        ),
        (lambda: SKLearnClassifier(wrapped.for_targets).fit(X, NUMBERS), LabelError, "Unknown label type"),
        (lambda: SKLearnClassifier(wrapped.for_targets).fit(X, ["a"] * 60), LabelError, "one class"),
        (lambda: SKLearnRegressor(wrapped.number()).fit(X[:, :1], NUMBERS), DoltapError, "2"),
    ],
)
def test_what_is_wrong_is_said(use, kind, said):
    with pytest.raises(kind, match=said):
        use()
