"""A network for every finding, which provokes it; by the finding's name, and what else may be said of it."""

from __future__ import annotations

import functools

import numpy as np
from sklearn import datasets as tables
from sklearn.model_selection import train_test_split

import doltap as keras
from doltap.initializers import Constant, RandomNormal
from doltap.layers import Activation, BatchNormalization, Dense, Dropout

SICK = {}


def provokes(name):
    def keep(make):
        SICK[make.__name__] = (name, make)
        return make

    return keep


@functools.cache
def digits():
    """Digits with values from -1 to 1."""
    data = tables.load_digits()
    return train_test_split(data.data / 8 - 1, data.target, random_state=0)


def classifier(*layers, optimizer="adam", x=None, y=None, classes=10, **options):
    if x is None:
        x, _, y, _ = digits()
    hidden = [keras.Input(x.shape[1:]), *layers, Dense(classes, activation="softmax")]
    model = keras.Sequential(hidden)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x, "y": y, "epochs": 8, **options}


def regressor(*layers, optimizer="adam", x, y, loss="mse", **options):
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile(optimizer, loss)
    return model, {"x": x, "y": y, "epochs": 8, **options}


def plane(rows=1000, columns=5, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, columns))
    return x, x @ generator.normal(size=columns), generator


@provokes("vanishing_gradients")
def five_sigmoid_layers():
    return classifier(*[Dense(64, "sigmoid") for _ in range(5)], optimizer="sgd")


@provokes("vanishing_gradients")
def small_initial_weights():
    small = RandomNormal(stddev=0.01)
    return classifier(*[Dense(64, "relu", kernel_initializer=small) for _ in range(5)], optimizer="sgd")


@provokes("exploding_gradients")
def large_initial_weights_in_many_layers():
    large = RandomNormal(stddev=1.0)
    return classifier(*[Dense(64, "relu", kernel_initializer=large) for _ in range(8)], optimizer="sgd")


@provokes("dead_units")
def biases_far_below_zero():
    return classifier(Dense(64, "relu", bias_initializer=Constant(-50.0)), Dense(32, "relu"))


@provokes("dead_units")
def rate_that_kills():
    layers = [Dense(64, "relu"), Dense(64, "relu")]
    return classifier(*layers, optimizer=keras.optimizers.Adam(1.0))


@provokes("saturated_units")
def tanh_with_large_weights():
    layers = [Dense(32, "tanh", kernel_initializer=RandomNormal(stddev=20.0)) for _ in range(2)]
    return classifier(*layers, optimizer="sgd")


@provokes("rate_too_high")
def rate_of_thirty():
    return classifier(Dense(32, "tanh"), optimizer=keras.optimizers.SGD(30.0), epochs=12)


@provokes("rate_too_low")
def plain_sgd_with_a_low_rate():
    return classifier(Dense(64, "relu"), Dense(32, "relu"), optimizer=keras.optimizers.SGD(0.001), epochs=15)


@provokes("rate_too_low")
def adam_with_hardly_a_rate():
    return classifier(Dense(64, "relu"), optimizer=keras.optimizers.Adam(1e-7), epochs=10)


@provokes("plateau")
def parity_of_ten_bits():
    bits = np.random.default_rng(0).integers(0, 2, (800, 10))
    x, y = 2.0 * bits - 1, bits.sum(1) % 2
    sgd = keras.optimizers.SGD(0.01)
    return classifier(Dense(16, "tanh"), optimizer=sgd, x=x, y=y, classes=2, epochs=40)


@provokes("not_finite")
def regression_that_overflows():
    x, y, _ = plane()
    return regressor(Dense(16, "relu"), Dense(1), optimizer=keras.optimizers.SGD(20.0), x=x, y=y)


@provokes("diverged")
def regression_that_diverges():
    x, y, _ = plane(rows=64)
    rate = keras.optimizers.SGD(0.9)
    return regressor(Dense(1), optimizer=rate, x=x, y=y, epochs=10, batch_size=64)


@provokes("overfitting")
def few_noisy_rows():
    x, y, generator = plane(rows=200, columns=20)
    y = (y + 3 * generator.normal(size=200) > 0).astype(int)
    layers = [Dense(128, "relu"), Dense(128, "relu")]
    return classifier(*layers, x=x, y=y, classes=2, epochs=40, validation_split=0.4)


