"""Callbacks that write the model to files while it is trained."""

from __future__ import annotations

import os
import warnings
from typing import Any, ClassVar

import numpy as np

from doltap import files, old_names
from doltap.callbacks.callback import Callback, Logs
from doltap.callbacks.monitoring import Monitor
from doltap.errors import DataError, ModelFileError, NotSupportedError, UnknownNameError, printable
from doltap.registry import arguments_of, check_arguments, explained

__all__ = ["BackupAndRestore", "ModelCheckpoint"]


class _Often(Callback):
    """Acts at the end of every epoch, or after so many batches."""

    _state_types: ClassVar = {"_batches": (int,), "_last_batch": (int,), "_epoch": (int,)}

    def _begin(self, save_freq: Any) -> None:
        kind = type(self).__name__
        if save_freq != "epoch" and (type(save_freq) is not int or save_freq < 1):
            raise DataError(
                f"{kind}(save_freq)",
                expected="'epoch' or a number of batches",
                got=repr(save_freq),
                fix="For example save_freq=100.",
            )
        self.save_freq = save_freq
        # Batches since it acted; the last one that was heard; the epoch.
        self._batches, self._last_batch, self._epoch = 0, -1, 0

    def _spares(self, base: type[Callback]) -> tuple[str, ...]:
        """The hooks of batches, where only epochs count and a class of the user's adds nothing."""
        hook = "on_train_batch_end"
        is_own = getattr(type(self), hook) is getattr(base, hook)
        return (hook,) if self.save_freq == "epoch" and is_own else ()

    def _is_time(self, batch: int) -> bool:
        """Whether it acts after this batch, of several since the last that was heard."""
        if self.save_freq == "epoch":
            return False
        is_same_epoch = batch > self._last_batch
        self._batches += batch - self._last_batch if is_same_epoch else batch + 1
        self._last_batch = batch
        if self._batches < self.save_freq:
            return False
        self._batches = 0
        return True


class ModelCheckpoint(_Often, Monitor):
    """Writes the model, or its weights, to a file after every epoch or after so many batches.

    Args:
        filepath: the file. `{epoch:02d}`, `{batch}` and the names in the logs,
            such as `{val_loss:.2f}`, are filled in; epochs and batches count from 1.
        monitor: the name in the logs that is watched.
        verbose: 1 says what it does.
        save_best_only: write only where what is watched is better than ever before.
        save_weights_only: `model.save_weights` instead of `model.save`.
        mode: "min", "max", or "auto" to ask the metric of that name.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: a value that has to be beaten from the beginning.
        keywords: Keras 2's words: `period=n` acts in every nth epoch, `options=` is
            not needed.
    """

    _state_types: ClassVar = _Often._state_types | Monitor._state_types | {"epochs_since_last_save": (int,)}

    @explained
    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: Any = None,
        **keywords: Any,
    ) -> None:
        period = keywords.pop("period", 1)
        keywords.pop("options", None)
        if keywords.pop("load_weights_on_restart", False):
            raise NotSupportedError(
                "ModelCheckpoint",
                expected="to write files",
                got="load_weights_on_restart=True",
                fix="model.fit(..., resume='folder') goes on after an interruption.",
            )
        check_arguments("ModelCheckpoint", keywords, [*arguments_of(ModelCheckpoint), "period", "options"])
        super().__init__(monitor, mode, initial_value_threshold)
        if type(period) is not int or period < 1:
            raise DataError(
                "ModelCheckpoint(period)",
                expected="a number of epochs",
                got=repr(period),
                fix="Leave it out.",
            )
        self.filepath, self.verbose, self.period = os.fspath(filepath), verbose, period
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.epochs_since_last_save = 0
        self._begin(save_freq)
        self.unheard = self._spares(ModelCheckpoint)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Make sure that there is no folder in the file's place."""
        super().on_train_begin(logs)
        self._check_is_file(self.filepath)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, for the names of files."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save, after every so many batches."""
        super().on_train_batch_end(batch, logs)
        if self._is_time(batch):
            self._save(self._epoch, logs or {}, {"batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, after every epoch or every `period` of them."""
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save(epoch, logs or {}, {})

    def _save(self, epoch: int, logs: Logs, numbers: dict[str, int]) -> None:
        path = self._path(old_names.Measures({"epoch": epoch + 1, **numbers} | dict(logs)))
        if not self._is_wanted(epoch, logs, path):
            return
        self._check_is_file(path)
        files.writing.make_folder(os.path.dirname(path) or ".")
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        self._say(epoch, f"saved to {path}")

    def _check_is_file(self, path: str) -> None:
        if os.path.isdir(path):
            raise ModelFileError(
                f"ModelCheckpoint('{self.filepath}')",
                expected="the path of a file",
                got=f"the folder {path}",
                fix="Add a file name, for example '{epoch:02d}.keras'.",
            )

    def _is_wanted(self, epoch: int, logs: Logs, path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving to {path}")
            return True
        value = self.watched(logs)
        if value is None:
            return True
        if np.ndim(value):
            warnings.warn(
                f"ModelCheckpoint watches '{self.monitor}', which is several numbers, so that none is "
                "the best: it saves every time.",
                stacklevel=4,
            )
            return True
        best = None if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(epoch, f"{self.monitor} improved from {best} to {value:.5f}, saving to {path}")
        self.best = value
        return True

    def _say(self, epoch: int, what: str) -> None:
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {printable(what, 400)}")

    def _path(self, known: dict[str, Any]) -> str:
        try:
            return self.filepath.format_map(known)
        except KeyError as error:
            raise UnknownNameError.of(
                f"ModelCheckpoint('{self.filepath}')", error.args[0], map(str, known)
            ) from error
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise DataError(
                f"ModelCheckpoint('{self.filepath}')",
                expected="names in braces that are filled in, such as {epoch:02d} or {loss:.2f}",
                got=str(error),
                fix="Several numbers cannot stand in a name; braces themselves are written twice.",
            ) from error


class BackupAndRestore(_Often):
    """Lets an interrupted `fit` go on when the same program runs again, from the last epoch that ended.

    It goes on with whatever data it is given. `fit(..., resume="folder")` makes
    sure of the data and goes on to the same bits.

    Args:
        backup_dir: the folder for what is written; deleted when training has ended.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: keep the last two states instead of one.
        delete_checkpoint: False leaves the folder.
    """

    @explained
    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        **keywords: Any,
    ) -> None:
        check_arguments("BackupAndRestore", keywords, arguments_of(BackupAndRestore))
        super().__init__()
        if not isinstance(backup_dir, (str, os.PathLike)) or not str(backup_dir):
            raise DataError(
                "BackupAndRestore(backup_dir)",
                expected="the path of a folder",
                got=repr(backup_dir),
                fix="For example BackupAndRestore('backup').",
            )
        self.backup_dir = os.fspath(backup_dir)
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._begin(save_freq)
        self.unheard = self._spares(BackupAndRestore)
        # Whether `fit` is asked to write a state down.
        self.is_due = False

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Ask for a state, after every so many batches."""
        super().on_train_batch_end(batch, logs)
        self.is_due = self.is_due or self._is_time(batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask for a state, after every epoch."""
        self.is_due = self.is_due or self.save_freq == "epoch"
