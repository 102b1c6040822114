"""What a restore refuses, and what it makes of the rest."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.tables import all_schemas, bound, everything, tables

from core.database import CORE_SCHEMA, Schema, drift, ensure_guild, migrate_up
from core.database.backup import back_up, restore
from core.database.catalog import read_catalog
from core.database.schema import own_connection
from core.errors import StartupError

NewUrl = Callable[[str], str]

TREE = """
from core.database.fields import Reference, Text

def up(migrator, db):
    class Node(db.Model):
        parent_id = Reference('self', null=True)
        name = Text()
        class Meta:
            table_name = "tree_node"
    db.create_tables([Node], safe=False)
    Node.insert(id=1, name="seed").execute()
"""
GROWN = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE tree_node ADD COLUMN height {kind}")
    db.execute_sql("UPDATE tree_node SET height = 7")
"""


def execute(url: str, *statements: str) -> list[Any]:
    with own_connection(url) as backend:
        for statement in statements:
            cursor = backend.execute_sql(statement)
        return list(cursor.fetchall()) if cursor.description else []


def refusal(url: str, path: Path, schemas: list[Schema] | None = None, **options: Any) -> str:
    """The sentence with which a restore is refused; the database has not changed."""
    before = tables(url)
    with pytest.raises(StartupError) as caught:
        restore(url, schemas or all_schemas(), path, **options)
    assert tables(url) == before
    return caught.value.sentence


