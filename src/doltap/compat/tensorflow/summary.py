"""`tf.summary`: numbers, pictures and texts for TensorBoard, written by tensorboardX."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow import lacking
from doltap.compat.tensorflow.tensor import as_tensor
from doltap.errors import NotSupportedError, optional_package
from doltap.reporting import events

__all__ = ["FileWriter", "audio", "create_file_writer", "experimental", "flush", "histogram", "image"]
__all__ += ["scalar", "should_record_summaries", "text", "write"]


class _Place(threading.local):
    """Where a thread writes, and at which step."""

    writer: FileWriter | None = None
    step: Any = None


_place = _Place()


class FileWriter:
    """Writes into a folder; in its `with writer.as_default():` all functions here write there."""

    def __init__(self, logdir: Any) -> None:
        package = optional_package("tensorboardX", extra="board", purpose="tf.summary")
        self.folder = os.fsdecode(logdir)
        # Two writers that are begun in one second would write over each other's file.
        ending = f".{time.time_ns()}"
        self.writer = package.SummaryWriter(self.folder, flush_secs=2, filename_suffix=ending)

    @staticmethod
    def current() -> FileWriter | None:
        """The one that is written to now; None where nobody writes."""
        return _place.writer

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator[FileWriter]:
        """Inside the `with`, what is written goes to this writer."""
        before = _place.writer, _place.step
        _place.writer = self
        _place.step = before[1] if step is None else step
        try:
            yield self
        finally:
            _place.writer, _place.step = before
            self.flush()

    def set_as_default(self, step: Any = None) -> None:
        """From now on, what is written goes to this writer."""
        _place.writer = self
        _place.step = _place.step if step is None else step

    def flush(self) -> None:
        """Put everything into the file."""
        self.writer.flush()

    def close(self) -> None:
        """Put everything into the file, and close it."""
        self.writer.close()

    def init(self) -> None:
        """Nothing: it is ready."""


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, **options: Any
) -> FileWriter:
    """A writer into a folder, which TensorBoard reads."""
    return FileWriter(logdir)


def _to(name: str, step: Any) -> tuple[Any, int] | None:
    """The writer and the step; None where nobody writes."""
    if _place.writer is None:
        return None
    step = _place.step if step is None else step
    if step is None:
        raise NotSupportedError(
            f"tf.summary, '{name}'",
            expected="a step",
            got="none",
            fix="Give step=, or say writer.as_default(step=...) or tf.summary.experimental.set_step(...).",
        )
    return _place.writer.writer, int(step)


def should_record_summaries() -> bool:
    """Whether somebody writes."""
    return _place.writer is not None


def scalar(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write one number; False where nobody writes."""
    if (found := _to(name, step)) is not None:
        summary = events.as_summary(name, float(as_tensor(data)))
        found[0]._get_file_writer().add_summary(summary, found[1])
    return found is not None


def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: Any = None) -> bool:
    """Write how numbers are distributed; False where nobody writes."""
    if (found := _to(name, step)) is not None:
        found[0].add_histogram(name, np.asarray(as_tensor(data)), found[1])
    return found is not None


def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: Any = None) -> bool:
    """Write pictures, (batch, height, width, channels) from 0 to 1 or bytes; False where nobody writes."""
    if (found := _to(name, step)) is not None:
        for number, picture in enumerate(np.asarray(as_tensor(data))[:max_outputs]):
            picture = picture if picture.dtype == np.uint8 else np.clip(picture, 0, 1)
            tag = f"{name}/image/{number}" if max_outputs > 1 else f"{name}/image"
            found[0].add_image(tag, picture, found[1], dataformats="HWC")
    return found is not None


def text(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write texts; False where nobody writes."""
    if (found := _to(name, step)) is not None:
        texts = np.asarray(as_tensor(data)).reshape(-1)
        found[0].add_text(name, "\n\n".join(one.decode() for one in texts), found[1])
    return found is not None


def audio(
    name: str, data: Any, sample_rate: Any, step: Any = None, max_outputs: int = 3, **options: Any
) -> bool:
    """Write sounds, (batch, frames, channels) from -1 to 1; False where nobody writes."""
    if (found := _to(name, step)) is not None:
        for number, sound in enumerate(np.asarray(as_tensor(data))[:max_outputs]):
            found[0].add_audio(f"{name}/audio/{number}", sound, found[1], sample_rate=int(sample_rate))
    return found is not None


def write(tag: str, tensor: Any, step: Any = None, metadata: Any = None, name: Any = None) -> bool:
    """Write numbers as they are distributed; False where nobody writes."""
    return histogram(tag, tensor, step)


def flush(writer: Any = None, name: Any = None) -> None:
    """Put everything into the file."""
    chosen = writer or _place.writer
    if chosen is not None:
        chosen.flush()


class experimental:  # noqa: N801
    """The step, where it is not given each time."""

    @staticmethod
    def set_step(step: Any) -> None:
        """The step of what is written from now on."""
        _place.step = step

    @staticmethod
    def get_step() -> Any:
        """The step that was set."""
        return _place.step


lacking.guard(__name__)
