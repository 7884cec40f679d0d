"""keras.backend of Keras 1 and 2: every function gives the numbers that NumPy gives."""

import inspect

import numpy as np
import pytest

import doltap
from doltap import layers, models, old_modules
from doltap.compat import keras_backend as K
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError

X = np.array([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]], np.float32)
Y = np.array([[0.5, 2.0, 0.5], [1.0, -0.25, 4.0]], np.float32)
V = np.array([0.5, 1.0, 2.0], np.float32)
P = np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]], np.float32)
ONE_HOT = np.array([[0, 0, 1], [1, 0, 0]], np.float32)
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
OTHER = np.arange(40, dtype=np.float32).reshape(2, 4, 5)
IMAGE = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# call -> what NumPy gives
NUMBERS = {
    "K.abs(X)": np.abs(X),
    "K.all(X > 0)": False,
    "K.all(X > -9, axis=1, keepdims=True)": [[True], [True]],
    "K.any(X > 0, axis=0)": [True, True, True],
    "K.arange(3)": [0, 1, 2],
    "K.arange(1, 7, 2)": [1, 3, 5],
    "K.argmax(X)": [0, 0],
    "K.argmin(X, axis=0)": [0, 0, 1],
    "K.batch_dot(X, Y)": (X * Y).sum(1, keepdims=True),
    "K.batch_dot(CUBE, OTHER)": CUBE @ OTHER,
    "K.batch_dot(CUBE, OTHER, axes=(2, 1))": CUBE @ OTHER,
    "K.batch_dot(CUBE, CUBE, axes=1)": np.einsum("abc,abd->acd", CUBE, CUBE),
    "K.batch_dot(X, CUBE, axes=(1, 1))": np.einsum("ab,abc->ac", X, CUBE),
    "K.batch_flatten(CUBE)": CUBE.reshape(2, 12),
    "K.batch_get_value([K.variable(X), K.variable(1.0)])[0]": X,
    "K.batch_normalization(X, V, V, V, V)": (X - V) / np.sqrt(V + 1e-3) * V + V,
    "K.batch_normalization(X, V, V, None, None, epsilon=0.1)": (X - V) / np.sqrt(V + 0.1),
    "K.bias_add(X, V)": X + V,
    "K.bias_add(IMAGE.reshape(1, 1, 4, 4), V[2:], data_format='channels_first')": IMAGE.reshape(1, 1, 4, 4)
    + 2,
    "K.binary_crossentropy(ONE_HOT, P)": -(ONE_HOT * np.log(P) + (1 - ONE_HOT) * np.log(1 - P)),
    "K.binary_crossentropy(ONE_HOT, X, from_logits=True)": np.log1p(np.exp(-np.abs(X)))
    + np.maximum(X, 0)
    - X * ONE_HOT,
    "K.cast(X, 'int32')": [[1, -2, 0], [3, 0, -1]],
    "K.cast_to_floatx([1, 2])": [1.0, 2.0],
    "K.categorical_crossentropy(ONE_HOT, P)": [-np.log(0.5), -np.log(0.7)],
    "K.clip(X, 0.0, 1.0)": np.clip(X, 0, 1),
    "K.clip(X, None, 1.0)": np.minimum(X, 1),
    "K.concatenate([X, Y])": np.concatenate([X, Y], -1),
    "K.concatenate([X, Y], axis=0)": np.concatenate([X, Y], 0),
    "K.constant(2.0, shape=(2, 2))": np.full((2, 2), 2.0),
    "K.constant([1, 2, 3, 4], shape=(2, 2))": [[1, 2], [3, 4]],
    "K.constant([1, 2])": [1, 2],
    "K.conv1d(CUBE, np.ones((2, 4, 1), 'float32'))": (CUBE[:, :2] + CUBE[:, 1:]).sum(-1, keepdims=True),
    "K.conv2d(IMAGE, np.ones((4, 4, 1, 1), 'float32'))": [[[[120.0]]]],
    "K.conv2d_transpose(IMAGE[:, :1, :1] + 1, np.ones((2, 2, 1, 1), 'float32'), (1, 2, 2, 1))": np.ones(
        (1, 2, 2, 1)
    ),
    "K.conv3d(np.ones((1, 2, 2, 2, 1), 'float32'), np.ones((2, 2, 2, 1, 1), 'float32'))": [[[[[8.0]]]]],
    "K.cos(X)": np.cos(X),
    "K.count_params(K.variable(X))": 6,
    "K.cumprod(X)": np.cumprod(X, 0),
    "K.cumsum(X, axis=1)": np.cumsum(X, 1),
    "K.depthwise_conv2d(IMAGE, np.ones((4, 4, 1, 1), 'float32'))": [[[[120.0]]]],
    "K.dot(X, Y.T)": X @ Y.T,
    "K.dropout(X, 0.0)": X,
    "K.elu(X)": np.where(X > 0, X, np.expm1(X)),
    "K.equal(X, X)": np.ones((2, 3), bool),
    "K.erf([0.0])": [0.0],
    "K.eval(K.variable(X))": X,
    "K.exp(X)": np.exp(X),
    "K.expand_dims(X)": X[..., None],
    "K.expand_dims(X, 0)": X[None],
    "K.expm1(X)": np.expm1(X),
    "K.eye(3)": np.eye(3),
    "K.flatten(X)": X.ravel(),
    "K.foldl(lambda a, b: a - b, V)": -2.5,
    "K.foldl(lambda a, b: a - b, V, initializer=V[2] * 5)": 6.5,
    "K.foldr(lambda a, b: a - b, V)": 0.5,
    "K.gather(X, [1, 0, 1])": X[[1, 0, 1]],
    "K.get_value(K.variable(X))": X,
    "K.get_value(K.sum(X))": X.sum(),
    "K.greater(X, Y)": X > Y,
    "K.greater_equal(X, Y)": X >= Y,
    "K.hard_sigmoid(X)": np.clip(0.2 * X + 0.5, 0, 1),
    "K.identity(X)": X,
    "K.in_test_phase(X, Y)": X,
    "K.in_top_k(P, [2, 1], 1)": [True, False],
    "K.in_train_phase(X, Y)": Y,
    "K.in_train_phase(lambda: X, Y, training=True)": X,
    "K.l2_normalize(X, axis=1)": X / np.linalg.norm(X, axis=1, keepdims=True),
    "K.l2_normalize(X)": X / np.linalg.norm(X),
    "K.less(X, Y)": X < Y,
    "K.less_equal(X, Y)": X <= Y,
    "K.log(P)": np.log(P),
    "K.log1p(P)": np.log1p(P),
    "K.logsumexp(X, axis=1)": np.log(np.exp(X).sum(1)),
    "K.map_fn(lambda row: row * 2, X)": X * 2,
    "K.max(X, axis=-1, keepdims=True)": X.max(-1, keepdims=True),
    "K.maximum(X, Y)": np.maximum(X, Y),
    "K.mean(X)": X.mean(),
    "K.mean(X, axis=-1)": X.mean(-1),
    "K.mean(X > 0)": 2 / 3,
    "K.min(X)": -2.0,
    "K.minimum(X, 0.0)": np.minimum(X, 0),
    "K.moving_average_update(K.variable(1.0), 3.0, 0.75)": 1.5,
    "K.normalize_batch_in_training(X, V, V, [0])[0]": (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3) * V + V,
    "K.not_equal(X, Y)": X != Y,
    "K.one_hot([2, 0], 3)": ONE_HOT,
    "K.ones((2, 2))": np.ones((2, 2)),
    "K.ones_like(X)": np.ones((2, 3)),
    "K.permute_dimensions(CUBE, (0, 2, 1))": CUBE.transpose(0, 2, 1),
    "K.pool2d(IMAGE, (2, 2), (2, 2))": [[[[5.0], [7.0]], [[13.0], [15.0]]]],
    "K.pool2d(IMAGE, (2, 2), (2, 2), pool_mode='avg')": [[[[2.5], [4.5]], [[10.5], [12.5]]]],
    "K.pool3d(IMAGE[None], (1, 4, 4), (1, 1, 1))": [[[[[15.0]]]]],
    "K.pow(X, 2)": X**2,
    "K.print_tensor(X)": X,
    "K.prod(X, axis=1)": X.prod(1),
    "K.relu(X)": np.maximum(X, 0),
    "K.relu(X, alpha=0.1, max_value=2.0)": np.where(X > 0, np.minimum(X, 2), 0.1 * X),
    "K.relu(X, alpha=0.5, threshold=1.0)": np.where(X >= 1, X, 0.5 * (X - 1)),
    "K.relu([1, -2])": [1, 0],
    "K.repeat(X, 2)": np.stack([X, X], 1),
    "K.repeat_elements(X, 2, axis=1)": np.repeat(X, 2, 1),
    "K.reshape(X, (3, -1))": X.reshape(3, 2),
    "K.resize_images(IMAGE, 2, 3, 'channels_last')": IMAGE.repeat(2, 1).repeat(3, 2),
    "K.resize_volumes(IMAGE[None], 1, 2, 2, 'channels_last')": IMAGE[None].repeat(2, 2).repeat(2, 3),
    "K.reverse(X, 1)": X[:, ::-1],
    "K.round(X)": np.round(X),
    "K.separable_conv2d(IMAGE, np.ones((4, 4, 1, 1), 'float32'), 2 * np.ones((1, 1, 1, 1), 'float32'))": [
        [[[240.0]]]
    ],
    "K.sigmoid(X)": sigmoid(X),
    "K.sign(X)": np.sign(X),
    "K.sin(X)": np.sin(X),
    "K.softmax(X)": np.exp(X) / np.exp(X).sum(-1, keepdims=True),
    "K.softmax(X, axis=0)": np.exp(X) / np.exp(X).sum(0, keepdims=True),
    "K.softplus(X)": np.log1p(np.exp(X)),
    "K.softsign(X)": X / (1 + np.abs(X)),
    "K.sparse_categorical_crossentropy([2, 0], P)": [-np.log(0.5), -np.log(0.7)],
    "K.spatial_2d_padding(IMAGE)": np.pad(IMAGE, ((0, 0), (1, 1), (1, 1), (0, 0))),
    "K.spatial_2d_padding(IMAGE, ((1, 0), (0, 1)), 'channels_first')": np.pad(
        IMAGE, ((0, 0), (0, 0), (1, 0), (0, 1))
    ),
    "K.spatial_3d_padding(IMAGE[None])": np.pad(IMAGE[None], ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0))),
    "K.sqrt(X)": np.sqrt(np.maximum(X, 0)),
    "K.square(X)": X**2,
    "K.squeeze(X[:, :1], 1)": X[:, 0],
    "K.stack([X, Y])": np.stack([X, Y]),
    "K.std(X, axis=0)": X.std(0),
    "K.stop_gradient(X)": X,
    "K.sum(X)": X.sum(),
    "K.sum(X, axis=[0, 1])": X.sum(),
    "K.switch(X > 0, X, Y)": np.where(X > 0, X, Y),
    "K.switch(K.greater(X[:, :1], 2.0), X, lambda: Y)": [Y[0], X[1]],
    "K.tanh(X)": np.tanh(X),
    "K.temporal_padding(CUBE)": np.pad(CUBE, ((0, 0), (1, 1), (0, 0))),
    "K.tile(X, [2, 1])": np.tile(X, (2, 1)),
    "K.tile(X[0], 2)": np.tile(X[0], 2),
    "K.to_dense(X)": X,
    "K.transpose(X)": X.T,
    "K.update(K.variable(X), Y)": Y,
    "K.update_add(K.variable(X), Y)": X + Y,
    "K.update_sub(K.variable(X), Y)": X - Y,
    "K.var(X, axis=1)": X.var(1),
    "K.variable(X)": X,
    "K.zeros((2, 2))": np.zeros((2, 2)),
    "K.zeros_like(X)": np.zeros((2, 3)),
}

