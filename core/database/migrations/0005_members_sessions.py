"""A member's sessions in order, so that a chain of stays is followed without reading all of them."""

from __future__ import annotations

from typing import Any

_BEFORE = ("voice_sessions_user_id_guild_id", '"user_id", "guild_id"')
_AFTER = ("voice_sessions_user_id_guild_id_id", '"user_id", "guild_id", "id"')


def up(migrator: Any, db: Any) -> None:
    """Put the id into the index of members."""
    _replace(db, _BEFORE, _AFTER)


def down(migrator: Any, db: Any) -> None:
    """Take it out again."""
    _replace(db, _AFTER, _BEFORE)


def _replace(db: Any, old: tuple[str, str], new: tuple[str, str]) -> None:
    db.execute_sql(f'CREATE INDEX "{new[0]}" ON "voice_sessions" ({new[1]})')
    db.execute_sql(f'DROP INDEX "{old[0]}"')
