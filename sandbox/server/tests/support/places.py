"""Fixtures: a small guild on a server, and a real discord.py bot in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.loopback import LoopbackBot, Place, drill
from support.openapi_judge import attach

from sandbox.server import SandboxServer, World


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    world = World(seed=7)
    findings = attach(world)
    guild = world.create_guild("Ember Prospectors")
    category = guild.create_channel("Drill", 4)
    text = guild.create_channel("drill-ops", parent=category)
    dispatch = guild.create_channel("Dispatch", 2, parent=category)
    alpha = guild.create_channel("Alpha", 2, parent=category)
    officer = guild.create_role("Officer", permissions=1 << 33)
    quartz = guild.add_member("quartz", [officer])
    beryl = guild.add_member("beryl")
    server = SandboxServer(world)
    await server.start()
    yield Place(world, server, guild, text, dispatch, alpha, quartz, beryl)
    await server.close()
    assert findings == []


@pytest.fixture
async def bot(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)
    bot.tree.add_command(drill())
    await bot.begin(place.world.token)
    bot.tree.copy_global_to(guild=bot.guilds[0])
    await bot.tree.sync(guild=bot.guilds[0])
    yield bot
    await bot.end()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out other people's bots, which need an environment of their own, unless they are asked for."""
    if "red" in (config.option.markexpr or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("red")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
