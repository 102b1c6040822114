"""Voided voice sessions with their reasons: they credit nothing, and are shown all the same. Read only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.database import VoiceSession, VoiceVoid
from core.events import SessionRecord
from core.voice.store import chunks, read_records

#: Ids in one question.
_CHUNK = 500


def voided_between(
    guild_id: int, start: datetime, end: datetime, user_id: int | None = None
) -> list[tuple[SessionRecord, str]]:
    """Return (session, reason) of the voided sessions that overlap a span, oldest first; none in AFK.

    :param start: aware; sessions that ended then or earlier are left out.
    :param end: aware; sessions that began then or later are left out.
    :param user_id: only this member's; None for all.
    """
    query: Any = (
        VoiceVoid.select(VoiceVoid.session_id, VoiceVoid.reason)
        .join(VoiceSession)
        .where(
            VoiceVoid.guild_id == guild_id,
            VoiceSession.joined < end,
            VoiceSession.left.is_null() | (VoiceSession.left > start),
            VoiceSession.afk == False,  # noqa: E712 - an SQL expression
        )
    )
    if user_id is not None:
        query = query.where(VoiceSession.user_id == user_id)
    reasons = dict(query.tuples())
    found = []
    for ids in chunks(sorted(reasons), _CHUNK):
        found += read_records(VoiceSession.select().where(VoiceSession.id.in_(ids)))
    found.sort(key=lambda each: (each.joined, each.id))
    return [(session, reasons[session.id]) for session in found]
