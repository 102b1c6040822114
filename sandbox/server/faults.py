"""What goes wrong on purpose."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.server.dispatch_faults import DispatchFaults
from sandbox.server.http_faults import HttpFaults
from sandbox.server.plans import FaultPlan, draw
from sandbox.server.voice.faults import VoiceFaults

if TYPE_CHECKING:
    from sandbox.server.world import World


class Faults(DispatchFaults):
    """Breaks the gateway in the ways Discord's breaks."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.http = HttpFaults(world.log.note)
        self.voice = VoiceFaults(world)

    def drop_gateway(
        self, guild_id: int | None = None, hold_seconds: float = 0.0, *, park: bool = False
    ) -> int:
        """Tear connections down without a word; returns how many.

        ``guild_id`` limits it to the sessions of that guild's shard. For ``hold_seconds`` of sandbox time new
        connections are refused, or with ``park`` left waiting, as on a line that is dead. Sessions keep
        their events for a resume. Raises ValueError for a negative hold.
        """
        if hold_seconds < 0:
            raise ValueError("hold_seconds must be 0 or more")
        hub = self._world.hub
        hit = self._connected(guild_id)
        if hold_seconds:
            hub.held_until = self._world.clock.now() + timedelta(seconds=hold_seconds)
            hub.parked = park
            self._world.clock.call_at(hub.held_until, self._release)
        for session in hit:
            if session.connection is not None:
                session.connection.abort()
                hub.lost(session)
                hub.expect_back(session)
        self._world.log.note(f"gateway dropped: {len(hit)} connection(s), held for {hold_seconds:g} s")
        return len(hit)

    def plan(
        self, seed: int, seconds: float = 3600.0, count: int = 8, kinds: Collection[str] | None = None
    ) -> FaultPlan:
        """Draw a plan of faults from a seed and carry it out from now on; return it, to be printed.

        ``count`` faults of some ``kinds`` (None: all that plans know) strike within ``seconds`` of sandbox
        time. Raises Refused for arguments that make no sense.
        """
        plan = draw(seed, seconds, count, kinds)
        plan.start(self._world)
        return plan

    async def _release(self) -> None:
        self._world.hub.release()

    def invalid_session(self, resumable: bool = False, guild_id: int | None = None) -> int:
        """Send op 9; a session that is not resumable is forgotten. Returns how many were told."""
        hit = self._connected(guild_id)
        for session in hit:
            self._world.hub.expect_back(session)
            if session.connection is not None:
                session.connection.invalidate(resumable)
        self._world.log.note(f"op 9 (resumable: {resumable}) to {len(hit)} connection(s)")
        return len(hit)

    def reconnect(self, guild_id: int | None = None) -> int:
        """Send op 7: the client should reconnect and resume. Returns how many were told."""
        hit = self._connected(guild_id)
        for session in hit:
            if session.connection is not None:
                session.connection.send('{"op":7,"d":null}')
            self._world.hub.expect_back(session)
        self._world.log.note(f"op 7 to {len(hit)} connection(s)")
        return len(hit)