# call -> what Python compares it with
FACTS = {
    "K.backend()": "jax",
    "K.dtype(X)": "float32",
    "K.dtype(K.constant(1, dtype='int32'))": "int32",
    "K.epsilon()": 1e-7,
    "K.floatx()": "float32",
    "K.image_data_format()": "channels_last",
    "K.image_dim_ordering()": "tf",
    "K.int_shape(layers.Input((3,)))": (None, 3),
    "K.is_keras_tensor(layers.Input((3,)))": True,
    "K.is_placeholder(K.placeholder((None, 3)))": True,
    "K.is_sparse(X)": False,
    "K.is_variable(K.variable(1.0))": True,
    "K.learning_phase()": 0,
    "K.manual_variable_initialization(True)": None,
    "K.ndim(CUBE)": 3,
    "K.placeholder(ndim=2).shape": (None, None),
    "K.set_image_dim_ordering('tf')": None,
    "K.set_session(K.get_session())": None,
    "K.shape(X)": (2, 3),
    "K.shape(K.constant(X))": (2, 3),
    "K.int_shape(K.zeros((2, 3)))": (2, 3),
    "K.ndim([[1.0]])": 2,
}
STATEFUL = """
    batch_set_value clear_session function get_session get_uid gradients learning_phase_scope name_scope
    placeholder random_bernoulli random_binomial random_normal random_normal_variable random_uniform
    random_uniform_variable reset_uids set_epsilon set_floatx set_image_data_format set_learning_phase
    set_value truncated_normal
"""


