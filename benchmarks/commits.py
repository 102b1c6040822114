"""The second baseline: discord.py with a listener that commits each voice event by itself."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import discord
import peewee

from benchmarks.bare import run
from benchmarks.talk import Job

database = peewee.SqliteDatabase(None)


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


def main() -> None:
    """Run the bot on the SQLite file that the job names."""
    logging.basicConfig(level=logging.ERROR)
    job = Job.from_command_line()
    path = job.database_url.removeprefix("sqlite:///")
    database.init(path, pragmas={"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1})
    database.connect()
    database.create_tables([Stay])
    try:
        asyncio.run(run(job, record))
    finally:
        database.close()


if __name__ == "__main__":
    main()
