"""scikit-learn's own checks of estimators; what is excepted says why."""

from __future__ import annotations

import unittest

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import doltap as keras
from doltap.wrappers import scikeras, scikit_learn

ROUNDING = (
    "rows of weight 2 and repeated rows are summed in another order: float32 differs in its last digits"
)
ROWS = "the compiler sums one row and twenty in another order: float32 differs in its last digit"
BY_NAME = "Keras 2 refuses unknown parameters at once, not in fit: here one that is called sk_params"
OF_KERAS_2 = {
    "check_sample_weight_equivalence_on_dense_data": ROUNDING,
    "check_do_not_raise_errors_in_init_or_set_params": BY_NAME,
}


def network(width, outputs, head, loss, **settings):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((width,)), keras.layers.Dense(outputs, activation=head)])
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.1), **settings)
    return model


def uncompiled(meta):
    kind = meta["target_type_"]
    head = {"binary": "sigmoid", "multiclass": "softmax", "multilabel-indicator": "sigmoid"}.get(kind)
    outputs = 1 if kind == "binary" else meta.get("n_classes_", meta["n_outputs_"])
    return keras.Sequential([keras.layers.Dense(outputs, activation=head)])


def of_targets(X, y, head=None, loss="mse"):
    return network(X.shape[1], 1 if y.ndim == 1 else y.shape[1], head, loss)


class Classifier(scikit_learn.KerasClassifier):
    def __call__(self):
        loss = "sparse_categorical_crossentropy"
        return network(self.n_features_in_, self.n_classes_, "softmax", loss, metrics=["accuracy"])


class Regressor(scikit_learn.KerasRegressor):
    def __call__(self):
        return network(self.n_features_in_, self.n_outputs_, None, "mse")


LEARNED = {"epochs": 60, "verbose": 0}
ADAM = keras.optimizers.Adam(0.1)
SOFTMAX = {"head": "softmax", "loss": "categorical_crossentropy"}
ESTIMATORS = {
    "SciKeras, classes": (
        scikeras.KerasClassifier(uncompiled, loss="auto", optimizer=ADAM, **LEARNED),
        {"check_sample_weight_equivalence_on_dense_data": ROUNDING},
    ),
    "SciKeras, numbers": (
        scikeras.KerasRegressor(uncompiled, loss="mse", optimizer=ADAM, **LEARNED),
        {"check_sample_weight_equivalence_on_dense_data": ROUNDING, "check_methods_subset_invariance": ROWS},
    ),
    "Keras 3, classes": (
        keras.wrappers.SKLearnClassifier(of_targets, model_kwargs=SOFTMAX, fit_kwargs=LEARNED),
        {"check_sample_weight_equivalence_on_dense_data": ROUNDING},
    ),
    "Keras 3, numbers": (
        keras.wrappers.SKLearnRegressor(of_targets, fit_kwargs=LEARNED),
        {"check_sample_weight_equivalence_on_dense_data": ROUNDING, "check_methods_subset_invariance": ROWS},
    ),
    "Keras 3, transformer": (
        keras.wrappers.SKLearnTransformer(of_targets, fit_kwargs=LEARNED),
        {"check_sample_weight_equivalence_on_dense_data": ROUNDING, "check_methods_subset_invariance": ROWS},
    ),
    "Keras 2, classes": (
        Classifier(**LEARNED),
        {**OF_KERAS_2, "check_supervised_y_2d": "Keras 2 takes a column of labels without a warning"},
    ),
    "Keras 2, numbers": (
        Regressor(**LEARNED),
        {
            **OF_KERAS_2,
            "check_regressors_train": "the score is the negative loss, not R², as the checks want it",
            "check_regressor_multioutput": "what Keras 2 predicts is float32, as the network computes it",
            "check_methods_subset_invariance": ROWS,
        },
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("convention", ESTIMATORS)
def test_it_passes_the_checks_of_scikit_learn(convention):
    estimator, excepted = ESTIMATORS[convention]
    failed, seen = {}, set()
    for copy, check in estimator_checks_generator(estimator, expected_failed_checks=None, mark=None):
        name = getattr(check, "func", check).__name__
        seen.add(name)
        try:
            check(copy)
        except unittest.SkipTest:
            continue
        except Exception as error:
            failed.setdefault(name, error)
    assert len(seen) > 40
    # An exception to a check that is gone would be forgotten.
    assert set(excepted) <= seen
    assert not {name: repr(error)[:500] for name, error in failed.items() if name not in excepted}


def test_rows_of_weight_two_and_repeated_rows_give_the_same_to_float32():
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(30, 3)), rng.normal(size=30), rng.integers(0, 3, 30)
    repeated, weighed = (
        scikeras.KerasRegressor(
            uncompiled, loss="mse", optimizer=ADAM, random_state=0, batch_size=-1, epochs=50, verbose=0
        )
        for _ in range(2)
    )
    repeated.fit(X.repeat(weights, axis=0), y.repeat(weights))
    weighed.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(repeated.predict(X), weighed.predict(X), atol=1e-4)
