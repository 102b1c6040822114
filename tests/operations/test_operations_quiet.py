"""Where nothing runs a move asks the database nothing, and what happens after a start is heard again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mining import add, run

from core.context import Context
from plugins.operations import quiet, running_operations, store
from plugins.operations.models import OperationSession
from plugins.operations.store.linking import guilds_that_run
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        await stage.start_bot()
        yield stage


def context(stage: Stage, *, afresh: bool = False) -> Context:
    """Return the context of operations; `afresh` as in a process that has not asked yet."""
    ctx = stage.runtime.context_for("operations", stage.scene.guild.id)
    if afresh:
        quiet._known.pop(ctx.bot, None)
    return ctx


def reads(patch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that grows with each time that the database is asked what runs, and where."""
    seen: list[Any] = []
    real = Context.read

    async def noted(self: Context, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if fn in {guilds_that_run, store.anything_runs}:
            seen.append(fn)
        return await real(self, fn, *args, **options)

    patch.setattr(Context, "read", noted)
    return seen


def linked() -> list[int]:
    rows: Any = OperationSession.select(OperationSession.session_id).distinct()
    return [row.session_id for row in rows]


async def test_a_quiet_guild_is_not_asked_about_and_a_start_is_heard(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, seen = stage.scene, reads(monkeypatch)
    member, (alpha, bravo, *_) = scene.members[0], scene.voice_channels
    for channel in (alpha, bravo, alpha, bravo):
        await member.join(channel)
        await stage.world.clock.advance(5)
    assert seen == [], "the process asked when it started"
    await add(stage, alpha, bravo)
    await run(stage, scene.officer, "mining start")
    await member.join(alpha)
    await stage.settle()
    assert len(await stage.runtime.db.read(linked)) == 2, "the stay that went on, and the next one"
    await run(stage, scene.officer, "mining stop")
    seen.clear()
    for channel in (bravo, alpha, bravo):
        await member.join(channel)
        await stage.world.clock.advance(5)
    assert seen == [store.anything_runs]


async def test_a_process_knows_what_runs_since_an_earlier_one(stage: Stage) -> None:
    await add(stage, stage.scene.voice_channels[0])
    await run(stage, stage.scene.officer, "mining start")
    ctx = context(stage, afresh=True)
    elsewhere = stage.runtime.context_for("operations", stage.scene.second.guild.id)
    assert await quiet.anything_runs(elsewhere) is False
    assert await quiet.anything_runs(ctx) is True


@pytest.mark.parametrize("asked", [guilds_that_run, store.anything_runs])
async def test_a_start_while_the_answer_is_on_its_way(stage: Stage, asked: Callable[..., Any]) -> None:
    """What was read before the start must not be believed after it."""
    scene = stage.scene
    await add(stage, scene.voice_channels[0])
    if asked is store.anything_runs:
        # So that there is a reason to ask about this guild alone.
        await run(stage, scene.officer, "mining start")
        await run(stage, scene.officer, "mining stop")
    ctx = context(stage, afresh=asked is guilds_that_run)
    read, go_on = asyncio.Event(), asyncio.Event()
    real = Context.read

    async def held(self: Context, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        answer = await real(self, fn, *args, **options)
        if fn is asked and not read.is_set():
            read.set()
            await go_on.wait()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "read", held)
        asking = asyncio.create_task(quiet.anything_runs(ctx))
        await asyncio.wait_for(read.wait(), 60)
        await (await scene.officer.slash("mining start", channel=scene.text)).final()
        go_on.set()
        await asking
    assert await stage.runtime.db.read(running_operations, scene.guild.id)
    assert await quiet.anything_runs(ctx) is True


async def test_after_a_start_that_failed_the_guild_is_asked_about(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was committed may be unknown."""
    ctx, seen = context(stage), reads(monkeypatch)
    assert await quiet.anything_runs(ctx) is False
    assert seen == []

    def lost(*_args: object, **_options: object) -> None:
        raise OSError("the line is dead")

    monkeypatch.setattr(store, "start", lost)
    with pytest.raises(OSError, match="the line is dead"):
        await quiet.start(ctx, None, (), title="", initiator_id=1, text_channel_id=None, at=EVENING)
    assert await quiet.anything_runs(ctx) is False
    assert seen == [store.anything_runs]
