"""Voice events from the gateway's socket to the committed row, in floods."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.child import BenchmarkError, BotProcess, bot_process
from benchmarks.figures import Comparison, Rounds
from benchmarks.scene import Place, Scene, open_scene
from sandbox.server.gateway.session import Session
from sandbox.server.members import VoiceState
from sandbox.server.payloads import people as shapes

PEOPLE = 200
EMPTY = "discord.py with an empty listener"
COMMITS = "discord.py with one transaction per event, on the same database"


@dataclass(slots=True)
class Crowd:
    """People of one guild who keep moving from channel to channel; frames are made before they are sent."""

    place: Place
    sent: int = 0
    _frames: dict[tuple[int, int], str] = field(default_factory=dict)

    def moves(self, count: int) -> list[str]:
        """Return the next `count` voice states as JSON; each changes its member's channel."""
        people, voice = self.place.people, self.place.voice
        frames = []
        for number in range(self.sent, self.sent + count):
            who, where = number % len(people), number // len(people) % len(voice)
            if (who, where) not in self._frames:
                person = people[who]
                state = VoiceState(person.id, self.place.guild.id, voice[where].id, f"{person.id:032x}")
                self._frames[who, where] = json.dumps(
                    shapes.voice_state(state, person.member), separators=(",", ":")
                )
            frames.append(self._frames[who, where])
        self.sent += count
        return frames


@dataclass(frozen=True, slots=True)
class Contestant:
    """A bot, the people that it hears of, and how many events it gets in a round."""

    bot: BotProcess
    scene: Scene
    crowd: Crowd
    events: int

    def session(self) -> Session:
        """Return the gateway session of the bot, which has to be ready."""
        (session,) = self.scene.world.hub.sessions.values()
        return session


async def measure_voice(
    folder: Path, *, rounds: int, events: int, commits: int, postgres_url: str | None = None
) -> list[Comparison]:
    """Flood bare bots and ours by turns with the moves of 200 people.

    :param folder: for the databases.
    :param events: in each round; the bot that commits each by itself gets `commits`.
    :param postgres_url: of an empty PostgreSQL database, to measure our bot on it too.
    :raises BenchmarkError: a bot fails, or ours has not committed a row for each event.
    """
    taken = Rounds()
    async with AsyncExitStack() as stack:
        bots = {
            "bare": await _start(stack, "benchmarks.bare", "voice", events),
        }
        own = {"SQLite": f"sqlite:///{folder / 'voice.sqlite3'}"}
        one_by_one = {"SQLite": f"sqlite:///{folder / 'commits.sqlite3'}"}
        if postgres_url is not None:
            own["PostgreSQL"] = one_by_one["PostgreSQL"] = postgres_url
        for name, url in own.items():
            bots[name] = await _start(stack, "benchmarks.ours", "voice", events, url)
        for name, url in one_by_one.items():
            bots[commits_on(name)] = await _start(stack, "benchmarks.commits", "commits", commits, url)
        for one in bots.values():
            await one.bot.hear("ready")
        await _flood_all(bots, Rounds())
        for _ in range(rounds):
            await _flood_all(bots, taken)
    return _compare(taken, list(own))


def commits_on(name: str) -> str:
    """Return what the bot is called that commits each event by itself on a database."""
    return f"commits on {name}"


async def _start(
    stack: AsyncExitStack, module: str, task: str, events: int, database_url: str = ""
) -> Contestant:
    scene: Scene = await stack.enter_async_context(open_scene(people=PEOPLE))
    job = scene.job(
        task,
        events=events,
        database_url=database_url,
        plugins=("benchmark_probe",),
        on_by_default=("benchmark_probe",),
    )
    bot = await stack.enter_async_context(bot_process(module, job))
    return Contestant(bot, scene, Crowd(scene.places[0]), events)


async def _flood_all(bots: Mapping[str, Contestant], taken: Rounds) -> None:
    for name, one in bots.items():
        frames, session = one.crowd.moves(one.events), one.session()
        before = await one.bot.figures()
        spent = time.process_time()
        started = time.perf_counter()
        for number, frame in enumerate(frames):
            session.push("VOICE_STATE_UPDATE", frame)
            if number % 100 == 0:
                # The first frames leave while the next ones are queued.
                await asyncio.sleep(0)
        await one.bot.hear("done")
        seconds = time.perf_counter() - started
        spent = time.process_time() - spent
        said = await one.bot.hear("idle")
        after = await one.bot.figures()
        if "rows" in said and said["rows"] != one.crowd.sent:
            raise BenchmarkError(f"{one.crowd.sent} moves led to {said['rows']} rows on {name}")
        taken.add(
            name,
            rate=one.events / seconds,
            cpu=1e6 * (after.cpu_seconds - before.cpu_seconds) / one.events,
            sandbox=1e6 * spent / one.events,
        )


def _compare(taken: Rounds, databases: list[str]) -> list[Comparison]:
    found = []
    for name in databases:
        figures = [("rate", "events", "/s"), ("cpu", "bot's CPU per event", "us")]
        for key, label, unit in figures:
            for base, words in (("bare", EMPTY), (commits_on(name), COMMITS)):
                found.append(
                    Comparison(
                        "voice",
                        f"{label}, committed on {name}",
                        unit,
                        0 if key == "rate" else 1,
                        words,
                        taken.values(base, key),
                        taken.values(name, key),
                    )
                )
    # The sandbox is no bottleneck as long as this stays below what the fastest bot takes.
    found.append(
        Comparison(
            "voice",
            "for comparison, in place of ours: the sandbox's CPU per event",
            "us",
            1,
            EMPTY,
            taken.values("bare", "cpu"),
            taken.values("bare", "sandbox"),
        )
    )
    return found
