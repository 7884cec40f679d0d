"""Sequential: put together in every way, shown, asked, and fed with every kind of data."""

from __future__ import annotations

import numpy as np
import pytest

import doltap
from doltap.errors import DoltapError, ShapeError, UnknownNameError
from doltap.layers import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from doltap.models import Sequential

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)


def text_of(model):
    texts = []
    model.summary(print_fn=texts.append, line_length=100)
    return "\n".join(texts)


# Put together.

WAYS = {
    "Input": lambda layers: [layers.Input(shape=(3,)), layers.Dense(4), layers.Dense(2)],
    "InputLayer": lambda layers: [layers.InputLayer(shape=(3,)), layers.Dense(4), layers.Dense(2)],
    "input_shape of InputLayer": lambda layers: [
        layers.InputLayer(input_shape=(3,)),
        layers.Dense(4),
        layers.Dense(2),
    ],
    "input_shape": lambda layers: [layers.Dense(4, input_shape=(3,)), layers.Dense(2)],
    "input_shape in brackets": lambda layers: [layers.Dense(4, input_shape=[3]), layers.Dense(2)],
    "input_dim": lambda layers: [layers.Dense(4, input_dim=3), layers.Dense(2)],
    "batch_input_shape": lambda layers: [layers.Dense(4, batch_input_shape=(None, 3)), layers.Dense(2)],
    "batch_shape": lambda layers: [layers.Input(batch_shape=(None, 3)), layers.Dense(4), layers.Dense(2)],
    "a bare number": lambda layers: [layers.Input(shape=3), layers.Dense(4), layers.Dense(2)],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_whose_input_is_told_is_built_at_once(way):
    for model in (Sequential(WAYS[way](doltap.layers)), Sequential()):
        if not model.layers:
            for layer in WAYS[way](doltap.layers):
                model.add(layer)
        assert model.built
        assert [type(layer) for layer in model.layers] == [Dense, Dense]
        assert [w.shape for w in model.weights] == [(3, 4), (4,), (4, 2), (2,)]
        assert model.input_shape == (None, 3)
        assert model.output_shape == (None, 2)


@pytest.mark.parametrize("trigger", ["fit", "predict", "call", "build", "evaluate"])
def test_a_model_that_was_told_nothing_is_built_by_the_data(trigger):
    model = Sequential([Dense(4), Dense(2)])
    assert not model.built
    assert model.weights == []
    with pytest.raises(ShapeError, match="input"):
        _ = model.input_shape
    model.compile(optimizer="sgd", loss="mse")
    {
        "fit": lambda: model.fit(X, Y, verbose=0),
        "predict": lambda: model.predict(X, verbose=0),
        "call": lambda: model(X),
        "build": lambda: model.build((None, 3)),
        "evaluate": lambda: model.evaluate(X, Y, verbose=0),
    }[trigger]()
    assert model.built
    assert model.count_params() == 3 * 4 + 4 + 4 * 2 + 2
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))


def test_layers_can_be_taken_off_and_put_on_again():
    model = Sequential([Input((3,)), Dense(4, name="low"), Dense(2, name="high")])
    kept = model.get_weights()[:2]
    high = model.pop()
    assert high.name == "high"
    assert model.output_shape == (None, 4)
    model.add(Dense(5, name="new"))
    assert [layer.name for layer in model.layers] == ["low", "new"]
    assert all(np.array_equal(*pair) for pair in zip(kept, model.get_weights()[:2], strict=True))
    assert model.predict(X, verbose=0).shape == (40, 5)
    model.pop()
    model.pop()
    with pytest.raises(ShapeError, match="layer"):
        model.pop()


