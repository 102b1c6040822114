"""Credit: the seconds of a member's voice sessions that count for an operation.

It is the union of the member's stays in tracked channels, clipped to the union of the operation's
windows and to the spans in which the member held the role that the guild asks for. Spans are half open,
in microseconds; the sum is rounded half up to seconds once per member, so many short stays lose nothing.
The same instant in two channels counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.operations.rules.spans import Span, intersection, length, seconds, union, us


@dataclass(frozen=True, slots=True)
class Stay:
    """One closed stay of a member in a channel, tracked or not.

    :param left: when it ended; for an open one an instant after the windows.
    :param joined_estimated: the beginning was inferred after an outage.
    :param left_estimated: the end was.
    :param held: (from, to) spans in which the member held the role that the guild asks for; None: always.
    :param deafened_us: microseconds of it spent deafened.
    :param sits: it goes on.
    :param unsure: (from, to) spans at some instant of which that role was given or taken, unseen.
    :param via_channel_id: where it began, if that was another channel for less than a second.
    """

    user_id: int
    channel_id: int
    joined: datetime
    left: datetime
    joined_estimated: bool = False
    left_estimated: bool = False
    held: tuple[tuple[datetime, datetime], ...] | None = None
    deafened_us: int = 0
    sits: bool = False
    unsure: tuple[tuple[datetime, datetime], ...] = ()
    via_channel_id: int | None = None


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
        what happened beside it was not seen. Or the role was given or taken unseen while a channel counted
        in which the member sat.
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
    ran = union((us(window.opened), us(window.closed)) for window in windows)
    counting = counting_spans(ran, tracked)
    counted: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    unsure: set[int] = set()
    for stay in stays:
        bounds = ((us(stay.joined), stay.joined_estimated), (us(stay.left), stay.left_estimated))
        if any(unseen and start <= bound <= end for bound, unseen in bounds for start, end in ran):
            unsure.add(stay.user_id)
        if _unsure_where_it_counts(stay, counting):
            unsure.add(stay.user_id)
        if part := counted_part(stay, counting):
            counted[stay.user_id][stay.channel_id] += part

    result = {}
    for user_id in sorted(counted):
        channels = counted[user_id]
        total = length(span for each in channels.values() for span in each)
        result[user_id] = Credit(
            user_id=user_id,
            seconds=seconds(total),
            estimated=user_id in unsure,
            channels={channel: seconds(length(each)) for channel, each in channels.items()},
        )
    return result


def _unsure_where_it_counts(stay: Stay, counting: Mapping[int, list[Span]]) -> bool:
    here = counting.get(stay.channel_id, [])
    return any(us(since) <= end and us(until) >= start for since, until in stay.unsure for start, end in here)


def counting_spans(ran: list[Span], tracked: Iterable[TrackedSpan]) -> dict[int, list[Span]]:
    """Return when each channel counts.

    :param ran: when the operation ran, sorted and disjoint.
    """
    spans = defaultdict(list)
    for span in tracked:
        spans[span.channel_id].append((us(span.added), us(span.removed)))
    return {channel: intersection(union(each), ran) for channel, each in spans.items()}


def counted_part(stay: Stay, counting: Mapping[int, list[Span]]) -> list[Span]:
    """Return the part of a stay that counts, sorted and disjoint.

    :param counting: when each channel counts.
    """
    part = intersection(union([(us(stay.joined), us(stay.left))]), counting.get(stay.channel_id, []))
    if stay.held is None:
        return part
    return intersection(part, union((us(start), us(end)) for start, end in stay.held))
