"""Where nothing runs a move asks the database nothing, and the first one after a start is heard again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mining import add, run

from core.context import Context
from plugins.operations import quiet, running_operations, store
from plugins.operations.models import OperationSession
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        await stage.start_bot()
        yield stage


def context(stage: Stage) -> Context:
    return stage.runtime.context_for("operations", stage.scene.guild.id)


def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each time that the database is asked what runs."""
    seen: list[int] = []
    real = store.anything_runs

    def noted(guild_id: int) -> bool:
        seen.append(guild_id)
        return real(guild_id)

    monkeypatch.setattr(store, "anything_runs", noted)
    return seen


def linked() -> list[int]:
    rows: Any = OperationSession.select(OperationSession.session_id)
    return [row.session_id for row in rows]


async def test_a_quiet_guild_is_asked_once_and_a_start_is_heard(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, seen = stage.scene, asked(stage, monkeypatch)
    member, (alpha, bravo, *_) = scene.members[0], scene.voice_channels
    for channel in (alpha, bravo, alpha, bravo):
        await member.join(channel)
        await stage.world.clock.advance(5)
    assert seen == [scene.guild.id]
    await add(stage, alpha, bravo)
    await run(stage, scene.officer, "mining start")
    await member.join(alpha)
    await stage.settle()
    rows: Any = await stage.runtime.db.read(linked)
    assert len(rows) == 2, "the stay that went on at the start, and the next one"
    await run(stage, scene.officer, "mining stop")
    seen.clear()
    for channel in (bravo, alpha, bravo):
        await member.join(channel)
        await stage.world.clock.advance(5)
    assert seen == [scene.guild.id]


async def test_a_start_while_the_answer_is_on_its_way(stage: Stage) -> None:
    """What was read before the start must not be remembered after it."""
    scene, ctx = stage.scene, context(stage)
    await add(stage, scene.voice_channels[0])
    quiet.look_again(ctx)
    read, go_on = asyncio.Event(), asyncio.Event()
    real = Context.read

    async def held(self: Context, fn: Any, *args: Any, **options: Any) -> Any:
        answer = await real(self, fn, *args, **options)
        if fn is store.anything_runs:
            read.set()
            await go_on.wait()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "read", held)
        asking = asyncio.create_task(quiet.anything_runs(ctx))
        await asyncio.wait_for(read.wait(), 60)
        started = await scene.officer.slash("mining start", channel=scene.text)
        await started.final()
        go_on.set()
        assert await asking is False, "it was asked before the start"
    assert await stage.runtime.db.read(running_operations, scene.guild.id)
    assert await quiet.anything_runs(ctx) is True


async def test_a_start_that_fails_leaves_nothing_remembered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was committed may be unknown."""
    ctx, seen = context(stage), asked(stage, monkeypatch)
    assert await quiet.anything_runs(ctx) is False
    assert await quiet.anything_runs(ctx) is False
    assert len(seen) == 1

    def lost(*_args: object, **_options: object) -> None:
        raise OSError("the line is dead")

    monkeypatch.setattr(store, "start", lost)
    with pytest.raises(OSError, match="the line is dead"):
        await quiet.start(ctx, None, (), title="", initiator_id=1, text_channel_id=None, at=EVENING)
    assert await quiet.anything_runs(ctx) is False
    assert len(seen) == 2