def test_a_layer_added_after_training_trains_with_the_next_compile():
    model = Sequential([Input((3,)), Dense(4)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X, np.zeros((40, 4)), verbose=0)
    model.add(Dense(2))
    model.compile(optimizer="sgd", loss="mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert all(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["돌탑", "my model", "ünï/cødé 🗿", "a[b]c"])
def test_names_may_be_any_text(name):
    model = Sequential([Input((3,)), Dense(2, name=f"{name} 층")], name=name)
    assert model.name == name
    assert model.get_layer(f"{name} 층") is model.layers[0]
    text = text_of(model)
    assert f'Model: "{name}"' in text
    assert f"{name} 층 (Dense)" in text
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X, Y, verbose=0)


def test_names_are_counted_as_keras_counts_them(keras):
    keras.backend.clear_session()
    doltap.backend.clear_session() if hasattr(
        doltap.backend, "clear_session"
    ) else doltap.utils.clear_session()
    names = []
    for library in (keras, doltap):
        models = [library.Sequential([library.layers.Dense(1), library.layers.Flatten()]) for _ in range(2)]
        names.append([(model.name, [layer.name for layer in model.layers]) for model in models])
    assert names[0] == names[1]


def test_layers_are_found_by_name_and_by_place():
    model = Sequential([Input((3,)), Dense(4, name="low"), Dense(2, name="high")])
    assert model.get_layer("low") is model.get_layer(index=0) is model.layers[0]
    assert model.get_layer(index=-1).name == "high"
    with pytest.raises(UnknownNameError, match="Did you mean 'high'"):
        model.get_layer("hihg")
    with pytest.raises(ShapeError, match="index"):
        model.get_layer(index=2)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([Dense], r"Call it: Dense\(\.\.\.\)"),
        (["dense"], "layers"),
        ([Dense(1, name="same"), Dense(1, name="same")], "a second layer called 'same'"),
        ([Dense(1), Input((3,))], "Input first"),
        ([Input((3,)), InputLayer((3,))], "Input first"),
    ],
)
def test_what_cannot_stand_in_a_row_is_refused_with_the_cure(layers, said):
    with pytest.raises(DoltapError, match=said):
        Sequential(layers)


def test_a_layer_that_does_not_fit_is_not_kept():
    model = Sequential([Input((6,)), Dense(6)])
    with pytest.raises(ShapeError):
        model.add(Reshape((4,)))
    assert len(model.layers) == 1
    model.add(Reshape((2, 3)))
    assert model.output_shape == (None, 2, 3)


def test_models_may_stand_inside_models_as_in_keras(keras):
    results = []
    for library in (keras, doltap):
        layers = library.layers
        inner = library.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3)], name="inner")
        model = library.Sequential([layers.Input((3,)), inner, layers.Dense(2)])
        start = [np.random.default_rng(3).normal(size=w.shape).astype("f") for w in model.get_weights()]
        model.set_weights(start)
        model.compile(optimizer="sgd", loss="mse")
        model.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
        results.append(model)
    theirs, ours = results
    assert ours.layers[0].name == "inner"
    assert ours.count_params() == theirs.count_params()
    for mine, peer in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-4, atol=1e-6)


# Shown.


def classifier(library):
    layers = library.layers
    return library.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
            layers.Activation("softmax"),
        ]
    )


