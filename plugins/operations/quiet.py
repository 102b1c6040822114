"""Guilds in which nothing runs, remembered: a move there need not ask the database.

Most guilds have no operation most of the time, and asking costs several times what recording the move does.
What must never happen is that one runs in a guild that is remembered here. So a guild is forgotten as soon
as a start is committed, before anything that is written after it is heard of; a session that was written
before it was seen by the start itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import discord

from core.database import after_commit
from plugins.operations import store
from plugins.operations.rules.values import OperationView
from redlegion import Context


@dataclass(slots=True)
class _Quiet:
    """What one process remembers.

    :param starts: counts what may have ended the quiet anywhere.
    """

    guilds: set[int] = field(default_factory=set)
    starts: int = 0


_remembered: WeakKeyDictionary[discord.Client, _Quiet] = WeakKeyDictionary()


async def anything_runs(ctx: Context) -> bool:
    """Return whether an operation runs in the guild."""
    quiet = _remembered.setdefault(ctx.bot, _Quiet())
    if ctx.guild_id in quiet.guilds:
        return False
    starts = quiet.starts
    runs = await ctx.read(store.anything_runs, ctx.guild_id)
    if not runs and starts == quiet.starts:
        quiet.guilds.add(ctx.guild_id)
    return runs


def look_again(ctx: Context) -> None:
    """Forget that nothing runs in the guild."""
    quiet = _remembered.setdefault(ctx.bot, _Quiet())
    quiet.starts += 1
    quiet.guilds.discard(ctx.guild_id)


async def start(ctx: Context, *args: Any, **options: Any) -> tuple[OperationView, bool]:
    """Do `store.start` and forget that nothing runs, in the moment in which it is committed."""

    def start_once() -> tuple[OperationView, bool]:
        after_commit(lambda: look_again(ctx))
        return store.start(ctx.guild_id, *args, **options)

    try:
        return await ctx.write(start_once)
    finally:
        # Also where it is not known whether it was committed.
        look_again(ctx)
