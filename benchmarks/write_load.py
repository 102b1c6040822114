"""The child of the benchmark of writes: durable calls of many tasks, together or one by one."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from core.database import BaseModel, Database, Instant, Snowflake, open_database

CALLERS = 500
GUILDS = 50
WARM_UP = 100
Call = Callable[[int], Awaitable[Any]]


class BenchStay(BaseModel):
    """A stay, as a voice event leaves one."""

    guild_id = Snowflake()
    user_id = Snowflake()
    joined = Instant()
    left = Instant(null=True)

    class Meta:
        table_name = "bench_stay"
        indexes = ((("user_id",), False),)


def change(number: int) -> None:
    """Insert a row and update it: the small transaction of most commands and events."""
    now = datetime.now(UTC)
    stay = BenchStay.create(guild_id=number % GUILDS, user_id=number, joined=now)
    BenchStay.update(left=now).where(BenchStay.id == stay.id).execute()


def row(number: int) -> dict[str, Any]:
    """Return a row to append."""
    now = datetime.now(UTC)
    return {"guild_id": number % GUILDS, "user_id": number, "joined": now, "left": now}


def ours(database: Database, work: str) -> Call:
    """Return the call as plugins make it."""
    if work == "append":
        return lambda number: database.append(BenchStay, [row(number)], key=number % GUILDS)
    return lambda number: database.write(change, number, key=number % GUILDS)


def each(database: Database, work: str) -> Call:
    """Return the same in a transaction of its own, in a thread, as asyncio.to_thread would do it."""
    thread = ThreadPoolExecutor(1)
    backend = database.backend

    def run(number: int) -> None:
        if backend.is_closed():
            backend.connect()
        with backend.atomic():
            if work == "append":
                BenchStay.insert(**row(number)).execute()
            else:
                change(number)

    return lambda number: asyncio.get_running_loop().run_in_executor(thread, run, number)


async def measure(call: Call, count: int) -> float:
    """Make the calls, `CALLERS` at a time, and return how many were done in a second."""
    numbers = iter(range(WARM_UP, WARM_UP + count))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*(call(number) for number in itertools.islice(itertools.count(), WARM_UP)))
    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return count / (time.perf_counter() - started)


async def main() -> None:
    """Run what the command line asks for and print the rate."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=("ours", "each"))
    parser.add_argument("work", choices=("write", "append"))
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    database = open_database(given.url)
    with database.backend.connection_context():
        database.backend.drop_tables([BenchStay])
        database.backend.create_tables([BenchStay])
    await database.start()
    way = ours if given.way == "ours" else each
    print(await measure(way(database, given.work), given.count))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
