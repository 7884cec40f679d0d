"""What of scikit-learn the estimators are made of.

It is an optional package: everything of it comes through here, and so through the one gate.
"""

from typing import Any

from doltap.errors import optional_package

__all__ = ["base", "class_weight", "metrics", "multiclass", "validation"]

_PURPOSE = "doltap.wrappers"

optional_package("sklearn", extra="sklearn", purpose=_PURPOSE)
base: Any = optional_package("sklearn.base", extra="sklearn", purpose=_PURPOSE)
class_weight: Any = optional_package("sklearn.utils.class_weight", extra="sklearn", purpose=_PURPOSE)
metrics: Any = optional_package("sklearn.metrics", extra="sklearn", purpose=_PURPOSE)
multiclass: Any = optional_package("sklearn.utils.multiclass", extra="sklearn", purpose=_PURPOSE)
validation: Any = optional_package("sklearn.utils.validation", extra="sklearn", purpose=_PURPOSE)
