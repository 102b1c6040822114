"""Decisions that rest on a change of roles which nobody saw say since when it may have happened."""

from __future__ import annotations

from typing import Any

from redlegion.database import Instant


def up(migrator: Any, db: Any) -> None:
    """Add the column."""
    migrator.migrate(migrator.add_column("operations_session", "unseen_since", Instant(null=True)))


def down(migrator: Any, db: Any) -> None:
    """Take it out again."""
    migrator.migrate(migrator.drop_column("operations_session", "unseen_since"))
