"""Voiding a voice session: it stays, with a reason, and credits nothing any more. Store functions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.database import VoiceSession, VoiceVoid
from core.guilds import audit

VOID, UNVOID = "voice.void", "voice.unvoid"


class NoSuchSession(LookupError):
    """This guild has no voice session of this id that could be voided."""


def void_session(guild_id: int, session_id: int, by: int | None, reason: str, at: datetime) -> bool:
    """Void a session: it is kept, and credits nothing. An open one goes on being tracked all the same.

    :param by: the member who voids it, None for the bot itself.
    :param reason: in their words, not empty.
    :param at: aware UTC.
    :returns: False when it was void already; the first reason stays.
    :raises NoSuchSession: unknown, of another guild, or too short to have ever counted.
    :raises ValueError: there is no reason.
    """
    if not reason.strip():
        raise ValueError("say why the session is voided")
    session = _session(guild_id, session_id)
    if VoiceVoid.select().where(VoiceVoid.session_id == session_id).exists():
        return False
    if session.status == "cancelled":
        raise NoSuchSession(session_id)
    VoiceVoid.insert(
        session_id=session_id, guild_id=guild_id, reason=reason.strip(), voided_by=by, at=at
    ).execute()
    _set_status(session_id, "cancelled")
    about = _about(session)
    after = {**about, "status": "cancelled", "reason": reason.strip()}
    audit.record(guild_id, by, VOID, str(session_id), {**about, "status": session.status}, after, at)
    return True


def unvoid_session(guild_id: int, session_id: int, by: int | None, at: datetime) -> bool:
    """Take back that a session was voided: it counts again, for as long as it lasted or lasts.

    :param by: the member who takes it back, None for the bot itself.
    :param at: aware UTC.
    :returns: False when it was not void.
    :raises NoSuchSession: unknown, of another guild, or too short to have ever counted.
    """
    session = _session(guild_id, session_id)
    void = VoiceVoid.get_or_none(VoiceVoid.session_id == session_id)
    if void is None:
        if session.status == "cancelled":
            raise NoSuchSession(session_id)
        return False
    VoiceVoid.delete().where(VoiceVoid.session_id == session_id).execute()
    status = "active" if session.left is None else "completed"
    _set_status(session_id, status)
    about = _about(session)
    before = {**about, "status": "cancelled", "reason": void.reason}
    audit.record(guild_id, by, UNVOID, str(session_id), before, {**about, "status": status}, at)
    return True


def _session(guild_id: int, session_id: int) -> Any:
    session = VoiceSession.get_or_none(VoiceSession.id == session_id, VoiceSession.guild_id == guild_id)
    if session is None:
        raise NoSuchSession(session_id)
    return session


def _set_status(session_id: int, status: str) -> None:
    VoiceSession.update(status=status).where(VoiceSession.id == session_id).execute()


def _about(session: Any) -> dict[str, Any]:
    return {
        "user_id": session.user_id,
        "channel_id": session.channel_id,
        "joined": session.joined.isoformat(),
        "left": None if session.left is None else session.left.isoformat(),
    }
