"""Layers, losses, metrics and optimizers called by hand: tensors out, gradients through, and fit as ever."""

import gc
import weakref

import jax
import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow import by_hand

X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3


def classifier(*between):
    keras.utils.set_random_seed(3)
    dense = keras.layers.Dense
    first, last = dense(8, activation="relu"), dense(3, activation="softmax")
    return keras.Sequential([keras.Input((4,)), first, *between, last])


def trained_by_hand(tf, model, optimizer, epochs):
    loss_fn = keras.losses.SparseCategoricalCrossentropy()
    for _ in range(epochs):
        with tf.GradientTape() as tape:
            predictions = model(X, training=True)
            loss = tf.add_n([loss_fn(Y, predictions), *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_a_loop_by_hand_gives_the_weights_that_fit_gives(optimizer, tf):
    def mover():
        return getattr(keras.optimizers, optimizer)(learning_rate=0.05, clipnorm=1.0)

    by_fit, own = (classifier(keras.layers.BatchNormalization()) for _ in range(2))
    by_fit.layers[0].kernel.regularizer = own.layers[0].kernel.regularizer = keras.regularizers.L2(0.1)
    by_fit.compile(mover(), "sparse_categorical_crossentropy")
    by_fit.fit(X, Y, batch_size=12, epochs=5, shuffle=False, verbose=0)
    trained_by_hand(tf, own, mover(), 5)
    for mine, theirs in zip(own.get_weights(), by_fit.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, 2e-4, 2e-6)


def test_what_is_called_by_hand_gives_tensors_and_predict_gives_numpy(tf):
    model = classifier()
    for given in (X, X.tolist(), tf.constant(X), tf.constant(X, tf.float64), jax.numpy.asarray(X)):
        found = model(given)
        assert isinstance(found, tf.Tensor)
        np.testing.assert_allclose(found.numpy(), model.predict(X, verbose=0), 1e-6, 1e-6)
    assert isinstance(model.layers[0](X), tf.Tensor)
    assert isinstance(keras.losses.MeanSquaredError()([1.0], [2.0]), tf.Tensor)
    assert isinstance(keras.losses.mean_squared_error(X, X), tf.Tensor)
    assert isinstance(keras.activations.relu([-1.0, 2.0]), tf.Tensor)
    assert isinstance(keras.metrics.Mean()(X), tf.Tensor)


def test_switched_off_everything_gives_arrays_again():
    model = classifier()
    by_hand.switch_on()
    by_hand.switch_on()
    by_hand.switch_off()
    assert not by_hand.is_on()
    for found in (model(X), keras.losses.mean_squared_error(X, X), model.layers[0].kernel * 2):
        assert isinstance(found, jax.Array)


def test_dropout_draws_another_mask_at_each_call_and_the_same_after_the_same_seed(tf):
    def masks():
        tf.random.set_seed(5)
        layer = keras.layers.Dropout(0.5)
        return [layer(np.ones((1, 50)), training=True).numpy() for _ in range(2)]

    first, second = masks()
    assert (first != second).any()
    np.testing.assert_array_equal(masks(), [first, second])
    np.testing.assert_array_equal(keras.layers.Dropout(0.5)(np.ones((1, 5))).numpy(), np.ones((1, 5)))


def test_two_dropouts_of_one_model_draw_for_themselves(tf):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5), keras.layers.Dropout(0.5)])
    kept = (model(np.ones((8, 64)), training=True).numpy() > 0).mean()
    assert 0.15 < kept < 0.35


def test_the_gradient_sees_the_mask_of_the_call(tf):
    layer, x = keras.layers.Dropout(0.5), tf.Variable(np.ones((1, 40), np.float32))
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())


def test_batch_normalization_moves_its_averages_in_training_only(tf):
    layer = keras.layers.BatchNormalization(momentum=0.5)
    layer(X)
    assert not layer.moving_mean.numpy().any()
    layer(X, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), X.mean(0) / 2, 1e-5, 1e-6)
    layer.trainable = False
    before = layer.moving_mean.numpy()
    layer(X, training=True)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), before)


class Scaled(keras.layers.Dense):
    """A layer that is made of one of doltap's."""

    def call(self, inputs):
        return super().call(inputs) * 2


class Own(keras.layers.Layer):
    """A layer that looks at values, prints and adds to the loss."""

    def __init__(self, tf):
        super().__init__()
        self.tf, self.inner, self.seen = tf, keras.layers.Dense(3), []

    def build(self, input_shape):
        self.factor = self.add_weight(shape=input_shape.as_list()[1:], initializer="ones", name="factor")
        self.outside = self.tf.Variable(2.0)

    def call(self, inputs, training=None):
        self.seen.append((type(inputs), training))
        scaled = self.tf.multiply(inputs, self.factor) * self.outside
        self.add_loss(self.tf.reduce_sum(scaled**2))
        return self.inner(scaled)


