"""What operations keep about one member, and how a stand-in takes their place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from plugins.operations.models import Operation, OperationParticipant, OperationSession
from plugins.operations.rules.values import OperationView
from plugins.operations.store.reading import running_operations
from plugins.operations.store.standing import credit_until, known_names


def member_data(guild_id: int, user_id: int) -> dict[str, Any] | None:
    """Return all that is kept about a member, as JSON values; None for nothing."""
    query: Any = (
        OperationParticipant.select(
            Operation.id,
            Operation.title,
            Operation.started_at,
            OperationParticipant.name,
            OperationParticipant.seconds,
            OperationParticipant.estimated,
            OperationParticipant.status,
        )
        .join(Operation)
        .where(Operation.guild_id == guild_id, OperationParticipant.user_id == user_id)
        .order_by(Operation.id)
    )
    took_part = list(query.dicts())
    started, ended = (
        [
            row.id
            for row in Operation.select().where(Operation.guild_id == guild_id, who).order_by(Operation.id)
        ]
        for who in (Operation.initiator_id == user_id, Operation.ended_by == user_id)
    )
    decided: Any = (
        OperationSession.select(
            OperationSession.operation_id,
            OperationSession.session_id,
            OperationSession.since,
            OperationSession.linked,
            OperationSession.reason,
            OperationSession.decided_at,
        )
        .join(Operation)
        .where(Operation.guild_id == guild_id, OperationSession.user_id == user_id)
        .order_by(OperationSession.operation_id, OperationSession.session_id, OperationSession.since)
    )
    sessions = [
        {**row, "since": row["since"].isoformat(), "decided_at": row["decided_at"].isoformat()}
        for row in decided.dicts()
    ]
    if not (took_part or started or ended or sessions):
        return None
    return {
        "took_part": [{**row, "started_at": row["started_at"].isoformat()} for row in took_part],
        "started": started,
        "ended": ended,
        "sessions": sessions,
    }


def forget_member(guild_id: int, user_id: int, stand_in: int) -> None:
    """Put the stand-in, under its name, in the place of a member; times and sums stay. Safe to run twice."""
    here = Operation.guild_id == guild_id
    name = known_names([stand_in]).get(stand_in, "")
    operations = Operation.select(Operation.id).where(here)
    OperationParticipant.update(user_id=stand_in, name=name).where(
        OperationParticipant.user_id == user_id, OperationParticipant.operation_id.in_(operations)
    ).execute()
    OperationSession.update(user_id=stand_in).where(
        OperationSession.user_id == user_id, OperationSession.operation_id.in_(operations)
    ).execute()
    Operation.update(initiator_id=stand_in).where(here, Operation.initiator_id == user_id).execute()
    Operation.update(ended_by=stand_in).where(here, Operation.ended_by == user_id).execute()


def running_with(guild_id: int, user_id: int, at: datetime) -> OperationView | None:
    """Return a running operation in which a member has credit by now, None when there is none."""
    for operation in running_operations(guild_id):
        if user_id in credit_until(guild_id, operation.id, at):
            return operation
    return None
