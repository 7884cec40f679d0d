"""The `doltap` command: what can be done without writing a program.

A command reads its options here and does its work elsewhere; errors that
doltap raises on purpose are printed, not traced.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from doltap import demo
from doltap.errors import DoltapError, UnknownNameError
from doltap.files.glimpse import glimpse
from doltap.reporting import inspecting

__all__ = ["main"]

_COMMANDS = ("demo", "inspect")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status.

    Args:
        arguments: the words after `doltap`; None means those of this process.

    Returns:
        0 when it worked, 1 when doltap raised an error or refuses a file, 2
        when the command line was wrong, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in given if not word.startswith("-")), None)
    if command is not None and command not in _COMMANDS:
        print(f"doltap: {UnknownNameError.of('command', command, _COMMANDS)}", file=sys.stderr)
        return 2
    try:
        options = _parser().parse_args(given or ["--help"])
        if options.command == "inspect":
            return _inspect(options.file, as_json=options.json)
        demo.run(num_epochs=options.epochs, folder=options.out)
    except SystemExit as leaving:
        # argparse leaves after --help, --version and an option it does not know.
        return int(leaving.code or 0)
    except DoltapError as error:
        print(f"doltap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("doltap: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="doltap", description="Neural networks that read like Keras.")
    version = importlib.metadata.version("doltap")
    parser.add_argument("--version", action="version", version=f"doltap {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    shown = commands.add_parser("demo", help="train a small classifier on pictures of clothes")
    shown.add_argument("--epochs", type=_positive_integer, help="how often to go through the training images")
    shown.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        metavar="FOLDER",
        help="where the trained weights go (default: demo-output)",
    )
    looked_at = commands.add_parser(
        "inspect",
        help="tell what a model file holds, and what of it would be refused, without making anything of it",
    )
    looked_at.add_argument(
        "file", type=Path, help="a .keras, .h5, .weights.h5 or .safetensors file, or a folder"
    )
    looked_at.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _inspect(path: Path, *, as_json: bool) -> int:
    """Print what a file holds; 1 where the loader would refuse it."""
    record, refused = glimpse(path)
    found = inspecting.inspected(record, refused)
    files = [path] if path.is_file() else list(path.iterdir())
    size = sum(file.stat().st_size for file in files)
    if as_json:
        # What is not ASCII is written as numbers, and so are a terminal's commands.
        print(json.dumps({"file": str(path), "file_bytes": size, **found}, indent=2, default=str))
    else:
        inspecting.print_inspected(found, str(path), size)
    return 1 if found["refused"] else 0


def _positive_integer(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return int(text)
