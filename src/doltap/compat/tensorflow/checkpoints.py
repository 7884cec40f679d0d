"""Checkpoints: `tf.train.Checkpoint` and what manages its files, in a form of doltap's own.

A checkpoint is one file of arrays by name, and beside it the text file
`checkpoint` says which is the latest, as TensorFlow's does. TensorFlow's own
checkpoints are not read.
"""

from __future__ import annotations

import functools
import io
import json
import os
import pathlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow.errors import NotFoundError
from doltap.compat.tensorflow.tensor import Tensor, as_tensor
from doltap.core.owner import Owner
from doltap.core.tensors import Variable
from doltap.errors import ModelFileError
from doltap.files import writing
from doltap.models import Model, Sequential
from doltap.optimizers import Optimizer

__all__ = ["Checkpoint", "CheckpointManager", "Restored", "get_checkpoint_state", "latest_checkpoint"]

_LATEST = re.compile(r'^model_checkpoint_path: (".*")$', re.MULTILINE)
_ENDINGS = (".ckpt", ".h5", ".keras", ".safetensors", "")


class Restored:
    """What is known after something was brought back: all of it, or an error was raised."""

    def assert_consumed(self) -> Restored:
        """The same."""
        return self

    assert_existing_objects_matched = expect_partial = assert_nontrivial_match = assert_consumed
    run_restore_ops = initialize_or_restore = assert_consumed


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of the newest checkpoint, or file of weights, in a folder; None where there is none."""
    folder = os.fspath(checkpoint_dir)
    listed = pathlib.Path(folder, latest_filename or "checkpoint")
    if listed.is_file() and (found := _LATEST.search(listed.read_text(encoding="utf-8"))):
        path = os.path.join(folder, json.loads(found[1]))
        if os.path.exists(path) or os.path.exists(f"{path}.index"):
            return path
    if not os.path.isdir(folder):
        return None
    names = [each for each in os.listdir(folder) if each != "checkpoint" and not each.startswith(".")]
    files = [name for name in names if os.path.splitext(name)[1] in _ENDINGS or "ckpt-" in name]
    paths = [path for name in files if os.path.isfile(path := os.path.join(folder, name))]
    return max(paths, key=lambda path: (os.stat(path).st_mtime_ns, path), default=None)


class _State:
    """What the file `checkpoint` of a folder says."""

    def __init__(self, path: str) -> None:
        self.model_checkpoint_path = path
        self.all_model_checkpoint_paths = [path]


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> _State | None:
    """What is known of the newest checkpoint in a folder; None where there is none."""
    found = latest_checkpoint(checkpoint_dir, latest_filename)
    return None if found is None else _State(found)


class Checkpoint:
    """Things whose numbers are written to a file together, and brought back.

    Args:
        root: a model or layer.
        objects: models, layers, optimizers, metrics and variables by name.
    """

    def __init__(self, root: Any = None, **objects: Any) -> None:
        self.save_counter = Variable(np.int64(0), dtype="int32", trainable=False, name="save_counter")
        self._names = sorted(objects)
        self._root = root
        for name, value in objects.items():
            setattr(self, name, value)

    def _things(self) -> dict[str, Any]:
        things = {name: getattr(self, name) for name in ("save_counter", *self._names)}
        return things if self._root is None else things | {"root": self._root}

    def _held(self, names: Iterable[str] | None = None) -> dict[str, list[Variable]]:
        """The variables of each thing, by its name; None means all names."""
        things = self._things()
        return {
            f"{name}{place}": variables
            for name in (things if names is None else names)
            for place, variables in _variables_in(things[name], name)
        }

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write all numbers to a file of this path."""
        path = _path(file_prefix)
        arrays: dict[str, Any] = {
            f"{name}/{number}": variable.numpy()
            for name, variables in self._held().items()
            for number, variable in enumerate(variables)
        }
        content = io.BytesIO()
        np.savez(content, **{"/checkpoint": np.uint8(1)} | arrays)
        writing.make_folder(os.path.dirname(path) or ".")
        _write(path, content.getvalue())
        return path

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write all numbers to a file of this path and a number that grows; gives its path."""
        self.save_counter.assign_add(1)
        path = self.write(f"{_path(file_prefix)}-{int(self.save_counter)}")
        _note_latest(path, [path])
        return path

    def read(self, save_path: Any, options: Any = None) -> Restored:
        """Bring back the numbers of a file; those of models without weights once these are made.

        Raises:
            NotFoundError: there is no such file.
            ModelFileError: it holds other things, or things of other shapes.
        """
        path = _path(save_path)
        self._bring_back(path, _arrays_of(path), list(self._things()))
        return Restored()

    def _bring_back(self, path: str, arrays: dict[str, Any], names: list[str]) -> None:
        """Restore the things of these names: now, or when the first call makes their weights."""
        things = self._things()
        waiting = [name for name in names if _is_unmade(things[name])]
        # An optimizer's numbers belong to weights.
        later = [name for name in names if waiting and isinstance(things[name], Optimizer)] + waiting
        if not waiting:
            _build_optimizers(self, arrays)
        pairs: list[tuple[Variable, Any]] = []
        for name, variables in self._held(name for name in names if name not in later).items():
            count = sum(key.rpartition("/")[0] == name for key in arrays)
            if count != len(variables):
                raise _unfit(path, f"{len(variables)} arrays for '{name}'", str(count))
            found = [arrays[f"{name}/{number}"] for number in range(count)]
            for variable, array in zip(variables, found, strict=True):
                if tuple(variable.shape) != array.shape:
                    raise _unfit(path, f"shape {tuple(variable.shape)} in '{name}'", f"{array.shape}")
            pairs += zip(variables, found, strict=True)
        for variable, array in pairs:
            variable.assign(array)
        for name in waiting:
            things[name]._awaited = functools.partial(self._bring_back, path, arrays, later)

    def restore(self, save_path: Any, options: Any = None) -> Restored:
        """Bring back the numbers of a file; nothing for None, which is where there is no file yet."""
        return Restored() if save_path is None else self.read(save_path)


def _is_unmade(thing: Any) -> bool:
    """Whether it is a model of a class of the user's whose first call is to make its weights."""
    return isinstance(thing, Model) and not isinstance(thing, Sequential) and not thing.built