def test_weights_come_in_the_order_and_the_shapes_of_keras(keras):
    ours, theirs = classifier(doltap), classifier(keras)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert ours.count_params() == theirs.count_params() == 79_510
    assert ours.output_shape == tuple(theirs.output_shape)
    ours.set_weights(theirs.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    np.testing.assert_allclose(
        ours.predict(images / 255, verbose=0), theirs.predict(images / 255, verbose=0), rtol=1e-4, atol=1e-6
    )


def test_the_summary_shows_layers_shapes_and_parameters():
    model = classifier(doltap)
    text = text_of(model)
    for part in (
        "(None, 784)",
        "(None, 100)",
        "(None, 10)",
        "78,500",
        "1,010",
        "79,510",
        "310.59 KB",
        "Dropout",
    ):
        assert part in text
    assert "InputLayer" not in text
    assert "Trainable params: 79,510" in text
    assert "Non-trainable params: 0" in text
    model.layers[1].trainable = False
    assert "Non-trainable params: 78,500" in text_of(model)


def test_the_summary_of_a_model_not_built_yet_shows_question_marks(capsys):
    model = Sequential([Dense(2, name="later")])
    model.summary()
    text = capsys.readouterr().out
    assert "later (Dense)" in text
    assert "?" in text


def test_the_slots_of_the_optimizer_are_in_the_summary_after_training():
    model = Sequential([Input((3,)), Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, Y, verbose=0)
    # Two slots for each of the 8 parameters, the step and the rate, as Keras counts.
    assert "Optimizer params: 18" in text_of(model)


# One batch.


def compiled(library, **keywords):
    model = library.Sequential(
        [library.layers.Input((3,)), library.layers.Dense(4, activation="tanh"), library.layers.Dense(2)]
    )
    model.set_weights(
        [np.random.default_rng(7).normal(size=w.shape).astype("f") for w in model.get_weights()]
    )
    keywords = {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], **keywords}
    model.compile(**keywords)
    return model


def test_one_batch_at_a_time_gives_the_values_of_keras(keras):
    results = []
    for library in (keras, doltap):
        model = compiled(library)
        weights = np.linspace(0, 2, 10, dtype=np.float32)
        values = [
            model.train_on_batch(X[:10], Y[:10]),
            model.train_on_batch(X[10:20], Y[10:20], sample_weight=weights),
            model.train_on_batch(X[20:], Y[20:]),
        ]
        for keywords in ({}, {"sample_weight": weights}):
            values.append(model.test_on_batch(X[:10], Y[:10], **keywords))
        values += [*model.predict_on_batch(X[:5]), *(array.reshape(-1) for array in model.get_weights())]
        results.append(values)
    for mine, peer in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(mine, np.asarray(peer), rtol=1e-4, atol=1e-6)


def test_one_batch_gives_a_dict_when_asked(keras):
    ours, theirs = compiled(doltap), compiled(keras)
    for call in ("train_on_batch", "test_on_batch"):
        mine = getattr(ours, call)(X, Y, return_dict=True)
        peer = getattr(theirs, call)(X, Y, return_dict=True)
        assert set(mine) == set(peer) == {"loss", "mae"}
        assert mine["mae"] == pytest.approx(float(peer["mae"]), rel=1e-4)


def test_a_batch_is_measured_without_the_batches_before_it():
    model = compiled(doltap, optimizer=doltap.optimizers.SGD(0.0))
    first = model.train_on_batch(X[:10], Y[:10])
    assert model.train_on_batch(X[10:30], Y[10:30]) != first
    assert model.train_on_batch(X[:10], Y[:10]) == pytest.approx(first, rel=1e-6)
    assert model.test_on_batch(X[:10], Y[:10]) == pytest.approx(first, rel=1e-6)


def test_reset_metrics_sets_every_total_back():
    model = compiled(doltap)
    model.evaluate(X, Y, verbose=0)
    assert all(float(metric.result()) > 0 for metric in model.metrics)
    model.reset_metrics()
    assert [float(metric.result()) for metric in model.metrics] == [0, 0]


def test_a_loss_alone_is_given_as_a_number(keras):
    for library in (keras, doltap):
        model = compiled(library, metrics=None)
        assert np.ndim(model.evaluate(X, Y, verbose=0)) == 0
        assert isinstance(model.evaluate(X, Y, verbose=0), float)


# Every kind of data.


def trained_on(x, y, loss="mse", **fit_keywords):
    units = 2 if loss == "mse" else 3
    model = Sequential([Input((3,)), Dense(units)])
    model.set_weights([np.random.default_rng(5).normal(size=w.shape) for w in model.get_weights()])
    model.compile(optimizer="sgd", loss=loss)
    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0, **fit_keywords)
    return [*model.get_weights(), model.predict(x, verbose=0)]


def assert_same(results, expected):
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(one, other)


WHOLE = np.random.default_rng(2).integers(0, 2, (40, 3))


def torch_tensor(array):
    return pytest.importorskip("torch").tensor(array)


def jax_array(array):
    import jax.numpy as jnp

    return jnp.asarray(array)


def data_frame(array):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(array, columns=["가", "나", "다"][: array.shape[1]], index=range(100, 140))


@pytest.mark.parametrize(
    "convert", [np.ndarray.tolist, torch_tensor, jax_array, data_frame], ids=lambda f: f.__name__
)
def test_data_of_every_kind_trains_as_the_same_numbers_in_numpy(convert):
    weights = np.linspace(0, 2, 40, dtype=np.float32)
    expected = trained_on(X, Y, sample_weight=weights, validation_data=(X, Y))
    x, y = convert(X), convert(Y)
    assert_same(trained_on(x, y, sample_weight=weights.tolist(), validation_data=(x, y)), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint32", "float16", "float64", "bool"])
def test_inputs_of_every_type_train_as_the_same_numbers_in_float32(dtype):
    expected = trained_on(WHOLE.astype(np.float32), Y)
    assert_same(trained_on(WHOLE.astype(dtype), Y.astype(np.float64)), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "int8", "series", "list", "column"])
