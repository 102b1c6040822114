"""What changed in the world, gathered for whoever watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.server.world import World

Json = dict[str, Any]
_BATCH_SECONDS = 0.03
_QUIET = frozenset({"INTERACTION_CREATE", "TYPING_START", "VOICE_SERVER_UPDATE"})


class Watch:
    """One watcher: it is told which guilds and channels to look at again, many changes at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._guilds: set[int] = set()
        self._channels: set[int] = set()
        self._news = asyncio.Event()
        self.ended = False

    def guild(self, guild_id: int) -> None:
        """Note that a guild, its members or who sits where changed."""
        self._guilds.add(guild_id)
        self._news.set()

    def channel(self, channel_id: int) -> None:
        """Note that the messages of a channel changed."""
        self._channels.add(channel_id)
        self._news.set()

    def touch(self) -> None:
        """Note that the time or the log moved on."""
        self._news.set()

    def end(self) -> None:
        """Let the watcher go."""
        self.ended = True
        self._news.set()

    async def next(self, quiet_seconds: float) -> Json:
        """Return what changed since the last time, once something has or ``quiet_seconds`` have passed.

        What comes close together is told together: a step of the clock may move a hundred people.
        """
        try:
            await asyncio.wait_for(self._news.wait(), quiet_seconds)
            if not self.ended:
                await asyncio.sleep(_BATCH_SECONDS)
        except TimeoutError:
            pass
        self._news.clear()
        told = self.state() | {
            "guilds": [str(each) for each in sorted(self._guilds)],
            "channels": [str(each) for each in sorted(self._channels)],
        }
        self._guilds, self._channels = set(), set()
        return told

    def state(self) -> Json:
        """Return the time and how many entries the log has had."""
        return {"now": self._world.clock.now().isoformat(), "log": self._world.log.total}


class Changes:
    """All watchers of a world; nobody watching costs nothing but a look at an empty set."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watching: set[Watch] = set()

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch the world for as long as the context lasts."""
        watch = Watch(self._world)
        stop = self._world.log.on_entry(lambda entry: watch.touch())
        self._watching.add(watch)
        try:
            yield watch
        finally:
            self._watching.discard(watch)
            stop()

    def end(self) -> None:
        """Let all watchers go, as the server does before it closes."""
        for each in self._watching:
            each.end()

    def happened(self, event: str, data: Json, guild_id: int) -> None:
        """Take note of an event of the gateway, whether or not a bot hears it."""
        if not self._watching or event in _QUIET:
            return
        of_message = event.startswith("MESSAGE_") and "channel_id" in data
        for each in self._watching:
            if of_message:
                each.channel(int(data["channel_id"]))
            if guild_id and not of_message:
                each.guild(guild_id)

    def message(self, channel_id: int) -> None:
        """Take note of a message that was written, changed or removed; ephemeral ones have no event."""
        for each in self._watching:
            each.channel(channel_id)

    def guilds(self) -> None:
        """Take note of something that touches every guild: a bot came or went, its menu is another."""
        for each in self._watching:
            for guild_id in self._world.guilds:
                each.guild(guild_id)

    def time(self) -> None:
        """Take note that the clock was turned."""
        for each in self._watching:
            each.touch()
