"""Ranks by role; what a menu has cost; jobs that are claimed or held; who sends a shard's heartbeats."""

from __future__ import annotations

from typing import Any

from core.database.fields import Instant, JsonText, Reference, Snowflake, Text


def _ranks(db: Any) -> Any:
    # The core's own table, so that the reference has something to point at; it is not created here.
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class GuildRank(db.Model):  # type: ignore[misc]
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild, index=False)
        role_id = Snowflake()
        rank = Text()

        class Meta:
            table_name = "guild_ranks"
            indexes = ((("guild_id", "role_id"), True),)

    return GuildRank


def up(migrator: Any, db: Any) -> None:
    """Add the table of ranks, and columns to menus, jobs and heartbeats."""
    db.create_tables([_ranks(db)])
    migrator.migrate(
        migrator.add_column("command_menus", "names", JsonText(null=True)),
        migrator.add_column("command_menus", "creates", JsonText(null=True)),
        migrator.add_column("jobs", "claimed_by", Text(null=True)),
        migrator.add_column("jobs", "claimed_until", Instant(null=True)),
        migrator.add_column("jobs", "held_since", Instant(null=True)),
        migrator.add_column("shard_heartbeats", "owner", Text(null=True)),
    )
    db.execute_sql(
        'CREATE INDEX "jobs_ready" ON "jobs" ("due", "id")'
        ' WHERE "state" = \'waiting\' AND "held_since" IS NULL'
    )


def down(migrator: Any, db: Any) -> None:
    """Take them out again."""
    db.execute_sql('DROP INDEX "jobs_ready"')
    migrator.migrate(
        migrator.drop_column("shard_heartbeats", "owner"),
        *(migrator.drop_column("jobs", name) for name in ("held_since", "claimed_until", "claimed_by")),
        *(migrator.drop_column("command_menus", name) for name in ("creates", "names")),
    )
    db.drop_tables([_ranks(db)])
