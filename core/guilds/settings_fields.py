"""What kinds of value a plugin's settings hold, read off its model so that a form can ask for them."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import discord
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.guilds.durations import duration_words
from core.guilds.rates import rate_words
from core.i18n import translate as _

#: Options that Discord takes in one select.
MOST_CHOICES = 25


@dataclass(frozen=True, slots=True)
class RoleId:
    """Marks an id in a settings model as a role's: `Annotated[int, RoleId]`. Its form offers the roles."""


@dataclass(frozen=True, slots=True)
class ChannelId:
    """Marks an id in a settings model as a channel's: `Annotated[int, ChannelId("voice")]`.

    :param kinds: discord.py's names of the types that are offered, such as "text" and "voice"; none for all.
    """

    kinds: tuple[str, ...]

    def __init__(self, *kinds: str) -> None:
        unknown = [kind for kind in kinds if kind not in discord.ChannelType.__members__]
        if unknown:
            raise ValueError(f"Discord has no channels of the type {unknown[0]!r}")
        object.__setattr__(self, "kinds", kinds)


@dataclass(frozen=True, slots=True)
class Rate:
    """Marks a whole number in a settings model as a rate in basis points: `Annotated[int, Rate]`.

    People read and write it in percent, 1,000 as "10 %"; limits of the field are in basis points too.
    """


class Kind(StrEnum):
    """How a value is entered."""

    FLAG = "flag"
    CHOICE = "choice"
    ROLE = "role"
    CHANNEL = "channel"
    WHOLE = "whole"
    RATE = "rate"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of a settings model.

    :param many: a list or set of such values.
    :param optional: None is a value too: nothing chosen.
    :param choices: values by the words that people read, for a choice.
    :param python: the type of a number.
    :param at_least: the least value, or the least number of values or characters; words, as the model has it.
    :param longest: characters that a text may have, None without a limit.
    :param most: values that a list may hold, None without a limit.
    """

    name: str
    title: str
    description: str
    kind: Kind
    many: bool
    optional: bool
    default: Any
    choices: Mapping[str, Any]
    channel_kinds: tuple[str, ...]
    python: Any = None
    at_least: Any = None
    at_most: Any = None
    least: int | None = None
    longest: int | None = None
    most: int | None = None

    @property
    def selected(self) -> bool:
        """Whether it is picked from a menu and not typed."""
        if self.kind is Kind.CHOICE:
            return len(self.choices) <= MOST_CHOICES and all(0 < len(each) <= 100 for each in self.choices)
        return self.kind in (Kind.FLAG, Kind.ROLE, Kind.CHANNEL)


@lru_cache(maxsize=256)
def fields_of(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """Return the fields of a settings model, in its order."""
    documented = _documented(model)
    return tuple(_field(name, info, documented) for name, info in model.model_fields.items())


def field_of(model: type[BaseModel], name: str) -> SettingField | None:
    """Return one field of a settings model, None when there is none of this name."""
    return next((field for field in fields_of(model) if field.name == name), None)


def spoken(name: str) -> str:
    """Return a field's name as people write: "remind_minutes" is "Remind minutes"."""
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def _field(name: str, info: FieldInfo, documented: Mapping[str, str]) -> SettingField:
    shape = _shape(info.annotation, tuple(info.metadata))
    default = info.get_default(call_default_factory=True, validated_data={})
    return SettingField(
        name=name,
        title=info.title or spoken(name),
        description=" ".join((info.description or documented.get(name, "")).split()),
        default=None if default is PydanticUndefined else default,
        **shape,
    )


def _shape(annotation: Any, metadata: tuple[Any, ...]) -> dict[str, Any]:
    """Return what an annotation says of the values: kind, many, optional, choices and limits."""
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation, metadata = arguments[0], (*arguments[1:], *metadata)
            continue
        # `type Name = ...`
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
            continue
        break
    if origin in (Union, types.UnionType):
        members = [each for each in arguments if each is not type(None)]
        if len(members) == 1 and len(arguments) == 2:
            return {**_shape(members[0], metadata), "optional": True}
        return _plain(Kind.JSON)
    if origin in (list, set, frozenset, tuple):
        return _several(origin, arguments, metadata)
    return _single(annotation, metadata)


