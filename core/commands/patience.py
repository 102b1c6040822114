"""Answers at once where it can, and asks Discord for patience where it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord

log = logging.getLogger(__name__)

#: Real seconds after which a command that has not answered is deferred; Discord waits three.
DEFER_AFTER = 1.5
#: Under this name an interaction carries the deferrals that are on their way.
_KEY = "redlegion_deferrals"


@asynccontextmanager
async def deferred_if_slow(
    interaction: discord.Interaction[Any], *, ephemeral: bool = False, after: float = DEFER_AFTER
) -> AsyncIterator[None]:
    """Run the block, and defer the response if it takes long; answer after the block, with `reply`.

    Most work takes milliseconds: its answer comes at once, and a refusal stays private. Only a slow
    database or Discord makes people see "thinking".

    :param ephemeral: whether the answer of a deferred command is private.
    :param after: real seconds to wait before deferring.
    """
    under_way: set[asyncio.Task[Any]] = interaction.extras.setdefault(_KEY, set())

    async def defer_later() -> None:
        await asyncio.sleep(after)
        if interaction.response.is_done() or under_way:
            return
        under_way.add(waiter)
        await interaction.response.defer(ephemeral=ephemeral)

    waiter = asyncio.create_task(defer_later(), name=f"defer {interaction.id}")
    try:
        yield
    finally:
        if waiter not in under_way:
            waiter.cancel()
        await asyncio.wait({waiter})
        if not waiter.cancelled() and (error := waiter.exception()) is not None:
            log.warning("the command could not be deferred: %s", error)


async def deferral_settled(interaction: discord.Interaction[Any]) -> None:
    """Return once no deferral is on its way, or Discord would see two responses."""
    under_way = interaction.extras.get(_KEY)
    if under_way:
        await asyncio.wait(set(under_way))
