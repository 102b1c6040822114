"""A backup and a restore are all or nothing: what is left when they are stopped."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.tables import ROWS, all_schemas, bound, tables

from core.database import CORE_SCHEMA, Guild, ensure_guild, migrate_up
from core.database.backup import Archive, back_up, restore
from core.database.schema import own_connection
from core.errors import StartupError

NewUrl = Callable[[str], str]


def test_a_restore_that_is_interrupted_leaves_nothing(
    backup: Path, database_url: str, new_url: NewUrl
) -> None:
    url = new_url("sqlite" if database_url.startswith("sqlite") else "postgresql")

    def interrupt(line: str) -> None:
        if line.startswith("users"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(url, all_schemas(), backup, tell=interrupt)
    assert tables(url) == set()
    assert restore(url, all_schemas(), backup).rows > ROWS


RESTORE = """
import sys
from pathlib import Path
from core.database import CORE_SCHEMA
from core.database.backup import restore
def wait(line):
    print(line, flush=True)
    sys.stdin.readline()
restore(sys.argv[1], [CORE_SCHEMA], Path(sys.argv[2]), tell=wait)
"""


def test_a_restore_that_is_killed_leaves_nothing(database_url: str, new_url: NewUrl, tmp_path: Path) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    with bound(database_url):
        ensure_guild(1)
    back_up(database_url, [CORE_SCHEMA], tmp_path / "a.zip")
    url = new_url("sqlite" if database_url.startswith("sqlite") else "postgresql")
    words = [sys.executable, "-c", RESTORE, url, str(tmp_path / "a.zip")]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("guilds"):
            break
        process.stdin.write("\n")
        process.stdin.flush()
    process.kill()
    process.communicate()
    assert tables(url) == set()
    restore(url, [CORE_SCHEMA], tmp_path / "a.zip")
    with bound(url):
        assert [guild.id for guild in Guild.select()] == [1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_is_private_and_never_replaced_by_accident(backup: Path, filled: str) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    before = backup.read_bytes()
    with pytest.raises(StartupError, match=r"exists already: name another file, or replace it with --force"):
        back_up(filled, all_schemas(), backup)
    assert backup.read_bytes() == before
    backup.write_text("old")
    back_up(filled, all_schemas(), backup, force=True)
    with Archive(backup) as archive:
        archive.check()
    with pytest.raises(StartupError, match="is a folder: name a file in it"):
        back_up(filled, all_schemas(), backup.parent)
    with pytest.raises(StartupError, match="is no folder: name another file"):
        back_up(filled, all_schemas(), backup / "below.zip")
    assert not list(backup.parent.glob(".*.part"))


def test_what_is_no_database_of_ours(database_url: str, tmp_path: Path) -> None:
    if database_url.startswith("sqlite"):
        with pytest.raises(StartupError, match="There is no database"):
            back_up(database_url, [CORE_SCHEMA], tmp_path / "a.zip")
        assert list(tmp_path.iterdir()) == []
    with own_connection(database_url) as backend:
        backend.execute_sql("CREATE TABLE other (x INTEGER)")
    with pytest.raises(StartupError, match="no tables of this bot: check DATABASE_URL"):
        back_up(database_url, [CORE_SCHEMA], tmp_path / "a.zip")
    assert not [*tmp_path.glob("*.zip"), *tmp_path.glob(".*")]


FULL = """
import resource, sys
from pathlib import Path
from core.database import CORE_SCHEMA
from core.database.backup import back_up, restore
from core.errors import StartupError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    {"back_up": back_up, "restore": restore}[sys.argv[1]](sys.argv[2], [CORE_SCHEMA], Path(sys.argv[3]))
except StartupError as error:
    print(error.sentence)
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    database_url: str, new_url: NewUrl, tmp_path: Path
) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    with bound(database_url) as backend, backend.atomic():
        for number in range(50):
            ensure_guild(number, os.urandom(10_000).hex())

    def said(action: str, url: str, file: Path, limit: int) -> str:
        words = [sys.executable, "-c", FULL, action, url, str(file), str(limit)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        return done.stdout.strip()

    folder = tmp_path / "full"
    says = said("back_up", database_url, folder / "a.zip", 200_000)
    assert "cannot be written (File too large): check the folder's permissions and the free space" in says
    assert list(folder.iterdir()) == []
    back_up(database_url, [CORE_SCHEMA], tmp_path / "a.zip")
    url = new_url("sqlite")
    says = said("restore", url, tmp_path / "a.zip", 500_000)
    assert says == "The disk of the database is full or fails: nothing was restored, make room and try again."
    assert tables(url) == set()
