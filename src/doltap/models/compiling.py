"""What `compile` settles: the optimizer, the loss and what is followed, also as plain values.

Nothing here runs a step.
"""

from __future__ import annotations

import warnings
from typing import Any

from doltap import optimizers
from doltap.core import configs
from doltap.models import arguments, objects
from doltap.models.stepping import Outputs, Stepping
from doltap.training import objective
from doltap.training.objective import Wishes

__all__ = ["Compiling"]


class Compiling(Stepping):
    """A layer with a loss and metrics that is told how to learn."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.stop_training = False
        self.loss: Any = None
        # How it was described when a training was first written down.
        self.first_look: str | None = None
        self.run_eagerly = False
        # What compile accepts and does not need.
        self._accepted_only: dict[str, Any] = {}
        # The shape of a row that needs no more checks, and what the model gives for it.
        self._accepted: tuple[tuple[int, ...], Outputs] | None = None

    @arguments.known_keywords
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
            loss: name, function or object; for several outputs one for all, a
                list in their order, or a dict by name.
            loss_weights: what the loss of each output is multiplied by; list or dict.
            metrics: names, functions or objects to follow beside the loss; a list
                of lists or a dict for several outputs.
            weighted_metrics: the same, with the sample weights applied.
            run_eagerly: run every step in Python, line by line, to look for mistakes.
            steps_per_execution, jit_compile: accepted and not needed: as many steps
                as possible are one compiled program anyway.
            auto_scale_loss: under "mixed_float16", scale the loss so that small
                gradients are not lost.
        """
        loss_weights, metrics = arguments.in_order_of_today(loss_weights, metrics)
        wishes = Wishes(loss, loss_weights, metrics, weighted_metrics)
        objective.check_wishes(wishes, self.known_output_names(), self.output_name_structure())
        mover = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and not mover.scales_loss:
            mover = optimizers.LossScaleOptimizer(mover)
        # From here on nothing can fail, so that a refused compile leaves the model as it was.
        self.optimizer, self.loss, self._wishes = mover, loss, wishes
        self.run_eagerly = bool(run_eagerly)
        self._accepted_only = {"steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
        self.stop_training, self.first_look = False, None
        self.forget_programs()

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` as plain values; None before it was called."""
        if not self.compiled:
            return None
        wishes = vars(self._wishes)
        given = {
            "optimizer": self.optimizer,
            **wishes,
            "run_eagerly": self.run_eagerly,
            **self._accepted_only,
        }
        return {key: objects.serialize_keras_object(value) for key, value in given.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` says; a compile of one's own is left to its owner, as in Keras."""
        if type(self).compile is Compiling.compile:
            self.compile(**objects.settings_from(config))
            return
        warnings.warn(
            f"model '{self.name}' has a compile of its own, which was not called: call it, or give the class "
            "get_compile_config and compile_from_config.",
            stacklevel=2,
        )

    def beside_config(self) -> dict[str, Any]:
        """What files say of it beside its configuration."""
        compiled_with = self.get_compile_config()
        return super().beside_config() | ({"compile_config": compiled_with} if compiled_with else {})

    def take_beside(self, written: dict[str, Any]) -> None:
        """Take up what `beside_config` said."""
        super().take_beside(written)
        if configs.compiles() and written.get("compile_config"):
            self.compile_from_config(written["compile_config"])

    def forget_programs(self) -> None:
        """What was put together for training is out of date."""
        self._objective, self._recipes, self._accepted = None, {}, None

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self.optimizer is not None

    @property
    def jit_compile(self) -> bool:
        """What `compile` was asked; "auto" is everything but `run_eagerly`."""
        wanted = self._accepted_only.get("jit_compile", "auto")
        return not self.run_eagerly if wanted == "auto" else bool(wanted)

    @property
    def steps_per_execution(self) -> Any:
        """What `compile` was asked; it changes nothing."""
        return self._accepted_only.get("steps_per_execution", 1)
