"""Optimizers that programs wrote for TensorFlow 2.10 and before.

A class with `_resource_apply_dense` is given `OldForm` for its base, which has
what its base had, and calls its methods where those of today would be called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.recording import silently
from doltap.compat.tensorflow.tensor import as_tensor, unwrapped
from doltap.core.tensors import Rate, Variable
from doltap.optimizers import Optimizer, schedules

__all__ = ["OldForm", "adopt"]

_STEP = "_resource_apply_dense"


def adopt(kind: type[Optimizer]) -> None:
    """Give a class of the old form the base it was written for."""
    if _STEP in vars(kind) and not issubclass(kind, OldForm):
        kind.__bases__ = tuple(OldForm if base is Optimizer else base for base in kind.__bases__)


class _TypeName(str):
    """The type of a variable, by name as doltap has it, with what TensorFlow's types have."""

    __slots__ = ()

    @property
    def base_dtype(self) -> dtypes.DType:
        """The type as one of TensorFlow's."""
        return dtypes.as_dtype(str(self))


@contextmanager
def _with_type(variable: Variable) -> Iterator[None]:
    """Inside the `with`, the variable's type has the attributes of TensorFlow's."""
    before: Any = variable.dtype
    variable.dtype = _TypeName(before) if isinstance(before, str) else before
    try:
        yield
    finally:
        variable.dtype = before


class OldForm(Optimizer):
    """The base of optimizers before TensorFlow 2.11: numbers by name, and slots by variable and name.

    Args:
        name: what it is called.
        keywords: lr, decay, clipnorm, clipvalue and global_clipnorm.
    """

    def __init__(
        self, name: str, gradient_aggregator: Any = None, gradient_transformers: Any = None, **keywords: Any
    ) -> None:
        rate = keywords.pop("lr", keywords.pop("learning_rate", 0.001))
        self._initial_decay = keywords.pop("decay", 0.0)
        super().__init__(rate, name=name, **keywords)
        self._slot_of: dict[tuple[int, str], Variable] = {}
        self._rate_now: Any = None

    def build(self, variables: Iterable[Variable]) -> None:  # type: ignore[override]
        """Let the class make its slots."""
        self._create_slots([one for one in variables if one not in self._slots])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Let the class move one variable."""
        self._rate_now = learning_rate
        with silently(True), _with_type(variable):
            getattr(self, _STEP)(as_tensor(gradient), variable)

    def get_config(self) -> dict[str, Any]:
        """The name, and how gradients are clipped: the class adds its numbers."""
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        return {"name": self.name, **{name: value for name, value in clips.items() if value is not None}}

    # What the classes call.

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        """Make no slots, unless the class makes some."""

    def add_slot(
        self, var: Variable, slot_name: str, initializer: Any = "zeros", shape: Any = None
    ) -> Variable:
        """A new variable of the shape of another one, under a name."""
        made = self.add_variable_from_reference(var, slot_name, initializer)
        return self._slot_of.setdefault((id(var), slot_name), made)

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """What `add_slot` made for the variable under the name."""
        return self._slot_of[id(var), slot_name]

    def get_slot_names(self) -> list[str]:
        """The names that `add_slot` was given."""
        return list(dict.fromkeys(name for _, name in self._slot_of))

    def _set_hyper(self, name: str, value: Any) -> None:
        """Keep a number that may change while training."""
        if name == "learning_rate":
            self._set_learning_rate(value)
        elif name != "decay" or value:
            self.rates[name] = Rate(value, name=name)
            self.has_decay = self.has_decay or name == "decay"

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """The number that `_set_hyper` kept, as a tensor."""
        value: Any = self.learning_rate if name == "learning_rate" else self.rates.get(name, 0.0)
        value = as_tensor(value.read() if isinstance(value, Rate) else value)
        return value if dtype is None else as_tensor(unwrapped(value).astype(dtypes.as_dtype(dtype).dtype))

    def _decayed_lr(self, var_dtype: Any) -> Any:
        """The learning rate of the step at hand."""
        rate = as_tensor(self._rate_now)
        return as_tensor(unwrapped(rate).astype(dtypes.as_dtype(var_dtype).dtype))

    def _serialize_hyperparameter(self, name: str) -> Any:
        """The number as `get_config` writes it."""
        if name == "learning_rate" and self.schedule is not None:
            return schedules.serialize(self.schedule)
        value: Any = self.learning_rate if name == "learning_rate" else self.rates.get(name, 0.0)
        return float(value)
