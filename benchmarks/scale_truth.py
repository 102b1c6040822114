"""Whether rows and deliveries say what really happened: the rows are read past our own code."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.heard import Heard
from sandbox.server import World

_ROWS = (
    'SELECT id, guild_id, user_id, channel_id, joined, "left", previous_id, status, deafened_us, '
    "joined_estimated OR left_estimated OR afk FROM voice_sessions ORDER BY guild_id, user_id, joined, id"
)
Member = tuple[int, int]
#: How many of the wrongs are told.
TOLD = 5


class Row(NamedTuple):
    """A voice session as it stands in the database; times as the database has them."""

    id: int
    guild_id: int
    user_id: int
    channel_id: int
    joined: Any
    left: Any
    previous_id: int | None
    status: str
    deafened_us: int
    odd: bool


class Move(NamedTuple):
    """One change of channel, as it was sent."""

    guild_id: int
    user_id: int
    from_channel_id: int
    to_channel_id: int


def read_rows(url: str) -> list[Row]:
    """Return all voice sessions of a database that a bot has open."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as lite:
            return [Row(*values) for values in lite.execute(_ROWS)]
    # Only where it is measured: SQLite needs no driver.
    import psycopg

    with psycopg.connect(url) as postgres:
        return [Row(*values) for values in postgres.execute(_ROWS)]


def wrongs(world: World, sent: Sequence[Move], heard: Sequence[Heard], rows: Sequence[Row]) -> list[str]:
    """Say what is wrong after a burst; nothing where all is committed and was delivered in order.

    :param sent: the moves of this burst; `heard` what the plugin was told of since the last one.
    :param rows: all that is stored.
    """
    by_member: dict[Member, list[Row]] = {
        member: list(own) for member, own in itertools.groupby(rows, lambda row: row[1:3])
    }
    return [*_wrong_rows(world, by_member), *_wrong_deliveries(sent, heard, {row.id: row for row in rows})]


def _wrong_rows(world: World, by_member: dict[Member, list[Row]]) -> Iterator[str]:
    """Every stay of the truth is a row, and no more; each begins in the moment in which the last one ends."""
    truth: dict[Member, list[int]] = defaultdict(list)
    for stay in world.truth:
        if not stay.bot:
            truth[stay.guild_id, stay.user_id].append(stay.channel_id)
    for member in truth.keys() | by_member.keys():
        channels, rows = truth.get(member, []), by_member.get(member, [])
        if [row.channel_id for row in rows] != channels:
            yield f"member {member} sat in {channels}, stored is {[row.channel_id for row in rows]}"
            continue
        *closed, last = rows
        if last.left is not None or last.status != "active":
            yield f"the last session of {member} is not open: {last}"
        if rows[0].previous_id is not None or any(row.odd or row.deafened_us for row in rows):
            yield f"the sessions of {member} say what never happened: {rows}"
        for row, following in zip(closed, rows[1:], strict=True):
            if row.status != "completed" or row.left != following.joined or following.previous_id != row.id:
                yield f"the chain of {member} is broken between {row} and {following}"


def _wrong_deliveries(sent: Sequence[Move], heard: Sequence[Heard], rows: dict[int, Row]) -> Iterator[str]:
    """Each guild's moves were told once each and in order, of sessions that are stored."""
    told = _by_guild(Move(one.guild_id, one.user_id, *one[5:]) for one in heard)
    wanted = _by_guild(sent)
    for guild_id in wanted.keys() | told.keys():
        if told.get(guild_id) != wanted.get(guild_id):
            yield (
                f"guild {guild_id} was sent {len(wanted.get(guild_id, ()))} moves and told of "
                f"{len(told.get(guild_id, ()))}, or in another order"
            )
    for one in heard:
        closed, opened = rows.get(one.closed_id), rows.get(one.opened_id)
        if closed is None or opened is None or opened.previous_id != closed.id:
            yield f"what was told is not what is stored: {one}"
        elif opened[1:4] != (one.guild_id, one.user_id, one.to_channel_id):
            yield f"{opened} was told as {one}"


def _by_guild(moves: Iterable[Move]) -> dict[int, list[Move]]:
    found: dict[int, list[Move]] = defaultdict(list)
    for move in moves:
        found[move.guild_id].append(move)
    return found
