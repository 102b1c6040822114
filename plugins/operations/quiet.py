"""In which guilds an operation may run, remembered: a move elsewhere need not ask the database.

Most guilds have no operation most of the time, and asking costs several times what recording the move does.
A process asks once for all guilds. What must never happen is that a guild in which one runs is taken for
quiet. So a start is noted as soon as it is committed, before anything that is written after it is heard of; a
session that was written before it was seen by the start itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import discord

from core.database import after_commit
from plugins.operations import store
from plugins.operations.rules.values import OperationView
from plugins.operations.store.linking import guilds_that_run
from redlegion import Context


@dataclass(slots=True)
class _Known:
    """What one process knows.

    :param loud: the guilds in which one may run; None as long as nobody has asked.
    :param fresh: those in which one was started since the answer on its way was asked for.
    :param starts: counts what may have ended the quiet anywhere.
    """

    loud: set[int] | None = None
    fresh: set[int] = field(default_factory=set)
    starts: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


_known: WeakKeyDictionary[discord.Client, _Known] = WeakKeyDictionary()


async def anything_runs(ctx: Context) -> bool:
    """Return whether an operation runs in the guild."""
    known = _known.setdefault(ctx.bot, _Known())
    loud = known.loud
    if loud is None:
        async with known.asking:
            loud = known.loud
            if loud is None:
                known.fresh.clear()
                loud = set(await ctx.read(guilds_that_run))
                loud |= known.fresh
                known.loud = loud
    if ctx.guild_id not in loud:
        return False
    starts = known.starts
    runs = await ctx.read(store.anything_runs, ctx.guild_id)
    if not runs and starts == known.starts:
        loud.discard(ctx.guild_id)
    return runs


async def start(ctx: Context, *args: Any, **options: Any) -> tuple[OperationView, bool]:
    """Do `store.start`, and note in the moment in which it is committed that something runs."""

    def start_once() -> tuple[OperationView, bool]:
        after_commit(lambda: _note(ctx))
        return store.start(ctx.guild_id, *args, **options)

    try:
        return await ctx.write(start_once)
    finally:
        # Also where it is not known whether it was committed.
        _note(ctx)


def _note(ctx: Context) -> None:
    known = _known.setdefault(ctx.bot, _Known())
    known.starts += 1
    (known.fresh if known.loud is None else known.loud).add(ctx.guild_id)
