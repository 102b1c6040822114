"""A job belongs to one process while it runs, and to somebody else once that process is gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.job_host import JobHost
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.clock import SteppedClock, SystemClock
from core.database import CORE_SCHEMA, JobRow, migrate_up, open_database
from core.jobs import BACKOFF, claims, enqueue, store
from core.jobs.workers import CLAIM

PROCESS = Path(__file__).parents[1] / "support" / "job_process.py"
START = datetime(2026, 3, 1, 18, tzinfo=UTC)
GUILDS = (11, 22)
#: Real seconds that three processes get to start before the work does.
START_UP = 4

PORTER = """
import threading
LOG = []
GO = threading.Event()
FREE = asyncio.Event()
NOW = 0
MOST = 0

async def carry(ctx, payload):
    print(payload["key"], flush=True)
    LOG.append((ctx.guild_id, payload["key"], ctx.clock.now()))
    if payload["key"].startswith("stay"):
        await asyncio.Event().wait()

async def nap(ctx, payload):
    LOG.append((ctx.guild_id, payload["key"], ctx.clock.now()))
    await ctx.clock.sleep(100_000)

async def dig(ctx, payload):
    LOG.append((ctx.guild_id, payload["key"], ctx.clock.now()))
    await ctx.to_thread(GO.wait, 20)

async def deaf(ctx, payload):
    LOG.append((ctx.guild_id, payload["key"], ctx.clock.now()))
    while not FREE.is_set():
        try:
            await FREE.wait()
        except asyncio.CancelledError:
            pass

async def crowd(ctx, payload):
    global NOW, MOST
    NOW += 1
    MOST = max(MOST, NOW)
    await FREE.wait()
    NOW -= 1

@hookimpl
def register_jobs():
    return [Job("carry", carry), Job("dig", dig, deadline=0.05), Job("deaf", deaf, deadline=0.05),
            Job("crowd", crowd), Job("nap", nap)]
