"""When the officers were reminded of a remark."""

from __future__ import annotations

from typing import Any

from redlegion.database import Instant


def up(migrator: Any, db: Any) -> None:
    """Add the column; remarks of old have not been brought up again."""
    migrator.migrate(migrator.add_column("shift_log_remark", "reminded_at", Instant(null=True)))


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    migrator.migrate(migrator.drop_column("shift_log_remark", "reminded_at"))
