"""Spans of time as people write them: "1 h 30 min"."""

from __future__ import annotations

import re
from datetime import timedelta

from core.i18n import translate as _

_UNITS = {
    timedelta(weeks=1): ("w", "week", "weeks"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(hours=1): ("h", "hr", "hour", "hours"),
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes"),
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds"),
    timedelta(milliseconds=1): ("ms",),
}
_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_SHOWN = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def duration_words(value: timedelta) -> str:
    """Return a span in the form that `read_duration` reads, such as "1 h 30 min"."""
    sign, rest = ("-", -value) if value < timedelta() else ("", value)
    parts = []
    for unit, word in _SHOWN:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count} {word}")
    if rest or not parts:
        seconds = f"{rest.seconds}.{rest.microseconds:06}".rstrip("0").rstrip(".")
        parts.append(f"{seconds} s")
    return sign + " ".join(parts)


def read_duration(text: str) -> timedelta:
    """Return the span that a text such as "90 min", "1h30m" or "2 days" means.

    :raises ValueError: it cannot be read; the message says how to write it.
    """
    plain = text.strip().lower()
    sign = -1 if plain.startswith("-") else 1
    plain = plain.removeprefix("-")
    found = _PART.findall(plain)
    left = re.sub(r"[\s,]+|\band\b", "", _PART.sub("", plain))
    if not found or left or any(word not in _BY_WORD for _number, word in found):
        raise ValueError(_('must be a span of time such as "90 min", "1 h 30 min" or "2 days"'))
    try:
        return sign * sum((_BY_WORD[word] * float(number) for number, word in found), timedelta())
    except OverflowError:
        raise ValueError(_("is a longer time than can be kept")) from None
