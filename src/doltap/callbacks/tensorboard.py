"""Writing what TensorBoard shows, in the layout of Keras, without TensorFlow."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from doltap import reporting
from doltap.callbacks.callback import Callback, Logs
from doltap.errors import (
    DataError,
    ModelFileError,
    NotSupportedError,
    UnknownNameError,
    optional_package,
    printable,
)
from doltap.files.writing import checked_path
from doltap.registry import arguments_of, check_arguments, explained

__all__ = ["HParams", "TensorBoard", "for_every_fit", "for_one_run"]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end")
_HOW_OFTEN = "how often: a whole number, 0 for never", "1"
# Words of Keras 2 that changed nothing that is shown today.
_WITHOUT_EFFECT = ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")


class TensorBoard(Callback):
    """Writes event files that `tensorboard --logdir logs` shows.

    Training goes to `log_dir/train`, validation and `evaluate` to
    `log_dir/validation`. One object at several fits writes one curve on: epochs
    that begin again at the first are counted after those that are there.
    Needs tensorboardX: pip install "doltap[board]".

    Args:
        log_dir: the folder; a run of its own for each training keeps them apart.
        histogram_freq: write histograms of the weights every so many epochs; 0 never.
        write_graph: whether to write the graph of the layers.
        write_images: whether to draw the weights with their histograms.
        write_steps_per_second: whether to write how fast it trains.
        update_freq: "epoch", or after how many batches to write losses and metrics;
            "batch" means 1. Whoever hears every batch trains more slowly.
        profile_batch: a batch, or the first and the last batch, that JAX's profiler
            watches, counted from 1 over the whole training; 0 none.
        embeddings_freq: write the vectors of Embedding layers every so many epochs; 0 never.
        embeddings_metadata: a file with a label for each vector, or a dict from
            the layer's name to such a file. As with Keras a path is relative to `log_dir`;
            where no file is there, to the working folder. TensorBoard shows no file from
            outside `log_dir`: such a one is copied into `log_dir/projector`, beside the vectors.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        **keywords: Any,
    ) -> None:
        keywords = {name: value for name, value in keywords.items() if name not in _WITHOUT_EFFECT}
        check_arguments("TensorBoard", keywords, arguments_of(TensorBoard))
        super().__init__()
        optional_package("tensorboardX", extra="board", purpose="TensorBoard")
        self.log_dir = _folder("TensorBoard", log_dir)
        self.histogram_freq = _count("histogram_freq", histogram_freq)
        self.write_graph, self.write_images = write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            self.update_freq = _count("update_freq", self.update_freq, least=1)
        self._profiled = _batches(profile_batch)
        self.embeddings_freq = _count("embeddings_freq", embeddings_freq)
        self.embeddings_metadata = embeddings_metadata
        # A class of the user's may do something at every batch.
        own = [hook for hook in _BATCH_HOOKS if getattr(type(self), hook) is getattr(TensorBoard, hook)]
        self.unheard = tuple(own) if self.update_freq == "epoch" and not self._profiled else ()
        self._writer: Any = None
        self._files: dict[str, Any] = {}
        self._is_profiling = self._is_training = False
        self._began, self._begun_step = 0.0, 0
        # How many epochs are written, and how many of them by fits before; the model whose graph is.
        self._num_epochs = self._epochs_before = 0
        self._drawn: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file of the training, and draw the graph."""
        self._is_training = True
        if self.embeddings_freq:
            self._describe_embeddings()
        file = self._file("train")
        run = getattr(self.params, "run", None)
        if run and run[-1]:
            reporting.events.check_folder(os.path.join(self.log_dir, "validation"))
        # TensorBoard shows one graph of a run, and complains of more.
        if self.write_graph and self.model.built and self._drawn is not self.model:
            file.add_graph(reporting.events.connections(self.model))
            self._drawn = self.model
        self._epochs_before = 0

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._finish()

    def _on_train_abandoned(self, error: BaseException) -> None:
        """Close the files, with what is known so far."""
        self._finish()

    def _finish(self) -> None:
        self._is_training = False
        try:
            self._stop_profiling()
        finally:
            self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin to count steps; a fit that begins at the first epoch goes on where the one before ended."""
        if epoch == 0:
            self._epochs_before = self._num_epochs
        self._began, self._begun_step = time.perf_counter(), self._step()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the losses and metrics of the epoch, and what is written every so many epochs."""
        logs, epoch = logs or {}, epoch + self._epochs_before
        self._num_epochs = epoch + 1
        held_out = {name: value for name, value in logs.items() if name.startswith("val_")}
        numbers = {name: value for name, value in logs.items() if name not in held_out}
        numbers["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._began
            numbers["steps_per_second"] = (self._step() - self._begun_step) / seconds
        self._file("train").add_numbers(_named("epoch_{}", numbers), epoch)
        if held_out:
            shorter = {name.removeprefix("val_"): value for name, value in held_out.items()}
            self._file("validation").add_numbers(_named("epoch_{}", shorter), epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Let the profiler begin where it is time."""
        super().on_train_batch_begin(batch, logs)
        if self._profiled and self._step() + 1 == self._profiled[0]:
            self._begin_profiling()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the losses and metrics of the epoch so far, after every so many batches."""
        super().on_train_batch_end(batch, logs)
        step = self._step()
        if self._profiled and step >= self._profiled[1]:
            self._stop_profiling()
        if self.update_freq != "epoch" and step % self.update_freq == 0:
            self._file("train").add_numbers(_named("batch_{}", logs or {}), step)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the results of an evaluation, at the step that training has reached."""
        if self.model.optimizer is not None and self.model.optimizer.is_built:
            numbers = _named("evaluation_{}_vs_iterations", logs or {})
            self._file("validation").add_numbers(numbers, self._step())
            if not self._is_training:
                # Nobody tells it when there is an end.
                self._close()

    def _step(self) -> int:
        return int(np.asarray(self.model.optimizer.iterations))

    def _file(self, part: str) -> Any:
        if self._writer is None:
            self._writer = reporting.events.Writer()
        if part not in self._files:
            self._files[part] = self._writer.open(os.path.join(self.log_dir, part))
        return self._files[part]

    def _close(self) -> None:
        writer, self._writer, self._files = self._writer, None, {}
        if writer is not None:
            writer.close()

    def __getstate__(self) -> dict[str, Any]:
        # A copy writes files of its own.
        fresh: dict[str, Any] = {
            "_writer": None,
            "_is_profiling": False,
            "_files": {},
            "_num_epochs": 0,
            "_epochs_before": 0,
            "_drawn": None,
        }
        return {**vars(self), **fresh}

    def _begin_profiling(self) -> None:
        try:
            jax.profiler.start_trace(self.log_dir)
            self._is_profiling = True
        except RuntimeError:
            warnings.warn(
                f"TensorBoard('{printable(self.log_dir, 200)}', profile_batch={self._profiled}) watches "
                "no batch: a program can have one profiler at a time, and another is at work.",
                stacklevel=4,
            )

    def _stop_profiling(self) -> None:
        if self._is_profiling:
            self._is_profiling = False
            jax.profiler.stop_trace()

    def _write_weights(self, epoch: int) -> None:
        file, weights = self._file("train"), self.model.weights
        if not weights:
            return
        names = [f"{weight.path}/histogram" for weight in weights]
        file.add_histograms(names, reporting.histograms.counted([one.read() for one in weights]), epoch)
        for weight in weights if self.write_images else ():
            image = reporting.events.as_image(weight.numpy())
            if image is not None:
                file.add_image(f"{weight.path}/image", image, epoch)

    def _embeddings(self) -> list[Any]:
        return [layer for layer in self.model.layers if type(layer).__name__ == "Embedding"]

    def _describe_embeddings(self) -> None:
        """Tell TensorBoard's projector where vectors and labels stand."""
        names = [layer.name for layer in self._embeddings()]
        labels = self.embeddings_metadata
        if isinstance(labels, dict):
            for name in labels.keys() - set(names):
                raise UnknownNameError.of("TensorBoard(embeddings_metadata)", name, names)
        reporting.events.check_folder(os.path.join(self.log_dir, "projector"))
        lines = []
        for name in names:
            lines += ["embeddings {", f"  tensor_name: {_quoted(name)}"]
            lines += [f"  tensor_path: {_quoted(_vectors(name))}"]
            file = labels.get(name) if isinstance(labels, dict) else labels
            lines += [f"  metadata_path: {_quoted(self._labels(name, file))}"] if file else []
            lines += ["}"]
        (Path(self.log_dir) / "projector_config.pbtxt").write_text("\n".join(lines), encoding="utf-8")

    def _labels(self, name: str, given: Any) -> str:
        """Where a file of labels is within the folder, into which it is copied from elsewhere."""
        folder = Path(self.log_dir).resolve()
        places = [folder / given, Path(given).resolve()]
        found = next((path.resolve() for path in places if path.is_file()), None)
        if found is None or found == folder / _vectors(name):
            raise DataError(
                f"TensorBoard(embeddings_metadata), {printable(os.fspath(given), 200)!r}",
                expected="a file with a label for each vector",
                got="no such file" if found is None else "the file of the vectors",
                fix=f"Write a label a line into a file of '{printable(self.log_dir, 200)}' and name it.",
            )
        if not found.is_relative_to(folder):
            found = Path(shutil.copyfile(found, folder / "projector" / f"{name}-labels.tsv"))
        return found.relative_to(folder).as_posix()

    def _write_embeddings(self) -> None:
        for layer in self._embeddings():
            path = Path(self.log_dir) / _vectors(layer.name)
            np.savetxt(path, layer.embeddings.numpy(), delimiter="\t", fmt="%.6g")


