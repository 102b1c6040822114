"""Delivery of one event to 0, 1 and 8 plugins, and what a plugin that misbehaves costs everybody else."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import discord
import pluggy
from discord.ext import commands

from benchmarks.child import BenchmarkError
from benchmarks.figures import Comparison, Rounds, percentile
from core.context import Context
from core.dispatch import Dispatcher
from core.plugin_tasks import plugin_tasks
from core.plugins import PluginManager

PLUGINS = (0, 1, 8)
#: Events that are under way together, each in a guild of its own.
TOGETHER = 10
LISTENERS = "discord.py's own listeners"
PLUGGY = "pm.hook, each answer awaited in turn"
HEALTHY = "the same without the plugin that misbehaves"
#: Of the run with a plugin that misbehaves.
GUILDS = 20
EVENTS_PER_SECOND = 400

CODE = """
from redlegion import hookimpl

DOING = None

@hookimpl
async def on_member_left(ctx, event):
    await DOING(ctx, event)
"""
MANIFEST = """
name = "{name}"
title = "{name}"
summary = "Listens."
version = "1.0.0"
api = ">=1,<2"
kind = "feature"
personal_data = "Nothing."
"""

Deliver = Callable[[int], Awaitable[None]]


class Heard:
    """Counts the handlers that have run."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, *_: Any) -> None:
        self.count += 1


async def measure_dispatch(
    folder: Path, *, rounds: int, events: int, misbehaving_seconds: float
) -> list[Comparison]:
    """Deliver events by each of the three ways in turn, then see what one bad plugin costs the others.

    :param folder: for plugins that are written here.
    :param events: in each round and way.
    :param misbehaving_seconds: how long a plugin misbehaves, in each round.
    :raises BenchmarkError: a plugin could not be loaded.
    """
    manager = _plugins(folder)
    taken = Rounds()
    ways = {"listeners": _by_listeners, "pluggy": _by_pluggy, "ours": _by_ours}
    for _ in range(rounds):
        for plugins in PLUGINS:
            for name, way in ways.items():
                seconds = await asyncio.to_thread(_timed, way, manager, plugins, events)
                taken.add(name, **{str(plugins): 1e6 * seconds / events})
        for name, bad in (("healthy", False), ("misbehaving", True)):
            delays = await asyncio.to_thread(_delays, manager, misbehaving_seconds, bad)
            taken.add(name, p50=1000 * percentile(delays, 0.50), p99=1000 * percentile(delays, 0.99))
    found = [
        Comparison(
            "dispatch",
            f"one event to {plugins} plugin{'' if plugins == 1 else 's'}",
            "us",
            2,
            baseline,
            taken.values(key, str(plugins)),
            taken.values("ours", str(plugins)),
        )
        for key, baseline in (("listeners", LISTENERS), ("pluggy", PLUGGY))
        for plugins in PLUGINS
    ]
    found += [
        Comparison(
            "dispatch",
            f"start of a handler of the other plugins, {share}",
            "ms",
            3,
            HEALTHY,
            taken.values("healthy", share),
            taken.values("misbehaving", share),
        )
        for share in ("p50", "p99")
    ]
    return found


def _plugins(folder: Path) -> PluginManager:
    names = [f"dispatch_{number}" for number in range(max(PLUGINS))]
    for name in names:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(CODE, encoding="utf-8")
        (folder / name / "manifest.toml").write_text(MANIFEST.format(name=name), encoding="utf-8")
    manager = PluginManager(names, [folder])
    if manager.quarantined:
        raise BenchmarkError(f"a plugin of the benchmark could not be loaded: {manager.quarantined[0]}")
    return manager


def _context() -> Callable[[str, int], Context]:
    # Nothing here touches the process that a context leads to.
    return lru_cache(maxsize=None)(lambda plugin, guild_id: Context(cast(Any, None), plugin, guild_id))


def _timed(way: Any, manager: PluginManager, plugins: int, events: int) -> float:
    """Return the seconds that the events take on a loop of their own."""
    return asyncio.run(_run(way, manager, plugins, events))


