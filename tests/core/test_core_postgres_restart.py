"""PostgreSQL goes away under the running bot and comes back: it says so, waits, goes on, loses nothing."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.postgres import PostgresServer, start_postgres
from support.waiting import until

from core.database import User, VoiceSession
from sandbox.stage import Stage, open_stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
#: Real seconds in which Discord wants an answer.
DISCORD_WAITS = 3.0

KEEPER = """
from core.database import ensure_user

HEARD = []
RAN = []

def book(job_id, guild_id, due, number):
    payload = {"id": number}
    where = {"plugin": "keeper", "guild_id": guild_id, "name": "note"}
    enqueue(job_id, key=str(number), payload=payload, due=due, **where)

async def note(ctx, payload):
    await ctx.write(ensure_user, payload["id"], "by a job")
    RAN.append(payload["id"])

@hookimpl
async def on_voice_session_started(ctx, event):
    HEARD.append(("started", event.session.user_id, event.session.channel_id))

@hookimpl
async def on_voice_session_moved(ctx, event):
    HEARD.append(("moved", event.opened.user_id, event.opened.channel_id))

@hookimpl
async def on_voice_session_ended(ctx, event):
    HEARD.append(("ended", event.session.user_id, event.session.channel_id))

@app_commands.command(name="dig", description="x")
@requires("member")
async def dig(interaction: discord.Interaction, number: int) -> None:
    await Context.of(interaction).write(ensure_user, number, "by a command")
    await reply(interaction, "stored")

@hookimpl
def register_commands():
    return [dig]

@hookimpl
def register_jobs():
    return [Job("note", note)]
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, which it may end."""
    started = start_postgres(DURABLE)
    yield started
    started.stop()


def names() -> dict[int, str]:
    return dict(User.select(User.id, User.name).where(User.id < 1_000).tuples())


def stays() -> list[tuple[Any, ...]]:
    rows = VoiceSession.select(
        VoiceSession.user_id,
        VoiceSession.channel_id,
        VoiceSession.joined,
        VoiceSession.left,
        VoiceSession.joined_estimated | VoiceSession.left_estimated,
    )
    return list(rows.order_by(VoiceSession.joined, VoiceSession.user_id).tuples())


def says(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of the database, without its reasons and times."""
    lines = [record.getMessage() for record in caplog.records]
    return [line.split(" (")[0].split(" after")[0] for line in lines if line.startswith("the database is")]


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
async def test_postgresql_restarts_under_the_bot(
    folder: PluginFolder, on_stage: Opener, server: PostgresServer, caplog: pytest.LogCaptureFixture, how: int
) -> None:
    folder.write("keeper", KEEPER, records_voice=True)
    caplog.set_level(logging.WARNING, "redlegion.database")
    async with on_stage(server.url(), folder.selection("keeper")) as stage:
        runtime, module, scene = stage.runtime, folder.module("keeper"), stage.scene
        guild, (quartz, opal, third, *_) = scene.guild.id, scene.members
        one, two = scene.voice_channels[:2]
        ctx = runtime.context_for("keeper", guild)
        began = ctx.clock.now()
        await quartz.join(one)
        await opal.join(one)
        await stage.advance(60)
        due = began + timedelta(seconds=150)
        for number in (1, 2):
            await ctx.write(module.book, ctx.ids.next(), guild, due, number)
        assert "stored" in str((await stage.slash(quartz, "dig", {"number": 10})).message)

        await asyncio.to_thread(server.crash, how)
        await quartz.join(two)
        await opal.leave()
        for _ in range(3):
            started = time.monotonic()
            told = await quartz.slash("dig", channel=scene.text, options={"number": 11})
            said = await told.final()
            assert time.monotonic() - started < DISCORD_WAITS
            assert "The database is away right now, so nothing was changed." in said["content"]
        await stage.advance(60)
        await third.join(two)
        # The jobs come due.
        await stage.advance(60)
        assert runtime.db.pending == 0
        assert module.RAN == []
        assert says(caplog) == ["the database is away"]

        await asyncio.to_thread(server.start_again)
        await asyncio.wait_for(runtime.db.there(), 10)
        await stage.advance(60)
        await until(lambda: len(module.RAN) == 2)
        await stage.settle()
        assert says(caplog) == ["the database is away", "the database is back"]
        assert "stored" in str((await stage.slash(quartz, "dig", {"number": 12})).message)

        later = began + timedelta(seconds=60)
        assert await ctx.read(stays) == [
            (quartz.id, one.id, began, later, False),
            (opal.id, one.id, began, later, False),
            (quartz.id, two.id, later, None, False),
            (third.id, two.id, began + timedelta(seconds=120), None, False),
        ]
        heard = list(module.HEARD)
        assert heard == [
            ("started", quartz.id, one.id),
            ("started", opal.id, one.id),
            ("moved", quartz.id, two.id),
            ("ended", opal.id, one.id),
            ("started", third.id, two.id),
        ]
        assert sorted(module.RAN) == [1, 2]
        assert await ctx.read(names) == {
            1: "by a job",
            2: "by a job",
            10: "by a command",
            12: "by a command",
        }


async def test_a_long_outage_with_little_memory_loses_nothing(
    folder: PluginFolder, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("keeper", KEEPER, records_voice=True)
    monkeypatch.chdir(tmp_path)
    async with open_stage(server.url(), plugins=folder.selection("keeper"), members=4, channels=3) as stage:
        stage.settings = replace(stage.settings, voice_queue_limit=3)
        await stage.start_bot()
        runtime, module, (one, two, *_) = stage.runtime, folder.module("keeper"), stage.scene.voice_channels
        people, began = stage.scene.members[:3], runtime.clock.now()
        for person in people:
            await person.join(one)
        await stage.advance(60)
        await asyncio.to_thread(server.crash)
        for number in range(8):
            for person in people:
                await person.join(two if number % 2 == 0 else one)
            await stage.advance(60)
        report = await runtime.health.readiness.look()
        [note] = [words for words in report.notes if "voice events wait" in words]
        assert re.match(r"24 voice events wait for the database, 2[01] of them beyond the 3 that", note)
        assert any("the database" in words for words in report.problems)

        await asyncio.to_thread(server.start_again)
        await asyncio.wait_for(runtime.db.there(), 10)
        await stage.settle()
        await asyncio.wait_for(runtime.recorder.settled(stage.scene.guild.id), 30)
        await stage.settle()
        report = await runtime.health.readiness.look()
        assert (report.problems, report.notes) == ([], [])
        at = [began + timedelta(seconds=60 * number) for number in range(9)]
        found = await runtime.db.read(stays)
        for person in people:
            mine = [row[1:] for row in found if row[0] == person.id]
            assert mine == [
                (two.id if number % 2 else one.id, at[number], at[number + 1] if number < 8 else None, False)
                for number in range(9)
            ]
            heard = [(what, where) for what, user, where in module.HEARD if user == person.id]
            assert heard == [("started", one.id)] + [
                ("moved", two.id if number % 2 == 0 else one.id) for number in range(8)
            ]
