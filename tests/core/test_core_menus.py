"""When a menu is sent, how many new commands it may bring, and what happens when Discord does not take it."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands
from hypothesis import given
from hypothesis import strategies as st
from support.mining import said
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.clock import SteppedClock
from core.commands import budget, windows
from core.commands.menu_store import StoredMenu, store_menu, stored_menus
from core.commands.menus import GLOBAL, MenuSync
from core.commands.own import own_commands
from core.commands.table import CommandTable, menu_hash
from core.database import CommandMenu, Database
from core.plugins import PluginManager
from core.tasks import TaskBook
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


# The pure rules


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_a_window_costs_at_most_two_calls(gaps: list[float]) -> None:
    """Whatever the switches: one call opens a window, one closes it, and windows do not overlap."""
    now, window = 0.0, None
    opened: list[windows.Window] = []
    for gap in gaps:
        now += gap
        before = window
        window, opens = windows.after_switch(window, now)
        if opens:
            assert before is None or before.closes <= now
            opened.append(window)
        else:
            assert before is not None
            assert window.opened == before.opened
        assert now < window.closes <= window.opened + windows.LONGEST
    assert all(late.opened - early.opened >= windows.QUIET for early, late in itertools.pairwise(opened))


@given(
    st.lists(
        st.tuples(st.integers(0, 9 * 3600), st.integers(0, 100)),
        max_size=80,
    )
)
def test_no_day_has_more_new_commands_than_the_budget(asked: list[tuple[int, int]]) -> None:
    now, creates = NOON, ()
    made: list[tuple[datetime, int]] = []
    for seconds, count in asked:
        now += timedelta(seconds=seconds)
        free = budget.frees_at(creates, count, now)
        assert budget.fits(creates, count, free)
        assert (free == now) is budget.fits(creates, count, now)
        if free > now:
            assert not budget.fits(creates, count, free - timedelta(microseconds=1))
            with pytest.raises(ValueError, match="do not fit"):
                budget.charged(creates, count, now)
            continue
        creates = budget.charged(creates, count, now)
        assert budget.from_json(budget.to_json(creates)) == creates
        made.append((now, count))
        day = [number for at, number in made if at > now - budget.DAY]
        assert sum(day) == budget.spent(creates, now) <= budget.LIMIT < 200


def test_more_than_a_day_holds_never_fits() -> None:
    with pytest.raises(ValueError, match="never fit"):
        budget.frees_at((), budget.LIMIT + 1, NOON)


# On the sandbox's Discord


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
        await stage.advance(24 * 3600)
        assert names(stage) == {f"other{n}" for n in range(35)}


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


async def test_a_guild_that_cannot_be_opened_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runtime, guild = stage.runtime, stage.scene.guild.id
    recover, failures = runtime.recorder.recover, [2]

    async def fails(shard_id: int, guild_id: int, *args: Any) -> None:
        if guild_id == guild and failures[0]:
            failures[0] -= 1
            raise RuntimeError("the ledge broke")
        await recover(shard_id, guild_id, *args)

    monkeypatch.setattr(runtime.recorder, "recover", fails)
    runtime.shard_is_back(0, "resume")
    await stage.settle()
    assert runtime.opener.failed == {guild: "RuntimeError: the ledge broke"}
    info = await stage.slash(stage.scene.owner, "plugins info", {"plugin": "alpha"})
    assert "This server could not be put in order; it is tried again by itself." in str(info.message)
    await stage.advance(5)
    assert guild in runtime.opener.failed
    await stage.advance(15)
    assert runtime.opener.failed == {}
    assert "could not be opened and is tried again" in caplog.text
    await stage.advance(600)
    assert failures == [0]


async def test_a_guild_that_is_not_open_yet_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.stop_bot()

    async def fails(*_args: Any) -> None:
        raise RuntimeError("the ledge broke")

    with monkeypatch.context() as patch:
        patch.setattr("core.voice.sessions.VoiceRecorder.recover", fails)
        await stage.start_bot()
        opener = stage.runtime.opener
        assert opener.failed.keys() == {stage.scene.guild.id, stage.scene.second_guild.id}
        wait = opener.wait
        patch.setattr(opener, "wait", lambda guild_id, _within: wait(guild_id, 0.01))
        refused = await stage.slash(stage.scene.owner, "plugins list")
        assert said(refused) == (
            "I could not get ready in this server. "
            "I try again by myself; try your command again in a few minutes."
        )
    await stage.advance(5)
    assert opener.failed == {}
    listed = await stage.slash(stage.scene.owner, "plugins list")
    assert "Plugins in this server" in str(listed.message)


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
    async with asyncio.timeout(4):
        await stage.stop_bot()


# Ten thousand guilds, at the level of MenuSync with a real database


class CountingHttp:
    """Stands where discord.py's HTTP client stands and counts the menus."""

    def __init__(self) -> None:
        self.menus: list[tuple[int, int]] = []

    async def bulk_upsert_global_commands(self, _application: int, menu: Sequence[Any]) -> None:
        self.menus.append((GLOBAL, len(menu)))

    async def bulk_upsert_guild_commands(self, _application: int, guild: int, menu: Sequence[Any]) -> None:
        self.menus.append((guild, len(menu)))


def process(database: Database, clock: SteppedClock, manager: PluginManager, on: frozenset[str]) -> Any:
    """As much of a process as menus need."""
    table = CommandTable(manager, own_commands())
    tree: Any = app_commands.CommandTree(discord.Client(intents=discord.Intents(guilds=True)))
    table.install(tree)
    made = SimpleNamespace(
        db=database,
        clock=clock,
        tasks=TaskBook(clock),
        closing=False,
        commands=table,
        guilds=SimpleNamespace(active=lambda _guild_id: on),
        bot=SimpleNamespace(application_id=7, tree=tree, http=CountingHttp()),
    )
    made.menus = MenuSync(made)
    return made


async def test_ten_thousand_unchanged_guilds_cost_no_call(
    folder: PluginFolder, database: Database, stepped_clock: SteppedClock
) -> None:
    many(folder, "alpha", 5)
    many(folder, "bravo", 5)
    manager = PluginManager(folder.names, [folder.path])
    guilds = list(range(1, 10_001))
    runtime = process(database, stepped_clock, manager, frozenset({"alpha"}))
    own = menu_hash(7, runtime.commands.global_menu(runtime.bot.tree))
    value = menu_hash(7, runtime.commands.guild_menu(runtime.bot.tree, frozenset({"alpha"})))
    at = stepped_clock.now()
    await database.write(store_menu, GLOBAL, StoredMenu(own, frozenset(), (), at))
    row = {"hash": value, "synced_at": at, "names": [f"alpha{n}" for n in range(5)], "creates": []}
    await database.append(CommandMenu, [{"guild_id": guild, **row} for guild in guilds])

    await runtime.menus.load(guilds)
    states = await asyncio.gather(*(runtime.menus.sync(guild) for guild in (GLOBAL, *guilds)))
    assert {state.status for state in states} == {"current"}
    assert runtime.bot.http.menus == []
    assert runtime.menus.calls == 0
    await runtime.tasks.close(within=1)
    folder.forget()

    changed = process(database, stepped_clock, manager, frozenset({"alpha", "bravo"}))
    await changed.menus.load(guilds)
    await changed.menus.sync(4711)
    assert changed.bot.http.menus == [(4711, 10)]
    stored = (await database.read(stored_menus, [4711]))[4711]
    assert [count for _at, count in stored.creates] == [5], "what was there already costs nothing"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
