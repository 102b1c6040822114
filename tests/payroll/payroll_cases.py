"""Rows that several tests of the payroll begin with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.database import ensure_guild
from plugins.operations.models import Operation, OperationParticipant

STARTED = datetime(2026, 3, 1, 18, tzinfo=UTC)
ENDED = STARTED + timedelta(minutes=130)


def insert_operation(guild_id: int, seconds: Sequence[int], status: str, names: Sequence[str]) -> int:
    """Store an operation in which member 1, 2, ... were present for so many seconds; return its id."""
    ensure_guild(guild_id, "The Red Legion")
    made = Operation.create(
        guild_id=guild_id,
        type="sunday",
        title="Sunday Mining - 2026-03-01",
        badge="📅",
        status=status,
        initiator_id=1,
        started_at=STARTED,
        ended_at=None if status == "active" else ENDED,
    )
    for number, value in enumerate(seconds, start=1):
        OperationParticipant.create(
            operation_id=made.id,
            user_id=number,
            name=names[number - 1] if number <= len(names) else f"member {number}",
            seconds=value,
            estimated=number % 5 == 2,
        )
    return int(made.id)
