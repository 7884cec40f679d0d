"""What every metric must pass: real Keras after every batch, configs, compiled and mapped."""

from __future__ import annotations

import collections
import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses, metrics
from doltap.errors import DoltapError

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
    # Keras's overlaps cut fractions off the weights.
    pytest.mark.filterwarnings("ignore:You are passing weight as `float`"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64"),
    # It warns before it falls back to the unadjusted score.
    pytest.mark.filterwarnings("ignore:More independent predictors"),
]

ROWS = 8
# (class, arguments, shape of labels, shape of predictions, kind of data)
MEMBERS = [
    ("Accuracy", {}, (8, 1), (8, 1), "equal"),
    ("Accuracy", {}, (8, 3), (8, 3), "equal"),
    ("BinaryAccuracy", {}, (8, 1), (8, 1), "yes or no"),
    ("BinaryAccuracy", {}, (8,), (8, 1), "yes or no"),
    ("BinaryAccuracy", {"threshold": 0.3}, (8, 3), (8, 3), "yes or no"),
    ("CategoricalAccuracy", {}, (8, 3), (8, 3), "one-hot"),
    ("CategoricalAccuracy", {}, (8, 4, 3), (8, 4, 3), "one-hot"),
    ("SparseCategoricalAccuracy", {}, (8,), (8, 3), "classes"),
    ("SparseCategoricalAccuracy", {}, (8, 1), (8, 3), "classes"),
    ("SparseCategoricalAccuracy", {}, (8, 4), (8, 4, 3), "classes"),
    ("TopKCategoricalAccuracy", {}, (8, 9), (8, 9), "one-hot"),
    ("TopKCategoricalAccuracy", {"k": 2}, (8, 4, 5), (8, 4, 5), "one-hot"),
    ("SparseTopKCategoricalAccuracy", {}, (8,), (8, 9), "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, (8, 1), (8, 5), "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, (8, 4), (8, 4, 5), "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, (8,), (8, 5), "sorted classes"),
    ("MeanSquaredError", {}, (8, 1), (8, 1), "numbers"),
    ("MeanSquaredError", {}, (8,), (8, 1), "numbers"),
    ("MeanSquaredError", {}, (8, 3), (8, 3), "numbers"),
    ("MeanAbsoluteError", {}, (8, 4, 3), (8, 4, 3), "numbers"),
    ("MeanAbsolutePercentageError", {}, (8, 3), (8, 3), "numbers"),
    ("MeanSquaredLogarithmicError", {}, (8, 3), (8, 3), "numbers"),
    ("LogCoshError", {}, (8, 3), (8, 3), "numbers"),
    ("CosineSimilarity", {}, (8, 3), (8, 3), "numbers"),
    ("Hinge", {}, (8, 1), (8, 1), "yes or no"),
    ("SquaredHinge", {}, (8, 3), (8, 3), "yes or no"),
    ("CategoricalHinge", {}, (8, 3), (8, 3), "one-hot"),
    ("KLDivergence", {}, (8, 3), (8, 3), "distributions"),
    ("Poisson", {}, (8, 3), (8, 3), "yes or no"),
    ("BinaryCrossentropy", {}, (8, 3), (8, 3), "yes or no"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, (8, 1), (8, 1), "yes or no"),
    ("CategoricalCrossentropy", {}, (8, 3), (8, 3), "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, (8, 3), (8, 3), "one-hot"),
    ("SparseCategoricalCrossentropy", {}, (8,), (8, 3), "classes"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, (8,), (8, 3), "classes"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, (8,), (8, 3), "classes"),
    ("RootMeanSquaredError", {}, (8, 3), (8, 3), "numbers"),
    ("RootMeanSquaredError", {}, (8,), (8, 1), "numbers"),
    ("R2Score", {}, (8, 1), (8, 1), "numbers"),
    ("R2Score", {"class_aggregation": None}, (8, 3), (8, 3), "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, (8, 3), (8, 3), "numbers"),
    ("R2Score", {"num_regressors": 2}, (8, 1), (8, 1), "numbers"),
    ("R2Score", {"num_regressors": 99}, (8, 1), (8, 1), "numbers"),
    ("PearsonCorrelation", {}, (8, 5), (8, 5), "numbers"),
    ("PearsonCorrelation", {"axis": 1}, (8, 5, 2), (8, 5, 2), "numbers"),
    ("ConcordanceCorrelation", {}, (8, 5), (8, 5), "numbers"),
    *[
        (kind, options, shape, shape, "yes or no")
        for kind in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
        for options, shape in [
            ({}, (8, 1)),
            ({"thresholds": [0.7, 0.2]}, (8, 3)),
            ({"thresholds": [0.0, 0.5, 1.0]}, (8,)),
        ]
    ],
    *[
        (kind, options, (8, 4), (8, 4), data)
        for kind in ("Precision", "Recall")
        for options, data in [
            ({}, "yes or no"),
            ({"thresholds": 0.3}, "yes or no"),
            ({"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "thresholds"),
            ({"thresholds": [0.9, 0.1]}, "yes or no"),
            ({"top_k": 2}, "yes or no"),
            ({"class_id": 1}, "yes or no"),
            ({"top_k": 2, "class_id": 3}, "yes or no"),
            ({"top_k": 2, "thresholds": 0.5}, "yes or no"),
        ]
    ],
    ("Precision", {}, (8,), (8, 1), "yes or no"),
    *[
        (kind, {bound: value, **options}, (8, 3), (8, 3), "yes or no")
        for kind, bound in [
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        ]
        for value, options in [
            (0.41, {}),
            (0.61, {"num_thresholds": 7, "class_id": 2}),
            (0.2, {"num_thresholds": 1}),
        ]
    ],
    ("AUC", {}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"curve": "PR"}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"multi_label": True, "label_weights": [0.2, 0.5, 0.3]}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"thresholds": [0.8, 0.1, 0.3]}, (8, 1), (8, 1), "yes or no"),
    *[
        ("AUC", {"curve": curve, "summation_method": method, **options}, (8, 3), (8, 3), data)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
        for options, data in [
            ({}, "yes or no"),
            ({"thresholds": [0.8, 0.1, 0.3], "multi_label": True}, "yes or no"),
        ]
    ],
    ("AUC", {"num_thresholds": 5}, (8, 1), (8, 1), "thresholds"),
    ("AUC", {"num_thresholds": 2}, (8,), (8, 1), "yes or no"),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, (8, 1), (8, 1), "thresholds"),
    ("AUC", {"multi_label": True, "num_labels": 3}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"label_weights": [0.2, 0.5, 0.3]}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"label_weights": [0.2, 0.5, 0.3], "thresholds": [0.4]}, (8, 3), (8, 3), "yes or no"),
    ("AUC", {"from_logits": True}, (8, 1), (8, 1), "logits"),
    *[
        ("FBetaScore", {"average": average, "beta": 2.0, "threshold": threshold}, (8, 3), (8, 3), "one-hot")
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
    ],
    ("F1Score", {}, (8, 3), (8, 3), "one-hot"),
    ("F1Score", {"average": "macro", "threshold": 0.5}, (8, 1), (8, 1), "yes or no"),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, (8,), (8,), "two classes"),
    ("IoU", {"num_classes": 3, "target_class_ids": [1], "ignore_class": 2}, (8, 4), (8, 4), "two classes"),
    ("IoU", {"num_classes": 2, "target_class_ids": [0, 1]}, (8, 4), (8, 4), "two classes"),
    ("BinaryIoU", {}, (8, 5), (8, 5), "yes or no"),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, (8, 1), (8, 1), "yes or no"),
    ("MeanIoU", {"num_classes": 3}, (8, 4), (8, 4), "two classes"),
    ("MeanIoU", {"num_classes": 5, "dtype": "float32"}, (8, 1), (8, 1), "two classes"),
    ("MeanIoU", {"num_classes": 3, "sparse_y_pred": False}, (8, 4), (8, 4, 3), "classes"),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2]}, (8, 4, 3), (8, 4, 3), "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 3}, (8, 3), (8, 3), "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 3, "sparse_y_pred": True}, (8, 3), (8,), "one-hot, classes"),
]


