"""Write docs/old-code.md: every old name, keyword and module path, and what is written today.

The rows stand in `doltap.old_names` and `doltap.old_modules`; a test holds the
page to them.
"""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterable

from doltap.compat import telling

TABLE = pathlib.Path(__file__).with_name("old-code.md")

_OPENING = """# What old programs say, and what is written today

`doltap run program.py` runs programs written for any Keras from 1 to 3, as they are. So does a program that
begins with

```python
import doltap.compat

doltap.compat.install()
```

before its old imports, and a notebook after `%load_ext doltap`. From there on, and only for the imports of
the user's own files, `keras`, `tensorflow.keras`, `tf_keras` and the paths below find doltap, `tensorflow`
is a small facade of doltap's own, and `numpy` has the names it has lost. Installed packages go on seeing what
is really there. A file of the user's gets that by `doltap.compat.real("keras")`, and all files get it after
`doltap.compat.uninstall()`.

`doltap run --explain program.py` ends with the rows that the program used, and the lines that used them;
`doltap run --list-names` prints them all, {total} in number.

`make docs` writes this page from `src/doltap/old_names.py` and `src/doltap/old_modules.py`; a test holds it
to them.
"""


def main() -> None:
    """Write the page."""
    TABLE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The text of docs/old-code.md."""
    rows = list(telling.rows())
    sections = itertools.groupby(rows, key=lambda row: row.kind)
    return _OPENING.format(total=f"{len(rows):,}") + "".join(_section(kind, each) for kind, each in sections)


def _section(kind: str, rows: Iterable[telling.Row]) -> str:
    lines = [f"| `{_cell(row.old)}` | {_today(row.new)} |" for row in rows]
    title = kind[:1].upper() + kind[1:]
    return "\n".join(["", f"## {title}", "", "| written | today |", "| --- | --- |", *lines, ""])


def _today(text: str) -> str:
    """Code as code, and sentences as they are."""
    is_sentence = text.endswith((".", ":")) or text.startswith("nothing") or " or " in text
    return _cell(text) if is_sentence else f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
