"""Event files, as TensorBoard reads them: numbers, histograms, images, the graph of layers, parameters.

tensorboardX knows their form; a thread of their own writes them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import queue
import tempfile
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from doltap.errors import ModelFileError, optional_package, printable
from doltap.reporting.histograms import Histograms

__all__ = [
    "EventFile",
    "Writer",
    "as_image",
    "as_summary",
    "check_folder",
    "connections",
    "note",
    "read_epochs",
]

# Images of weights are for looking at; beyond this they only fill the disk.
_LARGEST_IMAGE = 1 << 22
# So many summaries may wait to be written before training waits too.
_MOST_WAITING = 256
# When a number was noted, its epoch, its name and itself.
_Point = tuple[float, int, str, float]


class Writer:
    """A thread that writes event files, so that training need not wait for the disk.

    What is put into it is on the disk a moment later, also where an error or
    Ctrl-C ends the training, or the program.

    Args:
        call: the callback that writes, for errors.
    """

    def __init__(self, call: str = "TensorBoard") -> None:
        self._call = call
        self._jobs: queue.Queue[Any] = queue.Queue(_MOST_WAITING)
        self._failures: list[tuple[str, Exception]] = []
        # It must not hold this object, which ends the thread when nobody needs it any more.
        work = functools.partial(_write_all, self._jobs, self._failures)
        self._thread = threading.Thread(target=work, name="writing event files", daemon=True)
        self._thread.start()
        self._files: list[EventFile] = []
        self._end = weakref.finalize(self, _end, self._jobs, self._thread, self._files, self._failures)

    def open(self, folder: str) -> EventFile:
        """A new file in a folder, which is made where it is not there."""
        file = EventFile(folder, self._jobs, self._call)
        self._files.append(file)
        return file

    def close(self) -> None:
        """Write the rest; a warning says what could not be written."""
        self._end()
        for folder, error in self._failures[:1]:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            warnings.warn(
                f"{self._call} could not write to '{printable(folder, 200)}': {printable(reason)}. The event "
                "files end there; the training itself was not touched by it.",
                stacklevel=4,
            )


def _write_all(jobs: queue.Queue[Any], failures: list[tuple[str, Exception]]) -> None:
    """Do what is put in, until None comes; when there is no more, bring it to the disk."""
    unflushed: dict[str, Callable[[], Any]] = {}
    for folder, job in iter(jobs.get, None):
        where = folder
        try:
            if not failures:
                unflushed[folder] = job()
            while unflushed and jobs.empty():
                where, flush = unflushed.popitem()
                flush()
        except Exception as error:  # Whatever it is, the training goes on, and hears of it at its end.
            failures.append((where, error))
            unflushed.clear()


def _end(jobs: queue.Queue[Any], thread: threading.Thread, files: list[EventFile], failures: list) -> None:
    jobs.put(None)
    thread.join()
    for file in files:
        try:
            file.file.close()
        except OSError as error:
            failures.append((file.folder, error))


class EventFile:
    """One file of events, in a folder of its own.

    Args:
        folder: made where it is not there.
        jobs: where the thread finds what it writes.
        call: the callback that writes, for errors.
    """

    def __init__(self, folder: str, jobs: queue.Queue[Any], call: str = "TensorBoard") -> None:
        optional_package("tensorboardX", extra="board", purpose="TensorBoard")
        self.folder, self._jobs = folder, jobs
        self._form = importlib.import_module("tensorboardX.summary")
        self._protos = importlib.import_module("tensorboardX.proto.event_pb2")
        self._summaries = importlib.import_module("tensorboardX.proto.summary_pb2")
        writers = importlib.import_module("tensorboardX.event_file_writer")
        try:
            os.makedirs(folder, exist_ok=True)
            # Two files that are begun in one second would have one name; they are read in their order.
            self.file = writers.EventsWriter(os.path.join(folder, "events"), f".{time.time_ns()}")
            self.file.flush()
        except OSError as error:
            raise _cannot_write(folder, error, call) from error

    def _put(self, step: int, make: Callable[[], Any]) -> None:
        """Let the thread make a summary and write it."""
        noted = time.time()

        def write() -> Callable[[], Any]:
            return self._written(self._protos.Event(wall_time=noted, step=step, summary=make()))

        self._jobs.put((self.folder, write))

    def _written(self, event: Any) -> Callable[[], Any]:
        """Write the event; what brings it to the disk."""
        self.file.write_event(event)
        flush: Callable[[], Any] = self.file.flush
        return flush

    def add_numbers(self, numbers: dict[str, float], step: int) -> None:
        """Each number under its name."""
        for name, number in numbers.items():
            self._put(step, functools.partial(as_summary, name, number))

    def add_histograms(self, names: Sequence[str], found: Histograms, step: int) -> None:
        """How the numbers of arrays are distributed; an array without a finite number is left out."""
        # The device may still count: the thread waits for it.
        lines = functools.cache(lambda: [np.asarray(part) for part in found])
        for number, name in enumerate(names):
            self._put(step, functools.partial(self._histogram, name, number, lines))

    def _histogram(self, name: str, number: int, lines: Callable[[], list[np.ndarray]]) -> Any:
        low, high, counts, total, squares = (part[number] for part in lines())
        if not counts.any():
            return None
        limits = np.linspace(low, high, len(counts) + 1, dtype=np.float64)[1:]
        if not high > low:
            # One number, or none.
            limits, counts = limits[:1], counts[:1]
        total, squares, count = float(total), float(squares), int(counts.sum())
        buckets = limits.tolist(), counts.tolist()
        return self._form.histogram_raw(name, float(low), float(high), count, total, squares, *buckets)

    def add_image(self, name: str, image: np.ndarray, step: int) -> None:
        """An image of shape (height, width), its values from 0 to 255."""
        self._put(step, functools.partial(self._form.image, name, image, dataformats="HW"))

    def add_graph(self, layers: Iterable[tuple[str, str, list[str], Any]]) -> None:
        """The layers, as `connections` gives them, for the page of graphs."""
        graph = importlib.import_module("tensorboardX.proto.graph_pb2").GraphDef()
        graph.versions.producer = 22
        for name, kind, inputs, shape in layers:
            node = graph.node.add(name=name, op=kind, input=inputs)
            lengths = node.attr["_output_shapes"].list.shape.add()
            for length in shape or ():
                lengths.dim.add(size=-1 if length is None else length)
        event = self._protos.Event(wall_time=time.time(), graph_def=graph.SerializeToString())
        self._jobs.put((self.folder, functools.partial(self._written, event)))

    def add_session(self, parameters: dict[str, Any], group: str) -> None:
        """The parameters of a run, for the page of hyperparameters.

        Args:
            group: runs of one group are shown as one, with the means of their numbers.
        """
        plugin = importlib.import_module("tensorboardX.proto.plugin_hparams_pb2")
        start = plugin.SessionStartInfo(group_name=group, start_time_secs=time.time())
        for name, value in parameters.items():
            kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
            setattr(start.hparams[name], kind, value)
        self._put_plugin("session_start_info", plugin.HParamsPluginData(session_start_info=start))

    def end_session(self) -> None:
        """The run has come to its end."""
        plugin = importlib.import_module("tensorboardX.proto.plugin_hparams_pb2")
        status = importlib.import_module("tensorboardX.proto.api_pb2").Status.Value("STATUS_SUCCESS")
        end = plugin.SessionEndInfo(status=status, end_time_secs=time.time())
        self._put_plugin("session_end_info", plugin.HParamsPluginData(session_end_info=end))

    def add_experiment(
        self, parameters: Iterable[dict[str, Any]], measures: Iterable[dict[str, Any]], seconds: Any = None
    ) -> None:
        """Which parameters and measures the runs below the folder have, for the page of hyperparameters.

        Args:
            parameters: of each its name, display_name, description, and its values: a list
                of them, the two ends of an interval, or None.
            measures: of each its tag, group, display_name, description and dataset_type.
            seconds: when the runs began, since 1970; None for now.
        """
        api = importlib.import_module("tensorboardX.proto.api_pb2")
        plugin = importlib.import_module("tensorboardX.proto.plugin_hparams_pb2")
        told = api.Experiment(time_created_secs=time.time() if seconds is None else seconds)
        for each in parameters:
            named = {key: each[key] for key in ("name", "display_name", "description")}
            info, values = told.hparam_infos.add(**named), each["values"]
            kind = {str: "STRING", bool: "BOOL"}.get(type(values[0]), "FLOAT64") if values else "UNSET"
            info.type = api.DataType.Value(f"DATA_TYPE_{kind}")
            if isinstance(values, tuple):
                info.domain_interval.min_value, info.domain_interval.max_value = values
            else:
                info.domain_discrete.extend(values or ())
        for each in measures:
            named = {key: each[key] for key in ("display_name", "description", "dataset_type")}
            told.metric_infos.add(name=api.MetricName(group=each["group"], tag=each["tag"]), **named)
        self._put_plugin("experiment", plugin.HParamsPluginData(experiment=told))

    def _put_plugin(self, tag: str, content: Any) -> None:
        protos = self._summaries
        data = protos.SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
        value = protos.Summary.Value(
            tag=f"_hparams_/{tag}", metadata=protos.SummaryMetadata(plugin_data=data)
        )
        self._put(0, lambda: protos.Summary(value=[value]))


def as_summary(name: str, number: float) -> Any:
    """The number under its name, as a summary of tensorboardX's."""
    # tensorboardX's own function prints a line for each NaN, and writes other letters into names.
    summaries = importlib.import_module("tensorboardX.proto.summary_pb2")
    return summaries.Summary(value=[summaries.Summary.Value(tag=name, simple_value=number)])


