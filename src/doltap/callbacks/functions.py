"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doltap.callbacks.callback import HOOKS, Callback
from doltap.errors import DataError
from doltap.registry import check_arguments

__all__ = ["LambdaCallback"]


class LambdaCallback(Callback):
    """Calls your functions at the moments whose names you give them.

    Functions of epochs receive `epoch, logs`, those of batches `batch, logs`, the
    others `logs`. A moment without a function costs nothing.

    Args:
        keywords: functions for the other hooks of Callback, such as `on_test_end`.

    >>> said = LambdaCallback(on_train_begin=lambda logs: print("here we go"))
    >>> said.on_train_begin({})
    here we go
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__()
        # The two that receive instead of hearing may be replaced as well, as in Keras.
        check_arguments("LambdaCallback", keywords, [*HOOKS, "set_model", "set_params"])
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **keywords,
        }
        for name, function in functions.items():
            if function is not None and not callable(function):
                raise DataError(
                    f"LambdaCallback({name})",
                    expected="a function",
                    got=repr(function),
                    fix=f"For example {name}=lambda *heard: print(heard).",
                )
        # On the object, so that the engine sees which moments are listened to.
        vars(self).update({name: each for name, each in functions.items() if each is not None})
