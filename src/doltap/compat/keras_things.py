"""What Keras 1 and 2 had, Keras 3 has not, and a few lines bring back."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from doltap import layers
from doltap.datasets import downloads
from doltap.errors import MissingPackageError, NotSupportedError
from doltap.models import shown

__all__ = ["Reduction", "get_file", "merge", "model_to_dot", "plot_model"]


class Reduction:
    """How a loss joins the numbers of its rows, in the words of Keras 2."""

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


def get_file(fname: Any = None, origin: Any = None, *settings: Any, **named: Any) -> str:
    """The path of a file that is fetched, as Keras 3; an archive's content lies beside it, too.

    Programs for Keras 2 go on from the folder of the path they get, those for
    Keras 3 from the path itself: both find the files.

    Args:
        fname: its name; a path, as Keras 2 allowed, is where it goes.
    """
    folder, name = os.path.split(os.fspath(fname)) if fname is not None else ("", None)
    if folder and name:
        named["cache_subdir"] = os.path.join(named.get("cache_subdir", "datasets"), folder)
    found = downloads.get_file(name if folder and name else fname, origin, *settings, **named)
    return _told_as_before(Path(found)) if os.path.isdir(found) else found


def _told_as_before(opened: Path) -> str:
    """The folder of an archive once its content lies beside it; the archive's path where that tells more."""
    content = sorted(opened.iterdir())
    for each in content:
        beside = opened.with_name(each.name)
        if not beside.exists():
            _copy_whole(each, beside)
    if len(content) == 1 and (archive := opened.with_name(f"{content[0].name}.zip")).is_file():
        # "table.csv.zip", of which programs take the ending away.
        return str(archive)
    return str(opened)


def _copy_whole(source: Path, target: Path) -> None:
    aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        if source.is_dir():
            shutil.copytree(source, aside)
        else:
            shutil.copy2(source, aside)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    *settings: Any,
    **more: Any,
) -> Any:
    """Draw the model to a file, as Keras 3 does, with the names of the layers, as Keras 1 and 2 do.

    Where matplotlib is missing, which pictures that are not SVG need, the layers are printed.
    """
    more.pop("layer_range", None)
    try:
        return shown.plot_model(model, to_file, show_shapes, show_dtype, show_layer_names, *settings, **more)
    except MissingPackageError as error:
        model.summary()
        print(f"plot_model: {error}")
        return None


def model_to_dot(model: Any, *settings: Any, **more: Any) -> Any:
    """Refuse to describe the model for Graphviz."""
    raise NotSupportedError(
        "model_to_dot",
        expected="a picture of a model that doltap draws",
        got=f"the graph of '{model.name}' for Graphviz",
        fix="keras.utils.plot_model(model, 'model.svg') draws it without Graphviz.",
    )


def merge(
    inputs: Any,
    mode: Any = "sum",
    layer_cache: Any = None,
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    name: str | None = None,
    **keywords: Any,
) -> Any:
    """Several tensors as one, as Keras 1 joined them.

    Args:
        mode: "sum", "mul", "ave", "max", "concat", "dot", "cos", or a function of the list of tensors.

    >>> a, b = layers.Input((2,)), layers.Input((3,))
    >>> merge([a, b], mode="concat").shape
    (None, 5)
    """
    if callable(mode):
        return layers.Lambda(mode, output_shape=output_shape, name=name)(inputs)
    if any(not hasattr(each, "shape") for each in inputs):
        raise NotSupportedError(
            "merge",
            expected="tensors, as layers give them",
            got="layers or models",
            fix="Call them first: merge([left(x), right(x)]), in a Functional model.",
        )
    return layers.merge(inputs, mode, None, concat_axis, dot_axes, name)