def note(folder: str, numbers: dict[str, float]) -> None:
    """Numbers that belong to a run as a whole, in a file of their own beside those of the run."""
    writer = Writer()
    writer.open(folder).add_numbers({name: float(number) for name, number in numbers.items()}, 0)
    writer.close()


def check_folder(folder: str, call: str = "TensorBoard") -> None:
    """An error where no file could be made in the folder, which need not be there yet."""
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _cannot_write(folder, error, call) from error


def _cannot_write(folder: str, error: OSError, call: str) -> ModelFileError:
    """The error for a folder in which no file can be made."""
    return ModelFileError(
        f"{call}(log_dir='{printable(folder, 200)}')",
        expected="a folder that can be written to",
        got=printable(error.strerror or error),
        fix=f"Give another folder, for example {call}('logs').",
    )


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


def read_epochs(folder: Any) -> tuple[dict[str, list[int]], dict[str, list[float]], set[float]]:
    """Of each measure its epochs and its values, and when they were noted, from the files of a training.

    TensorFlow's are read too.

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
            expected="a folder in which TensorBoard(log_dir) wrote the epochs of a training, below 'train'",
            got="no epochs" if os.path.isdir(folder) else "no such folder",
            fix="Give the log_dir of one training.",
        )
    found = _last_training(points + _points(os.path.join(folder, "validation"), "val_"))
    when = {name: sorted(values) for name, values in found.items()}
    noted = {time for values in found.values() for _, time in values.values()}
    return when, {name: [found[name][step][0] for step in steps] for name, steps in when.items()}, noted


def _last_training(points: list[_Point]) -> dict[str, dict[int, tuple[float, float]]]:
    """Values and their times by measure and epoch: one that comes again ends what was noted from it on."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    latest = -1
    for noted, step, name, value in sorted(points, key=lambda point: point[:2]):
        if step < latest or step in found.get(name, {}):
            kept = {name: {k: v for k, v in values.items() if k < step} for name, values in found.items()}
            found = {name: values for name, values in kept.items() if values}
        latest = step
        found.setdefault(name, {})[step] = value, noted
    return found


def _points(folder: str, prefix: str) -> list[_Point]:
    """All numbers that were noted after epochs."""
    name = "tensorboard.backend.event_processing.event_accumulator"
    reader = optional_package(name, extra="board", purpose="reading event files")
    if not os.path.isdir(folder):
        return []
    sizes = {reader.SCALARS: 0, reader.TENSORS: 0}
    events = reader.EventAccumulator(folder, size_guidance=sizes, purge_orphaned_data=False)
    with _silenced("tensorboard"):
        events.Reload()
    points: list[_Point] = []
    for kind, listed in (("scalars", events.Scalars), ("tensors", events.Tensors)):
        for tag in events.Tags()[kind]:
            if tag.startswith("epoch_"):
                measure = prefix + tag.removeprefix("epoch_")
                points += [(one.wall_time, one.step, measure, _number(one)) for one in listed(tag)]
    return points


@contextlib.contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Without what a logger says: TensorBoard complains of a folder to which several trainings wrote."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _number(event: Any) -> float:
    if hasattr(event, "value"):
        return float(event.value)
    return float(importlib.import_module("tensorboard.util.tensor_util").make_ndarray(event.tensor_proto))
