"""From the start of the process to ready, and the memory that it takes."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.child import Figures, bot_process
from benchmarks.figures import Comparison, Rounds
from benchmarks.scene import Scene, open_scene

BARE = "discord.py's AutoShardedClient with nothing in it"
PLUGINS = ("market", "operations", "sunday_mining", "payroll")
ON = ("sunday_mining", "payroll")


async def measure_start(folder: Path, *, rounds: int, guilds: tuple[int, ...]) -> list[Comparison]:
    """Start a bare bot and ours by turns: ours on an empty database, then again on the same one.

    Ours is ready when the plugins that come with it are on and voice is recovered in every guild. On an
    empty database its menus are sent after that, a few at a time.

    :param folder: for the databases.
    :param guilds: on how many guilds, one scene each.
    :raises BenchmarkError: a bot fails.
    """
    found = []
    for count in guilds:
        taken = Rounds()
        async with open_scene(guilds=count) as scene:
            # The first start of all reads the files from the disk, and compiles them as an installation does.
            compiled = folder / "compiled"
            await _start(scene, "benchmarks.bare", "", compiled)
            await _start(scene, "benchmarks.ours", f"sqlite:///{folder / f'warm-{count}.sqlite3'}", compiled)
            for number in range(rounds):
                url = f"sqlite:///{folder / f'start-{count}-{number}.sqlite3'}"
                for name, module in (("bare", "bare"), ("first", "ours"), ("second", "ours")):
                    seconds, used = await _start(scene, f"benchmarks.{module}", url, compiled)
                    taken.add(
                        name,
                        seconds=seconds,
                        cpu=used.cpu_seconds,
                        rss=used.peak_rss_bytes / 2**20,
                    )
        found += _compare(taken, count)
    return found


async def _start(scene: Scene, module: str, url: str, compiled: Path) -> tuple[float, Figures]:
    job = scene.job("start", database_url=url, plugins=PLUGINS, on_by_default=ON)
    started = time.perf_counter()
    async with bot_process(module, job, compiled=compiled) as bot:
        await bot.hear("ready")
        seconds = time.perf_counter() - started
        return seconds, await bot.figures()


def _compare(taken: Rounds, guilds: int) -> list[Comparison]:
    where = "1 guild" if guilds == 1 else f"{guilds:,} guilds"
    figures = [
        ("seconds", "start to ready", "s", 2),
        ("cpu", "CPU until ready", "s", 2),
        ("rss", "peak memory", "MiB", 1),
    ]
    runs = [("first", "empty database"), ("second", "second start")]
    return [
        Comparison(
            "start",
            f"{label}, {where}, {which}",
            unit,
            digits,
            BARE,
            taken.values("bare", key),
            taken.values(run, key),
        )
        for key, label, unit, digits in figures
        for run, which in runs
    ]
