"""Models to files and back: what stands where is put together with what the files hold.

Whatever the format, a file becomes a `Record` of plain values first. Objects
are made of it in one place, `made_from`, only of classes of ours and those the
user registered or passed.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap import files, old_names, registry
from doltap.core import configs
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, unfilled
from doltap.errors import DoltapError, ModelFileError, NotSupportedError, UnknownNameError, printable
from doltap.files.record import Record
from doltap.models import arguments
from doltap.models.filling import fill
from doltap.models.places import by_layer, places
from doltap.registry import explained

__all__ = ["described", "load_model", "load_weights", "made_from", "model_from_json", "reading", "record_of"]
__all__ += ["save_model", "save_weights", "weights_of"]
# It stands above the models, and can be saved like one.
configs.names.add_later("FeatureSpace", "doltap.feature_space")

_SUFFIXES = (".keras", ".h5", ".hdf5", ".hdf", ".he5", ".safetensors")


# Weights that a description without any may ask for: a gigabyte.
_MOST_OF_A_TEXT = 1 << 28


# Writing.


@arguments.known_keywords
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
        zipped: accepted; a model is always one file.
        include_optimizer: whether training can go on from the file.
        save_format: "keras", or "h5", whatever the suffix.
    """
    _check_target(filepath, overwrite=overwrite, save_format=save_format)
    if zipped is False:
        raise NotSupportedError(
            "save(zipped=False)",
            expected="one file to write",
            got="a folder of files",
            fix="Leave zipped out; unzip takes the .keras file apart.",
        )
    form = files.formats.format_for(filepath, weights_only=False, wanted=save_format)
    files.formats.write(filepath, record_of(model, form, include_optimizer=include_optimizer))


@arguments.known_keywords
def save_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    save_format: str | None = None,
) -> None:
    """Write the weights of a model, and what its optimizer remembers, to a file.

    Args:
        filepath: ".weights.h5" is Keras 3's format, ".h5" that of Keras 1 and 2.
        overwrite: False makes an error of a file that is there already.
        max_shard_size: accepted as None; weights are always one file.
        save_format: "h5" for that of Keras 1 and 2, whatever the suffix; "tf" for Keras 3's.
    """
    if save_format == "tf":
        old_names.note("value", "save_format='tf'", "a name that ends in .weights.h5")
        save_format = None
    _check_target(filepath, overwrite=overwrite, save_format=save_format)
    if max_shard_size is not None or os.fspath(filepath).endswith(".weights.json"):
        raise NotSupportedError(
            "save_weights(max_shard_size=...)",
            expected="one file to write",
            got="several",
            fix="Leave max_shard_size out, and end the name in .weights.h5.",
        )
    files.formats.write(
        filepath, weights_of(model, files.formats.format_for(filepath, weights_only=True, wanted=save_format))
    )


def described(model: Any) -> dict[str, Any]:
    """A model as files describe it: class, configuration, and how it was built and compiled."""
    with configs.numbering(_shared(model)):
        return configs.serialize(model)