def test_a_layer_of_the_users_own_is_called_line_by_line_with_tensors(tf):
    layer = Own(tf)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(X, training=True)) + sum(layer.losses)
    assert layer.seen == [(tf.Tensor, True)]
    found = tape.gradient(y, layer.trainable_variables)
    assert [one.shape for one in found] == [(4,), (), (4, 3), (3,)]
    kernel = layer.inner.kernel.numpy()
    expected = (2 * X * kernel.sum(1)).sum(0) + (2 * 4 * X**2).sum(0)
    np.testing.assert_allclose(found[0].numpy(), expected, 1e-4)


def test_a_class_made_of_a_layer_may_call_it(tf):
    layer = Scaled(2, use_bias=False)
    with tf.GradientTape() as tape:
        y = layer(X)
    np.testing.assert_allclose(y.numpy(), 2 * X @ layer.kernel.numpy(), 1e-5, 1e-6)
    expected = np.repeat(2 * X.sum(0)[:, None], 2, 1)
    np.testing.assert_allclose(tape.gradient(y, layer.kernel).numpy(), expected, 1e-5, 1e-5)


def test_a_network_with_the_users_layers_trains_by_hand_and_by_fit(tf):
    inputs = keras.Input((4,))
    hidden = keras.layers.Lambda(lambda x: tf.exp(-x))(Scaled(5)(inputs))
    joined = tf.concat([tf.nn.relu(hidden), inputs], axis=1)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(joined))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(Y, model(X, training=True)))
    assert all(one is not None for one in tape.gradient(loss, model.trainable_variables))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(model(X).numpy(), model.predict(X, verbose=0), 1e-5, 1e-6)


def test_functions_of_the_users_work_in_fit_and_by_hand(tf):
    def huber(y_true, y_pred):
        error = y_true - y_pred
        return tf.where(tf.abs(error) < 1, tf.square(error) / 2, tf.abs(error) - 0.5)

    class Huber(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return huber(y_true, tf.cast(y_pred, tf.float32))

    class Cost(keras.regularizers.Regularizer):
        def __call__(self, x):
            return tf.reduce_sum(tf.abs(0.01 * x))

    def softplus(z):
        return tf.math.log(tf.exp(z) + 1.0)

    def start(shape, dtype=tf.float32):
        return tf.random.normal(shape, stddev=tf.sqrt(2.0 / (shape[0] + shape[1])), dtype=dtype)

    dense = keras.layers.Dense
    model = keras.Sequential(
        [dense(5, softplus, kernel_initializer=start, kernel_regularizer=Cost()), dense(1)]
    )
    target = X.sum(1, keepdims=True)
    np.testing.assert_allclose(
        Huber()(target, model(X)).numpy(), np.mean(huber(target, model(X)).numpy()), 1e-5
    )
    assert model.losses[0].numpy() == pytest.approx(
        0.01 * np.abs(model.layers[0].get_weights()[0]).sum(), 1e-5
    )
    model.compile("sgd", Huber(), metrics=[huber, "mae"])
    logs = model.fit(X, target, epochs=2, verbose=0).history
    assert logs["loss"][1] < logs["loss"][0]
    with tf.GradientTape() as tape:
        loss = Huber()(target, model(X)) + tf.add_n(model.losses)
    assert all(one is not None for one in tape.gradient(loss, model.trainable_variables))


def test_a_metric_of_the_users_own_is_followed_by_hand_and_in_fit(tf):
    class Mean(keras.metrics.Metric):
        def __init__(self, **keywords):
            super().__init__(**keywords)
            self.total = self.add_weight("total", initializer="zeros")
            self.count = self.add_weight("count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(tf.reduce_sum(tf.abs(y_true - y_pred)))
            self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

        def result(self):
            return self.total / self.count

    metric = Mean(name="own")
    assert metric(tf.constant([[2.0]]), tf.constant([[10.0]])).numpy() == 8.0
    metric.update_state(tf.constant([[0.0], [5.0]]), tf.constant([[1.0], [9.0]]))
    assert f"{metric.result():.2f}" == "4.33"
    metric.reset_states()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric, "mae"])
    logs = model.evaluate(X, X.sum(1, keepdims=True), return_dict=True, verbose=0)
    assert logs["own"] == pytest.approx(logs["mae"], 1e-5)


@pytest.mark.parametrize(
    "name", ["Accuracy", "BinaryAccuracy", "AUC", "Precision", "MeanSquaredError", "F1Score"]
)
def test_metrics_by_hand_give_what_they_give_without_the_facade(name, tf):
    rng = np.random.default_rng(1)
    batches = [
        (rng.integers(0, 2, (6, 1)).astype(np.float32), rng.random((6, 1), np.float32)) for _ in range(2)
    ]
    ours = getattr(keras.metrics, name)()
    for true, taken in batches:
        ours.update_state(true, tf.constant(taken))
    found = ours.result().numpy()
    by_hand.switch_off()
    plain = getattr(keras.metrics, name)()
    for true, taken in batches:
        plain.update_state(true, taken)
    np.testing.assert_allclose(found, np.asarray(plain.result()), 1e-6)
    by_hand.switch_on()
    ours.reset_state()
    assert not np.asarray(ours.result()).all()


