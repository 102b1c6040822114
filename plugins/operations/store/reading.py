"""What other plugins and the commands read of operations; every question names the guild."""

from __future__ import annotations

from typing import Any

from plugins.operations.models import Operation, OperationParticipant
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.values import OperationView, ParticipantView
from redlegion.database import JOIN, fn

PAYABLE_LIMIT = 25
#: Other operations of one title that are named.
NAMESAKES_LIMIT = 5


def get_operation(guild_id: int, operation_id: int) -> OperationView | None:
    """Return one operation of this guild, or None; another guild's is None too."""
    rows = list(view_rows(Operation.guild_id == guild_id, Operation.id == operation_id))
    return _view(rows[0]) if rows else None


def running_operations(guild_id: int, type_name: str | None = None) -> list[OperationView]:
    """Return the operations that run now, oldest first.

    :param type_name: only of this type; None for all.
    """
    query = view_rows(Operation.guild_id == guild_id, Operation.status == Status.ACTIVE.value)
    if type_name is not None:
        query = query.where(Operation.type == type_name)
    return [_view(row) for row in query.order_by(Operation.started_at, Operation.id)]


def payable_operations(guild_id: int) -> list[OperationView]:
    """Return the ended operations without a payroll, newest first, at most 25 (one select menu)."""
    query = view_rows(
        Operation.guild_id == guild_id,
        Operation.status == Status.ENDED.value,
        Operation.payroll_processed == False,  # noqa: E712 - an SQL expression
    )
    newest = query.order_by(Operation.ended_at.desc(), Operation.id.desc()).limit(PAYABLE_LIMIT)
    return [_view(row) for row in newest]


def participants_of(guild_id: int, operation_id: int) -> list[ParticipantView]:
    """Return who has credit in an operation, longest first, then by user id; empty before its end."""
    query: Any = (
        OperationParticipant.select(
            OperationParticipant.user_id,
            OperationParticipant.name,
            OperationParticipant.seconds,
            OperationParticipant.estimated,
        )
        .join(Operation)
        .where(Operation.guild_id == guild_id, Operation.id == operation_id)
        .order_by(OperationParticipant.seconds.desc(), OperationParticipant.user_id)
    )
    return [ParticipantView(*row) for row in query.tuples()]


def set_payroll_processed(guild_id: int, operation_id: int, processed: bool) -> bool:
    """Note whether a payroll of an ended operation is locked.

    :returns: False when this guild has no such ended operation; nothing is changed then.
    """
    changed: int = (
        Operation.update(payroll_processed=processed)
        .where(
            Operation.guild_id == guild_id,
            Operation.id == operation_id,
            Operation.status == Status.ENDED.value,
        )
        .execute()
    )
    return changed > 0


def namesakes(guild_id: int, operation: OperationView) -> tuple[int, ...]:
    """Return the ids of the guild's other operations of the same title, newest first; at most a few."""
    others: Any = (
        Operation.select(Operation.id)
        .where(
            Operation.guild_id == guild_id,
            Operation.title == operation.title,
            Operation.id != operation.id,
            Operation.status.in_([Status.ACTIVE.value, Status.ENDED.value]),
        )
        .order_by(Operation.id.desc())
        .limit(NAMESAKES_LIMIT)
    )
    return tuple(row[0] for row in others.tuples())


def view_rows(*conditions: Any) -> Any:
    """Return the query behind every OperationView, for further conditions and an order."""
    return (
        Operation.select(
            Operation.id,
            Operation.type,
            Operation.title,
            Operation.badge,
            Operation.status,
            Operation.started_at,
            Operation.ended_at,
            Operation.payroll_processed,
            fn.COUNT(OperationParticipant.id).alias("participants"),
        )
        .join(OperationParticipant, JOIN.LEFT_OUTER)
        .where(*conditions)
        .group_by(Operation.id)
        .tuples()
    )


def views_of(conditions: Any, order: Any, limit: int) -> list[OperationView]:
    """Return operations as others see them, for conditions and an order of one's own."""
    return [_view(row) for row in view_rows(*conditions).order_by(*order).limit(limit)]


def _view(row: tuple[Any, ...]) -> OperationView:
    return OperationView(*row)
