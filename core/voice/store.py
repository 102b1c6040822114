"""Voice sessions and heartbeats in the database: functions for `db.write` and `db.read`.

All of them may run twice: rows are written whole, by their id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from peewee import EXCLUDED, Case, IntegrityError

from core.database.current import current_now, proxy
from core.database.models import ShardHeartbeat, VoiceSession
from core.database.operations import joinable
from core.events import SessionRecord
from core.voice.rows import COLUMNS, upsert_rows
from core.voice.transitions import (
    Corrected,
    Discarded,
    Ended,
    Moved,
    Rewritten,
    Started,
    StateChanged,
    Transition,
)

T = TypeVar("T")

IDS_PER_STATEMENT = 10_000


@joinable
def apply_transitions(transitions: Sequence[Transition]) -> None:
    """Store what a batch of transitions leads to, in few statements.

    Only the last state of each session is written. What closes goes first, because the database allows
    one open session per member. A row that an officer has voided stays voided.

    :param transitions: in the order in which they happened.
    """
    rows: dict[int, SessionRecord] = {}
    discarded: dict[int, SessionRecord] = {}
    for transition in transitions:
        match transition:
            case Started(session) | Ended(session) | Rewritten(session, _) | Corrected(session):
                rows[session.id] = session
            case Moved(closed, opened):
                rows[closed.id] = closed
                rows[opened.id] = opened
            case StateChanged(_, session):
                if session is not None:
                    rows[session.id] = session
            case Discarded(session):
                rows.pop(session.id, None)
                discarded[session.id] = session
    _discard(list(discarded.values()))
    gone = [row for row in rows.values() if row.left is not None]
    upsert_rows(gone + [row for row in rows.values() if row.left is None])


def _discard(records: list[SessionRecord]) -> None:
    if not records:
        return
    try:
        with proxy.atomic():
            for ids in chunks([record.id for record in records], IDS_PER_STATEMENT):
                VoiceSession.delete().where(VoiceSession.id.in_(ids)).execute()
    except IntegrityError:
        # A plugin has linked one of them already, and its link may not dangle: void the rows instead.
        upsert_rows(records)


def load_open(guild_ids: Collection[int] | None = None) -> list[SessionRecord]:
    """Return the open sessions of these guilds, oldest first.

    :param guild_ids: None for all guilds.
    """
    query = VoiceSession.select().where(VoiceSession.left.is_null())
    if guild_ids is None:
        return read_records(query)
    found: list[SessionRecord] = []
    for ids in chunks(sorted(guild_ids), IDS_PER_STATEMENT):
        found.extend(read_records(query.where(VoiceSession.guild_id.in_(ids))))
    return found


def sessions_between(
    guild_id: int,
    start: datetime,
    end: datetime,
    channel_ids: Collection[int] | None = None,
    user_id: int | None = None,
    *,
    afk: bool = False,
) -> list[SessionRecord]:
    """Return the sessions that overlap a span, oldest first; open ones included, voided ones not.

    :param start: aware; sessions that ended then or earlier do not count.
    :param end: aware; sessions that began then or later do not count.
    :param channel_ids: only these channels; None for all, empty for none.
    :param user_id: only this member; None for all.
    :param afk: stays in the AFK channel too, which credit nothing.
    """
    if channel_ids is not None and not channel_ids:
        return []
    query = VoiceSession.select().where(
        VoiceSession.guild_id == guild_id,
        VoiceSession.joined < end,
        VoiceSession.left.is_null() | (VoiceSession.left > start),
        VoiceSession.status != "cancelled",
    )
    if not afk:
        query = query.where(VoiceSession.afk == False)  # noqa: E712 - an SQL expression
    if channel_ids is not None:
        query = query.where(VoiceSession.channel_id.in_(sorted(channel_ids)))
    if user_id is not None:
        query = query.where(VoiceSession.user_id == user_id)
    return read_records(query)


def beat(shard_id: int, at: datetime, owner: str | None = None) -> str | None:
    """Store that a shard was connected at `at`; an older time does not take the place of a later one.

    :param owner: the process that says so.
    :returns: who had said so before, None when nobody had.
    """
    found: str | None = (
        ShardHeartbeat.select(ShardHeartbeat.owner).where(ShardHeartbeat.shard_id == shard_id).scalar()
    )
    later = Case(None, [(EXCLUDED.at > ShardHeartbeat.at, EXCLUDED.at)], ShardHeartbeat.at)
    ShardHeartbeat.insert(shard_id=shard_id, at=at, owner=owner).on_conflict(
        conflict_target=[ShardHeartbeat.shard_id],
        # The owner also where the clock of its machine is behind, or it would go unnoticed.
        update={
            ShardHeartbeat.at: later,
            ShardHeartbeat.owner: EXCLUDED.owner,
            ShardHeartbeat.updated_at: current_now(),
        },
    ).execute()
    return found


def last_beat(shard_id: int) -> datetime | None:
    """Return when a shard was last known to be connected, or None if it never was."""
    found: datetime | None = (
        ShardHeartbeat.select(ShardHeartbeat.at).where(ShardHeartbeat.shard_id == shard_id).scalar()
    )
    return found


def read_records(query: Any) -> list[SessionRecord]:
    """Return what a query finds, oldest first.

    :param query: from VoiceSession; which columns it selects does not matter.
    """
    found = query.select(*COLUMNS).order_by(VoiceSession.joined, VoiceSession.id)
    return [SessionRecord(*row) for row in found.tuples()]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield `items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
