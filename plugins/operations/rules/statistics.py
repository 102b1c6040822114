"""What is told of a member's evening: where, from when to when, what share of it. Pure, beside the credit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from plugins.operations.rules.credit import (
    Credit,
    Stay,
    TrackedSpan,
    Window,
    counted_part,
    counting_spans,
    credit,
)
from plugins.operations.rules.spans import SECOND, Span, instant, length, seconds, union, us


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a stay in one channel, within the windows.

    :param counted: it is credited; otherwise the member lacked the role, or it was voided.
    :param start_estimated: it begins with a bound that was inferred after an outage.
    :param end_estimated: it ends with one.
    :param void_reason: why it was voided, None while it is not.
    :param via_channel_id: the channel that the member passed through, in less than a second, on the way here.
    :param whole: the seconds that are told of it, so that all parts make up the credit; None: its own.
    """

    channel_id: int
    start: datetime
    end: datetime
    counted: bool = True
    start_estimated: bool = False
    end_estimated: bool = False
    void_reason: str | None = None
    via_channel_id: int | None = None
    whole: int | None = None

    @property
    def seconds(self) -> int:
        """How long it lasted: rounded half up, or such that all parts make up the credit."""
        return seconds(self.lasted) if self.whole is None else self.whole

    @property
    def lasted(self) -> int:
        """How long it lasted, in microseconds."""
        return us(self.end) - us(self.start)


@dataclass(frozen=True, slots=True)
class MemberEvening:
    """One member in one operation.

    :param seconds: the credit; 0 for who only sat there without the role, or whose stays were voided.
    :param estimated: as in `Credit`.
    :param channels: credited seconds per channel; they add up to the credit.
    :param steps: in order of time; the chain of the member's channels.
    :param first_seen: the first credited instant, or the first at all without any credit.
    :param last_seen: the end of the last one.
    :param present: share of the windows that is credited, 0 to 1.
    :param deafened: share of the credited time spent deafened, 0 to 1; of a stay that counts in part, a part.
    :param sits_in: the tracked channel in which the member still sits.
    """

    user_id: int
    seconds: int
    estimated: bool
    channels: Mapping[int, int]
    steps: tuple[Step, ...]
    first_seen: datetime
    last_seen: datetime
    present: float
    deafened: float
    sits_in: int | None


def evenings(
    stays: Iterable[Stay],
    windows: Iterable[Window],
    tracked: Iterable[TrackedSpan],
    voided: Iterable[tuple[Stay, str]] = (),
) -> dict[int, MemberEvening]:
    """Return the evening of each member who sat in a tracked channel while it counted.

    :param stays: as for `credit`.
    :param voided: (stay, reason) of those that were voided; they are told of, and credit nothing.
    """
    stays, windows, tracked = list(stays), list(windows), list(tracked)
    earned = credit(stays, windows, tracked)
    ran = union((us(window.opened), us(window.closed)) for window in windows)
    counting = counting_spans(ran, tracked)
    steps: dict[int, list[Step]] = defaultdict(list)
    deafened: dict[int, float] = defaultdict(float)
    whole: dict[int, int] = defaultdict(int)
    credited: dict[int, list[Span]] = defaultdict(list)
    sits: dict[int, int] = {}
    for stay in sorted(stays, key=lambda each: (each.joined, each.left)):
        counted = counted_part(stay, counting)
        here = counted_part(_without_role(stay), counting)
        own = _steps(stay, counted, True) + _steps(stay, _less(here, counted), False)
        steps[stay.user_id] += _led_by_via(own, stay)
        credited[stay.user_id] += counted
        lasted = us(stay.left) - us(stay.joined)
        part = length(counted)
        whole[stay.user_id] += part
        if lasted > 0:
            deafened[stay.user_id] += min(stay.deafened_us / lasted, 1.0) * part
        if stay.sits and here:
            sits[stay.user_id] = stay.channel_id
    for stay, reason in voided:
        here = counted_part(_without_role(stay), counting)
        own = [replace(each, void_reason=reason) for each in _steps(stay, here, False)]
        steps[stay.user_id] += _led_by_via(own, stay)
        if stay.sits and here:
            sits[stay.user_id] = stay.channel_id
    result = {}
    total = length(ran)
    for user_id in sorted(user_id for user_id, each in steps.items() if each):
        own = sorted(steps[user_id], key=lambda each: (each.start, each.end))
        seen = union(credited[user_id]) or [(us(own[0].start), us(max(each.end for each in own)))]
        mine = earned.get(user_id)
        channels: Mapping[int, int] = {}
        if mine is not None:
            own, channels = _made_up(own, mine)
        result[user_id] = MemberEvening(
            user_id=user_id,
            seconds=mine.seconds if mine else 0,
            estimated=mine.estimated if mine else False,
            channels=channels,
            steps=tuple(own),
            first_seen=instant(seen[0][0]),
            last_seen=instant(seen[-1][1]),
            present=length(credited[user_id]) / total if total else 0.0,
            deafened=deafened[user_id] / whole[user_id] if whole[user_id] else 0.0,
            sits_in=sits.get(user_id),
        )
    return result


