"""Slash command round trip: from the sandbox's dispatch of the interaction to the answer taken."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.child import BenchmarkError, BotProcess, bot_process
from benchmarks.figures import Comparison, Rounds, percentile
from benchmarks.scene import Scene, open_scene

WARM_UP = 20
BARE = "discord.py with one bare command"


class Stopwatch:
    """Times each interaction of a world between its dispatch and the bot's first answer."""

    def __init__(self, scene: Scene) -> None:
        self.seconds: list[float] = []
        self._began = 0.0
        world = scene.world
        self._dispatch, self._answer = world.hub.dispatch, world.interactions.answer
        # Wrapped from outside: the sandbox has no use for a hook at this place.
        world.hub.dispatch = self._dispatched  # type: ignore[method-assign]
        world.interactions.answer = self._answered  # type: ignore[method-assign, assignment]

    def _dispatched(self, event: str, data: dict[str, Any], **options: Any) -> None:
        if event == "INTERACTION_CREATE":
            self._began = time.perf_counter()
        self._dispatch(event, data, **options)

    def _answered(self, *arguments: Any) -> None:
        self._answer(*arguments)
        self.seconds.append(time.perf_counter() - self._began)


async def measure_slash(folder: Path, *, rounds: int, commands: int) -> list[Comparison]:
    """Run a trivial command over and over, one at a time, on a bare bot and on ours by turns.

    :param folder: for our bot's database.
    :param commands: in each round, after a few to warm up.
    :raises BenchmarkError: a bot fails or does not answer.
    """
    taken = Rounds()
    async with AsyncExitStack() as stack:
        bots: Mapping[str, tuple[Scene, BotProcess, Stopwatch]] = {
            name: await _start(stack, name, folder) for name in ("bare", "ours")
        }
        for _, bot, _ in bots.values():
            await bot.hear("ready")
        for _ in range(rounds):
            for name, (scene, bot, watch) in bots.items():
                await _run(scene, watch, WARM_UP)
                before = await bot.figures()
                await _run(scene, watch, commands)
                after = await bot.figures()
                milliseconds = [1000 * each for each in watch.seconds]
                taken.add(
                    name,
                    p50=percentile(milliseconds, 0.50),
                    p99=percentile(milliseconds, 0.99),
                    cpu=1000 * (after.cpu_seconds - before.cpu_seconds) / commands,
                )
    labels = {"p50": "round trip, p50", "p99": "round trip, p99", "cpu": "bot's CPU per command"}
    return [
        Comparison("slash", label, "ms", 3, BARE, taken.values("bare", key), taken.values("ours", key))
        for key, label in labels.items()
    ]


async def _start(stack: AsyncExitStack, name: str, folder: Path) -> tuple[Scene, BotProcess, Stopwatch]:
    scene = await stack.enter_async_context(open_scene())
    job = scene.job(
        "slash",
        database_url=f"sqlite:///{folder / 'slash.sqlite3'}",
        plugins=("benchmark_probe",),
        on_by_default=("benchmark_probe",),
    )
    bot = await stack.enter_async_context(bot_process(f"benchmarks.{name}", job))
    return scene, bot, Stopwatch(scene)


async def _run(scene: Scene, watch: Stopwatch, commands: int) -> None:
    place = scene.places[0]
    watch.seconds.clear()
    for number in range(commands):
        outcome = await place.people[number % len(place.people)].slash("probe", channel=place.text)
        if outcome.kind != "message":
            raise BenchmarkError(f"a bot answered /probe with {outcome.kind!r} instead of a message")
