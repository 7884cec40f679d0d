"""SciKeras's estimators: parameters by place, encoders, training that goes on."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import wrapped
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.preprocessing import StandardScaler

import doltap as keras
from doltap.errors import DataError, DoltapError, LabelError, NotCompiledError, ShapeError
from doltap.wrappers.parameters import ParameterError
from doltap.wrappers.scikeras import BaseWrapper, KerasClassifier, KerasRegressor

X, NUMBERS, NAMES = wrapped.points()
layers = keras.layers


def tower(meta, units=4, head="softmax"):
    """Not compiled; made for the data."""
    outputs = meta.get("n_classes_", meta["n_outputs_"])
    return keras.Sequential([layers.Dense(units, activation="tanh"), layers.Dense(outputs, activation=head)])


def line(units=1):
    return keras.Sequential([layers.Dense(units)])


@pytest.fixture(scope="module")
def theirs(request):
    """The real SciKeras, over the real Keras."""
    request.getfixturevalue("keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("scikeras.wrappers")


@pytest.mark.parametrize("name", ["KerasClassifier", "KerasRegressor"])
def test_parameters_methods_and_attributes_are_those_of_scikeras(theirs, name):
    ours, real = globals()[name], getattr(theirs, name)
    expected = inspect.signature(real).parameters
    found = inspect.signature(ours).parameters
    assert [*found] == [*expected]
    assert {key: each.default for key, each in found.items()} == {
        key: each.default for key, each in expected.items()
    }
    assert {each for each in dir(real) if not each.startswith("_")} <= set(dir(ours))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["KerasClassifier", "KerasRegressor"])
def test_they_predict_and_score_what_scikeras_does(theirs, name):
    def network(of, meta):
        outputs, head = (1, None) if name == "KerasRegressor" else (3, "softmax")
        return of.Sequential(
            [of.Input((2,)), of.layers.Dense(outputs, activation=head, kernel_initializer="ones")]
        )

    y = NUMBERS if name == "KerasRegressor" else NAMES
    loss = "mse" if name == "KerasRegressor" else "sparse_categorical_crossentropy"
    settings = {"loss": loss, "optimizer": "sgd", "optimizer__learning_rate": 0.1, "fit__shuffle": False}
    settings |= {"epochs": 5, "batch_size": 20, "verbose": 0}
    pair = []
    for of, kind in ((keras, globals()[name]), (sys.modules["keras"], getattr(theirs, name))):
        pair.append(kind(lambda meta, of=of: network(of, meta), **settings).fit(X, y))
    ours, real = pair
    guess = "predict_proba" if name == "KerasClassifier" else "predict"
    np.testing.assert_allclose(getattr(ours, guess)(X), getattr(real, guess)(X), rtol=1e-4, atol=1e-5)
    assert ours.score(X, y) == pytest.approx(real.score(X, y), rel=1e-4)
    np.testing.assert_allclose(ours.history_["loss"], real.history_["loss"], rtol=1e-5)
    assert {each for each in vars(real) if each.endswith("_")} - set(dir(ours)) == set()


def test_parameters_go_to_their_places():
    classifier = KerasClassifier(
        tower,
        model__units=7,
        optimizer="sgd",
        optimizer__learning_rate=keras.optimizers.schedules.ExponentialDecay,
        optimizer__learning_rate__initial_learning_rate=0.5,
        optimizer__learning_rate__decay_steps=10,
        optimizer__learning_rate__decay_rate=0.9,
        optimizer__momentum=0.9,
        loss="categorical_crossentropy",
        loss__label_smoothing=0.1,
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy],
        metrics__1__k=2,
        compile__loss_weights=None,
        batch_size=64,
        fit__batch_size=8,
        epochs=2,
        verbose=0,
    ).fit(X, NAMES)
    model = classifier.model_
    assert model.layers[0].units == 7
    assert model.optimizer.momentum == 0.9
    assert model.optimizer.iterations == 2 * 8
    assert model.optimizer.get_config()["learning_rate"]["config"]["initial_learning_rate"] == 0.5
    assert model.loss.label_smoothing == 0.1
    assert [*classifier.history_] == ["accuracy", "loss", "top_k_categorical_accuracy"]
    assert model.metrics[-1].get_config().get("k", 2) == 2


def test_parameters_without_a_place_go_to_the_model_function_too():
    assert KerasRegressor(wrapped.number, units=3, verbose=0).fit(X, NUMBERS).model_.layers[0].units == 3
    regressor = KerasRegressor(wrapped.number, verbose=0).set_params(units=5, model__learning_rate=0.5)
    assert regressor.fit(X, NUMBERS).model_.layers[0].units == 5
    assert clone(regressor).get_params()["model__learning_rate"] == 0.5


def test_a_function_is_told_what_is_known_of_the_data():
    told = {}

    def build(meta, compile_kwargs, params, units):
        told.update(meta=meta, compile_kwargs=compile_kwargs, params=params)
        model = line(meta["n_classes_"])
        model.compile(**compile_kwargs)
        return model

    table = pd.DataFrame(X, columns=["a", "b"])
    KerasClassifier(build, units=3, loss="auto", optimizer="adam", verbose=0, run_eagerly=False).fit(
        table, NAMES
    )
    assert told["meta"]["n_features_in_"] == 2
    assert [*told["meta"]["feature_names_in_"]] == ["a", "b"]
    assert told["meta"]["X_shape_"] == (60, 2)
    assert told["meta"]["target_type_"] == "multiclass"
    assert [*told["meta"]["classes_"]] == ["low", "mid", "top"]
    assert (told["meta"]["n_outputs_"], told["meta"]["n_outputs_expected_"]) == (1, 1)
    assert told["params"]["units"] == 3
    assert told["compile_kwargs"]["loss"] == "sparse_categorical_crossentropy"


class Perceptrons(KerasClassifier):
    def __init__(self, hidden=(4,), optimizer="adam", **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.optimizer = optimizer

    def _keras_build_fn(self, compile_kwargs):
        model = keras.Sequential([layers.Dense(units, activation="tanh") for units in self.hidden])
        model.add(layers.Dense(self.n_classes_, activation="softmax"))
        model.compile(**compile_kwargs)
        return model


def test_a_subclass_makes_its_model_itself():
    estimator = Perceptrons(hidden=(5, 6), loss="sparse_categorical_crossentropy", verbose=0)
    copy = clone(estimator).set_params(optimizer__learning_rate=0.25).fit(X, NAMES)
    assert [layer.units for layer in copy.model_.layers] == [5, 6, 3]
    assert float(copy.model_.optimizer.learning_rate) == 0.25


@pytest.mark.parametrize(
    ("y", "head", "loss"),
    [
        (NUMBERS > 0, "softmax", "sparse_categorical_crossentropy"),
        (NUMBERS > 0, "softmax", "categorical_crossentropy"),
        (NAMES, "softmax", "categorical_crossentropy"),
        (NAMES[:, None], "softmax", "auto"),
        (np.eye(3)[np.digitize(NUMBERS, [-0.4, 0.4])].astype(int), "softmax", "categorical_crossentropy"),
    ],
    ids=["two", "two, one-hot", "three, one-hot", "column", "one-hot rows"],
)
def test_labels_come_back_as_they_were(y, head, loss):
    classifier = KerasClassifier(
        tower,
        model__head=head,
        loss=loss,
        optimizer="adam",
        optimizer__learning_rate=0.1,
        epochs=80,
        verbose=0,
    ).fit(X, y, validation_data=(X, y))
    found = classifier.predict(X)
    assert found.shape == y.shape
    assert found.dtype == y.dtype
    assert (found == y).mean() > 0.85
    assert classifier.score(X, y) > 0.8
    assert classifier.history_["val_loss"][-1] < classifier.history_["val_loss"][0]
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_several_labels_a_row():
    rows, labels = make_multilabel_classification(n_samples=80, n_features=6, n_classes=4, random_state=0)
    rows = StandardScaler().fit_transform(rows)
    settings = {
        "loss": "auto",
        "optimizer": "adam",
        "optimizer__learning_rate": 0.1,
        "epochs": 200,
        "verbose": 0,
    }
    classifier = KerasClassifier(tower, model__head="sigmoid", **settings).fit(rows, labels)
    assert classifier.target_type_ == "multilabel-indicator"
    assert (classifier.predict(rows) == labels).mean() > 0.8
    assert classifier.predict_proba(rows).shape == (80, 4)


def test_one_label_for_each_of_several_outputs():
    both = np.stack([NAMES, np.where(X[:, 0] > 0, "right", "left")], axis=1)

    def build(meta):
        inputs = keras.Input((meta["n_features_in_"],))
        heads = [layers.Dense(count, activation="softmax")(inputs) for count in meta["n_classes_"]]
        model = keras.Model(inputs, heads)
        model.compile("adam", ["sparse_categorical_crossentropy"] * 2)
        return model

    classifier = KerasClassifier(build, epochs=200, verbose=0).fit(X, both)
    assert classifier.n_outputs_expected_ == 2
    assert classifier.predict(X).shape == (60, 2)
    assert (classifier.predict(X)[:, 1] == both[:, 1]).mean() > 0.6
    assert [chances.shape for chances in classifier.predict_proba(X)] == [(60, 3), (60, 2)]


def test_several_numbers_a_row():
    y = np.stack([NUMBERS, -NUMBERS], axis=1)
    regressor = KerasRegressor(tower, model__head=None, loss="mse", optimizer="adam", epochs=2, verbose=0)
    assert regressor.fit(X, y).predict(X).shape == (60, 2)
    assert regressor.predict(X).dtype == float
    with pytest.raises(ShapeError, match="2 numbers a row"):
        regressor.partial_fit(X, NUMBERS)


class Halves(TransformerMixin, BaseEstimator):
    """Two inputs from one table."""

    def fit(self, x):
        self.is_fitted_ = True
        return self

    def transform(self, x):
        return [x[:, :1], x[:, 1:]]

    def get_metadata(self):
        return {"num_inputs_": 2}


class TwoInputs(KerasRegressor):
    @property
    def feature_encoder(self):
        return Halves()


def two_inputs(meta):
    inputs = [keras.Input((1,)) for _ in range(meta["num_inputs_"])]
    model = keras.Model(inputs, layers.Dense(1)(layers.concatenate(inputs)))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def test_an_encoder_of_ones_own_makes_several_inputs():
    regressor = TwoInputs(two_inputs, epochs=60, verbose=0).fit(X, NUMBERS, validation_data=(X, NUMBERS))
    assert regressor.score(X, NUMBERS) > 0.9


def test_several_inputs_go_through_as_they_are():
    inputs = {"left": X[:, :1], "right": X[:, 1:]}

    def build():
        ends = {name: keras.Input((1,), name=name) for name in inputs}
        model = keras.Model(ends, layers.Dense(1)(layers.concatenate(list(ends.values()))))
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    regressor = KerasRegressor(build, epochs=60, verbose=0).fit(inputs, NUMBERS)
    assert regressor.score(inputs, NUMBERS) > 0.9


class Reconstruction(BaseWrapper):
    """A network that learns its inputs."""

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        return -float(np.mean((y_true - y_pred) ** 2))


def test_the_base_class_is_any_network():
    def build(meta):
        return line(meta["n_features_in_"])

    settings = {
        "loss": "mse",
        "optimizer": "adam",
        "optimizer__learning_rate": 0.1,
        "epochs": 60,
        "verbose": 0,
    }
    estimator = Reconstruction(build, **settings).fit(X, X)
    assert estimator.score(X, X) > -0.1
    with pytest.raises(DoltapError, match="scorer"):
        BaseWrapper(build, **settings).fit(X, X).score(X, X)


def test_partial_fit_counts_epochs_on():
    classifier = KerasClassifier(wrapped.softmax, verbose=0, random_state=0)
    classifier.partial_fit(X[:30], NAMES[:30], classes=["low", "mid", "top", "peak"][:3])
    first = classifier.model_
    classifier.partial_fit(X[30:], NAMES[30:])
    assert classifier.model_ is first
    assert classifier.current_epoch == len(classifier.history_["loss"]) == 2
    assert classifier.fit(X, NAMES, epochs=3).current_epoch == 3
    assert classifier.model_ is not first
    with pytest.raises(ParameterError, match="warm_start"):
        classifier.partial_fit(X, NAMES, epochs=2)


def test_partial_fit_knows_classes_that_are_yet_to_come():
    classifier = KerasClassifier(tower, loss="auto", verbose=0)
    classifier.partial_fit(X[:2], ["low", "low"], classes=["top", "low", "mid"])
    assert [*classifier.classes_] == ["low", "mid", "top"]
    classifier.partial_fit(X, NAMES)
    assert classifier.predict_proba(X).shape == (60, 3)


def test_warm_start_goes_on_with_the_weights():
    regressor = KerasRegressor(wrapped.number, warm_start=True, epochs=2, verbose=0).fit(X, NUMBERS)
    first = regressor.model_
    regressor.fit(X, NUMBERS)
    assert regressor.model_ is first
    assert first.optimizer.iterations == 2 * 2 * 2
    assert regressor.current_epoch == 4


def test_initialize_makes_the_model_and_trains_nothing():
    regressor = KerasRegressor(wrapped.number)
    assert not regressor.initialized_
    regressor.initialize(X, NUMBERS)
    assert regressor.initialized_
    assert regressor.current_epoch == 0
    assert regressor.predict(X, verbose=0).shape == (60,)


def test_a_model_is_taken_as_it_is():
    model = wrapped.number()
    regressor = KerasRegressor(model, epochs=30, verbose=0)
    copy = clone(regressor)
    assert regressor.fit(X, NUMBERS).model_ is model
    assert copy.model is not model
    assert copy.fit(X, NUMBERS).score(X, NUMBERS) > 0.5


def test_a_seed_repeats_everything_and_disturbs_nobody():
    keras.utils.set_random_seed(5)
    expected = [np.random.rand(), wrapped.number().predict(X[:1], verbose=0)]
    keras.utils.set_random_seed(5)
    runs = []
    for seed in (1, 1, 2, np.random.RandomState(3), np.random.RandomState(3)):
        regressor = KerasRegressor(wrapped.number, random_state=seed, verbose=0)
        runs.append([*regressor.fit(X, NUMBERS).predict(X), *regressor.fit(X, NUMBERS).predict(X)])
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[3], runs[4])
    assert not np.array_equal(runs[0], runs[2])
    for run in runs:
        np.testing.assert_array_equal(run[:60], run[60:])
    found = [np.random.rand(), wrapped.number().predict(X[:1], verbose=0)]
    np.testing.assert_array_equal(found[1], expected[1])
    assert found[0] == expected[0]


def test_class_weights_and_row_weights_are_multiplied():
    classifier = KerasClassifier(
        wrapped.softmax, class_weight="balanced", random_state=0, epochs=3, verbose=0
    )
    plain = KerasClassifier(wrapped.softmax, random_state=0, epochs=3, verbose=0)
    counts = {name: (name == NAMES).sum() for name in np.unique(NAMES)}
    balanced = np.array([60 / (3 * counts[name]) for name in NAMES])
    weights = np.linspace(0.5, 2, 60)
    given = weights.copy()
    classifier.fit(X, NAMES, sample_weight=given)
    np.testing.assert_array_equal(given, weights)
    plain.fit(X, NAMES, sample_weight=weights * balanced)
    np.testing.assert_allclose(classifier.predict_proba(X), plain.predict_proba(X), rtol=1e-5)


def test_callbacks_are_made_of_classes_with_their_parameters():
    stopping = keras.callbacks.EarlyStopping
    regressor = KerasRegressor(
        wrapped.number,
        callbacks={"stop": stopping, "stop_too": [stopping]},
        callbacks__monitor="loss",
        callbacks__stop__patience=0,
        callbacks__stop__min_delta=1e6,
        epochs=20,
        verbose=0,
    )
    assert regressor.fit(X, NUMBERS).current_epoch == 2
    regressor = KerasRegressor(
        wrapped.number, fit__callbacks=[stopping], fit__callbacks__monitor="loss", verbose=0
    )
    regressor.fit(X, NUMBERS)
    heard = []
    told = keras.callbacks.LambdaCallback(on_train_end=lambda logs: heard.append("fit"))
    KerasRegressor(wrapped.number, callbacks=told, verbose=0).fit(X, NUMBERS)
    assert heard == ["fit"]


def test_all_rows_are_one_batch():
    regressor = KerasRegressor(wrapped.number, batch_size=-1, epochs=3, verbose=0).fit(X, NUMBERS)
    assert regressor.model_.optimizer.iterations == 3
    assert regressor.predict(X).shape == (60,)


def test_a_partial_function_and_the_older_name_of_model():
    regressor = KerasRegressor(functools.partial(wrapped.number, units=9), verbose=0).fit(X, NUMBERS)
    assert regressor.model_.layers[0].units == 9
    with pytest.warns(FutureWarning, match="model= now"):
        KerasRegressor(build_fn=wrapped.number, verbose=0).fit(X, NUMBERS)


def test_scoring_takes_parameters_of_its_own():
    y = np.stack([NUMBERS, -NUMBERS], axis=1)
    regressor = KerasRegressor(
        tower, model__head=None, loss="mse", verbose=0, score__multioutput="raw_values"
    )
    with pytest.raises(TypeError):
        regressor.fit(X, y).score(X, y)
    regressor.set_params(score__multioutput="variance_weighted")
    assert isinstance(regressor.score(X, y), float)


def returns_nothing():
    line()


def demanding(units):
    return line(units)


def made(kind=KerasRegressor, y=NUMBERS, model=wrapped.number, x=X, **parameters):
    return kind(model, **{"verbose": 0, **parameters}).fit(x, y)


@pytest.mark.parametrize(
    ("use", "kind", "said"),
    [
        (lambda: made(model__unit=3), ParameterError, "Did you mean 'model__units='"),
        (lambda: made(unit=3), ParameterError, "Did you mean 'units='"),
        (lambda: made(modle__units=3), ParameterError, "Did you mean 'model__='"),
        (lambda: made(fit__batchsize=3), ParameterError, "Did you mean 'fit__batch_size='"),
        (lambda: made(predict__batchsize=3), ParameterError, "Did you mean 'predict__batch_size='"),
        (lambda: made(model=line, loss="mse", optimizer__learning_rat=1), DoltapError, "learning_rate="),
        (lambda: made(model=line, loss="mse", optimizer=3, optimizer__a=1), ParameterError, "'optimizer__a'"),
        (lambda: made(model=line), NotCompiledError, "loss='auto'"),
        (lambda: made(loss="mae"), ParameterError, "compile_kwargs"),
        (lambda: made(model=returns_nothing), DoltapError, r"returns_nothing\(\): .*got None"),
        (lambda: made(model=demanding), ParameterError, "model__units="),
        (lambda: made(model=3), DoltapError, "build_model"),
        (lambda: made(model=None), DoltapError, "_keras_build_fn"),
        (lambda: Perceptrons(model=wrapped.softmax).fit(X, NAMES), DoltapError, "got both"),
        (lambda: made(sample_weights=3), ParameterError, "sample_weights"),
        (lambda: made().fit(X, NUMBERS, epoch=3), ParameterError, "Did you mean 'epochs='"),
        (lambda: made().predict(X, batchsize=3), ParameterError, "Did you mean 'batch_size='"),
        (lambda: made().set_params(epoch=3), ParameterError, "Did you mean 'epochs='"),
        (lambda: made().set_params(modle__units=3), ParameterError, "Did you mean 'model__units='"),
        (lambda: made().fit(X, NUMBERS, sample_weight=np.zeros(60)), DataError, "zero for each row"),
        (lambda: made(KerasClassifier, ["a"] * 60, wrapped.sigmoid), LabelError, "one class"),
        (lambda: made(KerasClassifier, NUMBERS, wrapped.sigmoid), LabelError, "Unknown label type"),
        (
            lambda: made(KerasClassifier, NAMES, wrapped.softmax).partial_fit(X, ["lo"] * 60),
            LabelError,
            "'low'",
        ),
        (
            lambda: made(x={"a": X}, batch_size=-1, model=line, loss="mse"),
            DoltapError,
            "batch_size|one array",
        ),
        (lambda: made(model=two_outputs), ShapeError, "1 output, got 2"),
    ],
)
def test_what_is_wrong_is_said(use, kind, said):
    with pytest.raises(kind, match=said):
        use()


def two_outputs():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])
    model.compile("sgd", ["mse", "mse"])
    return model


def test_scaling_inside_an_encoder_is_learned_from_the_first_data():
    class Scaled(KerasRegressor):
        @property
        def feature_encoder(self):
            return StandardScaler()

    regressor = Scaled(wrapped.number, epochs=40, verbose=0).fit(100 * X + 7, NUMBERS)
    assert regressor.score(100 * X + 7, NUMBERS) > 0.8
