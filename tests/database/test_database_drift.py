"""Differences between a live database and the models are found by name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.database import CORE_SCHEMA, Database, Schema, drift
from core.database.opening import make_backend


def change(database: Database, *statements: str) -> list[str]:
    backend = make_backend(database.url)
    backend.connect()
    for statement in statements:
        backend.execute_sql(statement)
    backend.close()
    return drift(database, [CORE_SCHEMA])


async def test_migrations_make_what_the_models_say(database: Database, schemas: Sequence[Schema]) -> None:
    assert drift(database, schemas) == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP TABLE command_menus", "command_menus: the table is missing"),
        ("CREATE TABLE stranger (x int)", "stranger: the table is in no model"),
        ("CREATE TABLE core_old (x int)", "core_old: the table is in no model"),
        ("ALTER TABLE users DROP COLUMN name", "users.name: the column is missing"),
        ("ALTER TABLE users ADD COLUMN extra TEXT", "users.extra: the column is in no model"),
        ("DROP INDEX jobs_state_due", "jobs: index jobs_state_due is missing"),
        ("CREATE INDEX slow ON users (name)", "users: index slow is in no model"),
        ("DROP INDEX voice_sessions_one_open", "voice_sessions: index voice_sessions_one_open is missing"),
    ],
)
async def test_each_change_is_named(database: Database, statement: str, finding: str) -> None:
    assert change(database, statement) == [finding]


async def test_a_changed_predicate_and_uniqueness_are_named(database: Database) -> None:
    found = change(
        database,
        "DROP INDEX voice_sessions_one_open",
        "CREATE UNIQUE INDEX voice_sessions_one_open ON voice_sessions (guild_id, user_id)"
        ' WHERE "left" IS NOT NULL',
        "DROP INDEX guild_plugins_guild_id_plugin",
        "CREATE INDEX guild_plugins_guild_id_plugin ON guild_plugins (guild_id, plugin)",
    )
    assert len(found) == 2
    assert found[0].startswith("guild_plugins: index guild_plugins_guild_id_plugin is ")
    assert "UNIQUE" in found[0].split("the models say")[1]
    assert "IS NOT NULL" in found[1].split("the models say")[0]


REBUILT = """
CREATE TABLE guild_memberships (
    id INTEGER NOT NULL PRIMARY KEY, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    guild_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    is_org_member TEXT NOT NULL DEFAULT 'no', rank TEXT NOT NULL,
    FOREIGN KEY (guild_id) REFERENCES guilds (id) ON DELETE CASCADE, CHECK (user_id > 0))
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_everything_inside_a_table_on_sqlite(database: Database) -> None:
    found = change(
        database,
        "DROP TABLE guild_memberships",
        REBUILT,
        "CREATE UNIQUE INDEX guild_memberships_guild_id_user_id ON guild_memberships (guild_id, user_id)",
    )
    assert found == [
        "guild_memberships.is_org_member: type is TEXT, the models say INTEGER",
        "guild_memberships.is_org_member: default is 'no', the models say none",
        "guild_memberships.rank: null is not allowed, the models say allowed",
        "guild_memberships: STRICT is no, the models say yes",
        "guild_memberships: foreign key (user_id) to users (id) is missing",
        (
            "guild_memberships: foreign key (guild_id) to guilds (id) is ON DELETE CASCADE,"
            " the models say ON DELETE RESTRICT"
        ),
        "guild_memberships: index guild_memberships_user_id is missing",
        "guild_memberships: check (user_id > 0) is in no model",
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_everything_inside_a_table_on_postgres(database: Database) -> None:
    table = "ALTER TABLE guild_memberships"
    found = change(
        database,
        f"{table} ALTER guild_id TYPE INTEGER",
        f"{table} ALTER is_org_member SET DEFAULT true",
        f"{table} ALTER rank SET NOT NULL",
        f"{table} DROP CONSTRAINT guild_memberships_user_id_fkey",
        f"{table} DROP CONSTRAINT guild_memberships_guild_id_fkey",
        f"{table} ADD FOREIGN KEY (guild_id) REFERENCES guilds (id) ON DELETE CASCADE",
        f"{table} ADD CHECK (user_id > 0)",
        "ALTER TABLE jobs DROP CONSTRAINT jobs_state",
    )
    assert sorted(found) == [
        "guild_memberships.guild_id: type is integer, the models say bigint",
        "guild_memberships.is_org_member: default is true, the models say none",
        "guild_memberships.rank: null is not allowed, the models say allowed",
        "guild_memberships: CHECK ((user_id > 0)) is in no model",
        (
            "guild_memberships: foreign key (guild_id) to guilds (id) is ON DELETE CASCADE,"
            " the models say ON DELETE RESTRICT"
        ),
        "guild_memberships: foreign key (user_id) to users (id) is missing",
        (
            "jobs: CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text,"
            " 'dead'::text]))) is missing"
        ),
    ]
    # Looking leaves nothing behind.
    backend = make_backend(database.url)
    backend.connect()
    left = "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, 'shadow_')"
    shadows = backend.execute_sql(left).fetchone()
    backend.close()
    assert shadows == (0,)


async def test_tables_of_a_plugin_that_is_not_loaded_are_left_alone(database: Database) -> None:
    assert change(database, "CREATE TABLE gone_migration (x int)", "CREATE TABLE gone_rows (x int)") == []
