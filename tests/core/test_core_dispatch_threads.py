"""Thread calls that outlive their deadline, tasks that a plugin starts, and the language of its texts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.plugin_folder import PluginFolder

from core import tasks
from core.dispatch import limits
from core.i18n import current_locale
from core.plugin_tasks import plugin_tasks
from core.scope import Scope, current
from sandbox.stage import Stage

LISTENER = """
DOING = None

@hookimpl
async def on_member_left(ctx, event):
    await DOING(ctx, event)
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("alpha", LISTENER)
    folder.write("bravo", LISTENER)
    async with on_stage(lite, folder.selection("alpha", "bravo")) as opened:
        for name in ("alpha", "bravo"):
            folder.module(name).DOING = nothing
        yield opened


async def nothing(ctx: Any, event: Any) -> None:
    """What a plugin does unless it is told otherwise."""


class Slow:
    """A function that runs in a thread until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.runs = 0

    def __call__(self) -> int:
        self.runs += 1
        self.begun.set()
        assert self.go.wait(60)
        return self.runs


async def until(said: Any) -> None:
    async with asyncio.timeout(60):
        # What is waited for happens in a thread or by a timer of the loop.
        while not said():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("way", ["to_thread", "write", "read"])
async def test_a_lane_stays_shut_until_its_thread_call_has_ended(
    stage: Stage, folder: PluginFolder, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEADLINE", 1.0)
    slow, heard = Slow(), []
    dispatcher = stage.runtime.dispatcher
    guild_id = stage.scene.guild.id

    async def doing(ctx: Any, event: Any) -> None:
        heard.append((ctx.plugin, event, slow.go.is_set()))
        if event == 1 and ctx.plugin == "alpha":
            await getattr(ctx, way)(slow)

    folder.module("alpha").DOING = folder.module("bravo").DOING = doing
    try:
        for event in (1, 2):
            dispatcher.deliver(guild_id, "on_member_left", event)
        await until(lambda: any(one.waits_for for one in dispatcher.hung()))
        (hung,) = dispatcher.hung()
        assert (hung.plugin, hung.guild_id, hung.hook) == ("alpha", guild_id, "on_member_left")
        assert "Slow" in hung.waits_for[0]
        assert slow.begun.is_set()
        await dispatcher.drain("bravo", guild_id, within=60)
        # Switched off meanwhile, it is still not called again: what it began is not over.
        await dispatcher.drain("alpha", guild_id, within=0.05)
        dispatcher.deliver_to("alpha", guild_id, "on_member_left", 3)
        await asyncio.sleep(0)
        assert heard == [("alpha", 1, False), ("bravo", 1, False), ("bravo", 2, False)]
    finally:
        slow.go.set()
    await dispatcher.drain("alpha", guild_id, within=60)
    assert heard[3:] == [("alpha", 3, True)]
    assert dispatcher.hung() == []
    assert slow.runs == 1


async def test_a_thread_call_that_has_not_begun_never_does(
    stage: Stage, folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEADLINE", 1.0)
    blocker, late = Slow(), Slow()
    late.go.set()
    dispatcher, guild_id = stage.runtime.dispatcher, stage.scene.guild.id

    async def doing(ctx: Any, event: Any) -> None:
        await ctx.write(late)

    folder.module("alpha").DOING = doing
    other = asyncio.ensure_future(stage.runtime.context_for("bravo", guild_id).write(blocker))
    try:
        await until(blocker.begun.is_set)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dispatcher.deliver_and_wait("alpha", guild_id, "on_member_left"), 60)
    finally:
        blocker.go.set()
    assert await other == 1
    await dispatcher.drain("alpha", guild_id, within=60)
    assert late.runs == 0


async def test_a_forgotten_task_ends_with_the_switch_and_is_named(
    stage: Stage, folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    runtime, guild_id = stage.runtime, stage.scene.guild.id
    started: dict[str, asyncio.Task[Any]] = {}

    async def forever() -> None:
        started["child"] = asyncio.ensure_future(asyncio.Event().wait())
        await asyncio.Event().wait()

    async def doing(ctx: Any, event: Any) -> None:
        started[f"{ctx.plugin} leaked"] = asyncio.create_task(forever())
        started[f"{ctx.plugin} wanted"] = ctx.spawn(forever(), "poll")
        await asyncio.sleep(0)

    folder.module("alpha").DOING = folder.module("bravo").DOING = doing
    for name in ("alpha", "bravo"):
        await runtime.dispatcher.deliver_and_wait(name, guild_id, "on_member_left")
    assert len(plugin_tasks().of("alpha", guild_id)) == 4, "with what they have started themselves"
    await runtime.switch(guild_id, "alpha", False, None)
    assert {name: task.done() for name, task in started.items() if name != "child"} == {
        "alpha leaked": True,
        "alpha wanted": True,
        "bravo leaked": False,
        "bravo wanted": False,
    }
    assert plugin_tasks().of("alpha", guild_id) == []
    said = [r.getMessage() for r in caplog.records if "left tasks behind" in r.getMessage()]
    assert [line.partition(", which")[0] for line in said] == [f"alpha left tasks behind in guild {guild_id}"]
    assert "1 x test_a_forgotten" in said[0]
    assert "forever of on_member_left;" in said[0]
    assert "poll" not in said[0], "one that was spawned is no fault"
    await runtime.dispatcher.close()
    assert all(task.done() for task in started.values())


async def test_what_still_runs_keeps_the_tasks_that_it_started(stage: Stage) -> None:
    guild_id = stage.scene.guild.id
    go = asyncio.Event()

    async def command() -> str:
        current.set(Scope("alpha", guild_id, "/alpha"))
        child = asyncio.create_task(go.wait(), name="child")
        await child
        return "answered"

    under_way = asyncio.create_task(command())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stage.runtime.switch(guild_id, "alpha", False, None)
    assert not under_way.done()
    go.set()
    assert await asyncio.wait_for(under_way, 60) == "answered"


async def test_a_task_of_the_process_belongs_to_no_plugin(stage: Stage) -> None:
    guild_id = stage.scene.guild.id
    with_scope = Scope("alpha", guild_id, "on_member_left")
    seen: list[Scope | None] = []

    async def work() -> None:
        seen.append(current.get())

    token = current.set(with_scope)
    try:
        await tasks.unowned_task(work(), "core work")
        await stage.runtime.tasks.spawn(work(), "core work")
        await asyncio.create_task(work())
    finally:
        current.reset(token)
    assert seen == [None, None, with_scope]


async def test_a_hook_speaks_the_language_of_its_guild(stage: Stage, folder: PluginFolder) -> None:
    guild_id = stage.scene.guild.id
    seen: list[tuple[str, Scope | None]] = []

    async def doing(ctx: Any, event: Any) -> None:
        seen.append((current_locale(), current.get()))

    folder.module("alpha").DOING = doing
    guild = stage.runtime.bot.get_guild(guild_id)
    assert guild is not None
    for locale in ("de", "en-US"):
        guild.preferred_locale = discord.Locale(locale)
        await stage.runtime.dispatcher.deliver_and_wait("alpha", guild_id, "on_member_left")
    assert seen == [
        ("de", Scope("alpha", guild_id, "on_member_left", "de")),
        ("en-US", Scope("alpha", guild_id, "on_member_left", "en-US")),
    ]
