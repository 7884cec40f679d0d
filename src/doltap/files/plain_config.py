"""What a file says a model is made of, looked through before anything is made of it.

A description may name classes and functions, and hold plain values. It cannot
bring code, nor point at files, nor ask for work without end; a name in it is
never imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np

from doltap import registry
from doltap.errors import ModelFileError, printable

__all__ = ["check"]

_MOST_OBJECTS = 100_000
_MOST_LAYERS = 5_000
_LONGEST_NAME = 1_000
_LARGEST = (1 << 31) - 1

# Settings that say how large something is to be.
_SIZE_WORDS = """
units filters input_dim output_dim num_heads num_query_heads num_key_value_heads key_dim value_dim
kernel_size pool_size strides dilation_rate size padding cropping n batch_shape batch_input_shape
input_shape target_shape output_shape max_tokens num_bins num_tokens num_oov_indices
output_sequence_length groups rank depth_multiplier projection_dim input_length height width
power_iterations fft_length sequence_length sequence_stride num_mel_bins vocabulary_size batch_size
"""
_SIZES = dict.fromkeys(_SIZE_WORDS.split(), _LARGEST)
# What metrics make lists and tables of, before any data comes.
_SIZES |= {"num_thresholds": 100_000, "num_classes": 1 << 20}

# Words by which Keras 1 and 2 announce code.
_CODE_TYPES = frozenset(["function_type", "output_shape_type", "mask_type"])
_CODE_PARTS = frozenset(["function", "output_shape", "mask"])

# Classes that open files or unpack code when they are made.
_OPENERS = {
    "TFSMLayer": "a layer that runs a SavedModel, which is code",
    "TorchModuleWrapper": "a layer that unpacks a PyTorch module, which is code",
    "JaxLayer": "a layer made of a function, which is code",
    "FlaxLayer": "a layer made of a Flax module, which is code",
    "SavedModelLayer": "a layer that runs a SavedModel, which is code",
}

# Where Keras keeps functions that networks are made of; elsewhere are those that open, fetch and switch.
_FUNCTIONS = frozenset(
    ["activations", "constraints", "initializers", "losses", "metrics", "ops", "optimizers", "regularizers"]
)
_KERAS = ("keras.", "tf_keras.", "doltap.", "tensorflow.keras.", "tensorflow.python.keras.")

_VALUES = frozenset(
    ["__numpy__", "__tensor__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__", "__tuple__"]
)
_NUMBERS = frozenset(
    ["bool", "float16", "float32", "float64", "bfloat16"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def check(config: Any, what: str) -> None:
    """Refuse a description that asks for more than a model.

    Args:
        config: as Keras 1, 2 or 3 writes it; plain values only.
        what: it comes from, as errors name it.
    """
    looking = _Looking(what)
    waiting: deque[tuple[str, Any]] = deque([("", config)])
    while waiting:
        key, value = waiting.popleft()
        if isinstance(value, dict):
            looking.at_object(key, value)
            is_value = value.get("class_name") in ("__numpy__", "__tensor__")
            waiting.extend(() if is_value else value.items())
        elif isinstance(value, list) and key != "vocabulary":
            waiting.extend((key, inner) for inner in value if isinstance(inner, (dict, list, int)))
        elif isinstance(value, int) and key in _SIZES and not -_SIZES[key] <= value <= _SIZES[key]:
            raise looking.refused(f"{key}={value}", "Nothing is that large.")


class _Looking:
    """What is refused at one object of a description."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._num_objects = self._num_layers = 0

    def refused(self, got: str, fix: str) -> ModelFileError:
        """The error for what a description must not have."""
        return ModelFileError(
            self._what, expected="a description of a model in plain values", got=printable(got, 200), fix=fix
        )

    def at_object(self, key: str, value: dict[str, Any]) -> None:
        """Look at one dict; `key` is what it is called where it stands."""
        name = value.get("class_name")
        self._check_code(value, name)
        self._check_paths(value)
        if isinstance(value.get("layers"), list):
            self._num_layers += len(value["layers"])
            if self._num_layers > _MOST_LAYERS:
                raise self.refused(f"more than {_MOST_LAYERS} layers", "No model has so many.")
            _Network(value, self).check()
        if name is None and "config" not in value:
            return
        self._num_objects += 1
        if self._num_objects > _MOST_OBJECTS:
            raise self.refused(f"more than {_MOST_OBJECTS} objects", "No model has so many.")
        self._check_names(value)
        if name == "function":
            self._check_function(value)
        elif isinstance(name, str) and name.startswith("__"):
            self._check_value(name, value.get("config"))

    def _check_names(self, value: dict[str, Any]) -> None:
        for part in ("class_name", "module", "registered_name"):
            if not isinstance(value.get(part), (str, type(None))):
                raise self.refused(f"{part}={value[part]!r}", "Names are texts: the file is damaged.")
            if len(value.get(part) or "") > _LONGEST_NAME:
                raise self.refused(f"{part} of {len(value[part])} letters", "No class has such a name.")
        name, module = value.get("class_name"), value.get("module") or ""
        registered = value.get("registered_name") or ""
        if module.startswith(_KERAS[:2]) and ">" in registered and _last(registered) != name:
            raise self.refused(
                f"the registered name '{registered}' for Keras's own '{name}'",
                "A file cannot put another class in the place of one of Keras's.",
            )

    def _check_code(self, value: dict[str, Any], name: Any) -> None:
        """Refuse bytecode, and classes that bring other code."""
        last = _last(name) if isinstance(name, str) else ""
        inner = value.get("config")
        if last == "__lambda__":
            raise self._code("a function as bytecode")
        if last in _OPENERS and registry.get_registered_object(str(name)) is None:
            raise self._code(f"'{last}', {_OPENERS[last]}")
        if any(value.get(key) in ("lambda", "raw") for key in _CODE_TYPES & value.keys()) and any(
            isinstance(value.get(key), list) for key in _CODE_PARTS
        ):
            raise self._code("a Lambda layer with bytecode")
        if last == "Lambda" and isinstance(inner, dict) and not _is_named_function(inner.get("function")):
            raise self._code("a Lambda layer with code")

    def _code(self, got: str) -> ModelFileError:
        return self.refused(
            got,
            "A file cannot bring code along, whatever safe_mode says. Write the function as a Layer class, "
            "register it with @doltap.utils.register_keras_serializable(), and save the model again; or "
            "build the model in Python and load only the weights: model.load_weights(path).",
        )

    def _check_paths(self, value: dict[str, Any]) -> None:
        """Refuse the name of a file where a vocabulary belongs."""
        words = value.get("vocabulary")
        if isinstance(words, str):
            raise self.refused(
                f"vocabulary='{words}', which names a file",
                "A file cannot make others be opened. Load the weights alone, or put the words themselves "
                "into the layer and save the model again.",
            )
        name = value.get("name")
        parts = name.replace("\\", "/").split("/") if isinstance(name, str) else []
        if ".." in parts or (len(parts) > 1 and not parts[0]):
            raise self.refused(
                f"the name '{name}'", "Names that lead to other folders are no names of layers."
            )

    def _check_function(self, value: dict[str, Any]) -> None:
        name, module = value.get("config"), value.get("module") or "builtins"
        registered = value.get("registered_name")
        if not isinstance(name, str):
            raise self.refused(f"a function called {name!r}", "Functions have names: the file is damaged.")
        known = (registry.get_registered_object(one) for one in (name, registered) if isinstance(one, str))
        if module == "builtins" or any(one is not None for one in known):
            return
        if module.startswith(_KERAS):
            own = module.split(".")
            if _FUNCTIONS & set(own[1:]):
                return
        short = name.rsplit(">", 1)[-1]
        raise self.refused(
            f"the function '{name}' of the module '{module}'",
            "Nothing that a file names is imported. If it is a function of yours: "
            f"load_model(path, custom_objects={{'{short}': {short}}}), "
            "or @doltap.utils.register_keras_serializable() on it.",
        )

    def _check_value(self, name: str, inner: Any) -> None:
        """Look at what Keras writes for a value that JSON does not know."""
        if name not in _VALUES:
            raise self.refused(f"'{name}'", "No model needs it.")
        if name == "__bytes__" and not (isinstance(inner, dict) and isinstance(inner.get("value"), str)):
            raise self.refused("bytes that are no text", "The file is damaged.")
        if name in ("__numpy__", "__tensor__"):
            self._check_array(inner if isinstance(inner, dict) else {})

    def _check_array(self, inner: dict[str, Any]) -> None:
        dtype = inner.get("dtype")
        if not isinstance(dtype, str) or dtype not in _NUMBERS:
            raise self.refused(f"an array of {dtype!r}", "Arrays in descriptions are of numbers.")
        try:
            np.array(inner["value"], ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise self.refused(f"an array that is none ({error})", "The file is damaged.") from error


class _Network:
    """The calls of a network as Keras 3 writes them: none may wait for itself."""

    def __init__(self, config: dict[str, Any], looking: _Looking) -> None:
        self._looking = looking
        self._layers = [layer for layer in config["layers"] if isinstance(layer, dict)]

    def check(self) -> None:
        """Refuse layers of one name, calls without a tensor, and calls in a circle."""
        # In a row of layers one may stand twice, and is described twice in the same words.
        described = {id(one) if "inbound_nodes" in one else repr(one): one for one in self._layers}
        names = [name for name in map(_name_of, described.values()) if name is not None]
        twice = next((name for name, count in _counted(names).items() if count > 1), None)
        if twice is not None:
            raise self._looking.refused(f"two layers called '{twice}'", "The file is damaged.")
        calls = {}
        for layer in self._layers:
            nodes = layer.get("inbound_nodes")
            for number, node in enumerate(nodes if isinstance(nodes, list) else ()):
                if isinstance(node, dict) and "args" in node:
                    calls[_name_of(layer), number] = list(self._sources(node, layer))
        self._check_order(calls)

    def _sources(self, node: dict[str, Any], layer: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """The calls, by layer and number, whose results a call takes."""
        found = False
        for tensor in _tensors(node):
            inner = tensor.get("config")
            place = inner.get("keras_history") if isinstance(inner, dict) else None
            if not isinstance(place, list) or list(map(type, place)) != [str, int, int]:
                raise self._looking.refused(f"a tensor from {place!r}", "The file is damaged.")
            found = True
            yield place[0], place[1]
        if not found:
            raise self._looking.refused(
                f"a call of '{_name_of(layer)}' without a tensor",
                "Loading a model computes nothing: the file was made to do harm.",
            )

    def _check_order(self, calls: dict[tuple[Any, int], list[tuple[Any, Any]]]) -> None:
        """Go from call to call; those that are never reached wait for each other."""
        missing = {call: sum(source in calls for source in sources) for call, sources in calls.items()}
        users: dict[tuple[Any, Any], list[tuple[Any, int]]] = {}
        for call, sources in calls.items():
            for source in sources:
                users.setdefault(source, []).append(call)
        ready = deque(call for call, count in missing.items() if count == 0)
        num_done = 0
        while ready:
            num_done += 1
            for user in users.get(ready.popleft(), ()):
                missing[user] -= 1
                if missing[user] == 0:
                    ready.append(user)
        if num_done < len(calls):
            waiting = next(call for call, count in missing.items() if count > 0)
            raise self._looking.refused(
                f"a network in which '{waiting[0]}' waits for itself",
                "The file is damaged, or made to do harm.",
            )


def _tensors(value: Any) -> Iterator[dict[str, Any]]:
    """The tensors among the arguments of a call."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and one.get("class_name") == "__keras_tensor__":
            yield one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _name_of(layer: dict[str, Any]) -> str | None:
    """The name of a layer in a network: beside its configuration, or in it."""
    inner = layer.get("config")
    name = layer.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    return name if isinstance(name, str) else None


def _counted(names: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _last(name: str) -> str:
    """The class itself in "keras.layers>Lambda" and "keras.layers.Lambda"."""
    return name.rsplit(">", 1)[-1].rsplit(".", 1)[-1]


def _is_named_function(value: Any) -> bool:
    """Whether a Lambda layer names a function that was registered, instead of bringing it."""
    name = value.get("config") if isinstance(value, dict) else value
    return isinstance(name, str) and registry.get_registered_object(name) is not None
