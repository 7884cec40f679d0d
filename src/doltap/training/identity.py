"""By what a training is known again: its data, its model, its settings, and the machine it runs on.

Everything becomes plain values, so that two can be compared and the first
difference be named. Layers' names are left out: those given by themselves
depend on how many layers were made before.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import pathlib
import platform
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import __version__, config
from doltap.errors import printable

__all__ = ["LOGS", "described", "differences", "machine", "of_data", "of_model", "of_run"]

LOGS = "the names of the logs"
_PROCESSORS = pathlib.Path("/proc/cpuinfo")


def of_data(tree: Any) -> dict[str, Any]:
    """The shape and type of each array in the tree, and a fingerprint of all its bytes.

    >>> of_data(np.zeros(2, np.float32))["shape"]
    [2]
    """
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    if len(paths) == 1:
        return _seen(paths[0][1])
    return {jax.tree_util.keystr(path): _seen(leaf) for path, leaf in paths}


def _seen(leaf: Any) -> dict[str, Any]:
    array = np.ascontiguousarray(leaf)
    is_plain = array.dtype.kind != "O"
    content = array.reshape(-1).view(np.uint8).data if is_plain else repr(array.tolist()).encode()
    digest = hashlib.sha256(content).hexdigest()[:32]
    return {"shape": list(np.shape(leaf)), "dtype": str(array.dtype), "values": digest}


def of_model(model: Any, recipe: Any) -> dict[str, Any]:
    """The network and what it was compiled with."""
    goal, optimizer = recipe.objective, recipe.optimizer
    return {
        "model": _unnamed(_plain(model)),
        "weights": [[list(one.shape), one.dtype, one.trainable] for one in model.weights],
        "loss": _plain(recipe.losses),
        "loss_weights": _plain(goal.loss_weights if goal else None),
        "metrics": _unnamed(_plain(recipe.measures)),
        "optimizer": _unnamed(_plain(optimizer)),
        "run_eagerly": recipe.is_eager,
        LOGS: list(recipe.names),
        "floatx and epsilon": list(config.switches()),
    }


def of_run(training: Any, validation: Any, settings: Any, seen: dict[str, Any]) -> dict[str, Any]:
    """The data and the arguments of `fit`.

    Args:
        seen: what was seen of data sets that give batch by batch, by argument.
    """
    freq = settings.validation_freq
    return {
        **_batches(training, "", seen.get("x")),
        **(_batches(validation, "validation ", seen.get("validation_data")) if validation else {}),
        "shuffle": settings.shuffle,
        "initial_epoch": settings.first,
        "validation_freq": freq if isinstance(freq, int) else sorted(freq),
    }


def _batches(source: Any, of: str, seen: Any) -> dict[str, Any]:
    feed = getattr(source, "feed", None)
    if feed is None:
        tree, size = source.rows.tree, source.batch_size
    else:
        tree, size = None if seen else feed.source.data, getattr(feed.source, "batch_size", None)
    x, y, weights = tree or (None, None, None)
    return {
        f"{of}x": seen or of_data(x),
        f"{of}y": of_data(y),
        f"{of}sample_weight": of_data(weights),
        f"{of}batch_size": size,
        f"{of}steps": source.num_batches,
    }


def described(thing: Any) -> Any:
    """What an object is made with, as plain values without names.

    >>> described(None) is None
    True
    """
    return _unnamed(_plain(thing))


def _plain(thing: Any) -> Any:
    """An object as plain values; one that cannot describe itself is its class."""
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, (list, tuple, set, frozenset)):
        return [_plain(item) for item in thing]
    if isinstance(thing, dict):
        return {str(key): _plain(item) for key, item in thing.items()}
    if hasattr(thing, "__array__") and not hasattr(thing, "get_config"):
        return of_data(np.asarray(thing))
    kind = getattr(thing, "__qualname__", type(thing).__qualname__)
    try:
        described = thing.get_config()
    except Exception:  # Code of the user's.
        return kind
    return {"class": kind, **_plain(described)}


def _unnamed(tree: Any) -> Any:
    """The same without the names in it; where one is referred to stands its number."""
    numbers = {name: f"name {number}" for number, name in enumerate(dict.fromkeys(_names_in(tree)))}

    def without(part: Any) -> Any:
        if isinstance(part, str):
            return numbers.get(part, part)
        if isinstance(part, list):
            return [without(item) for item in part]
        if isinstance(part, dict):
            return {key: without(item) for key, item in part.items() if key != "name"}
        return part

    return without(tree)


def _names_in(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict) and isinstance(tree.get("name"), str):
        yield tree["name"]
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _names_in(part)


def machine() -> dict[str, Any]:
    """What the last bits depend on beside the program."""
    devices = jax.devices()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "doltap": __version__,
        "jax": jax.__version__,
        "jaxlib": importlib.metadata.version("jaxlib"),
        "numpy": np.__version__,
        "processor": _processor(),
        "cores": cores,
        "devices": f"{len(devices)} x {devices[0].device_kind}",
        "matrix products": str(getattr(jax.config, "jax_default_matmul_precision", None)),
    }


def _processor() -> str:
    if _PROCESSORS.exists():
        for line in _PROCESSORS.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def differences(kept: Any, now: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two descriptions differ, with what stands there in either.

    >>> list(differences({"units": 3, "bias": True}, {"units": 4, "bias": True}))
    [('units', '3', '4')]
    """
    if isinstance(kept, dict) and isinstance(now, dict):
        for key in kept | now:
            inner = f"{where}.{key}" if where else str(key)
            yield from differences(kept.get(key), now.get(key), inner)
    elif isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        for number, (one, other) in enumerate(zip(kept, now, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif repr(kept) != repr(now):  # NaN is not equal to itself.
        yield where, _shown(kept), _shown(now)


def _shown(value: Any) -> str:
    return f"{len(value)} of them" if isinstance(value, list) else printable(repr(value), 60)
