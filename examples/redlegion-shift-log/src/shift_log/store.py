"""Store functions, for `ctx.write` and `ctx.read`: database only, safe to run twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redlegion import enqueue
from redlegion.database import current_now, ensure_guild
from redlegion.voice import sessions_between
from shift_log.models import RemarkRow, TallyRow


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark as commands and views see it: a plain value, not a row.

    :param read_by: the officer who has read it, None while nobody has.
    """

    id: int
    user_id: int
    name: str
    text: str
    channel_id: int
    written_at: datetime
    read_by: int | None
    reminded_at: datetime | None


def add_remark(
    guild_id: int,
    user_id: int,
    name: str,
    text: str,
    *,
    channel_id: int,
    request_id: int,
    job_id: int,
    at: datetime,
    wait: timedelta,
) -> Remark:
    """Store a remark, and in the same transaction the job that brings it up again.

    :param request_id: the interaction's id; asked twice, it happens once.
    :param job_id: from `ctx.ids.next()`.
    :param at: aware; now.
    :param wait: how long it may wait for an officer.
    """
    done = RemarkRow.get_or_none(RemarkRow.guild_id == guild_id, RemarkRow.request_id == request_id)
    if done is not None:
        return _view(done)
    ensure_guild(guild_id)
    row = RemarkRow.create(
        guild_id=guild_id,
        user_id=user_id,
        name=name,
        text=text,
        channel_id=channel_id,
        request_id=request_id,
        created_at=at,
    )
    enqueue(
        job_id,
        plugin="shift_log",
        guild_id=guild_id,
        name="remind",
        key=f"remark-{row.id}",
        payload={"remark_id": row.id},
        due=at + wait,
    )
    return _view(row)


def get_remark(guild_id: int, remark_id: int) -> Remark | None:
    """Return a remark of this guild, or None."""
    row = RemarkRow.get_or_none(RemarkRow.guild_id == guild_id, RemarkRow.id == remark_id)
    return None if row is None else _view(row)


def newest_remarks(guild_id: int, limit: int) -> list[Remark]:
    """Return the newest remarks, the newest first."""
    rows = RemarkRow.select().where(RemarkRow.guild_id == guild_id)
    return [
        _view(row) for row in rows.order_by(RemarkRow.created_at.desc(), RemarkRow.id.desc()).limit(limit)
    ]


def mark_read(guild_id: int, remark_id: int, by: int) -> Remark | None:
    """Note who has read a remark; the first one stays.

    :returns: the remark as it stands now, None when there is none.
    """
    RemarkRow.update(read_by=by).where(
        RemarkRow.guild_id == guild_id, RemarkRow.id == remark_id, RemarkRow.read_by.is_null()
    ).execute()
    return get_remark(guild_id, remark_id)


def note_reminder(guild_id: int, remark_id: int, at: datetime) -> None:
    """Note that the officers were reminded."""
    RemarkRow.update(reminded_at=at).where(
        RemarkRow.guild_id == guild_id, RemarkRow.id == remark_id
    ).execute()


def data_of(guild_id: int, user_id: int) -> dict[str, Any] | None:
    """Return all that is kept about a member, as JSON values; None for nothing."""
    here = RemarkRow.select().where(RemarkRow.guild_id == guild_id).order_by(RemarkRow.id)
    written = [_view(row) for row in here.where(RemarkRow.user_id == user_id)]
    read = [row.id for row in here.where(RemarkRow.read_by == user_id)]
    if not written and not read:
        return None
    return {
        "written": [
            {"at": each.written_at.isoformat(), "name": each.name, "text": each.text} for each in written
        ],
        "read": read,
    }


def forget(guild_id: int, user_id: int, stand_in: int) -> None:
    """Put `stand_in` in the place of a member and erase their name; done twice it does no harm."""
    here = RemarkRow.guild_id == guild_id
    RemarkRow.update(user_id=stand_in, name="").where(here, RemarkRow.user_id == user_id).execute()
    RemarkRow.update(read_by=stand_in).where(here, RemarkRow.read_by == user_id).execute()


def count_ended(guild_id: int) -> None:
    """Count one more voice session that has ended."""
    ensure_guild(guild_id)
    TallyRow.insert(guild_id=guild_id, ended=1).on_conflict(
        conflict_target=[TallyRow.guild_id],
        update={TallyRow.ended: TallyRow.ended + 1, TallyRow.updated_at: current_now()},
    ).execute()


def ended_sessions(guild_id: int) -> int:
    """Return how many voice sessions have ended."""
    row = TallyRow.get_or_none(TallyRow.guild_id == guild_id)
    return 0 if row is None else int(row.ended)


def voice_time(guild_id: int, user_id: int, start: datetime, end: datetime) -> timedelta:
    """Return how long a member sat in voice in a span; the AFK channel and voided stays do not count.

    :param end: now, at the latest.
    """
    stays = sessions_between(guild_id, start, end, user_id=user_id)
    return sum((min(stay.left or end, end) - max(stay.joined, start) for stay in stays), timedelta())


def _view(row: RemarkRow) -> Remark:
    return Remark(
        row.id,
        row.user_id,
        row.name,
        row.text,
        row.channel_id,
        row.created_at,
        row.read_by,
        row.reminded_at,
    )
