"""Who really sat where, and whether recorded sessions may say what they say of it.

Where nothing was missed, the rows must be exactly the stays, but for stays under a second, which pass their
time on. Around a time without sight, only those who changed meanwhile may differ, only there, and flagged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.events import SessionRecord

SECOND = timedelta(seconds=1)
NOTHING = timedelta()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Stay:
    """A stay as it really was; `until` is None while it lasts."""

    channel_id: int
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Blind:
    """A time without sight.

    :param left: since when the bot may remember nothing: the last proof of life, at the earliest.
    :param right: when it saw again.
    :param lost: when it really lost sight; its reckoning of the gap begins between `left` and this.
    :param noticed: when it noticed, at the latest: from when on it reckons the gap at the latest.
    :param changed: who sat down, moved or left unseen.
    :param deafened: whose hearing changed unseen.
    :param first: when it noticed first, where it was lost again before it could look who is there.
    """

    left: datetime
    right: datetime
    lost: datetime
    noticed: datetime
    changed: frozenset[int] = frozenset()
    deafened: frozenset[int] = frozenset()
    first: datetime | None = None

    def surely_too_long(self, limit: timedelta) -> bool:
        """Whether the gap is over the limit, from wherever it is reckoned."""
        return self.right - self.noticed > limit

    def maybe_too_long(self, limit: timedelta) -> bool:
        """Whether the gap may be reckoned as over the limit."""
        return self.right - self.left > limit

    def explains_beginning(self, row: SessionRecord) -> bool:
        """Whether this is why a row's beginning is estimated: it is when the bot saw again."""
        return (self.first or self.noticed) <= row.joined <= self.right + SECOND

    def explains_end(self, row: SessionRecord) -> bool:
        """Whether this is why a row's end is estimated: it is the last proof of life."""
        if row.left is None:
            return False
        return self.left - SECOND <= row.left <= self.noticed or self._of_the_gap(row)

    def _of_the_gap(self, row: SessionRecord) -> bool:
        return row.left == row.joined and self.left <= row.joined <= self.right + SECOND

    def around(self) -> tuple[datetime, datetime]:
        """The span in which a row of somebody who changed may differ; short stays reach a second beyond."""
        return self.left - SECOND, self.right + SECOND


@dataclass(slots=True)
class Lost:
    """A time without sight that has not ended: since when it counts, and how many changes came before."""

    left: datetime
    lost: datetime
    changes: int
    noticed: datetime | None = None
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    channel_id: int
    since: datetime
    until: datetime | None
    linked: bool


def kept(presences: Iterable[Sequence[Stay]], afk: int | None) -> list[_Kept]:
    """Return the rows that a member's stays ought to become, oldest first.

    Within an unbroken presence a stay under a second passes its time to the next, but not into the AFK
    channel or out of it; there and at the end only a stay of no length goes.
    """
    result: list[_Kept] = []
    for presence in presences:
        passed: tuple[int, datetime] | None = None
        linked = False
        for stay, following in itertools.zip_longest(presence, presence[1:]):
            since = stay.since
            if passed is not None and (passed[0] == afk) == (stay.channel_id == afk):
                since = passed[1]
            goes_on = following is not None and (following.channel_id == afk) == (stay.channel_id == afk)
            if stay.until is not None and stay.until - since < (SECOND if goes_on else _MICROSECOND):
                passed = (stay.channel_id, since)
                continue
            result.append(_Kept(stay.channel_id, since, stay.until, linked))
            passed, linked = None, True
    return result


