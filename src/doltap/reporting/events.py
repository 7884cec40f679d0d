"""Event files, as TensorBoard reads them: numbers, histograms, images and the graph of layers.

tensorboardX writes them; here is what goes in.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from doltap.errors import ModelFileError, optional_package, printable

__all__ = ["EventFile", "as_image", "connections", "read_epochs"]

# Images of weights are for looking at; beyond this they only fill the disk.
_LARGEST_IMAGE = 1 << 22
# When a number was noted, its epoch, its name and itself.
_Point = tuple[float, int, str, float]


class EventFile:
    """One file of events, in a folder of its own.

    Args:
        folder: made where it is not there.
    """

    def __init__(self, folder: str) -> None:
        writers = optional_package("tensorboardX", extra="board", purpose="TensorBoard")
        try:
            os.makedirs(folder, exist_ok=True)
            # Two files that are begun in one second would have one name; they are read in their order.
            self._file = writers.FileWriter(folder, filename_suffix=f".{time.time_ns()}")
        except OSError as error:
            raise ModelFileError(
                f"TensorBoard(log_dir='{printable(folder, 200)}')",
                expected="a folder that can be written to",
                got=printable(error.strerror or error),
                fix="Give another folder, for example TensorBoard('logs').",
            ) from error
        self._form = importlib.import_module("tensorboardX.summary")
        self._protos = importlib.import_module("tensorboardX.proto.graph_pb2")

    def add_numbers(self, numbers: dict[str, float], step: int) -> None:
        """Each number under its name."""
        for name, number in numbers.items():
            self._file.add_summary(self._form.scalar(name, number), step)

    def add_histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """How the values are distributed; those that are no numbers are left out."""
        finite = values[np.isfinite(values)]
        if finite.size:
            self._file.add_summary(self._form.histogram(name, finite, "auto"), step)

    def add_image(self, name: str, image: np.ndarray, step: int) -> None:
        """An image of shape (height, width), its values from 0 to 255."""
        self._file.add_summary(self._form.image(name, image, dataformats="HW"), step)

    def add_graph(self, layers: Iterable[tuple[str, str, list[str], Any]]) -> None:
        """The layers, as `connections` gives them, for the page of graphs."""
        graph = self._protos.GraphDef()
        graph.versions.producer = 22
        for name, kind, inputs, shape in layers:
            node = graph.node.add(name=name, op=kind, input=inputs)
            lengths = node.attr["_output_shapes"].list.shape.add()
            for length in shape or ():
                lengths.dim.add(size=-1 if length is None else length)
        self._file.add_onnx_graph(graph)

    def flush(self) -> None:
        """Let what was added be seen."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()


def connections(model: Any) -> Iterator[tuple[str, str, list[str], Any]]:
    """Of each layer its name, its kind, the names of those before it, and its output's shape."""
    known = {id(layer): layer.name for layer in model.layers}
    for layer in model.layers:
        tensors = [tensor for node in layer.nodes for tensor in node.inputs]
        promised = layer.nodes[0].outputs if layer.nodes else None
        shape = getattr(promised, "shape", None)
        yield layer.name, type(layer).__name__, list(dict.fromkeys(_before(tensors, known))), shape


def _before(tensors: list[Any], known: dict[int, str]) -> Iterator[str]:
    """The names of the layers that the tensors come from, through operations between them."""
    for tensor in tensors:
        if tensor.node is None:
            continue
        if id(tensor.node.call) in known:
            yield known[id(tensor.node.call)]
        else:
            yield from _before(tensor.node.inputs, known)


def as_image(values: np.ndarray) -> np.ndarray | None:
    """Weights as shades of grey, (height, width), the longer side across; None where they are no picture."""
    table = np.squeeze(np.asarray(values, np.float64))
    if table.ndim == 0 or table.ndim > 2 or table.size > _LARGEST_IMAGE:
        return None
    table = table.reshape(1, -1) if table.ndim == 1 else table
    table = table.T if table.shape[0] > table.shape[1] else table
    table = np.nan_to_num(table, posinf=0.0, neginf=0.0)
    low, span = table.min(), np.ptp(table)
    return np.asarray(255 * (table - low) / (span or 1.0), np.uint8)


def read_epochs(folder: Any) -> tuple[dict[str, list[int]], dict[str, list[float]]]:
    """Of each measure its epochs and its values, from the files of a training; TensorFlow's are read too.

    Of several trainings that wrote there one after the other it is the last; one
    that went on from an epoch has those before it from the training it went on with.

    Args:
        folder: with the folders "train" and perhaps "validation".
    """
    folder = os.fspath(folder)
    points = _points(os.path.join(folder, "train"), "")
    if not points:
        raise ModelFileError(
            f"'{printable(folder, 200)}'",
            expected="a folder that TensorBoard(log_dir) wrote, with event files below 'train'",
            got="none" if os.path.isdir(folder) else "no such folder",
            fix="Give the log_dir of one training.",
        )
    found = _last_training(points + _points(os.path.join(folder, "validation"), "val_"))
    when = {name: sorted(values) for name, values in found.items()}
    return when, {name: [found[name][step] for step in steps] for name, steps in when.items()}


def _last_training(points: list[_Point]) -> dict[str, dict[int, float]]:
    """The values by measure and epoch: an epoch that comes again ends all that was noted from it on."""
    found: dict[str, dict[int, float]] = {}
    latest = -1
    for _, step, name, value in sorted(points, key=lambda point: point[:2]):
        if step < latest or step in found.get(name, {}):
            kept = {name: {k: v for k, v in values.items() if k < step} for name, values in found.items()}
            found = {name: values for name, values in kept.items() if values}
        latest = step
        found.setdefault(name, {})[step] = value
    return found


def _points(folder: str, prefix: str) -> list[_Point]:
    """All numbers that were noted after epochs."""
    name = "tensorboard.backend.event_processing.event_accumulator"
    reader = optional_package(name, extra="board", purpose="reading event files")
    if not os.path.isdir(folder):
        return []
    sizes = {reader.SCALARS: 0, reader.TENSORS: 0}
    events = reader.EventAccumulator(folder, size_guidance=sizes, purge_orphaned_data=False)
    events.Reload()
    points: list[_Point] = []
    for kind, listed in (("scalars", events.Scalars), ("tensors", events.Tensors)):
        for tag in events.Tags()[kind]:
            if tag.startswith("epoch_"):
                measure = prefix + tag.removeprefix("epoch_")
                points += [(one.wall_time, one.step, measure, _number(one)) for one in listed(tag)]
    return points


def _number(event: Any) -> float:
    if hasattr(event, "value"):
        return float(event.value)
    return float(importlib.import_module("tensorboard.util.tensor_util").make_ndarray(event.tensor_proto))