@pytest.mark.parametrize("call", NUMBERS)
def test_a_function_gives_numpys_numbers(call):
    found = eval(call)
    np.testing.assert_allclose(np.asarray(found), NUMBERS[call], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("call", FACTS)
def test_a_function_tells_what_holds(call):
    assert eval(call) == FACTS[call]


def test_every_function_has_a_row_and_a_test():
    tested = {call.partition("(")[0].removeprefix("K.") for call in (*NUMBERS, *FACTS)}
    assert set(K.__all__) == tested | set(STATEFUL.split())
    assert set(old_modules.BACKEND) == set(K.__all__) - set(doltap.backend.__all__)


def test_random_numbers_have_their_shapes_and_spread():
    assert abs(float(K.get_value(K.mean(K.random_normal((4000,), 1.0, 2.0, seed=1)))) - 1.0) < 0.2
    drawn = np.asarray(K.random_uniform((100,), 2.0, 3.0))
    assert 2 <= drawn.min() <= drawn.max() <= 3
    assert np.abs(np.asarray(K.truncated_normal((1000,)))).max() <= 2.001
    assert set(np.asarray(K.random_bernoulli((200,), 0.5)).tolist()) == {0.0, 1.0}
    assert K.random_binomial is K.random_bernoulli
    assert K.random_normal_variable((2, 3), 0.0, 1.0).shape == (2, 3)
    assert 0 <= float(K.random_uniform_variable((1,), 0, 1).numpy()[0]) <= 1


def test_values_are_read_and_written():
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    K.set_value(model.optimizer.learning_rate, 0.25)
    assert K.get_value(model.optimizer.lr) == 0.25
    K.batch_set_value([(model.weights[0], np.ones((2, 1))), (model.weights[1], [2.0])])
    assert [value.tolist() for value in K.batch_get_value(model.weights)] == [[[1.0], [1.0]], [2.0]]
    with pytest.raises(DataError, match="schedule"):
        K.set_value(0.1, 0.2)


def test_switches_of_the_process_are_set_and_counted(monkeypatch):
    K.set_epsilon(1e-5)
    assert K.epsilon() == 1e-5
    K.set_epsilon(1e-7)
    K.set_floatx("float32")
    K.set_image_data_format("channels_last")
    for refuse in (lambda: K.set_image_dim_ordering("th"), lambda: K.set_image_data_format("channels_first")):
        with pytest.raises(NotSupportedError):
            refuse()
    K.reset_uids()
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid("b")] == [1, 2, 1]
    K.clear_session()
    assert layers.Dense(1).name == "dense"
    with K.name_scope("here"):
        assert layers.Dense(1).name == "dense_1"


