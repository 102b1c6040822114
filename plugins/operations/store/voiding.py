"""Voiding a voice session as operations see it: what was earned with it follows in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.database import VoiceSession
from core.stays.voids import NoSuchSession, unvoid_session, void_session
from plugins.operations.models import Operation, OperationChannel, OperationWindow
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.values import OperationView
from plugins.operations.store.participants import write_participants
from plugins.operations.store.reading import get_operation


class AlreadyPaid(Exception):
    """The session earned time in an operation whose payroll is locked.

    :param operation: the operation.
    """

    def __init__(self, operation: OperationView) -> None:
        super().__init__(f"the payroll of {operation.title} is locked")
        self.operation = operation


def void(
    guild_id: int, session_id: int, by: int, reason: str, *, at: datetime, names: Mapping[int, str]
) -> list[OperationView] | None:
    """Void a session and compute anew what was earned in the operations that it touches.

    Running operations leave it out by themselves.

    :param by: the officer.
    :param reason: in their words.
    :param at: now.
    :param names: what members are called now.
    :returns: the operations that it touches, None when it was void already.
    :raises NoSuchSession: this guild has none of this id that could be voided.
    :raises AlreadyPaid: it would change a locked payroll; nothing is changed.
    """
    touched = refuse_paid(guild_id, session_id)
    if not void_session(guild_id, session_id, by, reason, at):
        return None
    return _anew(guild_id, touched, names)


def unvoid(
    guild_id: int, session_id: int, by: int, *, at: datetime, names: Mapping[int, str]
) -> list[OperationView] | None:
    """Take back that a session was voided, and compute anew what was earned with it.

    :param names: what members are called now.
    :returns: the operations that it touches, None when it was not void.
    :raises NoSuchSession: this guild has none of this id that could be voided.
    :raises AlreadyPaid: it would change a locked payroll; nothing is changed.
    """
    touched = refuse_paid(guild_id, session_id)
    if not unvoid_session(guild_id, session_id, by, at):
        return None
    return _anew(guild_id, touched, names)


def refuse_paid(guild_id: int, session_id: int) -> list[OperationView]:
    """Return the operations that a session touches, unless one of them is paid.

    :raises NoSuchSession: this guild has none of this id.
    :raises AlreadyPaid: a payroll that rests on the session is locked.
    """
    touched = _touched(guild_id, session_id)
    for operation in touched:
        if operation.payroll_processed:
            raise AlreadyPaid(operation)
    return touched


def _touched(guild_id: int, session_id: int) -> list[OperationView]:
    """Return the operations in one of whose tracked channels the session lay while they ran, oldest first."""
    session: Any = VoiceSession.get_or_none(VoiceSession.guild_id == guild_id, VoiceSession.id == session_id)
    if session is None:
        raise NoSuchSession(session_id)

    def overlaps(start: Any, end: Any) -> Any:
        over = end.is_null() | (end > session.joined)
        return over if session.left is None else over & (start < session.left)

    found: Any = (
        Operation.select(Operation.id)
        .join(OperationChannel, on=(OperationChannel.operation_id == Operation.id))
        .switch(Operation)
        .join(OperationWindow, on=(OperationWindow.operation_id == Operation.id))
        .where(
            Operation.guild_id == guild_id,
            OperationChannel.channel_id == session.channel_id,
            overlaps(OperationChannel.added, OperationChannel.removed),
            overlaps(OperationWindow.opened, OperationWindow.closed),
        )
        .distinct()
        .order_by(Operation.id)
    )
    views = [get_operation(guild_id, row[0]) for row in found.tuples()]
    return [view for view in views if view is not None]


def _anew(guild_id: int, operations: list[OperationView], names: Mapping[int, str]) -> list[OperationView]:
    for operation in operations:
        if operation.status == Status.ENDED.value and operation.ended_at is not None:
            write_participants(guild_id, operation.id, operation.ended_at, names)
    return operations