@pytest.fixture
def tree(database_url: str, tmp_path: Path) -> Schema:
    """A plugin whose rows refer to each other and whose migration makes a row."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "0001_initial.py").write_text(TREE)
    schema = Schema("tree", [], folder)
    migrate_up(database_url, [CORE_SCHEMA, schema])
    execute(
        database_url,
        "INSERT INTO tree_node (id, parent_id, name) VALUES (5, NULL, 'root')",
        "INSERT INTO tree_node (id, parent_id, name) VALUES (2, 5, 'child')",
        "UPDATE tree_node SET parent_id = 2 WHERE id = 5",
    )
    return schema


def repack(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write the files of an archive again, changed."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return changed


def edit_manifest(**fields: Any) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **fields}).encode()

    return change


def lose_a_row(files: dict[str, bytes]) -> None:
    files["tables/users.jsonl"] = files["tables/users.jsonl"].partition(b"\n")[2]


def change_a_letter(files: dict[str, bytes]) -> None:
    files["tables/users.jsonl"] = files["tables/users.jsonl"].replace(b"a line", b"a lime")


DAMAGES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "a row is gone": (lose_a_row, "damaged (tables/users.jsonl is not what it was): use another copy"),
    "a letter differs": (change_a_letter, "damaged (tables/users.jsonl"),
    "no JSON": (lambda files: files.update({"tables/jobs.jsonl": b"{]\n"}), "damaged (tables/jobs.jsonl"),
    "a table is gone": (lambda files: files.pop("tables/jobs.jsonl"), "damaged (tables/jobs.jsonl"),
    "a file too many": (lambda files: files.update({"../x": b""}), "damaged (../x"),
    "no manifest": (lambda files: files.pop("manifest.json"), "a zip file, but not a backup"),
    "a broken manifest": (lambda files: files.update({"manifest.json": b"{"}), "damaged (manifest.json"),
    "a manifest of something else": (
        lambda files: files.update({"manifest.json": b'{"format": 1}'}),
        "damaged (manifest.json",
    ),
    "a list for a manifest": (lambda files: files.update({"manifest.json": b"[]"}), "damaged (manifest.json"),
    "a newer format": (edit_manifest(format=2, version="9.9"), "made by a newer version (9.9): install"),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_done(
    backup: Path, damage: str, new_url: NewUrl
) -> None:
    change, says = DAMAGES[damage]

    def changed(files: dict[str, bytes]) -> None:
        change(files)

    assert says in refusal(new_url("sqlite"), repack(backup, changed))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_files_that_are_no_backup(backup: Path, new_url: NewUrl, tmp_path: Path) -> None:
    url, content = new_url("sqlite"), backup.read_bytes()
    for size in (0, 100, len(content) // 2, len(content) - 1):
        backup.write_bytes(content[:size])
        assert "is not a backup, or not all of it" in refusal(url, backup)
    # A bit that tips over on the disk.
    spoilt = bytearray(content)
    spoilt[content.index(b"tables/users.jsonl") + 40] ^= 1
    backup.write_bytes(bytes(spoilt))
    assert "is damaged (tables/users.jsonl" in refusal(url, backup)
    assert "No such file" in refusal(url, tmp_path / "none.zip")
    assert "cannot be read" in refusal(url, tmp_path)


def test_what_holds_rows_is_refused_and_what_is_empty_replaced(
    backup: Path, database_url: str, new_url: NewUrl
) -> None:
    url = new_url("sqlite" if database_url.startswith("sqlite") else "postgresql")
    migrate_up(url, all_schemas())
    with bound(url):
        ensure_guild(7)
    assert "holds rows already (in guilds): a backup goes into an empty one only" in refusal(url, backup)
    assert "and " in refusal(database_url, backup)
    execute(url, "DELETE FROM guilds", "DROP INDEX jobs_ready")
    restore(url, all_schemas(), backup)
    assert drift(url, all_schemas()) == []
    assert everything(url, all_schemas()) == everything(database_url, all_schemas())


def test_code_that_does_not_fit_is_named(
    tree: Schema, database_url: str, new_url: NewUrl, tmp_path: Path
) -> None:
    both, path, url = [CORE_SCHEMA, tree], tmp_path / "a.zip", new_url("sqlite")
    back_up(database_url, both, path)
    says = refusal(url, path, [CORE_SCHEMA])
    assert "the plugin tree, which is not loaded: install it" in says
    assert "--without tree" in says
    assert "--without treee names nothing of the backup" in refusal(url, path, both, without=["treee"])
    assert "--without core names nothing" in refusal(url, path, both, without=["core"])
    file = tree.migrations / "0001_initial.py"
    text = file.read_text()
    file.write_text(text + "# another\n")
    assert "0001_initial of tree is not the one that the backup was made with" in refusal(url, path, both)
    file.unlink()
    assert "newer than this version of tree (it has 0001_initial)" in refusal(url, path, both)
    done = restore(url, [CORE_SCHEMA], path, without=["tree"])
    assert done.differences == ()
    assert not {name for name in tables(url) if name.startswith("tree")}
    assert tables(url) >= {"guilds", "jobs"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_references_in_a_circle_and_rows_that_migrations_make(
    tree: Schema, database_url: str, kind: str, new_url: NewUrl, tmp_path: Path
) -> None:
    url = new_url(kind)
    back_up(database_url, [CORE_SCHEMA, tree], tmp_path / "a.zip")
    restore(url, [CORE_SCHEMA, tree], tmp_path / "a.zip")
    question = "SELECT id, parent_id, name FROM tree_node ORDER BY id"
    assert execute(url, question) == [(1, None, "seed"), (2, 5, "child"), (5, 2, "root")]
    with own_connection(url) as backend:
        rules = read_catalog(backend)["tree_node"].rules
    assert rules["foreign key (parent_id) to tree_node (id)"] == "ON DELETE RESTRICT"
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        execute(url, "INSERT INTO tree_node (id, parent_id, name) VALUES (9, 99, 'lost')")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("what", ["raise RuntimeError('half')", "d.execute_sql('DELETE FROM guilds')"])
def test_a_plugin_that_cannot_be_migrated_costs_only_itself(
    backup: Path, kind: str, what: str, new_url: NewUrl, tmp_path: Path
) -> None:
    url, added = new_url(kind), []
    for name, body in (("bad", what), ("needy", "pass"), ("good", "pass")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0001_first.py").write_text(
            f"def up(m, d):\n    d.execute_sql('CREATE TABLE {name}_row (x int)')\n    {body}\n"
        )
        added.append(Schema(name, (), tmp_path / name))
    done = restore(url, [*all_schemas(), *added], backup, needs={"needy": ("bad",)})
    assert done.migrated == ("good/0001_first",)
    assert list(done.failed) == ["bad", "needy"]
    assert "0001_first" in done.failed["bad"]
    assert done.failed["needy"] == "it requires bad, which failed"
    assert "bad_row" not in tables(url)
    assert execute(url, "SELECT count(*) FROM guilds") != [(0,)]
    assert drift(url, all_schemas()) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_backup_is_restored_and_then_migrated(
    tree: Schema, database_url: str, kind: str, new_url: NewUrl, tmp_path: Path
) -> None:
    back_up(database_url, [CORE_SCHEMA, tree], tmp_path / "a.zip")
    url = new_url(kind)
    (tree.migrations / "0002_height.py").write_text(
        GROWN.format(kind="INTEGER" if kind == "sqlite" else "BIGINT")
    )
    done = restore(url, [CORE_SCHEMA, tree], tmp_path / "a.zip")
    assert done.migrated == ("tree/0002_height",)
    assert execute(url, "SELECT id, height FROM tree_node ORDER BY id") == [(1, 7), (2, 7), (5, 7)]
    assert migrate_up(url, [CORE_SCHEMA, tree]) == []


def test_what_no_migration_makes_can_be_left_out(database_url: str, new_url: NewUrl, tmp_path: Path) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    execute(
        database_url,
        "ALTER TABLE users ADD COLUMN extra TEXT",
        "CREATE TABLE stranger (x INTEGER)",
        "INSERT INTO stranger VALUES (1)",
    )
    back_up(database_url, [CORE_SCHEMA], tmp_path / "a.zip")
    url = new_url("sqlite")
    odd = ["stranger", "users.extra"]
    for name in odd:
        others = [each for each in odd if each != name]
        says = refusal(url, tmp_path / "a.zip", [CORE_SCHEMA], without=others)
        assert f"has {name}, which no migration makes: leave it out with --without {name}" in says
    assert restore(url, [CORE_SCHEMA], tmp_path / "a.zip", without=odd).differences == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_parents_without_which_rows_make_no_sense(backup: Path, new_url: NewUrl) -> None:
    for kind in ("sqlite", "postgresql"):
        says = refusal(new_url(kind), backup, without=["guilds"])
        assert "leave out both or none" in says or "foreign key constraint" in says


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_value_that_the_other_kind_cannot_hold_is_named(
    database_url: str, new_url: NewUrl, tmp_path: Path
) -> None:
    migrate_up(database_url, all_schemas())
    with bound(database_url) as backend:
        ensure_guild(1)
        backend.execute_sql(
            "INSERT INTO sunday_mining_channel (created_at, updated_at, guild_id, channel_id, name,"
            " dispatch, sort) VALUES (0, 0, 1, 1, '', 5, 1)"
        )
    back_up(database_url, all_schemas(), tmp_path / "a.zip")
    says = refusal(new_url("postgresql"), tmp_path / "a.zip")
    assert says.startswith(
        "A row of sunday_mining_channel does not fit into this database, nothing was restored"
    )


def test_triggers_neither_fire_nor_get_lost(database_url: str, new_url: NewUrl, tmp_path: Path) -> None:
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    folder = tmp_path / "noted"
    folder.mkdir()
    action = (
        ["CREATE TRIGGER noted_up AFTER INSERT ON noted_row BEGIN UPDATE noted_row SET x = x + 1; END"]
        if kind == "sqlite"
        else [
            (
                "CREATE FUNCTION noted_bump() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN NEW.x := NEW.x + 1; RETURN NEW; END'"
            ),
            "CREATE TRIGGER noted_up BEFORE INSERT ON noted_row FOR EACH ROW EXECUTE FUNCTION noted_bump()",
        ]
    )
    steps = ["CREATE TABLE noted_row (x INTEGER)", *action]
    (folder / "0001_initial.py").write_text(
        f"def up(migrator, db):\n    for step in {steps!r}:\n        db.execute_sql(step)\n"
    )
    schemas, url = [CORE_SCHEMA, Schema("noted", [], folder)], new_url(kind)
    migrate_up(database_url, schemas)
    execute(database_url, "INSERT INTO noted_row VALUES (1)")
    back_up(database_url, schemas, tmp_path / "a.zip")
    restore(url, schemas, tmp_path / "a.zip")
    assert execute(url, "SELECT x FROM noted_row") == [(2,)]
    assert execute(url, "INSERT INTO noted_row VALUES (9)", "SELECT max(x) FROM noted_row") == [(10,)]
