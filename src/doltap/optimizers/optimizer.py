"""The object users hold: it counts steps, keeps the rates and remembers the slots.

What one weight does with its gradient is the business of the rules, and what
happens around them that of the passes; the walk over all weights is written
once, here, as a pure function.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, old_names
from doltap.core.tensors import Rate, Variable
from doltap.errors import DataError, MissingAttributeError, NotSupportedError, closest, printable
from doltap.optimizers import options, passes, schedules
from doltap.optimizers.keras_form import KerasForm
from doltap.optimizers.schedules import LearningRateSchedule
from doltap.registry import Configured, Names, arguments_of, check_arguments, snake_case

__all__ = ["Optimizer"]

Slots = dict[str, Any]
Groups = list[dict[str, Any]]

names = Names("optimizer")

_WRITTEN = (
    "weight_decay",
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


def _giving_slots(build: Callable[..., Any]) -> Callable[..., Any]:
    """A `build` in Keras's form, which returns nothing, made to return the slots."""

    @functools.wraps(build)
    def giving(self: Any, variables: Iterable[Variable]) -> Groups:
        variables = list(variables)
        build(self, variables)
        return Optimizer.build(self, variables)

    return giving


class Optimizer(KerasForm, Configured):
    """Moves weights against their gradients.

    A rule overrides `slots(weight)`, which gives the arrays it wants to remember
    for a weight, and `update(weight, gradient, slots, step, rates)`. A class in
    Keras's form, with `build` and `update_step`, works too.

    Args:
        learning_rate: how far a step goes: a number, a schedule, or a function
            without arguments that is asked before each stretch of steps.
            `lr=` is the older word for it.
        weight_decay: share of the learning rate by which weights shrink at each step.
        clipnorm: the longest that the gradient of one weight may be.
        clipvalue: the largest that a number in a gradient may be.
        global_clipnorm: the longest that all gradients taken as one may be.
        use_ema: whether to keep a moving average of the weights.
        ema_momentum: share of that average that is kept at each step.
        ema_overwrite_frequency: after how many updates the average takes the
            place of the weights; None means at the end of `fit`.
        loss_scale_factor: how many times larger the loss is made before it is
            differentiated, so that half precision does not lose small gradients.
        gradient_accumulation_steps: of how many batches the gradients make one update.
    """

    # The slots that stand behind all others in Keras's files, each kind by itself.
    slots_apart: tuple[str, ...] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if cls.update_step is not KerasForm.update_step:
            cls.moves_together = True
            if "build" in vars(cls):
                cls.build = _giving_slots(cls.build)  # type: ignore[method-assign]

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        self.name = name or config.next_name(snake_case(type(self).__name__))
        self.built = False
        modern = old_names.translate("optimizer", keywords)
        learning_rate, decay = modern.pop("learning_rate", learning_rate), modern.pop("decay", None)
        check_arguments(
            type(self).__name__, modern, [*arguments_of(type(self)), *arguments_of(Optimizer), "decay"]
        )
        self._count = Variable(np.int32(0), dtype="int32", trainable=False, name="iteration")
        self._count.path = f"{self.name}/iteration"
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = bool(use_ema), ema_momentum
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        options.check(self)
        # Whether `scaled_loss` is more than the loss.
        self.scales_loss = loss_scale_factor is not None
        self.iterations: Variable = self._count
        if gradient_accumulation_steps:
            self.iterations = options.Iterations(self._count, self._count, gradient_accumulation_steps)
        # The numbers that may change while training, by name.
        self.rates: dict[str, Rate] = {}
        self.schedule: LearningRateSchedule | None = None
        self._set_learning_rate(learning_rate)
        self._slots: dict[Variable, dict[str, Variable]] = {}
        self._shared: dict[str, Variable] = {}
        # The weights of the step at hand, what constrains them, and by which rate each one decays.
        self._moved: list[Variable] = []
        self.constraints: list[Callable[[Any], Any] | None] = []
        self.decays: list[str | None] = []
        self._undecayed: tuple[list[Variable], list[str]] = ([], [])
        self.weight_decay = weight_decay
        self.has_decay = bool(decay)
        old_names.note_kept("optimizer", ["decay"] if self.has_decay else [])
        if self.has_decay:
            self.rates["decay"] = Rate(options.checked_amount("decay", decay), name="decay")

    # What a rule overrides.

    def slots(self, weight: Variable) -> Slots:
        """The arrays to remember for a weight, as they are before the first step."""
        return {}

    def update(self, weight: Any, gradient: Any, slots: Slots, step: Any, rates: dict[str, Any]) -> Any:
        """The weight and its slots after one step.

        Args:
            step: number of this step, from 1, as a float.
            rates: the numbers that may change while training, by name.
        """
        raise NotSupportedError(
            f"optimizer '{self.name}'",
            expected="a method update(self, weight, gradient, slots, step, rates)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it returns the weight and the slots after one step. "
            "Keras's form, build and update_step(self, gradient, variable, learning_rate), works too.",
        )

    def update_shared(self, shared: Slots, step: Any, rates: dict[str, Any]) -> Slots:
        """The arrays for all weights in this step; `update` finds them among the rates."""
        return shared

    def decay_of(self, weight: Variable) -> str | None:
        """The name of the rate by which a weight decays; None where it does not."""
        return "weight_decay" if "weight_decay" in self.rates and not self.is_undecayed(weight) else None

    def is_undecayed(self, weight: Variable) -> bool:
        """Whether the weight was left out of the weight decay."""
        variables, patterns = self._undecayed
        is_listed = any(weight is one for one in variables)
        return is_listed or any(re.search(pattern, weight.name) for pattern in patterns)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        rate = schedules.serialize(self.schedule) if self.schedule else float(self.learning_rate)
        if isinstance(self.rates.get("learning_rate"), options.AskedRate):
            raise NotSupportedError(
                f"optimizer '{self.name}'",
                expected="a learning_rate that can be written down",
                got="a function",
                fix="Subclass optimizers.schedules.LearningRateSchedule, with __call__ and get_config.",
            )
        decay = {"decay": options.shown(self.rates["decay"])} if self.has_decay else {}
        written = {name: getattr(self, name) for name in _WRITTEN}
        return {"name": self.name, "learning_rate": rate, **written, **decay}

    # The walk over all weights.

    def update_all(
        self,
        weights: Sequence[Any],
        gradients: Sequence[Any],
        slots: Sequence[Slots],
        step: Any,
        rates: dict[str, Any],
        around: Sequence[Callable[..., Any]] | None = None,
    ) -> tuple[list[Any], Groups]:
        """All weights and slots after one step; a pure function of arrays.

        Args:
            step: how many steps came before.
            around: the passes still to go through; None means all that are asked for.
        """
        if around is None:
            around = [each for option, each in passes.IN_ORDER if getattr(self, option)]
        if around:
            inner = functools.partial(self.update_all, around=around[1:])
            return around[0](self, inner, weights, gradients, slots, step, rates)
        number = (step + 1).astype(dtypes.wide())
        moved = [
            self.update(weight, gradient, slot, number, rates)
            for weight, gradient, slot in zip(weights, gradients, slots, strict=True)
        ]
        return [weight for weight, _ in moved], [slot for _, slot in moved]

    def scaled_loss(self, loss: Any, slots: Groups) -> Any:
        """The loss that is differentiated, whose gradients `update_all` takes."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # What users hold.

    weight_decay = options.rate_property(
        "weight_decay", options.checked_amount, "Share of the learning rate by which weights shrink."
    )

    @property
    def learning_rate(self) -> Any:
        """How far a step goes; set it to any number at any time, also in the middle of training."""
        return schedules.rate_at(self.schedule, self._count) if self.schedule else self.rates["learning_rate"]

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        rate = self.rates.get("learning_rate")
        if isinstance(rate, Rate) and not isinstance(rate, options.AskedRate) and not _is_function(value):
            rate.assign(options.checked_rate(self.name, value))
        elif not self.built and _is_function(value):
            self._set_learning_rate(value)
        else:
            raise NotSupportedError(
                f"optimizer '{self.name}'",
                expected="a learning rate that is a number, to set another number"
                if not _is_function(value)
                else "a number, now that training has begun",
                got=f"{type(self.schedule or value).__name__} as its learning_rate",
                fix="Make a new optimizer with it, and compile the model again.",
            )

    @property
    def lr(self) -> Any:
        """The older name of the learning rate."""
        old_names.note("attribute", "optimizer.lr", "optimizer.learning_rate")
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        old_names.note("attribute", "optimizer.lr", "optimizer.learning_rate")
        self.learning_rate = value

    def _set_learning_rate(self, value: Any) -> None:
        """Take a number, a schedule or a function as the learning rate."""
        self.rates.pop("learning_rate", None)
        if isinstance(value, (dict, LearningRateSchedule)):
            self.schedule = schedules.get(value)
            return
        self.schedule = None
        if _is_function(value):
            self.rates["learning_rate"] = options.AskedRate(value, self.name)
        else:
            rate = options.checked_rate(self.name, value)
            self.rates = {"learning_rate": Rate(rate, name="learning_rate"), **self.rates}

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some weights out of the weight decay; to be said before training.

        Args:
            var_list: these variables.
            var_names: those in whose name one of these patterns is found.
        """
        if self.built:
            raise NotSupportedError(
                f"optimizer '{self.name}'",
                expected="exclude_from_weight_decay before training",
                got="a call after it",
                fix="Call it before the first fit, or make a new optimizer.",
            )
        self._undecayed = (list(var_list or ()), list(var_names or ()))

    def build(self, variables: Iterable[Variable]) -> Groups:
        """The slots of each weight, in order, made for those seen for the first time."""
        self._moved = list(variables)
        limits = [weight.constraint for weight in self._moved]
        self.constraints = [] if limits.count(None) == len(limits) else limits
        if any(name.endswith("weight_decay") for name in self.rates):
            self.decays = [self.decay_of(weight) for weight in self._moved]
        for weight in self._moved:
            if weight in self._slots:
                continue
            start = {name: zeros_like(weight) for option, name in passes.SLOTS if getattr(self, option)}
            stem = weight.path.replace("/", "_")
            self._slots[weight] = {
                name: Variable(array, dtype=array.dtype, trainable=False, name=f"{stem}_{name}")
                for name, array in {**start, **self.slots(weight)}.items()
            }
            for slot in self._slots[weight].values():
                slot.path = f"{self.name}/{slot.name}"
        self.built = self.built or bool(self._moved)
        shared = [self._shared] if self._shared else []
        return [*(self._slots[weight] for weight in self._moved), *shared]

    def groups_of(self, variables: Iterable[Variable]) -> Groups:
        """The slots of some of the weights it was built with; the next step is theirs."""
        return Optimizer.build(self, variables)

    @property
    def is_built(self) -> bool:
        """Whether there are slots, because it was used."""
        return self.built

    @property
    def variables(self) -> list[Variable]:
        """The step count, the learning rate, then the slots, in the order of Keras's files."""
        groups = list(self._slots.values())
        before = [name for _, name in passes.SLOTS]
        apart = {*before, *self.slots_apart}
        rate = self.rates.get("learning_rate")
        return [
            self._count,
            *([] if rate is None or isinstance(rate, options.AskedRate) else [rate]),
            *(group[name] for name in before for group in groups if name in group),
            *(slot for group in groups for name, slot in group.items() if name not in apart),
            *(group[name] for name in self.slots_apart for group in groups if name in group),
            *self._shared.values(),
        ]

    def save_own_variables(self, store: Any) -> None:
        """Put its variables into a dict, as "0", "1" and so on, for a file."""
        store.update((str(number), variable) for number, variable in enumerate(self.variables))

    def load_own_variables(self, store: Any) -> None:
        """Take up what `save_own_variables` put into a dict."""
        for number, variable in enumerate(self.variables):
            variable.assign(store[str(number)])

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Move each weight by its gradient: one step, outside `fit`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Move the weights by their gradients: one step, outside `fit`.

        Args:
            trainable_variables: the weights; None means those of `build`. One whose
                gradient is None stays where it is.
        """
        variables = self._known() if trainable_variables is None else list(trainable_variables)
        _check_count(self.name, grads, variables)
        new = [variable for variable in variables if variable not in self._slots]
        if new:
            self.build([*self._slots, *new])
        outer = self._moved
        pairs = self._with_gradients(grads, variables)
        groups = self.groups_of([variable for _, variable in pairs])
        weights, moved = self.update_all(
            [variable.read() for _, variable in pairs],
            [jnp.asarray(gradient, variable.dtype) for gradient, variable in pairs],
            [{name: slot.read() for name, slot in group.items()} for group in groups],
            self._count.read(),
            {name: rate.read() for name, rate in self.rates.items()},
        )
        self.groups_of(outer)
        for (_, variable), array in zip(pairs, weights, strict=True):
            variable.assign(array)
        for group, arrays in zip(groups, moved, strict=True):
            for name, slot in group.items():
                slot.assign(arrays[name])
        self._count.assign_add(1)

    def _known(self) -> list[Variable]:
        if not self.built:
            raise NotSupportedError(
                f"optimizer '{self.name}'",
                expected="to know its weights",
                got="a call before it was built",
                fix="First: optimizer.build(model.trainable_variables).",
            )
        return list(self._slots)

    def _with_gradients(
        self, gradients: Sequence[Any], variables: Sequence[Variable]
    ) -> list[tuple[Any, Variable]]:
        """The pairs that have a gradient; a warning names the others."""
        pairs = list(zip(gradients, variables, strict=True))
        missing = [variable.name for gradient, variable in pairs if gradient is None]
        if missing and len(missing) == len(pairs):
            raise DataError(
                f"optimizer '{self.name}'",
                expected="a gradient for at least one weight",
                got="None for all of them",
                fix="Does the loss depend on the weights?",
            )
        if missing:
            warnings.warn(f"No gradient for {printable(', '.join(missing), None)}: not moved.", stacklevel=3)
        return [pair for pair in pairs if pair[0] is not None]

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """The weights and the optimizer's variables after one step; a pure function of arrays.

        Args:
            optimizer_variables: arrays for `variables`, in their order.
            grads: arrays for the weights it was built with.
            trainable_variables: the weights themselves, as arrays.
        """
        weights, variables = self._known(), self.variables
        _check_count(self.name, grads, trainable_variables)
        _check_count(self.name, trainable_variables, weights)
        _check_count(self.name, optimizer_variables, variables)
        held = dict(zip(variables, map(jnp.asarray, optimizer_variables), strict=True))
        rates = {name: held.get(rate, rate.read()) for name, rate in self.rates.items()}
        groups = self.groups_of(weights)
        arrays = [{name: held[slot] for name, slot in group.items()} for group in groups]
        moved, arrays = self.update_all(
            list(map(jnp.asarray, trainable_variables)),
            list(map(jnp.asarray, grads)),
            arrays,
            held[self._count],
            rates,
        )
        held[self._count] = held[self._count] + 1
        for group, new in zip(groups, arrays, strict=True):
            held.update((slot, new[name]) for name, slot in group.items())
        return moved, [held[variable] for variable in variables]

    def scale_loss(self, loss: Any) -> Any:
        """The loss whose gradients `apply` takes, for a training loop of one's own."""
        groups = self.groups_of(self._moved)
        return self.scaled_loss(
            loss, [{name: slot.read() for name, slot in group.items()} for group in groups]
        )

    def averages(self) -> list[tuple[Variable, Variable]]:
        """Each weight with its moving average, where averages are kept."""
        return [(weight, slots["average"]) for weight, slots in self._slots.items() if self.use_ema]

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the moving averages in the place of the weights, where averages are kept."""
        for variable in var_list if self.use_ema else ():
            variable.assign(self._slots[variable]["average"].read())

    def __getattr__(self, name: str) -> Any:
        # No property: a class of the user's may keep a number of its own under the name.
        if name == "decay" and "rates" in vars(self):
            return self.rates.get("decay", 0.0)
        guess = None if name.startswith("_") else closest(name, _public(self))
        raise MissingAttributeError(
            type(self).__name__,
            expected="an attribute it has",
            got=f"'{name}'",
            fix=f"Did you mean '{guess}'?" if guess else f"See help({type(self).__name__}).",
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={float(self.learning_rate):g}>"


def zeros_like(weight: Any) -> np.ndarray:
    """A slot of zeros for a weight, made on the host so that nothing is compiled."""
    return np.zeros(weight.shape, jax.dtypes.canonicalize_dtype(weight.dtype))


def _public(thing: Any) -> list[str]:
    return [name for name in (*dir(type(thing)), *vars(thing)) if not name.startswith("_")]


def _is_function(value: Any) -> bool:
    return callable(value) and not hasattr(value, "__float__")


def _check_count(name: str, given: Sequence[Any], known: Sequence[Any]) -> None:
    if len(given) != len(known):
        raise DataError(
            f"optimizer '{name}'",
            expected=f"{len(known)} arrays, one for each variable",
            got=str(len(given)),
            fix="Give them in the order of the variables it was built with.",
        )
