"""Credit: the seconds of a member's voice sessions that count for an operation.

It is the union of the member's stays in tracked channels, clipped to the union of the operation's
windows. Spans are half open, in microseconds; the sum is rounded half up to seconds once per member,
so many short stays lose nothing. The same instant in two channels counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stay:
    """One closed stay of a member in a channel, tracked or not.

    :param left: when it ended; for an open one an instant after the windows.
    :param joined_estimated: the beginning was inferred after an outage.
    :param left_estimated: the end was.
    """

    user_id: int
    channel_id: int
    joined: datetime
    left: datetime
    joined_estimated: bool = False
    left_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which the operation ran."""

    opened: datetime
    closed: datetime


@dataclass(frozen=True, slots=True)
class TrackedSpan:
    """A span in which a channel counted for the operation."""

    channel_id: int
    added: datetime
    removed: datetime


@dataclass(frozen=True, slots=True)
class Credit:
    """What one member has earned.

    :param seconds: whole seconds, rounded half up once.
    :param estimated: an estimated bound of a stay of this member, counted or not, lies within the windows:
        what happened beside it was not seen.
    :param channels: whole seconds per channel, each rounded on its own, so their sum may differ.
    """

    user_id: int
    seconds: int
    estimated: bool
    channels: Mapping[int, int]


def credit(
    stays: Iterable[Stay], windows: Iterable[Window], tracked: Iterable[TrackedSpan]
) -> dict[int, Credit]:
    """Return the credit per member; members without any are left out.

    :param stays: stays of any members in any channels, in any order, overlapping or not.
    :param windows: when the operation ran.
    :param tracked: which channels counted, and when.
    """
    ran = _union([(_us(window.opened), _us(window.closed)) for window in windows])
    spans = defaultdict(list)
    for span in tracked:
        spans[span.channel_id].append((_us(span.added), _us(span.removed)))
    counting = {channel: _intersection(_union(each), ran) for channel, each in spans.items()}

    counted: dict[int, dict[int, list[_Span]]] = defaultdict(lambda: defaultdict(list))
    unsure: set[int] = set()
    for stay in stays:
        joined, left = _us(stay.joined), _us(stay.left)
        bounds = ((joined, stay.joined_estimated), (left, stay.left_estimated))
        if any(unseen and start <= bound <= end for bound, unseen in bounds for start, end in ran):
            unsure.add(stay.user_id)
        if part := _intersection([(joined, left)], counting.get(stay.channel_id, [])):
            counted[stay.user_id][stay.channel_id] += part

    result = {}
    for user_id in sorted(counted):
        channels = counted[user_id]
        total = _length([span for each in channels.values() for span in each])
        result[user_id] = Credit(
            user_id=user_id,
            seconds=_seconds(total),
            estimated=user_id in unsure,
            channels={channel: _seconds(_length(each)) for channel, each in channels.items()},
        )
    return result


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _seconds(microseconds: int) -> int:
    return (microseconds + _SECOND // 2) // _SECOND


def _length(spans: list[_Span]) -> int:
    return sum(end - start for start, end in _union(spans))


def _union(spans: list[_Span]) -> list[_Span]:
    """Return the same instants as sorted, disjoint, non-empty spans."""
    merged: list[_Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _intersection(left: list[_Span], right: list[_Span]) -> list[_Span]:
    """Return the instants in both; each side sorted and disjoint."""
    both = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            both.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return both
