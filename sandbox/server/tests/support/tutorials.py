"""Runs a discord.py bot of a tutorial on a sandbox and lets people talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from support.loopback import Place

from sandbox.server import Person

WAIT = 60.0


class AtOnce:
    """Skips discord.py's wait of 5 s between two identifies; before the client's class in the bases."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait."""


def options(place: Place) -> dict[str, Any]:
    """Return what a client's constructor takes to be on a place's sandbox; the rest is the tutorial's own."""
    socket = place.server.addresses.socket
    assert socket is not None
    return {
        "connector": aiohttp.UnixConnector(path=socket, limit=0),
        "guild_ready_timeout": 0.05,
        "intents": discord.Intents.all(),
    }


@asynccontextmanager
async def running(bot: discord.Client, place: Place) -> AsyncIterator[None]:
    """Log a bot in, wait until it is ready, and log it out at the end."""
    connecting: asyncio.Task[None] | None = None
    async with bot:
        await bot.login(place.world.token)
        connecting = asyncio.create_task(bot.connect())
        try:
            await asyncio.wait_for(bot.wait_until_ready(), WAIT)
            yield
        finally:
            await bot.close()
            await asyncio.wait_for(asyncio.gather(connecting, return_exceptions=True), WAIT)


async def answer(place: Place, person: Person, text: str) -> dict[str, Any]:
    """Write a message and return the next one that the bot sends to the channel."""
    coming = asyncio.create_task(posted(place))
    await asyncio.sleep(0)
    await person.send(place.text, text)
    return await coming


async def posted(place: Place, path: str | None = None, method: str = "POST") -> dict[str, Any]:
    """Return the answer to the bot's next request; without a path a message to the text channel."""
    wanted = path or f"/channels/{place.text.id}/messages"
    found: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def look(entry: dict[str, Any]) -> None:
        if entry["kind"] == "rest" and entry["method"] == method and entry["path"] == wanted:
            assert entry["status"] < 300, entry
            if not found.done():
                found.set_result(entry["response"])

    end = place.world.log.on_entry(look)
    try:
        return await asyncio.wait_for(found, WAIT)
    finally:
        end()
