"""Names and the things they stand for: "relu", "mse", "adam".

Each family (activations, losses, ...) keeps one `Names`; whatever a user
passes as an identifier goes through its `get`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import re
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar, cast

from doltap import old_names
from doltap.errors import (
    DataError,
    DoltapError,
    NotSupportedError,
    UnknownArgumentError,
    UnknownNameError,
    closest,
    printable,
)

__all__ = [
    "Configured",
    "Names",
    "arguments_of",
    "check_arguments",
    "custom_object_scope",
    "described",
    "explain_keywords",
    "explained",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "snake_case",
    "undescribed",
    "written",
]


Function = TypeVar("Function", bound=Callable[..., Any])

# Keywords that Keras has and doltap has not yet.
_PLANNED = frozenset(["lora_rank", "lora_alpha", "quantization_config"])

# Classes and functions of the user's, by registered name; and those of the scopes entered now.
_registered: dict[str, Any] = {}
_custom_objects: dict[str, Any] = {}
_scopes = threading.local()


class Configured:
    """Something that can tell how to make it again.

    `get_config` gives the arguments of the constructor as plain values.
    """

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__init__" in vars(cls) and cls.__module__.startswith("doltap."):
            cls.__init__ = explained(cls.__init__)  # type: ignore[method-assign]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new object made from what `get_config` gave."""
        return cls(**config)


class _Later(NamedTuple):
    """The module in which a class registers itself."""

    module: str