def _vectors(name: str) -> str:
    """The file of a layer's vectors, which bears no name that a file of the user's may have."""
    return f"projector/{name}-vectors.tsv"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class HParams(Callback):
    """Writes with which parameters a run was trained, for TensorBoard's page HPARAMS.

    It stands beside a `TensorBoard` of the same folder, whose losses and metrics
    that page shows. Searches of `doltap.tune` that are given a `TensorBoard`
    need none: each candidate gets a folder and an `HParams` of its own.

    Args:
        log_dir: the folder of the run.
        parameters: a dict of names and values: numbers, booleans and strings. With an
            estimator for scikit-learn, the names of its parameters, or None for all
            of them: then every fit gets a folder of its own in `log_dir`.
        trial_id: runs of one trial, such as the folds of a candidate, are shown as one.

    >>> HParams("logs/run-1", {"units": 30, "rate": 0.01}).parameters
    {'units': 30, 'rate': 0.01}
    """

    @explained
    def __init__(self, log_dir: Any = "logs", parameters: Any = None, trial_id: str | None = None) -> None:
        super().__init__()
        optional_package("tensorboardX", extra="board", purpose="HParams")
        self.log_dir, self.trial_id = _folder("HParams", log_dir), trial_id
        if isinstance(parameters, dict):
            wrong = [str(name) for name, value in parameters.items() if _as_parameter(value) is None]
            if wrong:
                raise DataError(
                    f"HParams(parameters), {printable(', '.join(wrong), 200)}",
                    expected="a number, a boolean or a string",
                    got=printable(repr(parameters[wrong[0]]) if wrong[0] in parameters else "another", 100),
                    fix="Give a name or a number that stands for it.",
                )
            parameters = {str(name): _as_parameter(value) for name, value in parameters.items()}
        self.parameters = parameters
        self._writer: Any = None
        self._file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the parameters."""
        if not isinstance(self.parameters, dict):
            raise DataError(
                "HParams(parameters)",
                expected="a dict of names and values, for a model that is trained by its own fit",
                got=repr(self.parameters),
                fix="For example HParams('logs/run-1', {'units': 30}).",
            )
        self._writer = reporting.events.Writer("HParams")
        self._file = self._writer.open(self.log_dir)
        self._file.add_session(self.parameters, self.trial_id or "")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Write that the run has come to its end."""
        self._file.end_session()
        self._close()

    def _on_train_abandoned(self, error: BaseException) -> None:
        """Close the file of a run that came to no end."""
        self._close()

    def _close(self) -> None:
        writer, self._writer, self._file = self._writer, None, None
        if writer is not None:
            writer.close()