def test_class_numbers_of_every_type_train_alike(dtype):
    classes = np.random.default_rng(2).integers(0, 3, 40)
    expected = trained_on(X, classes.astype(np.int32), "sparse_categorical_crossentropy")
    if dtype == "series":
        labels = pytest.importorskip("pandas").Series(classes, index=range(40, 80))
    elif dtype in ("list", "column"):
        labels = classes.tolist() if dtype == "list" else classes[:, None]
    else:
        labels = classes.astype(dtype)
    assert_same(trained_on(X, labels, "sparse_categorical_crossentropy"), expected)


def test_a_data_frame_of_mixed_numbers_trains_as_floats():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": WHOLE[:, 0], "b": X[:, 1], "c": WHOLE[:, 2].astype(bool)})
    assert_same(trained_on(frame, Y), trained_on(frame.to_numpy(dtype=np.float32), Y))
    assert_same(
        trained_on(frame, pandas.DataFrame(Y, columns=["y", "z"])), trained_on(frame.to_numpy(dtype="f"), Y)
    )


def test_arrays_that_are_not_contiguous_train_alike():
    wide = np.zeros((80, 6), np.float32)
    wide[::2, ::2] = X
    assert_same(trained_on(wide[::2, ::2], np.asfortranarray(Y)), trained_on(X, Y))


def test_what_the_user_holds_is_not_changed_by_training():
    x, y = X.copy(), Y.copy()
    trained_on(x, y)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


# Asking.


@pytest.mark.parametrize("count", [1, 3, 33, 1025])
@pytest.mark.parametrize("verbose", [0, 2])
def test_predictions_of_any_number_of_rows_are_what_the_layers_compute(count, verbose, capsys):
    model = Sequential(
        [Input((3,)), Dense(8, activation="relu"), Dropout(0.5), Dense(2, activation="softmax")]
    )
    x = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
    w1, b1, w2, b2 = (array.astype(np.float64) for array in model.get_weights())
    raw = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    expected = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    predicted = model.predict(x, verbose=verbose)
    assert (type(predicted), predicted.dtype, predicted.shape) == (np.ndarray, np.float32, (count, 2))
    np.testing.assert_allclose(predicted, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(x, batch_size=7, verbose=0), predicted, rtol=1e-5, atol=1e-7)
    predicted[:] = 0  # It belongs to the user.
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-6)


def test_an_output_of_one_number_a_row_is_trained_and_evaluated_as_in_keras(keras):
    results = []
    for library in (keras, doltap):
        layers = library.layers
        model = library.Sequential([layers.Input((3,)), layers.Dense(1), layers.Reshape(())])
        model.set_weights([np.ones((3, 1)), np.zeros(1)])
        model.compile(optimizer="sgd", loss="mse")
        history = model.fit(X, Y[:, 0], batch_size=16, epochs=2, shuffle=False, verbose=0).history["loss"]
        results.append([*history, model.evaluate(X, Y[:, 0], batch_size=16, verbose=0)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_a_network_of_images_flattens_and_reshapes():
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4), dtype=np.uint8)
    model = Sequential(
        [Flatten(input_shape=(4, 4)), Dense(16), Reshape((4, 4)), Activation("relu"), Flatten()]
    )
    model.compile(optimizer="sgd", loss="mse")
    model.fit(images, np.zeros((9, 16)), verbose=0)
    assert model.predict(images, verbose=0).shape == (9, 16)


def test_the_network_with_no_layers_says_what_it_lacks():
    model = Sequential()
    model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(DoltapError):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("form", ["sequential", "network"])
def test_a_row_of_numbers_is_called_as_a_column_as_in_keras(keras, form):
    shapes = []
    for lib in (keras, doltap):
        inputs = lib.Input((1,))
        dense = lib.layers.Dense(2)
        model = (
            lib.Model(inputs, dense(inputs))
            if form == "network"
            else lib.Sequential([lib.Input((1,)), dense])
        )
        shapes.append(tuple(model(np.array([1.0, 2.0], np.float32)).shape))
    assert shapes == [(2, 2), (2, 2)]


def test_one_layer_may_stand_in_the_row_twice(tmp_path):
    shared = Dense(3)
    model = Sequential([Input((3,)), shared, shared, Dense(1)])
    x = np.ones((2, 3), np.float32)
    assert model.count_params() == 12 + 4
    np.testing.assert_allclose(model(x), model.layers[-1](shared(shared(x))), rtol=1e-6)
    model.save(tmp_path / "model.keras")
    again = doltap.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))
