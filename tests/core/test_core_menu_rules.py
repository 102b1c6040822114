"""The rules of windows and budget, and ten thousand guilds at the level of `MenuSync`."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands
from hypothesis import given
from hypothesis import strategies as st
from support.plugin_folder import PluginFolder

from core.clock import SteppedClock
from core.commands import budget, windows
from core.commands.menu_store import StoredMenu, store_menu, stored_menus
from core.commands.menus import GLOBAL, MenuSync
from core.commands.own import own_commands
from core.commands.table import CommandTable, menu_hash
from core.database import CommandMenu, Database
from core.plugins import PluginManager
from core.tasks import TaskBook

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
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def many(folder: PluginFolder, plugin: str, count: int = 1, **manifest: Any) -> None:
    folder.write(plugin, MANY.format(plugin=plugin, count=count), **manifest)


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
