"""`tensorboard.plugins.hparams.api`, which needs TensorFlow: parameters of runs for TensorBoard, without it.

Only this module of TensorBoard's is answered for; all others are the package's own, where it is installed.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from doltap import callbacks, old_names
from doltap.compat.tensorflow import summary
from doltap.errors import DataError, printable
from doltap.reporting import events

__all__ = ["Discrete", "Domain", "HParam", "IntInterval", "KerasCallback", "Metric", "RealInterval", "answer"]
__all__ += ["hparams", "hparams_config"]

_PATH = "tensorboard.plugins.hparams.api"
_KINDS = (int, float, bool, str)


class Domain:
    """The values that a parameter may have."""

    dtype: type

    def sample_uniform(self, rng: Any = random) -> Any:
        """One of the values, by chance."""
        raise NotImplementedError


class _Interval(Domain):
    """All numbers from one to another, both of them included."""

    min_value: Any
    max_value: Any

    def __init__(self, min_value: Any = None, max_value: Any = None) -> None:
        self.min_value, self.max_value = min_value, max_value
        if not all(isinstance(end, self.dtype) for end in (min_value, max_value)) or min_value > max_value:
            raise DataError(
                type(self).__name__,
                expected=f"two numbers of type {self.dtype.__name__}, the smaller one first",
                got=printable(f"{min_value!r} and {max_value!r}"),
                fix="For example RealInterval(0.1, 0.5), or IntInterval(16, 64).",
            )

    def __str__(self) -> str:
        return f"[{self.min_value}, {self.max_value}]"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.min_value!r}, {self.max_value!r})"


class IntInterval(_Interval):
    """All whole numbers from one to another."""

    dtype = int

    def sample_uniform(self, rng: Any = random) -> int:
        """One of the numbers, by chance."""
        return int(rng.randint(self.min_value, self.max_value))


class RealInterval(_Interval):
    """All numbers from one to another."""

    dtype = float

    def sample_uniform(self, rng: Any = random) -> float:
        """One of the numbers, by chance."""
        return float(rng.uniform(self.min_value, self.max_value))


class Discrete(Domain):
    """Some values of one type, sorted."""

    def __init__(self, values: Iterable[Any], dtype: type | None = None) -> None:
        values = list(values)
        self.dtype = dtype or type(values[0] if values else None)
        if self.dtype not in _KINDS or not all(isinstance(value, self.dtype) for value in values):
            raise DataError(
                "Discrete",
                expected="whole numbers, fractions, truth values or texts, all of one type",
                got=printable(repr(values)),
                fix="For example Discrete([16, 32]); with dtype=... there may be none.",
            )
        self._values = sorted(values)

    @property
    def values(self) -> list[Any]:
        """The values, in a list of its own."""
        return list(self._values)

    def sample_uniform(self, rng: Any = random) -> Any:
        """One of the values, by chance."""
        return rng.choice(self._values)

    def __str__(self) -> str:
        return "{" + ", ".join(map(repr, self._values)) + "}"

    def __repr__(self) -> str:
        return f"Discrete({self._values!r})"


class HParam:
    """A parameter: its name, and the values it may have."""

    def __init__(
        self,
        name: str,
        domain: Domain | None = None,
        display_name: str | None = None,
        description: str | None = None,
    ) -> None:
        if domain is not None and not isinstance(domain, Domain):
            raise DataError(
                f"HParam('{printable(name)}')",
                expected="an IntInterval, a RealInterval or a Discrete",
                got=printable(repr(domain)),
                fix="For a list of values: hp.Discrete([...]).",
            )
        self.name, self.domain = name, domain
        self.display_name, self.description = display_name, description

    def __str__(self) -> str:
        return f"<HParam {self.name!r}: {self.domain}>"

    def __repr__(self) -> str:
        return f"HParam({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Metric:
    """A measure, by the name under which a run writes it, and the folder of the run in which it does."""

    TRAINING, VALIDATION = 1, 2

    def __init__(
        self,
        tag: str,
        group: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        dataset_type: int | None = None,
    ) -> None:
        if dataset_type not in (None, Metric.TRAINING, Metric.VALIDATION):
            raise DataError(
                "Metric(dataset_type)",
                expected="Metric.TRAINING or Metric.VALIDATION",
                got=printable(repr(dataset_type)),
                fix="Leave it out where the group says it.",
            )
        self.tag, self.group, self.dataset_type = tag, group, dataset_type
        self.display_name, self.description = display_name, description


class KerasCallback(callbacks.HParams):
    """`callbacks.HParams` with the arguments of TensorBoard's own.

    Args:
        writer: the folder of the run, or a writer of `tf.summary` into it.
        hparams: a dict from parameters, or their names, to values.
        trial_id: the same for runs that are shown as one; otherwise those with equal values are.
    """

    def __init__(self, writer: Any, hparams: Mapping[Any, Any], trial_id: str | None = None) -> None:
        if not isinstance(writer, (str, os.PathLike, summary.FileWriter)):
            raise DataError(
                "KerasCallback(writer)",
                expected="the folder of a run, or what tf.summary.create_file_writer gives",
                got=printable(repr(writer)),
                fix="For example hp.KerasCallback('logs/run-1', hparams).",
            )
        old_names.note("module", f"{_PATH}.KerasCallback", "keras.callbacks.HParams")
        named = _named(hparams)
        folder = writer.folder if isinstance(writer, summary.FileWriter) else os.fspath(writer)
        super().__init__(folder, named, _group(trial_id, named))


def hparams(hparams: Mapping[Any, Any], trial_id: str | None = None, start_time_secs: Any = None) -> bool:
    """Write with which parameters a run is trained, where `tf.summary` writes; False where nobody does."""
    named = callbacks.HParams(parameters=_named(hparams)).parameters
    return _write(lambda file: file.add_session(named, _group(trial_id, named)))


def hparams_config(
    hparams: Sequence[HParam], metrics: Sequence[Metric], time_created_secs: Any = None
) -> bool:
    """Write which parameters and measures there are; False where nobody writes."""
    told = [{**vars(each), "values": _values(each.domain)} for each in hparams]
    return _write(lambda file: file.add_experiment(told, [vars(each) for each in metrics], time_created_secs))


def _values(domain: Domain | None) -> list[Any] | tuple[float, float] | None:
    """A list of values, or the ends of an interval."""
    if isinstance(domain, _Interval):
        return domain.min_value, domain.max_value
    return domain.values if isinstance(domain, Discrete) else None


def _named(given: Mapping[Any, Any]) -> dict[str, Any]:
    """The values by the names of their parameters."""
    named: dict[str, Any] = {}
    for key, value in dict(given).items():
        name = key.name if isinstance(key, HParam) else str(key)
        if name in named:
            raise DataError(
                "hparams",
                expected="one value for each parameter",
                got=f"several for '{printable(name)}'",
                fix="Give each of them once, by its HParam or by its name.",
            )
        named[name] = value.item() if isinstance(value, np.generic) else value
    return named


def _group(trial_id: str | None, named: Mapping[str, Any]) -> str:
    """What runs that are shown as one have in common."""
    if trial_id is not None:
        return trial_id
    return hashlib.sha256(json.dumps(named, sort_keys=True, default=str).encode()).hexdigest()


def _write(write: Any) -> bool:
    """Let it write to a file of its own, in the folder that `tf.summary` writes to."""
    if (current := summary.FileWriter.current()) is None:
        return False
    writer = events.Writer()
    write(writer.open(current.folder))
    writer.close()
    return True


class _OnTheWay(ModuleType):
    """A module of TensorBoard's that leads to the one that stands here; its other names are its own."""

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}"
        if f"{_PATH}.".startswith(f"{path}."):
            return _module(path)
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(importlib.__import__(self.__name__, fromlist=[name]), name)
        except ImportError as error:
            raise AttributeError(name) from error


def _module(path: str) -> Any:
    return sys.modules[__name__] if path == _PATH else _OnTheWay(path)


def answer(path: str, names: Sequence[str] | None) -> Any:
    """What `import tensorboard...` gets: what stands here, or the package's own."""
    inner = [path, *(f"{path}.{name}" for name in names or ())]
    if any(each.startswith(_PATH.rpartition(".")[0]) for each in inner):
        return _module(path if names else "tensorboard")
    return importlib.__import__(path, fromlist=list(names or ()))
