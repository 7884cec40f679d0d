"""The optimizers of TensorFlow 1, by which `compile` of its first Keras was told how to train."""

from __future__ import annotations

from typing import Any

from doltap import optimizers

__all__ = [
    "AdadeltaOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "RMSPropOptimizer",
]


def AdamOptimizer(  # noqa: N802
    learning_rate: Any = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, **_: Any
) -> Any:
    """Adam, with the words of TensorFlow 1."""
    return optimizers.Adam(learning_rate, beta_1=beta1, beta_2=beta2, epsilon=epsilon)


def GradientDescentOptimizer(learning_rate: Any, **_: Any) -> Any:  # noqa: N802
    """Plain gradient descent."""
    return optimizers.SGD(learning_rate)


def MomentumOptimizer(  # noqa: N802
    learning_rate: Any,
    momentum: float,
    use_locking: bool = False,
    name: str = "",
    use_nesterov: bool = False,
) -> Any:
    """Gradient descent with momentum."""
    return optimizers.SGD(learning_rate, momentum=momentum, nesterov=use_nesterov)


def RMSPropOptimizer(  # noqa: N802
    learning_rate: Any, decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-10, **_: Any
) -> Any:
    """RMSprop, with the words of TensorFlow 1."""
    return optimizers.RMSprop(learning_rate, rho=decay, momentum=momentum, epsilon=epsilon)


def AdagradOptimizer(learning_rate: Any, initial_accumulator_value: float = 0.1, **_: Any) -> Any:  # noqa: N802
    """Adagrad."""
    return optimizers.Adagrad(learning_rate, initial_accumulator_value=initial_accumulator_value)


def AdadeltaOptimizer(  # noqa: N802
    learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-8, **_: Any
) -> Any:
    """Adadelta."""
    return optimizers.Adadelta(learning_rate, rho=rho, epsilon=epsilon)
