"""When a menu is sent, how many new commands it may bring, and what happens when Discord does not take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.commands import budget, windows
from core.commands.menu_store import store_menu, stored_menus
from core.database import DatabaseBusy
from sandbox.stage import Stage

MANY = """
def make(name):
    @app_commands.command(name=name, description="x")
    @app_commands.guild_only()
    @requires("member")
    async def leaf(interaction: discord.Interaction) -> None:
        await reply(interaction, "did " + name)
    return leaf

@hookimpl
def register_commands():
    return [make("{plugin}" + str(n)) for n in range({count})]
"""
PUT = "PUT /applications/{application_id}/guilds/{guild_id}/commands"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def many(folder: PluginFolder, plugin: str, count: int = 1, **manifest: Any) -> None:
    folder.write(plugin, MANY.format(plugin=plugin, count=count), **manifest)


def names(stage: Stage, guild_id: int | None = None) -> set[str]:
    """The top-level commands that Discord has for the guild itself."""
    return {str(command["name"]) for command in stage.world.commands.all(guild_id or stage.scene.guild.id)}


def calls(stage: Stage, guild_id: int | None = None) -> int:
    """How often the guild's menu was sent, whatever became of it."""
    path = f"/guilds/{guild_id or stage.scene.guild.id}/commands"
    return sum(
        entry["kind"] == "rest" and entry["method"] == "PUT" and entry["path"].endswith(path)
        for entry in stage.world.log.entries
    )


async def switch(stage: Stage, word: str, plugin: str) -> str:
    outcome = await stage.slash(stage.scene.owner, f"plugins {word}", {"plugin": plugin})
    return str((await outcome.final())["content"])


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    many(folder, "alpha")
    many(folder, "bravo")
    async with on_stage(lite, folder.selection()) as opened:
        yield opened


async def test_a_burst_of_switches_is_two_calls(stage: Stage) -> None:
    before = calls(stage)
    assert "Its commands are in the menu now." in await switch(stage, "enable", "alpha")
    assert calls(stage) == before + 1
    told = await switch(stage, "enable", "bravo")
    assert "**Bravo** is on. Its commands are in the menu in a moment." in told
    assert names(stage) == {"alpha0"}
    for _ in range(4):
        told = await switch(stage, "disable", "bravo")
        assert "**Bravo** is off. Its commands have left the menu; its data stays." in told
        await switch(stage, "enable", "bravo")
    assert calls(stage) == before + 1
    refused = await stage.scene.members[0].slash("alpha0", stage.scene.text)
    assert refused.message is not None
    assert refused.message["content"] == "did alpha0"
    await stage.advance(windows.QUIET)
    assert names(stage) == {"alpha0", "bravo0"}
    assert calls(stage) == before + 2
    assert not stage.runtime.menus.tasks()
    await stage.advance(windows.LONGEST)
    assert calls(stage) == before + 2
    assert stage.runtime.menus.state(stage.scene.guild.id).status == "current"


async def test_a_window_closes_though_the_switches_go_on(stage: Stage) -> None:
    before = calls(stage)
    for second in range(10):
        await switch(stage, "enable" if second % 2 == 0 else "disable", "alpha")
        await stage.advance(1)
    # 10 s after the first switch: on, and then off as it was left.
    assert calls(stage) == before + 2
    assert names(stage) == set()


def count_creates(stage: Stage) -> list[tuple[datetime, int]]:
    """Count what Discord counts: commands that were not there before, by sandbox time."""
    made: list[tuple[datetime, int]] = []
    guild = stage.scene.guild.id
    last = names(stage)

    def look(scope: int) -> None:
        nonlocal last
        if scope == guild:
            now = names(stage)
            made.append((stage.world.clock.now(), len(now - last)))
            last = now

    stage.world.commands.on_changed.append(look)
    return made


