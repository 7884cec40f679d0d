"""What stands at the top of `tensorflow` beside the functions of tensors: modules, scopes, versions."""

from __future__ import annotations

import contextlib
import inspect
import logging as python_logging
import operator
import sys
import textwrap
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import old_names
from doltap.compat.tensorflow import config, lacking, nest
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, unwrapped
from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import DataError

__all__ = ["Module", "autograph", "control_dependencies", "device", "elsewhere", "executing_eagerly"]
__all__ += ["get_logger", "get_static_value", "group", "identity_n", "init_scope", "inside_function"]
__all__ += ["is_symbolic_tensor", "logging", "newaxis", "name_scope", "no_op", "print"]
__all__ += ["sysconfig", "timestamp", "version"]

# What programs compare with, honestly marked.
VERSION = __version__ = "2.16.1+doltap"
# A new axis between brackets.
newaxis = None


class Module:
    """Something on which variables, layers and other modules hang as attributes."""

    def __init__(self, name: str | None = None) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Its name, that of the class where none was given."""
        kind = type(self).__name__
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind).lstrip("_")
        return getattr(self, "_name", None) or snake

    @property
    def name_scope(self) -> Any:
        """A `with` of its name, which changes nothing."""
        return name_scope(self.name)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Decorator: the method itself."""
        return method

    def _hanging(self) -> Iterator[Any]:
        for key in sorted(vars(self)):
            yield from nest.flatten(vars(self)[key])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, each once."""
        found: dict[int, Variable] = {}
        for thing in self._hanging():
            mine = [thing] if isinstance(thing, Variable) else ()
            inner = thing.variables if isinstance(thing, (Module, Layer)) else ()
            found.update((id(one), one) for one in (*mine, *inner))
        return tuple(found.values())

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that training moves."""
        frozen = {
            id(one)
            for layer in self._hanging()
            if isinstance(layer, Layer)
            for one in layer.non_trainable_variables
        }
        return tuple(one for one in self.variables if one.trainable and id(one) not in frozen)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that training leaves alone."""
        moving = {id(one) for one in self.trainable_variables}
        return tuple(one for one in self.variables if id(one) not in moving)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside."""
        found: list[Any] = []
        for thing in self._hanging():
            if isinstance(thing, (Module, Layer)):
                found.append(thing)
                found += thing.submodules if isinstance(thing, Module) else thing.inside(Layer)
        return tuple({id(one): one for one in found}.values())


@contextlib.contextmanager
def name_scope(name: Any) -> Iterator[str]:
    """A `with` that changes nothing: there are no graphs whose parts have names."""
    yield f"{name}/"


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A `with` that changes nothing, where the machine has the device; an error otherwise.

    What is computed stays on the device that JAX has chosen for the whole program.
    """
    name = device_name() if callable(device_name) else device_name
    if name and not config.is_there(name) and not config.get_soft_device_placement():
        raise DataError(
            f"tf.device({name!r})",
            expected="a device of this machine",
            got="one that it has not",
            fix="tf.config.list_physical_devices() lists those there are.",
        )
    yield


@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """A `with` that changes nothing."""
    yield


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A `with` that changes nothing: everything is done in its order."""
    yield


def executing_eagerly() -> bool:
    """Whether functions run at once: always."""
    return True


def inside_function() -> bool:
    """Whether a graph is being made: never."""
    return False


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether its values are not known yet."""
    return is_traced(tensor) or (isinstance(tensor, Tensor) and tensor.is_tracer)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The values in NumPy; None where they are not known yet."""
    return None if is_symbolic_tensor(tensor) else as_tensor(tensor).numpy()


def group(*inputs: Any, **options: Any) -> None:
    """Nothing: everything is done when it is called."""


def no_op(name: Any = None) -> None:
    """Nothing."""


def identity_n(input: Any, name: Any = None) -> list[Any]:
    """The tensors themselves."""
    return [as_tensor(one) for one in input]


def timestamp(name: Any = None) -> Any:
    """The seconds since 1970."""
    return Tensor(np.float64(time.time()))


