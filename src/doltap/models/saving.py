"""Models to files and back: what stands where is put together with what the files hold.

Whatever the format, a file becomes a `Record` of plain values first. Objects
are made of it in one place, `made_from`, only of classes of ours and those the
user registered or passed.
"""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap import registry
from doltap.core import configs
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, unfilled
from doltap.errors import DoltapError, ModelFileError, NotSupportedError, UnknownNameError, printable
from doltap.files import formats
from doltap.files.record import Record
from doltap.models.filling import fill
from doltap.models.places import places

__all__ = ["load_model", "load_weights", "made_from", "model_from_json", "record_of", "save_model", "save_weights"]


# Writing.


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Write a model to a file: what it is, its weights, and how it was compiled.

    Args:
        filepath: ".keras" is Keras 3's format, ".h5" and ".hdf5" that of Keras 1 and 2.
        overwrite: False makes an error of a file that is there already.
        include_optimizer: whether training can go on from the file.
    """
    _check_target(filepath, overwrite=overwrite)
    record = record_of(model, include_optimizer=include_optimizer)
    record.format = formats.format_for(filepath, weights_only=False)
    formats.write(filepath, record)


def save_weights(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of a model, and what its optimizer remembers, to a file."""
    _check_target(filepath, overwrite=overwrite)
    record = Record(formats.format_for(filepath, weights_only=True), paths=arrays_of(model))
    formats.write(filepath, record)


def record_of(model: Any, *, include_optimizer: bool = True) -> Record:
    """What a file holds of a model."""
    with configs.numbering(_shared(model)):
        config = configs.serialize(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    paths = arrays_of(model, include_optimizer=include_optimizer)
    return Record("keras", json.loads(json.dumps(config)), paths=paths)


def arrays_of(model: Any, *, include_optimizer: bool = True) -> dict[str, np.ndarray]:
    """The arrays of a model by their paths."""
    arrays: dict[str, np.ndarray] = {}
    for place in places(model):
        if not include_optimizer and not isinstance(place.owner, Layer):
            continue
        store: dict[str, Any] = {}
        place.owner.save_own_variables(store)
        for name, value in store.items():
            array = value.read() if isinstance(value, Variable) else value
            arrays[place.inside(f"vars/{name}")] = np.asarray(array)
    return arrays


def _shared(model: Layer) -> dict[int, int]:
    """The layers that hang on several others, by identity, with a number for each."""
    owners: dict[int, int] = {}
    for owner in [model, *model.inside(Layer)]:
        for layer in owner.children():
            owners[id(layer)] = owners.get(id(layer), 0) + 1
    several = [key for key, count in owners.items() if count > 1]
    return {key: number for number, key in enumerate(several, start=1)}


def _check_target(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise ModelFileError(
            f"'{printable(os.fspath(path))}'",
            expected="a new file, as overwrite=False says",
            got="one that is there",
            fix="Choose another name, or overwrite=True.",
        )


# Reading.


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model that a file holds.

    Nothing in a file is run: it can name doltap's own classes, and those you pass or registered.

    Args:
        custom_objects: classes and functions of your own by name.
        compile: whether to compile it as it was.
        safe_mode: accepted and not needed: there is no other mode.
    """
    record = formats.read(filepath)
    what = f"'{printable(os.fspath(filepath))}'"
    if record.config is None:
        raise ModelFileError(
            what,
            expected="a model",
            got="weights alone",
            fix="Make the model, then model.load_weights(path).",
        )
    return made_from(record, what, custom_objects, compile=compile)


def made_from(record: Record, what: str, custom_objects: Any = None, *, compile: bool = True) -> Any:
    """The model of a record, with its weights."""
    total = sum(array.size for array in record.paths.values()) + _SLACK
    with reading(what, custom_objects, compile=compile), unfilled(total):
        model = configs.deserialize(record.config)
        if not isinstance(model, Layer) or not hasattr(model, "compiled"):
            raise ModelFileError(
                what, expected="a model", got=f"a {type(model).__name__}", fix="It is another kind of file."
            )
        fill(model, record, what)
    return model


# Numbers that need not be in the file, for what classes of the user's own compute again.
_SLACK = 1 << 16


@contextlib.contextmanager
def reading(what: str, custom_objects: Any, *, compile: bool = True) -> Iterator[None]:
    """Inside the `with` objects are made from a file; whatever fails is an error about the file."""
    with registry.custom_object_scope(custom_objects or {}), configs.making() as noted:
        noted.compiles = compile
        try:
            yield
        except ModelFileError as error:
            raise error
        except DoltapError as error:
            raise _about_file(error, what, noted.failed) from error
        except Exception as error:
            raise ModelFileError(
                _where(what, noted.failed),
                expected="a description that can be followed",
                got=f"{type(error).__name__}: {printable(error, 200)}",
                fix="The file is damaged, or a class of yours takes other arguments than the file has.",
            ) from error


def _where(what: str, names: list[str] | None) -> str:
    inner = " in ".join(f"'{printable(name)}'" for name in reversed(names[1:])) if names else ""
    return f"{inner} in {what}" if inner else what


def _about_file(error: DoltapError, what: str, names: list[str] | None) -> DoltapError:
    fix = error.parts["fix"]
    if isinstance(error, UnknownNameError):
        fix += (
            " A class or function of your own: load_model(path, custom_objects={'its name': it}), "
            "or @register_keras_serializable() on it."
        )
    return type(error)(f"{_where(what, names)}: {error.subject}", **{**error.parts, "fix": fix})


def load_weights(
    model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Give a model the weights in a file; all of them or, when something does not fit, none.

    Args:
        skip_mismatch: leave out what does not fit, and say so.
        by_name: look for layers by their names (only files of Keras 1 and 2 have them).
    """
    record = formats.read(filepath)
    what = f"'{printable(os.fspath(filepath))}'"
    with reading(what, None):
        fill(model, record, what, skip_mismatch=skip_mismatch, by_name=by_name)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights."""
    with reading("the JSON text", custom_objects):
        return configs.deserialize(json.loads(json_string))
