"""A setting's value as it is entered in a form, and back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic_core import to_jsonable_python

from core.guilds.durations import duration_words, read_duration
from core.guilds.rates import rate_words, read_rate
from core.guilds.settings_fields import Kind, SettingField
from core.guilds.settings_words import LONGEST_QUOTE, quoted
from core.i18n import translate as _

#: What a form gives: a text, or the values picked in a menu.
Typed = str | list[str]

ON, OFF = "on", "off"
#: Digits in groups of three, by comma, blank or underscore, or without groups.
_WHOLE = re.compile(r"[+-]?(\d+|\d{1,3}([, _\u00a0\u202f]\d{3})+)")
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}([, _\u00a0\u202f]\d{3})+)(\.\d+)?")
#: Values of a list that a message names, and characters of each.
MOST_SHOWN, LONGEST_SHOWN = 5, 24


def as_typed(field: SettingField, value: Any) -> Typed:
    """Return what a form's input holds when a value is in effect.

    :returns: the values of the chosen options of a menu, or a text.
    """
    values = list(value) if field.many else [] if value is None else [value]
    if isinstance(value, set | frozenset):
        values.sort(key=str)
    if field.selected:
        return [_word(field, each) for each in values]
    return "\n".join(_word(field, each) for each in values)


def read_typed(field: SettingField, typed: Typed) -> Any:
    """Return the value that was entered.

    :raises ValueError: it cannot be read; the message is the rest of a sentence about the field.
    """
    if isinstance(typed, str):
        text = typed.replace("\r\n", "\n")
        parts: Sequence[str] = (
            [line.strip() for line in text.split("\n") if line.strip()]
            if field.many
            else [text if field.kind is Kind.TEXT else text.strip()]
        )
        if not field.many and field.optional and not text.strip():
            return None
    else:
        parts = typed
        if not field.many and not parts:
            if field.optional:
                return None
            raise ValueError(_("a value is needed"))
    values = [_value(field, part) for part in parts]
    return values if field.many else values[0]


def shown_value(field: SettingField, value: Any) -> str:
    """Return a value in words for a message: roles and channels as such, texts as they stand."""
    if value is None:
        return _("nothing")
    if field.many:
        values = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
        words = ", ".join(_shown(field, each, LONGEST_SHOWN) for each in values[:MOST_SHOWN])
        rest = len(values) - MOST_SHOWN
        if rest > 0:
            return _("{names} and {n} more").format(names=words, n=rest)
        return words or _("nothing")
    return _shown(field, value)


def _shown(field: SettingField, value: Any, longest: int = LONGEST_QUOTE) -> str:
    match field.kind:
        case Kind.FLAG:
            return _("on") if value else _("off")
        case Kind.ROLE:
            return f"<@&{value}>"
        case Kind.CHANNEL:
            return f"<#{value}>"
        case Kind.WHOLE:
            return f"{value:,}"
        case Kind.RATE:
            return rate_words(value)
        case Kind.TEXT if not value:
            return _("empty")
    return quoted(_word(field, value), longest)


def _word(field: SettingField, value: Any) -> str:
    match field.kind:
        case Kind.FLAG:
            return ON if value else OFF
        case Kind.CHOICE:
            return next((words for words, each in field.choices.items() if each == value), str(value))
        case Kind.DURATION if isinstance(value, timedelta):
            return duration_words(value)
        case Kind.RATE if isinstance(value, int):
            return rate_words(value)
        case Kind.JSON:
            return json.dumps(to_jsonable_python(value), ensure_ascii=False)
    return str(value)


def _value(field: SettingField, text: str) -> Any:
    match field.kind:
        case Kind.FLAG:
            return text == ON
        case Kind.CHOICE:
            by_word = {words.casefold(): each for words, each in field.choices.items()}
            if text.casefold() not in by_word:
                near = ", ".join(list(field.choices)[:20])
                raise ValueError(
                    _("must be one of {choices}, not {given}").format(choices=near, given=quoted(text))
                )
            return by_word[text.casefold()]
        case Kind.ROLE | Kind.CHANNEL:
            return int(text)
        case Kind.WHOLE:
            return _whole(text)
        case Kind.RATE:
            return read_rate(text)
        case Kind.NUMBER:
            return _number(field, text)
        case Kind.DURATION:
            return read_duration(text)
        case Kind.JSON:
            return _json(text)
    return text


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text) or len(text) > 40:
        raise ValueError(_("must be a whole number, not {given}").format(given=quoted(text)))
    return int(re.sub(r"[^\d+-]", "", text))


def _number(field: SettingField, text: str) -> Any:
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise ValueError(_("must be a number such as 1.5, not {given}").format(given=quoted(text)))
    value = (field.python or float)(re.sub(r"[^\d+.-]", "", text))
    if not math.isfinite(value):
        raise ValueError(_("must be a number such as 1.5, not {given}").format(given=quoted(text)))
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(_("must be JSON such as {example}").format(example=quoted('{"name": 1}'))) from None
