"""What the sandbox alone carries: voice states to one client, and commands that are answered at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from benchmarks.child import BenchmarkError, BotProcess, bot_process
from benchmarks.figures import Comparison, Rounds
from benchmarks.scene import Place, Scene, open_scene

PEOPLE = 200
AT_ONCE = 20
BREATHE_EVERY = 100
ASKED = "what is asked of it"
VOICE_ASKED = 20_000.0
COMMANDS_ASKED = 1_000.0
PROBE = [{"name": "probe", "description": "Answer at once", "type": 1}]


async def measure_sandbox(*, rounds: int, events: int, commands: int) -> list[Comparison]:
    """Let 200 people move, then run a command, before a client that only reads and answers.

    :param events: moves in each round, with the log on and again with the log off.
    :param commands: in each round, 20 at a time.
    :raises BenchmarkError: the client fails.
    """
    taken = Rounds()
    async with open_scene(people=PEOPLE) as scene:
        job = scene.job("read", events=events)
        async with bot_process("benchmarks.raw", job) as client:
            await client.hear("ready")
            await _moves(scene, client, events)
            for _ in range(rounds):
                for name, log in (("log on", True), ("log off", False)):
                    scene.world.log.enabled = log
                    seconds, cpu = await _moves(scene, client, events)
                    taken.add(name, rate=events / seconds, cpu=1e6 * cpu / events)
    async with open_scene(people=PEOPLE) as scene:
        scene.world.commands.overwrite(0, PROBE)
        scene.world.log.enabled = True
        async with bot_process("benchmarks.raw", scene.job("answer", events=commands)) as client:
            await client.hear("ready")
            await _commands(scene, client, commands)
            for _ in range(rounds):
                seconds, cpu = await _commands(scene, client, commands)
                taken.add("commands", rate=commands / seconds, cpu=1e6 * cpu / commands)
    labels = {
        "log on": ("voice states to one client, with the log", VOICE_ASKED),
        "log off": ("voice states to one client, without the log", VOICE_ASKED),
        "commands": ("commands answered, with the log", COMMANDS_ASKED),
    }
    found = []
    for name, (label, asked) in labels.items():
        rate, cpu_each = taken.values(name, "rate"), taken.values(name, "cpu")
        found.append(Comparison("sandbox", label, "/s", 0, ASKED, (asked,) * rounds, rate))
        # The same as the time that one may take, which other work on the machine hides less of.
        most = (1e6 / asked,) * rounds
        found.append(Comparison("sandbox", f"CPU for each of the {label}", "us", 1, ASKED, most, cpu_each))
    return found


async def _moves(scene: Scene, client: BotProcess, events: int) -> tuple[float, float]:
    """Move people from channel to channel; returns the seconds until all of it is heard, and our CPU's."""
    place = scene.places[0]
    started, spent = time.perf_counter(), time.process_time()
    for number in range(events):
        person = place.people[number % PEOPLE]
        away = person.channel_id == place.voice[0].id
        await person.join(place.voice[1 if away else 0])
        if number % BREATHE_EVERY == 0:
            # The first frames leave while the next ones are made.
            await asyncio.sleep(0)
    await client.hear("done")
    return time.perf_counter() - started, time.process_time() - spent


async def _commands(scene: Scene, client: BotProcess, commands: int) -> tuple[float, float]:
    """Run commands; returns the seconds until every person has seen the answer, and our CPU's."""
    place = scene.places[0]
    started, spent = time.perf_counter(), time.process_time()
    numbers = iter(range(commands))
    await asyncio.gather(*(_one_by_one(place, numbers) for _ in range(AT_ONCE)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    await client.hear("done")
    return seconds, cpu


async def _one_by_one(place: Place, numbers: Iterator[int]) -> None:
    for number in numbers:
        outcome = await place.people[number % PEOPLE].slash("probe", channel=place.text)
        if outcome.kind != "message":
            raise BenchmarkError(f"/probe was answered with {outcome.kind!r} instead of a message")
