"""Keras 2's estimators, as the programs of its time use them."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pandas as pd
import pytest
import wrapped
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import RandomizedSearchCV

import doltap as keras
from doltap.errors import DataError, DoltapError, LabelError, NotCompiledError, NotSupportedError
from doltap.wrappers.parameters import ParameterError
from doltap.wrappers.scikit_learn import KerasClassifier, KerasRegressor

X, NUMBERS, NAMES = wrapped.points()


def test_the_lesson_runs():
    stats = pytest.importorskip("scipy.stats")
    regressor = keras.wrappers.scikit_learn.KerasRegressor(wrapped.number)
    stopping = [keras.callbacks.EarlyStopping(patience=5)]
    held_out = (X[:20], NUMBERS[:20])
    regressor.fit(X, NUMBERS, epochs=5, validation_data=held_out, callbacks=stopping, verbose=0)
    assert len(regressor.history["val_loss"]) == 5
    space = {"units": np.arange(1, 9), "learning_rate": stats.reciprocal(3e-3, 3e-1)}
    search = RandomizedSearchCV(regressor, space, n_iter=3, cv=3, random_state=0)
    search.fit(X, NUMBERS, epochs=20, validation_data=held_out, callbacks=stopping, verbose=0)
    model = search.best_estimator_.model
    assert isinstance(model, keras.Model)
    assert model.layers[0].units == search.best_params_["units"]
    assert -0.5 < search.best_score_ < 0
    assert search.best_estimator_.score(X, NUMBERS, verbose=0) == -model.evaluate(X, NUMBERS, verbose=0)


class Maker:
    def __call__(self, units=4):
        return wrapped.number(units)


class Own(KerasRegressor):
    def __call__(self, units=4):
        return wrapped.number(units, width=self.n_features_in_)


@pytest.mark.parametrize(
    "make",
    [
        lambda **given: KerasRegressor(wrapped.number, **given),
        lambda **given: KerasRegressor(Maker(), **given),
        lambda **given: KerasRegressor(Maker().__call__, **given),
        lambda **given: KerasRegressor(build_fn=wrapped.number, **given),
        Own,
    ],
    ids=["function", "object", "method", "keyword", "subclass"],
)
def test_a_model_is_made_by_a_function_an_object_or_a_subclass(make):
    regressor = make(units=3, epochs=2, verbose=0)
    assert regressor.fit(X, NUMBERS) is regressor
    assert regressor.model.layers[0].units == 3
    assert regressor.epoch == [0, 1]
    assert regressor.predict(X).shape == (60,)
    with pytest.raises(ParameterError, match="Did you mean 'units='"):
        make(unit=3)


def test_parameters_are_got_set_cloned_and_filtered():
    regressor = KerasRegressor(wrapped.number, units=np.int64(3), epochs=4, batch_size=8, verbose=0)
    copy = clone(regressor)
    assert copy.get_params() == {
        "build_fn": wrapped.number,
        "units": 3,
        "epochs": 4,
        "batch_size": 8,
        "verbose": 0,
    }
    assert copy.set_params(units=5, nb_epoch=2) is copy
    assert (copy.sk_params["units"], regressor.sk_params["units"]) == (5, 3)
    assert regressor.filter_sk_params(wrapped.number, {"width": 2}) == {"units": 3, "width": 2}
    with pytest.raises(ParameterError, match="Did you mean 'epochs='"):
        copy.set_params(epoch=1)
    with pytest.raises(ValueError, match="learning_rate="):
        KerasRegressor(wrapped.number, learning_rat=1)
    assert copy.set_params(build_fn=wrapped.softmax).build_fn is wrapped.softmax


def test_what_fit_returns_can_be_read_as_the_history_that_keras_2_returned():
    regressor = KerasRegressor(wrapped.number, epochs=3, verbose=0)
    history = regressor.fit(X, NUMBERS, validation_data=(X, NUMBERS))
    assert [*history.history] == ["loss", "val_loss"]
    assert [len(values) for values in history.history.values()] == [3, 3]
    assert history.epoch == [0, 1, 2]
    assert history.params["epochs"] == 3
    assert history.model is regressor.model
    assert pd.DataFrame(history.history, index=history.epoch).shape == (3, 2)


def test_keywords_of_fit_win_over_parameters():
    regressor = KerasRegressor(wrapped.number, epochs=3, verbose=0)
    assert len(regressor.fit(X, NUMBERS).epoch) == 3
    assert len(regressor.fit(X, NUMBERS, epochs=1).epoch) == 1
    assert len(KerasRegressor(wrapped.number, nb_epoch=2, verbose=0).fit(X, NUMBERS).epoch) == 2


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_classifier_learns_names(loss):
    classifier = KerasClassifier(wrapped.softmax, loss=loss, epochs=80, verbose=0)
    classifier.fit(X, NAMES, validation_data=(X, NAMES))
    assert list(classifier.classes_) == ["low", "mid", "top"]
    assert classifier.n_classes_ == 3
    assert (classifier.predict(X) == NAMES).mean() == pytest.approx(classifier.score(X, NAMES))
    assert classifier.score(X, NAMES) > 0.85
    assert classifier.history["val_accuracy"][-1] > 0.85
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_one_sigmoid_gives_two_columns():
    classifier = KerasClassifier(wrapped.sigmoid, epochs=60, verbose=0).fit(X, NUMBERS > 0)
    both = classifier.predict_proba(X)
    np.testing.assert_allclose(both[:, 1:], classifier.model.predict(X, verbose=0))
    np.testing.assert_allclose(both.sum(axis=1), 1)
    assert (classifier.predict(X) == (NUMBERS > 0)).mean() > 0.9


def test_one_hot_rows_stay_class_numbers():
    rows = keras.utils.to_categorical(np.arange(60) % 3)
    classifier = KerasClassifier(wrapped.softmax, loss="categorical_crossentropy", verbose=0).fit(X, rows)
    assert list(classifier.classes_) == [0, 1, 2]
    assert classifier.predict(X).shape == (60,)
    assert 0 <= classifier.score(X, rows) <= 1


def test_logits_become_probabilities():
    def tower():
        model = keras.Sequential([keras.layers.Dense(1)])
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.1))
        return model

    classifier = KerasClassifier(tower, epochs=60, verbose=0).fit(X, NUMBERS > 0)
    logits = classifier.model.predict(X, verbose=0)
    np.testing.assert_allclose(classifier.predict_proba(X)[:, 1:], 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert (classifier.predict(X) == (logits[:, 0] > 0)).all()


def test_a_class_that_is_missing_in_training_takes_no_part():
    classifier = KerasClassifier(wrapped.softmax, classes=5, verbose=0).fit(X, NAMES)
    assert classifier.predict_proba(X).shape == (60, 3)
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_weights_of_rows_count_in_fit_and_score():
    half = np.where(NUMBERS > 0, 1.0, 0.0)
    classifier = KerasClassifier(wrapped.sigmoid, epochs=60, verbose=0)
    classifier.fit(X, NUMBERS > 0, sample_weight=half)
    assert classifier.predict(X).mean() > 0.8
    regressor = KerasRegressor(wrapped.number, verbose=0).fit(X, NUMBERS)
    zero = regressor.score(X, NUMBERS, sample_weight=np.zeros(60))
    assert zero == 0 > regressor.score(X, NUMBERS)


def test_a_fitted_estimator_is_pickled_with_its_model():
    regressor = KerasRegressor(wrapped.number, epochs=2, verbose=0).fit(X, NUMBERS)
    back = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(back.predict(X), regressor.predict(X))
    assert back.history == regressor.history


def test_a_model_may_be_put_in_place_of_the_trained_one():
    regressor = KerasRegressor(wrapped.number, verbose=0).fit(X, NUMBERS)
    regressor.model = wrapped.number(units=7)
    assert regressor.model.layers[0].units == 7
    regressor.predict(X)


def test_they_are_what_they_say():
    assert is_classifier(KerasClassifier(wrapped.softmax))
    assert is_regressor(KerasRegressor(wrapped.number))


def test_callbacks_of_the_constructor_are_no_longer_shared():
    stopping = keras.callbacks.EarlyStopping(monitor="loss", patience=1)
    regressor = KerasRegressor(wrapped.number, callbacks=[stopping], verbose=0)
    regressor.fit(X, NUMBERS)
    assert stopping.model is None


def test_pandas_brings_names_of_columns_and_labels():
    table, labels = pd.DataFrame(X, columns=["a", "b"]), pd.Series(NAMES)
    classifier = KerasClassifier(wrapped.softmax, epochs=2, verbose=0).fit(table, labels)
    assert [*classifier.feature_names_in_] == ["a", "b"]
    assert set(classifier.predict(table)) <= set(NAMES)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(table[["b", "a"]])


def test_images_texts_and_several_inputs_reach_the_network():
    layers = keras.layers

    def pictures():
        model = keras.Sequential([layers.Flatten(input_shape=(4, 4)), layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    assert KerasRegressor(pictures, verbose=0).fit(np.ones((6, 4, 4)), np.ones(6)).predict(
        np.ones((2, 4, 4))
    ).shape == (2,)

    def words():
        lookup = layers.StringLookup(vocabulary=["a", "b"])
        model = keras.Sequential([keras.Input((1,), dtype="string"), lookup, layers.Embedding(3, 2)])
        model.add(layers.Flatten())
        model.add(layers.Dense(1))
        model.compile("sgd", "mse")
        return model

    texts = np.array([["a"], ["b"], ["c"]])
    assert KerasRegressor(words, verbose=0).fit(texts, [1.0, 2.0, 3.0]).predict(texts).shape == (3,)

    def both():
        inputs = [keras.Input((1,)), keras.Input((1,))]
        model = keras.Model(inputs, layers.Dense(1)(layers.concatenate(inputs)))
        model.compile("sgd", "mse")
        return model

    parts = [X[:, :1], X[:, 1:]]
    regressor = KerasRegressor(both, verbose=0).fit(parts, NUMBERS, validation_data=(parts, NUMBERS))
    assert regressor.predict(parts).shape == (60,)


def test_models_that_were_searched_are_let_go():
    regressor = KerasRegressor(wrapped.number, verbose=0).fit(X, NUMBERS)
    watched = weakref.ref(regressor.model)
    regressor.fit(X, NUMBERS)
    gc.collect()
    assert watched() is None


def test_without_scikit_learn_an_error_says_how_to_install_it():
    program = "import sys; sys.modules['sklearn'] = None; import doltap; doltap.wrappers"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "the package 'sklearn': expected it to be installed for doltap.wrappers" in done.stderr
    assert 'pip install "doltap[sklearn]"' in done.stderr


def uncompiled():
    return keras.Sequential([keras.layers.Dense(1)])


def no_accuracy():
    model = uncompiled()
    model.compile(loss="binary_crossentropy")
    return model


def demanding(units):
    return wrapped.number(units)


@pytest.mark.parametrize(
    ("use", "kind", "said"),
    [
        (
            lambda: KerasRegressor(uncompiled).fit(X, NUMBERS),
            NotCompiledError,
            r"uncompiled\(\): .*\n.*compile",
        ),
        (
            lambda: KerasRegressor(lambda: None).fit(X, NUMBERS),
            NotSupportedError,
            "got None.*\n.*return model",
        ),
        (lambda: KerasRegressor(lambda: 3).fit(X, NUMBERS), NotSupportedError, "got a int"),
        (
            lambda: KerasRegressor(demanding).fit(X, NUMBERS),
            ParameterError,
            "a value for 'units'.*\n.*units=",
        ),
        (lambda: KerasRegressor().fit(X, NUMBERS), NotSupportedError, "build_model"),
        (
            lambda: KerasRegressor(wrapped.number()).fit(X, NUMBERS),
            NotSupportedError,
            "a function that makes",
        ),
        (
            lambda: KerasRegressor(wrapped.number(), verbose=0),
            ParameterError,
            "the function that makes.*\n.*brackets out",
        ),
        (lambda: KerasClassifier(wrapped.sigmoid).fit(X, ["a"] * 60), LabelError, "one class, a"),
        (lambda: KerasClassifier(wrapped.sigmoid).fit(X, np.zeros((60, 2, 2))), ValueError, "shape"),
        (
            lambda: KerasClassifier(no_accuracy, verbose=0).fit(X, NUMBERS > 0).score(X, NUMBERS > 0),
            DataError,
            "accuracy",
        ),
        (
            lambda: KerasClassifier(wrapped.softmax, verbose=0).fit(X, NAMES).score(X, ["lo"] * 60),
            LabelError,
            "'low'",
        ),
        (lambda: KerasClassifier(wrapped.softmax, classes=2, verbose=0).fit(X, NAMES), DoltapError, "2"),
        (lambda: KerasRegressor(wrapped.number).fit(X[:, :1], NUMBERS), DoltapError, "2"),
        (lambda: KerasRegressor(wrapped.number).fit(X, NUMBERS[:-1]), ValueError, "inconsistent"),
        (
            lambda: KerasRegressor(wrapped.number, verbose=0).fit(X, NUMBERS).predict(X, verbos=0),
            ParameterError,
            "verbose",
        ),
        (lambda: KerasRegressor(wrapped.number).fit(X, NUMBERS, epoch=0), TypeError, "epochs"),
    ],
)
def test_what_is_wrong_is_said(use, kind, said):
    with pytest.raises(kind, match=said):
        use()
