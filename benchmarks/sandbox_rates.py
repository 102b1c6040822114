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
                    taken.add(name, rate=events / await _moves(scene, client, events))
    async with open_scene(people=PEOPLE) as scene:
        scene.world.commands.overwrite(0, PROBE)
        scene.world.log.enabled = True
        async with bot_process("benchmarks.raw", scene.job("answer", events=commands)) as client:
            await client.hear("ready")
            await _commands(scene, client, commands)
            for _ in range(rounds):
                taken.add("commands", rate=commands / await _commands(scene, client, commands))
    labels = {
        "log on": ("voice states to one client, with the log", VOICE_ASKED),
        "log off": ("voice states to one client, without", VOICE_ASKED),
        "commands": ("commands answered, with the log", COMMANDS_ASKED),
    }
    return [
        Comparison("sandbox", label, "/s", 0, ASKED, (asked,) * rounds, taken.values(name, "rate"))
        for name, (label, asked) in labels.items()
    ]


async def _moves(scene: Scene, client: BotProcess, events: int) -> float:
    """Move people from channel to channel; returns the seconds until the client has heard of all of it."""
    place = scene.places[0]
    started = time.perf_counter()
    for number in range(events):
        person = place.people[number % PEOPLE]
        here = place.voice.index(scene.world.channels[person.channel_id]) if person.channel_id else 0
        await person.join(place.voice[(here + 1) % len(place.voice)])
        if number % BREATHE_EVERY == 0:
            # The first frames leave while the next ones are made.
            await asyncio.sleep(0)
    await client.hear("done")
    return time.perf_counter() - started


async def _commands(scene: Scene, client: BotProcess, commands: int) -> float:
    """Run commands; returns the seconds until every person has seen the answer."""
    place = scene.places[0]
    started = time.perf_counter()
    numbers = iter(range(commands))
    await asyncio.gather(*(_one_by_one(place, numbers) for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    await client.hear("done")
    return seconds


async def _one_by_one(place: Place, numbers: Iterator[int]) -> None:
    for number in numbers:
        outcome = await place.people[number % PEOPLE].slash("probe", channel=place.text)
        if outcome.kind != "message":
            raise BenchmarkError(f"/probe was answered with {outcome.kind!r} instead of a message")
