"""A plugin whose migrations fail is left out with what requires it; the core and all others start."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from support.plugin_folder import PluginFolder

from core.database import CORE_SCHEMA, drift
from core.database.opening import connect
from core.errors import StartupError
from core.plugins import PluginManager
from core.plugins.migrations import migrate_all
from sandbox.stage import Stage, open_stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

CODE = """
from pathlib import Path
from redlegion.database import BaseModel, Money

class Row(BaseModel):
    sum = Money()
    class Meta:
        table_name = "{name}_row"

@app_commands.command(name="{name}", description="x")
@requires("guest")
async def command(interaction: discord.Interaction) -> None:
    await reply(interaction, "{name} is here")

@hookimpl
def register_commands():
    return [command]

@hookimpl
def register_schema():
    return Schema("{name}", [Row], Path(__file__).parent / "migrations")
"""
UP = """
from redlegion.database import BigAutoField, Instant, Money

def _models(db):
    class Row(db.Model):
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        sum = Money()
        class Meta:
            table_name = "{name}_row"
    return [Row]

def up(migrator, db):
    db.create_tables(_models(db), safe=False)

def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
"""
BREAK = "def up(migrator, db):\n    {what}\n\ndef down(migrator, db):\n    pass\n"


def write(folder: PluginFolder, name: str, **migrations: str) -> Path:
    """Write a plugin with one table; further migrations by their names."""
    folder.write(name, CODE.format(name=name))
    place = folder.path / name / "migrations"
    place.mkdir(exist_ok=True)
    (place / "0001_initial.py").write_text(UP.format(name=name), encoding="utf-8")
    for number, (what, body) in enumerate(migrations.items(), start=2):
        (place / f"{number:04}_{what}.py").write_text(body, encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("db.execute_sql('ALTER TABLE nowhere ADD COLUMN x INTEGER')", "ProgrammingError|OperationalError"),
        ("raise SystemExit('bye')", "its migration 0002_broken could not be applied: SystemExit: bye"),
        ("db.execute_sql('DELETE FROM odd_row')", "odd/0002_broken .*odd_row"),
        ("x = (", "its migration 0002_broken could not be applied: SyntaxError"),
    ],
)
def test_a_failing_migration_costs_only_its_plugin(
    folder: PluginFolder, database_url: str, what: str, words: str
) -> None:
    place = write(folder, "odd")
    folder.write("needs_it", requires=["odd"])
    write(folder, "sound")
    first = PluginManager(folder.names, [folder.path])
    assert migrate_all(database_url, first)[-2:] == ["odd/0001_initial", "sound/0001_initial"]
    backend, lock = connect(database_url)
    with backend.connection_context():
        now = "now()" if database_url.startswith("postgres") else "0"
        backend.execute_sql(f"INSERT INTO odd_row (created_at, updated_at, sum) VALUES ({now}, {now}, 7)")
    if lock is not None:
        lock.release()
    (place / "0002_broken.py").write_text(BREAK.format(what=what), encoding="utf-8")

    manager = PluginManager(folder.names, [folder.path])
    assert migrate_all(database_url, manager) == []
    assert list(manager.loaded) == ["sound"]
    odd, needing = manager.quarantined
    assert (odd.name, odd.hook) == ("odd", "register_schema")
    assert re.search(words, odd.reason), odd.reason
    assert needing.reason == "it requires odd, which is not loaded"
    # Nothing of it was kept, and with the fault gone the rest is applied.
    (place / "0002_broken.py").write_text(BREAK.format(what="pass"), encoding="utf-8")
    third = PluginManager(folder.names, [folder.path])
    assert migrate_all(database_url, third) == ["odd/0002_broken"]
    assert list(third.loaded) == ["odd", "sound", "needs_it"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("db.execute_sql('ALTER TABLE sound_row ADD COLUMN more INTEGER')", "changes the table sound_row"),
        ("db.execute_sql('CREATE INDEX odd_look ON sound_row (sum)')", "changes the table sound_row"),
        ("db.execute_sql('DROP TABLE sound_row')", "drops the table sound_row"),
        ("db.execute_sql('CREATE TABLE stray (id INTEGER)')", "makes the table stray"),
        ("db.execute_sql('ALTER TABLE users ADD COLUMN more INTEGER')", "changes the table users"),
    ],
)
def test_a_migration_that_touches_somebody_else_s_table(
    folder: PluginFolder, database_url: str, what: str, words: str
) -> None:
    write(folder, "sound")
    body = "removes = {'sound_row'}\n" + BREAK.format(what=what)
    write(folder, "odd", broken=body)
    manager = PluginManager(folder.names, [folder.path])
    applied = [each for each in migrate_all(database_url, manager) if not each.startswith("core/")]
    assert applied == ["sound/0001_initial", "odd/0001_initial"]
    (odd,) = manager.quarantined
    assert odd.reason.startswith(f"Migration odd/0002_broken {words}, which is not one of its own")
    assert odd.reason.endswith("name your own odd_...")
    schemas = [CORE_SCHEMA, *manager.schemas]
    assert [line for line in drift(database_url, schemas) if not line.startswith("odd_")] == []


def test_a_migration_may_do_all_with_its_own_tables(folder: PluginFolder, database_url: str) -> None:
    write(folder, "odd_extra")
    what = "db.execute_sql('ALTER TABLE odd_row RENAME TO odd_rows')"
    write(folder, "odd", renamed="removes = {'odd_row'}\n" + BREAK.format(what=what))
    manager = PluginManager(folder.names, [folder.path])
    migrate_all(database_url, manager)
    assert manager.quarantined == []


def test_a_file_that_cannot_be_read(folder: PluginFolder, lite: str) -> None:
    place = write(folder, "odd")
    write(folder, "sound")
    migrate_all(lite, PluginManager(folder.names, [folder.path]))
    (place / "0001_initial.py").unlink()
    (place / "0001_initial.py").symlink_to(place / "nowhere")
    manager = PluginManager(folder.names, [folder.path])
    assert migrate_all(lite, manager) == []
    assert list(manager.loaded) == ["sound"]
    assert manager.quarantined[0].reason.startswith(
        "one of its migrations could not be applied: FileNotFound"
    )


def test_data_newer_than_the_code_or_an_edited_file(folder: PluginFolder, database_url: str) -> None:
    newer = write(folder, "newer", more=BREAK.format(what="pass"))
    edited = write(folder, "edited")
    write(folder, "sound")
    migrate_all(database_url, PluginManager(folder.names, [folder.path]))
    (newer / "0002_more.py").unlink()
    (edited / "0001_initial.py").write_text(UP.format(name="edited") + "# changed\n", encoding="utf-8")
    manager = PluginManager(folder.names, [folder.path])
    assert migrate_all(database_url, manager) == []
    assert list(manager.loaded) == ["sound"]
    assert {each.name: each.reason for each in manager.quarantined} == {
        "newer": (
            "the database is newer than this version of the plugin, it has 0002_more; install the newer "
            "version again, or restore a backup made before the upgrade"
        ),
        "edited": (
            "its migration 0001_initial was edited after it was applied; restore the file and put the change "
            "into a new migration"
        ),
    }


def test_the_core_is_not_contained(folder: PluginFolder, database_url: str) -> None:
    write(folder, "sound")
    migrate_all(database_url, PluginManager([], []))
    backend, lock = connect(database_url)
    with backend.connection_context():
        backend.execute_sql("UPDATE core_migration SET name = '9999_newer' WHERE name = '0001_initial'")
    if lock is not None:
        lock.release()
    manager = PluginManager(folder.names, [folder.path])
    with pytest.raises(StartupError, match=f"newer than this version of {CORE_SCHEMA.name}"):
        migrate_all(database_url, manager)
    assert list(manager.loaded) == ["sound"]


def test_a_database_that_is_gone_is_nobody_s_fault(folder: PluginFolder, lite: str, tmp_path: Path) -> None:
    gone = f"__import__('pathlib').Path({str(tmp_path / 'bot.sqlite3')!r})"
    write(
        folder, "odd", broken=BREAK.format(what=f"{gone}.write_bytes(b'x' * 4096); raise ValueError('gone')")
    )
    manager = PluginManager(folder.names, [folder.path])
    with pytest.raises(StartupError):
        migrate_all(lite, manager)
    assert manager.quarantined == []


async def test_the_bot_starts_without_it(folder: PluginFolder, on_stage: Opener, database_url: str) -> None:
    write(folder, "odd", broken=BREAK.format(what="raise ValueError('no')"))
    write(folder, "sound")
    async with on_stage(database_url, folder.selection("odd", "sound")) as stage:
        member = stage.scene.members[0]
        answer = await stage.slash(member, "sound")
        assert answer.message is not None
        assert answer.message["content"] == "sound is here"
        menu = stage.runtime.commands
        assert menu.command("sound") is not None
        assert menu.command("odd") is None
        assert [str(each) for each in stage.runtime.manager.quarantined] == [
            "odd: register_schema: its migration 0002_broken could not be applied: ValueError: no"
        ]


async def test_strict_refuses_it(folder: PluginFolder, lite: str) -> None:
    write(folder, "odd", broken=BREAK.format(what="raise ValueError('no')"))
    async with open_stage(lite, plugins=folder.selection("odd"), members=2, channels=2) as stage:
        stage.settings = replace(stage.settings, strict=True)
        words = "--strict refuses to start with broken plugins: odd: register_schema: its migration 0002"
        with pytest.raises(StartupError, match=words):
            await stage.start_bot()
