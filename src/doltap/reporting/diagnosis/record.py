"""What is known of a run when it is judged: its curves, the vital signs of its layers, facts of its data.

Plain values only; nothing here knows models.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["LayerSigns", "Output", "Record", "Settings", "Stray"]

NAN = math.nan


@dataclasses.dataclass(frozen=True)
class LayerSigns:
    """The vital signs of one layer, measured on some training rows at one moment.

    NaN stands where a layer has no such sign: one without weights has no
    update, one without relu no dead units.

    Args:
        name, kind: the layer's name, and its class.
        activation: the curve that ends it; None where that is not known, as for one of the user's own.
        position: how many layers were called before it; -1 if it was not called.
        output: which output of the model it gives; None if it gives none.
        gradient_reaching: typical length of the gradient of a row's loss at what the layer gives.
        gradient_norm: length of the gradient of its weights.
        weight_norm: length of its weights.
        update_ratio: length of one step of its weights, as a share of theirs.
        dead_share: share of its units that are 0 for every row, for relu.
        constant_share: share of its units that are the same for every row.
        saturated_share: share of its numbers at an end of the curve, where that has a
            tenth of its steepest slope or less: sigmoid, tanh, softmax and their kin.
        mean, std: of all its numbers.
        row_std: how much a unit differs from row to row.
    """

    name: str
    kind: str
    activation: str | None = None
    position: int = 0
    output: int | None = None
    gradient_reaching: float = NAN
    gradient_norm: float = NAN
    weight_norm: float = NAN
    update_ratio: float = NAN
    dead_share: float = NAN
    constant_share: float = NAN
    saturated_share: float = NAN
    mean: float = NAN
    std: float = NAN
    row_std: float = NAN

    @property
    def is_output(self) -> bool:
        """Whether what it gives is an output of the model."""
        return self.output is not None


@dataclasses.dataclass(frozen=True)
class Output:
    """One output of a model: its loss, and what it says of some training rows.

    Args:
        loss: the class of its loss, such as "MeanSquaredError".
        labels: what that takes: "class numbers", "one-hot", "probabilities", "numbers".
        from_logits: whether the loss wants what goes into a softmax or sigmoid.
        activation: the curve that ends the output, if it is known.
        y: labels of the training rows, all or many.
        held_out: labels of the validation rows, likewise; None where there are none.
        asked: labels of the rows that were asked for `answers`.
        answers: what the model says of those at the end of the run.
        name: tells it from other outputs; empty where it is the only one.
        weights: of the rows of `y`; None where they have none.
    """

    loss: str
    labels: str
    from_logits: bool
    activation: str | None
    y: np.ndarray
    held_out: np.ndarray | None
    asked: np.ndarray
    answers: np.ndarray
    name: str = ""
    weights: np.ndarray | None = None

    @property
    def called(self) -> dict[str, str]:
        """What a finding says of which output it is about."""
        return {"output": self.name} if self.name else {}

    @property
    def picks_one(self) -> bool:
        """Whether each row belongs to one class."""
        if self.labels == "class numbers":
            return True
        if self.labels == "one-hot":
            return self.y.ndim == 2 and self.y.shape[-1] > 1
        return self.is_yes_or_no

    @property
    def is_yes_or_no(self) -> bool:
        """Whether one number says whether a row belongs to a class."""
        return self.labels == "probabilities" and self.answers.shape[-1:] == (1,) and self.answers.ndim == 2

    @property
    def is_numbers(self) -> bool:
        """Whether it estimates numbers."""
        return self.labels == "numbers"

    def classes(self, y: np.ndarray) -> np.ndarray:
        """The class of each label, where each row belongs to one."""
        if self.labels == "one-hot":
            return y.argmax(axis=-1).reshape(-1)
        flat = y.reshape(-1)
        return (flat > 0.5).astype(int) if self.is_yes_or_no else flat.astype(int)

    @property
    def answered(self) -> np.ndarray:
        """The class of each answer, where each row belongs to one."""
        if self.is_yes_or_no:
            return (self.answers.reshape(-1) > (0.0 if self.from_logits else 0.5)).astype(int)
        return self.answers.argmax(axis=-1).reshape(-1)


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a run was to go.

    Args:
        optimizer: its class; `learning_rate` is the one at the end.
        batch_size, num_rows, num_batches: None where they are not known.
        is_weighted: whether rows have weights.
        has_penalties: whether the size of weights or of outputs adds to the loss.
        dropouts: the name and the rate of each layer that leaves out units.
        averages: the name and the momentum of each BatchNormalization that learns.
        steps: how many the optimizer has made in all.
        clip: by what gradients are cut, such as ("clipnorm", 1.0).
        last_dropout: the name of the last layer, if that is a Dropout.
        keeps_best: whether a callback keeps the weights of the best epoch.
        num_names: how many rows the largest Embedding has.
        sets_rate: what changed the learning rate while it trained; empty where nothing did.
        rates: the learning rate after some numbers of epochs, where a schedule gives it.
        is_first_batch: whether only the first batch is known of the rows, as they came one by one.
    """

    optimizer: str = "SGD"
    learning_rate: float = NAN
    momentum: float = 0.0
    batch_size: int | None = None
    num_rows: int | None = None
    num_batches: int | None = None
    is_weighted: bool = False
    has_penalties: bool = False
    keeps_best: bool = False
    dropouts: Sequence[tuple[str, float]] = ()
    averages: Sequence[tuple[str, float]] = ()
    steps: int = 0
    num_names: int = 0
    sets_rate: str = ""
    rates: Mapping[int, float] = dataclasses.field(default_factory=dict)
    is_first_batch: bool = False
    clip: tuple[str, float] | None = None
    last_dropout: str = ""