def _as_parameter(value: Any) -> bool | float | str | None:
    """The value as TensorBoard takes it; None where it does not."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (bool, int, float, str)) else None


def for_one_run(given: Any, parameters: dict[str, Any], run: str, trial_id: str | None = None) -> list[Any]:
    """The callbacks for one run of many: each `TensorBoard` in a folder of its own, with an `HParams`.

    Args:
        given: a callback, or several in a list.
        parameters: those of the run; what TensorBoard does not take is left out.
        run: the name of the folder within that of the callback.
    """
    plain = {name: _as_parameter(value) for name, value in parameters.items()}
    plain = {name: value for name, value in plain.items() if value is not None}
    listed = []
    for one in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(one, TensorBoard):
            one = copy.copy(one)
            one.log_dir = os.path.join(one.log_dir, run)
            listed.append(HParams(one.log_dir, plain, trial_id))
        if not isinstance(one, HParams):
            listed.append(one)
    return listed


def for_every_fit(given: Any, parameters: dict[str, Any]) -> Any:
    """The callbacks of an estimator's fit: where an `HParams` asks for its parameters, as `for_one_run`.

    Args:
        given: a callback, or several in a list.
        parameters: all those of the estimator.
    """
    listed = given if isinstance(given, (list, tuple)) else [given]
    asking = [one for one in listed if isinstance(one, HParams) and not isinstance(one.parameters, dict)]
    if not asking:
        return given
    names = [*parameters] if asking[0].parameters is None else asking[0].parameters
    for name in names:
        if name not in parameters:
            raise UnknownNameError.of("HParams(parameters)", name, parameters)
    run = _new_folder(asking[0].log_dir)
    return for_one_run(listed, {name: parameters[name] for name in names}, run, asking[0].trial_id)


def _new_folder(folder: str) -> str:
    """The name of the first folder "run-0001" and so on that is not there; now it is."""
    reporting.events.check_folder(folder, "HParams")
    number = 1
    while True:
        path = Path(folder) / f"run-{number:04d}"
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path.name
        number += 1


def _named(form: str, numbers: Logs) -> dict[str, float]:
    """Single numbers under the names that TensorBoard shows; what is several numbers has no curve."""
    return {form.format(name): float(value) for name, value in numbers.items() if np.ndim(value) == 0}


def _folder(call: str, given: Any) -> str:
    try:
        return checked_path(given)
    except ModelFileError as error:
        raise DataError(
            f"{call}(log_dir)",
            expected="the path of a folder",
            got=printable(repr(given), 200),
            fix=f"For example {call}('logs').",
        ) from error


def _count(name: str, value: Any, least: int = 0) -> int:
    if not _is_whole(value) or value < least:
        words = ("'epoch', 'batch' or a number of batches", "'epoch'") if least else _HOW_OFTEN
        expected, example = words
        fix = f"For example {name}={example}."
        raise DataError(f"TensorBoard({name})", expected=expected, got=printable(repr(value), 200), fix=fix)
    return int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _batches(asked: Any) -> tuple[int, int] | None:
    """The first and the last batch to watch."""
    parts = asked
    if isinstance(asked, str) and all(part.strip().isdecimal() for part in asked.split(",")):
        parts = tuple(int(part) for part in asked.split(","))
    first, last = parts if isinstance(parts, (tuple, list)) and len(parts) == 2 else (parts, parts)
    if not _is_whole(first) or not _is_whole(last) or first < 0 or last < first:
        raise NotSupportedError(
            "TensorBoard(profile_batch)",
            expected="a batch, or the first and the last one, counted from 1",
            got=printable(repr(asked), 200),
            fix="For example profile_batch=(10, 20), or 0 for none.",
        )
    return (int(first), int(last)) if first else None
