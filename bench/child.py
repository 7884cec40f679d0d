"""One measurement in a process of its own; prints one line of JSON."""

from __future__ import annotations

import importlib
import json
import sys

from task import FAMILIES, MODULES, Task


def main() -> None:
    task = Task.from_text(sys.argv[1])
    module = importlib.import_module(f"programs.{MODULES[task.program]}")
    measure = getattr(module, f"{task.program}_in_{FAMILIES[task.peer]}")
    print(json.dumps(measure(task)))


if __name__ == "__main__":
    main()
