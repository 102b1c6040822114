"""Voice in many guilds at once: bursts of moves, from the gateway's socket to committed row and plugin."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import BenchmarkError, BotProcess, bot_process
from benchmarks.figures import Comparison, Rounds, percentile
from benchmarks.heard import Heard
from benchmarks.scale_truth import TOLD, Move, read_rows, wrongs
from benchmarks.scene import Place, Scene, open_scene
from benchmarks.voice import COMMITS, EMPTY, commits_on

PEOPLE = 20
#: Guilds of a narrow burst; in each member's own stays, what lies between two moves has to be a second on
#: the bot's fast clock, so that each leads to a row.
FEW = 10
WIDE, NARROW = "all guilds", f"{FEW} guilds"
PLUGINS = ("operations", "sunday_mining", "benchmark_witness")
ON = ("sunday_mining", "benchmark_witness")


@dataclass(slots=True)
class Crowd:
    """The people of all guilds, all of them seated, and where they go next."""

    scene: Scene
    dice: random.Random
    _next: int = 0

    async def sit_down(self) -> None:
        """Seat everybody."""
        for place in self.scene.places:
            for number, person in enumerate(place.people):
                await person.join(place.voice[number % len(place.voice)])

    async def burst(self, kind: str, count: int) -> list[Move]:
        """Let people move so many times in one tick; all of it leaves together in the next one.

        :param kind: WIDE, where as many guilds as can be have as many moves each, or NARROW.
        """
        places = self.scene.places
        if kind == NARROW:
            places = self.dice.sample(places, min(FEW, len(places)))
        movers = self._movers(places, count)
        sent = []
        for number in range(count):
            place, who = movers[number % len(movers)]
            person = place.people[who]
            before = person.channel_id
            assert before is not None
            after = place.voice[(place.voice.index(place.guild.channels[before]) + 1) % len(place.voice)]
            await person.join(after)
            sent.append(Move(place.guild.id, person.id, before, after.id))
        return sent

    def _movers(self, places: list[Place], count: int) -> list[tuple[Place, int]]:
        each = min(PEOPLE, -(-count // len(places)))
        turn = [number % PEOPLE for number in range(self._next, self._next + each)]
        self._next += each
        movers = [(place, who) for place in places for who in turn]
        self.dice.shuffle(movers)
        return movers


@dataclass(frozen=True, slots=True)
class Contestant:
    """A bot, and the guilds that it is in; without an address its rows are not looked at."""

    bot: BotProcess
    crowd: Crowd
    url: str | None


async def measure_voice_scale(
    folder: Path, *, guilds: int, rounds: int, moves: int, postgres_url: str | None = None
) -> list[Comparison]:
    """Send bare bots and ours by turns bursts of moves in many guilds, and check each of ours.

    :param folder: for the databases.
    :param guilds: with 20 members each, all in voice.
    :param moves: in each burst.
    :param postgres_url: of an empty PostgreSQL database, to measure our bot on it too.
    :raises BenchmarkError: a bot fails, or ours has lost a row or told a plugin something else.
    """
    taken = Rounds()
    async with AsyncExitStack() as stack:
        own = {"SQLite": f"sqlite:///{folder / 'scale.sqlite3'}"}
        if postgres_url is not None:
            own["PostgreSQL"] = postgres_url
        one_by_one = own | {"SQLite": f"sqlite:///{folder / 'scale-commits.sqlite3'}"}
        bots = {"bare": await _start(stack, "benchmarks.bare", guilds, moves)}
        for name, url in own.items():
            bots[name] = await _start(stack, "benchmarks.ours", guilds, moves, url)
        for name, url in one_by_one.items():
            bots[commits_on(name)] = await _start(
                stack, "benchmarks.commits", guilds, moves, url, checked=False
            )
        for one in bots.values():
            await one.bot.hear("ready")
        # The worlds hold millions of objects that stay: looking at them again would cost the bots their turn.
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        # Everybody moves once before it counts: the names of people are stored when they are first met.
        known = {name: bots[name] for name in ("bare", *own)}
        for _ in range(-(-guilds * PEOPLE // moves)):
            await _burst_all(known, WIDE, moves, Rounds())
        await _burst_all(bots, NARROW, moves, Rounds())
        for _ in range(rounds):
            for kind in (WIDE, NARROW):
                await _burst_all(bots, kind, moves, taken)
    return _compare(taken, list(own), guilds, moves)


async def _start(
    stack: AsyncExitStack, module: str, guilds: int, moves: int, url: str = "", *, checked: bool = True
) -> Contestant:
    scene = await stack.enter_async_context(open_scene(guilds=guilds, people=PEOPLE))
    crowd = Crowd(scene, random.Random(guilds))
    await crowd.sit_down()
    job = scene.job("scale", events=moves, database_url=url, plugins=PLUGINS, on_by_default=ON)
    bot = await stack.enter_async_context(bot_process(module, job))
    return Contestant(bot, crowd, url if url and checked else None)


async def _burst_all(bots: Mapping[str, Contestant], kind: str, moves: int, taken: Rounds) -> None:
    for name, one in bots.items():
        before = await one.bot.figures()
        sent = await one.crowd.burst(kind, moves)
        left = time.monotonic()
        await one.bot.hear("done")
        seconds = time.monotonic() - left
        said = await one.bot.hear("idle")
        after = await one.bot.figures()
        heard = [Heard(*each) for each in said.get("heard", ())]
        if one.url is not None:
            rows = await asyncio.to_thread(read_rows, one.url)
            wrong = wrongs(one.crowd.scene.world, sent, heard, rows)
            if wrong:
                told = "; ".join(wrong[:TOLD])
                raise BenchmarkError(f"{name}, burst in {kind}: {len(wrong)} things are wrong: {told}")
        times = [each.at for each in heard] if one.url is not None else said.get("stamps", [])
        figures = {"rate": moves / seconds, "cpu": 1e6 * (after.cpu_seconds - before.cpu_seconds) / moves}
        if times:
            figures["p50"] = 1e3 * (percentile(times, 0.5) - left)
            figures["p99"] = 1e3 * (percentile(times, 0.99) - left)
        taken.add(name, **{f"{key}, {kind}": value for key, value in figures.items()})


def _compare(taken: Rounds, databases: list[str], guilds: int, moves: int) -> list[Comparison]:
    labels = {WIDE: f"{moves:,} moves in {guilds:,} guilds", NARROW: f"{moves:,} in {min(FEW, guilds)}"}
    figures = [
        ("rate", "events committed", "/s", 0),
        ("p50", "sent to committed and told, p50", "ms", 1),
        ("p99", "sent to committed and told, p99", "ms", 1),
        ("cpu", "bot's CPU per event", "us", 1),
    ]
    found = []
    for against, words in (("bare", EMPTY), ("commits", COMMITS)):
        for name in databases:
            base = commits_on(name) if against == "commits" else against
            for kind, where in labels.items():
                for key, label, unit, digits in figures:
                    if against == "commits" and key in {"p50", "p99"}:
                        continue
                    found.append(
                        Comparison(
                            "voice_scale",
                            f"{label}, {where}, {name}",
                            unit,
                            digits,
                            words,
                            taken.values(base, f"{key}, {kind}"),
                            taken.values(name, f"{key}, {kind}"),
                        )
                    )
    return found