@dataclasses.dataclass(frozen=True)
class Stray:
    """The number of the validation data that lies farthest from those of training.

    Args:
        part: "x" or "y".
        row, column: its place; `value` is what stands there.
        middle, reach: the mean of the column in training, and how far any row there is from it.
        layer: the first that gives no finite number for that row; None where all do.
    """

    part: str
    row: int
    column: str | int
    value: float
    middle: float
    reach: float
    layer: str | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """All that is known of a run.

    Args:
        curves: what the History holds; `when` has the epochs of each, counted from 0.
        signs: of each layer in the order of the calls, by how many epochs were done.
        losses: the loss of each output on the rows that were asked, at the same moments.
        outputs: those with a loss of ours.
        inputs, held_out: some training and validation rows of each input.
        asked: the rows of each input that the outputs were asked about.
        columns: the names of the columns, where the input is one table that has such.
        stray: where the validation loss is out of all proportion, the number that may have made it so.
        seen: the share of the validation rows that are rows of training, too, where these are told apart.
        explained: where the loss was no number first, and the cure of just that, by language.
    """

    curves: Mapping[str, Sequence[float]]
    when: Mapping[str, Sequence[int]]
    signs: Mapping[int, Sequence[LayerSigns]] = dataclasses.field(default_factory=dict)
    losses: Mapping[int, Sequence[float]] = dataclasses.field(default_factory=dict)
    outputs: Sequence[Output] = ()
    inputs: Sequence[np.ndarray] = ()
    held_out: Sequence[np.ndarray] = ()
    asked: Sequence[np.ndarray] = ()
    columns: Sequence[str | int] = ()
    stray: Stray | None = None
    seen: float = 0.0
    settings: Settings = Settings()
    explained: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    # The curves as arrays, which every check asks for.
    _arrays: dict[str, np.ndarray] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def curve(self, name: str) -> np.ndarray:
        """The values of a measure, one for each epoch; empty where it was not followed."""
        if name not in self._arrays:
            values = self.curves.get(name, ())
            known = [float(one) for one in values if isinstance(one, float) or np.ndim(one) == 0]
            self._arrays[name] = np.array(known)
        return self._arrays[name]

    def called(self, number: int, column: int) -> str | int:
        """What a column of an input is called: by its name, where it has one, else by its number."""
        is_named = number == 0 and column < len(self.columns)
        return self.columns[column] if is_named else column

    @property
    def last_signs(self) -> Sequence[LayerSigns]:
        """The signs at the end."""
        return self.signs[max(self.signs)] if self.signs else ()

    @property
    def first_signs(self) -> Sequence[LayerSigns]:
        """The signs before the first step, or the earliest there are."""
        return self.signs[min(self.signs)] if self.signs else ()
