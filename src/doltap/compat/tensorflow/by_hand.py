"""Layers, losses, metrics and optimizers that a program calls by hand give and take tensors.

`switch_on` puts an answer round the methods through which such calls enter;
`switch_off` takes it away again. Calls of doltap's own go through untouched: they
come with tracers, with borrowed variables, or from inside an answer.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import losses, notes
from doltap.compat.tensorflow import (
    arithmetic,
    branching,
    calls,
    folders,
    freezing,
    given_values,
    layer_calls,
    old_optimizers,
    train_steps,
)
from doltap.compat.tensorflow.checkpoints import Restored
from doltap.compat.tensorflow.dtypes import TensorShape
from doltap.compat.tensorflow.entrances import (
    below,
    close_all,
    enter,
    is_by_hand,
    is_doltaps,
    is_open,
    with_own,
)
from doltap.compat.tensorflow.recording import scope, silently
from doltap.compat.tensorflow.tape import GradientTape
from doltap.compat.tensorflow.tensor import Tensor, Value, as_tensor, is_traced, reading, unwrapped
from doltap.core.explaining import WANTS_VALUES
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, is_forgetting, is_lent, lend
from doltap.layers import Lambda
from doltap.losses import Loss
from doltap.losses.loss import weighted_mean
from doltap.metrics import Metric
from doltap.models import Model
from doltap.models.stepping import Stepping
from doltap.models.trainer import Trainer
from doltap.optimizers import Optimizer
from doltap.training import steps
from doltap.training.steps import OwnStep

__all__ = ["is_by_hand", "is_on", "switch_off", "switch_on"]

_MISSING = object()


def is_on() -> bool:
    """Whether calls by hand give tensors."""
    return is_open()


def switch_on() -> None:
    """From now on, what programs call by hand gives tensors, which tapes follow."""
    if is_open():
        return
    enter(Layer, "__call__", _layer_call)
    enter(Layer, "_traced", _untold)
    enter(Layer, "__init_subclass__", _subclass_made)
    enter(Layer, "losses", _layer_losses)
    enter(Layer, "add_metric", _layer_metric)
    enter(Layer, "metrics", lambda _: property(lambda self: self.inside(Metric)))
    for kind in below(Layer):
        for name in _SHAPED if not is_doltaps(kind) else ():
            if name in vars(kind):
                enter(kind, name, _told_shapes)
    enter(Model, "load_weights", _loading)
    enter(Loss, "__call__", _loss_call)
    enter(Optimizer, "apply", _optimizer_apply)
    enter(Optimizer, "__init_subclass__", _optimizer_made)
    enter(Trainer, "_ordered", _in_order_of_outputs)
    enter(Optimizer, "minimize", _optimizer_minimize)
    for kind in with_own(Layer, "call"):
        if not issubclass(kind, (Model, Lambda)) and kind is not Layer:
            enter(kind, "call", _layer_inner_call)
    for kind in with_own(Metric, "update_state"):
        enter(kind, "update_state", _metric_update)
    for kind in with_own(Metric, "result"):
        enter(kind, "result", _metric_result)
    for name, method in arithmetic.operator_methods().items():
        enter(Variable, name, functools.partial(_variable_operator, method=method))
    enter(Variable, "__getitem__", functools.partial(_variable_operator, method=_piece))
    enter(Variable, "__jax_array__", _variable_array)
    enter(Variable, "value", _variable_value)
    for name, around in (("train_step", _one_step), ("test_step", _one_step), ("compute_loss", _model_loss)):
        enter(Stepping, name, around)
    enter(Stepping, "compiled_loss", _compiled_loss)
    enter(Stepping, "compiled_metrics", lambda _: property(train_steps.CompiledMetrics))
    enter(OwnStep, "of_tensors", lambda _: train_steps.TapeStep)
    branching.enter_all()
    given_values.enter_all()
    freezing.enter_all()
    folders.enter_all()


def switch_off() -> None:
    """Calls by hand give arrays again."""
    close_all()


# Layers.


def _layer_call(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(self: Layer, inputs: Any = None, *arguments: Any, training: Any = None, **keywords: Any) -> Any:
        if inputs is None and keywords:
            inputs = keywords.pop(self._takes[1], None)
        if training is None and _says_training(self, arguments):
            training, arguments = arguments[0], ()
        if is_by_hand(inputs, arguments, keywords):
            return layer_calls.called_layer(before, self, inputs, arguments, training, keywords)
        inputs, arguments, keywords = unwrapped((inputs, arguments, keywords))
        # A class of the user's may have made tensors on the way.
        return unwrapped(before(self, inputs, *arguments, training=training, **keywords))

    return call


def _says_training(layer: Layer, arguments: tuple[Any, ...]) -> bool:
    """Whether `model(x, True)` is meant to say training=True."""
    is_one = len(arguments) == 1 and isinstance(arguments[0], bool)
    return is_one and (layer._takes[2:3] == ("training",) or len(layer._takes) == 2)


def _layer_inner_call(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(self: Layer, *arguments: Any, **keywords: Any) -> Any:
        # Reached with tensors from the call of a class that is made of this one.
        if arguments and isinstance(arguments[0], Tensor) and is_by_hand(arguments, keywords):
            return layer_calls.inner_call(before, self, arguments, keywords)
        return before(self, *arguments, **keywords)

    return call


# The methods of a layer that are told shapes.
_SHAPED = ("build", "compute_output_shape")


def _subclass_made(before: Any) -> Any:
    """Classes of the user's are told shapes as TensorFlow tells them: with `as_list` and the like."""

    def made(cls: Any, **keywords: Any) -> None:
        for name in _SHAPED:
            if name in vars(cls) and not is_doltaps(cls):
                setattr(cls, name, _told_shapes(vars(cls)[name]))
        before.__get__(None, cls)(**keywords)

    return classmethod(made)  # type: ignore[arg-type]


