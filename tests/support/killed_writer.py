"""A load of writes whose halves would show, and a process that writes it until it is killed.

`python killed_writer.py URL SEED` prints kind and number of each call, a line each, once acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from core.database import BaseModel, Database, Snowflake, open_database

GUILDS = range(1, 13)
CALLERS = 40


class KillHalf(BaseModel):
    """One of the two rows that each call writes."""

    guild_id = Snowflake()
    kind = peewee.TextField()
    number = Snowflake()
    half = Snowflake()

    class Meta:
        table_name = "kill_half"
        indexes = ((("kind", "number", "half"), True),)


class KillTally(BaseModel):
    """How many calls have written to a guild: counted in the same transaction."""

    id = Snowflake(primary_key=True)
    calls = Snowflake(default=0)

    class Meta:
        table_name = "kill_tally"


def write_both(guild_id: int, kind: str, number: int) -> None:
    """Write two rows and count them, unless that has been done; store function."""
    done = KillHalf.select().where(KillHalf.kind == kind, KillHalf.number == number)
    if done.exists():
        return
    KillHalf.create(guild_id=guild_id, kind=kind, number=number, half=1)
    KillTally.insert(id=guild_id, calls=1).on_conflict(
        conflict_target=[KillTally.id], update={KillTally.calls: KillTally.calls + 1}
    ).execute()
    KillHalf.create(guild_id=guild_id, kind=kind, number=number, half=2)


def prepare(database: Database) -> None:
    """Make the tables; before the database is started."""
    with database.backend.connection_context():
        database.backend.create_tables([KillHalf, KillTally])


async def call(database: Database, number: int) -> str:
    """Make the call with this number and return its kind once it is acknowledged."""
    guild_id = GUILDS[number % len(GUILDS)]
    kind = ("w", "w", "a", "x")[number % 4]
    if kind == "a":
        rows = [{"guild_id": guild_id, "kind": "a", "number": number, "half": half} for half in (1, 2)]
        await database.append(KillHalf, rows, key=guild_id)
    elif kind == "x":
        await database.write_alone(write_both, guild_id, "x", number, key=guild_id)
    else:
        await database.write(write_both, guild_id, "w", number, key=guild_id)
    return kind


def wrongs() -> list[str]:
    """Return what is stored by half or counted wrongly; store function."""
    halves = Counter(KillHalf.select(KillHalf.kind, KillHalf.number).tuples())
    found = [f"{kind}{number} is half stored" for (kind, number), count in halves.items() if count != 2]
    counted = {tally.id: tally.calls for tally in KillTally.select()}
    written = Counter(
        guild_id
        for (guild_id,) in KillHalf.select(KillHalf.guild_id)
        .where(KillHalf.kind != "a", KillHalf.half == 1)
        .tuples()
    )
    if counted != dict(written):
        found.append(f"counted {counted}, written {dict(written)}")
    return found


def stored() -> set[str]:
    """Return kind and number of every call that is stored; store function."""
    return {f"{kind}{number}" for kind, number in KillHalf.select(KillHalf.kind, KillHalf.number).tuples()}


def broken(database: Any) -> list[str]:
    """Return what the database itself finds wrong with its files; connected, in this thread."""
    if isinstance(database, peewee.SqliteDatabase):
        rows = database.execute_sql("PRAGMA integrity_check").fetchall()
        return [text for (text,) in rows if text != "ok"]
    counts: dict[str, list[int]] = {}
    for table in ("kill_half", "kill_tally"):
        for way in ("seqscan", "indexonlyscan"):
            for other in ("seqscan", "indexscan", "indexonlyscan", "bitmapscan"):
                database.execute_sql(f"SET enable_{other} = {'on' if other == way else 'off'}")
            cursor = database.execute_sql(f"SELECT count(*) FROM {table} WHERE id >= 0")
            counts.setdefault(table, []).append(cursor.fetchone()[0])
    return [f"{table} has {rows}, its index {keys}" for table, (rows, keys) in counts.items() if rows != keys]


def write_until_killed(url: str, seed: int, calls: int) -> set[str]:
    """Have a process write, kill it at random after `calls` calls, and return what it acknowledged."""
    dice = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, __file__, url, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    acknowledged = {process.stdout.readline().strip() for _ in range(calls)}
    if "" in acknowledged:
        raise RuntimeError(f"the writing process ended: {process.stderr.read()}")
    # The pipe is not read meanwhile: what it says until it dies stays in it.
    timer = threading.Timer(dice.uniform(0, 0.05), process.kill)
    timer.start()
    rest = process.stdout.read()
    process.wait()
    timer.join()
    process.stdout.close()
    process.stderr.close()
    # The last line may be cut off.
    return acknowledged | set(rest.split("\n")[:-1])


async def _write_for_ever(url: str, seed: int, say: Callable[[str], None]) -> None:
    database = open_database(url)
    prepare(database)
    await database.start()
    numbers = itertools.count(seed * 10_000_000)

    async def caller() -> None:
        while True:
            number = next(numbers)
            say(f"{await call(database, number)}{number}")

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(_write_for_ever(sys.argv[1], int(sys.argv[2]), lambda line: print(line, flush=True)))