def record_of(model: Any, form: str = "keras", *, include_optimizer: bool = True) -> Record:
    """What a file of this format holds of a model."""
    config = described(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    record = weights_of(model, form, include_optimizer=include_optimizer)
    # As it is read again: lists for tuples, plain numbers.
    record.config = json.loads(files.plain_json.write_json(config))
    # What would be refused there is not written.
    files.plain_config.check(record.config, f"model '{printable(model.name)}'")
    return record


def weights_of(model: Any, form: str = "weights", *, include_optimizer: bool = True) -> Record:
    """The weights of a model, and what its optimizer remembers, as this format arranges them."""
    if form in ("h5", "h5_weights"):
        return _by_layer(model, form, include_optimizer=include_optimizer)
    record = Record(form)
    for place in places(model):
        if not include_optimizer and not isinstance(place.owner, Layer):
            continue
        record.names[place.path] = place.owner.name
        store: dict[str, Any] = {}
        place.owner.save_own_variables(store)
        for name, value in store.items():
            record.paths[place.inside(f"vars/{_plain_name(name, place.owner)}")] = _host(value)
        if form == "keras":
            record.assets |= _assets(place.owner, place.inside(""))
    return record


def _plain_name(name: Any, owner: Any) -> str:
    """What a layer's `save_own_variables` calls a weight."""
    if isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & {*name}:
        return name
    raise ModelFileError(
        f"save_own_variables of layer '{printable(owner.name)}'",
        expected="plain names for weights",
        got=printable(repr(name)),
        fix="For example store['kernel'] = ...",
    )


def _by_layer(model: Any, form: str, *, include_optimizer: bool) -> Record:
    layers = [
        (name, [(path, _host(weight)) for path, weight in weights]) for name, weights in by_layer(model)
    ]
    record = Record(form, layers=layers)
    if include_optimizer and form == "h5" and model.optimizer is not None:
        record.optimizer = [(variable.name, _host(variable)) for variable in model.optimizer.variables]
    return record


def _host(value: Any) -> np.ndarray:
    return np.asarray(value.read() if isinstance(value, Variable) else value)


def _assets(owner: Any, path: str) -> dict[str, bytes]:
    """The files that a layer of the user's own writes beside the configuration."""
    save = getattr(type(owner), "save_assets", None)
    if save is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        save(owner, folder)
        files = [each for each in pathlib.Path(folder).iterdir() if each.is_file()]
        return {f"assets/{path}{each.name}": each.read_bytes() for each in files}


def _shared(model: Layer) -> dict[int, int]:
    """The layers that hang on several others, by identity, with a number for each."""
    owners: dict[int, int] = {}
    for owner in [model, *model.inside(Layer)]:
        for layer in owner.children():
            owners[id(layer)] = owners.get(id(layer), 0) + 1
    several = [key for key, count in owners.items() if count > 1]
    return {key: number for number, key in enumerate(several, start=1)}


def _check_target(path: str | os.PathLike[str], *, overwrite: bool, save_format: str | None) -> None:
    what = f"'{printable(files.writing.checked_path(path))}'"
    if not overwrite and os.path.exists(path):
        raise ModelFileError(
            what,
            expected="a new file, as overwrite=False says",
            got="one that is there",
            fix="Choose another name, or overwrite=True.",
        )
    if not os.fspath(path).lower().endswith(_SUFFIXES):
        # The folders of TensorFlow's formats, which had no suffix, were made.
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if save_format not in (None, "keras", "keras_v3", "h5", "hdf5"):
        raise ModelFileError(
            what,
            expected="save_format='keras' or 'h5'",
            got=repr(save_format),
            fix="A SavedModel is TensorFlow's own; leave save_format out and end the name in .keras.",
        )


# Reading.


@explained
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
    record = files.formats.read(filepath)
    what = f"'{printable(os.fspath(filepath), 200)}'"
    if record.config is None:
        raise ModelFileError(
            what,
            expected="a model",
            got="weights alone",
            fix="Make the model, then model.load_weights(path).",
        )
    return made_from(record, what, custom_objects, compile=compile)


def made_from(record: Record, what: str, custom_objects: Any = None, *, compile: bool = True) -> Any:
    """The model of a record, with its weights.

    Args:
        what: the record comes from, as errors name it.
        compile: whether to compile it as it was.
    """
    with reading(what, custom_objects, compile=compile) as noted, unfilled(_count(record)):
        model = _model_from(record.config, what)
        for written, layer in noted.made:
            if isinstance(layer, Layer) and not layer.built and written.get("build_config"):
                layer.build_from_config(written["build_config"])
        fill(model, record, what, keeps_training=compile)
    if record.format == "h5" and compile:
        for note in record.metadata.get("notes", ()):
            warnings.warn(f"{what}: {printable(note, 400)}", stacklevel=4)
    return model


def _count(record: Record) -> int:
    """How many numbers a record holds."""
    listed = [array for _, weights in record.layers or () for _, array in weights]
    return sum(array.size for array in (*record.paths.values(), *listed))


def _model_from(config: Any, what: str) -> Any:
    files.plain_config.check(config, what)
    model = configs.deserialize(config)
    if not callable(getattr(type(model), "save", None)):
        raise ModelFileError(
            what, expected="a model", got=f"a {type(model).__name__}", fix="It is the file of something else."
        )
    return model


@contextlib.contextmanager
def reading(what: str, custom_objects: Any = None, *, compile: bool = True) -> Iterator[configs.Making]:
    """Inside the `with` objects are made from a file; whatever fails is an error about the file.

    Args:
        compile: whether models are compiled as they were.
    """
    with registry.custom_object_scope(custom_objects or {}), configs.making(compiles=compile) as noted:
        try:
            yield noted
        except ModelFileError as error:
            raise _about_file(error, what, noted.failed) if noted.failed else error from error
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
    inner = f"layer '{printable(names[-1])}'" if names and len(names) > 1 else ""
    return f"{inner} in {what}" if inner else what


def _about_file(error: DoltapError, what: str, names: list[str] | None) -> DoltapError:
    """The same error, which says also in which file, and what helps against unknown names there."""
    fix = error.parts["fix"]
    if isinstance(error, UnknownNameError):
        fix += (
            " A class or function of your own: load_model(path, custom_objects={'its name': it}), "
            "or @register_keras_serializable() on it."
        )
        if error.subject in ("loss", "metric", "metric function", "optimizer"):
            fix += " To go without: load_model(path, compile=False)."
    return type(error)(f"{_where(what, names)}: {error.subject}", **{**error.parts, "fix": fix})


@arguments.known_keywords
def load_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    by_name: bool = False,
    objects_to_skip: Any = None,
) -> None:
    """Give a model the weights in a file; all of them or, when something does not fit, none.

    Args:
        skip_mismatch: leave out what does not fit, and say so.
        by_name: give weights to the layers of the same name, and leave out the others.
        objects_to_skip: accepted as None.
    """
    record = files.formats.read(filepath)
    what = f"'{printable(os.fspath(filepath), 200)}'"
    with reading(what):
        fill(model, record, what, skip_mismatch=skip_mismatch, by_name=by_name)


@explained
def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights.

    Args:
        custom_objects: classes and functions of your own by name.
    """
    with reading("the JSON text", custom_objects), unfilled(_MOST_OF_A_TEXT, has_values=False):
        return _model_from(files.plain_json.read_json(json_string, "the JSON text"), "the JSON text")
