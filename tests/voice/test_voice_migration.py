"""What becomes of voice sessions that were recorded before 0003, and of later ones when it is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.tables import bound

from core.database import CORE_SCHEMA, VoiceSession, migrate_down, migrate_up
from core.database.schema import own_connection

BEFORE = "0002_ranks_menus_jobs"
START = datetime(2026, 9, 6, 18, tzinfo=UTC)
FLAGS = (
    VoiceSession.id,
    VoiceSession.joined_estimated,
    VoiceSession.left_estimated,
    VoiceSession.status,
    VoiceSession.left,
)


def _old_rows(url: str, columns: str) -> list[tuple[Any, ...]]:
    with own_connection(url) as backend:
        rows = backend.execute_sql(f'SELECT {columns} FROM voice_sessions ORDER BY "id"').fetchall()
        return [tuple(row) for row in rows]


def _rows(url: str) -> list[tuple[Any, ...]]:
    with bound(url):
        return list(VoiceSession.select(*FLAGS).order_by(VoiceSession.id).tuples())


def _store(url: str, *rows: dict[str, Any]) -> None:
    with bound(url) as backend, backend.atomic():
        for number, row in enumerate(rows, 1):
            values = {"left": START, "status": "completed", **row}
            VoiceSession.create(id=number, guild_id=7, user_id=number, channel_id=9, joined=START, **values)


@pytest.fixture
def url(database_url: str) -> str:
    """The URL of a database with the tables as they are now."""
    migrate_up(database_url, [CORE_SCHEMA])
    return database_url


def test_an_old_flag_stands_for_every_bound_that_there_was(url: str) -> None:
    _store(
        url,
        {"joined_estimated": True},
        {"left_estimated": True},
        {},
        {"joined_estimated": True, "left": None, "status": "active"},
    )
    migrate_down(url, CORE_SCHEMA, BEFORE)
    assert [bool(flag) for (flag,) in _old_rows(url, "estimated")] == [True, True, False, True]
    migrate_up(url, [CORE_SCHEMA])
    assert [row[1:3] for row in _rows(url)] == [(True, True), (True, True), (False, False), (True, False)]
    before = _rows(url)
    migrate_down(url, CORE_SCHEMA, BEFORE)
    migrate_up(url, [CORE_SCHEMA])
    assert _rows(url) == before


def test_without_it_afk_stays_credit_nothing_either(url: str) -> None:
    _store(url, {"afk": True}, {"afk": True, "left": None, "status": "active"}, {})
    migrate_down(url, CORE_SCHEMA, BEFORE)
    migrate_up(url, [CORE_SCHEMA])
    assert [row[3:] for row in _rows(url)] == [
        ("cancelled", START),
        ("cancelled", START),
        ("completed", START),
    ]
