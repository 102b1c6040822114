"""How many commands may be made in a guild: pure rules below Discord's own, which is 200 a day.

Only a command that was not in the menu before counts; changing one or taking it out costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

#: Commands that may be made in one guild within `DAY`; the rest of Discord's 200 is for what is counted late.
LIMIT = 180
#: From here on the admin who switches is told.
NEAR = 150
DAY = timedelta(hours=24)

Creates = tuple[tuple[datetime, int], ...]


def recent(creates: Creates, now: datetime) -> Creates:
    """Return the entries that still count."""
    return tuple((at, count) for at, count in creates if at > now - DAY)


def spent(creates: Creates, now: datetime) -> int:
    """Return how many commands were made within the last day."""
    return sum(count for _, count in recent(creates, now))


def fits(creates: Creates, count: int, now: datetime) -> bool:
    """Say whether `count` further commands may be made now; none always may."""
    return count == 0 or spent(creates, now) + count <= LIMIT


def charged(creates: Creates, count: int, now: datetime) -> Creates:
    """Return the entries with `count` commands made now, old ones left out.

    :raises ValueError: they do not fit.
    """
    if not fits(creates, count, now):
        raise ValueError(f"{count} more commands do not fit into today's {LIMIT}")
    return (*recent(creates, now), (now, count)) if count else recent(creates, now)


def frees_at(creates: Creates, count: int, now: datetime) -> datetime:
    """Return when `count` further commands fit, `now` if they do already.

    :raises ValueError: more than ever fit.
    """
    if count > LIMIT:
        raise ValueError(f"{count} commands never fit into a day's {LIMIT}")
    left = sorted(recent(creates, now))
    total = sum(each for _, each in left)
    at = now
    while count and total + count > LIMIT:
        first, number = left.pop(0)
        total -= number
        at = first + DAY
    return at


def to_json(creates: Creates) -> list[list[Any]]:
    """Return the entries as they are stored: [[ISO time, count], ...]."""
    return [[at.isoformat(), count] for at, count in creates]


def from_json(stored: Iterable[Sequence[Any]] | None) -> Creates:
    """Read what `to_json` wrote; nothing is no entries."""
    return tuple((datetime.fromisoformat(str(at)), int(count)) for at, count in stored or ())
