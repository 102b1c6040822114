"""The second baseline: discord.py with a listener that commits each voice event by itself."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import discord
import peewee
from playhouse import db_url

from benchmarks.bare import run
from benchmarks.talk import Job

#: A place of its own on a PostgreSQL on which ours is measured too.
SCHEMA = "one_by_one"

database = peewee.DatabaseProxy()


class Stay(peewee.Model):
    """A stay of one member in one channel, as such a bot would keep it."""

    guild_id = peewee.BigIntegerField()
    user_id = peewee.BigIntegerField()
    channel_id = peewee.BigIntegerField()
    joined = peewee.DateTimeField()
    left = peewee.DateTimeField(null=True)

    class Meta:
        database = database
        indexes = ((("user_id", "left"), False),)


def record(member: discord.Member, after: discord.VoiceState) -> None:
    """Close the member's open stay and begin the next one, durably."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with database.atomic():
        Stay.update(left=now).where((Stay.user_id == member.id) & Stay.left.is_null()).execute()
        if after.channel is not None:
            Stay.create(guild_id=member.guild.id, user_id=member.id, channel_id=after.channel.id, joined=now)


def connect(url: str) -> None:
    """Open the database, with the table there; what is committed is durable on both kinds."""
    if url.startswith("sqlite:///"):
        pragmas = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1}
        database.initialize(peewee.SqliteDatabase(url.removeprefix("sqlite:///"), pragmas=pragmas))
        database.connect()
    else:
        database.initialize(db_url.connect(url))
        database.connect()
        database.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        database.execute_sql(f"SET search_path TO {SCHEMA}")
    database.create_tables([Stay])


def main() -> None:
    """Run the bot on the database that the job names."""
    logging.basicConfig(level=logging.ERROR)
    job = Job.from_command_line()
    connect(job.database_url)
    try:
        asyncio.run(run(job, record))
    finally:
        database.close()


if __name__ == "__main__":
    main()
