"""Why a member's sessions count for an operation or do not, and all of their time. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import VoiceSession, VoiceVoid
from core.events import SessionRecord
from core.stays.retention import retention_of
from core.voice.store import read_records
from plugins.operations.rules.credit import counted_part, counting_spans
from plugins.operations.rules.linking import NO_ROLE, Decision, Roles
from plugins.operations.rules.spans import length, seconds, union, us
from plugins.operations.rules.values import OperationView
from plugins.operations.rules.windows import Bounds
from plugins.operations.store.linking import decisions_of
from plugins.operations.store.reading import get_operation, namesakes
from plugins.operations.store.standing import record_until, stay_of
from plugins.operations.store.window_checks import windows_of
from redlegion.voice import Totals, totals_of


@dataclass(frozen=True, slots=True)
class Judged:
    """One session with all that was decided on it.

    :param lasted: whole seconds, up to now for one that goes on.
    :param counted: how many of them are credited.
    :param decisions: in order of time; none for a stay in the AFK channel.
    :param void_reason: why it was voided, None while it is not.
    """

    session: SessionRecord
    lasted: int
    counted: int
    decisions: tuple[Decision, ...]
    void_reason: str | None


@dataclass(frozen=True, slots=True)
class History:
    """A member's sessions around an operation, oldest first.

    :param windows: as they are now.
    :param namesakes: ids of other operations of the same title, newest first.
    """

    operation: OperationView
    windows: tuple[Bounds, ...]
    sessions: tuple[Judged, ...]
    namesakes: tuple[int, ...] = ()


def history(
    guild_id: int, operation_id: int, user_id: int, at: datetime, roles: Roles = NO_ROLE
) -> History | None:
    """Return why a member's sessions count or do not, None when this guild has no such operation.

    Sessions that overlap the windows are in it, and those on which something was decided, voided ones and
    stays in the AFK channel too.

    :param at: now.
    :param roles: for the sessions on which nothing is decided yet.
    """
    operation = get_operation(guild_id, operation_id)
    if operation is None:
        return None
    until = operation.ended_at or at
    known = roles if operation.ended_at is None else NO_ROLE
    windows = windows_of(guild_id, operation_id)
    decided = decisions_of(operation_id, user_id)
    record = record_until(guild_id, operation_id, until, known, user_id)
    ran = union((us(window.opened), us(window.closed)) for window in record.windows)
    counting = counting_spans(ran, record.tracked)
    found = []
    for session in _sessions(guild_id, user_id, windows, set(decided), until):
        part = 0
        if session.status != "cancelled" and not session.afk:
            stay = stay_of(session, decided.get(session.id, ()), known, until)
            part = length(counted_part(stay, counting))
        lasted = us(session.left or max(at, session.joined)) - us(session.joined)
        found.append((session, seconds(lasted), seconds(part)))
    voids = _voids([session.id for session, *_rest in found])
    # Cancelled without a reason is what was too short to be a stay.
    found = [each for each in found if each[0].status != "cancelled" or each[0].id in voids]
    return History(
        operation,
        tuple(windows),
        tuple(
            Judged(session, lasted, counted, tuple(decided.get(session.id, ())), voids.get(session.id))
            for session, lasted, counted in found
        ),
        namesakes(guild_id, operation),
    )


def voice_totals(guild_id: int, user_id: int, at: datetime) -> tuple[Totals, int]:
    """Return all of a member's recorded time, and for how many days the guild keeps sessions; 0 for ever.

    :param at: now.
    """
    return totals_of(guild_id, user_id, at), retention_of(guild_id)


def _sessions(
    guild_id: int, user_id: int, windows: list[Bounds], decided: set[int], at: datetime
) -> list[SessionRecord]:
    over = VoiceSession.id.in_(sorted(decided))
    if windows:
        end = max(closed or at for _opened, closed in windows)
        over |= (VoiceSession.joined < end) & (
            VoiceSession.left.is_null() | (VoiceSession.left > windows[0][0])
        )
    query = VoiceSession.select().where(
        VoiceSession.guild_id == guild_id, VoiceSession.user_id == user_id, over
    )
    return read_records(query)


def _voids(session_ids: list[int]) -> dict[int, str]:
    query: Any = VoiceVoid.select(VoiceVoid.session_id, VoiceVoid.reason).where(
        VoiceVoid.session_id.in_(session_ids)
    )
    return dict(query.tuples())
