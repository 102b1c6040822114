"""Ending a voice connection so that nothing of it stays: no heartbeat thread, no task, no socket.

discord.py closes its voice websocket only after it has told the gateway that it leaves. When the gateway is
down, that fails, and the websocket's heartbeat thread beats on, into an event loop that may be closed by
then: a heartbeat that nobody awaits.

discord.py offers no way to do this, so it rests on private names of the version below, as does
core/voice/connection.py.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from inspect import getcoroutinelocals, iscoroutine
from typing import Any

import discord
from discord.gateway import VoiceKeepAliveHandler

from core.voice.connection import CLOSE_SECONDS, close_all

_log = logging.getLogger(__name__)

#: The discord.py whose voice_state.py and gateway.py were read for this.
READ_FROM = "2.7.1"

CANCELS = 5


async def hang_up(client: discord.VoiceClient, within: float | None) -> None:
    """Leave voice and end all that belongs to a client; never raises for what Discord answers.

    :param within: seconds to wait for Discord's confirmation; None says nothing to Discord at all.
    """
    try:
        if within is not None:
            await asyncio.wait_for(client.disconnect(force=True), within)
    except (TimeoutError, discord.DiscordException, OSError) as error:
        _log.warning("leaving voice in guild %d: %r", client.guild.id, error)
    finally:
        await _end_tasks(client)
        await _end_heartbeats(client)
        # discord.py's own reference to its UDP socket; closing it again does nothing.
        if client._connection.socket:
            client._connection.socket.close()
        await _end_reader(client)
        if client.guild.voice_client is client:
            client.cleanup()


async def _end_reader(client: discord.VoiceClient) -> None:
    """Stop the thread that reads the UDP socket, and see it end: closing the socket has woken it."""
    reader = client._connection._socket_reader
    reader.stop()
    await asyncio.to_thread(reader.join, CLOSE_SECONDS)


def every_client(bot: discord.Client) -> set[discord.VoiceClient]:
    """Return a bot's voice clients, and those that discord.py has forgotten but still beat."""
    beating = (
        thread.ws._connection.voice_client
        for thread in threading.enumerate()
        if isinstance(thread, VoiceKeepAliveHandler)
    )
    known = (client for client in bot.voice_clients if isinstance(client, discord.VoiceClient))
    return {*known, *(client for client in beating if client.client is bot)}


def at_work(client: discord.VoiceClient) -> list[asyncio.Task[None]]:
    """Return the tasks that keep a connection up or try to; without any, discord.py has given it up.

    It may keep such a client, and even call it connected.
    """
    connection = client._connection
    tasks = (connection._connector, connection._runner)
    return [task for task in tasks if task is not None and not task.done()]


async def _end_tasks(client: discord.VoiceClient) -> None:
    # Up to Python 3.11 asyncio.wait_for, on which discord.py's tasks rest, may swallow a cancellation.
    for _ in range(CANCELS):
        tasks = {task for task in asyncio.all_tasks() if _belongs(task, client)}
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CLOSE_SECONDS / CANCELS)


def _belongs(task: asyncio.Task[Any], client: discord.VoiceClient) -> bool:
    """Whether a task runs a coroutine of the client's connection; discord.py keeps no list of them."""
    work = task.get_coro()
    owner = getcoroutinelocals(work).get("self") if iscoroutine(work) else None
    return owner is client._connection or owner is client._connection._state_event


async def _end_heartbeats(client: discord.VoiceClient) -> None:
    """Stop the heartbeats of every websocket that the client ever opened, and see their threads end."""
    threads = [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, VoiceKeepAliveHandler) and thread.ws._connection is client._connection
    ]
    for thread in threads:
        thread.stop()
    sockets = {thread.ws for thread in threads} | ({client.ws} if client.ws else set())
    await close_all(sockets, client.guild.id)
    for thread in threads:
        # A heartbeat under way needs this loop to end, which therefore must not be blocked by the wait.
        await asyncio.to_thread(thread.join, CLOSE_SECONDS)
