"""The rows of the table: what is measured, and what doltap wants to reach.

A ratio is Keras's time over doltap's, so more is better; for memory it is
doltap's share of Keras's, so less is; for a fit that somebody watches it is its
share of the same fit unwatched.
"""

from __future__ import annotations

import dataclasses

__all__ = ["PROGRAMS", "ROWS", "TAKERS", "Row"]


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of one program.

    Args:
        figure: its key in what a measurement gives.
        wanted: the ratio to Keras; None where none was promised.
        compiles: whether compilation takes part, so that a second run is faster.
        against: the program that Keras is measured on, where that is another one.
        share: the key of the ratio, where a measurement gives it itself.
    """

    program: str
    figure: str
    title: str
    wanted: float | None = None
    compiles: bool = False
    against: str = ""
    share: str = ""

    def program_on(self, peer: str) -> str:
        """What the peer was measured on."""
        return self.against if self.against and peer == "keras" else self.program

    @property
    def is_memory(self) -> bool:
        return self.figure == "peak_megabytes"

    @property
    def needs_pictures(self) -> bool:
        return self.program.startswith(("fashion", "early", "predict")) or bool(self.share)

    @property
    def needs_housing(self) -> bool:
        return self.program.startswith("search")

    def ratio(self, doltap: float, keras: float) -> float:
        return doltap / keras if self.is_memory else keras / doltap

    def is_reached(self, ratio: float) -> bool:
        """Whether the ratio is what was wanted."""
        assert self.wanted is not None
        return ratio <= self.wanted if self.is_memory or self.share else ratio >= self.wanted


ROWS = (
    Row("line3000", "seconds", "line3000: 3,000 epochs after the first", 20),
    Row("line3000_whole", "process_seconds", "line3000: the whole process", 3.5, compiles=True),
    Row("fashion_sgd32", "steady_seconds", "fashion_sgd32: a steady epoch", 2),
    Row("fashion_sgd32", "first_seconds", "fashion_sgd32: to the end of the first epoch", 2, compiles=True),
    Row("fashion_sgd32", "peak_megabytes", "fashion_sgd32: peak memory", 1),
    Row("fashion_deep64", "steady_seconds", "fashion_deep64: a steady epoch", 1.5),
    Row("early_stop", "seconds", "early_stop: 8 epochs with compilation", 2.5, compiles=True),
    Row("early_stop", "peak_megabytes", "early_stop: peak memory", 1),
    Row("predict1", "seconds", "predict1: 200 single rows", 8),
    Row(
        "functional50",
        "seconds",
        "functional50: 50 layers built, called and trained for a step",
        2,
        compiles=True,
    ),
    Row("functional50", "build_seconds", "functional50: building alone"),
    Row("search", "seconds", "search: scikit-learn's RandomizedSearchCV", 10, compiles=True),
    Row("search", "peak_megabytes", "search: peak memory", 1),
    Row(
        "search_tune",
        "seconds",
        "search: doltap.tune.RandomizedSearchCV",
        20,
        compiles=True,
        against="search",
    ),
    Row("search_padded", "seconds", "search: the same, pad_widths=True", compiles=True, against="search"),
    Row("tensorboard", "seconds", "a fit with TensorBoard and histograms", 1.15, share="share"),
    Row("live", "seconds", "a fit with LivePlot", 1.1, share="share"),
    Row("diagnose", "seconds", "a fit with Diagnose", 1.05, share="share"),
    Row("import", "seconds", "import", 2),
    Row("import", "process_seconds", "import: the whole process"),
)

# Who is measured on a program that is not for all.
TAKERS = {
    "search": ("doltap", "doltap_again", "keras"),
    "search_tune": ("doltap", "doltap_again"),
    "search_padded": ("doltap", "doltap_again"),
    **dict.fromkeys(("tensorboard", "live", "diagnose"), ("doltap",)),
}

PROGRAMS = tuple(dict.fromkeys(row.program for row in ROWS))
