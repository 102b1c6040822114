"""Until when each guild was seen, and what the process before left there: for `db.write` and `db.read`.

A shard may be connected while one of its guilds is out, or before a guild was ever looked at. So the proof of
life is kept per guild, and only for those whose every event up to then is committed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import EXCLUDED, Case, fn

from core.database.current import current_now
from core.database.models import GuildSight, VoiceSession
from core.events import SessionRecord
from core.voice.store import IDS_PER_STATEMENT, chunks, load_open

ROWS_PER_STATEMENT = 1_000
#: A clock that shows so much more than the newest sight was not set back behind anything that is stored.
SURELY_LATER = timedelta(minutes=5)
#: How old the stays are whose ends are looked at while nothing shows that the clock was set back.
NOT_OLDER = timedelta(days=1)
_NEVER = (None, None)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What an earlier process left of a guild.

    :param sessions: the open ones, oldest first.
    :param seen_until: until when it saw the guild; None if it never said so.
    :param read: when this was looked up.
    :param ends: of stays that ended later than that, by member: the clock was set back.
    """

    sessions: list[SessionRecord]
    seen_until: datetime | None
    read: datetime
    ends: Mapping[int, datetime]


def see(guild_ids: Collection[int], at: datetime) -> None:
    """Store that these guilds were seen until `at`, which may be earlier than what is stored."""
    rows = [{"guild_id": guild_id, "seen_until": at, "newest": at} for guild_id in sorted(guild_ids)]
    newest = Case(None, [(EXCLUDED.newest > GuildSight.newest, EXCLUDED.newest)], GuildSight.newest)
    for some in chunks(rows, ROWS_PER_STATEMENT):
        GuildSight.insert_many(some).on_conflict(
            conflict_target=[GuildSight.guild_id],
            update={
                GuildSight.seen_until: EXCLUDED.seen_until,
                GuildSight.newest: newest,
                GuildSight.updated_at: current_now(),
            },
        ).execute()


def left_behind(guild_ids: Collection[int], now: datetime) -> dict[int, LeftBehind]:
    """Return what earlier processes left of each of these guilds.

    :param now: the time by the clock of this process.
    """
    sessions: dict[int, list[SessionRecord]] = {guild_id: [] for guild_id in guild_ids}
    for record in load_open(guild_ids):
        sessions[record.guild_id].append(record)
    sights = _sights(guild_ids)
    ends: dict[int, dict[int, datetime]] = {guild_id: {} for guild_id in guild_ids}
    for guild_id, user_id, left in _ends_after(now, sessions, sights):
        ends[guild_id][user_id] = left
    return {
        guild_id: LeftBehind(sessions[guild_id], sights.get(guild_id, _NEVER)[0], now, ends[guild_id])
        for guild_id in guild_ids
    }


def _sights(guild_ids: Collection[int]) -> dict[int, tuple[datetime | None, datetime | None]]:
    found: dict[int, tuple[datetime | None, datetime | None]] = {}
    query: Any = GuildSight.select(GuildSight.guild_id, GuildSight.seen_until, GuildSight.newest)
    for some in chunks(sorted(guild_ids), IDS_PER_STATEMENT):
        for guild_id, seen_until, newest in query.where(GuildSight.guild_id.in_(some)).tuples():
            found[guild_id] = (seen_until, newest)
    return found


def _ends_after(
    now: datetime,
    sessions: Mapping[int, list[SessionRecord]],
    sights: Mapping[int, tuple[datetime | None, datetime | None]],
) -> Iterator[tuple[int, int, datetime]]:
    """Yield guild, member and end of the last stays that ended later than it is now.

    There are none unless the clock was set back. No index has the ends, so it is not looked for them where
    that is out of the question, and among a day's stays where nothing speaks for it.
    """
    all_stays, days_stays = [], []
    for guild_id, records in sessions.items():
        newest = max(
            (at for at in (sights.get(guild_id, _NEVER)[1], *(each.joined for each in records)) if at),
            default=None,
        )
        if newest is None or newest > now:
            all_stays.append(guild_id)
        elif newest > now - SURELY_LATER:
            days_stays.append(guild_id)
    query: Any = VoiceSession.select(VoiceSession.guild_id, VoiceSession.user_id, fn.MAX(VoiceSession.left))
    query = query.where(VoiceSession.left > now).group_by(VoiceSession.guild_id, VoiceSession.user_id)
    for guild_ids, stays in (
        (all_stays, query),
        (days_stays, query.where(VoiceSession.joined > now - NOT_OLDER)),
    ):
        for some in chunks(guild_ids, IDS_PER_STATEMENT):
            yield from stays.where(VoiceSession.guild_id.in_(some)).tuples()
