"""Ends the heartbeat threads that discord.py leaves behind when it loses track of a connection.

A thread of an abandoned connection beats on for a minute, into an event loop that may be closed by then.
"""

from __future__ import annotations

import asyncio
import threading

import discord
from discord.gateway import KeepAliveHandler, VoiceKeepAliveHandler

#: Real seconds that a thread gets to notice.
JOIN_SECONDS = 1.0


async def end_heartbeats(bot: discord.Client) -> int:
    """Stop every gateway heartbeat of a client that is closed; returns how many were still beating."""
    left = [thread for thread in threading.enumerate() if _beats_for(thread, bot)]
    for thread in left:
        thread.stop()  # type: ignore[attr-defined]
    for thread in left:
        # A heartbeat under way needs this loop to end, so the wait must not block it.
        await asyncio.to_thread(thread.join, JOIN_SECONDS)
    return len(left)


def _beats_for(thread: threading.Thread, bot: discord.Client) -> bool:
    if not isinstance(thread, KeepAliveHandler) or isinstance(thread, VoiceKeepAliveHandler):
        return False
    # discord.py keeps no list of them; only the connection tells whose it is.
    return thread.ws._connection is bot._connection
