"""The `doltap` command: what can be done without writing a program.

A command reads its options here and does its work elsewhere; errors that
doltap raises on purpose are printed, not traced.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doltap.errors import DoltapError, UnknownNameError

__all__ = ["main"]

_COMMANDS = ("demo", "inspect", "play", "report", "run")


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
    except SystemExit as leaving:
        # argparse leaves after --help, --version and an option it does not know.
        return int(leaving.code or 0)
    if options.command == "run":
        return _run(options, given)
    try:
        if options.command == "inspect":
            return _inspect(options.file, as_json=options.json)
        if options.command == "play":
            return _play(options)
        if options.command == "report":
            return _report(options.folder, options.out, options.language)
        demo = importlib.import_module("doltap.demo")
        demo.run(num_epochs=options.epochs, folder=options.out)
    except DoltapError as error:
        print(f"doltap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("doltap: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="doltap", description="Neural networks that read like Keras.")
    parser.add_argument("--version", action=_Version, nargs=0, help="tell the version and leave")
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
    _add_play(commands)
    _add_report(commands)
    _add_run(commands)
    return parser


class _Version(argparse.Action):
    """What `--version` does. To look the version up takes longer than many a command."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        print(f"doltap {importlib.import_module('importlib.metadata').version('doltap')}")
        parser.exit()


def _add_play(commands: Any) -> None:
    shown = commands.add_parser("play", help="open a page on which a small network trains as you watch")
    shown.add_argument("--port", type=_port, help="the port of the page's address (default: a free one)")
    shown.add_argument("--data", type=Path, metavar="TABLE.CSV", help="a table of your own to begin with")
    shown.add_argument("--language", help="en or ko (default: that of the system)")
    shown.add_argument("--no-browser", action="store_true", help="print the address and open nothing")


def _play(options: argparse.Namespace) -> int:
    serve = importlib.import_module("doltap.play").serve
    serve(
        port=options.port, data=options.data, language=options.language, opens_browser=not options.no_browser
    )
    return 0


def _add_report(commands: Any) -> None:
    compared = commands.add_parser(
        "report", help="write a page that compares the trainings whose logs a folder holds"
    )
    compared.add_argument(
        "folder", type=Path, help="what TensorBoard, CSVLogger or a search wrote, at any depth"
    )
    compared.add_argument(
        "--out", default="report.html", metavar="FILE", help="the page (default: report.html)"
    )
    compared.add_argument("--language", help="en or ko (default: DOLTAP_LANG, then the locale)")


def _add_run(commands: Any) -> None:
    shown = commands.add_parser(
        "run",
        help="run a program or a notebook written for Keras or TensorFlow, of any age",
        usage="doltap run [options] (program.py | notebook.ipynb | -m module | -c code) [arguments]",
    )
    shown.add_argument("program", nargs=argparse.REMAINDER, help="the program, and its own arguments")
    shown.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, as python -m does")
    shown.add_argument("-c", dest="code", nargs=argparse.REMAINDER, help="run this code")
    shown.add_argument(
        "--explain", action="store_true", help="end with what was translated, and how it is written today"
    )
    shown.add_argument("--list-names", action="store_true", help="print every old name that is understood")
    shown.add_argument("--figures", metavar="FOLDER", help="save figures there instead of showing them")
    shown.add_argument("--out", metavar="FILE", help="notebooks: write the executed notebook there")
    shown.add_argument("--allow-errors", action="store_true", help="notebooks: go on after a cell that fails")


def _run(options: argparse.Namespace, given: list[str]) -> int:
    """Run a program; what it raises, and how it exits, is left to Python, as if it ran alone."""
    if options.list_names:
        _compat("telling").list_names()
        return 0
    words = options.module or options.code or options.program
    if not words:
        print(
            "doltap run: expected a program, got none.\n  For example: doltap run program.py", file=sys.stderr
        )
        return 2
    is_notebook = words == options.program and words[0].endswith(".ipynb")
    try:
        if is_notebook:
            # A notebook has no arguments of its own: options may follow it, too.
            place = len(given) - len(words)
            options = _parser().parse_args([*given[:place], *given[place + 1 :], words[0]])
            program = _compat("notebooks").read(options.program)
            _compat("notebooks").check_target(options.out)
        else:
            program = _program(options, words)
        if options.figures:
            _compat("mending").keep_figures(options.figures)
    except DoltapError as error:
        print(f"doltap: {error}", file=sys.stderr)
        return 2
    if options.explain:
        telling = _compat("telling")
        telling.listen()
        # After the last word of the program, however it ends.
        atexit.register(telling.explain)
    if not is_notebook:
        _compat("running").run(program)
        return 0
    try:
        return _compat("notebooks").run(program, options.out, goes_on=options.allow_errors)
    except DoltapError as error:
        print(f"doltap: {error}", file=sys.stderr)
        return 1


def _program(options: argparse.Namespace, words: list[str]) -> Any:
    running = _compat("running")
    if options.module:
        return running.from_module(words[0], words[1:])
    return (running.from_code if options.code else running.from_file)(words[0], words[1:])


def _compat(name: str) -> Any:
    return importlib.import_module(f"doltap.compat.{name}")


def _inspect(path: Path, *, as_json: bool) -> int:
    """Print what a file holds; 1 where the loader would refuse it."""
    inspecting = importlib.import_module("doltap.reporting.inspecting")
    record, refused = importlib.import_module("doltap.files.glimpse").glimpse(path)
    found = inspecting.inspected(record, refused)
    files = [path] if path.is_file() else list(path.iterdir())
    size = sum(file.stat().st_size for file in files)
    if as_json:
        # What is not ASCII is written as numbers, and so are a terminal's commands.
        json = importlib.import_module("json")
        print(json.dumps({"file": str(path), "file_bytes": size, **found}, indent=2, default=str))
    else:
        inspecting.print_inspected(found, str(path), size)
    return 1 if found["refused"] else 0


def _port(text: str) -> int:
    if not text.isdecimal() or not int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 (a free one) to 65535, got {text!r}")
    return int(text)


def _report(folder: Path, out: str, language: str | None) -> int:
    """Write the page that compares runs."""
    chosen = importlib.import_module("doltap.reporting.language").chosen(language)
    writing = importlib.import_module("doltap.files.writing")
    endings = importlib.import_module("doltap.reporting.report.page").ENDINGS
    example = "doltap report logs --out report.html"
    writing.check_writable(writing.checked_path(out, "doltap report --out", example, endings))
    found = importlib.import_module("doltap.reporting.report.runs").found_in(folder)
    version = importlib.import_module("importlib.metadata").version("doltap")
    when = importlib.import_module("time").strftime("%Y-%m-%d %H:%M")
    comparing = importlib.import_module("doltap.reporting.report.comparing")
    text = comparing.comparison(found, folder, chosen, (version, when))
    writing.write_aside(out, lambda path: path.write_text(text, encoding="utf-8"))
    words = importlib.import_module("doltap.reporting.report.words").Words(chosen)
    for told in comparing.unread(found, words):
        print(told, file=sys.stderr)
    print(f"{out}: {words('found', runs=len(found.runs), searches=len(found.searches))}")
    return 0


def _positive_integer(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return int(text)