def _variables_in(thing: Any, name: str) -> Iterator[tuple[str, list[Variable]]]:
    """The variables of a thing, or of the things in it, each with its place below the name."""
    if isinstance(thing, Variable):
        yield "", [thing]
    elif isinstance(thing, Checkpoint):
        yield from ((f".{inner}", found) for inner, found in thing._held().items())
    elif isinstance(thing, (list, tuple, dict)):
        items = thing.items() if isinstance(thing, dict) else enumerate(thing)
        for key, item in items:
            yield from ((f".{key}{place}", found) for place, found in _variables_in(item, name))
    elif isinstance(thing, Owner) and not getattr(thing, "built", True):
        raise ModelFileError(
            f"tf.train.Checkpoint, '{name}'",
            expected="a model whose weights are made",
            got="one that has seen no data and no input shape",
            fix="Build it first: call it on a batch, or begin with tf.keras.Input.",
        )
    elif hasattr(thing, "variables"):
        yield "", list(thing.variables)
    elif isinstance(thing, Iterator):
        raise ModelFileError(
            f"tf.train.Checkpoint, '{name}'",
            expected="a model, layer, optimizer, metric or variable",
            got="an iterator over a data set, whose place no file keeps here",
            fix=f"Leave {name}= out; a restored program begins its data anew.",
        )
    else:
        raise ModelFileError(
            f"tf.train.Checkpoint, '{name}'",
            expected="a model, layer, optimizer, metric or variable",
            got=f"a {type(thing).__name__}",
            fix="Numbers that change belong into a tf.Variable.",
        )


def _build_optimizers(checkpoint: Checkpoint, arrays: dict[str, Any]) -> None:
    """Let optimizers that have not moved anything yet make room for what the file remembers."""
    things = checkpoint._things()
    models = {name: thing for name, thing in things.items() if isinstance(thing, Owner)}
    for name, thing in things.items():
        shapes = [array.shape for key, array in arrays.items() if key.rpartition("/")[0] == name]
        if isinstance(thing, Optimizer) and models and len(shapes) > len(thing.variables):
            thing.build(_moved_by(name, shapes, models).trainable_weights)


