"""The report of a model: what is asked of the model and its test data, and written down as plain values."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from doltap import config, reporting
from doltap.core.layer import Layer
from doltap.dtypes import is_float
from doltap.errors import DataError, DoltapError, NotSupportedError, ShapeError
from doltap.files import writing
from doltap.models.showing import followed, kind_of
from doltap.models.telling import answering
from doltap.models.telling.describing import knows_shapes, network_of
from doltap.reporting.report.subject import Inside, Subject, TestInput
from doltap.training import batches

__all__ = ["write_report"]

_BATCH_SIZE = 256
# Rows whose way through the layers is shown, and the numbers of a layer's output that are counted.
_NUM_TRACED, _MOST_TRACED = 256, 1 << 20


def write_report(
    model: Any,
    path: Any,
    x_test: Any,
    y_test: Any,
    *,
    history: Any,
    class_names: Any,
    language: str | None,
    title: str | None,
) -> pathlib.Path:
    """Write the report of a model, as `Model.report` says."""
    language = reporting.language.chosen(language)
    target = _target(path)
    has_data = _check_given(x_test, y_test)
    _check_model(model, has_data=has_data)
    curves, when = _curves_of(model, history)
    if not has_data and class_names is not None:
        raise _needs_data("class_names")
    judged = _judged(model, x_test, y_test, class_names, language) if has_data else {}
    moving, fixed = model.variables_by_role()
    subject = Subject(
        name=model.name,
        title=title or "",
        network=network_of(model, is_expanded=True),
        num_parameters=sum(v.size for v in (*moving, *fixed)),
        num_trainable=sum(v.size for v in moving),
        curves=curves,
        when=when,
        insides=_insides_of(model, x_test),
        findings=_findings(model, history, language),
        facts=list(_facts(model, judged.get("inputs", ()))),
        settings=list(_settings(model)),
        **judged,
    )
    text = reporting.report.page.report(subject, language, (_version("doltap"), _now()))
    writing.write_aside(target, lambda aside: _write(aside, text))
    return pathlib.Path(target)


def _judged(model: Any, x: Any, y: Any, class_names: Any, language: str) -> dict[str, Any]:
    """What the test data tells of the model."""
    rows = model._labelled(x, y, None, "test ", "test")
    outlines = answering.outlines_of(model, rows, class_names, language, y)
    answers = answering.answers_of(outlines, answering.predicted(model, x, _BATCH_SIZE))
    scores = model.evaluate(x, y, batch_size=_BATCH_SIZE, verbose=0, return_dict=True)
    signs: Sequence[Any] = ()
    # Without a gradient there are no signs, and a report all the same.
    with contextlib.suppress(DoltapError):
        signs = model.vital_signs(x, y)
    return {
        "inputs": answering.inputs_of(model, x),
        "answers": answers,
        "scores": {name: float(value) for name, value in scores.items()},
        "signs": signs,
    }


def _write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _version(package: str) -> str:
    # What runs from a checkout that is not installed has none.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "-"


def _now() -> str:
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")


# What is wrong is said before any work.


def _target(path: Any) -> str:
    example = "model.report('report.html', x_test, y_test)"
    target = writing.checked_path(path, "model.report(path)", example, reporting.report.page.ENDINGS)
    writing.check_writable(target)
    return target


def _check_model(model: Any, *, has_data: bool) -> None:
    if has_data and model.optimizer is None:
        raise model._not_compiled("report")
    if not knows_shapes(model):
        raise ShapeError(
            f"model '{model.name}'",
            expected="to be built before it is reported on",
            got="one that does not know the shape of its input, and has no weights yet",
            fix="Begin with Input(shape=...), or call model.fit(x, y) or model.build(input_shape) first.",
        )


def _check_given(x: Any, y: Any) -> bool:
    """Whether there is test data; an error if it cannot be used."""
    if x is None and y is None:
        return False
    if batches.is_feed(x):
        raise NotSupportedError(
            "x_test",
            expected="arrays, whose rows can be shown",
            got=f"a {type(x).__name__}, which gives batches",
            fix="Collect some of them: x_test = np.concatenate([x for x, y in data]).",
        )
    if x is None or y is None:
        lacking, other = ("x_test", "y_test") if x is None else ("y_test", "x_test")
        raise DataError(
            lacking, expected=f"both, or neither; {other} was passed", got="None", fix="Pass both."
        )
    return True


def _needs_data(name: str) -> DataError:
    return DataError(name, expected="test data with it", got="none", fix="Pass x_test and y_test too.")


def _curves_of(model: Any, history: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured after each epoch, and the epochs of each measure."""
    known = model.history if history is None else history
    if known is None:
        return {}, {}
    if hasattr(known, "columns"):
        # A table: that of History.to_frame(), or the file of a CSVLogger.
        known = {name: list(known[name]) for name in known.columns if name != "epoch"}
    curves = known if isinstance(known, Mapping) else getattr(known, "history", None)
    is_known = isinstance(curves, Mapping) and all(
        isinstance(values, (list, tuple, np.ndarray)) for values in curves.values()
    )
    if not isinstance(curves, Mapping) or not is_known:
        raise DataError(
            "model.report(history)",
            expected="what fit returned, or a dict from names to a value for each epoch",
            got=f"a {type(known).__name__}",
            fix="For example history = model.fit(x, y); model.report(path, x_test, y_test, history=history).",
        )
    when = dict(getattr(known, "when", None) or {})
    return {str(name): list(map(_measured, values)) for name, values in curves.items()}, when