@provokes("underfitting")
def line_through_circles():
    x, y = tables.make_moons(1000, noise=0.05, random_state=0)
    rings, inside = tables.make_circles(1000, noise=0.05, factor=0.5, random_state=0)
    x = np.concatenate([x - [0.5, 0.25], rings + np.array([4, 0])])
    y = np.concatenate([y, inside])
    return classifier(x=x, y=y, classes=2, epochs=40, optimizer=keras.optimizers.Adam(0.02))


@provokes("underfitting")
def line_through_a_wave():
    x = np.random.default_rng(0).uniform(-2, 2, (1000, 1))
    y = np.sin(4 * x[:, 0]) + 0.2 * x[:, 0]
    return regressor(Dense(1), x=x, y=y, epochs=20, optimizer=keras.optimizers.SGD(0.05))


@provokes("large_batches")
def whole_table_in_a_batch():
    sgd = keras.optimizers.SGD(0.01)
    return classifier(Dense(64, "relu"), optimizer=sgd, batch_size=1024, epochs=20)


@provokes("constant_labels")
def labels_that_are_all_one():
    x, _, _ = plane()
    return regressor(Dense(8, "relu"), Dense(1), x=x, y=np.ones(1000))


@provokes("unscaled_inputs")
def inputs_in_the_thousands():
    x, y, _ = plane()
    x = x * 300 + 5000
    return classifier(Dense(16, "relu"), x=x, y=(y > 0).astype(int), classes=2, optimizer="sgd")


@provokes("rare_classes")
def one_row_in_fifty():
    generator = np.random.default_rng(0)
    y = (np.arange(2000) % 50 == 0).astype(int)
    x = generator.normal(size=(2000, 4)) + 0.8 * y[:, None]
    return classifier(Dense(8, "relu"), x=x, y=y, classes=2)


@provokes("constant_answers")
def inputs_that_tell_nothing():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(3000, 4)), generator.normal(size=3000) + 5
    return regressor(Dense(1), x=x, y=y, epochs=15, optimizer=keras.optimizers.SGD(0.01))


@provokes("constant_answers")
def majority_of_three():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2000, 4)), generator.choice(3, 2000, p=[0.8, 0.1, 0.1])
    return classifier(x=x, y=y, classes=3, optimizer="sgd")


@provokes("output_mismatch")
def relu_for_numbers_of_both_signs():
    x, y, _ = plane()
    return regressor(Dense(16, "relu"), Dense(1, activation="relu"), x=x, y=y)


@provokes("output_mismatch")
def sigmoid_for_prices():
    x, y, _ = plane()
    return regressor(Dense(16, "relu"), Dense(1, activation="sigmoid"), x=x, y=y + 20)


@provokes("output_mismatch")
def softmax_of_one_unit():
    x, y, _ = plane()
    yes = (y > 0).astype(int)
    return regressor(Dense(8, "relu"), Dense(1, activation="softmax"), x=x, y=yes, loss="binary_crossentropy")


@provokes("output_mismatch")
def softmax_and_logits():
    x, _, y, _ = digits()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return regressor(Dense(10, activation="softmax"), x=x, y=y, loss=loss)


@provokes("output_mismatch")
def numbers_taken_for_probabilities():
    x, _, y, _ = digits()
    return regressor(Dense(10), x=x, y=y, loss="sparse_categorical_crossentropy")


@provokes("output_mismatch")
def relu_before_the_crossentropy():
    x, _, y, _ = digits()
    return regressor(Dense(10, activation="relu"), x=x, y=y, loss="sparse_categorical_crossentropy")


@provokes("initial_scale")
def certain_before_the_first_step():
    x, _, y, _ = digits()
    ends = Dense(10, activation="softmax", kernel_initializer=RandomNormal(stddev=8.0))
    loss = "sparse_categorical_crossentropy"
    return regressor(ends, x=x, y=y, loss=loss, optimizer=keras.optimizers.SGD(0.02), epochs=3)


@provokes("unlike_validation")
def sorted_rows_cut_at_the_end():
    iris = tables.load_iris()
    x = (iris.data - iris.data.mean(0)) / iris.data.std(0)
    return classifier(Dense(16, "relu"), x=x, y=iris.target, classes=3, validation_split=0.2, epochs=30)


@provokes("unlike_validation")
def validation_that_was_not_scaled():
    x, x_test, y, y_test = digits()
    return classifier(Dense(32, "relu"), x=x, y=y, validation_data=((x_test + 1) * 8, y_test))