def _moved_by(name: str, shapes: list[tuple[int, ...]], models: dict[str, Any]) -> Any:
    """The model an optimizer moves: "generator" by "generator_optimizer", else what fits best."""

    def fitness(model: str) -> tuple[bool, bool, int]:
        weights = [tuple(weight.shape) for weight in models[model].trainable_weights]
        return not Counter(weights) - Counter(shapes), model in name, len(weights)

    return models[max(models, key=fitness)]


def _arrays_of(path: str) -> dict[str, np.ndarray]:
    if not os.path.exists(path):
        is_tensorflows = os.path.exists(f"{path}.index")
        raise NotFoundError(
            "a checkpoint",
            expected="a file that tf.train.Checkpoint wrote here",
            got=f"'{path}', {'which TensorFlow wrote' if is_tensorflows else 'which is not there'}",
            fix="In TensorFlow, model.save_weights('name.weights.h5') writes what both read."
            if is_tensorflows
            else "tf.train.latest_checkpoint(folder) finds the newest.",
        )
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if "/checkpoint" not in archive.files:
                raise ValueError("no checkpoint")
            return {name: archive[name] for name in archive.files if name != "/checkpoint"}
    except (OSError, ValueError, TypeError, AttributeError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise _unfit(path, "a file that tf.train.Checkpoint wrote here", str(error).rstrip(".")) from error


def _unfit(path: str, expected: str, got: str) -> ModelFileError:
    fix = "Make the same objects under the same names as where it was written."
    return ModelFileError(f"checkpoint '{path}'", expected=expected, got=got, fix=fix)


def _path(path: Any) -> str:
    return os.fsdecode(path.numpy() if isinstance(path, Tensor) else path)


def _note_latest(latest: str, known: list[str]) -> None:
    """Write the text file that says which is the latest."""
    folder = os.path.dirname(latest) or "."
    lines = [f"model_checkpoint_path: {json.dumps(os.path.basename(latest))}"]
    lines += [f"all_model_checkpoint_paths: {json.dumps(os.path.basename(each))}" for each in known]
    text = "\n".join([*lines, ""])
    _write(os.path.join(folder, "checkpoint"), text.encode())


def _write(path: str, content: bytes) -> None:
    def write(aside: pathlib.Path) -> None:
        aside.write_bytes(content)

    writing.write_aside(path, write)


class CheckpointManager:
    """Writes checkpoints to a folder, numbered, and deletes the oldest.

    Args:
        max_to_keep: how many stay; None for all.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: Any = None,
        checkpoint_name: str = "ckpt",
        **_: Any,
    ) -> None:
        self.checkpoint, self.directory = checkpoint, os.fspath(directory)
        self._most, self._name = max_to_keep, checkpoint_name
        self._paths: list[str] = []
        found = latest_checkpoint(self.directory)
        if found is not None:
            text = pathlib.Path(self.directory, "checkpoint")
            names = (
                re.findall(r'all_model_checkpoint_paths: (".*")', text.read_text()) if text.exists() else []
            )
            paths = [os.path.join(self.directory, json.loads(name)) for name in names]
            self._paths = [path for path in paths if os.path.exists(path)]

    @property
    def checkpoints(self) -> list[str]:
        """The paths of those that are kept, the oldest first."""
        return list(self._paths)

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the newest; None where there is none."""
        return self._paths[-1] if self._paths else None

    def save(self, checkpoint_number: Any = None, *_: Any, **__: Any) -> str:
        """Write one more, and delete the oldest where there are too many; gives its path."""
        prefix = os.path.join(self.directory, self._name)
        if checkpoint_number is None:
            path = self.checkpoint.save(prefix)
        else:
            path = self.checkpoint.write(f"{prefix}-{int(as_tensor(checkpoint_number))}")
        self._paths = [*(each for each in self._paths if each != path), path]
        while self._most is not None and len(self._paths) > self._most:
            oldest = self._paths.pop(0)
            if os.path.isfile(oldest):
                os.remove(oldest)
        _note_latest(path, self._paths)
        return path

    def restore_or_initialize(self) -> str | None:
        """Bring the newest back; gives its path, or None where there is none."""
        if self.latest_checkpoint is not None:
            self.checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint
