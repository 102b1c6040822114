"""Dispatches that go wrong on purpose: held, doubled, mixed up, late, or lost with half of a connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.server.errors import Refused
from sandbox.server.gateway.line import Line

if TYPE_CHECKING:
    from sandbox.server.gateway.session import Connection, Session
    from sandbox.server.world import World


class DispatchFaults:
    """What goes wrong with events on their way to a session, and with whole guilds.

    ``guild_id`` limits a fault to the sessions of that guild's shard. Each returns how many sessions it hit,
    unless said otherwise. A fault stays with its session over reconnects.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def hold(
        self, guild_id: int | None = None, *, count: int = 0, seconds: float = 0.0, mixed: bool = False
    ) -> int:
        """Hold dispatches back, to let them out in one write to the socket.

        That is by :meth:`release`, when ``count`` of them wait, or after ``seconds`` of sandbox time. With
        ``mixed`` they leave in another order than they came. Raises ValueError for a negative number.
        """
        _not_negative(count=count, seconds=seconds)

        def begin(session: Session, line: Line) -> None:
            line.holding, line.gather, line.mixed = True, count, mixed

            async def end() -> None:
                line.release(session)

            if seconds:
                self._world.clock.call_later(seconds, end)

        return self._with_lines("dispatches are held", guild_id, begin)

    def release(self, guild_id: int | None = None) -> int:
        """Let out what is held, all of a session in one write; returns how many dispatches."""
        count = 0
        for session in self._connected(guild_id):
            if session.line is not None:
                count += session.line.release(session)
        self._world.log.note(f"{count} held dispatch(es) were let out")
        return count

    def reorder(self, count: int = 2, guild_id: int | None = None) -> int:
        """Gather the next ``count`` dispatches and send them in another order. Raises ValueError below 2."""
        if count < 2:
            raise ValueError("it takes 2 dispatches to put them in another order")
        return self.hold(guild_id, count=count, mixed=True)

    def duplicate(self, count: int = 1, guild_id: int | None = None, *, event: str | None = None) -> int:
        """Send the next ``count`` dispatches (of one ``event``, if given) twice, under the same number."""
        _not_negative(count=count)

        def begin(session: Session, line: Line) -> None:
            line.twice, line.twice_event = count, event

        return self._with_lines(f"{count} dispatch(es) go twice", guild_id, begin)

    def delay(self, seconds: float, guild_id: int | None = None) -> int:
        """Let dispatches leave ``seconds`` of sandbox time late from now on, in order; 0 ends that."""
        _not_negative(seconds=seconds)

        def begin(session: Session, line: Line) -> None:
            line.delay = timedelta(seconds=seconds)

        return self._with_lines(f"dispatches are {seconds:g} s late", guild_id, begin)

    def replay(self, overlap: int = 0, guild_id: int | None = None, *, mixed: bool = False) -> int:
        """Make the next resume repeat ``overlap`` dispatches that the client has had already.

        With ``mixed`` all that the resume sends comes in another order. Raises ValueError below 0.
        """
        _not_negative(overlap=overlap)

        def begin(session: Session, line: Line) -> None:
            line.overlap, line.replay_mixed = overlap, mixed

        return self._with_lines(f"the next resume repeats {overlap} dispatch(es)", guild_id, begin)

    def zombie(self, guild_id: int | None = None) -> int:
        """Acknowledge no more heartbeats on the connections there are; everything else goes on."""
        hit = self._connected(guild_id)
        for session in hit:
            if session.connection is not None:
                session.connection.acknowledging = False
        self._world.log.note(f"no more heartbeat ACKs on {len(hit)} connection(s)")
        return len(hit)

    def half_open(self, guild_id: int | None = None, seconds: float = 0.0) -> int:
        """Leave connections open on which nothing passes in either direction any more.

        The client has to find out by its heartbeats, unless the connection is torn down after ``seconds``
        of sandbox time. Its session can be resumed. Raises ValueError for a negative number.
        """
        _not_negative(seconds=seconds)
        hit = self._connected(guild_id)
        for session in hit:
            connection = session.connection
            if connection is None:
                continue
            connection.freeze()
            if seconds:
                self._world.clock.call_later(seconds, self._tear(session, connection))
        self._world.log.note(f"{len(hit)} connection(s) are half open")
        return len(hit)

    def guild_outage(self, guild_id: int) -> int:
        """Make a guild unavailable: nothing is heard of it, at a start neither, until it returns.

        Raises Refused: no such guild (404), or it is out already (409).
        """
        guild, hub = self._world.guild(guild_id), self._world.hub
        if guild_id in hub.unavailable:
            raise Refused(f"{guild.name} is unavailable already", 409)
        data = {"id": str(guild_id), "unavailable": True}
        if self._world.bot_user.id in guild.members:
            hub.dispatch("GUILD_DELETE", data, guild_id=guild_id)
        hub.unavailable.add(guild_id)
        self._world.log.note(f"{guild.name} is unavailable")
        return sum(1 for each in hub.sessions.values() if each.sees(guild_id))

    def guild_return(self, guild_id: int) -> int:
        """Make an unavailable guild available again.

        Raises Refused: no such guild (404), or it is not out (409).
        """
        guild, hub = self._world.guild(guild_id), self._world.hub
        if guild_id not in hub.unavailable:
            raise Refused(f"{guild.name} is not unavailable", 409)
        hub.unavailable.discard(guild_id)
        if self._world.bot_user.id in guild.members:
            hub.announce(guild, joined=False)
        self._world.log.note(f"{guild.name} is available again")
        return sum(1 for each in hub.sessions.values() if each.sees(guild_id))

    def _tear(self, session: Session, connection: Connection) -> Callable[[], Awaitable[None]]:
        async def tear() -> None:
            connection.abort()
            if session.connection is connection:
                self._world.hub.lost(session)
                self._world.hub.expect_back(session)

        return tear

    def _with_lines(self, words: str, guild_id: int | None, begin: Callable[[Session, Line], None]) -> int:
        hit = self._connected(guild_id)
        for session in hit:
            if session.line is None:
                session.line = Line(self._world.clock, self._world.random)
            begin(session, session.line)
        self._world.log.note(f"{words}: {len(hit)} session(s)")
        return len(hit)

    def _connected(self, guild_id: int | None) -> list[Session]:
        return [
            each
            for each in self._world.hub.sessions.values()
            if each.connection is not None and (guild_id is None or each.sees(guild_id))
        ]


def _not_negative(**given: float) -> None:
    for name, value in given.items():
        if value < 0:
            raise ValueError(f"{name} must be 0 or more")
