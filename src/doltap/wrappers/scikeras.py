"""SciKeras's estimators, for labels of classes and for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.models.model import Model
from doltap.wrappers.borrowed import base, class_weight, metrics
from doltap.wrappers.estimator import Plan
from doltap.wrappers.scikeras_base import BaseWrapper
from doltap.wrappers.targets import ClassifierLabelEncoder, RegressorTargetEncoder

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


class KerasClassifier(base.ClassifierMixin, BaseWrapper):
    """A network that tells classes apart; `score` is the share of rows it labels rightly.

    Args:
        class_weight: a dict from label to weight, or "balanced".

    >>> from doltap import Sequential
    >>> from doltap.layers import Dense
    >>> def tower(units, meta):
    ...     outputs = Dense(meta["n_classes_"], activation="softmax")
    ...     return Sequential([Dense(units, activation="relu"), outputs])
    >>> classifier = KerasClassifier(tower, model__units=5, loss="auto", verbose=0)
    >>> classifier.fit([[0.0], [1.0], [2.0]], ["a", "b", "c"]).predict_proba([[3.0]]).shape
    (1, 3)
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        batch_size: int | None = None,
        validation_batch_size: int | None = None,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        run_eagerly: bool = False,
        epochs: int = 1,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            model=model,
            build_fn=build_fn,
            warm_start=warm_start,
            random_state=random_state,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            batch_size=batch_size,
            validation_batch_size=validation_batch_size,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            shuffle=shuffle,
            run_eagerly=run_eagerly,
            epochs=epochs,
            **kwargs,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags

    @property
    def target_encoder(self) -> Any:
        """What turns labels into class numbers or one-hot rows, and outputs into labels."""
        known = getattr(self, "_known_classes", None)
        return ClassifierLabelEncoder(self.loss, "auto" if known is None else [known])

    def _type_of_target(self, y: Any) -> str:
        kind = super()._type_of_target(y)
        known = getattr(self, "_known_classes", None)
        # The first rows may lack most of the classes.
        return super()._type_of_target(known) if kind == "binary" and known is not None else kind

    def _chosen_loss(self, model: Model | None) -> Any:
        if self.target_type_ == "multilabel-indicator":
            return "binary_crossentropy"
        is_sigmoid = self.target_type_ == "binary"
        if model is not None and model.built:
            is_sigmoid = len(model.outputs) == 1 and model.outputs[0].shape[-1] == 1
        return "binary_crossentropy" if is_sigmoid else "sparse_categorical_crossentropy"

    def initialize(self, X: Any, y: Any = None) -> Any:
        """Make the model without training it."""
        self._known_classes: np.ndarray | None = None
        return super().initialize(X, y)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model and train it.

        Args:
            X: inputs, rows first.
            y: labels: one a row, a table of yes and no, or a row of labels for several outputs.
            sample_weight: a weight for each row.
            kwargs: keywords of `Model.fit`, which win over parameters.
        """
        plan = self.planned(X, y, sample_weight, **kwargs)
        return self.trained(plan, plan.run())

    def planned(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Plan:
        """What `fit` would do with these arguments: all but the training."""
        self._known_classes = None
        return super().planned(X, y, self._weighed(y, sample_weight), **kwargs)

    def partial_fit(  # type: ignore[override]
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """Train for one more epoch; the first time, make the model before.

        Args:
            classes: all labels that will ever come, where the first rows lack some.
        """
        if not self.initialized_:
            self._known_classes = None if classes is None else np.unique(classes)
        return super().partial_fit(X, y, self._weighed(y, sample_weight), **kwargs)

    def _weighed(self, y: Any, sample_weight: Any) -> Any:
        """The weights of the rows times those of their classes."""
        if self.class_weight is None:
            return sample_weight
        weights = class_weight.compute_sample_weight(self.class_weight, y)
        return weights if sample_weight is None else weights * np.asarray(sample_weight)

    def predict_proba(self, X: Any, **kwargs: Any) -> Any:
        """The probability of each class, a column for each of `classes_`."""
        outputs = self._raw(X, kwargs)
        return self.target_encoder_.inverse_transform(outputs, return_proba=True)

    # That of scikit-learn's own class knows no scorer.
    score = BaseWrapper.score

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """The share of rows that are labelled rightly."""
        return float(metrics.accuracy_score(y_true, y_pred, **kwargs))


class KerasRegressor(base.RegressorMixin, BaseWrapper):
    """A network that estimates numbers; `score` is R², 1 where they are all exact."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def target_encoder(self) -> Any:
        """What notes the shape of the numbers, and gives it to the outputs."""
        return RegressorTargetEncoder()

    def _is_numeric(self) -> bool:
        return True

    # That of scikit-learn's own class knows no scorer.
    score = BaseWrapper.score

    @staticmethod
    def scorer(y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """R²: the share of the variance that is explained."""
        return float(metrics.r2_score(y_true, y_pred, **kwargs))
