"""kill -9 of the writing process, and of PostgreSQL under it: what was acknowledged stays, none by half."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import killed_writer
from support.postgres import PostgresServer, start_postgres

from core.database import CommitUnknown, DatabaseUnavailable, open_database

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
ROUNDS = 4
SOAK_ROUNDS = 60


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that keeps what it acknowledges, unlike the suite's."""
    server = start_postgres(DURABLE)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that keeps what it acknowledges; SQLite does so by the project's own settings."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kill.sqlite3'}"
    server: PostgresServer = request.getfixturevalue("durable_server")
    return server.url()


async def kill_again_and_again(url: str, rounds: int) -> None:
    dice = random.Random(rounds)
    first = dice.randrange(1, 1_000_000)
    acknowledged: set[str] = set()
    for number in range(rounds):
        acknowledged |= await asyncio.to_thread(
            killed_writer.write_until_killed, url, first + number, dice.randrange(50, 400)
        )
        database = open_database(url)
        with database.backend.connection_context():
            assert killed_writer.broken(database.backend) == []
        await database.start()
        assert await database.read(killed_writer.wrongs) == []
        assert acknowledged - await database.read(killed_writer.stored) == set()
        await database.close()
    assert len(acknowledged) > 50 * rounds
    assert {line[0] for line in acknowledged} == {"w", "a", "x"}


async def test_kill_9_under_load_loses_and_halves_nothing(durable_url: str) -> None:
    await kill_again_and_again(durable_url, ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
async def test_kill_9_under_load_loses_and_halves_nothing_for_long(durable_url: str) -> None:
    await kill_again_and_again(durable_url, SOAK_ROUNDS)


async def outlive_the_server(
    server: PostgresServer, signals: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Write through crashes of the server; what is refused or unknown is asked for again, by its number."""
    caplog.set_level(logging.WARNING, "redlegion.database")
    database = open_database(server.url())
    killed_writer.prepare(database)
    await database.start()
    numbers = itertools.count(1_000_000 * random.Random(len(signals)).randrange(10**6, 2 * 10**6))
    acknowledged: set[str] = set()
    refused = [0, 0]
    stop = asyncio.Event()

    async def caller() -> None:
        while not stop.is_set():
            # Appends have nothing by which a repeated one is known.
            number = next(number for number in numbers if number % 4 != 2)
            while True:
                try:
                    kind = await killed_writer.call(database, number)
                except DatabaseUnavailable:
                    refused[0] += 1
                    await asyncio.sleep(0.05)
                except CommitUnknown:
                    refused[1] += 1
                else:
                    acknowledged.add(f"{kind}{number}")
                    break

    callers = [asyncio.create_task(caller()) for _ in range(30)]
    for number in signals:
        before = len(acknowledged)
        async with asyncio.timeout(30):
            while len(acknowledged) < before + 300:  # noqa: ASYNC110 - until enough was written to be lost
                await asyncio.sleep(0.01)
        caplog.clear()
        await asyncio.to_thread(server.crash, number)
        async with asyncio.timeout(30):
            while not database.availability.refuses:  # noqa: ASYNC110 - as long as calls wait
                await asyncio.sleep(0.01)
        assert database.pending <= 30
        await asyncio.to_thread(server.start_again)
        async with asyncio.timeout(30):
            while database.availability.away:  # noqa: ASYNC110 - a thread finds out
                await asyncio.sleep(0.01)
        lines = [record.getMessage() for record in caplog.records if "database is" in record.getMessage()]
        assert [line.split(" (")[0].split(" after")[0] for line in lines] == [
            "the database is away",
            "the database is back",
        ]
    stop.set()
    await asyncio.gather(*callers)
    assert refused[0] > 0
    assert await database.read(killed_writer.wrongs) == []
    assert acknowledged - await database.read(killed_writer.stored) == set()
    await database.close()
    with database.backend.connection_context():
        assert killed_writer.broken(database.backend) == []


async def test_a_server_that_crashes_under_load_loses_and_doubles_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = start_postgres(DURABLE)
    try:
        await outlive_the_server(server, [signal.SIGQUIT, signal.SIGKILL], caplog)
    finally:
        server.stop()


@pytest.mark.soak
@pytest.mark.timeout(1_800)
async def test_a_server_that_crashes_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    server = start_postgres(DURABLE)
    try:
        await outlive_the_server(server, [signal.SIGQUIT, signal.SIGKILL] * 15, caplog)
    finally:
        server.stop()