"""


def book(first_id: int, jobs: list[tuple[int, str, str]], due: datetime) -> None:
    for number, (guild_id, name, key) in enumerate(jobs):
        enqueue(
            first_id + number,
            plugin="porter",
            guild_id=guild_id,
            name=name,
            key=key,
            payload={"key": key},
            due=due,
        )


def states() -> dict[str, tuple[str, int, str | None]]:
    query: Any = JobRow.select(JobRow.key, JobRow.state, JobRow.attempts, JobRow.last_error)
    return {key: rest for key, *rest in query.where(JobRow.plugin == "porter").tuples()}  # type: ignore[misc]


class Porter:
    """The plugin in a process of ours, on a clock that is turned."""

    def __init__(self, url: str, folder: PluginFolder, guilds: Iterable[int] = GUILDS) -> None:
        self.clock = SteppedClock(START)
        self.host = JobHost(url, folder.selection("porter"), self.clock, guilds)
        self.module: Any = folder.module("porter")

    async def book(self, *jobs: tuple[int, str, str]) -> None:
        await self.host.db.write(book, self.host.ids.next(), list(jobs), self.clock.now())

    async def states(self) -> dict[str, tuple[str, int, str | None]]:
        return {key: tuple(row) for key, row in (await self.host.db.read(states)).items()}  # type: ignore[misc]

    @property
    def ran(self) -> list[str]:
        return [key for _guild, key, _at in self.module.LOG]


@pytest.fixture
def porter_folder(folder: PluginFolder) -> PluginFolder:
    folder.write("porter", PORTER)
    return folder


@pytest.fixture
async def porter(porter_folder: PluginFolder, lite: str) -> AsyncIterator[Porter]:
    made = Porter(lite, porter_folder)
    await made.host.start()
    yield made
    await made.host.stop(0.01)


@pytest.fixture
async def each_porter(porter_folder: PluginFolder, database_url: str) -> AsyncIterator[Porter]:
    made = Porter(database_url, porter_folder)
    await made.host.start()
    yield made
    await made.host.stop(0.01)


def start_process(url: str, folder: PluginFolder, guilds: Iterable[int]) -> subprocess.Popen[str]:
    words = [sys.executable, str(PROCESS), url, str(folder.path), "porter", ",".join(map(str, guilds))]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_three_processes_run_each_of_a_thousand_jobs_once(
    database_url: str, porter_folder: PluginFolder
) -> None:
    guilds = range(1, 41)
    database = open_database(database_url)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    # All of them have all guilds open, and guild 0 is everybody's: only the claims keep them apart.
    jobs = [(number % 41, "carry", f"{number:04}") for number in range(1_000)]
    await database.write(book, 1, jobs, SystemClock().now() + timedelta(seconds=START_UP))
    processes = [start_process(database_url, porter_folder, guilds) for _ in range(3)]

    def left() -> int:
        return JobRow.select().where(JobRow.plugin == "porter", JobRow.state != "done").count()

    try:
        async with asyncio.timeout(90):
            while await database.read(left):  # noqa: ASYNC110 - the end is seen in the table only
                await asyncio.sleep(0.05)
        said = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in processes))
    finally:
        for process in processes:
            process.kill()
            process.wait()
        await database.close()
    by_process = [[word for word in out.split() if word != "ready"] for out, _ in said]
    assert Counter(key for keys in by_process for key in keys) == {key: 1 for _, _, key in jobs}
    assert all(by_process), "each had its share"


async def test_what_a_killed_process_was_running_runs_again(
    database_url: str, porter_folder: PluginFolder
) -> None:
    porter = Porter(database_url, porter_folder)
    database = open_database(database_url)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    await database.write(book, 1, [(11, "carry", "stay"), (11, "carry", "next")], START)
    await database.close()
    process = start_process(database_url, porter_folder, GUILDS)
    assert process.stdout is not None
    assert {await asyncio.to_thread(process.stdout.readline) for _ in range(2)} == {"ready\n", "stay\n"}
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()
    await porter.host.start()
    await until(lambda: porter.ran)
    assert porter.ran == ["stay"], "at once: nobody waits for the claim of a dead process"
    assert await porter.states() == {
        "stay": ("running", 1, "the process ended while it ran"),
        "next": ("waiting", 0, None),
    }
    await porter.host.stop(0.01)


async def test_a_claim_of_another_machine_has_to_run_out(each_porter: Porter) -> None:
    porter = each_porter
    host = porter.host

    def claimed_elsewhere() -> None:
        book(1, [(11, "carry", "theirs")], START)
        until_then = START + timedelta(seconds=30)
        assert store.claim(1, "elsewhere/1/abcd", START, until_then) is not None
        book(2, [(11, "carry", "behind"), (22, "carry", "other")], START)

    await host.db.write(claimed_elsewhere)
    await host.settle()
    assert porter.ran == ["other"], "an order that may still be kept elsewhere is kept here"
    await porter.clock.advance(29, host.settle)
    assert porter.ran == ["other"]
    await porter.clock.advance(1, host.settle)
    assert porter.ran == ["other", "theirs", "behind"]
    assert await host.db.write(store.finish, 1, "elsewhere/1/abcd") is False, "too late"


async def test_a_claim_is_renewed_while_its_job_runs(porter: Porter) -> None:
    await porter.book((11, "nap", "nap"))
    await porter.host.settle()
    await porter.clock.advance(20 * CLAIM, porter.host.settle)
    row = await porter.host.db.read(lambda: JobRow.get(JobRow.key == "nap"))
    assert (row.state, porter.ran) == ("running", ["nap"])
    assert porter.clock.now() < row.claimed_until <= porter.clock.now() + timedelta(seconds=CLAIM)


async def test_only_one_of_two_gets_a_job(each_porter: Porter) -> None:
    database = each_porter.host.db

    def twice() -> list[Any]:
        book(1, [(33, "carry", "one")], START)
        later = START + timedelta(seconds=60)
        return [store.claim(1, token, START, later) for token in ("a/1/1", "a/2/2")]

    first, second = await database.write(twice)
    assert (first, second) == (store.Claimed({"key": "one"}, 0), None)
    assert await database.write(store.put_back, 1, "a/2/2") is False
    assert await database.write(store.renew, 1, "a/2/2", START) is False
    assert await database.write(store.finish, 1, "a/1/1") is True


async def test_a_job_that_takes_the_process_with_it_dies_in_the_end(porter: Porter) -> None:
    await porter.book((11, "carry", "stay"))
    for life in range(len(BACKOFF) + 1):
        await until(lambda lives=life + 1: len(porter.ran) == lives)
        assert (await porter.states())["stay"][:2] == ("running", life)
        await porter.host.stop(0)
        await porter.host.start(migrate=False)
    await porter.host.settle()
    state, attempts, error = (await porter.states())["stay"]
    assert (state, attempts) == ("dead", len(BACKOFF) + 1)
    assert error == f"the process ended while it ran, {attempts} tries in all"
    assert len(porter.ran) == len(BACKOFF) + 1


@pytest.mark.parametrize("kind", ["dig", "deaf"])
async def test_a_job_that_outlives_its_deadline_is_not_started_beside_itself(
    porter: Porter, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.CANCEL_GRACE", 0.02)
    await porter.book((11, kind, "slow"), (11, "carry", "behind"), (22, "carry", "beside"))
    await until(porter.host.jobs.hung)
    [hung] = porter.host.jobs.hung()
    assert (hung.plugin, hung.guild_id, hung.name) == ("porter", 11, kind)
    porter.host.jobs.wake()
    await until(lambda: "beside" in porter.ran and not porter.host.jobs.busy)
    assert porter.ran.count("slow") == 1
    assert "behind" not in porter.ran
    assert (await porter.states())["slow"][0] == "running"
    porter.module.GO.set()
    porter.module.FREE.set()
    await until(lambda: "behind" in porter.ran)
    await porter.host.settle()
    assert (await porter.states())["slow"] == (
        "waiting",
        1,
        "it took longer than its 0.05 s and was stopped",
    )
    await porter.clock.advance(BACKOFF[0], porter.host.settle)
    assert porter.ran.count("slow") == 2
    assert porter.host.jobs.hung() == []


async def test_at_most_fifty_run_together(porter_folder: PluginFolder, lite: str) -> None:
    guilds = range(1, 71)
    porter = Porter(lite, porter_folder, guilds)
    await porter.host.start()
    await porter.book(*((guild, "crowd", f"{guild}") for guild in guilds))
    await until(lambda: porter.module.NOW == 50)
    porter.module.FREE.set()
    await porter.host.settle()
    assert {state for state, _, _ in (await porter.states()).values()} == {"done"}
    assert porter.module.MOST == 50
    await porter.host.stop()


async def test_a_stop_puts_a_running_job_back_without_a_failure(porter: Porter) -> None:
    await porter.book((11, "carry", "stay"))
    await until(lambda: porter.ran)
    await porter.host.stop(0.01)
    await porter.host.start(migrate=False)
    await until(lambda: len(porter.ran) == 2)
    assert (await porter.states())["stay"] == ("running", 0, None)


def test_who_is_surely_dead() -> None:
    mine = claims.new_token()
    place = mine.partition("/")[0]
    assert not claims.surely_dead(mine)
    claims.give_up(mine)
    assert claims.surely_dead(mine), "an earlier life of this process"
    assert claims.surely_dead(None)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert not claims.surely_dead(f"{place}/{process.pid}/abcd"), "it lives"
        process.kill()
        # Not waited for: a zombie still has its number.
        while process.poll() is None and not claims.surely_dead(f"{place}/{process.pid}/abcd"):
            pass
        assert claims.surely_dead(f"{place}/{process.pid}/abcd")
    assert not claims.surely_dead(f"elsewhere/{process.pid}/abcd"), "cannot be judged"
    assert not claims.surely_dead("nonsense")