def test_the_phase_is_that_of_the_call_or_the_one_that_was_set():
    seen = []

    class Look(layers.Layer):
        def call(self, inputs):
            seen.append(K.learning_phase())
            return K.in_train_phase(inputs * 2, inputs)

    look = Look()
    x = np.ones((1, 1), np.float32)
    assert np.asarray(look(x, training=True)).tolist() == [[2.0]]
    assert np.asarray(look(x)).tolist() == [[1.0]]
    assert seen == [1, 0]
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1
    assert K.learning_phase() == 0
    with pytest.raises(UnknownNameError):
        K.set_learning_phase("on")


def test_a_function_goes_from_some_tensors_of_a_model_to_others():
    model = models.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dropout(0.5), layers.Dense(2)])
    x = np.ones((2, 4), np.float32)
    hidden = K.function([model.input], [model.layers[0].output])
    (found,) = hidden([x])
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, x @ model.get_weights()[0], rtol=1e-5)
    single = K.function(model.layers[0].input, model.output)
    np.testing.assert_allclose(single(x), model.predict(x, verbose=0), rtol=1e-5)
    phased = K.function([model.input, K.learning_phase()], [model.layers[1].output])
    assert (phased([x, 1])[0] == 0).any()
    np.testing.assert_array_equal(phased([x, 0])[0], found)
    np.testing.assert_array_equal(phased([x])[0], found)


