"""`redlegion backup`, `restore` and `migrate down` as an operator types them."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from support.forked import redlegion
from support.postgres import PostgresServer
from support.tables import all_schemas, everything, fill

from core.database import CORE_SCHEMA, migrate_up
from core.database.backup import Archive
from core.database.schema import own_connection
from core.settings import VARIABLES

TOKEN = "a-token-that-must-stay-secret"


@dataclass(frozen=True)
class Done:
    """How a run of the command ended."""

    status: int
    out: str
    err: str


class Place:
    """A folder to run `redlegion` in, with the project's plugins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugins("operations", "market", "sunday_mining", "payroll")

    def plugins(self, *names: str) -> None:
        """Load these plugins from now on."""
        text = f"[plugins]\nload = {list(names)!r}\n"
        (self.folder / "plugins.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str, url: str) -> Done:
        """Run `redlegion` with these words on the database `url`."""
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment = {**clean, "DATABASE_URL": url, "DISCORD_TOKEN": TOKEN}
        done = redlegion(*words, folder=self.folder, environment=environment)
        assert "Traceback" not in done.stderr + done.stdout
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder to run `redlegion` in."""
    (tmp_path / "place").mkdir()
    return Place(tmp_path / "place")


@pytest.fixture
def filled(database_url: str) -> str:
    """A database with rows in all tables, of each kind."""
    migrate_up(database_url, all_schemas())
    fill(database_url, all_schemas())
    return database_url


def test_there_and_back(place: Place, filled: str, tmp_path: Path) -> None:
    done = place.run("backup", url=filled)
    assert (done.status, done.err) == (0, "")
    (path,) = (place.folder / "data" / "backups").iterdir()
    assert "payroll_payslip: 6 rows\n" in done.out
    last = done.out.splitlines()[-1]
    assert last.startswith("Wrote ")
    assert f"to data/backups/{path.name} ({path.stat().st_size:,} bytes)." in last
    assert path.stat().st_mode & 0o077 == 0

    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    done = place.run("restore", str(path), url=target)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[-1].startswith("Restored ")
    assert everything(target, all_schemas()) == everything(filled, all_schemas())
    assert place.run("migrate", "check", url=target).status == 0

    done = place.run("restore", str(path), url=target)
    assert (done.status, done.out) == (1, "")
    assert "The database holds rows already (in audit_log, command_menus, guild_memberships and " in done.err
    done = place.run("backup", str(path), url=target)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "exists already: name another file, or replace it with --force." in done.err
    assert place.run("backup", str(path), "--force", url=target).status == 0


def test_no_secret_is_in_it(place: Place, postgres_server: PostgresServer, tmp_path: Path) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute("DROP SCHEMA IF EXISTS locked_backup CASCADE")
        connection.execute("DROP ROLE IF EXISTS locked")
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'hush-hush'")
        connection.execute("CREATE SCHEMA locked_backup AUTHORIZATION locked")
        connection.execute("GRANT CREATE ON DATABASE postgres TO locked")
    try:
        _no_secret(place, postgres_server, tmp_path)
    finally:
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute("DROP OWNED BY locked CASCADE")
            connection.execute("DROP ROLE locked")


def _no_secret(place: Place, server: PostgresServer, tmp_path: Path) -> None:
    url = server.url(schema="locked_backup", user="locked", password="hush-hush")
    migrate_up(url, all_schemas())
    fill(url, all_schemas())
    assert place.run("backup", "a.zip", url=url).status == 0
    with zipfile.ZipFile(place.folder / "a.zip") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"1428000000000000001" in content
    for secret in (TOKEN, "hush-hush", "locked_backup", str(server.directory)):
        assert secret.encode() not in content

    wrong = server.url(schema="locked_backup", user="locked", password="wrong-one")
    for words in (["backup", "b.zip"], ["restore", "a.zip"]):
        done = place.run(*words, url=wrong)
        assert (done.status, done.out) == (1, "")
        assert "refuses the user locked: check user and password in DATABASE_URL." in done.err
        assert "wrong-one" not in done.err
    assert not (place.folder / "b.zip").exists()

    # An ordinary user can restore too: nothing of it needs a superuser.
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute("DROP SCHEMA locked_backup CASCADE")
        connection.execute("CREATE SCHEMA locked_backup AUTHORIZATION locked")
    done = place.run("restore", "a.zip", url=url)
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_plugin_that_is_not_loaded_is_named(place: Place, filled: str, tmp_path: Path) -> None:
    assert place.run("backup", "a.zip", url=filled).status == 0
    place.plugins("operations", "market", "sunday_mining")
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    done = place.run("restore", "a.zip", url=target)
    assert done.status == 1
    assert "The backup has data of the plugin payroll, which is not loaded" in done.err
    assert "leave its data out with --without payroll." in done.err
    assert place.run("restore", "a.zip", "--without", "payroll", url=target).status == 0
    place.plugins("operations", "market", "sunday_mining", "payroll")
    assert place.run("backup", "b.zip", url=target).status == 0
    with Archive(place.folder / "b.zip") as archive:
        assert "payroll" not in archive.manifest.migrations


def test_files_that_are_no_backup(place: Place, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    done = place.run("backup", url=url)
    assert done.status == 1
    assert "There is no database" in done.err
    done = place.run("restore", "plugins.toml", url=url)
    assert (done.status, done.err) == (
        1,
        "plugins.toml is not a backup, or not all of it: use a file that redlegion backup wrote.\n",
    )
    assert not (tmp_path / "target.sqlite3").exists()


def test_going_down_asks_first_when_rows_may_go(place: Place, filled: str) -> None:
    done = place.run("migrate", "down", "payroll", "none", url=filled)
    assert (done.status, done.out) == (1, "")
    assert "Reverting 0001_initial may lose rows of payroll" in done.err
    assert "payroll_payslip (6): run redlegion backup first, then say --yes." in done.err
    assert place.run("migrate", "down", "payroll", url=filled).status == 2
    done = place.run("migrate", "down", "payroll", "none", "--yes", url=filled)
    assert (done.status, done.out, done.err) == (0, "reverted payroll/0001_initial\n", "")
    done = place.run("migrate", "down", "payroll", "none", url=filled)
    assert (done.status, done.out) == (0, "payroll is at no migration already.\n")
    done = place.run("migrate", "check", url=filled)
    assert (done.status, done.out) == (1, "payroll/0001_initial is pending: run `redlegion migrate`\n")
    assert re.search(r"payroll/0001_initial +pending\n", place.run("migrate", "status", url=filled).out)
    assert place.run("migrate", "up", url=filled).out == "applied payroll/0001_initial\n"


def test_going_down_under_a_plugin_that_needs_the_tables(place: Place, database_url: str) -> None:
    migrate_up(database_url, all_schemas())
    done = place.run("migrate", "down", "operations", "none", url=database_url)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "A migration failed and was rolled back, nothing of it was kept: " in done.err
    assert "operations/0001_initial cannot be reverted, since payroll_payroll refers to" in done.err
    done = place.run("migrate", "down", "core", "none", "--yes", url=database_url)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "core/0001_initial cannot be reverted, since " in done.err
    # Those after it, which nothing needs, are there as well.
    assert place.run("migrate", "up", url=database_url).out == "The tables are up to date.\n"
    assert place.run("migrate", "check", url=database_url).status == 0
    assert place.run("migrate", "down", "payroll", "none", url=database_url).status == 0
    assert place.run("migrate", "down", "operations", "none", url=database_url).status == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_plugin_that_cannot_be_migrated_does_not_keep_a_backup_out(
    place: Place, filled: str, tmp_path: Path
) -> None:
    assert place.run("backup", "a.zip", url=filled).status == 0
    folder = place.folder / "more" / "rotten"
    (folder / "migrations").mkdir(parents=True)
    (folder / "manifest.toml").write_text(
        'name = "rotten"\ntitle = "R"\nversion = "1.0.0"\nsummary = "x"\napi = ">=1,<2"\n'
        'kind = "library"\nrequires = []\nafter = []\nranks = []\npermissions = []\n'
        'personal_data = "None."\n'
    )
    (folder / "__init__.py").write_text(
        "from pathlib import Path\nfrom redlegion import hookimpl\nfrom redlegion.database import Schema\n"
        "@hookimpl\ndef register_schema():\n"
        "    return Schema('rotten', [], Path(__file__).parent / 'migrations')\n"
    )
    (folder / "migrations" / "0001_initial.py").write_text("def up(m, db): raise RuntimeError('half')\n")
    names = ["operations", "market", "sunday_mining", "payroll", "rotten"]
    (place.folder / "plugins.toml").write_text(f"[plugins]\nload = {names!r}\nfolders = ['more']\n")
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    done = place.run("restore", "a.zip", url=target)
    assert done.status == 1
    assert "Restored " in done.out
    assert "rotten: its migration 0001_initial could not be applied: RuntimeError: half; all of" in done.err
    assert everything(target, all_schemas()) == everything(filled, all_schemas())


def test_drift_is_named_with_an_exit_status(place: Place, database_url: str) -> None:
    place.plugins()
    migrate_up(database_url, [CORE_SCHEMA])
    with own_connection(database_url) as backend:
        backend.execute_sql("DROP INDEX jobs_ready")
    line = "jobs: index jobs_ready is missing"
    done = place.run("migrate", "check", url=database_url)
    assert done.status == 1
    assert done.out.startswith(f"{line}\nThe tables differ from what this version expects")
    done = place.run("doctor", url=database_url)
    assert done.status == 1
    assert f"FAIL  tables      {line}; restore a backup, or write a migration" in done.out
