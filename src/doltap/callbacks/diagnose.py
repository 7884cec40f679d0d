"""Says in words, when a training has ended, why it did not learn as it could have."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from doltap.callbacks.callback import Callback, Logs
from doltap.registry import explained
from doltap.reporting import diagnosis
from doltap.reporting.diagnosis import Finding, LayerSigns, Record
from doltap.reporting.language import chosen as chosen_language

__all__ = ["Diagnose"]

# At most this share of the time goes into signs between the first and the last.
_LARGEST_SHARE = 1 / 40
# Until signs were taken once, what that may cost; so that a run of a moment is not stopped for them.
_USUAL_SECONDS = 0.005


class Diagnose(Callback):
    """Takes the vital signs of every layer while a model trains, and tells at the end what is wrong.

    `findings` holds what was found, worst first, as does `history.findings`; `signs`
    the signs of the layers by how many epochs were done. Training gives the same
    bits with it and without.

    Args:
        language: "en" or "ko"; None means what DOLTAP_LANG says, else the locale.
        verbose: 1 prints the findings, 0 only keeps them.
    """

    # Signs are taken by time, so that no epoch has to wait for them.
    can_wait = True

    @explained
    def __init__(self, language: str | None = None, verbose: int = 1) -> None:
        super().__init__()
        self.language, self.verbose = chosen_language(language), int(bool(verbose))
        self.findings: Sequence[Finding] = ()
        self.signs: dict[int, Sequence[LayerSigns]] = {}
        self._losses: dict[int, Sequence[float]] = {}
        self._look: Any = None
        # What was wrong with the signs, once something was.
        self._trouble: Exception | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the first signs, beside the training that begins now."""
        self.findings, self.signs, self._losses, self._trouble = (), {}, {}, None
        self._began, self._spent, self._latest = time.perf_counter(), 0.0, _USUAL_SECONDS
        self._first_step, self._has_middle = self._num_steps(), False
        if self.model.history is not None:
            self.model.history.findings = ()
        at_work = getattr(self.params, "at_work", None)
        self._look = None
        with self._unharmed():
            if at_work is not None:
                look = self.model.examined(*at_work)
                look.begin()
                self._look = look

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Take signs, if it is time; in the middle of the run it is."""
        look = self._look
        if look is None:
            return
        is_middle = not self._has_middle and 2 * (epoch + 1) >= self.params.get("epochs", 0)
        if is_middle:
            self._has_middle = True
            with self._unharmed():
                look.keep(self._num_epochs(look, epoch))
        if is_middle or not look.is_ready:
            return
        elapsed = time.perf_counter() - self._began
        if self._spent + self._latest > _LARGEST_SHARE * elapsed:
            return
        began = time.perf_counter()
        self._take(look, self._num_epochs(look, epoch))
        self._latest = time.perf_counter() - began
        self._spent += self._latest

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the last signs, judge the run, and tell."""
        history, look, self._look = self.model.history, self._look, None
        if history is None or not history.epoch:
            return
        with self._unharmed():
            # Trained side by side with others, or in a loop of one's own: the curves are all there is.
            record = Record(history.history, history.when)
            if look is not None:
                self._take(look, self._num_epochs(look, history.epoch[-1]))
                record = look.record(history.history, history.when, self.signs, self._losses)
            self.findings = history.findings = diagnosis.judging.findings(record, self.language)
            if self.verbose:
                diagnosis.telling.show(self.findings, self.language)
        if self._trouble is not None:
            warnings.warn(f"Diagnose: the vital signs could not be taken: {self._trouble}", stacklevel=2)

    def _on_train_abandoned(self, error: BaseException) -> None:
        """Tell what is known of a training that was stopped by hand."""
        if isinstance(error, KeyboardInterrupt):
            self.on_train_end()
        self._look = None

    @contextlib.contextmanager
    def _unharmed(self) -> Iterator[None]:
        """Inside the `with`, what goes wrong is noted: a diagnosis is never what a training ends with."""
        try:
            yield
        except Exception as error:
            self._trouble = error

    def _take(self, look: Any, epochs: int) -> None:
        """Take the signs of the states that were kept, and those of now, after so many epochs."""
        with self._unharmed():
            for before, signs in look.kept():
                self._note(look, before, signs)
            self._note(look, epochs, look.take())

    def _note(self, look: Any, epochs: int, signs: Sequence[LayerSigns]) -> None:
        self.signs[epochs], self._losses[epochs] = signs, look.losses.tolist()

    def _num_steps(self) -> int:
        return int(np.asarray(self.model.optimizer.iterations))

    def _num_epochs(self, look: Any, epoch: int) -> int:
        """How many epochs were done, this one or some more."""
        num_batches = look.training.num_batches
        if not num_batches:
            return epoch + 1
        return max(1, round((self._num_steps() - self._first_step) / num_batches))
