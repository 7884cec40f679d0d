"""Names, shapes and arguments of metrics, what they refuse, and metrics of one's own."""

from __future__ import annotations

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import losses, metrics
from doltap.core.tensors import Variable, lend
from doltap.errors import DataError, DoltapError, ShapeError, UnknownArgumentError, UnknownNameError
from doltap.training.cache import fingerprint

SHAPES = [
    ((8,), (8, 1), "Binary"),
    ((8, 1), (8, 1), "Binary"),
    ((8,), (8, 3), "SparseCategorical"),
    ((8, 1), (8, 3), "SparseCategorical"),
    ((8, 3), (8, 3), "Categorical"),
    ((8, 4), (8, 4, 3), "SparseCategorical"),
]


@pytest.mark.parametrize(("y_shape", "p_shape", "stem"), SHAPES)
@pytest.mark.parametrize(
    ("words", "ending"),
    [(("accuracy", "acc", "ACC"), "Accuracy"), (("crossentropy", "ce", "CE"), "Crossentropy")],
)
def test_words_that_need_the_shapes_get_their_meaning_from_them(y_shape, p_shape, stem, words, ending):
    for word in words:
        metric = metrics.get(word, y_shape, p_shape)
        assert type(metric).__name__ == stem + ending
        assert metric.name == word


def test_a_metric_is_found_by_name_class_function_loss_and_config():
    def far(y_true, y_pred):
        return jnp.abs(y_true - y_pred)

    assert type(metrics.get("auc")) is metrics.AUC
    assert type(metrics.get(metrics.Recall)) is metrics.Recall
    assert metrics.get({"class_name": "Recall", "config": {"top_k": 2}}).top_k == 2
    assert metrics.get(far).name == "far"
    assert metrics.get("huber").name == "huber"
    assert metrics.get(losses.huber).direction == "down"
    assert metrics.get(losses.Huber(name="mine")).name == "mine"
    assert metrics.get("cosine_similarity").direction == "up"


def test_metrics_without_a_name_are_counted_as_keras_counts():
    first, second = metrics.AUC(), metrics.AUC()
    stem, _, number = first.name.partition("_")
    assert stem == "auc"
    assert second.name == f"auc_{int(number or 0) + 1}"


def test_totals_that_depend_on_the_shapes_are_made_when_the_shapes_are_known():
    metric = metrics.get(metrics.F1Score(), (8, 3), (8, 3))
    assert [variable.shape for variable in metric.variables] == [(3,)] * 4
    assert metrics.get("r2_score", (8,), (8, 1)).built
    unbuilt = metrics.AUC(multi_label=True)
    with pytest.raises(DoltapError, match="batch before its result"):
        unbuilt.result()
    with pytest.raises(ShapeError, match="build_for"):
        unbuilt.stateless_update_state([], np.zeros((8, 2)), np.zeros((8, 2)))


