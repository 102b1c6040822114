"""People of many guilds who keep moving, and whether what is stored in the end is what they did."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from sandbox.server import Person, World
from sandbox.server.channels import Channel

#: Sandbox time between two turns: long enough that each stay has a row.
TURN_SECONDS = 2.0
_QUERY = """
SELECT id, guild_id, user_id, channel_id, {joined}, {left}, deafened_us, previous_id, status = 'active',
       joined_estimated OR left_estimated OR afk OR status = 'cancelled'
FROM voice_sessions ORDER BY user_id, id
"""
_MICROSECOND = timedelta(microseconds=1)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A voice session as it stands in the database; times in microseconds since 1970."""

    id: int
    guild_id: int
    user_id: int
    channel_id: int
    joined: int
    left: int | None
    deafened_us: int
    previous_id: int | None
    active: bool
    odd: bool


@dataclass(slots=True)
class Doings:
    """What one person has done: how many stays, a digest of where, and for how long they heard nothing."""

    person: Person
    channels: list[Channel]
    stays: int = 0
    digest: int = 0
    deafened: timedelta = timedelta()
    deafened_since: datetime | None = None

    async def sit(self, channel: Channel) -> None:
        """Sit down in a channel, from nowhere or from another one."""
        await self.person.join(channel)
        self.stays += 1
        self.digest = hash((self.digest, channel.id))

    async def leave(self, now: datetime) -> None:
        """Leave voice."""
        await self.person.leave()
        self._hears(now)

    async def turn_deaf(self, now: datetime) -> None:
        """Hear nothing any more, or hear again."""
        deaf = self.deafened_since is None
        await self.person.set_voice(self_deaf=deaf)
        if deaf:
            self.deafened_since = now
        else:
            self._hears(now)

    def _hears(self, now: datetime) -> None:
        if self.deafened_since is not None:
            self.deafened += now - self.deafened_since
            self.deafened_since = None


class Throng:
    """Everybody in a world of guilds of one shape.

    :param guilds: with `people` members and `channels` voice channels each.
    """

    def __init__(self, world: World, *, guilds: int, people: int, channels: int, seed: int) -> None:
        self.world = world
        self.events: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self.guilds = [
            world.create_guild(f"Guild {number}", owner=f"owner{number}") for number in range(guilds)
        ]
        self.people: list[Doings] = []
        for guild in self.guilds:
            voice = [guild.create_channel(f"Ops {number}", type=2) for number in range(channels)]
            self.people += [
                Doings(guild.add_member(f"miner{number}_{guild.id}"), voice) for number in range(people)
            ]

    async def turn(self) -> int:
        """Let everybody do one thing in one moment, in an order of its own, and time go on; returns how many.

        Returns once the bots have taken all of it.
        """
        now = self.world.clock.now()
        self._dice.shuffle(self.people)
        for one in self.people:
            await self._act(one, now)
        # The gateway's own tasks get to write what is queued.
        await asyncio.sleep(0)
        await self.world.clock.advance(TURN_SECONDS)
        return len(self.people)

    async def _act(self, one: Doings, now: datetime) -> None:
        chance, here = self._dice.random(), one.person.channel_id
        if here is None:
            await one.sit(self._dice.choice(one.channels))
            self.events["joins"] += 1
        elif chance < 0.04:
            await one.leave(now)
            self.events["leaves"] += 1
        elif chance < 0.1:
            await one.turn_deaf(now)
            self.events["deafened or not"] += 1
        else:
            await one.sit(self._dice.choice([each for each in one.channels if each.id != here]))
            self.events["moves"] += 1

    def wrongs(self, url: str) -> Iterator[str]:
        """Say what is wrong with the rows of a database that nobody has open."""
        now = self.world.clock.now()
        by_user = {one.person.id: one for one in self.people}
        with contextlib.closing(_rows(url)) as rows:
            for user_id, own in itertools.groupby(rows, lambda row: row.user_id):
                one = by_user.pop(user_id, None)
                if one is None:
                    yield f"nobody has the id {user_id}"
                else:
                    yield from self._wrong_rows(one, own, now)
        yield from (f"{one.person} has no rows" for one in by_user.values() if one.stays)

    def _wrong_rows(self, one: Doings, rows: Iterable[Row], now: datetime) -> Iterator[str]:
        who, guild_id, moment = one.person, one.person.guild.id, (now - _UNIX) // _MICROSECOND
        stays, digest, deafened = 0, 0, 0
        spent: Counter[int] = Counter()
        before: Row | None = None
        for row in rows:
            stays, digest = stays + 1, hash((digest, row.channel_id))
            deafened += row.deafened_us
            spent[row.channel_id] += (moment if row.left is None else row.left) - row.joined
            if row.odd or row.guild_id != guild_id or row.active != (row.left is None):
                yield f"{who} has a row that says what never happened: {row}"
            if before is not None and (before.left is None or before.left > row.joined):
                yield f"{who} is in two places at once: {before} and {row}"
            moved = before is not None and before.left == row.joined
            if row.previous_id != (before.id if moved and before is not None else None):
                yield f"the chain of {who} is broken between {before} and {row}"
            before = row
        if (stays, digest) != (one.stays, one.digest):
            yield f"{who} had {one.stays} stays, stored are {stays}, or other channels"
        if before is not None and (before.channel_id if before.left is None else None) != who.channel_id:
            yield f"{who} sits in {who.channel_id}, the last row is {before}"
        for channel in one.channels:
            true = self.world.truth.seconds(guild_id, who.id, [channel.id])
            if spent[channel.id] != round(true * 1_000_000):
                yield f"{who} sat {true} s in {channel.name}, stored are {spent[channel.id]} us"
        # What goes on is in the row as its beginning, and not yet in the sum.
        if deafened != one.deafened // _MICROSECOND and one.deafened_since is None:
            yield f"{who} heard nothing for {one.deafened}, stored are {deafened} us"


def _rows(url: str) -> Iterator[Row]:
    """Yield all sessions, person by person and oldest first; read past our own code, a few at a time."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        query = _QUERY.format(joined="joined", left='"left"')
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as lite:
            yield from map(Row._make, lite.execute(query))
        return
    query = _QUERY.format(joined=_micros("joined"), left=_micros('"left"'))
    with psycopg.connect(url) as postgres, postgres.cursor(name="sessions") as cursor:
        cursor.itersize = 10_000
        found: Iterable[Any] = cursor.execute(query)
        yield from map(Row._make, found)


def _micros(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"