def print(*inputs: Any, output_stream: Any = None, **options: Any) -> None:
    """Write values where TensorFlow does, on standard error; also from inside a compiled program."""
    separator, end = options.get("sep", " "), options.get("end", "\n")
    stream = output_stream if hasattr(output_stream, "write") else None
    if output_stream in (sys.stdout, "stdout"):
        stream = sys.stdout

    def write(*values: Any) -> None:
        text = separator.join(_text(value) for value in values)
        (stream or sys.stderr).write(f"{text}{end}")

    if any(is_symbolic_tensor(leaf) for leaf in nest.flatten(list(inputs))):
        flat = unwrapped(list(inputs))
        places = [place for place, one in enumerate(flat) if not isinstance(one, str)]

        def write_late(*values: Any) -> None:
            given = dict(zip(places, values, strict=True))
            write(*(given.get(place, one) for place, one in enumerate(flat)))

        jax.debug.callback(write_late, *(flat[place] for place in places))
        return
    write(*inputs)


def _text(value: Any) -> str:
    if isinstance(value, (Tensor, Variable)):
        value = value.numpy()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        inner = ", ".join(_text(one) for one in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_text(one)}" for key, one in value.items()) + "}"
    return str(value)


def get_logger() -> python_logging.Logger:
    """What says what there is to say."""
    return python_logging.getLogger("doltap.compat.tensorflow")


class logging:  # noqa: N801
    """TensorFlow 1's way to say things."""

    DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50

    @staticmethod
    def set_verbosity(level: Any) -> None:
        """How much is said."""
        get_logger().setLevel(level)

    @staticmethod
    def get_verbosity() -> int:
        """How much is said."""
        return get_logger().getEffectiveLevel()

    @staticmethod
    def info(message: Any, *values: Any) -> None:
        """Say something."""
        get_logger().info(message, *values)

    @staticmethod
    def warning(message: Any, *values: Any) -> None:
        """Warn of something."""
        get_logger().warning(message, *values)

    warn = warning

    @staticmethod
    def error(message: Any, *values: Any) -> None:
        """Say what went wrong."""
        get_logger().error(message, *values)


def _itself(func: Any = None) -> Any:
    return func if func is not None else _itself


class autograph:  # noqa: N801
    """How Python is turned into graphs: it is not, it runs as it is."""

    class experimental:  # noqa: N801
        """Decorators that change nothing."""

        do_not_convert = staticmethod(_itself)

        @staticmethod
        def set_loop_options(**options: Any) -> None:
            """Nothing."""

    @staticmethod
    def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
        """Nothing."""

    @staticmethod
    def to_graph(entity: Any, **options: Any) -> Any:
        """The function itself."""
        return entity

    @staticmethod
    def to_code(entity: Any, **options: Any) -> str:
        """What runs: the function as it is written."""
        return textwrap.dedent(inspect.getsource(getattr(entity, "python_function", entity)))


class version:  # noqa: N801
    """Which version programs believe to have."""

    VERSION = VERSION
    GIT_VERSION = "doltap"
    COMPILER_VERSION = "XLA"


class sysconfig:  # noqa: N801
    """How TensorFlow was built: it was not."""

    @staticmethod
    def get_build_info() -> dict[str, Any]:
        """What programs look for: whether there is a GPU."""
        return {"is_cuda_build": bool(config.list_physical_devices("GPU")), "is_rocm_build": False}


def elsewhere(name: str) -> Any:
    """What a name at the top of `tensorflow` means that is not there itself.

    Raises:
        LookupError: it is neither an old name nor one of Keras's that TensorFlow shows there, too.
    """
    facade = sys.modules["doltap.compat.tensorflow"]
    if name in lacking.MOVED:
        old_names.note("function", f"tf.{name}", f"tf.{lacking.MOVED[name]}")
        return operator.attrgetter(lacking.MOVED[name])(facade)
    if name not in ("losses", "metrics", "optimizers", "initializers"):
        raise LookupError(name)
    found = vars(facade).get("keras")
    return getattr(found if found is not None else sys.modules["doltap"], name)