@dataclass(slots=True)
class Evening:
    """What really happened in one guild, and what the bot could not see of it.

    :param afk: the AFK channel.
    :param limit: the bot's gap limit.
    """

    afk: int | None
    limit: timedelta
    presences: dict[int, list[list[Stay]]] = field(default_factory=dict)
    deafened: dict[int, list[tuple[datetime, datetime | None]]] = field(default_factory=dict)
    blinds: list[Blind] = field(default_factory=list)

    def sit(self, user_id: int, channel_id: int | None, at: datetime) -> None:
        """Note that a member sits in a channel from now on, or nowhere."""
        mine = self.presences.setdefault(user_id, [])
        last = mine[-1][-1] if mine else None
        seated = last is not None and last.until is None
        if last is not None and last.until is None:
            last.until = at
        if channel_id is not None:
            if not seated:
                mine.append([])
            mine[-1].append(Stay(channel_id, at))

    def deafen(self, user_id: int, deaf: bool, at: datetime) -> None:
        """Note that a member hears nothing from now on, or hears again."""
        spans = self.deafened.setdefault(user_id, [])
        if spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at)
        if deaf:
            spans.append((at, None))

    def wrongs(self, rows: Iterable[SessionRecord], now: datetime) -> list[str]:
        """Return what is wrong with all rows of the guild at `now`, in words; empty if nothing is."""
        by_user: dict[int, list[SessionRecord]] = {}
        for row in sorted(rows, key=lambda each: (each.joined, each.id)):
            by_user.setdefault(row.user_id, []).append(row)
        found = [f"{user} never sat anywhere" for user in by_user if user not in self.presences]
        for user in self.presences:
            mine = by_user.get(user, [])
            found += [f"{user}: {words}" for words in self._of_one(user, mine, now)]
        return found

    def _of_one(self, user: int, rows: list[SessionRecord], now: datetime) -> Iterator[str]:
        yield from sound(rows, self.afk)
        touching = [blind for blind in self.blinds if self.touches(blind, user)]
        real = kept(self.presences[user], self.afk)
        if touching:
            yield from self._within_bounds(user, rows, real, touching, now)
        else:
            yield from self._exact(user, rows, real)

    def touches(self, blind: Blind, user: int) -> bool:
        """Whether a time without sight leaves anything uncertain of a member."""
        return user in blind.changed or (
            blind.maybe_too_long(self.limit) and self._where(user, blind.left, blind.right)
        )

    def _where(self, user: int, start: datetime, end: datetime) -> bool:
        """Whether a member sat anywhere in a span."""
        stays = itertools.chain(*self.presences[user])
        return any(stay.since <= end and (stay.until is None or stay.until >= start) for stay in stays)

    def _exact(self, user: int, rows: list[SessionRecord], real: list[_Kept]) -> Iterator[str]:
        shown = [(row.channel_id, row.joined, row.left) for row in rows]
        expected = [(stay.channel_id, stay.since, stay.until) for stay in real]
        if shown != expected:
            yield f"was seen all the time, yet has {_words(shown)} instead of {_words(expected)}"
            return
        for number, (row, stay) in enumerate(zip(rows, real, strict=True)):
            if row.estimated:
                yield f"was seen all the time, yet is marked estimated: {row}"
            if stay.linked and row.previous_id != rows[number - 1].id:
                yield f"came from row {rows[number - 1].id}, but names {row.previous_id}: {row}"
            yield from self._deafened(user, row)

    def _deafened(self, user: int, row: SessionRecord) -> Iterator[str]:
        for blind in self.blinds:
            start, end = blind.around()
            unsure = user in blind.deafened or self.touches(blind, user)
            if unsure and row.joined <= end and (row.left is None or row.left >= start):
                return
        spans = self.deafened.get(user, [])
        if row.left is None:
            deaf = bool(spans) and spans[-1][1] is None
            if deaf != (row.deafened_since is not None):
                yield f"is deafened: {deaf}, but the row says since {row.deafened_since}"
            return
        heard = NOTHING
        for start, end in spans:
            heard += max(NOTHING, min(end or row.left, row.left) - max(start, row.joined))
        if heard // _MICROSECOND != row.deafened_us:
            yield f"was deafened for {heard}, not {row.deafened_us} us: {row}"

    def _within_bounds(
        self, user: int, rows: list[SessionRecord], real: list[_Kept], blinds: list[Blind], now: datetime
    ) -> Iterator[str]:
        spans = [blind.around() for blind in blinds]
        stays = list(itertools.chain(*self.presences[user]))
        true = {stay.since for stay in stays} | {stay.until for stay in stays}
        for row in rows:
            for words, bound, estimated, explained in (
                ("beginning", row.joined, row.joined_estimated, Blind.explains_beginning),
                ("end", row.left, row.left_estimated, Blind.explains_end),
            ):
                if bound is None:
                    continue
                inside = any(explained(blind, row) for blind in blinds)
                if bound not in true and not estimated:
                    yield f"its {words} was not seen, and is not marked: {row}"
                if estimated and not inside:
                    yield f"its {words} is estimated without a reason: {row}"
            for blind in blinds:
                if blind.surely_too_long(self.limit) and _spans(row, blind):
                    yield f"goes on over a gap that is too long ({blind}): {row}"
            yield from self._deafened(user, row)
        bounds = {now, *itertools.chain(*spans), *true} - {None}
        for start, end, there, shown in _differences(real, rows, bounds, now):
            # What counts as short may begin unseen: then the stays themselves are as good.
            really = any(
                s.channel_id == shown and s.since <= start and end <= (s.until or now) for s in stays
            )
            if not really and not any(begin <= start and end <= finish for begin, finish in spans):
                yield (
                    f"sat in {there} and not in {shown} from {start:%H:%M:%S.%f} to {end:%H:%M:%S.%f}, which "
                    f"was seen; it has {_words((row.channel_id, row.joined, row.left) for row in rows)}"
                )


