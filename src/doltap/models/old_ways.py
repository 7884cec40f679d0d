"""What a model could be asked in Keras 1 and 2: each method calls the one that does its work today."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import old_names
from doltap.errors import NotSupportedError
from doltap.models import arguments

__all__ = ["OldWays"]

_Counted = tuple[Any, int | None]


class OldWays:
    """The methods of models that have other names today, for `Trainer` to bring."""

    # What they lead to.
    compile: Any
    fit: Any
    evaluate: Any
    predict: Any
    # Trainer says it by a property.
    compiled: Any
    _wishes: Any
    optimizer: Any

    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: Any = 0, **keywords: Any
    ) -> Any:
        """The class of every row: the largest output, or whether the only one is above 0.5."""
        old_names.note("method", "predict_classes", old_names.METHODS["predict_classes"])
        outputs = self.predict(x, batch_size, verbose, **keywords)
        if not isinstance(outputs, np.ndarray):
            raise NotSupportedError(
                "predict_classes()",
                expected="a model with one output",
                got=f"{len(jax.tree.leaves(outputs))} outputs",
                fix="Take the one you mean: model.predict(x)[0].argmax(axis=-1).",
            )
        return outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0, **keywords: Any) -> Any:
        """What `predict` gives: after a softmax or a sigmoid, the probabilities."""
        old_names.note("method", "predict_proba", old_names.METHODS["predict_proba"])
        return self.predict(x, batch_size, verbose, **keywords)

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        *more: Any,
        **keywords: Any,
    ) -> Any:
        """`fit` with a generator of batches.

        Args:
            steps_per_epoch: how many batches make an epoch; in Keras 1's words
                `samples_per_epoch=`, how many rows do, and `nb_val_samples=`
                how many rows make a validation.
            more: `validation_freq` and `class_weight`, in Keras 2's order.
        """
        old_names.note("method", "fit_generator", old_names.METHODS["fit_generator"])
        given = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps, "epochs": epochs}
        rows, validation_rows = keywords.get("samples_per_epoch"), keywords.get("nb_val_samples")
        modern = old_names.translate("fit_generator", keywords)
        given |= {name: modern.pop(name) for name in given if name in modern}
        if rows is not None:
            generator, given["steps_per_epoch"] = _steps_for(generator, rows)
        if validation_rows is not None:
            validation_data, given["validation_steps"] = _steps_for(validation_data, validation_rows)
        modern |= dict(zip(("validation_freq", "class_weight"), more, strict=False))
        return self.fit(
            generator,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            **given,
            **modern,
        )

    def evaluate_generator(
        self, generator: Any, steps: int | None = None, callbacks: Any = None, *more: Any, **keywords: Any
    ) -> Any:
        """`evaluate` with a generator of batches.

        Args:
            steps: how many batches; in Keras 1's words `val_samples=`, how many rows.
            more: accepted and not needed: how batches are made ready.
        """
        old_names.note("method", "evaluate_generator", old_names.METHODS["evaluate_generator"])
        generator, steps, keywords = _asked(generator, steps, keywords)
        return self.evaluate(generator, steps=steps, callbacks=_hooks(callbacks), **keywords)

    def predict_generator(
        self, generator: Any, steps: int | None = None, callbacks: Any = None, *more: Any, **keywords: Any
    ) -> Any:
        """`predict` with a generator of batches; otherwise as `evaluate_generator`."""
        old_names.note("method", "predict_generator", old_names.METHODS["predict_generator"])
        generator, steps, keywords = _asked(generator, steps, keywords)
        return self.predict(generator, steps=steps, callbacks=_hooks(callbacks), **keywords)

    def reset_states(self) -> None:
        """Let layers forget what they remember from batch to batch; those there are remember nothing."""
        old_names.note("method", "reset_states", old_names.METHODS["reset_states"])

    def _make_predict_function(self) -> None:
        """Nothing: programs are compiled when they are first needed, in whatever thread."""

    def follow_accuracy(self) -> None:
        """Compile anew with "accuracy", unless it is followed: what Keras's `show_accuracy=True` meant."""
        followed = jax.tree.leaves(self._wishes.metrics)
        if self.compiled and not {"accuracy", "acc"} & {one for one in followed if isinstance(one, str)}:
            wishes = {**vars(self._wishes), "metrics": [*followed, "accuracy"]}
            self.compile(self.optimizer, **wishes)


def _asked(generator: Any, steps: Any, keywords: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The generator, how many batches of it, and what else `evaluate` or `predict` is told."""
    keywords = {"verbose": 0, **keywords}
    rows = keywords.pop("val_samples", None)
    if rows is not None:
        old_names.note("evaluate_generator", "val_samples=", "steps=")
        generator, steps = _steps_for(generator, rows)
    return generator, steps, keywords


def _hooks(callbacks: Any) -> Any:
    """Callbacks, which in Keras 1 had the length of a queue in their place."""
    return None if isinstance(callbacks, int) else callbacks


def _steps_for(source: Any, num_rows: Any) -> _Counted:
    """The batches, and how many of them hold so many rows; None where all are meant."""
    if hasattr(source, "__len__"):
        return source, None
    batches: Iterator[Any] = iter(source)
    first = next(batches)
    size = arguments.row_count(first[0] if isinstance(first, tuple) else first)
    return itertools.chain([first], batches), -(-int(num_rows) // size)