async def _run(way: Any, manager: PluginManager, plugins: int, events: int) -> float:
    heard = Heard()
    deliver: Callable[[int], Awaitable[None] | None] = await way(manager, plugins, heard)
    for warm_up in (True, False):
        heard.count, number, until = 0, events // 10 if warm_up else events, 0
        gc.collect()
        started = time.perf_counter()
        for first in range(0, number, TOGETHER):
            for guild_id in range(min(TOGETHER, number - first)):
                under_way = deliver(guild_id)
                if under_way is not None:
                    await under_way
                until += plugins
            # Turn by turn of the loop: an event for each way of waiting would be measured too.
            while heard.count < until:  # noqa: ASYNC110
                await asyncio.sleep(0)
        seconds = time.perf_counter() - started
    return seconds


async def _by_ours(manager: PluginManager, plugins: int, heard: Heard) -> Any:
    plugin_tasks()
    dispatcher = Dispatcher(manager, _context())
    names = list(manager.loaded)[:plugins]
    for name in names:
        manager.loaded[name].module.DOING = heard  # type: ignore[attr-defined]
    for guild_id in range(TOGETHER):
        dispatcher.set_plugins(guild_id, frozenset(names))
    event = object()
    return lambda guild_id: dispatcher.deliver(guild_id, "on_member_left", event)


async def _by_listeners(manager: PluginManager, plugins: int, heard: Heard) -> Any:
    bot = commands.Bot("!", intents=discord.Intents.none(), help_command=None)
    bot.loop = asyncio.get_running_loop()
    for number in range(plugins):

        async def listen(ctx: object, event: object) -> None:
            await heard(ctx, event)

        listen.__name__ = f"listen_{number}"
        bot.add_listener(listen, "on_member_left")
    event = object()
    return lambda guild_id: bot.dispatch("member_left", guild_id, event)


async def _by_pluggy(manager: PluginManager, plugins: int, heard: Heard) -> Any:
    spec, impl = pluggy.HookspecMarker("bench"), pluggy.HookimplMarker("bench")

    class Specs:
        @spec
        def on_member_left(self, ctx: object, event: object) -> None:
            """Somebody left."""

    class Listener:
        @impl
        async def on_member_left(self, ctx: object, event: object) -> None:
            await heard(ctx, event)

    hooks = pluggy.PluginManager("bench")
    hooks.add_hookspecs(Specs)
    for number in range(plugins):
        hooks.register(Listener(), name=f"listener_{number}")
    event = object()

    async def deliver(guild_id: int) -> None:
        for answer in hooks.hook.on_member_left(ctx=guild_id, event=event):
            await answer

    return deliver


def _delays(manager: PluginManager, seconds: float, bad: bool) -> Sequence[float]:
    """Return how long the handlers of the well-behaved waited for their start, in seconds."""
    logger = logging.getLogger("core.dispatch")
    before = logger.level
    # What is wrong with the bad one is said a thousand times; saying it is not what is measured.
    logger.setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_play(manager, seconds, bad))
    finally:
        logger.setLevel(before)


async def _play(manager: PluginManager, seconds: float, bad: bool) -> Sequence[float]:
    loop = asyncio.get_running_loop()
    plugin_tasks()
    delays: list[float] = []
    first = next(iter(manager.loaded))

    async def doing(ctx: Context, event: float) -> None:
        if ctx.plugin == first:
            if bad:
                await _misbehave(ctx.guild_id)
            return
        delays.append(loop.time() - event)
        await asyncio.sleep(0.001 * (ctx.guild_id % 5))

    dispatcher = Dispatcher(manager, _context())
    for plugin in manager.loaded.values():
        plugin.module.DOING = doing  # type: ignore[attr-defined]
    for guild_id in range(GUILDS):
        dispatcher.set_plugins(guild_id, frozenset(manager.loaded))
    started = loop.time()
    for number in range(int(seconds * EVENTS_PER_SECOND)):
        await asyncio.sleep(max(0.0, started + number / EVENTS_PER_SECOND - loop.time()))
        # A member who leaves and one who comes, in the same tick.
        dispatcher.deliver(number % GUILDS, "on_member_left", loop.time())
    await dispatcher.close(within=0.1)
    return delays


async def _misbehave(guild_id: int) -> None:
    match guild_id % 4:
        case 0:
            await asyncio.Event().wait()
        case 1:
            raise SystemExit("out of spite")
        case 2:
            asyncio.create_task(asyncio.sleep(60))  # noqa: RUF006 - a task that is forgotten
        case _:
            await asyncio.sleep(0.2)