def sound(rows: Sequence[SessionRecord], afk: int | None, *, linked: bool = True) -> Iterator[str]:
    """Say what is wrong with one member's rows whatever has happened; they come oldest first.

    :param linked: whether to look at what rows name as their previous ones; not where the clock was set back.
    """
    for row in rows:
        if row.afk != (row.channel_id == afk):
            yield f"has AFK wrong: {row}"
        if row.status != ("active" if row.left is None else "completed"):
            yield f"has the status {row.status}: {row}"
        if row.left is not None:
            if row.left < row.joined:
                yield f"ends before it begins: {row}"
            if row.deafened_since is not None:
                yield f"is closed and still deafened: {row}"
            if not 0 <= row.deafened_us <= (row.left - row.joined) // _MICROSECOND:
                yield f"has impossible deafened time: {row}"
    for earlier, later in itertools.pairwise(rows):
        if earlier.left is None or earlier.left > later.joined:
            yield f"sits in two places at once: {earlier} and {later}"
        if linked and later.previous_id is not None and later.previous_id != earlier.id:
            # What lies between is a row without length at most.
            yield f"names row {later.previous_id} as its previous one, not {earlier.id}: {later}"


def _spans(row: SessionRecord, blind: Blind) -> bool:
    return row.joined <= blind.lost and (row.left is None or row.left > blind.right)


def _differences(
    real: Sequence[_Kept], rows: Sequence[SessionRecord], bounds: set[Any], now: datetime
) -> Iterator[tuple[datetime, datetime, int | None, int | None]]:
    """Yield each stretch in which rows and truth name different channels, cut at `bounds`."""
    for stay in real:
        bounds |= {stay.since, stay.until or now}
    for row in rows:
        bounds |= {row.joined, row.left or now}
    for start, end in itertools.pairwise(sorted(bounds)):
        there = next((s.channel_id for s in real if s.since <= start and end <= (s.until or now)), None)
        shown = next((r.channel_id for r in rows if r.joined <= start and end <= (r.left or now)), None)
        if there != shown:
            yield start, end, there, shown


def _words(spans: Iterable[tuple[int, datetime, datetime | None]]) -> str:
    said = [
        f"{channel} {start:%H:%M:%S.%f}-{'now' if end is None else format(end, '%H:%M:%S.%f')}"
        for channel, start, end in spans
    ]
    return f"[{', '.join(said)}]"
