"""What the operator reads when the database cannot be used: one sentence that says what to do."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from core.database import CORE_SCHEMA, Guild, drift, ensure_guild, migrate_status, migrate_up, open_database
from core.errors import StartupError

if TYPE_CHECKING:
    from support.postgres import PostgresServer


def sentence(url: str) -> str:
    with pytest.raises(StartupError) as caught:
        open_database(url)
    text = caught.value.sentence
    assert text.endswith(".")
    assert "\n" not in text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x", "sqlite:///folder/file.sqlite3 or postgresql://"),
        ("", "write it as sqlite:///"),
        ("postgresql://[::1/x", "write it as sqlite:///"),
        ("postgresql://x@localhost:port/x", "correct DATABASE_URL"),
        ("sqlite:///", "names no file"),
        ("sqlite://relative.sqlite3", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://nobody@127.0.0.1:1/x", "127.0.0.1 does not answer"),
        ("postgresql://nobody@127.0.0.1:1/x", "start it, or correct DATABASE_URL"),
    ],
)
def test_urls_that_lead_nowhere(url: str, says: str) -> None:
    assert says in sentence(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes, and they are longer than a header of a database." * 20)
    assert "is not a SQLite database: move it away" in sentence(f"sqlite:///{path}")
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"], "a slip in the path leaves no trace"
    path.unlink()
    open_database(f"sqlite:///{path}")._lock.release()  # type: ignore[union-attr]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    assert "make its folder writable" in sentence(f"sqlite:///{blocker / 'x.sqlite3'}")
    assert "cannot be written" in sentence(f"sqlite:///{tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert "make its folder writable" in sentence(f"sqlite:///{folder / 'x.sqlite3'}")


async def test_a_busy_file_is_refused_until_it_is_free(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'down' / 'x.sqlite3'}"
    first = open_database(url)
    assert "in use by another process: stop that one first" in sentence(url)
    await first.close()
    second = open_database(url)
    await second.close()
    await second.close()


async def test_a_file_that_another_program_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.database.opening._BUSY_MS", 50)
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    await open_database(url).close()
    with closing(sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        assert "in use by another process: stop that one first" in sentence(url)
    await open_database(url).close()


async def test_a_look_beside_a_running_bot_is_allowed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    running = open_database(url)
    migrate_up(running, [CORE_SCHEMA])
    await running.start()
    assert {state.state for state in migrate_status(url, [CORE_SCHEMA])} == {"applied"}
    assert drift(url, [CORE_SCHEMA]) == []
    with pytest.raises(StartupError, match="in use by another process"):
        migrate_up(url, [CORE_SCHEMA])
    await running.write(ensure_guild, 7)
    await running.close()


async def test_opening_another_database_rebinds_the_models(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        database = open_database(f"sqlite:///{tmp_path / f'{number}.sqlite3'}")
        migrate_up(database, [CORE_SCHEMA])
        await database.start()
        await database.write(ensure_guild, number)
        assert await database.read(lambda: [guild.id for guild in Guild.select()]) == [number]
        await database.close()


def test_postgres_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert 'run pip install "redlegion[postgres]"' in sentence("postgresql://x@localhost/x")


def test_postgres_with_a_wrong_login(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS locked")
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    for password in ("wrong", None):
        text = sentence(postgres_server.url(user="locked", password=password))
        assert "refuses the user locked: check user and password" in text
        assert "wrong" not in text
    open_database(postgres_server.url(user="locked", password="right"))
    assert "has no user ghost" in sentence(postgres_server.url(user="ghost"))
    missing = postgres_server.url().replace("/postgres?", "/missing?")
    assert "has no database missing: create it with createdb missing" in sentence(missing)
