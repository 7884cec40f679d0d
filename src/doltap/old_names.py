"""Every old name and keyword, and what it is called now.

Only data and the one function that applies it; the table works everywhere,
without being switched on.
"""

from __future__ import annotations

from typing import Any

__all__ = ["KEYWORDS", "translate"]

# family -> {old keyword: keyword of today}
KEYWORDS: dict[str, dict[str, str]] = {
    "optimizer": {"lr": "learning_rate"},
    "dense": {"output_dim": "units", "init": "kernel_initializer", "bias": "use_bias"},
    "dropout": {"p": "rate"},
    "fit": {"nb_epoch": "epochs"},
}


def translate(family: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords under the names they have today.

    >>> translate("optimizer", {"lr": 0.1})
    {'learning_rate': 0.1}
    """
    table = KEYWORDS[family]
    return {table.get(name, name): value for name, value in keywords.items()}