def _measured(value: Any) -> Any:
    """A value of a history; in files of JSON and tables, what is no number stands as null."""
    return float("nan") if value is None else value


def _findings(model: Any, history: Any, language: str) -> list[tuple[str, str, str]] | None:
    """What the diagnosis found, in the language of the report."""
    known = model.history if history is None else history
    found = getattr(known, "findings", None)
    if found is None:
        return None
    told = [reporting.diagnosis.words.retold(one, language) for one in found]
    return [(f"level{one.severity}", one.text, one.cure) for one in told]


# What is inside.


def _insides_of(model: Any, x: Any) -> list[Inside]:
    """The weights of every layer, and what it gives for some of the rows."""
    given = {} if x is None else _outputs_of(model, x)
    found = []
    for layer in dict.fromkeys([*model.layers, *model.inside(Layer)]):
        weights = [
            (weight.name, np.asarray(weight.array, np.float32))
            for weight in layer.own_weights()
            if is_float(weight.array.dtype) and weight.array.ndim
        ]
        if weights or layer in given:
            found.append(Inside(layer.name, kind_of(layer), weights, given.get(layer)))
    return found


def _outputs_of(model: Any, x: Any) -> dict[Any, np.ndarray]:
    """What every layer gives for some of the rows, for a call that can be followed; none for others."""
    variables, layers = model.weights, list[Layer]()

    def look(arrays: Any, inputs: Any) -> Any:
        with followed(variables, arrays) as outputs:
            model(inputs)
            layers[:] = outputs
            return [jax.tree.leaves(output)[:1] for output in outputs.values()]

    # A call that looks at values cannot be followed, and a report can do without.
    with contextlib.suppress(Exception):
        rows = jax.tree.map(lambda array: array[:_NUM_TRACED], model._inputs(x))
        found = jax.jit(look)([v.array for v in variables], rows)
        return {
            layer: np.asarray(output[0], np.float32)[: max(1, _MOST_TRACED // max(output[0][0].size, 1))]
            for layer, output in zip(layers, found, strict=True)
            if output and output[0].ndim > 1 and layer is not model and is_float(output[0].dtype)
        }
    return {}


# What is needed to do it again.


def _facts(model: Any, inputs: Sequence[TestInput]) -> Iterator[tuple[str, str | None]]:
    for name in ("doltap", "jax", "numpy"):
        yield name, _version(name)
    yield "python", platform.python_version()
    device = jax.devices()[0]
    yield "platform", f"{platform.platform()}, {os.cpu_count()} CPUs"
    yield "device", f"{device.platform} ({device.device_kind})"
    chosen = config.chosen_seed()
    yield "global_seed", None if chosen is None else str(chosen)
    yield "model_seed", str(model.seed)
    yield "epochs_trained", f"{model.epochs_trained:,}"
    run = getattr(getattr(model.history, "params", None), "run", None)
    for key, count in zip(("training_rows", "batch_size"), run[1:3] if run else (), strict=False):
        if count is not None:
            yield key, f"{count:,}"
    if model.optimizer is not None:
        yield "optimizer", _told(model.optimizer)
        yield "loss", _loss_name(model.loss)
    for given in inputs:
        yield "test_data", f"{given.name}: {given.values.dtype} {given.values.shape}"


def _told(optimizer: Any) -> str:
    """The optimizer with its numbers."""
    numbers = {
        name: value
        for name, value in optimizer.get_config().items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name != "ema_momentum"
    }
    settings = ", ".join(f"{name}={value:.6g}" for name, value in numbers.items())
    return f"{type(optimizer).__name__}({settings})"


def _loss_name(loss: Any) -> str:
    if isinstance(loss, Mapping):
        return ", ".join(f"{name}: {_loss_name(each)}" for name, each in loss.items())
    if isinstance(loss, (list, tuple)):
        return ", ".join(map(_loss_name, loss))
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", loss))


def _settings(model: Any) -> Iterator[tuple[str, str]]:
    # A class of the user's may not say how it was made; the report does without.
    with contextlib.suppress(Exception):
        if (compiled := model.get_compile_config()) is not None:
            yield "compile_config", json.dumps(compiled, indent=1, default=str, ensure_ascii=False)
    with contextlib.suppress(Exception):
        yield "model_config", model.to_json(indent=1, ensure_ascii=False)