def _several(origin: Any, arguments: tuple[Any, ...], metadata: tuple[Any, ...]) -> dict[str, Any]:
    endless = origin is not tuple or (len(arguments) == 2 and arguments[1] is Ellipsis)
    if not endless or not arguments:
        return _plain(Kind.JSON)
    inner = _shape(arguments[0], tuple(each for each in metadata if _is_marker(each) or _is_rate(each)))
    if inner["many"] or inner["optional"] or inner["kind"] in (Kind.JSON, Kind.FLAG):
        return _plain(Kind.JSON)
    limits = _limits(metadata)
    return {**inner, "many": True, "least": limits.get("least"), "most": limits.get("longest")}


def _single(annotation: Any, metadata: tuple[Any, ...]) -> dict[str, Any]:
    limits = _limits(metadata)
    if annotation is int and any(map(_is_rate, metadata)):
        return {**_plain(Kind.RATE), **limits, "python": int}
    marker = next((each for each in metadata if _is_marker(each)), None)
    if marker is not None:
        kinds = marker.kinds if isinstance(marker, ChannelId) else ()
        channel = marker is ChannelId or isinstance(marker, ChannelId)
        return {**_plain(Kind.CHANNEL if channel else Kind.ROLE), "channel_kinds": kinds}
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        return {**_plain(Kind.CHOICE), "choices": {str(value): value for value in values}}
    if not inspect.isclass(annotation):
        return _plain(Kind.JSON)
    if issubclass(annotation, Enum):
        return {**_plain(Kind.CHOICE), "choices": {_label(each): each for each in annotation}}
    kinds_by_type = {bool: Kind.FLAG, int: Kind.WHOLE, float: Kind.NUMBER, Decimal: Kind.NUMBER}
    kinds_by_type |= {timedelta: Kind.DURATION, str: Kind.TEXT}
    kind = kinds_by_type.get(annotation, Kind.JSON)
    return {**_plain(kind), **limits, "python": annotation} if kind is not Kind.FLAG else _plain(kind)


def _plain(kind: Kind) -> dict[str, Any]:
    return {"kind": kind, "many": False, "optional": False, "choices": {}, "channel_kinds": ()}


def _label(member: Enum) -> str:
    # An enum of texts says what people read; of others only the name is a word.
    return member.value if isinstance(member.value, str) else spoken(member.name.lower())


def _is_marker(each: Any) -> bool:
    return each in (RoleId, ChannelId) or isinstance(each, RoleId | ChannelId)


def _is_rate(each: Any) -> bool:
    return each is Rate or isinstance(each, Rate)


def _limits(metadata: tuple[Any, ...]) -> dict[str, Any]:
    """Return the bounds among a field's metadata, by what pydantic calls them."""
    found: dict[str, Any] = {}
    for each in metadata:
        for ours, theirs in (
            ("at_least", "ge"),
            ("at_most", "le"),
            ("least", "min_length"),
            ("longest", "max_length"),
        ):
            if (value := getattr(each, theirs, None)) is not None:
                found[ours] = value
        # Of whole numbers the next one is the bound; of others the refusal tells it.
        for ours, theirs, step in (("at_least", "gt", 1), ("at_most", "lt", -1)):
            if isinstance(value := getattr(each, theirs, None), int):
                found[ours] = value + step
    return found


def _documented(model: type[BaseModel]) -> dict[str, str]:
    """Return what a model's docstring says of its fields, in the form `:param name: words`."""
    text = inspect.cleandoc(model.__doc__ or "")
    parts = re.split(r"^:param (\w+):", text, flags=re.MULTILINE)
    return {
        name: words.split("\n\n")[0].strip() for name, words in zip(parts[1::2], parts[2::2], strict=True)
    }


def range_words(field: SettingField) -> str:
    """Return the limits of a number in words, such as "0 to 10,000"; empty without any."""
    low, high = field.at_least, field.at_most
    match low is None, high is None:
        case False, False:
            return _("{low} to {high}").format(low=bound(low, field), high=bound(high, field))
        case False, True:
            return _("at least {low}").format(low=bound(low, field))
        case True, False:
            return _("at most {high}").format(high=bound(high, field))
    return ""


def bound(value: Any, field: SettingField | None = None) -> str:
    """Return a limit as people read it.

    :param field: whose limit it is, where that is known.
    """
    if field is not None and field.kind is Kind.RATE and isinstance(value, int):
        return rate_words(value)
    if isinstance(value, timedelta):
        return duration_words(value)
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
