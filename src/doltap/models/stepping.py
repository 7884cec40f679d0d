"""One step of training as a class of the user's own may take it, in Keras's form for JAX.

What may be overridden is here, and does what `fit` does without it.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax

from doltap import notes
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, lend
from doltap.metrics import Metric
from doltap.models import arguments
from doltap.training import steps
from doltap.training.objective import Objective, Wishes
from doltap.training.program import Recipe

__all__ = ["Outputs", "Stepping"]


class Outputs(NamedTuple):
    """What a model gives: a name (or None) and a shape, batch first, for each output in order.

    `structure` holds the names as the outputs are nested in lists and dicts; None for a plain list.
    """

    names: list[str | None]
    shapes: list[tuple[int | None, ...]]
    structure: Any = None


class Stepping(Layer):
    """A layer with a loss and metrics, and the steps in which they are computed."""

    # Which of "train", "test" and "predict" do something of the user's own.
    own_steps: frozenset[str] = frozenset()
    # The losses and the numbers to follow that were added from outside the layers.
    _added: Any = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        measuring = ["compute_loss", "compute_metrics"]
        methods = {"train": ["train_step", *measuring], "test": ["test_step", *measuring]}
        methods["predict"] = ["predict_step"]
        cls.own_steps = frozenset(
            kind
            for kind, names in methods.items()
            if any(getattr(cls, name) is not getattr(Stepping, name) for name in names)
        )

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.optimizer: Any = None
        self._wishes = Wishes()
        self._objective: Objective | None = None
        self._recipes: dict[str, Recipe] = {}
        self._is_fitting = False
        # What layers add to the loss, in a step of one's own.
        self._step_losses: list[Any] | None = None

    @property
    def is_network(self) -> bool:
        """Whether it is a network of calls between symbolic tensors."""
        return False

    def known_output_names(self) -> list[str | None] | None:
        """The names of the outputs, None for those without; None where nothing is known of them yet."""
        return None

    def output_name_structure(self) -> Any:
        """The names of the outputs as these are nested in lists and dicts; None for a plain list."""
        return None

    def train_step(self, state: Any, data: Any) -> Any:
        """A training step; override it for one of your own, which may call this one.

        Args:
            state: (trainable variables, other variables, optimizer variables,
                metric variables), each a list of arrays.
            data: (x, y) or (x, y, sample_weight) of one batch, or (x,).

        Returns:
            The logs, a dict of numbers, and the new state.
        """
        return steps.usual_step(self, state, data, training=True)

    def test_step(self, state: Any, data: Any) -> Any:
        """An evaluation step; the state has no optimizer variables, otherwise as `train_step`."""
        return steps.usual_step(self, state, data, training=False)

    def predict_step(self, state: Any, data: Any) -> Any:
        """A prediction step: the outputs, and the new other variables.

        Args:
            state: (trainable variables, other variables), each a list of arrays.
            data: (x,) of one batch.
        """
        return self.stateless_call(*state, data[0] if isinstance(data, tuple) else data, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The compiled loss of some predictions, and what layers add to it; may be overridden."""
        goal, labels, weights = self._compiled_parts(y, y_pred, sample_weight)
        return steps.compiled_loss(goal, self.losses, labels, y_pred, weights)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Let the compiled metrics look at a batch, and give all results; may be overridden."""
        goal, labels, weights = self._compiled_parts(y, y_pred, sample_weight)
        steps.compiled_metrics(goal, labels, y_pred, weights)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """What all metrics come to now, by name."""
        followed = self._objective.followed if self._objective else []
        names = {id(one.metric): one.name for one in followed}
        found: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            found |= result if isinstance(result, dict) else {names.get(id(metric), metric.name): result}
        return found

    def _compiled_parts(self, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Objective, Any, Any]:
        """The objective, and the labels and weights of each output in order."""
        outputs = jax.tree.leaves(y_pred)
        names = self.known_output_names() or [None] * len(outputs)
        given = Outputs(names, [one.shape for one in outputs], self.output_name_structure())
        labels = arguments.per_output(y, given, "y")
        weights = arguments.weights_per_output(sample_weight, given, "sample_weight")
        return self._aim(given, labels), labels, weights

    def loss_of_step(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """What `compute_loss` gives, which may be of the time when it took no `training`."""
        takes = inspect.signature(self.compute_loss).parameters
        keywords = {"training": training} if "training" in takes else {}
        return self.compute_loss(x, y, y_pred, sample_weight, **keywords)

    @contextlib.contextmanager
    def given_losses(self, losses: Any) -> Iterator[None]:
        """Inside the `with`, these are what layers add to the loss."""
        outer = self._step_losses
        self._step_losses = losses
        try:
            yield
        finally:
            self._step_losses = outer

    @property
    def losses(self) -> list[Any]:
        """What the last call added to the loss, and what the size of the weights costs."""
        return super().losses if self._step_losses is None else self._step_losses

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *arguments: Any,
        return_losses: bool = False,
        **keywords: Any,
    ) -> Any:
        """The output for these arrays in the place of the weights, and the new non-trainable ones."""
        outputs, left, costs = steps.stateless_call(
            self, trainable_variables, non_trainable_variables, arguments, keywords
        )
        if notes.current() is not None:
            # A step of one's own goes on to compute_loss.
            self._step_losses = costs
        return (outputs, left, costs) if return_losses else (outputs, left)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """What `compute_loss` gives for these arrays, and the three lists as it leaves them."""
        owned = [*self.variables_by_role(), self.metrics_variables]
        arrays = [*trainable_variables, *non_trainable_variables, *metrics_variables]
        with lend([variable for variables in owned for variable in variables], arrays) as loan:
            loss = self.loss_of_step(x, y, y_pred, sample_weight, training)
            return loss, tuple([loan[variable] for variable in variables] for variables in owned)

    @property
    def weights(self) -> list[Variable]:
        """All weights in Keras's order: those of the first layer, then of the next."""
        recipe = self._recipes.get("train") if self._is_fitting else None
        if recipe is None:
            return super().weights
        # Callbacks ask after every epoch, and a model that is being trained gets no more weights.
        recipe.listed = recipe.listed or super().weights
        return list(recipe.listed)

    variables = weights

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss and the metrics, once they are known."""
        recipe = self._recipes.get("train") or self._recipes.get("test")
        return recipe.measures if recipe else self.inside(Metric)

    @property
    def metrics_variables(self) -> list[Any]:
        """The running totals of the metrics."""
        return [total for metric in self.metrics for total in metric.variables]

    def _aim(self, outputs: Outputs, labels: Any) -> Objective:
        """What is trained for, laid out when the first labels tell what "accuracy" means."""
        if self._objective is None:
            shapes = [None if y is None else y.shape for y in labels or [None] * len(outputs.names)]
            goal = Objective(self._wishes, outputs.names, outputs.shapes, shapes, outputs.structure)
            arguments.check_objective(goal)
            self._objective = goal
        return self._objective

    def _steps_itself(self, kind: str) -> bool:
        """Whether something of a step is the user's own."""
        return kind in self.own_steps