class Names:
    """The names of one family, whatever their capitals.

    Args:
        kind: the family in the singular, as errors call it: "loss".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, Any] = {}

    def register(self, *names: str) -> Callable[[Any], Any]:
        """Decorator: make the thing known by its own name, in snake case, and by `names`."""

        def keep(thing: Any) -> Any:
            for name in (thing.__name__, snake_case(thing.__name__), *names):
                self._things[name.lower()] = thing
            return thing

        return keep

    def add(self, name: str, thing: Any) -> None:
        """Make the thing known by one more name."""
        self._things[name.lower()] = thing

    def add_later(self, name: str, module: str) -> None:
        """Make a class known whose module, one of ours, is loaded when somebody asks for it."""
        self._things.setdefault(name.lower(), _Later(module))

    def today(self, name: str) -> str:
        """The name as it is kept here: an old one translated, in lower case."""
        return old_names.NAMES.get(self.kind, {}).get(name, name).lower()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name.lower() in self._things or self.today(name) in self._things)

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def find(self, name: str) -> Any:
        """The thing called `name`; an unknown name is an error with the nearest one.

        A name of ours means ours; only others are looked up among the user's,
        and an old name of ours comes after those.
        """
        custom = get_custom_objects()
        waiting = self._things.get(str(name).lower())
        if isinstance(waiting, _Later):
            importlib.import_module(waiting.module)
        found = self._things.get(str(name).lower()) or custom.get(name) or _registered.get(name)
        if found is None and name in self:
            return self._things[old_names.of_today(self.kind, name).lower()]
        if found is None:
            raise UnknownNameError.of(self.kind, name, [*self._things, *custom])
        return found

    def make(self, identifier: Any) -> Any:
        """An object from a name, a class, or a `{"class_name", "config"}` dict.

        Anything else is returned as it came.
        """
        if isinstance(identifier, str):
            identifier = self.find(identifier)
        elif isinstance(identifier, dict) and "class_name" in identifier:
            with old_names.unheard():
                return self._described(identifier)
        return identifier() if isinstance(identifier, type) else identifier

    def _described(self, written: dict[str, Any]) -> Any:
        registered = written.get("registered_name")
        if written["class_name"] == "function":
            is_named = registered not in (None, "function")
            return self.find(str(registered if is_named else written["config"]))
        # Keras writes the registered name for classes of its own too.
        is_users = registered in _registered or registered in get_custom_objects()
        thing = self.find(str(registered if is_users else written["class_name"]))
        return thing.from_config(written.get("config") or {})


def snake_case(name: str) -> str:
    """A class name as Keras writes it for layers.

    >>> snake_case("InputLayer"), snake_case("MeanSquaredError"), snake_case("ReLU")
    ('input_layer', 'mean_squared_error', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def arguments_of(call: Callable[..., Any]) -> list[str]:
    """The names of the arguments that `call` takes."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(call).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.name != "self"]


def explain_keywords(
    error: TypeError, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    """An error that says so, where the function takes no such keyword or lacks one; nothing otherwise.

    For use where a call has raised a TypeError, so that calls that are right cost nothing.
    """
    if isinstance(error, DoltapError):  # One that says it already.
        return
    parameters = list(inspect.signature(function).parameters.values())
    is_made = function.__name__ == "__init__"
    call = type(arguments[0]).__name__ if is_made else f"{function.__name__}()"
    known = [each for each in arguments_of(function) if each != "self"]
    is_open = any(each.kind is each.VAR_KEYWORD for each in parameters)
    needed = (p for p in parameters[len(arguments) :] if p.default is p.empty)
    missing = [p.name for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in keywords]
    for name in (name for name in keywords if name not in known):
        meant = closest(name, missing)
        if meant or not is_open:
            raise UnknownArgumentError.of(call, name, [meant] if meant else known) from None
    if missing and is_made:
        raise UnknownArgumentError(
            call,
            expected=" and ".join(f"{name}=" for name in missing),
            got="a call without",
            fix=f"For example {call}({', '.join(f'{name}=...' for name in missing)}).",
        ) from None


def explained(function: Function) -> Function:
    """Decorator: an unknown keyword is an error that names the nearest one.

    >>> @explained
    ... def double(number):
    ...     return 2 * number
    >>> double(numbre=3)
    Traceback (most recent call last):
        ...
    doltap.errors.UnknownArgumentError: double(): expected keywords it knows, got 'numbre='.
      Did you mean 'number='?
    """

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except TypeError as error:
            explain_keywords(error, function, arguments, keywords)
            raise

    return cast(Function, call)


def check_arguments(call: str, given: dict[str, Any], known: list[str]) -> None:
    """An error for the first keyword that nobody knows."""
    for name in given:
        if name in _PLANNED:
            raise NotSupportedError(
                call, expected="keywords it has", got=f"'{name}='", fix="It is not there yet; leave it out."
            )
        if name not in known:
            raise UnknownArgumentError.of(call, name, known)


@explained
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator: a class or function of one's own that configurations and files may name.

    Args:
        package: put in front of the name, as "package>name".
        name: None takes the thing's own.
    """

    def keep(thing: Any) -> Any:
        thing._registered_name = f"{package}>{name or thing.__name__}"
        _registered[thing._registered_name] = thing
        return thing

    return keep


@explained
def get_registered_name(thing: Any) -> str:
    """The name under which a class or function was registered, else its own."""
    return str(vars(thing).get("_registered_name") or thing.__name__)


@explained
def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The class or function of that registered name; None where there is none."""
    return (custom_objects or {}).get(name) or get_custom_objects().get(name) or _registered.get(name)


def get_custom_objects() -> dict[str, Any]:
    """The user's own things by name: those of the scopes, then a dict that may be added to."""
    inner: dict[str, Any] | None = getattr(_scopes, "current", None)
    return _custom_objects if inner is None else {**_custom_objects, **inner}


@contextlib.contextmanager
@explained
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Inside the `with`, configurations may name these classes and functions."""
    _check_custom(custom_objects)
    outer = getattr(_scopes, "current", None)
    _scopes.current = {**(outer or {}), **custom_objects}
    try:
        yield
    finally:
        _scopes.current = outer


def _check_custom(custom_objects: Any) -> None:
    """An error unless these are things by name, which can be made or called."""
    plain = (bool, int, float, str, bytes, list, tuple, dict, types.NoneType)
    if not isinstance(custom_objects, dict):
        got = f"a {type(custom_objects).__name__}"
    elif not all(isinstance(name, str) for name in custom_objects):
        got = "names that are no texts"
    elif any(isinstance(thing, plain) for thing in custom_objects.values()):
        name, thing = next(pair for pair in custom_objects.items() if isinstance(pair[1], plain))
        got = f"{thing!r} for '{name}'"
    else:
        return
    raise DataError(
        "custom_objects",
        expected="a dict from names to classes and functions of your own",
        got=printable(got),
        fix="For example custom_objects={'MyLayer': MyLayer}.",
    )


def described(thing: Any, module: str) -> dict[str, Any]:
    """An object as Keras 3 describes it: module, class name, configuration, registered name."""
    kind = type(thing)
    is_ours = kind.__module__.startswith("doltap.")
    return {
        "module": module if is_ours else kind.__module__,
        "class_name": kind.__name__,
        "config": thing.get_config(),
        "registered_name": None if is_ours else get_registered_name(kind),
    }


def written(thing: Any, module: str) -> Any:
    """What a model's file says of a thing: its description, a function's name, None for None."""
    if thing is None or isinstance(thing, Configured):
        return None if thing is None else described(thing, module)
    return getattr(thing, "__name__", type(thing).__name__)


def undescribed(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """What a family's `get` understands, made of what was written.

    Args:
        custom_objects: the user's own classes and functions by name; they win.

    >>> undescribed({"class_name": "function", "config": "relu"})
    'relu'
    """
    # Keras writes a function as the class "function", with its name for a config.
    if isinstance(config, dict) and config.get("class_name") == "function":
        config = config["config"]
    is_class = isinstance(config, dict)
    name = config.get("class_name") if is_class else config
    own: Any = (custom_objects or {}).get(name) if isinstance(name, str) else None
    if own is None:
        return config
    is_made = is_class and isinstance(own, type)
    return own.from_config(config.get("config") or {}) if is_made else own
