"""Labels as the user has them, as the network takes them, and back.

The network knows class numbers from 0 or one-hot rows; the user, strings or
whatever numbers there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap import losses
from doltap.arrays import to_categorical
from doltap.errors import DataError, LabelError, NotSupportedError, ShapeError, closest
from doltap.wrappers.borrowed import base, multiclass

__all__ = [
    "ClassifierLabelEncoder",
    "RegressorTargetEncoder",
    "as_probabilities",
    "class_numbers",
    "classes_of",
    "one_hot_for",
    "wants_one_hot",
]


def classes_of(labels: Any) -> np.ndarray:
    """The different labels in order; an error where there is but one."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise LabelError(
            "y",
            expected="labels of two classes or more",
            got=f"one class, {classes[0]}" if len(classes) else "no labels",
            fix="A classifier learns to tell classes apart; StratifiedKFold keeps every class in every fold.",
        )
    return classes


def class_numbers(labels: Any, classes: np.ndarray, what: str = "y") -> np.ndarray:
    """The place of each label among the classes.

    Raises:
        LabelError: a label is none of them.

    >>> class_numbers(np.array(["b", "a", "b"]), np.array(["a", "b"]))
    array([1, 0, 1])
    """
    labels = np.asarray(labels)
    unknown = [label for label in np.unique(labels) if label not in classes]
    if unknown:
        guess = closest(str(unknown[0]), map(str, classes))
        known = ", ".join(repr(name) for name in classes.tolist()[:10])
        raise LabelError(
            what,
            expected="labels that were there in training",
            got=repr(unknown[0]),
            fix=f"Did you mean '{guess}'?" if guess else f"Those are: {known}.",
        )
    return np.searchsorted(classes, labels)


def wants_one_hot(loss: Any) -> bool:
    """Whether a loss, as `compile` takes it, compares with one-hot rows.

    >>> wants_one_hot("categorical_crossentropy"), wants_one_hot("mse"), wants_one_hot(["mse", "mse"])
    (True, False, False)
    """
    if loss is None or isinstance(loss, (list, tuple, dict)):
        return False
    return getattr(losses.get(loss), "labels", "unknown") == "one-hot"


def one_hot_for(loss: Any, numbers: np.ndarray, num_classes: int) -> np.ndarray:
    """Class numbers as the loss compares with them: one-hot rows, or as they are."""
    if np.ndim(numbers) != 1 or not wants_one_hot(loss):
        return numbers
    return np.asarray(to_categorical(numbers, num_classes))


