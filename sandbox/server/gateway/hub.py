"""All gateway sessions, and the way of an event to those that may hear it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.server.gateway import intents, ready
from sandbox.server.gateway.content import without_content
from sandbox.server.gateway.identify import Starts
from sandbox.server.gateway.session import Session

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.world import World

_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

RESUMABLE_SECONDS = 300.0
"""Seconds of sandbox time for which a session without a connection can be resumed."""
BACK_WITHIN = 5.0
"""Real seconds for which sandbox time waits for a client that a fault threw out."""


class Hub:
    """Hands each event of the world to each session whose shard and intents fit."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, Session] = {}
        self.held_until: datetime | None = None
        self.parked = False
        self.starts = Starts(world)
        self.unavailable: set[int] = set()
        self._released = asyncio.Event()
        self._returned = asyncio.Event()

    def sequences(self) -> dict[str, int]:
        """Return the number of the event that left last for each session whose connection works."""
        return {
            each.id: each.delivered
            for each in self.sessions.values()
            if each.connection is not None and not each.connection.frozen
        }

    def listening(self, guild_id: int) -> bool:
        """Whether any session, connected or still resumable, hears of a guild."""
        return guild_id not in self.unavailable and any(
            each.sees(guild_id) for each in self.sessions.values()
        )

    def lost(self, session: Session, *, for_good: bool = False) -> None:
        """Note that a session's connection ended; it is kept for a resume for a while unless ``for_good``."""
        session.connection = None
        session.losses += 1
        self._world.changes.guilds()
        if for_good:
            self.forget(session)
            return
        losses = session.losses

        async def expire() -> None:
            if session.connection is None and session.losses == losses:
                self.forget(session)

        self._world.clock.call_later(RESUMABLE_SECONDS, expire)

    def forget(self, session: Session) -> None:
        """End a session: it cannot be resumed any more, and the bot leaves its voice channels."""
        if self.sessions.pop(session.id, None) is None:
            return
        self._returned.set()
        for guild in self._world.guilds.values():
            if session.sees(guild.id):
                self._world.voice.leave_if_seated(guild, self._world.bot_user.id)

    def expect_back(self, session: Session) -> None:
        """Let sandbox time wait for a session that a fault hit, once the line is free again."""
        session.awaited_until = time.monotonic() + BACK_WITHIN

    def back(self, session: Session) -> None:
        """Note that a session was resumed."""
        session.awaited_until = None
        self._returned.set()

    async def all_back(self) -> None:
        """Return when every session that a fault hit is resumed, gone, or has had its real time for it.

        A client needs some real milliseconds to reconnect, in which hours of sandbox time could pass.
        While the line is held there is nothing to wait for.
        """
        while not self.held:
            now = time.monotonic()
            awaited = [
                each.awaited_until for each in self.sessions.values() if each.awaited_until is not None
            ]
            left = max((until - now for until in awaited), default=0.0)
            if left <= 0:
                return
            self._returned.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._returned.wait(), left)

    def release(self) -> None:
        """Let those in that wait on the held line, once the hold is over."""
        if not self.held:
            self.held_until = None
            for session in self.sessions.values():
                if session.awaited_until is not None:
                    self.expect_back(session)
            self._released.set()
            self._released = asyncio.Event()

    async def wait_released(self) -> None:
        """Return once the line is free."""
        while self.held:
            await self._released.wait()

    @property
    def held(self) -> bool:
        """Whether the gateway turns connections away right now."""
        return self.held_until is not None and self._world.clock.now() < self.held_until

    def dispatch(self, event: str, data: dict[str, Any], *, guild_id: int = 0, mine: bool = False) -> None:
        """Send an event. ``mine``: it concerns the bot itself, which is told whatever its intents."""
        self._world.changes.happened(event, data, guild_id)
        if guild_id in self.unavailable:
            return
        encoded: str | None = None
        for session in self.sessions.values():
            if not session.sees(guild_id):
                continue
            if not (mine or session.may_hear(event, in_guild=bool(guild_id))):
                continue
            if event in _WITH_CONTENT and not session.intents & intents.MESSAGE_CONTENT:
                self.send(session, event, without_content(data, str(self._world.bot_user.id)))
                continue
            if encoded is None:
                encoded = _dumps(data)
            self._push(session, event, data, encoded)

    def send(self, session: Session, event: str, data: dict[str, Any]) -> None:
        """Send an event to one session."""
        self._push(session, event, data, _dumps(data))

    def announce(self, guild: Guild, *, joined: bool = True) -> None:
        """Send GUILD_CREATE to the sessions of a guild; not ``joined``: it is back from an outage."""
        for session in self.sessions.values():
            if session.sees(guild.id) and session.may_hear("GUILD_CREATE", in_guild=True):
                data = ready.guild_create(self._world, session, guild)
                # A guild that becomes available says unavailable: false; one that was joined says nothing.
                if joined:
                    del data["unavailable"]
                self.send(session, "GUILD_CREATE", data)

    def _push(self, session: Session, event: str, data: dict[str, Any], encoded: str) -> None:
        number = session.push(event, encoded)
        self._world.log.add(
            "gateway", "out", op=0, event=event, session=session.id, sequence=number, data=data
        )


_WITH_CONTENT = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
