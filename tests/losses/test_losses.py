"""Every loss against real Keras: values, gradients, weights, reductions, names, configs."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses
from doltap.errors import NotSupportedError, ShapeError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

REGRESSION = ("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "huber")
REGRESSION += ("mean_squared_logarithmic_error", "log_cosh", "cosine_similarity")
HINGES = ("hinge", "squared_hinge")
YES_OR_NO = ("binary_crossentropy", "binary_focal_crossentropy", "dice", "tversky")
ONE_HOT = ("categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge")
SPARSE = ("sparse_categorical_crossentropy", "categorical_generalized_cross_entropy", "circle")
BY_OUTPUT = (*REGRESSION, "poisson", *HINGES, "binary_crossentropy", "binary_focal_crossentropy")
ENTROPY = [{}, {"label_smoothing": 0.2}, {"from_logits": True}, {"from_logits": True, "label_smoothing": 0.3}]
# name -> (class, other names, arguments to try)
LOSSES = {
    "mean_squared_error": ("MeanSquaredError", ("mse", "MSE", "Mean_Squared_Error"), [{}]),
    "mean_absolute_error": ("MeanAbsoluteError", ("mae", "MAE"), [{}]),
    "mean_absolute_percentage_error": ("MeanAbsolutePercentageError", ("mape", "MAPE"), [{}]),
    "mean_squared_logarithmic_error": ("MeanSquaredLogarithmicError", ("msle", "MSLE"), [{}]),
    "huber": ("Huber", ("huber_loss", "HUBER"), [{}, {"delta": 0.3}]),
    "log_cosh": ("LogCosh", ("logcosh",), [{}]),
    "cosine_similarity": ("CosineSimilarity", (), [{}, {"axis": 1}]),
    "poisson": ("Poisson", (), [{}]),
    "kl_divergence": ("KLDivergence", ("kld", "KLD", "kullback_leibler_divergence"), [{}]),
    "hinge": ("Hinge", (), [{}]),
    "squared_hinge": ("SquaredHinge", (), [{}]),
    "categorical_hinge": ("CategoricalHinge", (), [{}]),
    "binary_crossentropy": ("BinaryCrossentropy", ("bce", "BCE"), ENTROPY),
    "binary_focal_crossentropy": (
        "BinaryFocalCrossentropy",
        (),
        [*ENTROPY, {"apply_class_balancing": True, "alpha": 0.4}, {"gamma": 0.5}, {"gamma": 0}],
    ),
    "categorical_crossentropy": ("CategoricalCrossentropy", ("cce", "CCE"), ENTROPY),
    "categorical_focal_crossentropy": (
        "CategoricalFocalCrossentropy",
        (),
        [*ENTROPY, {"alpha": 0.4, "gamma": 1.5}],
    ),
    "sparse_categorical_crossentropy": (
        "SparseCategoricalCrossentropy",
        ("scce", "SCCE"),
        [{}, {"from_logits": True}, {"ignore_class": 1}, {"from_logits": True, "ignore_class": -1}],
    ),
    "categorical_generalized_cross_entropy": (
        "CategoricalGeneralizedCrossEntropy",
        (),
        [{"q": 0.5}, {"q": 0.2}],
    ),
    "dice": ("Dice", (), [{}, {"axis": -1}, {"axis": (1,)}]),
    "tversky": ("Tversky", (), [{}, {"alpha": 0.2, "beta": 0.7}, {"axis": 1, "alpha": 0.9}]),
    "circle": ("Circle", (), [{}, {"gamma": 4.0, "margin": 0.2}, {"remove_diagonal": False}]),
}
# Shapes of labels and predictions; the last one of a prediction is the classes.
NUMBER_SHAPES = [
    ((6, 3), (6, 3)),
    ((4, 5, 3), (4, 5, 3)),
    ((6, 1), (6, 1)),
    ((6,), (6, 1)),
    ((6, 1), (6,)),
    ((6,), (6,)),
    ((4, 5), (4, 5, 1)),
    ((4, 5, 1), (4, 5)),
    ((1,), (1, 1)),
]
CLASS_SHAPES = [((6, 3), (6, 3)), ((4, 5, 3), (4, 5, 3)), ((1, 2), (1, 2))]
SHAPES = {
    **dict.fromkeys(BY_OUTPUT, NUMBER_SHAPES),
    **dict.fromkeys((*ONE_HOT, "kl_divergence", "dice", "tversky"), CLASS_SHAPES),
    "sparse_categorical_crossentropy": [
        ((6,), (6, 3)),
        ((6, 1), (6, 3)),
        ((4, 5), (4, 5, 3)),
        ((4, 5, 1), (4, 5, 3)),
    ],
    # Real Keras 3.15 takes no labels (batch, 1) here: it compares every row with every other.
    "categorical_generalized_cross_entropy": [((6,), (6, 3)), ((4, 5), (4, 5, 3))],
    "circle": [((6,), (6, 3)), ((9, 1), (9, 4))],
}
OPTIONS = [(name, options) for name, (_, _, choices) in LOSSES.items() for options in choices]
FIRST_OPTIONS = {name: choices[0] for name, (_, _, choices) in LOSSES.items()}
FIRST = list(FIRST_OPTIONS.items())
FROM_LOGITS = [(name, options) for name, options in OPTIONS if options == {"from_logits": True}]
# What the function needs where the class has a default.
NEEDED = {"categorical_generalized_cross_entropy": {"q": 0.5}}
# Real Keras 3.15 leaves these arguments out of its configs.
FORGOTTEN = {"huber": "delta", "cosine_similarity": "axis"}


def data(name, options, y_shape, p_shape, seed=0):
    """Labels and predictions such as the loss is made for."""
    random = np.random.default_rng(seed)
    raw = random.normal(size=p_shape).astype(np.float32)
    if name in REGRESSION:
        return random.normal(size=y_shape).astype(np.float32), raw
    if name == "poisson":
        return random.poisson(2.0, y_shape).astype(np.float32), np.exp(raw)
    if name in HINGES:
        return random.choice([-1, 1], y_shape).astype(np.float32), raw
    if name in YES_OR_NO:
        y = random.integers(0, 2, y_shape).astype(np.float32)
        return y, raw * 3 if options.get("from_logits") else 1 / (1 + np.exp(-raw))
    if name == "circle":
        raw /= np.linalg.norm(raw, axis=1, keepdims=True)
        return random.integers(0, 3, y_shape).astype(np.int32), raw
    if not options.get("from_logits") and name != "categorical_hinge":
        raw = np.exp(raw) / np.exp(raw).sum(axis=-1, keepdims=True)
    if name == "kl_divergence":
        return random.dirichlet(np.ones(p_shape[-1]), p_shape[:-1]).astype(np.float32), raw
    if name in ONE_HOT:
        return np.eye(p_shape[-1], dtype=np.float32)[random.integers(0, p_shape[-1], p_shape[:-1])], raw
    y = random.integers(0, p_shape[-1], y_shape).astype(np.int32)
    ignored = options.get("ignore_class")
    if ignored is not None:
        y.reshape(-1)[::3] = ignored
    return y, raw


def values_and_gradients(functions, y, p):
    """Of each function; the values are weighted at random so that none cancel."""

    def weighted(function, p):
        values = function(y, p)
        return jnp.sum(values * np.random.default_rng(9).normal(size=(1, *values.shape)).astype("f")), values

    def all_of_them(p):
        return [jax.grad(lambda p, f=f: weighted(f, p), has_aux=True)(p) for f in functions]

    # One program for all is compiled sooner than the operations of each.
    return jax.jit(all_of_them)(jnp.asarray(p))


def assert_close(ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6 * max(1e-3, np.abs(theirs).max(initial=0)))


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_a_loss_function_has_the_values_and_gradients_of_keras(keras, name, options):
    # Most losses share one alignment: every shape for some of them, and one for the others.
    every = name in ("mean_squared_error", "categorical_crossentropy", *SPARSE)
    # The object brings both to one rank before it calls the function, which may not.
    peer = getattr(keras.losses, LOSSES[name][0])(reduction="none", **options)

    def own(y, p):
        return getattr(losses, name)(y, p, **options)

    for shapes in SHAPES[name] if every and options == FIRST_OPTIONS[name] else SHAPES[name][1:2]:
        ours, theirs = values_and_gradients([own, peer], *data(name, options, *shapes))
        for mine, expected in zip(ours, theirs, strict=True):
            assert_close(mine, expected)


@pytest.mark.parametrize(("name", "options"), FIRST + FROM_LOGITS, ids=str)
def test_predictions_of_exactly_0_and_1_give_finite_losses_as_keras(keras, name, options):
    shape = (4, 2)
    y, _ = data(name, options, shape if name not in SPARSE else shape[:1], shape)
    p = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], np.float32) * (100 if options.get("from_logits") else 1)
    ours = np.asarray(getattr(losses, name)(y, p, **options))
    assert np.isfinite(ours).all()
    assert_close(ours, getattr(keras.losses, name)(y, p, **options))


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mean_squared_error", {}),
        ("sparse_categorical_crossentropy", {"ignore_class": 1}),
        ("tversky", {}),
        ("circle", {}),
    ],
    ids=str,
)
def test_a_loss_object_reduces_weighted_and_unweighted_as_keras(keras, name, options, reduction):
    y_shape, p_shape = SHAPES[name][0]
    y, p = data(name, options, y_shape, p_shape, seed=1)
    random = np.random.default_rng(3)
    rows = random.uniform(0, 2, 6).astype(np.float32)
    ours = getattr(losses, LOSSES[name][0])(reduction=reduction, **options)
    theirs = getattr(keras.losses, LOSSES[name][0])(reduction=reduction, **options)
    weights = [None, rows, rows[:, None], rows.tolist(), np.zeros(6), np.arange(6), np.float32(2)]
    for number, weight in enumerate(weights):
        if reduction == "mean_with_sample_weight" and number == len(weights) - 1:
            continue  # Keras divides by the one scalar, which is no mean.
        mine, peer = np.asarray(ours(y, p, weight)), np.asarray(theirs(y, p, weight))
        assert_close(mine.reshape(peer.shape), peer)


@pytest.mark.parametrize(
    "name", ["mean_squared_error", "binary_crossentropy", "sparse_categorical_crossentropy"]
)
@pytest.mark.parametrize("weight_shape", [None, (4, 5), (4, 1), (4, 5, 1)])
def test_weights_of_every_time_step_count_as_in_keras(keras, name, weight_shape):
    p_shape = (4, 5, 3)
    y, p = data(name, {}, p_shape if not name.startswith("sparse") else p_shape[:2], p_shape)
    weight = None if weight_shape is None else np.random.default_rng(0).uniform(size=weight_shape).astype("f")
    for reduction in ("sum_over_batch_size", "sum", "none"):
        ours = getattr(losses, LOSSES[name][0])(reduction=reduction)
        theirs = getattr(keras.losses, LOSSES[name][0])(reduction=reduction)
        mine, peer = np.asarray(ours(y, p, weight)), np.asarray(theirs(y, p, weight))
        assert_close(mine.reshape(peer.shape), peer)


def test_one_weight_a_row_counts_for_all_its_time_steps():
    y, p = data("mean_squared_error", {}, (4, 5, 3), (4, 5, 3))
    rows = np.array([1, 2, 0, 3], np.float32)
    all_steps = losses.MeanSquaredError()(y, p, np.repeat(rows[:, None], 5, axis=1))
    assert float(losses.MeanSquaredError()(y, p, rows)) == pytest.approx(float(all_steps), rel=1e-6)


@pytest.mark.parametrize("weight_shape", [(5,), (3, 6), (6, 2), (6, 1, 4)])
def test_weights_that_fit_nothing_are_refused(weight_shape):
    y, p = data("mean_squared_error", {}, (6, 3), (6, 3))
    with pytest.raises(ShapeError, match="weights"):
        losses.MeanSquaredError()(y, p, np.ones(weight_shape, np.float32))


@pytest.mark.parametrize("ignored", [0, 1, -1, 255])
def test_ignored_rows_leave_the_mean_as_in_keras(keras, ignored):
    random = np.random.default_rng(0)
    y, p = random.integers(0, 3, 12), random.uniform(0.1, 1, (12, 3)).astype(np.float32)
    y[::4] = ignored
    weights = random.uniform(size=12).astype(np.float32)
    for reduction in ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"):
        for weight in (None, weights):
            options = {"ignore_class": ignored, "reduction": reduction}
            ours = losses.SparseCategoricalCrossentropy(**options)(y, p, weight)
            theirs = keras.losses.SparseCategoricalCrossentropy(**options)(y, p, weight)
            assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("batch_size", [5, 16])
def test_ignored_rows_leave_the_mean_of_fit_as_in_keras(keras, batch_size):
    import doltap

    random = np.random.default_rng(0)
    x, y = random.normal(size=(16, 3)).astype(np.float32), random.integers(0, 3, 16)
    y[[0, 1, 2, 7, 13, 15]] = 2
    histories, start = [], None
    for library in (keras, doltap):
        model = library.Sequential(
            [library.layers.Input((3,)), library.layers.Dense(3, activation="softmax")]
        )
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        loss = library.losses.SparseCategoricalCrossentropy(ignore_class=2)
        model.compile(optimizer="sgd", loss=loss)
        fitted = model.fit(x, y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
        histories.append(fitted.history["loss"] + [model.evaluate(x, y, batch_size=batch_size, verbose=0)])
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)


@pytest.mark.parametrize(("name", "options"), FIRST, ids=str)
def test_a_loss_is_the_same_under_jit_and_row_by_row_under_vmap(name, options):
    y_shape, p_shape = SHAPES[name][-1] if name not in BY_OUTPUT else ((6, 3), (6, 3))
    batches = [data(name, options, y_shape, p_shape, seed=seed) for seed in range(3)]
    y, p = (np.stack(parts) for parts in zip(*batches, strict=True))
    loss = getattr(losses, LOSSES[name][0])(**options)
    one_by_one = np.array([float(loss(*batch)) for batch in batches])
    at_once, first = jax.jit(lambda y, p: (jax.vmap(loss)(y, p), loss(y[0], p[0])))(y, p)
    np.testing.assert_allclose(at_once, one_by_one, rtol=1e-5)
    np.testing.assert_allclose(first, one_by_one[0], rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_function_keeps_the_type_of_the_predictions(keras, name):
    y_shape, p_shape = SHAPES[name][0]
    y, p = data(name, {}, y_shape, p_shape)
    p = jnp.asarray(p, "bfloat16")
    ours = getattr(losses, name)(y, p, **NEEDED.get(name, {}))
    theirs = getattr(keras.losses, name)(y, p, **NEEDED.get(name, {}))
    assert not ours.weak_type
    assert ours.dtype == jnp.bfloat16
    np.testing.assert_allclose(ours.astype("f"), theirs.astype("f"), rtol=0.05, atol=1e-2)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_object_computes_in_float32_unless_told_otherwise_as_keras(keras, name):
    y_shape, p_shape = SHAPES[name][0]
    y, p = data(name, {}, y_shape, p_shape)
    p = jnp.asarray(p, "bfloat16")
    for options in ({}, {"dtype": "float16"}, {"dtype": "bfloat16"}):
        ours = getattr(losses, LOSSES[name][0])(**options)(y, p)
        theirs = getattr(keras.losses, LOSSES[name][0])(**options)(y, p)
        assert ours.dtype == theirs.dtype
        tolerance = 0.05 if options else 1e-5
        assert float(ours) == pytest.approx(float(theirs), rel=tolerance)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float64", "float16"])
def test_labels_of_any_type_give_the_same_loss(dtype):
    y = np.array([[0.0], [1], [1]])
    p = np.array([[0.2], [0.7], [0.4]], np.float32)
    for name in ("mse", "mae", "huber", "bce"):
        loss = losses.get(name)
        assert float(loss(y.astype(dtype), p)) == float(loss(y.astype(np.float32), p))


def test_integer_predictions_are_taken_as_floats():
    assert float(losses.MeanSquaredError()([1, 2], [1, 4])) == 2.0


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_found_by_every_name_it_has(name):
    class_name, others, _ = LOSSES[name]
    cls = getattr(losses, class_name)
    for word in (name, class_name, class_name.upper(), name.upper(), *others):
        assert type(losses.get(word)) is cls
    for thing in (cls, getattr(losses, name), {"class_name": class_name, "config": {}}):
        assert type(losses.get(thing)) is cls
    mine = cls()
    assert losses.get(mine) is mine
    assert losses.get(None) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("sparese_categorical_crossentropy", "sparse_categorical_crossentropy"),
        ("mean_quared_error", "mean_squared_error"),
        ("binary_crossentopy", "binary_crossentropy"),
        ("Hubert", "huber"),
    ],
)
def test_an_unknown_loss_is_answered_with_the_nearest_name(wrong, right):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{right}'"):
        losses.get(wrong)


def test_what_is_no_loss_at_all_is_refused():
    with pytest.raises(NotSupportedError, match="loss"):
        losses.get(3)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_a_loss_is_made_again_from_its_config(name, options):
    y, p = data(name, options, *SHAPES[name][0])
    loss = getattr(losses, LOSSES[name][0])(name="mine", reduction="sum", **options)
    for again in (type(loss).from_config(loss.get_config()), losses.deserialize(losses.serialize(loss))):
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
        assert float(again(y, p)) == float(loss(y, p))


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_configs_travel_between_keras_and_doltap(keras, name, options):
    class_name = LOSSES[name][0]
    ours = getattr(losses, class_name)(name="mine", reduction="sum", **options)
    theirs = getattr(keras.losses, class_name)(name="mine", reduction="sum", **options)
    y, p = data(name, options, *SHAPES[name][0])
    expected = float(theirs(y, p))
    assert float(type(theirs).from_config(ours.get_config())(y, p)) == expected
    # Not keras.losses.deserialize, which in Keras 3.15 does not know all of its own.
    assert float(keras.saving.deserialize_keras_object(losses.serialize(ours))(y, p)) == expected
    for back in (
        type(ours).from_config(theirs.get_config()),
        losses.deserialize(keras.losses.serialize(theirs)),
    ):
        assert (back.name, back.reduction) == ("mine", "sum")
        if FORGOTTEN.get(name) not in options:
            assert float(back(y, p)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_the_name_and_the_defaults_of_keras(keras, name):
    ours = getattr(losses, LOSSES[name][0])()
    theirs = getattr(keras.losses, LOSSES[name][0])().get_config()
    assert {key: ours.get_config()[key] for key in theirs} == theirs


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_takes_the_arguments_of_keras_in_its_order(keras, name):
    for title in (name, LOSSES[name][0]):
        ours, theirs = (inspect.signature(getattr(module.losses, title)) for module in (_doltap(), keras))
        assert list(ours.parameters) == list(theirs.parameters)
        for argument, parameter in theirs.parameters.items():
            # Ours finds its name when it is made; the test above compares it.
            assert argument == "name" or ours.parameters[argument].default == parameter.default


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_the_options_of_a_loss_are_its_attributes(name, options):
    loss = getattr(losses, LOSSES[name][0])(**options)
    assert {option: getattr(loss, option) for option in options} == options


@pytest.mark.parametrize("name", BY_OUTPUT)
def test_a_column_against_a_row_of_numbers_never_becomes_a_square(name):
    y, p = data(name, {}, (6,), (6,))
    function = getattr(losses, name)
    by_hand = np.array([np.asarray(function(a[None], b[None])) for a, b in zip(y, p, strict=True)])
    for pair in ((y, p[:, None]), (y[:, None], p), (y[:, None], p[:, None])):
        values = np.asarray(function(*pair))
        assert values.shape == (6,)
        np.testing.assert_allclose(values, by_hand, rtol=1e-6)


@pytest.mark.parametrize(
    ("y_shape", "p_shape"),
    [
        ((6,), (6, 2)),
        ((5, 1), (6, 1)),
        ((6, 3), (6, 1)),
        ((6, 1), (6, 3)),
        ((1, 6), (6, 1)),
        ((6, 1, 1), (6,)),
    ],
)
@pytest.mark.parametrize("name", [name for name in LOSSES if name not in SPARSE])
def test_labels_of_another_shape_than_the_predictions_are_refused(name, y_shape, p_shape):
    with pytest.raises(ShapeError, match="labels"):
        getattr(losses, name)(np.zeros(y_shape), np.full(p_shape, 0.5, np.float32))


@pytest.mark.parametrize(("y_shape", "p_shape"), [((6, 3), (6, 3)), ((5,), (6, 3)), ((6, 2), (6, 3))])
@pytest.mark.parametrize("name", SPARSE)
def test_labels_that_are_no_class_numbers_are_refused(name, y_shape, p_shape):
    with pytest.raises(ShapeError, match="one class number"):
        losses.get(name)(np.zeros(y_shape, int), np.full(p_shape, 0.5, np.float32))


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy"])
def test_another_axis_may_hold_the_classes(keras, name):
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(4), (3, 5)).transpose(0, 2, 1).astype(np.float32)
    y = np.moveaxis(np.eye(4, dtype=np.float32)[random.integers(0, 4, (3, 5))], -1, 1)
    ours, theirs = (getattr(module.losses, name)(y, p, axis=1) for module in (_doltap(), keras))
    assert_close(np.asarray(ours), np.asarray(theirs))


def test_the_sparse_loss_takes_its_classes_from_another_axis():
    # Real Keras 3.15 cannot on JAX; so the one with the classes at the end is the peer.
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(4), (3, 5)).astype(np.float32)
    y = random.integers(0, 4, (3, 5))
    at_the_end = losses.sparse_categorical_crossentropy(y, p)
    inside = losses.sparse_categorical_crossentropy(y, p.transpose(0, 2, 1), axis=1)
    assert_close(np.asarray(inside), np.asarray(at_the_end))


def _doltap():
    import doltap

    return doltap


def test_an_unknown_reduction_is_refused_with_the_known_ones():
    with pytest.raises(NotSupportedError, match="sum_over_batch_size"):
        losses.MeanSquaredError(reduction="average")


def test_a_class_of_ones_own_is_a_loss_with_weights_and_reductions(keras):
    def ours_and_theirs(library, floor):
        class Cubed(library.losses.Loss):
            def call(self, y_true, y_pred):
                return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1) + floor

        return Cubed

    y, p = data("mean_squared_error", {}, (6, 3), (6, 3))
    for reduction in ("sum_over_batch_size", "sum"):
        for weight in (None, np.arange(6.0)):
            ours = ours_and_theirs(_doltap(), 1)(reduction=reduction)(y, p, weight)
            theirs = ours_and_theirs(keras, 1)(reduction=reduction)(y, p, weight)
            assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_a_class_without_call_says_what_to_define():
    with pytest.raises(NotSupportedError, match=r"call\(self, y_true, y_pred\)"):
        losses.Loss(name="empty")([1.0], [1.0])


@pytest.mark.parametrize("labels", [np.int64, np.uint8, bool])
def test_a_function_of_ones_own_receives_floats_as_in_keras(keras, labels):
    seen = []

    def both(y_true, y_pred):
        seen.append((str(y_true.dtype), str(y_pred.dtype)))
        return jnp.mean(jnp.square(1 - y_true - y_pred), axis=-1)

    y, p = np.array([[0], [1], [1]]).astype(labels), np.array([[0.5], [0.2], [0.1]], np.float32)
    ours = losses.get(both)(y, p)
    theirs = (
        keras.losses.LossFunctionWrapper(both)(y, p) if hasattr(keras.losses, "LossFunctionWrapper") else None
    )
    assert seen[0] == ("float32", "float32")
    if theirs is not None:
        assert float(ours) == pytest.approx(float(theirs), rel=1e-6)


def test_a_loss_of_ones_own_trains_with_labels_of_another_shape_as_keras(keras):
    def fitted(library, start):
        class FirstOutput(library.losses.Loss):
            def call(self, y_true, y_pred):
                return jnp.square(y_true - y_pred[:, 0])

        model = library.Sequential([library.layers.Input((2,)), library.layers.Dense(3)])
        if start is not None:
            model.set_weights(start)
        start = model.get_weights()
        model.compile(optimizer="sgd", loss=FirstOutput())
        x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
        history = model.fit(x, x[:, 0] * 2, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
        return start, history

    start, theirs = fitted(keras, None)
    np.testing.assert_allclose(fitted(_doltap(), start)[1], theirs, rtol=1e-5)
