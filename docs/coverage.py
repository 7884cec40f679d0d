"""Write docs/coverage.md: which names of Keras are in doltap, which are to come, and why others are not.

What works is asked of the code; why something is missing stands in
`doltap.planned`. `--names` first writes down the names of the Keras that is
installed.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import os
import pathlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from doltap import planned

NAMES = pathlib.Path(__file__).with_name("keras_names.txt")
TABLE = pathlib.Path(__file__).with_name("coverage.md")

_OPENING = """# What of Keras is here

The public names of Keras {version} and the methods of its models, {total:,} in all. {works:,} of them work
under the same name: `import doltap as keras`. {planned:,} are planned, the others are not, and each says
why, here and when it is used.

`make docs` writes this page from the code and `src/doltap/planned.py`; a test holds it to them.

| namespace | works | planned | not planned |
| --- | ---: | ---: | ---: |
"""


def main() -> None:
    """Write the page."""
    if "--names" in sys.argv[1:]:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        NAMES.write_text(listed(importlib.import_module("keras")), encoding="utf-8")
    TABLE.write_text(page(), encoding="utf-8")


def listed(keras: ModuleType) -> str:
    """Keras's version and its public names, one on each line."""
    methods = (f"keras.Model.{name}" for name in dir(keras.Model) if callable(getattr(keras.Model, name)))
    paths = {path for path in (*_public("keras", keras), *methods) if "._" not in path}
    return "\n".join([f"# Keras {keras.__version__}", *sorted(paths)]) + "\n"


def _public(path: str, module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        inner = f"{path}.{name}"
        if not inspect.ismodule(value):
            yield inner
        elif value.__name__ == inner and name != "src":
            yield from _public(inner, value)


@dataclasses.dataclass
class Section:
    """What there is to say of one namespace: the names that work, and the others by their reasons."""

    works: list[str] = dataclasses.field(default_factory=list)
    lacks: dict[planned.Lack, list[str]] = dataclasses.field(default_factory=dict)

    def counts(self) -> list[int]:
        """How many names work, are planned, are not planned."""
        coming = sum(len(names) for lack, names in self.lacks.items() if lack.is_planned)
        missing = sum(len(names) for names in self.lacks.values())
        return [len(self.works), coming, missing - coming]


def page() -> str:
    """The text of docs/coverage.md."""
    first, *names = NAMES.read_text(encoding="utf-8").splitlines()
    sections = sections_of(names)
    totals = [sum(each) for each in zip(*(section.counts() for section in sections.values()), strict=True)]
    rows = [_row(space, section.counts()) for space, section in sections.items()]
    opening = _OPENING.format(version=first.split()[-1], total=len(names), works=totals[0], planned=totals[1])
    return opening + "".join(rows) + "".join(_text(*each) for each in sections.items())


def sections_of(names: list[str]) -> dict[str, Section]:
    """The names of Keras by namespace; what is missing as a whole is one namespace with all below it."""
    sections: dict[str, Section] = {}
    for name in names:
        path = name.removeprefix("keras.")
        space = _missing_space(path) or path.rpartition(".")[0]
        section = sections.setdefault(f"keras.{space}".rstrip("."), Section())
        shown = path.removeprefix(f"{space}.")
        lack = None if works(path) else planned.lack_of(path)
        if works(path):
            section.works.append(shown)
        elif lack is None:
            raise LookupError(f"{name} does not work, and doltap.planned does not say why")
        else:
            section.lacks.setdefault(lack, []).append(shown)
    return dict(sorted(sections.items()))


def _missing_space(path: str) -> str:
    """The topmost namespace above the path that is not there; empty where all are."""
    parts = path.split(".")
    spaces = [".".join(parts[:end]) for end in range(1, len(parts))]
    return next((space for space in spaces if found(space) is None), "")


@functools.cache
def works(path: str) -> bool:
    """Whether the path below doltap leads to something, and that does more than to say it is not there."""
    place, _, name = path.rpartition(".")
    # A name that is here only to say why it is not has a row of its own.
    if any(name in lack.names for lack in planned.LACKS.get(place, ())):
        return False
    return found(path) is not None


@functools.cache
def found(path: str) -> Any:
    """What stands at the path below doltap; None where there is nothing."""
    thing: Any = importlib.import_module("doltap")
    for name in path.split("."):
        thing = getattr(thing, name, None)
    return thing


def _row(space: str, counts: list[int]) -> str:
    shown = " | ".join(str(count or "") for count in counts)
    return f"| [`{space}`](#{space.replace('.', '').lower()}) | {shown} |\n"


def _text(space: str, section: Section) -> str:
    lines = [f"\n## {space}\n"]
    if section.works:
        lines.append(f"**Works**: {_quoted(section.works)}\n")
    for lack, names in sorted(section.lacks.items(), key=lambda each: not each[0].is_planned):
        lines.append(f"**{lack.fate.capitalize()}**: {_quoted(names)}. {lack.why}\n")
    return "\n".join(lines)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    main()
