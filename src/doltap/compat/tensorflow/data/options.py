"""`tf.data.Options`: what may be chosen about how data is read. Nothing of it changes anything here."""

from __future__ import annotations

from typing import Any

__all__ = ["Options"]


class Options:
    """Whatever a program sets, and None for the rest.

    >>> options = Options()
    >>> options.autotune.enabled = True
    >>> options.autotune.enabled, options.deterministic
    (True, None)
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("autotune", "threading", "experimental_optimization", "experimental_distribute"):
            return vars(self).setdefault(name, Options())
        if name in ("experimental_threading", "experimental_slack"):
            return vars(self).setdefault(name, Options())
        return None
