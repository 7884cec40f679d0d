"""Reads the few pickles that published data sets consist of, and runs nothing.

A pickle is a program for a small machine. This machine knows the instructions
that make numbers, texts, lists, dicts and NumPy arrays; whatever else a file
asks for ends the reading with an error.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.errors import DatasetError, printable

__all__ = ["array_of_objects", "read"]

# What a file may name, by what it means here.
_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"): "array",
    ("numpy._core.multiarray", "_reconstruct"): "array",
    ("numpy", "ndarray"): "array",
    ("numpy", "dtype"): "type",
    ("_codecs", "encode"): "encode",
}
_TYPES = ("O", "O8", "b1", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
_LONGEST_INTEGER = 16
_BYTE, _TWO, _FOUR = 0x4B, 0x4D, 0x4A


class _RefusedError(Exception):
    """The file asks for what is not done."""


class _Global:
    """Something that a file named, by what it means."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class _Unfilled:
    """An array before it was told its shape and values; `place` is where it was noted down."""

    place: int | None = None


def read(content: bytes, place: object) -> Any:
    """What a pickle of numbers, texts, lists, dicts and arrays holds.

    Texts of Python 2 come as bytes.

    Args:
        place: the file's name, for errors.

    Raises:
        DatasetError: it is damaged, or asks for anything else.

    >>> read(b"\\x80\\x02]q\\x00(K\\x01M\\x00\\x01e.", "numbers")
    [1, 256]
    """
    try:
        return _Machine(content).run()
    except _RefusedError as error:
        got = f"a pickle that asks for {printable(error)}"
    except (LookupError, struct.error, ValueError, TypeError, AttributeError, OverflowError) as error:
        got = f"a damaged one ({printable(error)})"
    raise DatasetError(
        f"file '{place}'",
        expected="a pickle of plain numbers, texts, lists, dicts and arrays",
        got=got,
        fix="Put the published file there; a pickle that does more is never opened, as it can run code.",
    )


def array_of_objects(content: bytes, place: object) -> Any:
    """The array of lists that a .npy file with a pickle in it holds."""
    found = read(content, place)
    if not isinstance(found, np.ndarray):
        raise DatasetError(
            f"file '{place}'",
            expected="an array",
            got=type(found).__name__,
            fix="Put the published file there.",
        )
    return found


class _Machine:
    """The stack, the notes and the place in the file."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """What is on the stack when the file says stop."""
        content, known = self.content, _INSTRUCTIONS
        while True:
            code = content[self.at]
            self.at += 1
            if code == ord("."):
                return self.stack.pop()
            if code not in known:
                raise _RefusedError(f"instruction {bytes([code])!r} at byte {self.at - 1}")
            known[code](self)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self.content[self.at : self.at + count]
        if len(found) != count or count < 0:
            raise ValueError(f"it ends at byte {len(self.content)}")
        self.at += count
        return found

    def number(self, form: str) -> Any:
        """The next number, of a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The text up to the end of the line."""
        end = self.content.index(b"\n", self.at)
        return self.take(end + 1 - self.at)[:-1].decode("ascii")

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark, taken off."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    # Instructions.

    def numbers(self) -> None:
        """All small whole numbers that follow each other here; a review has hundreds."""
        content, at, append = self.content, self.at - 1, self.stack.append
        while True:
            code = content[at]
            if code == _BYTE:
                append(content[at + 1])
                at += 2
            elif code == _TWO:
                append(content[at + 1] | content[at + 2] << 8)
                at += 3
            elif code == _FOUR:
                append(struct.unpack_from("<i", content, at + 1)[0])
                at += 5
            else:
                break
        self.at = at

    def long(self) -> None:
        """A whole number of so many bytes."""
        count = self.number("B")
        if count > _LONGEST_INTEGER:
            raise _RefusedError(f"a whole number of {count} bytes")
        self.stack.append(int.from_bytes(self.take(count), "little", signed=True))

    def put(self, place: int) -> None:
        """Note down what is on top of the stack."""
        top = self.stack[-1]
        if isinstance(top, _Unfilled):
            top.place = place
        self.memo[place] = top

    def append(self, items: list[Any]) -> None:
        """Append to the list on top of the stack."""
        if type(self.stack[-1]) is not list:
            raise _RefusedError("something to be appended to what is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Put keys and values into the dict on top of the stack."""
        if type(self.stack[-1]) is not dict:
            raise _RefusedError("an entry in what is no dict")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def tuple_of(self, count: int) -> None:
        """The top of the stack as a tuple."""
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise ValueError("too few values")
        self.stack[-count:] = [items]

    def name(self, module: str, name: str) -> None:
        """One of the few things that a file may name."""
        if (module, name) not in _GLOBALS:
            raise _RefusedError(f"{module}.{name}")
        self.stack.append(_Global(_GLOBALS[module, name]))

    def call(self) -> None:
        """What a named thing gives for some arguments."""
        arguments, called = self.stack.pop(), self.stack.pop()
        meaning = called.meaning if isinstance(called, _Global) else "nothing"
        if meaning == "array" and isinstance(arguments, tuple):
            self.stack.append(_Unfilled())
        elif meaning == "type":
            name = _text(arguments[0])
            if name not in _TYPES:
                raise _RefusedError(f"an array of type {name}")
            self.stack.append(np.dtype(name))
        elif meaning == "encode" and arguments[1] == "latin1":
            self.stack.append(arguments[0].encode("latin1"))
        else:
            raise _RefusedError("a call of what is no function")

    def build(self) -> None:
        """Tell a type its order of bytes, or an array its shape and values."""
        state, thing = self.stack.pop(), self.stack.pop()
        if isinstance(thing, np.dtype):
            self.stack.append(thing.newbyteorder(">") if _text(state[1]) == ">" else thing)
            return
        if not isinstance(thing, _Unfilled):
            raise _RefusedError("a state for what has none")
        array = _filled(*state[1:5])
        self.stack.append(array)
        if thing.place is not None:
            self.memo[thing.place] = array


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _filled(shape: Any, dtype: Any, is_fortran: Any, values: Any) -> np.ndarray:
    """The array of that shape and type, with these values in their order."""
    if not isinstance(dtype, np.dtype) or not isinstance(shape, tuple):
        raise _RefusedError("an array of another type")
    order: Any = "F" if is_fortran else "C"
    if dtype.hasobject:
        flat = np.empty(len(values) if isinstance(values, list) else -1, object)
        for number, value in enumerate(values):
            flat[number] = value
    else:
        flat = np.frombuffer(values, dtype).copy()
    if math.prod(shape) != flat.size:
        raise ValueError(f"{flat.size} values for the shape {shape}")
    return flat.reshape(shape, order=order)


