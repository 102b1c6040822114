"""What was acknowledged survives kill -9, dead connections and deadlocks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from core.database import (
    CORE_SCHEMA,
    CommitUnknown,
    Database,
    DatabaseUnavailable,
    Guild,
    User,
    ensure_guild,
    ensure_user,
    migrate_up,
    open_database,
)

ACKNOWLEDGING = """
import asyncio, sys
from core.database import CORE_SCHEMA, ensure_guild, migrate_up, open_database

async def main():
    database = open_database(sys.argv[1])
    migrate_up(database, [CORE_SCHEMA])
    await database.start()

    async def write(number):
        await database.write(ensure_guild, number, "x", key=number)
        print(number, flush=True)

    for start in range(0, 10**9, 20):
        await asyncio.gather(*(write(start + number) for number in range(20)))

asyncio.run(main())
"""


def guild_ids() -> set[int]:
    return {guild.id for guild in Guild.select(Guild.id)}


def write_until_killed(url: str) -> set[int]:
    """Have a process write, kill it, and return what it said was written."""
    process = subprocess.Popen([sys.executable, "-c", ACKNOWLEDGING, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = {int(process.stdout.readline()) for _ in range(500)}
    process.kill()
    acknowledged |= {int(line) for line in process.stdout.read().splitlines()[:-1]}
    process.wait()
    process.stdout.close()
    return acknowledged


async def test_kill_9_loses_no_acknowledged_write(database_url: str) -> None:
    acknowledged = await asyncio.to_thread(write_until_killed, database_url)
    # The dead process's lock is free.
    database = open_database(database_url)
    await database.start()
    stored = await database.read(guild_ids)
    await database.close()
    assert len(acknowledged) >= 500
    assert acknowledged <= stored


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_lost_connections_lose_no_write(database: Database, database_url: str) -> None:
    done: set[int] = set()

    one_at_a_time = asyncio.Lock()

    async def write(number: int) -> None:
        try:
            await database.write(ensure_guild, number, "x", key=number)
        except CommitUnknown:
            # Safe to repeat, which is what this error asks for.
            await database.write(ensure_guild, number, "x", key=number)
        done.add(number)
        if number % 50 == 0:
            async with one_at_a_time:
                await asyncio.to_thread(cut)

    def cut() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    await asyncio.gather(*(write(number) for number in range(400)))
    assert await database.read(guild_ids) == set(range(400)) == done
    assert database.stats.reconnects > 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_deadlock_is_run_again(database: Database) -> None:
    for number in (1, 2):
        await database.write(ensure_user, number)
    meeting = threading.Barrier(2)
    begun = threading.Event()
    runs: list[int] = []

    def update(first: int, second: int) -> None:
        User.update(name=f"from {first}").where(User.id == first).execute()
        begun.set()
        if len(runs) < 2:
            runs.append(first)
            meeting.wait(60)
        User.update(name=f"from {first}").where(User.id == second).execute()

    # Two keys, two writers, the same rows in opposite order: what plugins must not do, and yet survive.
    one = asyncio.create_task(database.write(update, 1, 2, key=0))
    assert await asyncio.to_thread(begun.wait, 10)
    await asyncio.gather(one, database.write(update, 2, 1, key=1))
    # The loser may meet the winner once more before that one has committed.
    assert 1 <= database.stats.reruns <= 3
    names = await database.read(lambda: {user.name for user in User.select()})
    assert len(names) == 1


async def test_a_server_that_stays_away_is_reported(tmp_path: Path) -> None:
    from support.postgres import start_postgres

    server = start_postgres()
    database = open_database(server.url(), patience=0.2)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    await database.write(ensure_guild, 1)
    server.stop()
    for call in (database.write(ensure_guild, 2), database.read(guild_ids)):
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            await call
    assert database.pending == 0
    await database.close()
