"""What a plugin noted in the audit log, in words as good as can be without knowing the plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.guilds.settings_words import quoted
from core.i18n import translate as _

#: Values of one list or mapping that are named, and characters of a text.
MOST_NAMED, LONGEST_VALUE = 6, 40


def noted(value: Any) -> str:
    """Return JSON values in words: instants as Discord shows times, a pair of them as a span.

    :param value: as stored; what was typed in it is no markdown and mentions nobody.
    """
    if value is None:
        return _("nothing")
    if isinstance(value, Mapping):
        parts = [f"{quoted(key, LONGEST_VALUE)} {noted(each)}" for key, each in value.items()]
        return _some(parts) if parts else _("nothing")
    if isinstance(value, str):
        at = _instant(value)
        return quoted(value, LONGEST_VALUE) if at is None else f"<t:{int(at.timestamp())}:f>"
    if isinstance(value, Sequence):
        if _is_span(value):
            return "–".join("…" if each is None else noted(each) for each in value)
        return _some([noted(each) for each in value]) if value else _("nothing")
    return quoted(value, LONGEST_VALUE)


def _some(parts: Sequence[str]) -> str:
    words = ", ".join(parts[:MOST_NAMED])
    rest = len(parts) - MOST_NAMED
    return words if rest <= 0 else _("{names} and {n} more").format(names=words, n=rest)


def _is_span(value: Sequence[Any]) -> bool:
    return len(value) == 2 and all(
        each is None or (isinstance(each, str) and _instant(each) is not None) for each in value
    )


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
