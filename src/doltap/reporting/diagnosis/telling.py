"""Findings as they are printed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from doltap.errors import printable
from doltap.reporting.diagnosis.finding import Finding

__all__ = ["show"]

# By how bad a finding is: it hardly learns; it learns less than it could; it is worth knowing.
_COLOURS = {3: "red", 2: "yellow", 1: "cyan"}
_LONGEST = 1000
_INDENT = "  "
_TITLES = {
    "en": ("Diagnosis: nothing found.", "Diagnosis: {count} found, worst first"),
    "ko": ("진단: 문제를 찾지 못했습니다.", "진단: {count}가지를 찾았습니다(심각한 것부터)"),
}


def show(findings: Sequence[Finding], language: str, console: Console | None = None) -> None:
    """Print the findings, a paragraph each; one line where there are none."""
    console = console or Console(highlight=False)
    nothing, title = _TITLES[language]
    if not findings:
        console.print(nothing, markup=False)
        return
    console.print(title.format(count=len(findings)), markup=False)
    for number, finding in enumerate(findings, 1):
        text = Text(f"{number}. ", style=f"bold {_COLOURS[finding.severity]}")
        text.append(printable(finding.text, _LONGEST), style="default not bold")
        text.append(f" {printable(finding.cure, _LONGEST)}", style="default not bold italic")
        for line in text.wrap(console, max(20, console.width - len(_INDENT))):
            line.rstrip()
            console.print(Text(_INDENT) + line, no_wrap=True, soft_wrap=True)
