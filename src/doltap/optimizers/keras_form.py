"""Optimizers of the user's own in Keras's form: `build` makes variables, `update_step` assigns them.

The variables are lent to the program for the time of a step, so that reading
and assigning them there is a pure function of arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doltap import initializers
from doltap.core.tensors import Rate, Variable, lend
from doltap.errors import NotSupportedError

__all__ = ["KerasForm"]

Groups = list[dict[str, Any]]


class KerasForm:
    """What a class in Keras's form finds in its base."""

    # Whether all weights are moved by one call instead of one after the other by a rule.
    moves_together = False

    name: str
    _moved: list[Variable]
    rates: dict[str, Rate]
    gradient_accumulation_steps: int | None
    _count: Variable
    _slots: dict[Variable, dict[str, Variable]]
    _shared: dict[str, Variable]

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Move one variable, by assigning it and the variables that `build` made."""
        raise NotSupportedError(
            f"optimizer '{self.name}'",
            expected="a class of your own that does not call update_step of its base",
            got=f"super().update_step(...) in class {type(self).__name__}",
            fix="Override update(self, weight, gradient, slots, step, rates) and call the base's there.",
        )

    def move_together(
        self, weights: list[Any], gradients: list[Any], slots: Groups, step: Any, rates: dict[str, Any]
    ) -> tuple[list[Any], Groups]:
        """All weights and slots after one step: `update_step` for each of them."""
        groups, shared = slots[: len(weights)], slots[len(weights) :]
        own = [shared[0][key] for key in self._shared] if shared else []
        kept = {self.rates[name]: rate for name, rate in rates.items() if name in self.rates}
        # `iterations` divides the count of batches again.
        count = step * (self.gradient_accumulation_steps or 1)
        held = [*self._moved, *self._shared.values(), *kept, self._count]
        with lend(held, [*weights, *own, *kept.values(), count]) as loan:
            for gradient, variable in zip(gradients, self._moved, strict=True):
                self.update_step(gradient, variable, rates["learning_rate"])
            moved = [loan[variable] for variable in self._moved]
            new = {key: loan[variable] for key, variable in self._shared.items()}
        return moved, [*groups, *([new] if shared else [])]

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A new variable of the optimizer's own.

        Args:
            dtype: its type; None means `floatx()`.
        """
        value = initializers.get(initializer)(tuple(shape), dtype=dtype)
        variable = Variable(value, dtype=value.dtype, trainable=False, name=name or "variable")
        self._shared[str(len(self._shared))] = variable
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new variable of the same shape and type as another one."""
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            f"{reference_variable.path.replace('/', '_')}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """A new variable for each given one; for several names, a tuple of such lists."""
        names = [name] if isinstance(name, str) else list(name)
        kinds = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for place, (each, kind) in enumerate(zip(names, kinds, strict=True)):
                made[place].append(self.add_variable_from_reference(variable, each, kind))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable a new value."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    def _get_variable_index(self, variable: Variable) -> int:
        # Keras's own example of a subclass looks its slots up by this name.
        return [*map(id, self._slots)].index(id(variable))
