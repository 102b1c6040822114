"""Guilds are opened while Discord still sends them, once, and what is new of them is written together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import pytest
from support.plugin_folder import PluginFolder

from core.bot import _TAKERS, Bot
from core.database import AuditEntry, Guild, GuildPlugin
from core.guilds.audit import page_of
from core.guilds.opening import GuildOpener
from core.guilds.store import ensure_guilds, take_defaults
from core.runtime import Runtime
from sandbox.stage import Stage

ALPHA = """
SEEN = []

@app_commands.command(name="look", description="x")
@app_commands.guild_only()
@requires("member")
async def look(interaction: discord.Interaction) -> None:
    await reply(interaction, "seen", ephemeral=True)

@hookimpl
def register_commands():
    return [look]

@hookimpl
async def on_guild_enabled(ctx):
    SEEN.append(("enabled", ctx.guild_id))

@hookimpl
async def on_resync(ctx, event):
    SEEN.append((event.reason, ctx.guild_id))
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("alpha", ALPHA)
    async with on_stage(lite, folder.selection("alpha")) as opened:
        yield opened


def seen(stage: Stage) -> Counter[tuple[str, int]]:
    return Counter(stage.runtime.manager.loaded["alpha"].module.SEEN)


def guild_ids(stage: Stage) -> set[int]:
    return {stage.scene.guild.id, stage.scene.second_guild.id}


async def test_every_guild_is_open_before_its_shard_is_ready_and_told_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen(stage) == Counter(
        {(what, each): 1 for what in ("enabled", "restart") for each in guild_ids(stage)}
    )
    before = seen(stage)
    await stage.stop_bot()
    found: list[list[bool]] = []
    is_back = Runtime.shard_is_back

    def looked_at(runtime: Runtime, shard_id: int, reason: str) -> None:
        found.append([runtime.opener.is_open(guild.id) for guild in runtime.bot.guilds])
        is_back(runtime, shard_id, reason)

    monkeypatch.setattr(Runtime, "shard_is_back", looked_at)
    await stage.start_bot()
    await stage.settle()
    assert found == [[True, True]]
    told = seen(stage) - before
    assert {each: told["restart", each] for each in guild_ids(stage)} == dict.fromkeys(guild_ids(stage), 1)


async def test_a_guild_that_went_away_after_it_was_opened_ahead_is_opened_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.stop_bot()
    opened: list[int] = []
    open_one: Callable[..., Any] = GuildOpener._open_one
    ready = Bot._shard_ready
    lost = stage.scene.guild.id

    async def noted(self: GuildOpener, guild: discord.Guild, reason: str) -> None:
        opened.append(guild.id)
        await open_one(self, guild, reason)

    def left_first(bot: Bot, shard_id: int) -> None:
        bot.runtime.opener.left([lost])
        ready(bot, shard_id)

    monkeypatch.setattr(GuildOpener, "_open_one", noted)
    monkeypatch.setitem(_TAKERS, "shard_ready", left_first)
    await stage.start_bot()
    assert Counter(opened) == {lost: 2, stage.scene.second_guild.id: 1}


async def test_menus_of_a_first_start_are_sent_after_it_a_few_at_a_time(
    folder: PluginFolder, lite: str, on_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("alpha", ALPHA)
    gate, under_way, most = asyncio.Event(), 0, 0
    calls: list[int] = []
    ready: list[bool] = []
    monkeypatch.setattr("core.commands.menus.MOST_AT_ONCE", 2)
    async with on_stage(lite, folder.selection("alpha")) as stage:
        await stage.stop_bot()
        for number in range(5):
            stage.world.create_guild(f"Guild {number}", owner=f"owner_{number}")

        async def slow(menus: Any, _application_id: int, guild_id: int, _menu: Any) -> None:
            nonlocal under_way, most
            ready.append(menus._runtime.ready)
            under_way += 1
            most = max(most, under_way)
            await gate.wait()
            under_way -= 1
            calls.append(guild_id)

        monkeypatch.setattr("core.commands.menus.MenuSync._call", slow)
        await stage.start_bot()
        # None has a task of its own.
        assert (calls, list(stage.runtime.menus.tasks())) == ([], [])
        gate.set()
        await stage.settle()
        assert len(calls) == len(set(calls)) == 5
        assert most == 2
        assert all(ready)
        for guild in stage.runtime.bot.guilds:
            assert stage.runtime.menus.state(guild.id).status == "current"


async def test_what_guilds_have_said_stays_when_defaults_are_taken(stage: Stage) -> None:
    db, clock = stage.runtime.db, stage.runtime.clock
    await db.write(ensure_guilds, {1: "One", 2: "Two"}, key=1)
    await db.write(ensure_guilds, {1: "One", 2: "Second", 3: "Three"}, key=1)

    def say_no() -> None:
        GuildPlugin.insert(guild_id=1, plugin="bravo", enabled=False, updated_at=clock.now()).execute()

    await db.write(say_no, key=1)
    await db.write(take_defaults, {1: ["bravo", "carol"], 2: ["bravo"]}, clock.now(), key=1)

    def rows() -> tuple[list[Any], list[Any], list[Any]]:
        return (
            list(Guild.select(Guild.id, Guild.name).where(Guild.id < 9).order_by(Guild.id).tuples()),
            sorted(
                GuildPlugin.select(GuildPlugin.guild_id, GuildPlugin.plugin, GuildPlugin.enabled)
                .where(GuildPlugin.guild_id < 9)
                .tuples()
            ),
            sorted(
                AuditEntry.select(AuditEntry.guild_id, AuditEntry.target)
                .where(AuditEntry.guild_id < 9)
                .tuples()
            ),
        )

    guilds, plugins, audited = await db.read(rows)
    assert guilds == [(1, "One"), (2, "Second"), (3, "Three")]
    assert plugins == [(1, "bravo", False), (1, "carol", True), (2, "bravo", True)]
    assert audited == [(1, "carol"), (2, "bravo")]
    (change,) = (await db.read(page_of, 2)).changes
    assert (change.action, change.actor_id, change.before, change.after) == (
        "plugin.enable",
        None,
        None,
        {"enabled": True},
    )
