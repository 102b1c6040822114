"""Ending a discord.py client's voice so that no heartbeat beats on into the next test."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import discord
from discord.gateway import VoiceKeepAliveHandler

_WITHIN = 1.0


async def hang_up_all(bot: discord.Client) -> None:
    """Leave every voice channel, and see the threads end that discord.py leaves behind when that fails."""
    for client in tuple(bot.voice_clients):
        with contextlib.suppress(TimeoutError, discord.DiscordException, OSError):
            await asyncio.wait_for(client.disconnect(force=True), _WITHIN)
    threads = [
        each
        for each in threading.enumerate()
        if isinstance(each, VoiceKeepAliveHandler) and each.ws._connection.voice_client.client is bot
    ]
    for thread in threads:
        thread.stop()
        with contextlib.suppress(TimeoutError, discord.DiscordException, OSError):
            await asyncio.wait_for(thread.ws.close(), _WITHIN)
    for thread in threads:
        # A heartbeat under way needs this loop to end, so that the wait must not block it.
        await asyncio.to_thread(thread.join, _WITHIN)
