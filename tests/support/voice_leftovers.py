"""What voice connections hold of a process: threads, tasks and sockets."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass
from inspect import getcoroutinelocals, iscoroutine
from pathlib import Path
from typing import Any

import discord
from discord.gateway import VoiceKeepAliveHandler
from discord.voice_state import SocketReader, VoiceConnectionState


@dataclass(frozen=True, slots=True)
class Held:
    """Counted at one moment.

    :param threads: discord.py's heartbeats and readers, all of the process.
    :param tasks: of the running loop, without the one that counts.
    :param sockets: of the process, of any kind; 0 where the system does not tell.
    """

    threads: int
    tasks: int
    sockets: int


def held() -> Held:
    """Count what the process holds now."""
    threads = sum(isinstance(each, VoiceKeepAliveHandler | SocketReader) for each in threading.enumerate())
    return Held(threads, len(asyncio.all_tasks()) - 1, _sockets())


def _sockets() -> int:
    folder, count = Path("/proc/self/fd"), 0
    for each in folder.iterdir() if folder.exists() else ():
        try:
            count += str(each.readlink()).startswith("socket:")
        except OSError:
            # The descriptor of this very listing, which is gone by now.
            continue
    return count


def _connects(task: asyncio.Task[Any], bot: discord.Client) -> bool:
    work = task.get_coro()
    owner = getcoroutinelocals(work).get("self") if iscoroutine(work) else None
    return (
        task.get_name() == "Voice connector"
        and isinstance(owner, VoiceConnectionState)
        and owner.voice_client.client is bot
    )


def beyond_whole(bot: discord.Client) -> list[str]:
    """Return what is too much or too little for one whole connection per voice client of a bot."""
    beats: Counter[int] = Counter()
    readers: Counter[int] = Counter()
    for thread in threading.enumerate():
        if isinstance(thread, VoiceKeepAliveHandler):
            client = thread.ws._connection.voice_client
            beats[client.guild.id] += client.client is bot
        elif isinstance(thread, SocketReader):
            client = thread.state.voice_client
            readers[client.guild.id] += client.client is bot
    seated = Counter(client.guild.id for client in bot.voice_clients)  # type: ignore[attr-defined]
    wrong = [
        f"guild {guild_id}: {found[guild_id]} {kind} for {seated[guild_id]} connections"
        for kind, found in (("heartbeats", beats), ("socket readers", readers))
        for guild_id in {*found, *seated}
        if found[guild_id] != seated[guild_id]
    ]
    at_work = Counter(task.get_name() for task in asyncio.all_tasks() if _connects(task, bot))
    return wrong + [f"{count} tasks {name!r}" for name, count in at_work.items()]
