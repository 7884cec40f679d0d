"""What the cells of a notebook give: collected as notebooks hold it, and shown in the terminal.

Plain dicts and strings; nothing here needs IPython.
"""

from __future__ import annotations

import base64
import io
import os
from typing import Any, TextIO

__all__ = ["Outputs", "Stream"]

_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}


class Outputs:
    """The outputs of one cell after the other.

    Args:
        shown: where the terminal's text goes.
        folder: where pictures are saved, if they are.
        name: what the files of pictures begin with.
    """

    def __init__(self, shown: TextIO, folder: str | None, name: str) -> None:
        self._shown, self._folder, self._name = shown, folder, name
        self._cell: list[dict[str, Any]] = []
        self._by_id: dict[str, list[dict[str, Any]]] = {}
        self._clears_next = False
        self._count, self._place = 0, 0
        self.num_pictures = 0

    def begin(self, count: int) -> list[dict[str, Any]]:
        """The list in which the outputs of the next cell will be; `count` is its number."""
        self._cell, self._count, self._place, self._clears_next = [], count, 0, False
        return self._cell

    def stream(self, name: str, text: str) -> None:
        """Text that was printed to "stdout" or "stderr"."""
        self._clear_if_due()
        last = self._cell[-1] if self._cell else {}
        if last.get("name") == name:
            last["text"] += text
        elif text:
            self._cell.append({"output_type": "stream", "name": name, "text": text})

    def display(self, data: dict[str, Any], metadata: Any = None, known_as: str | None = None) -> None:
        """Something that was displayed, in all the forms it has."""
        self._add({"output_type": "display_data"}, data, metadata, known_as)

    def result(self, data: dict[str, Any], metadata: Any = None) -> None:
        """What the last line of the cell gave."""
        self._add({"output_type": "execute_result", "execution_count": self._count}, data, metadata)

    def update(self, data: dict[str, Any], metadata: Any, known_as: str) -> None:
        """Put something in the place of what was displayed under a name."""
        for output in self._by_id.get(known_as, []):
            output.update(data=_as_text(data), metadata=metadata or {})

    def error(self, name: str, value: str, lines: list[str]) -> None:
        """The error that ended the cell."""
        self._clear_if_due()
        self._cell.append({"output_type": "error", "ename": name, "evalue": value, "traceback": lines})

    def clear(self, wait: bool = False) -> None:
        """Forget the outputs of the cell: now, or when the next comes."""
        self._clears_next = wait
        if not wait:
            self._cell.clear()

    def _clear_if_due(self) -> None:
        if self._clears_next:
            self.clear()

    def _add(self, output: dict[str, Any], data: Any, metadata: Any, known_as: str | None = None) -> None:
        self._clear_if_due()
        output |= {"data": _as_text(data), "metadata": metadata or {}}
        self._cell.append(output)
        if known_as:
            self._by_id.setdefault(known_as, []).append(output)
        kind = next((kind for kind in _PICTURES if kind in data), None)
        if kind is not None:
            self._keep_picture(output["data"][kind], _PICTURES[kind])
        elif "text/plain" in data:
            print(data["text/plain"], file=self._shown)

    def _keep_picture(self, picture: str, suffix: str) -> None:
        self.num_pictures += 1
        self._place += 1
        if self._folder is None:
            return
        content = picture.encode() if suffix == "svg" else base64.b64decode(picture)
        name = f"{self._name}-cell{self._count}-{self._place}.{suffix}"
        with open(os.path.join(self._folder, name), "wb") as file:
            file.write(content)


def _as_text(data: dict[str, Any]) -> dict[str, Any]:
    """The forms of a thing as a notebook holds them: bytes in base 64."""
    return {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
    }


class Stream(io.TextIOBase):
    """What cells find as `sys.stdout` or `sys.stderr`: the terminal, and the notebook."""

    def __init__(self, name: str, outputs: Outputs, shown: TextIO) -> None:
        super().__init__()
        self.name, self._outputs, self._shown = name, outputs, shown

    def write(self, text: str) -> int:
        """Write the text to both."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._outputs.stream(self.name, text)
        return self._shown.write(text)

    def writable(self) -> bool:
        """Whether it can be written to: always."""
        return True

    def flush(self) -> None:
        """Show what was written."""
        self._shown.flush()

    def fileno(self) -> int:
        """The terminal's, for the programs that cells start."""
        return self._shown.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return getattr(self._shown, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What is done with characters the terminal does not have."""
        return getattr(self._shown, "errors", None) or "strict"
