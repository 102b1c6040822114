"""The bot as a process on a sandbox, killed at random moments while people move, and judged by the world."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from support.bot_process import READY, BotProcess, bot_process, write_plugins_file
from support.plugin_folder import PluginFolder
from support.voice_process import all_rows
from support.voice_truth import Blind, Evening

from core.database import open_database
from core.voice.sessions import HEARTBEAT_SECONDS
from sandbox.server import SandboxServer, World, WorldClock

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
BEAT = timedelta(seconds=HEARTBEAT_SECONDS)
PEOPLE = 24
#: Seconds that the bot is away; the last is over the limit.
GAPS = (0.0, 1.0, 20.0, 90.0, 200.0, 400.0)
_OPEN = 'SELECT user_id, channel_id FROM voice_sessions WHERE "left" IS NULL'


class Kills:
    """A world in which people move all the time, and the lives of a bot in it.

    :param url: of the bot's database.
    :param folder: for the bot's plugins.
    :param seed: of what people do and for how long each life lasts.
    """

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self.url, self.folder = url, folder
        self.dice = random.Random(seed)
        self.world = World(clock=WorldClock(START), seed=seed)
        self.guild = self.world.create_guild("Red Legion")
        self.channels = [self.guild.create_channel(f"Ops {number}", type=2) for number in range(4)]
        self.afk = self.guild.create_channel("Away", type=2)
        self.guild.set_afk_channel(self.afk)
        self.people = [self.guild.add_member(f"miner{number}") for number in range(PEOPLE)]
        self.server = SandboxServer(self.world)
        self.evening = Evening(self.afk.id, LIMIT)
        self.blind: Blind | None = None
        self.settled = self._unseen_since = START
        self.moves = 0
        self.story: list[str] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Kills]:
        plugins = PluginFolder(self.folder / "plugins")
        plugins.write("ears", records_voice=True)
        write_plugins_file(self.folder, plugins.path, "ears")
        await self.server.start()
        try:
            yield self
        finally:
            await self.server.close()

    async def life(self, *, killed_early: bool = False) -> None:
        """Start the bot, let people move for a moment, kill it, and let them go on for a while."""
        dice = self.dice
        async with self._bot() as bot:
            if killed_early:
                self._note("is killed while it starts")
                for _ in range(4):
                    await self._people_move()
                    await asyncio.wait({asyncio.ensure_future(bot.process.wait())}, timeout=dice.random() / 4)
            else:
                await self._ready(bot)
                over = asyncio.Event()
                load = asyncio.create_task(self._load(over))
                await asyncio.wait({load}, timeout=dice.uniform(0.02, 0.8))
                self._lost()
                bot.process.kill()
                over.set()
                await bot.ended()
                await load
        if killed_early:
            self._lost()
        self._check_integrity()
        await self._away(dice.choice(GAPS))

    async def last_life(self) -> None:
        """Start the bot once more, stop it in order, and judge all rows of the evening."""
        async with self._bot() as bot:
            await self._ready(bot)
            for _ in range(5):
                await self._people_move()
                await self.world.clock.advance(30)
            await self._check_open()
            await bot.stop()
        self._check_integrity()
        self._check_world()
        database = open_database(self.url)
        await database.start()
        try:
            rows = await database.read(all_rows, self.guild.id)
        finally:
            await database.close()
        wrong = self.evening.wrongs(rows, self.world.clock.now())
        assert not wrong, "\n".join([*self.story, *wrong])

    def exact(self) -> int:
        """Return of how many people nothing at all was missed or uncertain."""
        return sum(
            1
            for user in self.evening.presences
            if not any(self.evening.touches(blind, user) for blind in self.evening.blinds)
        )

    def _bot(self) -> contextlib.AbstractAsyncContextManager[BotProcess]:
        settings = {"DATABASE_URL": self.url, "VOICE_GAP_LIMIT_SECONDS": str(int(LIMIT.total_seconds()))}
        return bot_process(self.server.addresses.control, self.folder, settings, ready=False)

    async def _ready(self, bot: BotProcess) -> None:
        await bot.said(READY)
        await self.world.clock.advance(0)
        now = self.world.clock.now()
        if self.blind is not None:
            self.blind.right = now
            self.blind.changed = self._changed(self._unseen_since, now)
            self.evening.blinds.append(self.blind)
            self.blind = None
        self.settled = now
        self._note("sees")
        await self._check_open()

    def _lost(self) -> None:
        """Note that the bot remembers nothing beyond what was settled, and that its last beat is as old."""
        now = self.world.clock.now()
        self._note("is killed")
        if self.blind is None:
            self._unseen_since = self.settled
            self.blind = Blind(self.settled - BEAT, now, now, now)
        # Killed while it started: it may have seen, or not.
        self.blind.noticed = now

    def _changed(self, start: datetime, end: datetime) -> frozenset[int]:
        return frozenset(
            stay.user_id
            for stay in self.world.truth
            if start <= stay.since <= end or (stay.until is not None and start <= stay.until <= end)
        )

    async def _load(self, over: asyncio.Event) -> None:
        while not over.is_set():
            for _ in range(self.dice.randrange(1, 8)):
                await self._people_move()
            if self.dice.random() < 0.7:
                await self.world.clock.advance(self.dice.choice((0.1, 0.5, 1.0, 5.0, 20.0)))
                if not over.is_set():
                    self.settled = self.world.clock.now()
            await asyncio.sleep(0)

    async def _away(self, seconds: float) -> None:
        for _ in range(4):
            await self.world.clock.advance(seconds / 4)
            for _ in range(self.dice.randrange(3)):
                await self._people_move()

    async def _people_move(self) -> None:
        person = self.dice.choice(self.people)
        place = self.dice.choice([None, self.afk, *self.channels, *self.channels])
        self.moves += 1
        if place is not None and person.channel_id != place.id:
            await person.join(place)
            self.evening.sit(person.id, place.id, self.world.clock.now())
        elif place is None and person.channel_id is not None:
            await person.leave()
            self.evening.sit(person.id, None, self.world.clock.now())

    def _check_world(self) -> None:
        """The world must say the same of who sat where; it does not know a presence that follows at once."""
        told = [(stay.user_id, stay.channel_id, stay.since, stay.until) for stay in self.world.truth]
        noted = [
            (user, stay.channel_id, stay.since, stay.until)
            for user, presences in self.evening.presences.items()
            for stay in itertools.chain(*presences)
        ]
        assert sorted(told, key=str) == sorted(noted, key=str)

    def _note(self, words: str) -> None:
        self.story.append(f"{self.world.clock.now():%H:%M:%S.%f} the bot {words} after {self.moves} moves")

    async def _check_open(self) -> None:
        await self.world.clock.advance(0)
        seated = {person.id: person.channel_id for person in self.people if person.channel_id is not None}
        rows = await asyncio.to_thread(self._sql, _OPEN)
        assert len(rows) == len(dict(rows)), f"somebody has two open rows: {rows}"
        assert dict(rows) == seated, "\n".join([*self.story, f"open rows {dict(rows)}, seated {seated}"])

    def _check_integrity(self) -> None:
        if self.url.startswith("sqlite"):
            assert self._sql("PRAGMA integrity_check") == [("ok",)]
            return
        # The heap and the index of open sessions must tell the same.
        by_index = self._sql(f"SET enable_seqscan = off; {_OPEN}")
        by_heap = self._sql(f"SET enable_indexscan = off; SET enable_bitmapscan = off; {_OPEN}")
        assert sorted(by_index) == sorted(by_heap)

    def _sql(self, statement: str) -> list[tuple[int, ...]]:
        if self.url.startswith("sqlite"):
            path = self.url.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as lite:
                return lite.execute(statement).fetchall()
        with psycopg.connect(self.url) as postgres:
            *before, last = statement.split("; ")
            for each in before:
                postgres.execute(each)
            return postgres.execute(last).fetchall()