def test_what_needs_a_graph_is_refused_with_a_cure():
    with pytest.raises(NotSupportedError, match="GradientTape"):
        K.gradients(X, X)
    with pytest.raises(NotSupportedError, match="session"):
        K.get_session().run(X)
    with pytest.raises(NotSupportedError, match=r"K\.set_value"):
        K.function([layers.Input((1,))], [layers.Input((1,))], updates=[1])
    with pytest.raises(NotSupportedError, match="nearest"):
        K.resize_images(IMAGE, 2, 2, "channels_last", interpolation="bilinear")
    with pytest.raises(UnknownNameError, match="avg"):
        K.pool2d(IMAGE, 2, pool_mode="mean")
    with pytest.raises(UnknownNameError, match="channels_last"):
        K.conv2d(IMAGE, IMAGE, data_format="channel_last")
    with pytest.raises(ShapeError, match="Count them from 1"):
        K.batch_dot(X, Y, axes=0)


def test_a_loss_and_a_metric_of_ones_own_train_as_they_did():
    def rmse(y_true, y_pred):
        return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))

    def r2(y_true, y_pred):
        left = K.sum(K.square(y_true - y_pred))
        return 1 - left / (K.sum(K.square(y_true - K.mean(y_true))) + K.epsilon())

    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", rmse, metrics=[r2, lambda y_true, y_pred: K.max(K.abs(y_true - y_pred))])
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    history = model.fit(x, x.sum(1, keepdims=True), epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["r2"][-1] > history["r2"][0]


def test_functions_work_on_the_tensors_of_a_functional_model():
    inputs = layers.Input((3,))
    outputs = layers.Lambda(lambda x: K.l2_normalize(K.relu(x, max_value=1.0), axis=-1))(inputs)
    model = models.Model(inputs, K.sum(K.square(outputs), axis=-1, keepdims=True))
    np.testing.assert_allclose(model.predict(np.ones((2, 3)), verbose=0), [[1.0], [1.0]], rtol=1e-5)


def test_a_layer_of_ones_own_is_made_of_them():
    class Scaled(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            noise = K.random_normal(shape=(K.shape(x)[0], K.int_shape(x)[1])) * 0.0
            return K.batch_flatten(K.dot(x, K.eye(3)) * self.scale) + noise

    model = models.Sequential([layers.Input((3,)), Scaled(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert model.predict(X, verbose=0).shape == (2, 1)


def test_arguments_have_keras_2s_names_and_defaults():
    for name, wanted in {
        "clip": ["x", "min_value", "max_value"],
        "concatenate": ["tensors", "axis"],
        "one_hot": ["indices", "num_classes"],
        "random_normal": ["shape", "mean", "stddev", "dtype", "seed"],
        "sum": ["x", "axis", "keepdims"],
        "switch": ["condition", "then_expression", "else_expression"],
    }.items():
        assert list(inspect.signature(getattr(K, name)).parameters) == wanted


@pytest.fixture
def by_hand():
    from doltap.compat.tensorflow import by_hand as switch

    was_on = switch.is_on()
    switch.switch_on()
    yield
    if not was_on:
        switch.switch_off()


def test_what_is_computed_by_hand_is_a_tensor_that_tapes_follow(by_hand):
    from doltap.compat.tensorflow import GradientTape, Tensor

    assert isinstance(K.mean(X), Tensor)
    assert K.constant([1.0, 2.0]).numpy().tolist() == [1.0, 2.0]
    weight = K.variable(3.0)
    with GradientTape() as tape:
        loss = K.square(weight) + K.mean([weight, weight]) + K.relu(weight, max_value=9.0)
    assert float(tape.gradient(loss, weight)) == 8.0
