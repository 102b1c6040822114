"""Who really sat where, from when to when: what a bot's own records are judged against."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.server.keep import Keep
from sandbox.server.snowflake import Now

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Stay:
    """One stay in one voice channel; ``until`` is None while it lasts. ``bot`` marks a bot's."""

    guild_id: int
    user_id: int
    channel_id: int
    since: datetime
    until: datetime | None = None
    bot: bool = False


@dataclass(slots=True)
class _Sum:
    """What is left of a person's stays that were let go: from when to when they were, and their seconds."""

    since: datetime
    until: datetime
    seconds: dict[int, float] = field(default_factory=dict)


class Truth:
    """The stays since the world began, oldest first.

    Of those that have ended, only the last are kept, so that there are ``keep.stays`` in all; of older ones
    each person's seconds in each channel are.
    """

    def __init__(self, clock: Now, keep: Keep | None = None) -> None:
        self._clock = clock
        self._keep = keep or Keep()
        self._stays: dict[int, Stay] = {}
        self._number = 0
        self._ended: deque[int] = deque()
        self._open: dict[tuple[int, int], int] = {}
        self._by_person: dict[tuple[int, int], deque[Stay]] = {}
        self._sums: dict[tuple[int, int], _Sum] = {}

    @property
    def stays(self) -> list[Stay]:
        """The stays that are kept, oldest first."""
        return list(self._stays.values())

    def __iter__(self) -> Iterator[Stay]:
        return iter(self.stays)

    def __len__(self) -> int:
        return len(self._stays)

    def moved(self, guild_id: int, user_id: int, channel_id: int | None, *, bot: bool) -> None:
        """Note that a user sits in ``channel_id`` from now on, or nowhere."""
        now = self._clock.now()
        key = (guild_id, user_id)
        number = self._open.pop(key, None)
        if number is not None:
            self._stays[number].until = now
            self._ended.append(number)
        if channel_id is not None:
            stay = Stay(guild_id, user_id, channel_id, now, bot=bot)
            self._number = number = self._number + 1
            self._open[key] = number
            self._stays[number] = stay
            self._by_person.setdefault(key, deque()).append(stay)
            while len(self._stays) > self._keep.stays and self._ended:
                self._let_go(self._stays.pop(self._ended.popleft()))

    def _let_go(self, stay: Stay) -> None:
        """Add a stay that has ended to the sum of its person, whose oldest it is."""
        assert stay.until is not None
        key = (stay.guild_id, stay.user_id)
        self._by_person[key].popleft()
        total = self._sums.setdefault(key, _Sum(stay.since, stay.until))
        total.until = stay.until
        seconds = (stay.until - stay.since).total_seconds()
        total.seconds[stay.channel_id] = total.seconds.get(stay.channel_id, 0.0) + seconds

    def seconds(
        self,
        guild_id: int,
        user_id: int,
        channel_ids: Iterable[int],
        windows: Sequence[tuple[datetime, datetime | None]] | None = None,
    ) -> float:
        """Return how long a user sat in any of the channels within the union of the windows, in seconds.

        A window without an end lasts until now; without windows all time counts. Raises LookupError for a
        window that cuts through stays which are kept as sums only.
        """
        now = self._clock.now()
        channels = set(channel_ids)
        stays = self._by_person.get((guild_id, user_id), ())
        spans = _union((stay.since, stay.until or now) for stay in stays if stay.channel_id in channels)
        allowed = None if windows is None else _union((begin, end or now) for begin, end in windows)
        total = self._let_go_seconds(guild_id, user_id, channels, allowed)
        if allowed is None:
            return total + sum((end - begin).total_seconds() for begin, end in spans)
        for begin, end in spans:
            for opens, closes in allowed:
                total += max(0.0, (min(end, closes) - max(begin, opens)).total_seconds())
        return total

    def _let_go_seconds(
        self, guild_id: int, user_id: int, channels: set[int], allowed: list[Span] | None
    ) -> float:
        one = self._sums.get((guild_id, user_id))
        if one is None or not channels & one.seconds.keys():
            return 0.0
        if allowed is not None:
            if all(closes <= one.since or opens >= one.until for opens, closes in allowed):
                return 0.0
            if not any(opens <= one.since and one.until <= closes for opens, closes in allowed):
                raise LookupError(
                    f"single stays before {one.until.isoformat()} are let go: keep more than "
                    f"{self._keep.stays} with World(keep=Keep(stays=...))"
                )
        # One person sits in one channel of a guild at a time: there is no overlap to take off.
        return sum(one.seconds.get(each, 0.0) for each in channels)


def _union(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
