"""The job table stays cheap to look at, and tidy; and an operator can see and mend what is in it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.job_host import JobHost
from support.plugin_folder import PluginFolder

from core.cli.app import main
from core.clock import SteppedClock
from core.database import Database, JobRow
from core.jobs import enqueue, store
from core.jobs.look import PAGE

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
GUILD = 11

CLERK = """
RAN = []
FAIL = []

async def pay(ctx, payload):
    if FAIL:
        raise ValueError("no\\nmoney")
    RAN.append(payload["key"])

@hookimpl
def register_jobs():
    return [Job("pay", pay)]
"""


def fill(database: Database, count: int) -> None:
    """Store jobs, one due each second: of ten one is ready, three are held, the rest is done."""
    if database.is_postgres:
        numbers = f"generate_series(1, {count}) AS n(i)"
        due, held = f"timestamptz '{START.isoformat()}' + i * interval '1 second'", "now()"
    else:
        numbers = "n"
        database.backend.execute_sql("CREATE TEMP TABLE n (i INTEGER)")
        database.backend.execute_sql(
            f"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count})"
            " INSERT INTO n SELECT i FROM c"
        )
        due, held = f"{int(START.timestamp())} * 1000000 + i * 1000000", "1"
    database.backend.execute_sql(
        "INSERT INTO jobs (id, created_at, updated_at, plugin, guild_id, name, key, payload, due, state, "
        f"attempts, held_since) SELECT i, {due}, {due}, 'clerk', i / 100, 'pay', CAST(i AS TEXT), '{{}}', "
        f"{due}, CASE WHEN i - i / 10 * 10 < 4 THEN 'waiting' ELSE 'done' END, 0, "
        f"CASE WHEN i - i / 10 * 10 IN (1, 2, 3) THEN {held} END FROM {numbers}"
    )


def plan_of(database: Database, statement: str, values: Any) -> str:
    """Return how the database would run a statement."""
    explain = "EXPLAIN" if database.is_postgres else "EXPLAIN QUERY PLAN"
    rows = database.backend.execute_sql(f"{explain} {statement}", values).fetchall()
    return "\n".join(str(row) for row in rows)


async def test_a_look_reads_only_what_is_ready(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await database.write(fill, database, 100_000)

    def plans() -> list[str]:
        if database.is_postgres:
            database.backend.execute_sql("ANALYZE jobs")
        with caplog.at_level(logging.DEBUG, "peewee"):
            caplog.clear()
            first = store.ready_jobs(START + timedelta(seconds=60), None, PAGE)
            store.ready_jobs(START + timedelta(seconds=60), (first[-1].due, first[-1].id), PAGE)
            store.running_jobs()
            statements = [record.msg for record in caplog.records if record.name == "peewee"]
        assert [job.id for job in first] == [number for number in range(1, 61) if number % 10 == 0]
        return [plan_of(database, statement, values) for statement, values in statements]

    look, page, running = await database.write(plans)
    for plan in (look, page):
        assert "jobs_ready" in plan
        assert "Sort" not in plan
        assert "B-TREE" not in plan
    assert "jobs_state_due" in running


@pytest.fixture
async def host(folder: PluginFolder, database_url: str) -> AsyncIterator[JobHost]:
    folder.write("clerk", CLERK)
    made = JobHost(database_url, folder.selection("clerk"), SteppedClock(START), [GUILD])
    await made.start()
    yield made
    await made.stop()


def book(job_id: int, key: str, due: datetime) -> None:
    enqueue(job_id, plugin="clerk", guild_id=GUILD, name="pay", key=key, payload={"key": key}, due=due)


def keys() -> set[str]:
    return {row.key for row in JobRow.select(JobRow.key).where(JobRow.plugin == "clerk")}


async def test_held_jobs_are_not_read_again(host: JobHost, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.switch(GUILD, "clerk", False)
    for number in range(5):
        await host.db.write(book, host.ids.next(), str(number), START + timedelta(seconds=number))
    await host.settle()
    read = host.db.read
    seen: list[int] = []

    async def counted(function: Any, *args: Any, **more: Any) -> Any:
        answer = await read(function, *args, **more)
        if function is store.running_and_ready:
            seen.append(len(answer[1]))
        return answer

    monkeypatch.setattr(host.db, "read", counted)
    host.jobs.wake()
    await host.settle()
    assert seen == [0]
    held = await read(lambda: [row.held_since for row in JobRow.select().where(JobRow.plugin == "clerk")])
    assert held == [START] * 5
    # Stored while it is off, seen once, and held too.
    await host.db.write(book, host.ids.next(), "late", START)
    await host.settle()
    host.jobs.wake()
    await host.settle()
    assert seen[-1] == 0
    await host.switch(GUILD, "clerk", True)
    await host.settle()
    module: Any = host.manager.loaded["clerk"].module
    assert sorted(module.RAN) == ["0", "late"]


async def test_what_is_long_done_is_deleted_and_the_dead_stay(
    host: JobHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.core_jobs.CHUNK", 7)
    # A look a minute over two weeks would show nothing more.
    monkeypatch.setattr("core.jobs.look.LOOK_EVERY", 3_600.0)
    module: Any = host.manager.loaded["clerk"].module
    clock: Any = host.clock
    for number in range(20):
        await host.db.write(book, host.ids.next(), f"old{number}", START)
    await host.settle()
    module.FAIL.append(1)
    await host.db.write(book, host.ids.next(), "dead", START)
    await host.settle()
    await clock.advance(10_000, host.settle)
    module.FAIL.clear()
    await clock.advance(10 * 86_400, host.settle)
    await host.db.write(book, host.ids.next(), "new", clock.now())
    await host.db.write(book, host.ids.next(), "far", clock.now() + timedelta(days=60))
    await host.settle()
    assert len(await host.db.read(keys)) == 23
    await clock.advance(5 * 86_400, host.settle)
    assert await host.db.read(keys) == {"dead", "new", "far"}
    tidying = await host.db.read(lambda: JobRow.select().where(JobRow.name == "tidy").count())
    assert tidying <= 16, "its own rows go too"


async def test_a_name_of_the_core_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="the job name '@event' begins with @, which is kept for the core"):
        await database.write(
            lambda: enqueue(1, plugin="core", guild_id=1, name="@event", key="", payload={}, due=START)
        )


class Operator:
    """Somebody with a command line."""

    def __init__(self, folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        (folder / "plugins.toml").write_text("[plugins]\nload = []\n")
        self.url = url

    def run(self, *words: str) -> tuple[int, str, str]:
        status = main(["jobs", *words])
        done = self._capsys.readouterr()
        return status, done.out, done.err


@pytest.fixture
def operator(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Operator]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.delenv("PLUGINS_FILE", raising=False)
    # The command sets logging up for a process of its own.
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Operator(tmp_path, database_url, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


async def test_an_operator_sees_and_mends_dead_jobs(host: JobHost, operator: Operator) -> None:
    module: Any = host.manager.loaded["clerk"].module
    clock: Any = host.clock
    module.FAIL.append(1)
    first, second = host.ids.next(), host.ids.next()
    await host.db.write(book, first, "a", START)
    await host.db.write(book, second, "b", START)
    await host.settle()
    await clock.advance(10_000, host.settle)
    await host.stop()
    status, out, err = operator.run("list", "--dead")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["ID", "PLUGIN", "GUILD", "JOB", "STATE", "DUE", "FAILED", "LAST", "ERROR"]
    assert lines[1].startswith(f"{first}  clerk   11     pay a  dead   2026-03-01 19:12:35Z")
    assert lines[1].endswith("6       ValueError: no money")
    assert len(lines) == 3
    assert operator.run("list", "--waiting")[1].count("\n") == 2, "the daily tidying waits"
    assert operator.run("list", "--held")[1] == "No job is held.\n"
    assert operator.run("list", "--limit", "1")[1].endswith("... and 2 more; --limit 3 shows all.\n")
    said = operator.run("retry", str(first))
    assert said == (0, f"Job {first} (clerk.pay) is tried again.\n", "")
    said = operator.run("drop", str(second))
    assert said == (0, f"Job {second} (clerk.pay) is dropped and counts as done.\n", "")
    status, out, err = operator.run("drop", str(second))
    assert (status, out) == (1, "")
    assert err == f"Job {second} is done already: there is nothing to drop.\n"
    assert operator.run("retry", "1")[2] == "There is no job 1: `redlegion jobs list` shows their ids.\n"
    module.FAIL.clear()
    await host.start(migrate=False)
    await host.settle()
    assert module.RAN == ["a"]
    assert await host.jobs.dead(GUILD) == []


async def test_an_operator_may_look_beside_a_running_bot(host: JobHost, operator: Operator) -> None:
    job_id = host.ids.next()
    await host.db.write(book, job_id, "later", START + timedelta(days=1))
    assert str(job_id) in operator.run("list")[1]


def test_an_empty_database_is_explained(operator: Operator) -> None:
    status, out, err = operator.run("list")
    assert (status, out) == (1, "")
    assert err == (
        "The tables of this database are not those of this version: run `redlegion migrate` first.\n"
    )


async def test_a_payload_keeps_its_shape(host: JobHost) -> None:
    payload = {"key": "x", "list": [1, None, "ü"], "deep": {"a": {"b": True}}}
    await host.db.write(
        lambda: enqueue(9, plugin="clerk", guild_id=GUILD, name="pay", key="x", payload=payload, due=START)
    )
    stored = await host.db.read(lambda: JobRow.get_by_id(9).payload)
    assert json.dumps(stored) == json.dumps(payload)


async def test_each_runs_at_its_second_however_little_a_look_reads(
    host: JobHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.look.PAGE", 3)
    monkeypatch.setattr("core.jobs.look.ENOUGH", 5)
    module: Any = host.manager.loaded["clerk"].module
    clock: Any = host.clock
    for number in range(60):
        await host.db.write(
            book, host.ids.next(), f"{number:02}", START + timedelta(seconds=number // 20 * 7)
        )
    for done in (20, 40, 60):
        await host.settle()
        assert [f"{number:02}" for number in range(done)] == module.RAN
        await clock.advance(6, host.settle)
        assert len(module.RAN) == done
        await clock.advance(1, host.settle)