def test_the_number_of_arrays_has_to_be_that_of_the_variables():
    with pytest.raises(ShapeError, match="2 arrays"):
        metrics.Mean().stateless_result([0.0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.Precision(thresholds=1.5), DataError, "numbers from 0 to 1"),
        (lambda: metrics.Precision(thresholds=[0.5, -0.1]), DataError, "got -0.1"),
        (lambda: metrics.Recall(thresholds=[]), DataError, "one or more"),
        (lambda: metrics.Recall(top_k=0), DataError, "top_k"),
        (lambda: metrics.Recall(class_id=-1), DataError, "class_id"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), DataError, "1 or more"),
        (lambda: metrics.AUC(curve="ROCK"), UnknownNameError, "Did you mean 'ROC'"),
        (lambda: metrics.AUC(summation_method="interpolate"), UnknownNameError, "'interpolation'"),
        (lambda: metrics.AUC(num_thresholds=1), DataError, "2 or more"),
        (lambda: metrics.AUC(thresholds=[2]), DataError, "0 to 1"),
        (lambda: metrics.AUC(num_labels=3), DataError, "multi_label=True"),
        (lambda: metrics.SensitivityAtSpecificity(1.1), DataError, "a share from 0 to 1"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), DataError, "num_thresholds"),
        (lambda: metrics.RecallAtPrecision(), UnknownArgumentError, "precision="),
        (lambda: metrics.FBetaScore(average="mean"), DataError, "micro"),
        (lambda: metrics.FBetaScore(beta=0), DataError, "above 0"),
        (lambda: metrics.F1Score(threshold=0.0), DataError, "threshold=0.5"),
        (lambda: metrics.R2Score(class_aggregation="mean"), DataError, "uniform_average"),
        (lambda: metrics.R2Score(num_regressors=-1), DataError, "0 or more"),
        (lambda: metrics.MeanIoU(), UnknownArgumentError, "num_classes="),
        (lambda: metrics.get("mean_io_u"), UnknownArgumentError, "num_classes="),
        (lambda: metrics.IoU(num_classes=2), UnknownArgumentError, "target_class_ids="),
        (lambda: metrics.IoU(2, [2]), DataError, "from 0 to 1"),
        (lambda: metrics.MeanIoU(num_classes=0), DataError, "1 or more"),
        (lambda: metrics.BinaryIoU(threshold=7), DataError, "threshold"),
        (lambda: metrics.Precision(treshold=0.5), UnknownArgumentError, "'thresholds='"),
        (lambda: metrics.MeanSquaredError(from_logits=True), UnknownArgumentError, "from_logits"),
        (lambda: metrics.Mean().add_variable(shpe=()), UnknownArgumentError, "'shape='"),
        (lambda: metrics.get("f1_scor"), UnknownNameError, "f1_score"),
    ],
)
def test_wrong_arguments_are_refused_with_the_cure(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("metric", "y_shape", "p_shape", "message"),
    [
        (metrics.Precision(class_id=3), (8, 3), (8, 3), "class_id=3"),
        (metrics.Recall(top_k=4), (8, 3), (8, 3), "top_k=4"),
        (metrics.Recall(top_k=1), (8,), (8,), "top_k=1"),
        (metrics.AUC(), (8, 2), (8, 3), "shape of the predictions"),
        (metrics.AUC(multi_label=True), (8,), (8,), "multi_label=True"),
        (metrics.AUC(multi_label=True, num_labels=2), (8, 3), (8, 3), r"\(batch, 2\)"),
        (metrics.AUC(label_weights=[1.0, 2.0]), (8, 3), (8, 3), "label_weights"),
        (metrics.F1Score(), (8,), (8,), r"reshape\(-1, 1\)"),
        (metrics.R2Score(), (8,), (8,), r"reshape\(-1, 1\)"),
        (metrics.MeanIoU(3), (8,), (8, 3), "sparse_y_pred=False"),
        (metrics.SparseTopKCategoricalAccuracy(), (8, 3), (8, 3), "one class number a row"),
        (metrics.MeanAbsoluteError(), (8, 2), (8, 3), "shape of the predictions"),
    ],
    ids=lambda value: str(value),
)
def test_data_of_the_wrong_shape_is_refused_with_the_cure(metric, y_shape, p_shape, message):
    with pytest.raises(ShapeError, match=message):
        metric.update_state(np.ones(y_shape), np.ones(p_shape))


def test_weights_of_another_length_are_refused():
    with pytest.raises(ShapeError, match="sample weights"):
        metrics.Precision().update_state(np.ones((8, 1)), np.ones((8, 1)), sample_weight=np.ones(7))


def test_weights_of_rows_reach_every_place_of_the_row():
    # Keras refuses a weight for each image here.
    y, p = np.random.default_rng(0).integers(0, 2, (2, 4, 5, 5))
    weights = np.array([0, 1, 2, 0.5])
    for metric in (metrics.MeanIoU(2), metrics.TruePositives()):
        spread = type(metric).from_config(metric.get_config())
        metric.update_state(y, p, weights)
        spread.update_state(y, p, np.broadcast_to(weights[:, None, None], y.shape))
        assert float(metric.result()) == pytest.approx(float(spread.result()), rel=1e-6)
        assert float(metric.result()) > 0


@pytest.mark.parametrize(
    ("metric", "needs"),
    [
        (metrics.AUC(), True),
        (metrics.AUC(from_logits=True), False),
        (metrics.Precision(), True),
        (metrics.Precision(top_k=2), False),
        (metrics.Precision(top_k=2, thresholds=0.5), True),
        (metrics.FalseNegatives(), True),
        (metrics.SpecificityAtSensitivity(0.5), True),
        (metrics.F1Score(), False),
        (metrics.F1Score(threshold=0.5), True),
        (metrics.BinaryIoU(), True),
        (metrics.BinaryCrossentropy(), True),
        (metrics.SparseCategoricalCrossentropy(from_logits=True), False),
        (metrics.KLDivergence(), True),
        (metrics.MeanSquaredError(), False),
        (metrics.CategoricalAccuracy(), False),
    ],
    ids=lambda value: str(value),
)
def test_a_metric_says_whether_it_needs_probabilities(metric, needs):
    assert metric.needs_probabilities is needs


@pytest.mark.parametrize(
    ("metric", "independent"),
    [
        (metrics.AUC(), True),
        (metrics.R2Score(num_regressors=2), False),
        (metrics.PearsonCorrelation(), True),
        (metrics.PearsonCorrelation(axis=0), False),
        (metrics.CosineSimilarity(axis=1), True),
        (metrics.ConcordanceCorrelation(axis=-2), False),
    ],
    ids=lambda value: str(value),
)
def test_a_metric_says_whether_padding_could_change_it(metric, independent):
    assert metric.rows_are_independent is independent


