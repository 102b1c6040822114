"""Editing the windows in which an operation ran: what they become, and its channels' spans. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

#: (opened, closed); `closed` None while it is open.
Bounds = tuple[datetime, datetime | None]

_EVER = datetime.max.replace(tzinfo=UTC)


class Kind(IntEnum):
    """What an edit does; the numbers are kept in buttons."""

    MOVE = 1
    PAUSE = 2
    COUNT = 3


class Wrong(StrEnum):
    """Why an edit cannot be."""

    NO_WINDOW = "no_window"
    FUTURE = "future"
    UPSIDE_DOWN = "upside_down"
    STILL_OPEN = "still_open"
    NOTHING_LEFT = "nothing_left"
    UNCHANGED = "unchanged"


class EditRefused(Exception):
    """An edit cannot be.

    :param wrong: why.
    """

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.value)
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Edit:
    """What an officer wants of the windows.

    :param start: aware; of a move, None leaves it as it is.
    :param end: as `start`.
    :param window: of a move, the place of the window, from 1; 0 moves the first start and the last end.
    """

    kind: Kind
    start: datetime | None = None
    end: datetime | None = None
    window: int = 0


def edited(windows: Sequence[Bounds], edit: Edit, at: datetime) -> list[Bounds]:
    """Return the windows after an edit: sorted, disjoint, none of them empty, at least one.

    :param windows: those of now, oldest first.
    :param at: now; nothing lies after it.
    :raises EditRefused: it cannot be.
    """
    if any(each is not None and each > at for each in (edit.start, edit.end)):
        raise EditRefused(Wrong.FUTURE)
    if edit.kind is Kind.MOVE:
        found = _moved(windows, edit)
    else:
        if edit.start is None or edit.end is None:
            raise ValueError("a span has two ends")
        if edit.start >= edit.end:
            raise EditRefused(Wrong.UPSIDE_DOWN)
        if edit.kind is Kind.PAUSE:
            found = _without(windows, edit.start, edit.end)
        else:
            found = [*windows, (edit.start, edit.end)]
    found = joined(found)
    if not found:
        raise EditRefused(Wrong.NOTHING_LEFT)
    if found == list(windows):
        raise EditRefused(Wrong.UNCHANGED)
    return found


def joined(windows: Iterable[Bounds]) -> list[Bounds]:
    """Return the same instants as sorted, disjoint, non-empty windows."""
    found: list[tuple[datetime, datetime]] = []
    for opened, closed in sorted((opened, closed or _EVER) for opened, closed in windows):
        if closed <= opened:
            continue
        if found and opened <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closed))
        else:
            found.append((opened, closed))
    return [(opened, None if closed == _EVER else closed) for opened, closed in found]


def stretched(
    spans: Iterable[Bounds], before: Sequence[Bounds], after: Sequence[Bounds]
) -> list[tuple[Bounds, Bounds]]:
    """Return (now, then) of the channels' spans that reach further because the windows do.

    A channel that counted from the first instant goes on doing so, and one that counted to the last.

    :param spans: (added, removed) of the channels; `removed` None while it counts.
    :param before: the windows of now, oldest first.
    :param after: those after the edit.
    """
    begin, end = before[0][0], before[-1][1]
    first, last = after[0][0], after[-1][1]
    found = []
    for added, removed in spans:
        start, stop = added, removed
        if added <= begin:
            start = min(added, first)
        if removed is not None and end is not None and last is not None and removed >= end:
            stop = max(removed, last)
        if (start, stop) != (added, removed):
            found.append(((added, removed), (start, stop)))
    return found


def _moved(windows: Sequence[Bounds], edit: Edit) -> list[Bounds]:
    if edit.window > len(windows):
        raise EditRefused(Wrong.NO_WINDOW)
    found = list(windows)
    first = edit.window - 1 if edit.window else 0
    last = edit.window - 1 if edit.window else len(found) - 1
    if edit.start is not None:
        found[first] = (edit.start, found[first][1])
    if edit.end is not None:
        if found[last][1] is None:
            raise EditRefused(Wrong.STILL_OPEN)
        found[last] = (found[last][0], edit.end)
    for opened, closed in (found[first], found[last]):
        if closed is not None and opened >= closed:
            raise EditRefused(Wrong.UPSIDE_DOWN)
    return found


def _without(windows: Sequence[Bounds], start: datetime, end: datetime) -> list[Bounds]:
    found: list[Bounds] = []
    for opened, closed in windows:
        if opened < start:
            found.append((opened, start if closed is None else min(closed, start)))
        if closed is None or closed > end:
            found.append((max(opened, end), closed))
    return found
