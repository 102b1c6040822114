"""A storm of switches: overlapping, random, some cut off; nothing of it may stay behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from typing import Any

import pytest
from support.plugin_folder import PluginFolder

from core.commands.menu_store import stored_menus
from core.commands.table import menu_hash
from core.database import AuditEntry, GuildPlugin
from sandbox.stage import Stage

LISTENER = """
HEARD = []

group = app_commands.Group(name="{plugin}", description="x", guild_only=True)

@group.command(name="go", description="x")
@requires("member")
async def go(interaction: discord.Interaction) -> None:
    await reply(interaction, "went")

@hookimpl
def register_commands():
    return [group]

@hookimpl
async def on_guild_enabled(ctx):
    await asyncio.sleep(0)
    HEARD.append((ctx.guild_id, "enabled"))

@hookimpl
async def on_guild_disabled(ctx):
    await asyncio.sleep(0)
    HEARD.append((ctx.guild_id, "disabled"))

@hookimpl
async def on_voice_session_started(ctx, event):
    pass
"""
PLUGINS = ("alpha", "bravo", "charlie", "delta")
ROUNDS, SWITCHES = 10, 100


@pytest.fixture
def plugins(folder: PluginFolder) -> PluginFolder:
    folder.write("base", LISTENER.format(plugin="base"), kind="library", records_voice=True)
    folder.write("alpha", LISTENER.format(plugin="alpha"), requires=["base"])
    folder.write("bravo", LISTENER.format(plugin="bravo"), requires=["base"])
    folder.write("charlie", LISTENER.format(plugin="charlie"), requires=["alpha"])
    folder.write("delta", LISTENER.format(plugin="delta"))
    return folder


async def storm(stage: Stage, dice: random.Random, guilds: list[int]) -> None:
    """Move a hundred switches at once; every fifth caller goes away before it is done."""
    running = []
    for _ in range(SWITCHES):
        work = stage.runtime.switch(dice.choice(guilds), dice.choice(PLUGINS), dice.random() < 0.5, None)
        task = asyncio.create_task(work)
        running.append(task)
        if dice.random() < 0.3:
            await asyncio.sleep(0)
        if dice.random() < 0.2:
            dice.choice(running).cancel()
    for task in running:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def stored_wishes(guild_id: int) -> dict[str, bool]:
    query: Any = GuildPlugin.select(GuildPlugin.plugin, GuildPlugin.enabled)
    return dict(query.where(GuildPlugin.guild_id == guild_id).tuples())


def audited(guild_id: int) -> list[tuple[str, str]]:
    query: Any = AuditEntry.select(AuditEntry.target, AuditEntry.action)
    return list(query.where(AuditEntry.guild_id == guild_id).order_by(AuditEntry.id).tuples())


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_of_switches_leaves_nothing_behind(
    plugins: PluginFolder, lite: str, on_stage: Any, seed: int
) -> None:
    async with on_stage(lite, plugins.selection()) as stage:
        runtime, dice = stage.runtime, random.Random(seed)
        guilds = [stage.scene.guild.id, stage.scene.second_guild.id]
        await stage.settle()
        tasks_before = {task.get_name() for task in asyncio.all_tasks() if not task.done()}
        calls_before = runtime.menus.calls
        for _ in range(ROUNDS):
            await storm(stage, dice, guilds)
            await stage.settle()
            # The window closes: whatever was switched in it is one more call for each guild.
            await stage.advance(15)
        assert runtime.menus.calls - calls_before <= 2 * len(guilds) * ROUNDS
        assert runtime.menus.calls > calls_before

        assert not runtime.menus.tasks()
        assert not list(runtime.dispatcher.workers())
        assert not runtime.dispatcher.depths()
        assert not runtime.tasks.moving()
        assert runtime.opener.failed == {}
        left = {task.get_name() for task in asyncio.all_tasks() if not task.done()} - tasks_before
        assert not {name for name in left if "switch" in name or "menu" in name or "lane" in name}, left
        assert not runtime.bot._listeners
        assert runtime.bot.persistent_views == []

        for guild in guilds:
            wishes = await runtime.db.read(stored_wishes, guild)
            active = runtime.guilds.active(guild)
            assert {name: runtime.guilds.wanted(guild, name) for name in wishes} == wishes
            wanted = {name for name, on in wishes.items() if on}
            expected = {name for name in wanted if name != "charlie" or "alpha" in wanted}
            if expected & {"alpha", "bravo", "charlie"}:
                expected |= {"base"}
            assert active == expected
            # The table, the recording and the menu follow from it, each in its own place.
            assert {
                name for name in (*PLUGINS, "base") if runtime.dispatcher._tables.is_on(name, guild)
            } == expected
            assert runtime.recorder.wants(guild) is ("base" in expected)
            assert {str(c["name"]) for c in stage.world.commands.all(guild)} == expected
            menu = runtime.commands.guild_menu(runtime.bot.tree, active)
            stored = (await runtime.db.read(stored_menus, [guild]))[guild]
            assert stored.hash == menu_hash(runtime.bot.application_id or 0, menu)
            # Each plugin heard of every change of its own, on and off in turns.
            for name in (*PLUGINS, "base"):
                heard = [what for where, what in plugins.module(name).HEARD if where == guild]
                assert heard == (["enabled", "disabled"] * len(heard))[: len(heard)]
                assert (heard[-1:] == ["enabled"]) is (name in expected)
            # Stored and audited once per change, and no change that is none.
            log = await runtime.db.read(audited, guild)
            for name in PLUGINS:
                own = [action for target, action in log if target == name]
                assert all(early != late for early, late in itertools.pairwise(own))