def test_a_prediction_that_is_no_number_is_never_positive():
    y, p = np.ones(4), np.array([np.nan, 0.9, np.nan, 0.2])
    for metric in (metrics.TruePositives(), metrics.TruePositives(thresholds=[0, 0.5, 1])):
        counted = np.atleast_1d(metric(y, p))
        assert counted.max() <= 2


@pytest.mark.parametrize("name", ["auc", "Precision", "f1_score", "r2_score", "BinaryIoU", "log_cosh_error"])
def test_two_metrics_alike_share_a_program_and_can_be_copied(name):
    first, second = (metrics.get(name, (8, 3), (8, 3)) for _ in range(2))
    assert fingerprint(first) is not None
    assert fingerprint(first) == fingerprint(second)
    again = copy.deepcopy(first)
    assert [v.shape for v in again.variables] == [v.shape for v in first.variables]
    assert not set(again.variables) & set(first.variables)


def test_errors_of_metrics_cross_process_borders():
    with pytest.raises(DataError) as caught:
        metrics.Recall(top_k=0)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# Metrics of one's own.


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (((3,), "ones"), {"name": "mine"}),
        (((3,),), {"initializer": "ones", "name": "mine"}),
        ((), {"shape": [3], "initializer": "ones", "name": "mine"}),
        (("mine", (3,)), {"initializer": "ones"}),
        (("mine",), {"shape": 3, "initializer": "ones", "dtype": "float32"}),
        (("mine", (3,), "sum", "on_read", "ones"), {}),
    ],
)
@pytest.mark.parametrize("maker", ["add_variable", "add_weight"])
def test_totals_are_made_in_the_words_of_keras_2_and_3(maker, arguments, keywords):
    metric = metrics.Metric(name="own")
    total = getattr(metric, maker)(*arguments, **keywords)
    assert (total.name, total.shape, total.dtype) == ("mine", (3,), "float32")
    assert total.numpy().tolist() == [1, 1, 1]
    total.assign_add([1, 2, 3])
    metric.reset_states()
    assert total.numpy().tolist() == [1, 1, 1]


class Spread(metrics.Metric):
    """Two means and a Variable, kept as attributes, and a dict as result."""

    def __init__(self, name="spread", **keywords):
        super().__init__(name=name, **keywords)
        self.ends = [metrics.Mean(name="low"), metrics.Mean(name="high")]
        self.batches = Variable(0.0, trainable=False, name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.ends[0].update_state(jnp.min(y_pred, axis=-1), sample_weight)
        self.ends[1].update_state(jnp.max(y_pred, axis=-1), sample_weight)
        self.batches.assign_add(1)

    def result(self):
        return {"low": self.ends[0].result(), "high": self.ends[1].result()}


def test_a_metric_of_metrics_owns_their_totals_and_may_give_a_dict():
    metric = Spread()
    assert [v.name for v in metric.variables] == ["batches", "total", "count", "total", "count"]
    p = np.array([[1.0, 2.0], [3.0, 6.0]])
    totals = jax.jit(metric.stateless_update_state)(metric.stateless_reset_state(), p, p)
    assert {key: float(value) for key, value in metric.stateless_result(totals).items()} == {
        "low": 2.0,
        "high": 4.0,
    }
    assert float(metric.batches) == 0.0
    metric.update_state(p, p)
    assert float(metric.batches) == 1.0
    metric.reset_state()
    assert [float(variable) for variable in metric.variables] == [0.0] * 5


def test_the_engine_may_lend_the_totals_of_a_metric():
    metric = metrics.AUC()

    @jax.jit
    def add(totals, y, p):
        with lend(metric.variables, totals) as loan:
            metric.update_state(y, p)
            return [loan[total] for total in metric.variables], metric.result()

    y, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.6])
    _, inside = add([total.read() for total in metric.variables], y, p)
    assert float(metric.result()) == 0.0
    assert float(inside) == pytest.approx(float(metric(y, p))) == pytest.approx(0.75)


def test_a_class_derived_from_one_of_ours_may_have_totals_of_its_own():
    class Counting(metrics.Precision):
        def __init__(self, **keywords):
            super().__init__(**keywords)
            self.batches = self.add_weight(name="batches")

        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)
            self.batches.assign_add(1)

    metric = Counting(thresholds=0.3)
    assert float(metric([0, 1], [0.4, 0.6])) == 0.5
    assert float(metric.batches) == 1.0
    with pytest.raises(UnknownArgumentError, match="'thresholds='"):
        Counting(threshold=0.3)
