"""A whole evening through real sockets: what was recorded against who really sat where."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import discord
import pytest

from core.clock import SteppedClock
from core.database import Database
from core.events import SessionRecord
from core.ids import IdSource
from core.voice.sessions import VoiceRecorder
from core.voice.snapshots import present_states, snapshot_of
from core.voice.store import sessions_between
from sandbox.server import Person, SandboxServer, World, WorldClock

OUTAGE = 40
BEAT = 15


class Listener(discord.Client):
    """A client that records what it hears, as the bot does."""

    def __init__(self, path: str, recorder: VoiceRecorder, clock: SteppedClock) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            connector=aiohttp.UnixConnector(path=path),
            guild_ready_timeout=0.1,
            max_messages=None,
        )
        self.recorder, self.clock = recorder, clock
        self.down = True
        self.numbers = itertools.count()
        self.changed = asyncio.Event()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "voice_state_update":
            member, before, after = args
            channel_id = before.channel.id if before.channel else None
            self.recorder.observe(
                snapshot_of(
                    member,
                    channel_id,
                    after,
                    clock=self.clock,
                    sequence=next(self.numbers),
                    replayed=self.down,
                )
            )
        elif event == "disconnect" and not self.down:
            self.down = True
            self.recorder.disconnected(self.clock.now())
        elif event in {"ready", "resumed"}:
            self.down = False
        self.changed.set()
        super().dispatch(event, *args, **kwargs)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():
                self.changed.clear()
                await self.changed.wait()


class Evening:
    """A sandbox, a database, and a bot process that can be dropped and restarted."""

    def __init__(self, database: Database, clock: SteppedClock) -> None:
        self.database, self.clock = database, clock
        self.world = World(clock=WorldClock(clock.now()), seed=4)
        self.guild = self.world.create_guild("Red Legion")
        self.channels = [self.guild.create_channel(f"Ops {number}", type=2) for number in range(4)]
        self.people = [self.guild.add_member(f"miner{number}") for number in range(12)]
        self.server = SandboxServer(self.world)
        self.random = random.Random(4)
        self.changed: set[int] = set()

    async def start(self, reason: str = "restart") -> None:
        path = self.server.addresses.socket
        assert path is not None
        self.recorder = VoiceRecorder(
            self.database, self.clock, IdSource(self.clock), lambda *_: None, gap_limit=timedelta(minutes=5)
        )
        self.recorder.set_recording(self.guild.id, True, {})
        self.client = Listener(path, self.recorder, self.clock)
        self.task = asyncio.create_task(self.client.start(self.server.addresses.token))
        await self.client.until(lambda: not self.client.down)
        await self.recover(reason)

    async def recover(self, reason: str) -> None:
        guild = self.client.get_guild(self.guild.id)
        assert guild is not None
        present = present_states(guild, clock=self.clock)
        await self.recorder.recover(0, guild.id, present, reason)

    async def stop(self) -> None:
        await self.client.close()
        await asyncio.wait({self.task}, timeout=60)
        await self.recorder.close()

    async def pass_time(self, seconds: float) -> None:
        await self.world.clock.advance(seconds)
        await self.clock.advance_to(self.world.clock.now())

    async def act(self, person: Person) -> None:
        """Sit down, move or leave, at random."""
        choice = self.random.choice([None, *self.channels])
        if choice is not None:
            await person.join(choice)
        elif person.channel_id is not None:
            await person.leave()

    async def play(self, steps: int, *, listening: bool = True) -> None:
        for _ in range(steps):
            person = self.random.choice(self.people)
            before = person.channel_id
            await self.act(person)
            if not listening and person.channel_id != before:
                self.changed.add(person.id)
            if listening:
                await self.client.until(lambda: self.places() == self.recorded())
            await self.pass_time(self.random.uniform(1, 30) if listening else OUTAGE / steps)

    def places(self) -> dict[int, int]:
        return {person.id: person.channel_id for person in self.people if person.channel_id is not None}

    def recorded(self) -> dict[int, int]:
        return {row.user_id: row.channel_id for row in self.recorder.present_now(self.guild.id)}


@pytest.fixture
async def evening(database: Database, stepped_clock: SteppedClock) -> AsyncIterator[Evening]:
    made = Evening(database, stepped_clock)
    await made.server.start()
    await made.start()
    yield made
    await made.stop()
    await made.server.close()


def _seconds(rows: list[SessionRecord], now: datetime) -> float:
    return sum(((row.left or now) - row.joined).total_seconds() for row in rows)


async def test_recorded_time_is_the_truth_but_for_who_changed_in_an_outage(evening: Evening) -> None:
    began = evening.clock.now()
    await evening.play(40)

    await evening.recorder.settled(evening.guild.id)
    evening.world.faults.drop_gateway(hold_seconds=OUTAGE, park=True)
    await evening.client.until(lambda: evening.client.down)
    await evening.play(8, listening=False)
    await evening.client.until(lambda: not evening.client.down)
    await evening.recover("resume")
    assert evening.places() == evening.recorded()
    await evening.play(20)

    await evening.recorder.beat_now(0)
    await evening.pass_time(BEAT)
    await evening.stop()
    await evening.play(8, listening=False)
    await evening.start()
    assert evening.places() == evening.recorded()
    await evening.play(20)

    await evening.recorder.settled(evening.guild.id)
    now = evening.clock.now()
    rows = await evening.database.read(sessions_between, evening.guild.id, began, now + timedelta(days=1))
    channels = [channel.id for channel in evening.channels]
    compared = 0
    for person in evening.people:
        mine = [row for row in rows if row.user_id == person.id]
        error = abs(_seconds(mine, now) - evening.world.truth.seconds(evening.guild.id, person.id, channels))
        if person.id in evening.changed:
            assert error <= 2 * OUTAGE + BEAT
            assert any(row.estimated for row in mine)
        else:
            compared += bool(mine)
            assert error < 1e-6
            assert not any(row.estimated for row in mine)
    assert compared >= 3
    assert len(evening.changed) >= 3
