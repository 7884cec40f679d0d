"""What of scikit-learn the searches are made of.

It is an optional package: everything of it comes through here, and so through the one gate.
"""

from typing import Any

from doltap.errors import optional_package

__all__ = ["base", "exceptions", "metaestimators", "metrics", "model_selection", "multiclass", "utils"]

_PURPOSE = "doltap.tune"

optional_package("sklearn", extra="sklearn", purpose=_PURPOSE)
base: Any = optional_package("sklearn.base", extra="sklearn", purpose=_PURPOSE)
exceptions: Any = optional_package("sklearn.exceptions", extra="sklearn", purpose=_PURPOSE)
metaestimators: Any = optional_package("sklearn.utils.metaestimators", extra="sklearn", purpose=_PURPOSE)
metrics: Any = optional_package("sklearn.metrics", extra="sklearn", purpose=_PURPOSE)
model_selection: Any = optional_package("sklearn.model_selection", extra="sklearn", purpose=_PURPOSE)
multiclass: Any = optional_package("sklearn.utils.multiclass", extra="sklearn", purpose=_PURPOSE)
utils: Any = optional_package("sklearn.utils", extra="sklearn", purpose=_PURPOSE)