def _pushing(make: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make(machine))


def _popping(machine: _Machine) -> Any:
    return machine.stack.pop()


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.name(str(module), str(name))


_INSTRUCTIONS: dict[int, Callable[[_Machine], Any]] = {
    ord("\x80"): lambda machine: machine.take(1),
    ord("\x95"): lambda machine: machine.take(8),
    ord("("): lambda machine: machine.marks.append(len(machine.stack)),
    ord("]"): _pushing(lambda machine: []),
    ord("}"): _pushing(lambda machine: {}),
    ord(")"): _pushing(lambda machine: ()),
    ord("N"): _pushing(lambda machine: None),
    ord("\x88"): _pushing(lambda machine: True),
    ord("\x89"): _pushing(lambda machine: False),
    _BYTE: _Machine.numbers,
    _TWO: _Machine.numbers,
    _FOUR: _Machine.numbers,
    ord("\x8a"): _Machine.long,
    ord("G"): _pushing(lambda machine: machine.number(">d")),
    ord("U"): _pushing(lambda machine: machine.take(machine.number("B"))),
    ord("T"): _pushing(lambda machine: machine.take(machine.number("<i"))),
    ord("C"): _pushing(lambda machine: machine.take(machine.number("B"))),
    ord("B"): _pushing(lambda machine: machine.take(machine.number("<I"))),
    ord("\x8e"): _pushing(lambda machine: machine.take(machine.number("<Q"))),
    ord("\x8c"): _pushing(lambda machine: machine.take(machine.number("B")).decode()),
    ord("X"): _pushing(lambda machine: machine.take(machine.number("<I")).decode()),
    ord("q"): lambda machine: machine.put(machine.number("B")),
    ord("r"): lambda machine: machine.put(machine.number("<I")),
    ord("\x94"): lambda machine: machine.put(len(machine.memo)),
    ord("h"): _pushing(lambda machine: machine.memo[machine.number("B")]),
    ord("j"): _pushing(lambda machine: machine.memo[machine.number("<I")]),
    ord("a"): lambda machine: machine.append([_popping(machine)]),
    ord("e"): lambda machine: machine.append(machine.since_mark()),
    ord("s"): lambda machine: machine.set_items([_popping(machine), _popping(machine)][::-1]),
    ord("u"): lambda machine: machine.set_items(machine.since_mark()),
    ord("t"): _pushing(lambda machine: tuple(machine.since_mark())),
    ord("\x85"): lambda machine: machine.tuple_of(1),
    ord("\x86"): lambda machine: machine.tuple_of(2),
    ord("\x87"): lambda machine: machine.tuple_of(3),
    ord("c"): lambda machine: machine.name(machine.line(), machine.line()),
    ord("\x93"): _stack_global,
    ord("R"): _Machine.call,
    ord("b"): _Machine.build,
}
