"""The class of a hook's event, found in the hook's declaration; and events as JSON and back."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from core.manifest import in_words


class UnusableEvent(ValueError):
    """An event cannot be stored, or not be read again; the message says why and what to do."""


def event_type(hook: str, spec: FunctionType) -> type[Any]:
    """Return the class that a hook's declaration names for `event`.

    :param spec: the declaring function; what only `if TYPE_CHECKING` imports there is imported now.
    :raises UnusableEvent: it names none, or one that is no dataclass.
    """
    named = spec.__annotations__.get("event")
    found = _resolved(named, spec) if isinstance(named, str) else named
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise UnusableEvent(
            f"{hook} declares {named or 'no class'} for its event; declare `event: SomeFrozenDataclass` "
            "with a class that the declaring module imports"
        )
    return found


def to_json(hook: str, kind: type[Any], event: object) -> Any:
    """Return an event as JSON values.

    :param kind: the class that the hook declares.
    :raises UnusableEvent: it is of another class, or would not be the same after it was read again.
    """
    if type(event) is not kind:
        given = type(event).__name__
        raise UnusableEvent(f"{hook} carries {kind.__name__}, not {given}; publish one of those")
    adapter = _adapter(hook, cast(Any, kind))
    try:
        text = adapter.dump_json(event, warnings="error")
        same = adapter.validate_json(text) == event
    except (PydanticSerializationError, ValidationError) as error:
        raise UnusableEvent(f"{kind.__name__} of {hook} cannot be stored as JSON: {error}") from error
    if not same:
        raise UnusableEvent(
            f"{kind.__name__} of {hook} is another one after it was stored and read: give every field a type "
            "that JSON can tell apart (no float that is no number, no union of look-alikes)"
        )
    return adapter.dump_python(event, mode="json")


def from_json(hook: str, kind: type[Any], stored: Any) -> Any:
    """Return the event that `to_json` stored.

    :raises UnusableEvent: the class has changed since and no longer fits.
    """
    try:
        return _adapter(hook, cast(Any, kind)).validate_python(stored)
    except ValidationError as error:
        raise UnusableEvent(
            f"a stored {kind.__name__} of {hook} no longer fits the class: {in_words(error)}; "
            "give new fields a default"
        ) from error


@lru_cache(maxsize=256)
def _adapter(hook: str, kind: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(kind)
    except (PydanticUserError, NameError) as error:
        raise UnusableEvent(
            f"{kind.__name__} of {hook} cannot be stored: its fields need types that exist when the bot "
            f"runs, imported outside `if TYPE_CHECKING` ({error})"
        ) from error


def _resolved(name: str, spec: FunctionType) -> Any:
    if name in spec.__globals__:
        return spec.__globals__[name]
    module = importlib.import_module(spec.__module__)
    home = _imports(inspect.getsourcefile(module) or "").get(name)
    if home is None:
        return None
    where, attribute = home
    return getattr(importlib.import_module(where), attribute, None)


@lru_cache(maxsize=64)
def _imports(file: str) -> Mapping[str, tuple[str, str]]:
    """Return what a module's `from x import y` lines bring, wherever in it they stand."""
    if not file:
        return {}
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    }