def test_an_optimizer_minimizes_and_moves_variables_of_64_bits(tf):
    v = tf.Variable(np.array([10.0, 4.0]))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.minimize(lambda: tf.reduce_sum(v**2) / 2, [v])
    np.testing.assert_allclose(v.numpy(), [9.0, 3.6], 1e-7)
    assert v.numpy().dtype == np.float64
    assert optimizer.iterations.numpy() == 1


def test_a_schedule_and_a_constraint_of_the_users_are_heeded(tf):
    class Falling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 * tf.pow(0.5, tf.cast(step, tf.float32))

    v = tf.Variable(1.0, constraint=lambda w: tf.clip_by_value(w, 0.88, 2.0))
    optimizer = keras.optimizers.SGD(Falling())
    for expected in (0.9, 0.88):
        optimizer.apply_gradients([(tf.constant(1.0), v)])
        assert v.numpy() == pytest.approx(expected)
    assert float(optimizer.learning_rate) == pytest.approx(0.025)


def test_a_gradient_of_none_is_left_out_with_a_warning(tf):
    v, w = tf.Variable(1.0, name="v"), tf.Variable(1.0, name="w")
    with pytest.warns(UserWarning, match="w:0"):
        keras.optimizers.SGD(0.5).apply_gradients([(tf.constant(1.0), v), (None, w)])
    assert [v.numpy(), w.numpy()] == [0.5, 1.0]


def test_a_mask_goes_from_layer_to_layer(tf):
    embedded = keras.layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 2, 0]]))
    assert embedded.mask.numpy().tolist() == [[True, True, False]]
    flat = keras.layers.Dense(2)(embedded)
    assert flat.shape == (1, 3, 2)


def test_several_inputs_strings_and_lists_are_taken_by_hand(tf):
    joined = keras.layers.Concatenate()([X, tf.ones((12, 1))])
    assert joined.shape == (12, 5)
    assert keras.layers.StringLookup(vocabulary=["a", "b"])(["b", "z"]).numpy().tolist() == [2, 0]
    normal = keras.layers.Normalization()
    normal.adapt(X)
    np.testing.assert_allclose(normal(X).numpy().mean(0), 0, atol=1e-5)
    assert keras.layers.Dense(2)([[1.0, 2.0]]).shape == (1, 2)


def test_training_may_be_said_by_position(tf):
    layer = keras.layers.Dropout(0.9)
    assert (layer(np.ones((1, 100)), True).numpy() == 0).any()
    assert (classifier(layer)(X, False).numpy() > 0).all()


def test_a_model_called_in_a_callback_gives_tensors_while_it_is_trained(tf):
    model, seen = classifier(), []
    model.compile("sgd", "sparse_categorical_crossentropy")
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model(X[:1])))
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[look])
    assert all(isinstance(one, tf.Tensor) for one in seen)
    assert (seen[0].numpy() != seen[1].numpy()).any()


def test_what_is_called_by_hand_may_be_run_eagerly_in_fit(tf):
    values = []

    def loss(y_true, y_pred):
        values.append(float(tf.reduce_mean(y_pred)))
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    model = keras.Sequential([Scaled(1)])
    model.compile("sgd", loss, run_eagerly=True)
    model.fit(X, X.sum(1), epochs=1, verbose=0)
    assert values
    assert np.isfinite(model.evaluate(X, X.sum(1), verbose=0))


def test_a_mistake_in_a_layer_called_by_hand_names_the_layer(tf):
    layer = keras.layers.Dense(2, name="second")
    layer(X)
    with pytest.raises(ValueError, match="second"):
        layer(np.ones((2, 3)))


def test_keras_operations_take_and_give_tensors_and_are_heard(tf):
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = keras.ops.sum(keras.ops.square(v.value) * tf.constant([1.0, 3.0]))
    assert isinstance(y, tf.Tensor)
    assert tape.gradient(y, v).numpy().tolist() == [2.0, 12.0]
    assert keras.ops.convert_to_numpy(y).item() == 13.0


def test_what_is_kept_for_a_layer_a_metric_or_an_optimizer_ends_with_it(tf):
    layer, metric, optimizer = keras.layers.Dense(2), keras.metrics.MeanSquaredError(), keras.optimizers.SGD()
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(X))
    optimizer.apply_gradients(zip(tape.gradient(y, layer.weights), layer.weights, strict=True))
    metric(X, X)
    kept = [weakref.ref(one) for one in (layer, metric, optimizer)]
    del layer, metric, optimizer, tape, y
    gc.collect()
    assert [one() for one in kept] == [None, None, None]


def test_a_layer_that_nobody_holds_any_more_is_differentiated(tf):
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = keras.layers.Dense(3)(keras.layers.Dense(5, activation="tanh")(x))
    gc.collect()
    assert tape.gradient(y, x).shape == (12, 4)


def test_a_lookup_that_is_made_anew_for_each_row_is_not_compiled_for_each(tf, compilations):
    def encoded(number):
        lookup = keras.layers.IntegerLookup(vocabulary=[0, 1, 2], output_mode="one_hot")
        return int(tf.argmax(lookup(tf.constant([number])), axis=-1)[0])

    encoded(1)
    compilations.clear()
    assert [encoded(number) for number in (0, 2, 1, 7)] == [1, 3, 2, 0]
    assert not compilations