def _told_shapes(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def told(self: Any, *shapes: Any, **named: Any) -> Any:
        return method(self, *map(_as_told, shapes), **{key: _as_told(one) for key, one in named.items()})

    return told


def _as_told(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _as_told(one) for key, one in shape.items()}
    if isinstance(shape, (list, tuple)):
        is_one = all(one is None or isinstance(one, int) for one in shape)
        return TensorShape(shape) if is_one else [_as_told(one) for one in shape]
    return shape


def _untold(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def traced(self: Layer, *arguments: Any, **keywords: Any) -> Any:
        with silently(None):
            return before(self, *arguments, **keywords)

    return traced


def _layer_losses(before: property) -> property:
    def losses(self: Layer) -> list[Any]:
        if not is_by_hand():
            return before.__get__(self)
        costly = [weight for weight in self.trainable_weights if weight.regularizer is not None]
        sizes = [as_tensor(weight.regularizer(reading(weight))) for weight in costly]
        return [*map(as_tensor, self._losses), *sizes]

    return property(losses, doc=before.__doc__)


def _loading(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def load_weights(self: Model, *arguments: Any, **keywords: Any) -> Restored:
        before(self, *arguments, **keywords)
        # Programs go on with .expect_partial().
        return Restored()

    return load_weights


def _layer_metric(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def add_metric(self: Layer, value: Any, *arguments: Any, **keywords: Any) -> None:
        taken = notes.current()
        if taken is None or not any(value is one for one in taken.results):
            before(self, unwrapped(value), *arguments, **keywords)

    return add_metric


# Losses.


def _loss_call(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(self: Loss, y_true: Any, y_pred: Any, sample_weight: Any = None, rows: Any = None) -> Any:
        if not is_by_hand(y_true, y_pred, sample_weight):
            return branching.each_way(before)(self, *unwrapped((y_true, y_pred, sample_weight, rows)))
        given = [None if one is None else as_tensor(one) for one in (y_true, y_pred, sample_weight)]
        if is_doltaps(type(self)) and not isinstance(self, losses.LossFunction):
            return calls.foreign(_function_of(self, before), tuple(given), {})
        y_true, y_pred, weights = given
        y_true = y_true if self.takes_class_numbers else y_true.astype(self.dtype)
        values = as_tensor(self.call(y_true, y_pred.astype(self.dtype)))
        return calls.foreign(weighted_mean, (values, weights), {"reduction": self.reduction})

    return call


def _function_of(loss: Loss, call: Callable[..., Any]) -> Callable[..., Any]:
    """The loss as a function of arrays, the same one for losses that compute the same."""
    settings = tuple(sorted((key, repr(value)) for key, value in loss.get_config().items() if key != "name"))
    key = (type(loss), settings, loss.dtype)
    if key not in _losses:
        _losses[key] = functools.partial(call, loss)
        functools.update_wrapper(_losses[key], type(loss))
    return _losses[key]


_losses: dict[Any, Callable[..., Any]] = {}


# Metrics.


# Programs of metrics and optimizers, which end with them.
_compiled: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def _metric_update(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def update_state(self: Metric, *arguments: Any, **keywords: Any) -> Any:
        given = unwrapped((arguments, keywords))
        if not is_by_hand(arguments, keywords):
            return before(self, *given[0], **given[1])
        with silently():
            if not self.built or not _moves(before, self, *_as_arrays(given)):
                before(self, *given[0], **given[1])

    return update_state


def _as_arrays(given: Any) -> Any:
    return jax.tree.map(
        lambda one: one if isinstance(one, jax.Array) else np.asarray(one),
        given,
        is_leaf=lambda one: isinstance(one, list),
    )


def _moves(function: Callable[..., Any], metric: Metric, arguments: Any, keywords: Any) -> bool:
    """Add a batch by a compiled program; False if the metric wants to look at values."""
    known = _compiled.setdefault(metric, {})
    if function not in known:
        variables, owner = metric.variables, weakref.ref(metric)

        def moved(totals: list[Any], arguments: Any, keywords: Any) -> list[Any]:
            with silently(None), lend(variables, totals) as loan:
                function(owner(), *arguments, **keywords)
                return [loan[variable] for variable in variables]

        known[function] = variables, calls.compiled(moved)
    variables, moved = known[function]
    try:
        arrays = moved([variable.read() for variable in variables], arguments, keywords)
    except WANTS_VALUES:
        return False
    for variable, array in zip(variables, arrays, strict=True):
        _give(variable, array)
    return True


def _give(variable: Variable, array: Any) -> None:
    """Assign an array that nobody else holds."""
    if is_lent(variable) or is_forgetting() or is_traced(array):
        variable.assign(array)
    else:
        variable.array = array


def _metric_result(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def result(self: Metric) -> Any:
        if not is_by_hand():
            return before(self)
        with silently():
            found = _told(before, self) if is_doltaps(type(self)) and self.built else before(self)
        return jax.tree.map(as_tensor, found)

    return result


def _told(function: Callable[..., Any], metric: Metric) -> Any:
    """What the totals come to, by a compiled program unless the metric wants to look at values."""
    known = _compiled.setdefault(metric, {})
    if function not in known:
        variables, owner = metric.variables, weakref.ref(metric)

        def told(totals: list[Any]) -> Any:
            with silently(None), lend(variables, totals):
                return jax.tree.map(jnp.asarray, function(owner()))

        known[function] = variables, calls.compiled(told)
    variables, told = known[function]
    try:
        return told([variable.read() for variable in variables])
    except WANTS_VALUES:
        return function(metric)


# Steps of training.


def _one_step(before: Callable[..., Any]) -> Callable[..., Any]:
    training = before.__name__ == "train_step"

    @functools.wraps(before)
    def step(self: Any, state: Any, data: Any = _MISSING) -> Any:
        if data is _MISSING:
            return train_steps.usual_step(self, state, training=training)
        return before(self, state, data)

    return step


def _model_loss(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def compute_loss(
        self: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if not any(isinstance(leaf, Tensor) for leaf in jax.tree.leaves(y_pred)):
            return before(self, x, y, y_pred, sample_weight, training)
        return train_steps.loss_of(self, self.losses, y, y_pred, sample_weight)

    return compute_loss


def _compiled_loss(_: Any) -> property:
    def loss(model: Any) -> Callable[..., Any]:
        def call(y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
            given = jax.tree.map(as_tensor, y_pred)
            found = train_steps.loss_of(model, regularization_losses or [], y, given, sample_weight)
            steps.note_loss(model, found, jax.tree.leaves(given)[0].shape[0])
            return found

        return call

    return property(loss, doc="Keras 2's `model.compiled_loss(y, y_pred)`.")


def _in_order_of_outputs(before: Callable[..., Any]) -> Callable[..., Any]:
    def ordered(self: Trainer, recipe: Any, pairs: Any) -> Any:
        """As Keras 2: the loss, the losses of the outputs, then the metrics of one output after the other."""
        return pairs if recipe.own_step is None else before(self, recipe, pairs)

    return ordered


# Optimizers.


def _optimizer_made(before: Any) -> Any:
    def made(cls: Any, **keywords: Any) -> None:
        old_optimizers.adopt(cls)
        before.__get__(None, cls)(**keywords) if before else super(Optimizer, cls).__init_subclass__(
            **keywords
        )

    return classmethod(made)  # type: ignore[arg-type]


def _optimizer_apply(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def apply(self: Optimizer, grads: Any, trainable_variables: Any = None) -> None:
        if not is_by_hand(grads):
            return before(self, unwrapped(list(grads)), trainable_variables)
        variables = self._known() if trainable_variables is None else list(trainable_variables)
        gradients = [None if one is None else as_tensor(one) for one in grads]
        is_wide = calls.is_64_bit([variable.read() for variable in variables])
        with silently(), jax.enable_x64(is_wide):
            _step(self, unwrapped(gradients), variables)

    return apply


def _step(optimizer: Optimizer, gradients: list[Any], variables: list[Variable]) -> None:
    """Move the weights by one compiled step."""
    new = [variable for variable in variables if variable not in optimizer._slots]
    if new:
        optimizer.build([*optimizer._slots, *new])
    outer = optimizer._moved
    pairs = optimizer._with_gradients(gradients, variables)
    moved = [variable for _, variable in pairs]
    groups = optimizer.groups_of(moved)
    known = _compiled.setdefault(optimizer, {})
    key = tuple(map(id, moved))
    if key not in known:
        known[key] = moved, calls.compiled(functools.partial(_moved, weakref.ref(optimizer)))
    weights, slots, count = known[key][1](
        [variable.read() for variable in moved],
        [gradient for gradient, _ in pairs],
        [{name: slot.read() for name, slot in group.items()} for group in groups],
        optimizer._count.read(),
        {name: rate.read() for name, rate in optimizer.rates.items()},
    )
    optimizer.groups_of(outer)
    for variable, array in zip(moved, weights, strict=True):
        _give(variable, array)
    for group, arrays in zip(groups, slots, strict=True):
        for name, slot in group.items():
            _give(slot, arrays[name])
    _give(optimizer._count, count)


def _moved(
    optimizer: Any, weights: list[Any], gradients: list[Any], slots: list[Any], count: Any, rates: Any
) -> tuple[list[Any], list[Any], Any]:
    gradients = [one.astype(weight.dtype) for one, weight in zip(gradients, weights, strict=True)]
    moved, slots = optimizer().update_all(weights, gradients, slots, count, rates)
    # A buffer that is handed on unchanged would be two variables'.
    kept = [jnp.asarray(new, old.dtype) for new, old in zip(moved, weights, strict=True)]
    return kept, slots, count + 1


def _optimizer_minimize(_: Any) -> Callable[..., Any]:
    def minimize(
        self: Optimizer, loss: Any, var_list: Any, grad_loss: Any = None, name: Any = None, tape: Any = None
    ) -> Any:
        """Move the variables one step down the loss: a function, or a tensor with its tape."""
        if callable(loss) and not isinstance(loss, Tensor):
            with GradientTape() as tape:
                value = loss()
        else:
            value = loss
        variables = list(var_list() if callable(var_list) else var_list)
        return self.apply_gradients(zip(tape.gradient(value, variables, grad_loss), variables, strict=True))

    return minimize


# Variables.


def _variable_operator(before: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Variable, *others: Any) -> Any:
        if (is_lent(self) and scope.by_hand is not True) or not is_by_hand(others):
            return before(self, *others)
        return method(self, *others)

    return operator


def _piece(variable: Variable, index: Any) -> Any:
    piece = reading(variable)[index]  # type: ignore[index]
    piece.origin = variable, index
    return piece


def _variable_value(before: property) -> property:
    def value(self: Variable) -> Any:
        # A loop that is written in JAX hands it to JAX, which takes arrays only.
        is_for_jax = os.environ.get("KERAS_BACKEND") == "jax"
        return Value(reading(self)) if is_by_hand() and not is_for_jax else before.__get__(self)

    return property(value, doc=before.__doc__)


def _variable_array(before: Callable[..., Any]) -> Callable[..., Any]:
    plain: Any = vars(Variable)["value"]

    def array(self: Variable) -> Any:
        return plain.__get__(self)

    return array
