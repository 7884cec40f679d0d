"""What every model can do with data: be trained, evaluated and asked.

This file checks what the user passes and says what it means; the work is done
by `training.loop`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import random, reporting
from doltap.callbacks import BackupAndRestore, CallbackList, History
from doltap.core.layer import Layer
from doltap.errors import DataError, NotCompiledError
from doltap.models import arguments
from doltap.models.examining import Examining, with_watchers
from doltap.models.old_ways import OldWays
from doltap.models.stepping import Outputs
from doltap.training import batches, cache, checks, feeds, loop, objective, resuming, steps
from doltap.training.batches import Rows
from doltap.training.objective import Objective
from doltap.training.program import Recipe

__all__ = ["Trainer"]


class Trainer(OldWays, Examining):
    """A layer that can be trained: the part of `Model` that meets data."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.seed = random.draw_seed()
        self.seed_words = random.words(random.mix(self.seed, 1))
        self.epochs_trained = 0
        self.history: History | None = None

    # What a kind of model overrides.

    def outputs_for(self, x: Any, what: str) -> tuple[Any, Outputs]:
        """The inputs as the network takes them, and what it gives for them.

        The model is built for them if it was not yet.

        Args:
            x: checked arrays, alone or in lists, tuples and dicts.
            what: what errors call them.
        """
        raise NotImplementedError

    def looked_up(self, x: Any, what: str) -> Any:
        """The inputs with strings turned into numbers, where the model takes strings."""
        return x

    @property
    def looks_at_values(self) -> bool:
        """Whether arrays of a shape that was accepted are looked through again."""
        return False

    @property
    def has_call(self) -> bool:
        """Whether it gives outputs for inputs, as all do that are more than a step of their own."""
        return True

    # What is followed.

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        recipe = self._recipes.get("train") or self._recipes.get("test")
        return [name for name, _ in self._ordered(recipe, [(n, 0) for n in recipe.names])] if recipe else []

    def reset_metrics(self) -> None:
        """Set every running total back."""
        for metric in self.metrics:
            metric.reset_state()

    # Training, evaluating, asking.

    @arguments.known_keywords
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
        validation_freq: Any = 1,
        resume: Any = None,
        plot: Any = False,
        diagnose: Any = False,
    ) -> History:
        """Train; the History holds what was measured after each epoch.

        Args:
            x, y: inputs and labels, rows first: arrays, lists, pandas objects,
                tensors, or several of them in a list, tuple or dict. Or x alone:
                a generator, a `PyDataset`, a torch DataLoader, a tf.data.Dataset
                or any iterable that gives (x, y) or (x, y, sample_weight).
            batch_size: rows of a step; None means 32.
            epochs: number of the last epoch; `initial_epoch` is where counting starts.
            verbose: 0 silent, 1 a bar, 2 a line for each epoch, "auto" a bar.
            callbacks: a list of `Callback` objects.
            validation_split: share of the rows, taken from the end before shuffling.
            validation_data: (x, y), (x, y, sample_weight), or what x may be.
            class_weight: dict from class number to the weight of its rows.
            sample_weight: a weight for each row; a list or dict for several outputs.
            steps_per_epoch, validation_steps: how many batches make an epoch or a
                validation; None means all there are.
            validation_freq: validate after every so many epochs, or after those listed.
            resume: a folder. What is written there every few seconds lets the same
                call, after an interruption of any kind, go on to the same bits; after
                its end it gives the History, or trains on where `epochs` is larger.
            plot: True draws curves that move, as `callbacks.LivePlot`; a path draws them there.
            diagnose: True tells at the end what is wrong, as `callbacks.Diagnose`; "en" or
                "ko" says in which language.
        """
        if self.optimizer is None:
            raise self._not_compiled("fit")
        if plot or diagnose:
            callbacks = with_watchers(callbacks, plot, diagnose)
        plan = None if resume is None else resuming.asked(resume, x, validation_data)
        size = arguments.count("batch_size", 32 if batch_size is None else batch_size)
        settings = arguments.settings(epochs, initial_epoch, shuffle, verbose, validation_freq)
        num_steps = steps_per_epoch
        if num_steps is not None:
            num_steps = arguments.count("steps_per_epoch", steps_per_epoch)
        if batches.is_feed(x) or num_steps is not None:
            arguments.refuse_beside_feed(x, y, sample_weight, validation_split)
            given, held_out = (x, y, sample_weight), validation_data
            if validation_data is None and validation_split:
                held_out = batches.split(self._labelled(*given, "", "test"), validation_split)[1]
                given = batches.split(batches.prepare(*given), validation_split)[0].tree
            feed = self._feed(given, size, num_steps, "train", class_weight, shuffle)
            training: Any = loop.FeedTraining(self, feed)
        else:
            rows, held_out = self._labelled(x, y, sample_weight, ""), validation_data
            if validation_data is None and validation_split:
                held_out = self._held_out(rows, (x, y, sample_weight), validation_split)
                rows = batches.split(rows, validation_split)[0]
            if class_weight is not None:
                self._weigh_classes(rows, class_weight)
            training = loop.Training(self, self._recipe("train", rows), rows, size)
        validation_size = size if validation_batch_size is None else validation_batch_size
        validation = None
        if held_out is not None:
            validation = self._validation(held_out, validation_size, validation_steps)
        return self._run_fit(training, validation, settings, callbacks, plan)

    def _feed(
        self,
        given: tuple[Any, Any, Any],
        size: int,
        num_steps: Any,
        kind: str = "test",
        class_weight: Any = None,
        shuffle: bool = False,
    ) -> feeds.Feed:
        """The batches of an iterable, checked one by one as they come."""

        def check(parts: tuple[Any, ...], of: str) -> Rows:
            x, y, weights = parts
            rows = self._labelled(x, y, weights, of, kind)
            self._weigh_classes(rows, class_weight)
            return rows

        source = feeds.source(*given, size, self.seed, shuffle=shuffle)
        return feeds.Feed(source, check, num_steps, "fit" if kind == "train" else "evaluate")

    def _validation(self, data: Any, batch_size: Any, num_steps: Any) -> Any:
        size = arguments.count("validation_batch_size", batch_size)
        if isinstance(data, Rows):
            data = data if num_steps is None else data.cut(0, num_steps * size)
            return loop.Evaluation(self._recipe("test", data), data, size)
        if batches.is_feed(data):
            feed = self._feed((data, None, None), size, num_steps)
            return loop.FeedEvaluation(self, feed)
        given = arguments.validation_parts(data)
        if num_steps is not None:
            feed = self._feed(given, size, num_steps)
            return loop.FeedEvaluation(self, feed)
        rows = self._labelled(*given, "validation ", "test")
        return loop.Evaluation(self._recipe("test", rows), rows, size)

    def _run_fit(
        self, training: Any, validation: Any, settings: loop.Settings, callbacks: Any, plan: Any
    ) -> History:
        num_batches = training.num_batches
        told = {"epochs": settings.last, "steps": num_batches, "verbose": settings.verbose}
        listeners = CallbackList(callbacks, add_history=True, model=self, **told)
        self.history, params = listeners.history, listeners.params
        params.run = training.recipe, *training.counts, validation is not None
        params.at_work = training, validation, listeners.callbacks
        display = reporting.progress.Display(settings.verbose, num_batches) if settings.verbose else None
        self.stop_training = False
        keeper = None
        backups = [each for each in listeners.callbacks if isinstance(each, BackupAndRestore)]
        if backups:
            plan = resuming.backed_up(backups, is_asked=plan is not None)
        if plan is not None:
            keeper = resuming.Keeper(plan, training, validation, settings, listeners)
            if keeper.has_ended:
                keeper.restore_end()
                return listeners.history
        self._is_fitting = True
        try:
            loop.fit(training, validation, settings, listeners, display, keeper)
        except BaseException as error:
            listeners._on_train_abandoned(error)
            raise
        finally:
            # The History keeps `params`, and is not to keep the data.
            self._is_fitting, params.at_work = False, None
            if keeper is not None:
                keeper.close()
        return listeners.history

    @arguments.known_keywords
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
        if self.optimizer is None:
            raise self._not_compiled("evaluate")
        size = arguments.count("batch_size", 32 if batch_size is None else batch_size)
        num_steps, level = arguments.optional_count("steps", steps), arguments.level(verbose)
        if batches.is_feed(x) or num_steps is not None:
            arguments.refuse_beside_feed(x, y, sample_weight, 0.0)
            feed = self._feed((x, y, sample_weight), size, num_steps)
            evaluation: Any = loop.FeedEvaluation(self, feed)
        else:
            rows = self._labelled(x, y, sample_weight, "", "test")
            evaluation = loop.Evaluation(self._recipe("test", rows), rows, size)
        num_batches = evaluation.num_batches
        listeners = CallbackList(callbacks, model=self, epochs=1, steps=num_batches, verbose=level)
        with shown(level, num_batches) as display:
            logs = evaluation.run(listeners, display)
            if display:
                display.end(logs, evaluation.num_batches)
        recipe = evaluation.recipe
        if not self._is_fitting:
            self._keep_totals(recipe, evaluation.totals)
        return self._results(recipe, evaluation.line, return_dict=return_dict)

    @arguments.known_keywords
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's output for every row, as NumPy arrays in the structure of the output."""
        size = arguments.count("batch_size", 32 if batch_size is None else batch_size)
        num_steps, level = arguments.optional_count("steps", steps), arguments.level(verbose)
        if batches.is_feed(x) or num_steps is not None:
            return self._predict_feed(x, size, num_steps, level, callbacks)
        rows = self._inputs(x)
        recipe = self._recipes.get("predict") or self._recipe("predict", Rows(rows))
        if not level and not callbacks:
            return loop.predict(recipe, rows, size, None, None)
        num_batches = -(-len(jax.tree.leaves(rows)[0]) // size)
        listeners = CallbackList(callbacks, model=self, epochs=1, steps=num_batches, verbose=level)
        with shown(level, num_batches) as display:
            listeners.call("on_predict_begin", {})
            outputs = loop.predict(recipe, rows, size, listeners, display)
            if display:
                display.end({})
        listeners.call("on_predict_end", {})
        return outputs

    def _predict_feed(self, x: Any, size: int, num_steps: Any, level: int, callbacks: Any) -> Any:
        source = feeds.source(x, None, None, size, self.seed, shuffle=False)
        feed = feeds.Feed(source, lambda given, of: Rows(self._inputs(given[0], of)), num_steps, "predict")
        listeners = CallbackList(callbacks, model=self, epochs=1, steps=feed.num_batches, verbose=level)
        listeners.call("on_predict_begin", {})
        pieces = []
        with shown(level, feed.num_batches) as display:
            for number, rows in enumerate(feed.epoch(0)):
                listeners.call("on_predict_batch_begin", number, {})
                pieces.append(loop.predict(self._recipe("predict", rows), rows.x, rows.count, None, None))
                listeners.call("on_predict_batch_end", number, {"outputs": pieces[-1]})
                if display:
                    display.tick(number + 1, {})
            if display:
                display.end({}, len(pieces))
        listeners.call("on_predict_end", {})
        return loop.joined(pieces)

    @arguments.known_keywords
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on these rows; their loss and metrics, as they were before the step."""
        if self.optimizer is None:
            raise self._not_compiled("train_on_batch")
        rows = self._labelled(x, y, sample_weight, "")
        self._weigh_classes(rows, class_weight)
        recipe = self._recipe("train", rows)
        training = loop.Training(self, recipe, rows, rows.count)
        training.load_orders(1, shuffle=False)
        line = training.advance(0, 1)[0]
        return self._results(recipe, line, return_dict=return_dict)

    @arguments.known_keywords
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics on these rows, as one batch."""
        return self.evaluate(x, y, arguments.row_count(x), 0, sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The output for these rows, as one batch."""
        return self.predict(x, arguments.row_count(x), 0)

    def __getstate__(self) -> dict[str, Any]:
        # Compiled programs stay behind when a model is copied or pickled.
        return {**super().__getstate__(), "_recipes": {}}

    # From what the user passed to what the engine takes.

    def _not_compiled(self, call: str) -> NotCompiledError:
        return NotCompiledError(
            f"{call}()",
            expected="a compiled model",
            got=f"model '{self.name}' without an optimizer and a loss",
            fix="First: model.compile(optimizer='adam', loss='mse').",
        )

    def _labelled(self, x: Any, y: Any, sample_weight: Any, of: str, kind: str = "train") -> Rows:
        """The data, checked and laid out over the outputs; as it came for a step of one's own."""
        is_own = kind in self.own_steps
        if self._accepted is None:
            x = self.looked_up(x, f"{of}x")
        if y is None and self._wishes.loss is not None and not is_own:
            batches.as_arrays(x, f"{of}x")
            raise DataError(f"{of}y", expected="a label for each row of x", got="None", fix="Pass y too.")
        rows = batches.prepare(x, y, sample_weight, of=of)
        if is_own and not self.has_call:
            return rows
        rows.x, outputs = self._arranged(rows.x, f"{of}x")
        if is_own and (self._wishes.is_empty or rows.y is None):
            return rows
        labels = arguments.per_output(rows.y, outputs, f"{of}y")
        goal = self._objective or self._aim(outputs, labels)
        if is_own:
            return rows
        rows.y = labels
        if rows.weights is not None:
            rows.weights = arguments.weights_per_output(rows.weights, outputs, f"{of}sample_weight")
        arguments.check_labels(rows, goal, outputs, of)
        return rows

    def _held_out(self, rows: Rows, given: tuple[Any, Any, Any], share: float) -> Rows:
        """The last rows, laid out for evaluation."""
        if self._steps_itself("train") != self._steps_itself("test"):
            rows = self._labelled(*given, "", "test")
        return batches.split(rows, share)[1]

    def _weigh_classes(self, rows: Rows, class_weight: Any) -> None:
        if class_weight is not None:
            arguments.weigh_classes(rows, class_weight)
            if self._steps_itself("train"):
                rows.weights = rows.weights[0]

    def _inputs(self, x: Any, of: str = "") -> Any:
        what = f"{of}x"
        arrays = batches.as_arrays(self.looked_up(x, what) if self._accepted is None else x, what)
        if not all(map(len, [arrays] if isinstance(arrays, np.ndarray) else jax.tree.leaves(arrays))):
            checks.check_rows({what: 0})
        return self._arranged(arrays, what)[0]

    def _arranged(self, x: Any, what: str) -> tuple[Any, Outputs]:
        """As `outputs_for`; what was accepted once needs no second look."""
        if self._accepted is not None and hasattr(x, "shape") and x.shape[1:] == self._accepted[0]:
            return x, self._accepted[1]
        x, outputs = self.outputs_for(x, what)
        if hasattr(x, "shape") and not self.looks_at_values:
            self._accepted = x.shape[1:], outputs
        return x, outputs

    def _recipe(self, kind: str, rows: Rows) -> Recipe:
        """The parts of the program of this kind, put together at the first need."""
        if kind not in self._recipes:
            mover = self.optimizer if kind == "train" else None
            goal = None if kind == "predict" else self._objective
            is_own = self._steps_itself(kind)
            noted = () if goal is None or is_own else self._noted_by_layers(goal, rows.x)
            recipe = Recipe(self, goal, mover, noted)
            recipe.is_eager = self.run_eagerly
            if is_own:
                self._step_oneself(recipe, kind, rows)
            is_bound = recipe.is_eager or (goal is not None and goal.gives_numbers)
            recipe.exact_batches = is_bound or not cache.treats_rows_alone(recipe)
            self._recipes[kind] = recipe
        elif kind == "train":
            recipe = self._recipes[kind]
            # Looked at here without a call, because every fit passes by.
            if any(one._trainable is not was for one, was in recipe.owners) or any(
                one.trainable is not was for one, was in recipe.switches
            ):
                self._check_still_trained(recipe)
        return self._recipes[kind]

    def _check_still_trained(self, recipe: Recipe) -> None:
        """Training moves what it moved when it began; an error otherwise."""
        before, now = recipe.weights, self.variables_by_role()[0]
        if {*before} == {*now}:
            return
        is_frozen = not {*before} <= {*now}
        names = [one.name for one in self._with_inner() if {*one.own_weights()} & ({*before} ^ {*now})]
        raise NotCompiledError(
            f"model '{self.name}'",
            expected="the same weights to be trained since its first training step after compile",
            got=f"trainable {'switched off' if is_frozen else 'switched on'} in between for "
            + ", ".join(f"'{name}'" for name in names),
            fix="Call model.compile(...) again after changing trainable.",
        )

    def _step_oneself(self, recipe: Recipe, kind: str, rows: Rows) -> None:
        # While the step is looked at, it asks for the metrics.
        before = self._recipes
        self._recipes = {**before, kind: recipe}
        try:
            steps.take_over(recipe, self, kind, rows)
        finally:
            self._recipes = before

    def _noted_by_layers(self, goal: Objective, x: Any) -> list[str]:
        """The names under which layers want numbers followed; an error if nothing is to be learned."""
        has_loss = any(loss is not None for loss in goal.losses)
        is_plain = all(type(layer).__module__.startswith("doltap.") for layer in self._with_inner())
        if has_loss and is_plain and self._added is None:
            return []
        taken = steps.noted(self, x, is_eager=self.run_eagerly)
        has_regularizer = any(weight.regularizer for weight in self.trainable_weights)
        if not has_loss and not taken.losses and not has_regularizer:
            raise NotCompiledError(
                f"model '{self.name}'",
                expected="a loss",
                got="one compiled without",
                fix="For example model.compile(optimizer='adam', loss='mse'), or add_loss in a layer.",
            )
        return list(taken.metrics)

    def _with_inner(self) -> list[Layer]:
        return [self, *self.inside(Layer)]

    def _keep_totals(self, recipe: Recipe, totals: list[Any]) -> None:
        for variable, array in zip(recipe.totals, totals, strict=True):
            variable.array = array

    def _ordered(self, recipe: Recipe, pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        followed = [one.metric.name for one in recipe.followed]
        listed = ["loss", *followed, *(mean.name for mean in recipe.loss_means.values())]
        return objective.in_result_order(pairs, listed)

    def _results(self, recipe: Recipe, line: np.ndarray, *, return_dict: bool) -> Any:
        if return_dict:
            return recipe.named(line)
        values = [value for _, value in self._ordered(recipe, recipe.pairs(line))]
        return values if len(values) > 1 else values[0]


@contextlib.contextmanager
def shown(verbose: int, num_steps: int | None) -> Iterator[reporting.progress.Display | None]:
    """A display that has begun and leaves the terminal in order; None when nothing is to be shown."""
    if not verbose:
        yield None
        return
    display = reporting.progress.Display(verbose, num_steps)
    display.begin()
    try:
        yield display
    finally:
        display.close()
