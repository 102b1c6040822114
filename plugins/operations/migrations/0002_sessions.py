"""Decisions on which voice sessions count for an operation, and why."""

from __future__ import annotations

from typing import Any

from redlegion.database import BigAutoField, BooleanField, Check, Instant, Reference, Snowflake, Text


def _model(db: Any) -> Any:
    class Operation(db.Model):  # type: ignore[misc]
        id = BigAutoField()

        class Meta:
            table_name = "operations_operation"

    class OperationSession(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        operation_id = Reference(Operation, index=False)
        session_id = Snowflake()
        user_id = Snowflake()
        since = Instant()
        linked = BooleanField()
        reason = Text()
        held = BooleanField(null=True)
        decided_at = Instant()

        class Meta:
            table_name = "operations_session"
            constraints = (
                Check(
                    "\"reason\" IN ('counts', 'unknown', 'closed', 'untracked', 'role')",
                    name="operations_session_reason",
                ),
            )
            indexes = (
                (("operation_id", "session_id", "since"), True),
                (("operation_id", "user_id"), False),
            )

    return OperationSession


def up(migrator: Any, db: Any) -> None:
    """Create them."""
    db.create_tables([_model(db)], safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.drop_tables([_model(db)], safe=False)