def _made_up(steps: list[Step], mine: Credit) -> tuple[list[Step], Mapping[int, int]]:
    """Return the steps, and the seconds per channel, as whole seconds that make up the credit.

    Each is within a second of the truth. Stays that overlap keep what they are: they do not add up.
    """
    parts: dict[int, list[int]] = defaultdict(list)
    for place, step in enumerate(steps):
        if step.counted:
            parts[step.channel_id].append(place)
    sums = {channel: sum(steps[place].lasted for place in places) for channel, places in parts.items()}
    if seconds(sum(sums.values())) != mine.seconds:
        return steps, mine.channels
    channels = dict(zip(sums, apportioned(list(sums.values()), mine.seconds), strict=True))
    told = list(steps)
    for channel, places in parts.items():
        whole = apportioned([steps[place].lasted for place in places], channels[channel])
        for place, each in zip(places, whole, strict=True):
            told[place] = replace(steps[place], whole=each)
    return told, channels


def apportioned(parts: list[int], total: int) -> list[int]:
    """Return whole seconds that add up to a total, each within a second of its part.

    :param parts: in microseconds; their sum is within a second of the total.
    :param total: in seconds.
    """
    whole = [part // SECOND for part in parts]
    largest_rest = sorted(range(len(parts)), key=lambda place: (-(parts[place] % SECOND), place))
    for place in largest_rest[: total - sum(whole)]:
        whole[place] += 1
    return whole


def _without_role(stay: Stay) -> Stay:
    return replace(stay, held=None)


def _steps(stay: Stay, spans: Iterable[Span], counted: bool) -> list[Step]:
    joined, left = us(stay.joined), us(stay.left)
    # Where the counting begins or ends because of a change of roles that nobody saw.
    unsure = {us(bound) for span in stay.unsure for bound in span}
    return [
        Step(
            stay.channel_id,
            instant(start),
            instant(end),
            counted,
            start in unsure or (stay.joined_estimated and start == joined),
            end in unsure or (stay.left_estimated and end == left),
        )
        for start, end in spans
    ]


def _led_by_via(steps: list[Step], stay: Stay) -> list[Step]:
    """Return the steps of a stay, the first of them with the channel that led to it."""
    if not steps or stay.via_channel_id is None:
        return steps
    first = min(steps, key=lambda each: each.start)
    return [replace(each, via_channel_id=stay.via_channel_id) if each is first else each for each in steps]


def _less(spans: list[Span], others: list[Span]) -> list[Span]:
    """Return the instants of `spans` that are not in `others`, each sorted and disjoint."""
    rest = []
    for start, end in spans:
        at = start
        for other_start, other_end in others:
            if other_end <= at or other_start >= end:
                continue
            if at < other_start:
                rest.append((at, other_start))
            at = other_end
        if at < end:
            rest.append((at, end))
    return rest