def _marked():
    """The members; further ones of a class that has had its turn wait for the night."""
    seen = collections.Counter()
    for member in MEMBERS:
        seen[member[0]] += 1
        turns = {"AUC": 4, "Precision": 5}.get(member[0], 1)
        marks = [pytest.mark.slow] if seen[member[0]] > turns else []
        yield pytest.param(*member, marks=marks, id="-".join(map(str, member)))


each_member = pytest.mark.parametrize(("name", "options", "y_shape", "p_shape", "kind"), list(_marked()))


@pytest.fixture(scope="module", autouse=True)
def _quick_compilation():
    """Each program here runs on a few rows: compiling it is all the time it takes."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def batch(kind, y_shape, p_shape, seed):
    random = np.random.default_rng(seed)
    p = random.uniform(0.05, 0.95, p_shape).astype(np.float32)
    yes_or_no = random.integers(0, 2, y_shape).astype(np.float32)
    if kind == "numbers":
        return random.normal(size=y_shape).astype(np.float32), p
    if kind == "equal":
        return random.integers(0, 2, y_shape), random.integers(0, 2, p_shape).astype(np.float32)
    if kind == "two classes":
        return random.integers(0, 3, y_shape), random.integers(0, 3, p_shape)
    if kind == "one-hot, classes":
        return np.eye(3)[random.integers(0, 3, y_shape[:-1])], random.integers(0, 3, p_shape)
    if kind == "sorted classes":
        order = np.argsort(random.uniform(size=p_shape), axis=-1)
        return random.integers(0, p_shape[-1], y_shape), order
    if kind == "logits":
        return yes_or_no, random.normal(0, 4, p_shape).astype(np.float32)
    if kind == "thresholds":  # Predictions that lie on a threshold, 0 and 1 among them.
        return yes_or_no, random.integers(0, 5, p_shape).astype(np.float32) / 4
    if kind == "yes or no":
        return yes_or_no, p
    p = p / p.sum(axis=-1, keepdims=True)
    if kind == "distributions":
        return random.dirichlet(np.ones(y_shape[-1]), y_shape[:-1]).astype(np.float32), p
    classes = random.integers(0, p_shape[-1], p_shape[:-1])
    return (np.eye(p_shape[-1])[classes] if kind == "one-hot" else classes.reshape(y_shape)), p


def weights_for(count, name="", options=None):
    """Weights of which one is 0; whole ones where Keras would cut the fractions off."""
    random = np.random.default_rng(77)
    weights = random.uniform(0.1, 2, count).astype(np.float32)
    if "IoU" in name and "dtype" not in (options or {}):
        weights = random.integers(1, 4, count).astype(np.float32)
    weights[0] = 0
    return weights


def made(library, name, options):
    return getattr(library, name)(**options)


def assert_close(ours, theirs, err_msg=""):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-5, atol=2e-6, err_msg=err_msg)


def program_of(metric):
    """A function of (batches of y, of p, weights): results and totals after every batch."""

    @jax.jit
    def program(ys, ps, weights):
        start = metric.stateless_reset_state()

        def after(totals, pair):
            y, p = pair
            totals = metric.stateless_update_state(totals, y, p, sample_weight=weights)
            return totals, metric.stateless_result(totals)

        totals, results = jax.lax.scan(after, start, (ys, ps))
        return results, totals

    return program


@functools.cache
def _own(name, written):
    """Our metric, built, and its program, compiled once for all tests."""
    _, options, y_shape, p_shape, _ = next(each for each in MEMBERS if str(each) == written)
    metric = made(metrics, name, options)
    metric.build_for(y_shape, p_shape)
    return metric, program_of(metric)


def mapped(metric):
    """As `program_of`, but every batch alone, all at once, and without weights."""

    def alone(y, p):
        start = metric.stateless_reset_state()
        return metric.stateless_result(metric.stateless_update_state(start, y, p))

    return jax.jit(jax.vmap(alone))


def batches_of(kind, y_shape, p_shape):
    pairs = [batch(kind, y_shape, p_shape, seed) for seed in range(3)]
    ys, ps = (np.stack(side) for side in zip(*pairs, strict=True))
    # JAX would cut them off itself, and say so.
    return tuple(each.astype(np.int32 if each.dtype.kind == "i" else np.float32) for each in (ys, ps))


def kerass(library, name, options, y_shape, p_shape):
    """The metric of Keras, its totals made: it makes those of some only with the first batch."""
    metric = made(library, name, options)
    if name in ("R2Score", "FBetaScore", "F1Score"):
        metric._build(y_shape, p_shape)
    elif name == "AUC" and not metric._built:
        metric._build(p_shape)
    return metric


def keras_weights(name, y_shape, weights):
    """The weights in a form in which Keras takes them: for overlaps it lays all places in one line."""
    if "IoU" in name:
        return np.repeat(weights, int(np.prod(y_shape[1:-1] if "OneHot" in name else y_shape[1:])))
    return weights


@each_member
def test_a_metric_equals_keras_after_every_batch(keras, name, options, y_shape, p_shape, kind):
    ours, our_program = _own(name, str((name, options, y_shape, p_shape, kind)))
    theirs = kerass(keras.metrics, name, options, y_shape, p_shape)
    their_program = program_of(theirs)
    ys, ps = batches_of(kind, y_shape, p_shape)
    # Keras decides these while it runs, which cannot be compiled.
    bare = bool(options.get("num_regressors")) or (options.get("multi_label") and "thresholds" in options)
    for weights in (np.ones(ROWS, np.float32), weights_for(ROWS, name, options)):
        results, totals = our_program(ys, ps, weights)
        with jax.disable_jit(bool(bare)):
            given = keras_weights(name, y_shape, weights)
            their_results, their_totals = their_program(ys, ps, given)
        assert results.shape == their_results.shape
        assert_close(results, their_results)
        for variable, total, their_total, their in zip(
            ours.variables, totals, their_totals, theirs.variables, strict=True
        ):
            assert variable.name == their.name
            assert_close(total, their_total, variable.name)


@each_member
def test_a_metric_has_the_types_it_began_with_and_is_the_same_mapped(name, options, y_shape, p_shape, kind):
    metric, program = _own(name, str((name, options, y_shape, p_shape, kind)))
    ys, ps = batches_of(kind, y_shape, p_shape)
    weights = np.ones(ROWS, np.float32)
    results, totals = program(ys, ps, weights)
    for total, variable in zip(totals, metric.variables, strict=True):
        assert (total.shape, str(total.dtype), total.weak_type) == (variable.shape, "float32", False)
        assert not variable.numpy().any()  # What is lent is not kept.
    assert jnp.issubdtype(results.dtype, jnp.floating)
    assert not results.weak_type
    turned = [1, 2, 0]
    alone = mapped(metric)(ys, ps)
    assert_close(alone[0], results[0])
    assert_close(alone[1], program(ys[turned], ps[turned], weights)[0][0])
    half = jax.eval_shape(
        metric.stateless_update_state, totals, ys[0], jax.ShapeDtypeStruct(p_shape, "bfloat16"), weights
    )
    assert {str(total.dtype) for total in half} == {"float32"}


@each_member
def test_rows_of_weight_0_leave_a_metric_as_it_was(name, options, y_shape, p_shape, kind):
    metric, program = _own(name, str((name, options, y_shape, p_shape, kind)))
    ys, ps = batches_of(kind, y_shape, p_shape)
    weights = weights_for(ROWS, name, options)
    _, unmoved = program(ys, ps, 0 * weights)
    moved = [v.name for v, total in zip(metric.variables, unmoved, strict=True) if np.any(total)]
    # Only the adjusted score looks at the number of samples.
    assert moved == (["num_samples"] if name == "R2Score" else [])
    assert metric.rows_are_independent == (not options.get("num_regressors"))
    _, totals = program(ys, ps, weights)
    ys[:, 0], ps[:, 0] = ys[:, 1], ps[:, 1]
    for total, same in zip(totals, program(ys, ps, weights)[1], strict=True):
        assert_close(same, total)


@pytest.mark.slow
@each_member
def test_a_metric_outside_a_program_does_the_same_and_forgets(name, options, y_shape, p_shape, kind):
    _, program = _own(name, str((name, options, y_shape, p_shape, kind)))
    metric = made(metrics, name, options)
    ys, ps = batches_of(kind, y_shape, p_shape)
    weights = weights_for(ROWS, name, options)
    expected, _ = program(ys, ps, weights)
    for _ in range(2):
        for y, p, result in zip(ys, ps, expected, strict=True):
            assert_close(metric(y, p, weights), result)
        metric.reset_state()
        assert all(not variable.numpy().any() for variable in metric.variables)


@each_member
def test_a_metric_is_made_again_from_its_config_and_from_kerass(keras, name, options, y_shape, p_shape, kind):
    ours, theirs = (made(library, name, {"name": "mine", **options}) for library in (metrics, keras.metrics))
    assert ours.dtype == theirs.dtype
    for again in (
        type(ours).from_config(ours.get_config()),
        metrics.deserialize(metrics.serialize(ours)),
        type(ours).from_config(theirs.get_config()),
        metrics.deserialize(keras.metrics.serialize(theirs)),
    ):
        assert type(again) is type(ours)
        assert plain(again) == plain(ours)
    for again in (
        type(theirs).from_config(ours.get_config()),
        keras.metrics.deserialize(metrics.serialize(ours)),
    ):
        assert type(again) is type(theirs)
        assert plain(again) == plain(theirs)
    # Keras forgets the axis of CosineSimilarity and leaves out from_sorted_ids=False.
    assert set(plain(ours)) - set(plain(theirs)) <= {"axis", "from_sorted_ids"}
    for key, value in plain(theirs).items():
        assert plain(ours)[key] == value


def plain(metric):
    """Its config, arrays as lists."""
    return {k: np.asarray(v).tolist() if hasattr(v, "shape") else v for k, v in metric.get_config().items()}


def test_cosine_similarity_remembers_its_axis(keras):
    ours, theirs = (library.CosineSimilarity(axis=1) for library in (metrics, keras.metrics))
    ys, ps = batches_of("numbers", (8, 4, 3), (8, 4, 3))
    again = metrics.CosineSimilarity.from_config(ours.get_config())
    assert again.axis == 1
    assert "axis" not in theirs.get_config()
    assert_close(program_of(again)(ys, ps, None)[0], program_of(theirs)(ys, ps, None)[0])


def keras_classes(keras):
    things = {name: getattr(keras.metrics, name) for name in dir(keras.metrics) if name[0] != "_"}
    return {name: thing for name, thing in things.items() if isinstance(thing, type)}


def test_every_name_of_keras_metrics_is_here_and_every_class_is_tested(keras):
    public = {name for name in dir(keras.metrics) if not name.startswith("_")}
    assert public <= set(metrics.__all__)
    tested = {name for name, *_ in MEMBERS}
    assert set(keras_classes(keras)) - tested == {"Mean", "Sum", "MeanMetricWrapper", "Metric"}


def test_every_constructor_takes_what_kerass_takes_in_the_same_order(keras):
    for name, theirs in keras_classes(keras).items():
        wanted = inspect.signature(theirs.__init__).parameters
        ours = inspect.signature(getattr(metrics, name).__init__).parameters
        assert list(ours) == list(wanted), name
        for key, parameter in wanted.items():
            assert ours[key].default == parameter.default, (name, key)


def test_every_function_takes_what_kerass_takes_in_the_same_order(keras):
    for name in dir(keras.metrics):
        theirs = getattr(keras.metrics, name)
        if inspect.isfunction(theirs) and name not in ("get", "serialize", "deserialize"):
            assert list(inspect.signature(getattr(metrics, name)).parameters) == list(
                inspect.signature(theirs).parameters
            ), name


def test_every_name_that_keras_knows_means_the_same_class(keras):
    from keras.src.metrics import ALL_OBJECTS_DICT

    for word, theirs in ALL_OBJECTS_DICT.items():
        if word.lower() != "metric":
            assert metrics.names.find(word).__name__ == theirs.__name__, word


@pytest.mark.parametrize(
    ("function", "options", "y_shape", "p_shape", "kind"),
    [
        ("binary_accuracy", {}, (8, 3), (8, 3), "yes or no"),
        ("binary_accuracy", {"threshold": 0.2}, (8,), (8, 1), "yes or no"),
        ("categorical_accuracy", {}, (8, 4, 3), (8, 4, 3), "one-hot"),
        ("sparse_categorical_accuracy", {}, (8, 1), (8, 3), "classes"),
        ("sparse_categorical_accuracy", {}, (8, 4), (8, 4, 3), "classes"),
        ("top_k_categorical_accuracy", {"k": 3}, (8, 9), (8, 9), "one-hot"),
        ("top_k_categorical_accuracy", {"k": 99}, (8, 4, 9), (8, 4, 9), "one-hot"),
        ("sparse_top_k_categorical_accuracy", {"k": 2}, (8, 1), (8, 5), "classes"),
        (
            "sparse_top_k_categorical_accuracy",
            {"k": 2, "from_sorted_ids": True},
            (8,),
            (8, 5),
            "sorted classes",
        ),
        ("pearson_correlation", {}, (8, 5), (8, 5), "numbers"),
        ("pearson_correlation", {"axis": 0}, (8, 5), (8, 5), "numbers"),
        ("concordance_correlation", {}, (8, 5), (8, 5), "numbers"),
        ("concordance_correlation", {"axis": 1}, (8, 5, 2), (8, 5, 2), "numbers"),
    ],
)
def test_a_function_equals_kerass_row_by_row(keras, function, options, y_shape, p_shape, kind):
    y, p = batch(kind, y_shape, p_shape, 1)
    ours = jax.jit(functools.partial(getattr(metrics, function), **options))(y, p)
    theirs = getattr(keras.metrics, function)(y, p, **options)
    assert ours.shape == tuple(theirs.shape)
    assert ours.dtype == jnp.float32
    assert_close(ours, theirs)


# Mean and Sum.


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (5,), (5, 1), (5, 3), (5, 3, 2)])
def test_mean_and_sum_of_values_of_any_shape_equal_keras(keras, name, shape):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    random = np.random.default_rng(1)
    weights = [None, np.float32(0.3)]
    weights += [weights_for(5)] if shape else []
    weights += [random.uniform(size=shape[:2]), random.uniform(size=shape)] if len(shape) > 1 else []
    for weight in weights:
        values = random.normal(size=shape).astype(np.float32)
        ours.update_state(values, sample_weight=weight)
        theirs.update_state(values, sample_weight=weight)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)
        for our, their in zip(ours.variables, theirs.variables, strict=True):
            assert float(our) == pytest.approx(float(their.value), rel=1e-5)


def test_batches_of_other_lengths_weigh_by_row_as_in_keras(keras):
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for metric in (ours, theirs):
        metric.update_state(np.ones((2, 3)))
        metric.update_state(np.zeros((2, 9)))
    assert float(ours.result()) == float(theirs.result()) == 0.5


def test_a_wrapped_function_is_made_again_from_its_config_and_from_kerass(keras):
    ours = metrics.MeanMetricWrapper(losses.huber, delta=0.5)
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=0.5)
    assert ours.name.startswith("mean_metric_wrapper")
    y, p = batch("numbers", (8, 3), (8, 3), 0)
    expected = float(theirs(y, p))
    for again in (
        ours,
        metrics.MeanMetricWrapper.from_config(ours.get_config()),
        metrics.deserialize(keras.metrics.serialize(theirs)),
        keras.metrics.MeanMetricWrapper.from_config(ours.get_config()),
        metrics.MeanMetricWrapper(losses.Huber(delta=0.5)),
    ):
        again.update_state(y, p)
        assert float(again.result()) == pytest.approx(expected, rel=1e-5)


def test_a_function_of_ones_own_is_made_again_when_it_is_handed_in():
    def farthest(y_true, y_pred):
        return jnp.max(jnp.abs(y_true - y_pred), axis=-1)

    written = metrics.serialize(metrics.get(farthest))
    again = metrics.deserialize(written, custom_objects={"farthest": farthest})
    assert float(again(np.zeros((2, 2)), np.array([[1.0, 2.0], [0.0, 4.0]]))) == 3.0
    with pytest.raises(DoltapError, match="custom_objects"):
        metrics.deserialize(written)
