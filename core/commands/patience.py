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
    sending = asyncio.Event()

    async def defer_later() -> None:
        await asyncio.sleep(after)
        sending.set()
        await interaction.response.defer(ephemeral=ephemeral)

    waiter = asyncio.create_task(defer_later(), name=f"defer {interaction.id}")
    try:
        yield
    finally:
        if not sending.is_set():
            waiter.cancel()
        # A deferral that is on its way must arrive before the answer, or Discord sees two responses.
        await asyncio.wait({waiter})
        if not waiter.cancelled() and (error := waiter.exception()) is not None:
            log.warning("the command could not be deferred: %s", error)
