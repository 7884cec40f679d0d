"""How far predicted and true regions overlap: intersection over union, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from doltap import config, dtypes, losses
from doltap.errors import DataError, ShapeError
from doltap.metrics.metric import Metric, names
from doltap.metrics.thresholds import check_share

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


@names.register()
class IoU(Metric):
    """The mean over some classes of `true positives / (true and false positives + false negatives)`.

    Classes that are neither true nor predicted anywhere are left out of the mean.

    Args:
        num_classes: how many classes there are; numbers outside count nowhere.
        target_class_ids: the classes to average over.
        dtype: type of the class numbers, "int32" when None; weights keep their fractions.
        ignore_class: a class number whose places count nowhere.
        sparse_y_true: whether labels are class numbers rather than one-hot.
        sparse_y_pred: whether predictions are class numbers rather than a number for each class.
        axis: where the classes stand when they are not class numbers.

    >>> metric = IoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        self.num_classes = _checked_classes(type(self).__name__, num_classes)
        self.target_class_ids = _checked_targets(type(self).__name__, target_class_ids, num_classes)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        # Rows are true classes, columns predicted ones. Weights may be fractions,
        # and the pixels of many images more than an int32 holds.
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels and predictions of any shape, with weights for their leading dimensions."""
        y_true = jnp.asarray(y_true) if self.sparse_y_true else jnp.argmax(jnp.asarray(y_true), self.axis)
        y_pred = jnp.asarray(y_pred) if self.sparse_y_pred else jnp.argmax(jnp.asarray(y_pred), self.axis)
        if y_true.size != y_pred.size:
            raise ShapeError(
                f"metric '{self.name}'",
                expected=f"a class number for each of the labels, shape {tuple(y_true.shape)}",
                got=f"predictions of shape {tuple(y_pred.shape)}",
                fix="Where they hold a number for each class, say sparse_y_pred=False.",
            )
        weights = jnp.ones(y_true.shape, config.floatx())
        if sample_weight is not None:
            weights = weights * losses.spread(jnp.asarray(sample_weight, weights.dtype), y_true)
        # Fractions are cut off before they are compared, as class numbers are whole.
        true, predicted = (each.astype(jnp.int32).reshape(-1) for each in (y_true, y_pred))
        is_counted = (true >= 0) & (true < self.num_classes)
        is_counted &= (predicted >= 0) & (predicted < self.num_classes)
        if self.ignore_class is not None:
            is_counted &= true != self.ignore_class
        counted = jnp.where(is_counted, weights.reshape(-1), 0.0)
        places = jnp.where(is_counted, true * self.num_classes + predicted, 0)
        cells = jnp.zeros(self.total_cm.size, counted.dtype).at[places].add(counted)
        self.total_cm.assign(self.total_cm.read() + cells.reshape(self.total_cm.shape))

    def result(self) -> Any:
        """The mean over the classes asked for so far."""
        matrix = self.total_cm.read()
        right = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - right
        targets = jnp.asarray(self.target_class_ids)
        right, union = right[targets], union[targets]
        is_there = union > 1e-9
        shares = jnp.where(is_there, right / (union + config.epsilon()), 0.0)
        return jnp.sum(shares) / (jnp.sum(is_there.astype(shares.dtype)) + config.epsilon())

    # The arguments that a config holds beside name and dtype.
    options: tuple[str, ...] = (
        "num_classes",
        "target_class_ids",
        "ignore_class",
        "sparse_y_true",
        "sparse_y_pred",
        "axis",
    )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), **{option: getattr(self, option) for option in self.options}}


@names.register()
class BinaryIoU(IoU):
    """The overlap for yes-or-no predictions: class 1 is what reaches the threshold.

    Args:
        target_class_ids: 0, 1 or both.
        threshold: predictions that reach it are class 1.
    """

    needs_probabilities = True
    options = ("target_class_ids", "threshold")

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = check_share(type(self).__name__, "threshold", threshold)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of labels 0 or 1 and probabilities."""
        is_over = jnp.asarray(y_pred, dtypes.wide()) >= self.threshold
        super().update_state(y_true, is_over.astype(jnp.int32), sample_weight)


@names.register()
class MeanIoU(IoU):
    """The mean overlap over all classes.

    Args:
        num_classes: how many classes there are.
    """

    options: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        targets = range(_checked_classes(type(self).__name__, num_classes))
        super().__init__(num_classes, targets, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@names.register()
class OneHotIoU(IoU):
    """The mean overlap over some classes, labels one-hot and a number predicted for each class."""

    options = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@names.register()
class OneHotMeanIoU(MeanIoU):
    """The mean overlap over all classes, labels one-hot and a number predicted for each class."""

    options = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


def _checked_classes(kind: str, num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__") or int(num_classes) < 1:
        raise DataError(
            f"{kind}(num_classes)",
            expected="a whole number, 1 or more",
            got=repr(num_classes),
            fix="Give the number of classes, the background among them.",
        )
    return int(num_classes)


def _checked_targets(kind: str, targets: Any, num_classes: int) -> list[int]:
    listed = [int(each) for each in targets]
    if not listed or not all(0 <= each < num_classes for each in listed):
        raise DataError(
            f"{kind}(target_class_ids)",
            expected=f"class numbers from 0 to {num_classes - 1}",
            got=repr(listed),
            fix="Classes count from 0.",
        )
    return listed
