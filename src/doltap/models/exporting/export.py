"""A trained model as a file that other programs run: StableHLO for JAX, ONNX for the rest.

The weights are inside, and the batch may have any length.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jax

from doltap.errors import NotSupportedError, UnknownNameError, printable
from doltap.files.writing import write_aside
from doltap.models.exporting import onnx_program, stablehlo, tracing

__all__ = ["export_model"]

_FORMATS = ("onnx", "stablehlo")
_OTHERS = {
    "tf_saved_model": "format='stablehlo' is for JAX and all that reads StableHLO.",
    "openvino": "OpenVINO reads format='onnx'.",
    "litert": "Small devices run format='onnx' by onnxruntime.",
    "torch": "format='onnx' runs beside PyTorch, by onnxruntime.",
}

# Both formats keep a file in one message of that length at most.
_MOST_BYTES = (1 << 31) - (1 << 20)


def export_model(model: Any, path: str | os.PathLike[str], format: Any, verbose: Any, signature: Any) -> None:
    """Write what the model computes outside training, with its weights.

    Args:
        format: "stablehlo" or "onnx"; None goes by the path's suffix.
        verbose: False or 0 says nothing.
        signature: what stands for each input, with `shape` and `dtype`, in the
            structure in which the model takes them; None takes the model's own.
    """
    target = pathlib.Path(path)
    format = _checked(model, target, format)
    inputs = tracing.likes(model, signature)
    _check_size(model)
    with tracing.explained(model):
        content = (_onnx if format == "onnx" else _stablehlo)(model, inputs)
    verify = onnx_program.verify if format == "onnx" else stablehlo.verify

    def write(aside: pathlib.Path) -> None:
        aside.write_bytes(content)

    write_aside(target, write, verify)
    if verbose is None or verbose:
        shapes = ", ".join(f"{each.dtype} {_shown(each.shape)}" for each in jax.tree.leaves(inputs))
        print(f"{format}: '{printable(model.name)}' is in {printable(target, 200)}. It takes {shapes}.")


def _shown(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _checked(model: Any, path: pathlib.Path, format: Any) -> str:
    if format is None:
        return "onnx" if path.suffix.lower() == ".onnx" else "stablehlo"
    if format in _OTHERS:
        raise NotSupportedError(
            f"export of model '{model.name}'",
            expected="format='stablehlo' or format='onnx'",
            got=f"format='{format}'",
            fix=_OTHERS[format],
        )
    if format not in _FORMATS:
        raise UnknownNameError.of("format", format, _FORMATS)
    return str(format)


def _check_size(model: Any) -> None:
    num_bytes = sum(variable.array.nbytes for variable in model.weights)
    if num_bytes > _MOST_BYTES:
        raise NotSupportedError(
            f"export of model '{model.name}'",
            expected="at most 2 GB of weights, which is what the formats hold",
            got=f"{num_bytes / 1e9:.1f} GB",
            fix="Save it with model.save('model.keras') instead.",
        )


def _stablehlo(model: Any, inputs: Any) -> bytes:
    return stablehlo.serialized(tracing.computing(model), inputs)


def _onnx(model: Any, inputs: Any) -> bytes:
    program, outputs = jax.make_jaxpr(tracing.computing(model), return_shape=True)(inputs)
    given = [tensor.name for tensor in model.inputs]
    made = model.known_output_names() or []
    begin = _own([str(name) for name in given], len(jax.tree.leaves(inputs)), "input")
    end = _own([name or "output" for name in made], len(jax.tree.leaves(outputs)), "output", begin)
    return onnx_program.serialized(
        program, model.name, begin, end, lambda number: tracing.origin(model, inputs, number)
    )


def _own(names: list[str], count: int, usual: str, taken: Sequence[str] = ()) -> list[str]:
    """So many names, no two alike, and none that is taken."""
    names = names if len(names) == count else [usual] * count
    return [
        name if [*names, *taken].count(name) == 1 else f"{name}.{number}" for number, name in enumerate(names)
    ]
