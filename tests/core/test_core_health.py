"""Health over HTTP: alive, ready with what stands in the way in words, and figures."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
import pytest
from support.plugin_folder import PluginFolder
from support.served_health import Serving, serve
from support.waiting import until

from core.address import Address
from core.cli.running import ask
from core.database import Database
from core.health.figures import count_jobs
from core.jobs import enqueue

SHOP = """
@hookimpl
async def on_voice_session_started(ctx, event):
    pass

@hookimpl
async def on_voice_session_ended(ctx, event):
    raise ValueError("sold out")

@hookimpl
def register_health_checks():
    return [HealthCheck("prices", prices, vital=True), HealthCheck("weather", weather)]

words = {"prices": None, "weather": None}
asked = []

async def prices(runtime):
    asked.append("prices")
    if words["prices"] == "hang":
        await asyncio.Event().wait()
    return words["prices"]

async def weather(runtime):
    if words["weather"]:
        raise RuntimeError(words["weather"])
"""


@pytest.fixture
def serving(folder: PluginFolder) -> Serving:
    """Opens a stage: `async with serving("alpha", url=lite) as served`."""
    return partial(serve, folder)


@pytest.fixture
def shop(folder: PluginFolder) -> str:
    return folder.write("shop", SHOP, records_voice=True)


async def test_alive_and_ready(serving: Serving, database_url: str, shop: str) -> None:
    async with serving(shop, url=database_url) as served:
        status, body = await served.ask("/healthz")
        assert (status, body["alive"]) == (200, True)
        assert await served.ask("/readyz") == (200, {"ready": True, "problems": [], "notes": []})
        status, body = await served.ask("/elsewhere")
        assert (status, body["error"]) == (
            404,
            "there is nothing at /elsewhere; ask for /healthz, /readyz or /metrics",
        )
        url = served.health.server.url
    with pytest.raises(aiohttp.ClientConnectorError):
        async with aiohttp.ClientSession() as session:
            await session.get(f"{url}/healthz")
    assert "health" not in {thread.name for thread in threading.enumerate()}


async def test_what_plugins_check(
    serving: Serving, lite: str, shop: str, folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.health.readiness.CHECK_AGAIN", 0.0)
    monkeypatch.setattr("core.health.readiness.CHECK_WITHIN", 0.2)
    async with serving(shop, url=lite) as served:
        module = folder.module(shop)
        module.words.update(prices="the price service is away", weather="rain")
        assert await served.ask("/readyz") == (
            503,
            {
                "ready": False,
                "problems": ["shop.prices: the price service is away"],
                "notes": ["shop.weather: it failed: RuntimeError: rain"],
            },
        )
        module.words.update(prices="hang", weather=None)
        status, body = await served.ask("/readyz")
        assert (status, body["problems"]) == (503, ["shop.prices: it has not answered within 0.2 s"])
        module.words["prices"] = None
        await until(lambda: not served.health.readiness._asking)
        assert (await served.ask("/readyz"))[0] == 200
        monkeypatch.setattr("core.health.readiness.CHECK_AGAIN", 60.0)
        before = len(module.asked)
        await asyncio.gather(*(served.ask("/readyz") for _ in range(5)))
        assert len(module.asked) == before


async def test_a_connection_that_is_down(serving: Serving, lite: str, shop: str) -> None:
    async with serving(shop, url=lite) as served:
        served.stage.world.faults.drop_gateway(hold_seconds=3600)
        await until(lambda: not served.stage.runtime.bot.connected_shards)
        status, body = await served.ask("/readyz")
        assert status == 503
        assert body["problems"] == [
            "no connection to Discord's gateway on shard 0; it is tried again by itself"
        ]


async def test_a_database_that_does_not_answer(
    serving: Serving, database_url: str, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.health.readiness.DATABASE_WITHIN", 0.05)
    monkeypatch.setattr("core.health.figures.JOBS_WITHIN", 0.05)
    async with serving(shop, url=database_url) as served:
        db, go = served.stage.runtime.db, threading.Event()
        holding = asyncio.gather(db.write(go.wait, key=1), db.write(go.wait, key=2), db.read(go.wait))
        try:
            status, body = await served.ask("/readyz")
            assert status == 503
            (problem,) = body["problems"]
            assert problem.startswith("the database has not answered within 0.05 s, ")
            # What does not need the database is told all the same.
            assert await served.metric("database_pending") >= 2
        finally:
            go.set()
            await holding
        assert (await served.ask("/readyz"))[0] == 200


async def test_a_broken_plugin_is_named_and_the_bot_is_ready(
    serving: Serving, lite: str, shop: str, folder: PluginFolder
) -> None:
    folder.write("wreck", "raise RuntimeError('boom')")
    async with serving(shop, url=lite) as served:
        status, body = await served.ask("/readyz")
        assert (status, body["problems"]) == (200, [])
        (note,) = body["notes"]
        assert note.startswith("plugin wreck: RuntimeError: boom")
        assert await served.metric("plugin_loaded", plugin="shop") == 1
        assert await served.metric("plugin_loaded", plugin="wreck") == 0


async def test_only_migrations_that_were_not_applied_are_a_problem(
    serving: Serving, lite: str, shop: str, folder: PluginFolder
) -> None:
    table = (
        "from pathlib import Path\nfrom redlegion.database import BaseModel, Text\n"
        "class Row(BaseModel):\n    words = Text()\n    class Meta:\n        table_name = {table!r}\n"
        "@hookimpl\ndef register_schema():\n"
        "    return Schema({name!r}, (Row,), Path(__file__).parent / 'migrations')\n"
    )
    for name, row in (("misnamed", "elsewhere_row"), ("unmigrated", "unmigrated_row")):
        folder.write(name, table.format(name=name, table=row))
        migrations = folder.path / name / "migrations"
        migrations.mkdir(exist_ok=True)
        (migrations / "0001_initial.py").write_text(
            "def up(migrator, db):\n    raise ValueError('no')\n\ndef down(migrator, db): ...\n",
            encoding="utf-8",
        )
    async with serving(shop, url=lite) as served:
        status, body = await served.ask("/readyz")
        assert status == 503
        assert body["problems"] == [
            (
                "plugin unmigrated: register_schema: its migration 0001_initial could not be applied: "
                "ValueError: no"
            )
        ]
        (note,) = body["notes"]
        assert note.startswith("plugin misnamed: register_schema: the table elsewhere_row must be named")


async def test_figures_of_a_busy_bot(serving: Serving, database_url: str, shop: str) -> None:
    async with serving(shop, url=database_url) as served:
        scene, stage = served.stage.scene, served.stage
        for person in scene.members[:3]:
            await person.join(scene.voice_channels[0])
        await stage.settle()
        assert await served.metric("voice_sessions_open") == 3
        await scene.members[0].leave()
        await stage.settle()
        found = await served.metrics()

        def value(name: str, **labels: str) -> float:
            return found[f"redlegion_{name}", frozenset(labels.items())]

        started, ended = "on_voice_session_started", "on_voice_session_ended"
        assert value("hook_delivered_total", plugin=shop, hook=started) == 3
        assert value("hook_failed_total", plugin=shop, hook=ended) == 1
        assert value("hook_timed_out_total", plugin=shop, hook=ended) == 0
        quantiles = [
            value("hook_seconds", plugin=shop, hook=started, quantile=q) for q in ("0.5", "0.99", "1")
        ]
        assert 0 < quantiles[0] <= quantiles[1] <= quantiles[2] < 5
        assert value("voice_sessions_open") == 2
        assert value("voice_unwritten") == 0
        assert value("database_writes_total") >= 4
        assert value("database_batches_total") >= 1
        assert value("gateway_shards_connected") == 1
        assert value("guilds") == len(stage.runtime.bot.guilds)
        assert value("menu_calls_total") >= 1
        assert value("ready") == 1
        assert value("uptime_seconds") > 0
        assert any(name == "redlegion_build_info" for name, _ in found)
        assert ("process_start_time_seconds", frozenset()) in found
        # A series per guild would grow with every guild that joins.
        assert not [labels for _, labels in found if any(key == "guild" for key, _ in labels)]


async def test_lanes_and_breakers_are_counted(serving: Serving, folder: PluginFolder, lite: str) -> None:
    waiting = """
    go = asyncio.Event()
    @hookimpl
    async def on_voice_session_started(ctx, event):
        await go.wait()
    """
    failing = """
    @hookimpl
    async def on_voice_session_started(ctx, event):
        raise ValueError("sour")
    """
    folder.write("slow", waiting, records_voice=True)
    folder.write("sour", failing, records_voice=True)
    async with serving("slow", "sour", url=lite) as served:
        scene, runtime = served.stage.scene, served.stage.runtime
        for _ in range(2):
            for person in scene.members:
                await person.join(scene.voice_channels[0])
                await person.join(scene.voice_channels[1])
                await person.leave()
        await until(runtime.dispatcher.breakers)
        assert await served.metric("breakers", plugin="sour", state="open") == 1
        assert await served.metric("lane_depth", plugin="slow") >= 5
        assert await served.metric("lane_depth_max", plugin="slow") >= 5
        status, body = await served.ask("/readyz")
        assert status == 200
        (note,) = body["notes"]
        assert note.startswith(
            f"plugin sour gets no events in guild {scene.guild.id} after 5 failures in a row"
        )
        folder.module("slow").go.set()


async def test_a_call_that_hangs_is_named(
    serving: Serving, folder: PluginFolder, lite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.dispatch.limits.DEADLINE", 1.0)
    code = """
    import threading
    go = threading.Event()
    def dig():
        go.wait(60)
    @hookimpl
    async def on_voice_session_started(ctx, event):
        await ctx.to_thread(dig)
    """
    folder.write("digger", code, records_voice=True)
    async with serving("digger", url=lite) as served:
        scene, dispatcher = served.stage.scene, served.stage.runtime.dispatcher
        await scene.members[0].join(scene.voice_channels[0])
        await until(dispatcher.hung)
        try:
            assert await served.metric("lanes_hung") == 1
            status, body = await served.ask("/readyz")
            assert status == 200
            (note,) = body["notes"]
            place = f"digger.on_voice_session_started in guild {scene.guild.id}"
            assert re.match(rf"{place} was stopped after its deadline and does not end, \d+ s by now", note)
            assert note.endswith("its lane waits for digger.dig")
        finally:
            folder.module("digger").go.set()
        await until(lambda: not dispatcher.hung())
        hook = {"plugin": "digger", "hook": "on_voice_session_started"}
        assert await served.metric("hook_timed_out_total", **hook) == 1
        assert await served.metric("lanes_hung") == 0


async def test_jobs_are_counted_by_state(database: Database, stepped_clock: Any) -> None:
    def store() -> None:
        for number in range(3):
            enqueue(
                number + 1,
                plugin="shop",
                guild_id=7,
                name="close",
                key=str(number),
                payload={},
                due=stepped_clock.now(),
            )

    await database.write(store, key=7)
    jobs = await database.read(count_jobs)
    assert jobs.counts == {("shop", "waiting"): 3}
    assert jobs.oldest == stepped_clock.now()


async def test_a_loop_that_stands_still_is_said_by_health(
    serving: Serving, shop: str, lite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.health.server.DEAD_AFTER", 0.3)
    monkeypatch.setattr("core.health.server.ANSWER_WITHIN", 0.2)
    async with serving(shop, url=lite) as served:
        host, port = served.health.server.url.removeprefix("http://").split(":")
        answers: list[str] = []

        def ask() -> None:
            time.sleep(0.6)
            for path in ("/healthz", "/readyz", "/metrics"):
                with socket.create_connection((host, int(port)), timeout=60) as connection:
                    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode())
                    parts = []
                    while part := connection.recv(65_536):
                        parts.append(part)
                    answers.append(b"".join(parts).decode())

        asking = threading.Thread(target=ask)
        asking.start()
        # The loop stands still until all three have been answered without it.
        asking.join(20)
        assert [answer.split()[1] for answer in answers] == ["503", "503", "503"]
        assert "the event loop has not turned for" in answers[0]
        assert "the event loop has not answered" in answers[1]
        await until(lambda: served.health.watchdog.still() < 0.2)
        status, body = await served.ask("/healthz")
        assert (status, body["alive"]) == (200, True)
        assert body["stalls"][-1]["seconds"] > 0.3


async def test_a_port_that_is_taken_does_not_stop_the_bot(
    serving: Serving, shop: str, lite: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with serving(shop, address=Address("127.0.0.1", port), url=lite) as served:
            assert served.health.server is None
            assert served.stage.runtime.ready
    assert f"health is not served: 127.0.0.1:{port} cannot be used" in caplog.text


async def test_a_page_with_a_name_of_its_own_reads_nothing(serving: Serving, shop: str, lite: str) -> None:
    async with serving(shop, url=lite) as served:
        for host in ("evil.example", "evil.example:9420", "", "127.0.0.1.evil.example", "10.0.0.1"):
            status, body = await served.ask("/metrics", Host=host)
            assert (status, "error" in body) == (421, True), host
        for host in ("localhost", "localhost:9420", "127.0.0.1:9420", "[::1]:9420"):
            assert (await served.ask("/healthz", Host=host))[0] == 200


async def test_no_secret_is_said(serving: Serving, shop: str, lite: str, folder: PluginFolder) -> None:
    async with serving(shop, url=lite) as served:
        runtime = served.stage.runtime
        runtime.settings = replace(runtime.settings, database_url="postgresql://bot:sesame@db/bot")
        folder.module(shop).words["prices"] = "cannot log in with sesame"
        _, body = await served.ask("/readyz")
        assert body["problems"] == ["shop.prices: cannot log in with ***"]


async def test_doctor_asks_a_running_bot(
    serving: Serving, shop: str, lite: str, folder: PluginFolder
) -> None:
    async with serving(shop, url=lite) as served:
        port = int(served.health.server.url.rpartition(":")[2])
        for host in ("127.0.0.1", "0.0.0.0"):
            address = Address(host, port)
            found = await asyncio.to_thread(lambda at=address: list(ask(at)))
            assert found[-1] == ("ok", f"the bot at {address} is ready")
            assert {level for level, _ in found[:-1]} <= {"note"}
        served.stage.runtime.health.readiness._answers.clear()
        folder.module(shop).words["prices"] = "the price service is away"
        found = await asyncio.to_thread(lambda: list(ask(address)))
        assert ("FAIL", "shop.prices: the price service is away") in found
        assert "ok" not in {level for level, _ in found}
    found = await asyncio.to_thread(lambda: list(ask(address)))
    assert found == [
        ("FAIL", f"nothing answers at {address}; start the bot, or set HEALTH_ADDRESS as it has it")
    ]
    assert [level for level, _ in ask(None)] == ["note"]