async def test_the_days_budget_of_new_commands(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    many(folder, "crowd", 60)
    many(folder, "single")
    async with on_stage(lite, folder.selection()) as stage:
        guild = stage.scene.guild.id
        made = count_creates(stage)
        for round_ in range(3):
            told = await switch(stage, "enable", "crowd")
            assert ("Take care: 180 of the 180 new commands" in told) is (round_ == 2)
            await stage.advance(20)
            await switch(stage, "disable", "crowd")
            await stage.advance(20)
        told = await switch(stage, "enable", "crowd")
        assert "**Crowd** is on." in told
        assert "and they are used up: those that are new here come into the menu <t:" in told
        assert "in the menu now" not in told
        assert names(stage) == set()
        assert stage.runtime.menus.state(guild).status == "full"
        await stage.advance(20)
        await switch(stage, "enable", "single")
        await stage.advance(20)
        assert names(stage) == set()
        # The switch itself works: whoever still sees the command can use it.
        used = await stage.scene.members[0].slash("crowd7", stage.scene.text, stale=True)
        assert used.message is not None
        assert used.message["content"] == "did crowd7"
        info = await stage.slash(stage.scene.owner, "plugins info", {"plugin": "crowd"})
        assert "New commands in the last 24 hours: 180 of 180." in str(info.message)

        # What is left to do outlives a restart, and so does what was spent.
        await stage.stop_bot()
        await stage.start_bot()
        assert stage.runtime.menus.state(guild).status == "full"
        assert "Discord allows only so many" in await switch(stage, "disable", "single")
        await stage.advance(24 * 3600 - 300)
        assert names(stage) == set()
        await stage.advance(300)
        assert len(names(stage)) == 60
        assert stage.runtime.menus.state(guild).status == "current"
        assert not stage.runtime.menus.tasks()
        for at, _count in made:
            assert sum(n for when, n in made if at - budget.DAY < when <= at) <= budget.LIMIT


async def test_what_is_switched_off_leaves_although_the_budget_is_spent(
    folder: PluginFolder, lite: str, on_stage: Any
) -> None:
    many(folder, "crowd", 60)
    many(folder, "other", 35)
    async with on_stage(lite, folder.selection()) as stage:
        for word in ("enable", "disable", "enable", "disable", "enable"):
            await switch(stage, word, "crowd")
            await stage.advance(20)
        assert len(names(stage)) == 60
        assert "they are used up" in await switch(stage, "enable", "other")
        assert "Its commands leave the menu in a moment" in await switch(stage, "disable", "crowd")
        await stage.advance(windows.QUIET)
        assert names(stage) == set(), "what is gone costs nothing; what is new waits"
        assert stage.runtime.menus.state(stage.scene.guild.id).status == "full"


async def test_a_menu_that_was_taken_although_no_answer_came(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    faults = stage.world.faults.http
    faults.status(503, route=PUT, done=True)
    told = await switch(stage, "enable", "alpha")
    assert (
        "Discord has not taken the new menu: Discord has a fault of its own (503). It is sent again" in told
    )
    assert names(stage) == {"alpha0"}, "Discord took it all the same"
    assert stage.runtime.menus.troubled().keys() == {stage.scene.guild.id}
    info = await stage.slash(stage.scene.owner, "plugins info", {"plugin": "alpha"})
    assert "Discord has a fault of its own (503)." in str(info.message)
    # Back to what Discord last confirmed; that it has it is not certain any more.
    await switch(stage, "disable", "alpha")
    await stage.advance(windows.QUIET)
    assert names(stage) == set()
    assert not stage.runtime.menus.troubled()
    assert "was not taken by Discord" in caplog.text


async def test_a_failing_menu_is_sent_again_ever_more_slowly(stage: Stage) -> None:
    faults, before = stage.world.faults.http, calls(stage)
    faults.status(503, times=3, route=PUT)
    await switch(stage, "enable", "alpha")
    assert calls(stage) == before + 1
    for wait, more in ((4.9, 1), (0.1, 2), (14.9, 2), (0.1, 3), (59.9, 3), (0.1, 4)):
        await stage.advance(wait)
        assert calls(stage) == before + more
    assert names(stage) == {"alpha0"}
    assert not stage.runtime.menus.troubled()
    stored = (await stage.runtime.db.read(stored_menus, [stage.scene.guild.id]))[stage.scene.guild.id]
    assert [count for _at, count in stored.creates] == [1], "sent four times, made once"


async def test_a_missing_scope_is_named(stage: Stage) -> None:
    stage.world.faults.http.status(403, route=PUT, code=50001, message="Missing Access")
    told = await switch(stage, "enable", "alpha")
    assert "Invite me again with the scope applications.commands." in told
    guild = stage.scene.guild.id
    stored = await stage.runtime.db.read(stored_menus, [guild])
    assert guild not in stored or not stored[guild].creates, "a clear refusal made nothing"
    await stage.advance(5)
    assert names(stage) == {"alpha0"}


async def test_a_database_that_does_not_answer_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    db = stage.runtime.db
    real, failures = db.write, [2]

    async def fails(function: Any, *args: Any, **more: Any) -> Any:
        if function is store_menu and failures[0]:
            failures[0] -= 1
            raise DatabaseBusy("too much waits")
        return await real(function, *args, **more)

    monkeypatch.setattr(db, "write", fails)
    told = await switch(stage, "enable", "alpha")
    assert "Discord has not taken the new menu: My database does not answer." in told
    assert names(stage) == set(), "nothing is made that was not counted first"
    await stage.advance(20)
    assert names(stage) == {"alpha0"}
    assert failures == [0]
    assert "could not be sent" in caplog.text
    stored = (await db.read(stored_menus, [stage.scene.guild.id]))[stage.scene.guild.id]
    assert stored.hash


async def test_a_lost_menu_is_sent_again_after_a_restart(stage: Stage) -> None:
    stage.world.faults.http.status(503, route=PUT)
    await switch(stage, "enable", "alpha")
    await stage.kill_bot()
    await stage.start_bot()
    assert names(stage) == {"alpha0"}


async def test_the_bot_is_put_out_and_asked_back(stage: Stage) -> None:
    await switch(stage, "enable", "alpha")
    owner = stage.scene.owner
    await owner.remove_bot()
    await stage.settle()
    await owner.invite_bot()
    await stage.settle()
    assert names(stage) == {"alpha0"}
    await stage.stop_bot()
    await owner.remove_bot()
    await stage.advance(60)
    await owner.invite_bot()
    await stage.start_bot()
    assert names(stage) == {"alpha0"}, "also when all of it happened while the bot was away"


async def test_the_reply_does_not_wait_for_a_slow_discord(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.commands.menus.PATIENCE", 0.05)
    fault = stage.world.faults.http.slow(route=PUT)
    text = stage.scene.text
    outcome = await stage.scene.owner.slash("plugins enable", text, {"plugin": "alpha"})
    assert "Its commands are in the menu in a moment." in str((await outcome.final())["content"])
    fault.release()
    await until(lambda: names(stage) == {"alpha0"})
    await stage.settle()
    assert stage.runtime.menus.state(stage.scene.guild.id).status == "current"


async def test_a_call_without_an_end_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.commands.menus.CALL_LIMIT", 0.05)
    fault = stage.world.faults.http.slow(route=PUT)
    told = await switch(stage, "enable", "alpha")
    assert "Discord has not taken the new menu: Discord did not answer in time." in told
    fault.release()
    await stage.advance(5)
    assert names(stage) == {"alpha0"}


async def test_a_stop_does_not_wait_for_a_menu(stage: Stage) -> None:
    stage.world.faults.http.status(503, times=9, route=PUT)
    await switch(stage, "enable", "alpha")
    assert stage.runtime.menus.tasks()
    async with asyncio.timeout(8):
        await stage.stop_bot()
