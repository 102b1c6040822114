"""What /voice shows of an operation, looked at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import VoiceSession, VoiceVoid
from plugins.operations.models import Operation, OperationChannel
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.linking import NO_ROLE, Roles
from plugins.operations.rules.statistics import MemberEvening, evenings
from plugins.operations.rules.values import OperationView
from plugins.operations.store.reading import get_operation, namesakes, participants_of, views_of
from plugins.operations.store.standing import known_names, record_until, stay_of
from plugins.operations.store.voided import voided_between
from redlegion.database import JOIN

#: Choices that Discord takes.
MOST_CHOICES = 25


@dataclass(frozen=True, slots=True)
class Evening:
    """An operation with what each member did in it.

    :param windows: (opened, closed); an open one up to the instant of the look.
    :param channels: the name of each channel that counted at some time, in the order in which they came.
    :param members: longest credit first.
    :param names: what is known of their names: of participants, that of the time.
    :param namesakes: ids of other operations of the same title, newest first.
    """

    operation: OperationView
    windows: tuple[tuple[datetime, datetime], ...]
    channels: dict[int, str]
    members: tuple[MemberEvening, ...]
    names: dict[int, str]
    namesakes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class VoiceStay:
    """A recorded session, as an officer picks it.

    :param void_reason: why it was voided, None while it counts.
    """

    session_id: int
    user_id: int
    channel_id: int
    joined: datetime
    left: datetime | None
    void_reason: str | None


def evening(
    guild_id: int, operation_id: int, at: datetime, roles: Roles = NO_ROLE, user_id: int | None = None
) -> Evening | None:
    """Return an operation with its members' statistics, None when this guild has no such operation.

    :param at: now.
    :param roles: for the sessions on which nothing is decided yet.
    :param user_id: only this member; None for all.
    """
    operation = get_operation(guild_id, operation_id)
    if operation is None:
        return None
    # What an ended operation rests on was decided on when it ended.
    known = roles if operation.ended_at is None else NO_ROLE
    until = operation.ended_at or at
    found = record_until(guild_id, operation_id, until, known, user_id)
    voided = []
    if found.windows:
        start = min(window.opened for window in found.windows)
        end = max(window.closed for window in found.windows)
        voided = [
            (stay_of(session, (), NO_ROLE, until), reason)
            for session, reason in voided_between(guild_id, start, end, user_id)
        ]
    people = evenings(found.stays, found.windows, found.tracked, voided)
    channels: Any = (
        OperationChannel.select(OperationChannel.channel_id, OperationChannel.name)
        .where(OperationChannel.operation_id == operation_id)
        .order_by(OperationChannel.id)
    )
    names = known_names(people)
    names.update({each.user_id: each.name for each in participants_of(guild_id, operation_id)})
    return Evening(
        operation=operation,
        windows=tuple((window.opened, window.closed) for window in found.windows),
        channels=dict(channels.tuples()),
        members=tuple(sorted(people.values(), key=lambda each: (-each.seconds, each.user_id))),
        names=names,
        namesakes=namesakes(guild_id, operation),
    )


def recent_operations(guild_id: int) -> list[OperationView]:
    """Return the operations that run or have ended, running ones first, then newest first; at most 25."""
    shown = Operation.status.in_([Status.ACTIVE.value, Status.ENDED.value])
    order = (Operation.ended_at.is_null(False), Operation.started_at.desc(), Operation.id.desc())
    return views_of((Operation.guild_id == guild_id, shown), order, MOST_CHOICES)


def recent_stays(guild_id: int, user_id: int, *, voided: bool) -> list[VoiceStay]:
    """Return a member's newest sessions, newest first, at most 25.

    :param voided: those that were voided; otherwise those that count.
    """
    return _stays(
        voided,
        VoiceSession.guild_id == guild_id,
        VoiceSession.user_id == user_id,
        VoiceSession.afk == False,  # noqa: E712 - an SQL expression
    )


def find_stay(guild_id: int, session_id: int) -> VoiceStay | None:
    """Return one session of this guild, voided or not, None when there is none."""
    for voided in (False, True):
        if found := _stays(voided, VoiceSession.guild_id == guild_id, VoiceSession.id == session_id):
            return found[0]
    return None


def _stays(voided: bool, *conditions: Any) -> list[VoiceStay]:
    query: Any = VoiceSession.select(
        VoiceSession.id,
        VoiceSession.user_id,
        VoiceSession.channel_id,
        VoiceSession.joined,
        VoiceSession.left,
        VoiceVoid.reason,
    )
    join = JOIN.INNER if voided else JOIN.LEFT_OUTER
    query = query.join(VoiceVoid, join, on=(VoiceVoid.session_id == VoiceSession.id)).where(*conditions)
    if not voided:
        query = query.where(VoiceSession.status != "cancelled")
    newest = query.order_by(VoiceSession.joined.desc(), VoiceSession.id.desc()).limit(MOST_CHOICES)
    return [VoiceStay(*row) for row in newest.tuples()]
