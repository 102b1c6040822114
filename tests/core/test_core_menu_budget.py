"""The budget against a Discord that loses answers: what it counts never exceeds what we count."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.clock import SteppedClock
from core.commands import budget
from core.commands.menu_store import stored_menus
from core.commands.menus import MenuSync
from core.commands.own import own_commands
from core.commands.table import CommandTable, menu_hash
from core.database import Database
from core.plugins import PluginManager
from core.tasks import TaskBook

MANY = """
def make(name):
    @app_commands.command(name=name, description="x")
    @requires("member")
    async def leaf(interaction: discord.Interaction) -> None: ...
    return leaf

@hookimpl
def register_commands():
    return [make("{plugin}" + str(n)) for n in range(18)]
"""
PLUGINS = ("alpha", "bravo", "charlie", "delta", "echo")
STEPS = 60


class ForgetfulDiscord:
    """Takes menus as Discord does, but answers as the dice fall; counts what is made.

    :param dice: decides the answers; None for a Discord in good health.
    """

    def __init__(self, clock: SteppedClock, dice: random.Random | None) -> None:
        self._clock = clock
        self.dice = dice
        self.menus: dict[int, frozenset[str]] = {}
        self.hashes: dict[int, str] = {}
        self.made: dict[int, list[tuple[datetime, int]]] = {}

    async def bulk_upsert_guild_commands(self, application: int, guild: int, menu: Sequence[Any]) -> None:
        roll = self.dice.random() if self.dice is not None else 1.0
        await asyncio.sleep(0)
        if roll < 0.1:
            raise refusal(403)
        if roll < 0.2:
            raise refusal(503)
        names = frozenset(str(command["name"]) for command in menu)
        fresh = names - self.menus.get(guild, frozenset())
        self.made.setdefault(guild, []).append((self._clock.now(), len(fresh)))
        self.menus[guild] = names
        self.hashes[guild] = menu_hash(application, list(menu))
        if roll < 0.35:
            raise TimeoutError("the answer was lost")

    def within_a_day(self, guild: int) -> int:
        """The most commands that were made within any 24 hours."""
        made = self.made.get(guild, [])
        return max((sum(n for at, n in made if end - budget.DAY < at <= end) for end, _ in made), default=0)


def refusal(status: int) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="")
    kind = discord.Forbidden if status == 403 else discord.DiscordServerError
    return kind(response, {"code": 0, "message": "no"})


@pytest.mark.parametrize("seed", range(4))
async def test_what_discord_counts_stays_within_the_budget(
    folder: PluginFolder, database: Database, stepped_clock: SteppedClock, seed: int
) -> None:
    for plugin in PLUGINS:
        folder.write(plugin, MANY.format(plugin=plugin))
    manager = PluginManager(folder.names, [folder.path])
    dice, active = random.Random(seed), {guild: frozenset[str]() for guild in (1, 2, 3)}
    world = ForgetfulDiscord(stepped_clock, dice)

    def process() -> Any:
        table = CommandTable(manager, own_commands())
        tree: Any = app_commands.CommandTree(discord.Client(intents=discord.Intents(guilds=True)))
        table.install(tree)
        made = SimpleNamespace(
            db=database,
            clock=stepped_clock,
            tasks=TaskBook(stepped_clock),
            closing=False,
            commands=table,
            guilds=SimpleNamespace(active=active.__getitem__),
            bot=SimpleNamespace(application_id=7, tree=tree, http=world),
        )
        made.menus = MenuSync(made)
        return made

    async def still() -> None:
        await until(lambda: not runtime.tasks.moving())

    runtime = process()
    await runtime.menus.load(list(active))
    for _ in range(STEPS):
        guild = dice.choice(list(active))
        active[guild] = frozenset(name for name in PLUGINS if dice.random() < 0.5)
        await runtime.menus.switched(guild)
        if dice.random() < 0.1:
            # Lost in the middle of whatever it does; the next process knows only what is stored.
            runtime.closing = True
            await runtime.tasks.close(within=0)
            runtime = process()
            await runtime.menus.load(list(active))
            for each in active:
                await runtime.menus.sync(each)
        await still()
        await stepped_clock.advance(dice.choice([0.5, 3, 30, 600, 3600]), still)
    assert max(world.within_a_day(guild) for guild in active) > budget.NEAR, "the budget was put to the test"

    # In good health again, everything comes right by itself, and still within the budget.
    world.dice = None
    await stepped_clock.advance(2 * 24 * 3600, still)
    for guild, plugins in active.items():
        wanted = {f"{plugin}{n}" for plugin in plugins for n in range(18)}
        assert world.menus.get(guild, frozenset()) == wanted
        assert world.within_a_day(guild) <= budget.LIMIT
        assert runtime.menus.state(guild).status == "current"
        assert (await database.read(stored_menus, [guild]))[guild].hash == world.hashes[guild]
    assert runtime.menus.troubled() == {}
    assert not runtime.menus.tasks()
    assert not runtime.tasks.moving()
