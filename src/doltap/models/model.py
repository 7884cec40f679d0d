"""What every model can do: be compiled, trained, evaluated, asked and shown.

This file checks what the user passes and says what it means; the work is done
by `training.loop`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from doltap import losses, metrics, optimizers, random
from doltap.callbacks import CallbackList, History
from doltap.core.layer import Layer
from doltap.errors import DataError, NotCompiledError, NotSupportedError, ShapeError, UnknownNameError
from doltap.metrics import Metric
from doltap.reporting import summary
from doltap.reporting.progress import Display
from doltap.training import batches, cache, checks, loop
from doltap.training.batches import Rows
from doltap.training.program import Recipe

__all__ = ["Model"]


class Model(Layer):
    """Layers that are trained together.

    `Sequential` is the model to build; this class holds what all models share.
    """

    def __init__(self, *, name: str | None = None, trainable: bool = True, dtype: Any = None) -> None:
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.seed = random.draw_seed()
        self.seed_words = random.words(random.mix(self.seed, 1))
        self._input_shape: tuple[int | None, ...] | None = None
        self._output_shape: tuple[int | None, ...] | None = None
        self.epochs_trained = 0
        self.stop_training = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: History | None = None
        self._loss: losses.Loss | None = None
        self._metrics: list[tuple[Any, bool]] = []
        self._measures: list[tuple[Metric, bool]] | None = None
        self._recipes: dict[str, Recipe] = {}
        self._is_fitting = False

    # What a kind of model overrides.

    def build(self, input_shape: Any) -> None:
        """Make the weights; only a kind of model knows how."""
        raise NotSupportedError(
            f"model '{self.name}'",
            expected="a Sequential",
            got=f"the class {type(self).__name__}",
            fix="Models as classes of one's own are not there yet; use Sequential([...]).",
        )

    @property
    def layers(self) -> list[Layer]:
        """The layers, first to last, without the promise of the input."""
        return self.children()

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the input, batch first; an error before it is known."""
        if self._input_shape is None:
            raise _not_built(self.name)
        return self._input_shape

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of the output, batch first; an error before the model is built."""
        if self._output_shape is None:
            raise _not_built(self.name)
        return self._output_shape

    # Compiling.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: Any = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model learns.

        Args:
            optimizer: name or object.
            loss: name, function or object.
            metrics: names, functions or objects to follow beside the loss.
            weighted_metrics: the same, with the sample weights applied.
            steps_per_execution, jit_compile, auto_scale_loss: accepted and not needed:
                as many steps as possible are one compiled program anyway.
        """
        if run_eagerly or loss_weights is not None:
            raise _refused("compile(run_eagerly, loss_weights)", "scale the loss function itself")
        mover, measured = optimizers.get(optimizer), losses.get(_only_one(loss, "loss"))
        if measured is not None and measured.reduction in ("none", None):
            raise _refused(
                f"compile(loss={measured.name} with reduction={measured.reduction!r})", "use 'sum'"
            )
        followed = [
            *((_checked_metric(m), False) for m in _as_list(metrics)),
            *((_checked_metric(m), True) for m in _as_list(weighted_metrics)),
        ]
        # From here on nothing can fail, so that a refused compile leaves the model as it was.
        self.optimizer, self.loss, self._loss, self._metrics = mover, loss, measured, followed
        self._measures = None
        self._recipes = {}
        self.stop_training = False

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self.optimizer is not None

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss and the metrics, once they are known."""
        recipe = self._recipes.get("train") or self._recipes.get("test")
        return recipe.measures if recipe else []

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        recipe = self._recipes.get("train") or self._recipes.get("test")
        return recipe.names if recipe else []

    def reset_metrics(self) -> None:
        """Set every running total back."""
        for metric in self.metrics:
            metric.reset_state()

    # Training, evaluating, asking.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train; the History holds what was measured after each epoch.

        Args:
            x, y: inputs and labels, rows first: arrays, lists, pandas objects, tensors.
            batch_size: rows of a step; None means 32.
            epochs: number of the last epoch; `initial_epoch` is where counting starts.
            verbose: 0 silent, 1 a bar, 2 a line for each epoch, "auto" a bar.
            callbacks: a list of `Callback` objects.
            validation_split: share of the rows, taken from the end before shuffling.
            validation_data: (x, y) or (x, y, sample_weight).
            class_weight: dict from class number to the weight of its rows.
            sample_weight: a weight for each row.
        """
        self._need_compiled("fit")
        if steps_per_epoch is not None or validation_steps is not None:
            raise _refused("fit(steps_per_epoch=..., validation_steps=...)", "use fewer rows")
        size = _checked_count("batch_size", 32 if batch_size is None else batch_size)
        validation_size = size if validation_batch_size is None else validation_batch_size
        settings = loop.Settings(
            _checked_count("initial_epoch", initial_epoch, least=0),
            _checked_count("epochs", epochs, least=0),
            bool(shuffle),
            _level(verbose),
            _checked_count("validation_freq", validation_freq),
        )
        rows, held_out = self._labelled(x, y, sample_weight, ""), None
        if validation_data is not None:
            held_out = self._validation_rows(validation_data)
        elif validation_split:
            rows, held_out = batches.split(rows, validation_split)
        if class_weight is not None:
            _weigh_classes(rows, class_weight)
        recipe = self._recipe("train", rows)
        training = loop.Training(self, recipe, rows, size)
        validation = None if held_out is None else self._evaluation(held_out, validation_size)
        return self._run_fit(training, validation, settings, callbacks)

    def _evaluation(self, rows: Rows, batch_size: Any) -> loop.Evaluation:
        size = _checked_count("validation_batch_size", batch_size)
        recipe = self._recipe("test", rows)
        return loop.Evaluation(recipe, rows, size)

    def _run_fit(
        self, training: loop.Training, validation: Any, settings: loop.Settings, callbacks: Any
    ) -> History:
        num_batches = training.schedule.num_batches
        params = {"epochs": settings.last, "steps": num_batches, "verbose": settings.verbose}
        listeners = CallbackList(callbacks, self, with_history=True, **params)
        self.history = listeners.history
        display = Display(settings.verbose, num_batches) if settings.verbose else None
        self.stop_training = False
        self._is_fitting = True
        try:
            loop.fit(training, validation, settings, listeners, display)
        finally:
            self._is_fitting = False
        return listeners.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on this data: one number, or a list in the order of `metrics_names`."""
        self._need_compiled("evaluate")
        if steps is not None:
            raise _refused("evaluate(steps=...)", "use fewer rows")
        size = _checked_count("batch_size", 32 if batch_size is None else batch_size)
        rows = self._labelled(x, y, sample_weight, "")
        recipe = self._recipe("test", rows)
        level = _level(verbose)
        evaluation = loop.Evaluation(recipe, rows, size)
        num_batches = evaluation.num_batches
        listeners = CallbackList(callbacks, self, epochs=1, steps=num_batches, verbose=level)
        with shown(level, num_batches) as display:
            logs = evaluation.run(listeners, display)
            if display:
                display.end(logs)
        if not self._is_fitting:
            self._keep_totals(recipe, evaluation.totals)
        return self._results(recipe, logs, return_dict=return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray:
        """The model's output for every row, as a NumPy array."""
        if steps is not None:
            raise _refused("predict(steps=...)", "use fewer rows")
        size = _checked_count("batch_size", 32 if batch_size is None else batch_size)
        rows = self._inputs(x)
        recipe = self._recipes.get("predict") or self._recipe("predict", Rows(rows))
        level = _level(verbose)
        if not level and not callbacks:
            return loop.predict(recipe, rows, size, None, None)
        num_batches = -(-len(rows) // size)
        listeners = CallbackList(callbacks, self, epochs=1, steps=num_batches, verbose=level)
        with shown(level, num_batches) as display:
            listeners.call("on_predict_begin", {})
            outputs = loop.predict(recipe, rows, size, listeners, display)
            if display:
                display.end({})
        listeners.call("on_predict_end", {})
        return outputs

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on these rows; their loss and metrics, as they were before the step."""
        self._need_compiled("train_on_batch")
        rows = self._labelled(x, y, sample_weight, "")
        if class_weight is not None:
            _weigh_classes(rows, class_weight)
        recipe = self._recipe("train", rows)
        training = loop.Training(self, recipe, rows, len(rows.x))
        training.load_orders(1, shuffle=False)
        line = training.advance(0, 1)[0]
        logs = dict(zip(recipe.names, line.tolist(), strict=True))
        return self._results(recipe, logs, return_dict=return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics on these rows, as one batch."""
        rows = _row_count(x)
        return self.evaluate(x, y, rows, 0, sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """The output for these rows, as one batch."""
        return self.predict(x, _row_count(x), 0)

    def __getstate__(self) -> dict[str, Any]:
        # Compiled programs stay behind when a model is copied or pickled.
        return {**vars(self), "_recipes": {}}

    # Showing.

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the table of layers, their output shapes and numbers of parameters.

        Args:
            line_length: columns of the table; None fits the terminal.
            print_fn: receives the text instead of the terminal.
        """
        if expand_nested or show_trainable or positions is not None or layer_range is not None:
            raise _refused("summary(positions, expand_nested, show_trainable, layer_range)", "leave them out")
        shapes = self.layer_shapes()
        lines = [
            summary.Line(
                layer.name, type(layer).__name__, shape, f"{layer.count_params():,}" if layer.built else "?"
            )
            for layer, shape in zip(self.layers, shapes, strict=True)
        ]
        moving, fixed = self.variables_by_role()
        slots = self.optimizer.variables if self.optimizer is not None and self.optimizer.is_built else []
        groups = [("Trainable params", moving), ("Non-trainable params", fixed)]
        groups += [("Optimizer params", slots)] if slots else []
        everything = [*moving, *fixed, *slots]
        totals = [_total(label, group) for label, group in [("Total params", everything), *groups]]
        summary.print_summary(self.name, lines, totals, print_fn, line_length)

    def layer_shapes(self) -> list[str]:
        """The output shape of each layer as text, "?" before the model is built."""
        return ["?" for _ in self.layers]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ShapeError(
                    f"model '{self.name}'",
                    expected=f"an index below {len(self.layers)}",
                    got=str(index),
                    fix="Indices count the layers from 0.",
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownNameError.of("layer", name, [layer.name for layer in self.layers])

    # From what the user passed to what the engine takes.

    def _need_compiled(self, call: str) -> None:
        if self.optimizer is None:
            raise NotCompiledError(
                f"{call}()",
                expected="a compiled model",
                got=f"model '{self.name}' without an optimizer and a loss",
                fix="First: model.compile(optimizer='adam', loss='mse').",
            )
        if self._loss is None:
            raise NotCompiledError(
                f"{call}()",
                expected="a loss",
                got=f"model '{self.name}' compiled without one",
                fix="For example model.compile(optimizer='adam', loss='mse').",
            )

    def _validation_rows(self, data: Any) -> Rows:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise DataError(
                "validation_data",
                expected="(x, y) or (x, y, sample_weight)",
                got=f"{type(data).__name__} of {len(data) if hasattr(data, '__len__') else 'one'}",
                fix="For example validation_data=(x_valid, y_valid).",
            )
        return self._labelled(data[0], data[1], data[2] if len(data) == 3 else None, "validation ")

    def _labelled(self, x: Any, y: Any, sample_weight: Any, of: str) -> Rows:
        if y is None:
            batches.as_array(x, f"{of}x")
            raise DataError(f"{of}y", expected="a label for each row of x", got="None", fix="Pass y too.")
        rows = batches.prepare(x, y, sample_weight, of=of)
        rows.x = self._fitting(rows.x, f"{of}x")
        assert self._loss is not None
        assert rows.y is not None
        shape = self._output_shape or ()
        checks.check_labels(rows.y, self._loss.labels, shape, f"{of}y", self._loss.ignored_class)
        if rows.weights is not None:
            checks.check_weights(rows.weights, shape, f"{of}sample_weight")
        return rows

    def _inputs(self, x: Any) -> np.ndarray:
        array = batches.as_array(x, "x")
        if len(array) == 0:
            checks.check_rows({"x": 0})
        return self._fitting(array, "x")

    def _fitting(self, x: np.ndarray, what: str) -> np.ndarray:
        """The inputs in the shape the model was built for; it is built for theirs if it was not yet."""
        if not self.built:
            self.build((None, *x.shape[1:]))
            if not self.built:
                raise ShapeError(
                    f"model '{self.name}'",
                    expected="layers",
                    got="none",
                    fix="Add some: model.add(Dense(1)).",
                )
        wanted = self._input_shape or ()
        if x.shape[1:] != wanted[1:]:
            x = _with_rank(x, wanted)
            checks.check_shape(what, x.shape, wanted, self.layers[0].name)
        return x

    def _recipe(self, kind: str, rows: Rows) -> Recipe:
        """The parts of the program of this kind, put together at the first need."""
        if kind not in self._recipes:
            if kind == "predict":
                recipe = Recipe(self)
            else:
                if self._measures is None:
                    # Only now is it known what "accuracy" means.
                    shapes = (rows.y.shape, self._output_shape)  # type: ignore[union-attr]
                    self._measures = [(metrics.get(m, *shapes), weighted) for m, weighted in self._metrics]
                recipe = Recipe(self, self._loss, self._measures, self.optimizer if kind == "train" else None)
            # A loss of one number a row means over the last dimension: here, over the rows.
            gives_numbers = len(self._output_shape or ()) == 1
            recipe.exact_batches = gives_numbers or not cache.treats_rows_alone(recipe)
            self._recipes[kind] = recipe
        return self._recipes[kind]

    def _keep_totals(self, recipe: Recipe, totals: list[Any]) -> None:
        for variable, array in zip(recipe.totals, totals, strict=True):
            variable.array = array

    def _results(self, recipe: Recipe, logs: dict[str, float], *, return_dict: bool) -> Any:
        if return_dict:
            return logs
        values = [logs[name] for name in recipe.names]
        return values if len(values) > 1 else values[0]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _only_one(value: Any, what: str) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return value[0]
    if isinstance(value, (list, tuple)):
        raise _refused(f"compile({what}=[...])", "give the one output one of them")
    return value


def _checked_metric(identifier: Any) -> Any:
    """The identifier as it came, after an unknown name was refused."""
    metrics.get(identifier)
    return identifier


def _refused(what: str, instead: str) -> NotSupportedError:
    return NotSupportedError(
        what, expected="something doltap has", got="what it has not yet", fix=f"For now, {instead}."
    )


@contextlib.contextmanager
def shown(verbose: int, num_steps: int) -> Iterator[Display | None]:
    """A display that has begun and leaves the terminal in order; None when nothing is to be shown."""
    if not verbose:
        yield None
        return
    display = Display(verbose, num_steps)
    display.begin()
    try:
        yield display
    finally:
        display.close()


def _level(verbose: Any) -> int:
    if verbose in ("auto", True):
        return 1
    if verbose in (0, 1, 2):
        return int(verbose)
    raise DataError("verbose", expected="0, 1, 2 or 'auto'", got=repr(verbose), fix="0 shows nothing.")


def _checked_count(name: str, value: Any, *, least: int = 1) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise DataError(
            name,
            expected=f"a whole number, {least} or more",
            got=repr(value),
            fix=f"For example {name}={32 if name.endswith('size') else 10 if name == 'epochs' else least}.",
        )
    return int(value)


def _row_count(x: Any) -> int:
    return max(1, len(x)) if hasattr(x, "__len__") else 1


def _weigh_classes(rows: Rows, class_weight: Any) -> None:
    """Give the rows to train on the weights of their classes; validation goes without, as in Keras."""
    assert rows.y is not None
    if rows.weights is not None:
        raise DataError(
            "fit",
            expected="sample_weight or class_weight",
            got="both",
            fix="Multiply them yourself and pass the product as sample_weight.",
        )
    rows.weights = batches.weights_of_classes(rows.y, class_weight)


def _with_rank(x: np.ndarray, wanted: tuple[int | None, ...]) -> np.ndarray:
    """The array with a last dimension of 1 put on or taken off, where only that is missing."""
    if x.ndim == len(wanted) - 1 and wanted[-1] == 1:
        return x[..., None]
    if x.ndim == len(wanted) + 1 and x.shape[-1] == 1:
        return x[..., 0]
    return x


def _total(label: str, group: list[Any]) -> tuple[str, int, int]:
    size = sum(v.size * np.dtype(v.array.dtype).itemsize for v in group)
    return label, sum(v.size for v in group), size


def _not_built(name: str) -> ShapeError:
    return ShapeError(
        f"model '{name}'",
        expected="to know the shape of its input",
        got="none so far",
        fix="Begin with Input(shape=...), give the first layer input_shape=, or call fit.",
    )
