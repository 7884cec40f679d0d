"""What programs of TensorFlow 1 find: settings that change nothing, and no sessions.

Programs that train with Keras made sessions only to set something; those that
ran graphs in them are told at that line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import jax

from doltap import config
from doltap.errors import NotSupportedError

__all__ = [
    "ConfigProto",
    "GPUOptions",
    "Graph",
    "InteractiveSession",
    "Session",
    "disable_eager_execution",
    "disable_resource_variables",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "enable_eager_execution",
    "enable_resource_variables",
    "enable_v2_behavior",
    "get_default_graph",
    "get_default_session",
    "global_variables_initializer",
    "initialize_all_variables",
    "list_local_devices",
    "local_variables_initializer",
    "placeholder",
    "reset_default_graph",
    "set_random_seed",
    "tables_initializer",
]


class GPUOptions:
    """Settings of the device, which take any value: JAX takes memory as it needs it."""

    def __init__(self, **settings: Any) -> None:
        self.allow_growth = True
        vars(self).update(settings)


class ConfigProto:
    """Settings of a session, which take any value and change nothing.

    >>> config = ConfigProto()
    >>> config.gpu_options.allow_growth = True
    """

    def __init__(self, **settings: Any) -> None:
        self.gpu_options = GPUOptions()
        vars(self).update(settings)


class _Nothing:
    """Something that a session would have done, and that needs nobody to do it here."""


class Graph:
    """What stands in the place of a graph; nothing is planned in it."""

    seed: int | None = None

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Nothing: every line computes at once."""
        yield self

    def finalize(self) -> None:
        """Nothing: there is nothing that could be added to."""


class Session:
    """What stands in the place of a session: it can be made and closed, and runs nothing."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph or Graph()

    def run(self, fetches: Any, feed_dict: Any = None, **options: Any) -> Any:
        """Nothing for what initializes variables.

        Raises:
            NotSupportedError: for anything else.
        """
        wanted = fetches if isinstance(fetches, (list, tuple)) else [fetches]
        if not wanted or not all(isinstance(each, _Nothing) for each in wanted):
            _refuse("session.run", "a graph to be run later")
        return None

    def close(self) -> None:
        """Nothing: nothing was opened."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Session]:
        """Nothing: every line computes at once."""
        yield self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


InteractiveSession = Session


def _refuse(what: str, got: str) -> NoReturn:
    raise NotSupportedError(
        what,
        expected="numbers that are computed where they are written",
        got=got,
        fix="TensorFlow 1 planned its work and ran it in a session; here a line gives its numbers at once: "
        "leave the session out, and call functions on arrays. A network is trained by model.fit.",
    )


def placeholder(dtype: Any = None, shape: Any = None, name: str | None = None) -> NoReturn:
    """Not there: functions are called with their values.

    Raises:
        NotSupportedError: always.
    """
    _refuse("tf.placeholder", "a place for numbers that come later")


def get_default_graph() -> Graph:
    """What stands in the place of the graph."""
    return Graph()


def get_default_session() -> Session:
    """What stands in the place of the session."""
    return Session()


def reset_default_graph() -> None:
    """Count the names of layers from the beginning again."""
    config.clear_session()


def global_variables_initializer() -> Any:
    """Something for `session.run`: variables have their values from the beginning."""
    return _Nothing()


initialize_all_variables = global_variables_initializer
local_variables_initializer = global_variables_initializer
tables_initializer = global_variables_initializer


def set_random_seed(seed: int) -> None:
    """Make every later random number of doltap repeatable."""
    config.set_global_seed(seed)


def disable_v2_behavior() -> None:
    """Nothing: every line computes at once, as in TensorFlow 2."""


disable_eager_execution = disable_v2_behavior
disable_resource_variables = disable_v2_behavior
disable_v2_tensorshape = disable_v2_behavior
enable_eager_execution = disable_v2_behavior
enable_resource_variables = disable_v2_behavior
enable_v2_behavior = disable_v2_behavior


class _Device(NamedTuple):
    """A device, as TensorFlow described it."""

    name: str
    device_type: str
    memory_limit: int


def list_local_devices() -> list[_Device]:
    """The devices that JAX computes on."""
    kinds = {"gpu": "GPU", "cuda": "GPU", "tpu": "TPU"}
    found = [(kinds.get(each.platform, "CPU"), each.id) for each in jax.devices()]
    return [_Device(f"/device:{kind}:{number}", kind, 0) for kind, number in found]
