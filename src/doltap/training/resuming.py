"""A fit that was interrupted goes on where it was, to the same bits.

What is written down is everything that the next step depends on, as it is
between two calls of a program: neither the steps nor the callbacks know of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
import warnings
from collections.abc import Sequence
from typing import Any

import jax

from doltap import config, files, random
from doltap.callbacks import BackupAndRestore, CallbackList, History, LambdaCallback
from doltap.core.tensors import Rate, Variable, place
from doltap.errors import DataError, ModelFileError, printable
from doltap.optimizers.options import AskedRate
from doltap.training import batches, feeds, identity, loop

__all__ = ["Keeper", "Plan", "asked", "backed_up"]

# How often a state is written, and what share of the time that may take: one part of so many.
_SECONDS = 5.0
_SHARE = 20.0

# What a state holds, and of which type.
_FACTS: dict[str, type] = {
    "identity": str,
    "machine": dict,
    "epoch": int,
    "step": int,
    "stopped": bool,
    "seed": int,
    "epochs_trained": int,
    "weights": list,
    "fixed": list,
    "totals": list,
    "slots": list,
    "rates": list,
    "feeds": dict,
    "logs": dict,
    "callbacks": dict,
}
_MOST = 1 << 50
_POSITION: dict[str, type] = {"reading": int, "taken": int, "goes_on": bool, "runs": int}


@dataclasses.dataclass(frozen=True)
class Plan:
    """Where the states of a fit are kept, and when.

    Args:
        folder: the folder.
        seen: what was seen of data sets that give batch by batch, by argument.
        backup: the callback that asks for states; without one they are written
            by time, and only the very same training goes on from them.
    """

    folder: str
    seen: dict[str, Any] = dataclasses.field(default_factory=dict)
    backup: BackupAndRestore | None = None


def asked(folder: Any, x: Any, validation_data: Any) -> Plan:
    """The plan for `fit(resume=folder)`.

    Raises:
        DataError: some of the data cannot be had again as it was.
    """
    if not isinstance(folder, (str, os.PathLike)) or not str(folder):
        raise DataError(
            "resume", expected="the path of a folder", got=repr(folder), fix="For example resume='run'."
        )
    seen = {}
    for name, data in (("x", x), ("validation_data", validation_data)):
        if batches.is_feed(data):
            source = feeds.source(data, None, None, 1, 0, shuffle=False)
            reason = source.once_only()
            if reason:
                raise DataError(
                    f"{name}, with resume=",
                    expected="data that can be had again in the same order",
                    got=reason,
                    fix="Give arrays, or a PyDataset whose __getitem__(index) always gives the same batch. "
                    "BackupAndRestore goes on with any data, but not to the same bits.",
                )
            seen[name] = identity.of_data(source.sample())
    return Plan(os.fspath(folder), seen)


def backed_up(backups: Sequence[BackupAndRestore], *, is_asked: bool) -> Plan:
    """The plan of a BackupAndRestore among the callbacks."""
    if is_asked or len(backups) > 1:
        raise DataError(
            "fit",
            expected="one way to go on after an interruption",
            got="resume= and BackupAndRestore" if is_asked else f"{len(backups)} of BackupAndRestore",
            fix="Keep the one you mean; resume= goes on to the same bits.",
        )
    return Plan(backups[0].backup_dir, backup=backups[0])


class Keeper:
    """Writes down the state of a fit from time to time, and brings a new one to where the last had come."""

    def __init__(
        self, plan: Plan, training: Any, validation: Any, settings: loop.Settings, listeners: CallbackList
    ) -> None:
        self._plan, self._training, self._validation = plan, training, validation
        self._settings, self._listeners = settings, listeners
        self._recipe, self._model = training.recipe, training.model
        self._callbacks = _named(listeners.callbacks, with_history=plan.backup is None)
        # Callbacks of the user's whose state nobody knows. An epoch that such a one hears
        # begin is taken up at its beginning, or else it has to hear that twice.
        lacking = [callback for callback in self._callbacks.values() if not _keeps_state(callback)]
        if plan.backup is None:
            _warn_of(lacking)
        lacking += [each for each in self._callbacks.values() if isinstance(each, LambdaCallback)]
        self._unknown = CallbackList(lacking)
        self._within_epochs = plan.backup is not None or not self._unknown.listens_to("on_epoch_begin")
        self._feeds = {"training": getattr(training, "feed", None)}
        self._feeds["validation"] = getattr(validation, "feed", None)
        keep = 2 if plan.backup is None or plan.backup.double_checkpoint else 1
        self._folder = files.checkpoint.Folder(plan.folder, keep)
        self._identity = "" if plan.backup else self._describe()
        self._machine = identity.machine()
        for feed in self._feeds.values():
            if feed is not None:
                feed.is_kept = True
        self._due = 0.0
        self._epochs: Any = None
        # The epoch and the step of the last state.
        self._reached = (-1, 0)
        # What to go on from, and whether nothing is left to be done.
        self._state, self.has_ended = self._folder.newest(self._is_end)
        if self._state is not None:
            self._check(self._state)
        if self._state is not None and not self.has_ended:
            # Before they hear that training begins.
            listeners.params["resumes"] = True
            listeners.set_params(listeners.params)

    def _describe(self) -> str:
        """What has to be the same where training goes on."""
        model = self._model
        # Callbacks change the learning rate: what counts is how the model was when it was first kept.
        if model.first_look is None:
            model.first_look = json.dumps(files.checkpoint.pack(identity.of_model(model, self._recipe), []))
        run = identity.of_run(self._training, self._validation, self._settings, self._plan.seen)
        return f"[{model.first_look}, {json.dumps(files.checkpoint.pack(run, []))}]"

    # Reading.

    def _is_end(self, state: dict[str, Any]) -> bool:
        """Whether the training ends, now too, where it ended."""
        return state.get("stopped") is True or state.get("epoch") == self._settings.last

    def _check(self, state: dict[str, Any]) -> None:
        """An error unless this training goes on from the state."""
        what = printable(str(self._folder.path), 200)
        for name, kind in _FACTS.items():
            if type(state.get(name)) is not kind:
                raise _strange(what, name)
        if self._plan.backup is None:
            self._check_identity(what, state)
        for name, feed in self._feeds.items():
            if name not in state["feeds"]:
                raise _strange(what, "feeds")
            _check_position(what, state["feeds"][name], is_feed=feed is not None)
        table = state.get("table")
        if table is not None and getattr(table, "shape", None) != (1, self._recipe.width):
            raise _strange(what, "table")
        at, step, num_batches = state["epoch"], state["step"], self._training.num_batches
        counts = (at, step, state["epochs_trained"])
        if min(*counts, state["seed"]) < 0 or max(counts) > _MOST or state["seed"] >= 1 << 63:
            raise _strange(what, "epoch")
        if step > (num_batches or step) or (self._feeds["training"] is None and step == num_batches):
            raise _strange(what, "step")
        if at > self._settings.last and not self._plan.backup and not state["stopped"]:
            raise DataError(
                "epochs",
                expected=f"{at} or more: '{what}' holds {at} trained epochs",
                got=str(self._settings.last),
                fix="Give epochs as large, or another folder.",
            )
        for name, variables in self._variables().items():
            files.checkpoint.check_arrays(f"'{what}', {name}", state[name], variables)

    def _check_identity(self, what: str, state: dict[str, Any]) -> None:
        chosen = config.chosen_seed()
        if chosen is not None and chosen != state.get("chosen_seed"):
            raise _other(what, "the seed", repr(state.get("chosen_seed")), repr(chosen))
        if state["identity"] != self._identity:
            try:
                found = list(identity.differences(_parts(state["identity"]), _parts(self._identity)))
            except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
                raise _strange(what, "identity") from error
            for where, one, other in found[:1]:
                raise _other(what, where, one, other)
        changes = identity.differences(state["machine"], self._machine)
        listed = [f"{name} {one} then, {other} now" for name, one, other in changes]
        if listed:
            warnings.warn(
                "The bits may differ from those of a training without interruption: "
                f"{printable('; '.join(listed), 400)}.",
                stacklevel=7,
            )

    def _variables(self) -> dict[str, list[Variable]]:
        """Everything that a step carries on, in the lists of a state."""
        recipe = self._recipe
        slots = [slot for group in recipe.slots for _, slot in sorted(group.items())]
        rates: list[Rate] = [*recipe.optimizer.rates.values(), *recipe.rates]
        return {
            "weights": recipe.weights,
            "fixed": recipe.fixed,
            "totals": recipe.totals,
            "slots": [*slots, recipe.optimizer.iterations],
            "rates": [rate for rate in rates if not isinstance(rate, AskedRate)],
        }

    # Going on.

    def begin(self, epochs: Any) -> int:
        """Bring everything to where it was, or write down where it begins; the epoch to begin with."""
        self._epochs = epochs
        state, self._state = self._state, None
        if state is None:
            self._save(self._settings.first, 0)
            return self._settings.first
        self._restore(state)
        epoch, step = state["epoch"], state["step"]
        epochs.done, epochs.last_logs, epochs.table = step, state["logs"], state.get("table")
        self._reached = (epoch, step)
        if self._settings.verbose:
            total = f" of {self._training.num_batches}" if self._training.num_batches else ""
            at = f", step {step}{total}" if step else ""
            print(f"Training goes on from epoch {epoch + 1}{at} ({printable(self._plan.folder, 200)}).")
        if epochs.display and step:
            epochs.display.begin(f"Epoch {epoch + 1}/{self._settings.last}")
        if step:
            self._unknown.call("on_epoch_begin", epoch, {})
        self._wait_until_due(0.0)
        return epoch

    def restore_end(self) -> None:
        """Bring everything to where the training has ended."""
        assert self._state is not None
        self._restore(self._state)
        if self._settings.verbose:
            print(
                f"This training has ended after {self._state['epoch']} epochs "
                f"({printable(self._plan.folder, 200)}). More epochs= go on, another folder begins anew."
            )

    def _restore(self, state: dict[str, Any]) -> None:
        model, training = self._model, self._training
        for name, variables in self._variables().items():
            for variable, array in zip(variables, state[name], strict=True):
                variable.array = place(array)
        model.seed, model.epochs_trained = state["seed"], state["epochs_trained"]
        training.seed_words = model.seed_words = random.words(random.mix(model.seed, 1))
        model.stop_training = state["stopped"]
        for name, feed in self._feeds.items():
            position = state["feeds"][name]
            if feed is not None:
                feed.source.seed = model.seed
                feed.go_to(position, state["step"] if name == "training" else 0)
                if name == "validation":
                    self._validation.runs = position["runs"]
        for name, callback in self._callbacks.items():
            kept = state["callbacks"].get(name)
            if kept is not None:
                callback.set_state(kept)
            elif name not in state["callbacks"] and _state_of(callback):
                warnings.warn(f"{name} was not there when the state was kept: it begins anew.", stacklevel=7)

    # Writing.

    def pass_by(self, epoch: int, step: int) -> None:
        """Write the state down if it is time: so many steps of this epoch are done."""
        if self._model.stop_training or (step and not self._within_epochs):
            return
        backup = self._plan.backup
        if backup is not None:
            is_due, backup.is_due = backup.is_due, False
        else:
            is_due = time.monotonic() >= self._due and not self._folder.is_busy()
        if is_due:
            self._save(epoch, step)

    def reach_end(self, epoch: int) -> None:
        """Write down the state after the last step, from which more epochs can go on."""
        if self._plan.backup is None and self._reached != (epoch, 0):
            self._save(epoch, 0)

    def finish(self) -> None:
        """Write down how the training has ended."""
        if self._plan.backup is None:
            self._folder.write(self._snapshot(*self._reached), is_end=True)
        elif self._plan.backup.delete_checkpoint:
            self._folder.delete()

    def close(self) -> None:
        """Wait until everything is on the disk; an error if it is not."""
        self._folder.close()

    def _save(self, epoch: int, step: int) -> None:
        began = time.monotonic()
        self._folder.write(self._snapshot(epoch, step))
        self._reached = (epoch, step)
        self._wait_until_due(time.monotonic() - began)

    def _wait_until_due(self, seconds: float) -> None:
        """Let the next state wait, for as long as the last one was worth: it took so many seconds."""
        self._due = time.monotonic() + max(_SECONDS, _SHARE * max(seconds, self._folder.seconds))

    def _snapshot(self, epoch: int, step: int) -> dict[str, Any]:
        model = self._model
        lists = {name: [one.array for one in group] for name, group in self._variables().items()}
        for array in jax.tree.leaves(lists):
            array.copy_to_host_async()
        runs = getattr(self._validation, "runs", 0)
        positions = {
            name: feed and feed.position(step if name == "training" else 0) | {"runs": runs}
            for name, feed in self._feeds.items()
        }
        return {
            "identity": self._identity,
            "machine": self._machine,
            "chosen_seed": config.chosen_seed(),
            "epoch": epoch,
            "step": step,
            "stopped": bool(model.stop_training),
            "seed": model.seed,
            "epochs_trained": model.epochs_trained,
            **lists,
            "feeds": positions,
            "logs": self._epochs.last_logs,
            "table": self._epochs.table,
            "callbacks": {name: _state_of(one) for name, one in self._callbacks.items()},
        }


def _named(callbacks: Sequence[Any], *, with_history: bool) -> dict[str, Any]:
    """The callbacks by the names of their classes, with a number from the second of a class on."""
    found: dict[str, Any] = {}
    for callback in callbacks:
        if isinstance(callback, History) and not with_history:
            continue
        kind = type(callback).__name__
        number = sum(name.partition(" ")[0] == kind for name in found)
        found[f"{kind} {number + 1}" if number else kind] = callback
    return found


def _warn_of(callbacks: Sequence[Any]) -> None:
    for kind in dict.fromkeys(map(type, callbacks)):
        warnings.warn(
            f"{kind.__name__} has no get_state() and set_state(state): where training goes on, it begins "
            "anew. A get_state that returns None says that there is nothing to keep.",
            stacklevel=6,
        )


def _keeps_state(callback: Any) -> bool:
    """Whether the class that the user wrote, if any, has a get_state of its own."""
    kinds = type(callback).__mro__[:-1]
    users = [kind for kind in kinds if kind.__module__.partition(".")[0] != "doltap"]
    return not users or any("get_state" in vars(thing) for thing in (callback, *users))


def _state_of(callback: Any) -> Any:
    get_state = getattr(callback, "get_state", None)
    return None if get_state is None else get_state()


def _parts(described: str) -> dict[str, Any]:
    """The descriptions in an identity as one."""
    parts = [files.checkpoint.unpack(part, []) for part in json.loads(described)]
    return {key: value for part in parts for key, value in part.items()}


def _check_position(what: str, position: Any, *, is_feed: bool) -> None:
    if (position is not None) is not is_feed:
        raise _other(what, "the data", *(("batches", "arrays") if position else ("arrays", "batches")))
    if position is None:
        return
    is_whole = isinstance(position, dict) and all(
        type(position.get(name)) is kind and 0 <= position[name] <= _MOST for name, kind in _POSITION.items()
    )
    if not is_whole or "state" not in position:
        raise _strange(what, "feeds")


def _other(what: str, where: str, kept: str, now: str) -> DataError:
    fix = "Give the same data, model and settings, or another folder to begin anew."
    if where.startswith(identity.LOGS):
        fix = (
            "Names that count what was made before differ when a cell runs twice: give the metric or "
            "the output a name of its own, name='...', or run the whole program again."
        )
    return DataError(
        f"resume='{what}'",
        expected=f"the training that was begun there, with {where} {kept}",
        got=f"{where} {now}",
        fix=fix,
    )


def _strange(what: str, name: str) -> ModelFileError:
    return ModelFileError(
        f"'{what}'",
        expected=f"the state of a training, with its '{name}'",
        got="another one or none",
        fix="The file is damaged. Begin in another folder.",
    )
