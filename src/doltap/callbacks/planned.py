"""Callbacks that Keras has and doltap has not yet: their names say so."""

from __future__ import annotations

from typing import Any

from doltap.callbacks.callback import Callback
from doltap.errors import NotSupportedError

__all__ = ["RemoteMonitor"]


class _Planned(Callback):
    instead = ""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        raise NotSupportedError(
            type(self).__name__,
            expected="a callback that doltap has",
            got="one that is not there yet",
            fix=self.instead,
        )


class RemoteMonitor(_Planned):
    """Will send every epoch to a server; not there yet."""

    instead = "For now, send it yourself with LambdaCallback(on_epoch_end=...)."