@provokes("nothing_moves")
def rate_of_zero():
    return classifier(Dense(16, "relu"), optimizer=keras.optimizers.Adam(0.0))


@provokes("nothing_moves")
def frozen_layers():
    model, arguments = classifier(Dense(16, "relu"))
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, arguments


@provokes("unscaled_labels")
def labels_in_hundreds():
    data = tables.load_diabetes()
    return regressor(Dense(32, "relu"), Dense(1), x=data.data, y=data.target, epochs=30)


@provokes("unscaled_inputs")
def raw_wine_with_adam():
    wine, adam = tables.load_wine(), keras.optimizers.Adam(0.01)
    return classifier(Dense(16, "relu"), x=wine.data, y=wine.target, classes=3, optimizer=adam, epochs=30)


@provokes("not_finite")
def validation_with_a_wild_number():
    x, y, _ = plane()
    wild = x[:100].copy()
    wild[3, 2] = 3e38
    return regressor(Dense(8), Dense(1), x=x, y=y, validation_data=(wild, y[:100]), epochs=20)


@provokes("unlike_validation")
def validation_with_a_misplaced_point():
    x, y, _ = plane()
    wild = x[:100].copy()
    wild[3, 2] = 1e9
    return regressor(Dense(8), Dense(1), x=x, y=y, validation_data=(wild, y[:100]), epochs=20)


@provokes("constant_answers")
def a_class_that_outweighs_all_others():
    x, y, _ = plane()
    heavy = {0: 1.0, 1: 1000.0}
    return classifier(Dense(8, "relu"), x=x, y=(y > 0).astype(int), classes=2, class_weight=heavy)


@provokes("constant_inputs")
def inputs_that_a_division_took_away():
    x, _, y, _ = digits()
    return classifier(Dense(16, "relu"), x=(np.abs(x) // 2).astype(int), y=y)


@provokes("unscaled_inputs")
def inputs_that_were_divided_twice():
    x, y, _ = plane()
    return regressor(Dense(16, "relu"), Dense(1), x=x / 255**2, y=y, epochs=20)


@provokes("unscaled_labels")
def two_labels_that_were_mistyped():
    x, y, _ = plane()
    y[[5, 600]] = 1e4, -1e4
    return regressor(Dense(16, "relu"), Dense(1), x=x, y=y, epochs=20)


@provokes("unscaled_labels")
def labels_in_millionths():
    x, y, _ = plane()
    return regressor(Dense(16, "relu"), Dense(1), x=x, y=y * 1e-6)


@provokes("output_mismatch")
def softmax_of_one_unit_for_numbers():
    x, y, _ = plane()
    yes = (y > 0).astype(float)
    return regressor(Dense(8, "relu"), Dense(1, activation="softmax"), x=x, y=yes)


@provokes("strong_penalty")
def weights_that_cost_more_than_mistakes():
    heavy = keras.regularizers.L2(10.0)
    return classifier(Dense(64, "relu", kernel_regularizer=heavy), Dense(32, "relu"))


@provokes("strong_penalty")
def share_that_is_kept_taken_for_the_one_left_out():
    return classifier(Dense(64, "relu"), Dropout(0.95), Dense(64, "relu"), Dropout(0.95))


@provokes("batch_statistics")
def averages_that_lag_behind():
    x, x_test, y, y_test = digits()
    layers = [Dense(64), BatchNormalization(), Activation("relu")]
    x, x_test = (x + 1) / 2, (x_test + 1) / 2
    some = {"x": x[:300], "y": y[:300], "validation_data": (x_test[:300], y_test[:300])}
    return classifier(*layers, batch_size=64, **(some | {"epochs": 6}))


@provokes("batch_statistics")
def batches_of_one_row():
    wine = tables.load_wine()
    x = (wine.data - wine.data.mean(0)) / wine.data.std(0)
    layers = [Dense(16), BatchNormalization(), Activation("relu")]
    return classifier(*layers, x=x, y=wine.target, classes=3, batch_size=1)


@provokes("learns_nothing")
def labels_that_were_shuffled_alone():
    x, _, y, _ = digits()
    mixed = np.random.default_rng(0).permutation(y)
    return classifier(Dense(64, "relu"), x=x, y=mixed, epochs=40, validation_split=0.2)


@provokes("seen_validation")
def rows_that_stand_in_both_parts():
    x, _, y, _ = digits()
    return classifier(Dense(32, "relu"), x=x, y=y, validation_data=(x[-300:], y[-300:]), epochs=20)
