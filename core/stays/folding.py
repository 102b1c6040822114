"""Folding voice sessions of long ago into sums per member, channel and UTC day. Store functions.

A session goes and its sums come in one transaction, so that a run that is repeated or cut off changes no sum.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from peewee import EXCLUDED

from core.database import VoiceDay, VoiceSession, VoiceVoid
from core.database.current import current_now
from core.events import KeptVoice, SessionRecord
from core.voice.store import read_records

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_ROWS_PER_STATEMENT = 1_000

#: Where a look through the old sessions goes on: when the last one began, and its id.
Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Sums:
    """What sessions come to, voided ones left out.

    :param present_us: microseconds outside the AFK channel.
    :param deafened_us: microseconds of all stays spent deafened.
    :param afk_us: microseconds in the AFK channel.
    :param stays: how many there were.
    :param estimated: how many of them have an estimated bound.
    """

    present_us: int = 0
    deafened_us: int = 0
    afk_us: int = 0
    stays: int = 0
    estimated: int = 0

    def __add__(self, other: Sums) -> Sums:
        """Return both together."""
        return Sums(
            self.present_us + other.present_us,
            self.deafened_us + other.deafened_us,
            self.afk_us + other.afk_us,
            self.stays + other.stays,
            self.estimated + other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """What one transaction has done.

    :param sessions: how many it folded.
    :param place: where to go on, None when there is nothing more.
    """

    sessions: int
    place: Place | None


class Kept:
    """Tells which sessions must stay.

    :param kept: what the plugins say.
    """

    def __init__(self, kept: KeptVoice) -> None:
        self._ids = kept.session_ids
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for start, end in sorted(kept.spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def keeps(self, session: SessionRecord) -> bool:
        """Say whether something rests on a closed session."""
        assert session.left is not None
        last = bisect_right(self._starts, session.left) - 1
        return session.id in self._ids or (last >= 0 and self._ends[last] >= session.joined)


def by_day(session: SessionRecord) -> Iterator[tuple[datetime, Sums]]:
    """Return what a closed session comes to on each UTC day; nothing for a voided one.

    When in the stay the member was deafened is not known, so that time goes to the first days that hold it.
    """
    if session.status == "cancelled" or session.left is None:
        return
    deafened, began, stays = session.deafened_us, session.joined, 1
    while True:
        day = datetime.combine(began.date(), time(), UTC)
        # Not up to the next midnight, which the last day of all times does not have.
        length = min(session.left - began, _DAY - (began - day))
        present = length // _MICROSECOND
        share = min(deafened, present)
        yield (
            day,
            Sums(
                present_us=0 if session.afk else present,
                deafened_us=share,
                afk_us=present if session.afk else 0,
                stays=stays,
                estimated=stays if session.estimated else 0,
            ),
        )
        deafened, began, stays = deafened - share, began + length, 0
        if began >= session.left:
            return


def oldest_foldable(guild_id: int, before: datetime) -> datetime | None:
    """Return when the oldest session of a guild began that ended at `before` or earlier, None without any."""
    found: datetime | None = (
        _old(guild_id, before)
        .select(VoiceSession.joined)
        .order_by(VoiceSession.joined, VoiceSession.id)
        .limit(1)
        .scalar()
    )
    return found


def fold_some(guild_id: int, before: datetime, kept: Kept, after: Place | None, limit: int) -> Folded:
    """Look at the next sessions that ended at `before` or earlier and fold those that nothing rests on.

    :param after: where the last transaction stopped, None at the beginning.
    :param limit: sessions to look at.
    """
    query = _old(guild_id, before)
    if after is not None:
        joined, session_id = after
        query = query.where(
            VoiceSession.joined >= joined, (VoiceSession.joined > joined) | (VoiceSession.id > session_id)
        )
    seen = read_records(query.limit(limit))
    gone = [session for session in seen if not kept.keeps(session)]
    _add(gone)
    ids = [session.id for session in gone]
    VoiceVoid.delete().where(VoiceVoid.session_id.in_(ids)).execute()
    VoiceSession.delete().where(VoiceSession.id.in_(ids)).execute()
    return Folded(len(gone), (seen[-1].joined, seen[-1].id) if len(seen) == limit else None)


def sums(guild_id: int, user_id: int | None = None) -> dict[tuple[int, int], Sums]:
    """Return what all closed sessions of a guild come to, folded or not, by (member, channel).

    :param user_id: only this member; None for all.
    """
    found: dict[tuple[int, int], Sums] = defaultdict(Sums)
    for each in days(guild_id, user_id):
        found[each.user_id, each.channel_id] += each.sums
    raw = VoiceSession.select().where(VoiceSession.guild_id == guild_id, VoiceSession.left.is_null(False))
    if user_id is not None:
        raw = raw.where(VoiceSession.user_id == user_id)
    for session in read_records(raw):
        for _day, part in by_day(session):
            found[session.user_id, session.channel_id] += part
    return dict(found)


@dataclass(frozen=True, slots=True)
class Day:
    """What a member's folded sessions in one channel come to on one UTC day."""

    user_id: int
    channel_id: int
    day: datetime
    sums: Sums


def days(guild_id: int, user_id: int | None = None) -> list[Day]:
    """Return the folded days of a guild, oldest first.

    :param user_id: only this member; None for all.
    """
    query: Any = VoiceDay.select().where(VoiceDay.guild_id == guild_id)
    if user_id is not None:
        query = query.where(VoiceDay.user_id == user_id)
    return [
        Day(
            row.user_id,
            row.channel_id,
            row.day,
            Sums(row.present_us, row.deafened_us, row.afk_us, row.stays, row.estimated),
        )
        for row in query.order_by(VoiceDay.day, VoiceDay.user_id, VoiceDay.channel_id)
    ]


def _old(guild_id: int, before: datetime) -> Any:
    return VoiceSession.select().where(
        VoiceSession.guild_id == guild_id, VoiceSession.joined <= before, VoiceSession.left <= before
    )


def _add(sessions: Iterable[SessionRecord]) -> None:
    found: dict[tuple[int, int, int, datetime], Sums] = defaultdict(Sums)
    for session in sessions:
        for day, part in by_day(session):
            found[session.guild_id, session.user_id, session.channel_id, day] += part
    now = current_now()
    rows = [
        {
            "created_at": now,
            "updated_at": now,
            "guild_id": guild_id,
            "user_id": user_id,
            "channel_id": channel_id,
            "day": day,
            "present_us": part.present_us,
            "deafened_us": part.deafened_us,
            "afk_us": part.afk_us,
            "stays": part.stays,
            "estimated": part.estimated,
        }
        for (guild_id, user_id, channel_id, day), part in found.items()
    ]
    added: Any = {
        field: field + getattr(EXCLUDED, field.column_name)
        for field in (
            VoiceDay.present_us,
            VoiceDay.deafened_us,
            VoiceDay.afk_us,
            VoiceDay.stays,
            VoiceDay.estimated,
        )
    }
    key = [VoiceDay.user_id, VoiceDay.guild_id, VoiceDay.channel_id, VoiceDay.day]
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        VoiceDay.insert_many(rows[start : start + _ROWS_PER_STATEMENT]).on_conflict(
            conflict_target=key, update={**added, VoiceDay.updated_at: now}
        ).execute()
