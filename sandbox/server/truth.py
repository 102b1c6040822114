"""Who really sat where, from when to when: what a bot's own records are judged against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.server.snowflake import Now


@dataclass(slots=True)
class Stay:
    """One stay in one voice channel; ``until`` is None while it lasts. ``bot`` marks a bot's."""

    guild_id: int
    user_id: int
    channel_id: int
    since: datetime
    until: datetime | None = None
    bot: bool = False


class Truth:
    """Every stay since the world began, oldest first."""

    def __init__(self, clock: Now) -> None:
        self._clock = clock
        self.stays: list[Stay] = []
        self._open: dict[tuple[int, int], Stay] = {}
        self._by_person: dict[tuple[int, int], list[Stay]] = {}

    def __iter__(self) -> Iterator[Stay]:
        return iter(self.stays)

    def __len__(self) -> int:
        return len(self.stays)

    def moved(self, guild_id: int, user_id: int, channel_id: int | None, *, bot: bool) -> None:
        """Note that a user sits in ``channel_id`` from now on, or nowhere."""
        now = self._clock.now()
        key = (guild_id, user_id)
        stay = self._open.pop(key, None)
        if stay is not None:
            stay.until = now
        if channel_id is not None:
            stay = Stay(guild_id, user_id, channel_id, now, bot=bot)
            self._open[key] = stay
            self.stays.append(stay)
            self._by_person.setdefault(key, []).append(stay)

    def seconds(
        self,
        guild_id: int,
        user_id: int,
        channel_ids: Iterable[int],
        windows: Sequence[tuple[datetime, datetime | None]] | None = None,
    ) -> float:
        """Return how long a user sat in any of the channels within the union of the windows, in seconds.

        A window without an end lasts until now; without windows all time counts.
        """
        now = self._clock.now()
        channels = set(channel_ids)
        stays = self._by_person.get((guild_id, user_id), ())
        spans = _union((stay.since, stay.until or now) for stay in stays if stay.channel_id in channels)
        if windows is None:
            return sum((end - begin).total_seconds() for begin, end in spans)
        allowed = _union((begin, end or now) for begin, end in windows)
        total = 0.0
        for begin, end in spans:
            for opens, closes in allowed:
                total += max(0.0, (min(end, closes) - max(begin, opens)).total_seconds())
        return total


def _union(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