def as_probabilities(outputs: Any, loss: Any, num_classes: int) -> np.ndarray:
    """A column for each class, from the outputs of a network: one sigmoid makes two columns.

    Args:
        loss: as `compile` took it; where it takes logits, so are the outputs.

    Raises:
        DataError: there are fewer outputs than classes.
    """
    outputs = np.asarray(outputs)
    outputs = outputs[:, None] if outputs.ndim == 1 else outputs
    is_single = loss is None or isinstance(loss, (list, tuple, dict))
    if not is_single and getattr(losses.get(loss), "from_logits", False):
        outputs = _from_logits(outputs)
    if outputs.shape[-1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    if outputs.shape[-1] < num_classes:
        raise DataError(
            "the network",
            expected=f"an output for each of the {num_classes} classes",
            got=f"{outputs.shape[-1]}",
            fix=f"End it with Dense({num_classes}, activation='softmax').",
        )
    if outputs.shape[-1] == num_classes:
        return outputs
    # Rows of a class that the network has an output for were not there in training.
    known = outputs[..., :num_classes]
    return known / np.maximum(known.sum(-1, keepdims=True), np.finfo(known.dtype).tiny)


def _from_logits(outputs: np.ndarray) -> np.ndarray:
    if outputs.shape[-1] == 1:
        return 0.5 * (1 + np.tanh(0.5 * outputs))
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class ClassifierLabelEncoder(base.TransformerMixin, base.BaseEstimator):
    """From labels to what a classifying network learns from, and from its outputs to labels.

    Args:
        loss: as `compile` takes it; it decides between class numbers and one-hot rows.
        categories: "auto", or a list that holds the array of all classes, where
            the labels to learn from may lack some.

    >>> encoder = ClassifierLabelEncoder().fit(np.array(["no", "yes"]))
    >>> encoder.inverse_transform(np.array([[0.9], [0.2]])).tolist()
    ['yes', 'no']
    """

    def __init__(self, loss: Any = None, categories: Any = "auto") -> None:
        self.loss = loss
        self.categories = categories

    def fit(self, y: np.ndarray) -> Any:
        """Find the classes."""
        kind = multiclass.type_of_target(y)
        known = None if isinstance(self.categories, str) else np.asarray(self.categories[0])
        if kind == "binary" and known is not None:
            kind = multiclass.type_of_target(known)
        if kind not in ("binary", "multiclass", "multilabel-indicator", "multiclass-multioutput"):
            raise LabelError(
                "y",
                expected="labels of classes",
                got=f"Unknown label type: {kind}",
                fix="For numbers take KerasRegressor; for labels of another kind override target_encoder.",
            )
        if kind == "multilabel-indicator" and np.all(np.asarray(y).sum(axis=1) == 1):
            kind = "multiclass-onehot"
        self._kind, self._shape, self._dtype = kind, np.shape(y), np.asarray(y).dtype
        self.n_outputs_ = self.n_outputs_expected_ = 1
        if kind == "multiclass-multioutput":
            self.classes_: Any = [classes_of(column) for column in y.T]
            self.n_classes_: Any = [len(classes) for classes in self.classes_]
            self.n_outputs_ = self.n_outputs_expected_ = y.shape[1]
        elif kind in ("binary", "multiclass"):
            self.classes_ = classes_of(y) if known is None else known
            self.n_classes_ = len(self.classes_)
        else:
            self.classes_, self.n_classes_ = np.arange(y.shape[1]), y.shape[1]
        return self

    def transform(self, y: np.ndarray) -> Any:
        """What the network learns from."""
        if self._kind in ("binary", "multiclass"):
            numbers = class_numbers(y.reshape(-1), self.classes_)
            return one_hot_for(self.loss, numbers, self.n_classes_)
        if self._kind == "multiclass-multioutput":
            return [class_numbers(*each) for each in zip(y.T, self.classes_, strict=True)]
        return np.asarray(y).astype("float32")

    def inverse_transform(self, y: Any, return_proba: bool = False) -> Any:
        """The labels for the outputs of the network, or their probabilities.

        Args:
            y: one array, or a list of them where there are several outputs.
            return_proba: for a row of labels in each of several outputs, a list of arrays.
        """
        if self._kind == "multiclass-multioutput":
            return self._several(y, return_proba)
        if self._kind in ("binary", "multiclass"):
            chances = as_probabilities(y, self.loss, self.n_classes_)
            labels = self.classes_[chances.argmax(axis=-1)]
            return chances if return_proba else labels.reshape(-1, *self._shape[1:])
        outputs = np.asarray(y)
        if return_proba:
            return outputs
        if self._kind == "multiclass-onehot":
            return np.eye(self.n_classes_, dtype=self._dtype)[outputs.argmax(axis=-1)]
        return (outputs > 0.5).astype(self._dtype)

    def _several(self, outputs: Any, return_proba: bool) -> Any:
        if not isinstance(outputs, (list, tuple)) or len(outputs) != len(self.classes_):
            raise NotSupportedError(
                "predict",
                expected=f"a network with {len(self.classes_)} outputs, one for each column of y",
                got=f"{len(outputs)} outputs" if isinstance(outputs, (list, tuple)) else "one output",
                fix="Model(inputs, [output, ...]), or override target_encoder.",
            )
        chances = [as_probabilities(o, None, len(c)) for o, c in zip(outputs, self.classes_, strict=True)]
        if return_proba:
            return chances
        found = [c[p.argmax(axis=-1)] for p, c in zip(chances, self.classes_, strict=True)]
        return np.stack(found, axis=1)

    def get_metadata(self) -> dict[str, Any]:
        """What the estimator takes over as attributes of its own."""
        return {name: value for name, value in vars(self).items() if name.endswith("_")}


class RegressorTargetEncoder(base.TransformerMixin, base.BaseEstimator):
    """Numbers go to the network as they are; its outputs come back in the shape that the numbers had."""

    def fit(self, y: np.ndarray) -> Any:
        """Note the shape."""
        self._shape, self._dtype = y.shape, y.dtype
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        self.n_outputs_expected_ = 1
        return self

    def transform(self, y: np.ndarray) -> np.ndarray:
        """The same numbers; an error where there are more or fewer for a row."""
        if y.shape[1:] != self._shape[1:]:
            raise ShapeError(
                "y",
                expected=f"{self.n_outputs_} numbers a row, as in the first fit",
                got=f"shape {y.shape}",
                fix="Fit anew, or give the same columns.",
            )
        return y

    def inverse_transform(self, y: Any) -> np.ndarray:
        """The outputs in the shape, and at least the precision, of the numbers learned from."""
        outputs = np.asarray(y).reshape(-1, *self._shape[1:])
        return outputs.astype(np.result_type(outputs.dtype, self._dtype))

    def get_metadata(self) -> dict[str, Any]:
        """What the estimator takes over as attributes of its own."""
        return {name: value for name, value in vars(self).items() if name.endswith("_")}
