"""Losses for sequences without a known alignment: named here, and not there yet."""

from __future__ import annotations

from typing import Any, NoReturn

from doltap.errors import NotSupportedError
from doltap.losses.loss import Formula, functions, names

__all__ = ["CTC", "ctc"]


@functions.register()
def ctc(y_true: Any, y_pred: Any) -> NoReturn:
    """Connectionist temporal classification, which doltap does not have: NotSupportedError."""
    raise NotSupportedError(
        "loss 'ctc'",
        expected="a loss that doltap has",
        got="connectionist temporal classification",
        fix="Give compile a function of your own, f(y_true, y_pred), such as one around optax.ctc_loss.",
    )


@names.register()
class CTC(Formula):
    """Connectionist temporal classification, which doltap does not have: NotSupportedError."""

    function = ctc

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        ctc(None, None)
