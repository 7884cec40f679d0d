"""A search's candidates, each trained and scored on each fold: the one function every search calls.

Candidates are made in order and a window at a time, so that a search starts
from the same random numbers as scikit-learn's, and holds few models at once.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from doltap import config, reporting
from doltap.tune import rows
from doltap.tune.estimators import quiet, with_params
from doltap.tune.folder import Folder
from doltap.tune.results import Outcome
from doltap.tune.scoring import Scoring
from doltap.tune.states import state_of
from doltap.tune.training import Fit, begun, guarded, inherit, portions, rekeyed, train_all
from doltap.tune.widths import widen

__all__ = ["Options", "Stage", "Trials"]

_MOST_FITS = 512
_MOST_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True)
class Stage:
    """Some epochs of a candidate that goes on from where another one is.

    Args:
        first, last: the epochs, as `initial_epoch` and `epochs` of fit.
        before: the number of the candidate whose models it begins with; None for new ones.
        is_same: whether these are its own, and not copied.
    """

    first: int
    last: int
    before: int | None = None
    is_same: bool = False


@dataclasses.dataclass
class Options:
    """How candidates are tried."""

    error_score: Any
    with_train: bool
    carrier: str
    pads_widths: bool = False


class Trials:
    """Candidates on folds.

    Args:
        listener: told of every candidate that is done: its number and its outcome.
    """

    def __init__(
        self,
        estimator: Any,
        data: rows.Data,
        scoring: Scoring,
        options: Options,
        listener: Callable[[int, Outcome], None],
        folder: Folder | None = None,
    ) -> None:
        self.estimator, self.data, self.scoring = estimator, data, scoring
        self.options, self.listener, self.folder = options, listener, folder
        self.outcomes: list[Outcome] = []
        # For each candidate, how many models were made for it, and how often was drawn.
        self._counts: dict[int, tuple[int, int]] = {}
        # Of candidates that may go on: their stages, and their models.
        self._stages: dict[int, Stage] = {}
        self._kept: dict[int, list[Fit]] = {}
        # Rows that the networks of many candidates share.
        self._tables: list[rows.Table] = []

    def run(
        self,
        candidates: Sequence[dict[str, Any]],
        more: Sequence[dict[str, Any]] = (),
        stages: Sequence[Stage] = (),
    ) -> list[Outcome]:
        """Try the candidates; what came of them, in their order.

        Args:
            more: what is noted beside, a dict for each candidate.
            stages: which epochs each is trained for; their models are kept until `forget`.
        """
        first = len(self.outcomes)
        self._stages.update(enumerate(stages, first))
        notes = more or [{} for _ in candidates]
        for params, noted in zip(candidates, notes, strict=True):
            self.outcomes.append(Outcome(dict(params), more=dict(noted)))
        for window in self._windows(first):
            self._try(window)
        return self.outcomes[first:]

    def _try(self, window: list[Fit]) -> None:
        """Train and score the fits; each candidate is noted as soon as its last fold is done."""
        if self.options.pads_widths:
            widen([fit for fit in window if fit.candidate not in self._stages])
        of_candidate: dict[int, list[Fit]] = {}
        for fit in window:
            of_candidate.setdefault(fit.candidate, []).append(fit)
        scores: dict[Fit, _Scored] = {}
        for part in train_all(portions(window), self.data, self.options.carrier):
            for fit in part:
                scores[fit] = self._scored(fit)
                if fit.candidate not in self._stages:
                    # The model is not needed any more.
                    fit.estimator = fit.plan = None
            for number in dict.fromkeys(fit.candidate for fit in part):
                if all(fit in scores for fit in of_candidate[number]):
                    self._note(number, [(fit, scores.pop(fit)) for fit in of_candidate[number]])

    def _windows(self, first: int) -> Iterator[list[Fit]]:
        """The fits, with their models made, so many at a time as fit into memory."""
        window: list[Fit] = []
        held = 0
        for number in range(first, len(self.outcomes)):
            if self._is_known(number):
                continue
            before = config.counts()
            made = [self._begun(number, fold) for fold in range(len(self.data.folds))]
            self._counts[number] = _since(before)
            window += made
            held += sum(_bytes_of(fit) for fit in made)
            if len(window) >= _MOST_FITS or held >= _MOST_BYTES:
                yield window
                window, held = [], 0
        if window:
            yield window

    def _is_known(self, number: int) -> bool:
        """Whether the candidate was tried before the search was interrupted."""
        known = self.folder and self.folder.outcome(number, self.outcomes[number].params)
        if not known:
            return False
        self.outcomes[number] = known
        self.listener(number, known)
        return True

    def _begun(self, number: int, fold: int) -> Fit:
        fit = Fit(number, fold, self.data.folds[fold][0])
        stage = self._stages.get(number)
        return self._made(fit) if stage is None else self._staged(fit, stage)

    def _made(self, fit: Fit) -> Fit:
        """The fit with a model of its own."""
        try:
            fit.params = self.outcomes[fit.candidate].params
            fit.estimator = quiet(with_params(self.estimator, fit.params))
        except Exception as error:  # Whatever a candidate's parameters raise is the candidate's.
            fit.fail(error)
            return fit
        return begun(fit, self.data, self._tables)

    def _staged(self, fit: Fit, stage: Stage) -> Fit:
        """The fit with the model it goes on with, or a new one that takes that one's state."""
        source = None if stage.before is None else self._model_of(stage.before, fit.fold)
        if isinstance(source, Fit) and source.error is not None:
            fit.fail(source.error)
            return fit
        if isinstance(source, Fit) and stage.is_same:
            fit = dataclasses.replace(source, candidate=fit.candidate, seconds=0.0)
        else:
            counts = config.counts()
            fit = self._made(fit)
            if stage.is_same and source is not None:
                # Where nothing was interrupted, there is the model already.
                config.set_counts(*counts)
            if source is not None and fit.plan is not None:
                state = source if isinstance(source, dict) else state_of(source.model)
                guarded(fit, functools.partial(inherit, fit, state, with_seed=stage.is_same))
        if fit.plan is not None:
            fit.plan.settings |= {"initial_epoch": stage.first, "epochs": stage.last}
            rekeyed(fit)
        return fit

    def _model_of(self, number: int, fold: int) -> Any:
        """The fit of a candidate that was kept, or its state from before the interruption."""
        if number in self._kept:
            return self._kept[number][fold]
        assert self.folder is not None
        return self.folder.states(number)[fold]

    def _keep_models(self, number: int, fits: list[Fit]) -> None:
        self._kept[number] = fits
        if self.folder and all(fit.plan is not None for fit in fits):
            self.folder.keep_states(number, [state_of(fit.model) for fit in fits])

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of the models of these candidates; none of them goes on."""
        for number in numbers:
            self._kept.pop(number, None)
            if self.folder:
                self.folder.drop_states(number)

    def _scored(self, fit: Fit) -> _Scored:
        """The scores of a trained fit; those of a failed one are `error_score`."""
        start = time.perf_counter()
        found = _Scored(fit.seconds)
        if fit.error is None:
            try:
                found.test = self._score(fit, self.data.folds[fit.fold][1])
                found.seconds = time.perf_counter() - start
                if self.options.with_train:
                    found.train = self._score(fit, fit.train)
            except Exception as error:  # A scorer's, for what this candidate predicts.
                fit.fail(error)
        for folder in fit.runs if found.test else ():
            reporting.events.note(folder, found.test or {})
        if fit.error is not None:
            if self.options.error_score == "raise":
                raise fit.error
            found.test = found.train = None
            found.error = f"{type(fit.error).__name__}: {fit.error}"
        return found

    def _score(self, fit: Fit, numbers: Any) -> dict[str, float]:
        x, y = rows.taken(self.data.X, numbers), rows.taken(self.data.y, numbers)
        return self.scoring.of(fit.estimator, x, y, self.data.score_arguments(numbers))

    def _note(self, number: int, done: list[tuple[Fit, _Scored]]) -> None:
        if number in self._stages:
            self._keep_models(number, [fit for fit, _ in done])
        scored = [one for _, one in done]
        outcome = self.outcomes[number]
        names = [*next((one.test for one in scored if one.test), self.scoring.names())]
        missing = dict.fromkeys(names, self.options.error_score)
        for one in scored:
            outcome.test_scores.append(one.test or missing)
            outcome.train_scores.append(one.train or missing)
            outcome.fit_seconds.append(one.fit_seconds)
            outcome.score_seconds.append(one.seconds)
            outcome.errors.append(one.error)
        if self.folder:
            self.folder.keep(number, outcome, self._counts[number])
        self.listener(number, outcome)


@dataclasses.dataclass
class _Scored:
    """What came of one fit."""

    fit_seconds: float
    seconds: float = 0.0
    test: dict[str, float] | None = None
    train: dict[str, float] | None = None
    error: str | None = None


def _since(before: tuple[int, int]) -> tuple[int, int]:
    """How much was counted since then; nothing where somebody chose a seed in between."""
    made, drawn = config.counts()
    return max(0, made - before[0]), max(0, drawn - before[1])


def _bytes_of(fit: Fit) -> int:
    """What the weights of the fit's model take, and the slots beside them."""
    if fit.plan is None or not fit.plan.model.built:
        return 0
    return 12 * int(fit.plan.model.count_params())
