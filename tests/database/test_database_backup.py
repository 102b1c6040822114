"""Backups hold everything, are checked before they are used, and go into either kind of database."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import ROWS, all_schemas, bound, everything

from core.database import AuditEntry, User, drift, migrate_up
from core.database.backup import Archive, BackupDone, back_up, restore
from core.database.backup.values import decode, encode
from core.database.schema import own_connection

NewUrl = Callable[[str], str]


def entries(path: Path) -> Any:
    with Archive(path) as archive:
        archive.check()
        return archive.manifest.migrations, archive.manifest.tables


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_row_of_every_table_comes_back_in_either_kind(
    filled: str, kind: str, new_url: NewUrl, tmp_path: Path
) -> None:
    schemas, target = all_schemas(), new_url(kind)
    said: list[str] = []
    done = back_up(filled, schemas, tmp_path / "a.zip", tell=said.append)
    assert done == BackupDone(tmp_path / "a.zip", done.tables, done.rows, (tmp_path / "a.zip").stat().st_size)
    assert f"payroll_payslip: {ROWS} rows" in said
    back = restore(target, schemas, tmp_path / "a.zip")
    assert (back.tables, back.rows, back.migrated, back.differences) == (done.tables, done.rows, (), ())
    found = everything(target, schemas)
    assert {len(rows) for rows in found.values()} == {ROWS}
    assert found == everything(filled, schemas)
    assert drift(target, schemas) == []
    back_up(target, schemas, tmp_path / "b.zip")
    (migrations, before), (same, after) = entries(tmp_path / "a.zip"), entries(tmp_path / "b.zip")
    assert migrations == same
    assert len(migrations) == len(schemas)
    # History and checksums, which have no models, are compared by this; only what counts ids may differ.
    assert [t.model_copy(update={"next_id": None}) for t in after] == [
        t.model_copy(update={"next_id": None}) for t in before
    ]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_ids_go_on_after_the_last_one(filled: str, kind: str, new_url: NewUrl, tmp_path: Path) -> None:
    target, highest = new_url(kind), 10 + ROWS - 1
    with bound(filled) as backend:
        if filled.startswith("postgresql"):
            backend.execute_sql("SELECT setval('audit_log_id_seq', 500)")
    back_up(filled, all_schemas(), tmp_path / "a.zip")
    restore(target, all_schemas(), tmp_path / "a.zip")
    counted_apart = filled.startswith("postgresql") and kind == "postgresql"
    with bound(target):
        made = AuditEntry.insert(guild_id=1, action="x").execute()
    assert made == (501 if counted_apart else highest + 1)


def test_a_backup_beside_a_writer_is_one_moment(filled: str, tmp_path: Path) -> None:
    added: list[str] = []

    def write(line: str) -> None:
        # After the first table was written to the file, before that of guilds is read.
        if not added:
            added.append(line)
            with own_connection(filled, lock=False, shared=True) as other:
                other.execute_sql("UPDATE guilds SET name = 'later'")
                other.execute_sql("DELETE FROM guild_ranks")

    back_up(filled, all_schemas(), tmp_path / "a.zip", tell=write)
    assert added
    counts = {table.name: table.rows for table in entries(tmp_path / "a.zip")[1]}
    assert counts["guilds"] == counts["guild_ranks"] == ROWS
    with Archive(tmp_path / "a.zip") as archive:
        (guilds,) = (table for table in archive.manifest.tables if table.name == "guilds")
        assert "later" not in {row[guilds.columns.index("name")] for row in archive.rows(guilds)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_bot_may_run_and_start_while_a_backup_is_written(filled: str, tmp_path: Path) -> None:
    entered: list[str] = []

    def hold(_line: str) -> None:
        if not entered:
            with own_connection(filled):
                entered.append("the file's lock is free")

    back_up(filled, all_schemas(), tmp_path / "a.zip", tell=hold)
    with own_connection(filled):
        back_up(filled, all_schemas(), tmp_path / "b.zip")
    assert entered
    assert entries(tmp_path / "a.zip") == entries(tmp_path / "b.zip")


def test_memory_does_not_grow_with_the_rows(database_url: str, new_url: NewUrl, tmp_path: Path) -> None:
    schemas = all_schemas()
    migrate_up(database_url, schemas)
    rows, width = 20_000, 400
    with bound(database_url) as backend, backend.atomic():
        for start in range(0, rows, 1_000):
            User.insert_many(
                [{"id": number, "name": f"{number:x<{width}}"} for number in range(start, start + 1_000)]
            ).as_rowcount().execute()
    target = new_url("sqlite" if database_url.startswith("sqlite") else "postgresql")
    tracemalloc.start()
    try:
        back_up(database_url, schemas, tmp_path / "a.zip")
        restore(target, schemas, tmp_path / "a.zip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < rows * width / 3
    with bound(target):
        assert User.select().count() == rows


JSON_SCALARS = (
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary() | st.floats(allow_nan=False)
)


@given(st.lists(JSON_SCALARS))
def test_values_survive_a_line(row: list[Any]) -> None:
    try:
        line = encode(row)
    except UnicodeEncodeError:
        assert any(isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value) for value in row)
        return
    assert line.count(b"\n") == 1
    assert decode(line, len(row)) == row
    with pytest.raises(ValueError, match="row of this table"):
        decode(line, len(row) + 1)
