"""Who may begin a session: token, version, shard, intents, and how often."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.server.gateway import closing, intents
from sandbox.server.gateway.closing import Closing

if TYPE_CHECKING:
    from sandbox.server.world import World

VERSIONS = frozenset({None, "9", "10"})
"""What the address may ask for by ``v``; what is sent is always version 10."""
_DAY = timedelta(hours=24)
_PACE = timedelta(seconds=5)


def check_address(version: str | None, encoding: str | None) -> None:
    """Check what the address of a handshake asks for. Raises Closing."""
    if version not in VERSIONS:
        raise Closing(closing.INVALID_VERSION)
    if encoding not in {None, "json"}:
        raise Closing(closing.DECODE_ERROR)


def shard_of(data: dict[str, Any]) -> tuple[int, int]:
    """Return the shard that an IDENTIFY names, (0, 1) without one. Raises Closing 4010."""
    given = data.get("shard")
    if given is None:
        return 0, 1
    if not isinstance(given, list) or len(given) != 2 or not all(type(each) is int for each in given):
        raise Closing(closing.INVALID_SHARD)
    index, count = given
    if not 0 <= index < count:
        raise Closing(closing.INVALID_SHARD)
    return index, count


def check_size(world: World, shard: tuple[int, int]) -> None:
    """Check that a shard does not have too many guilds. Raises Closing 4011."""
    index, count = shard
    bot = world.bot_user.id
    held = sum(
        1 for each in world.guilds.values() if bot in each.members and (each.id >> 22) % count == index
    )
    if held > world.gateway.guilds_per_shard:
        raise Closing(closing.SHARDING_REQUIRED)


def check_intents(world: World, asked: Any) -> int:
    """Return the intents that an IDENTIFY asks for. Raises Closing 4013, or 4014 for a withheld one."""
    if type(asked) is not int or asked < 0 or asked & ~intents.KNOWN:
        raise Closing(closing.INVALID_INTENTS)
    for name, bit in intents.PRIVILEGED.items():
        if asked & bit and name not in world.privileged_intents:
            raise Closing(closing.DISALLOWED_INTENTS)
    return asked


class Starts:
    """Counts the sessions that were begun, in sandbox time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since: datetime | None = None
        self._used = 0
        self._recent: dict[int, deque[datetime]] = {}

    def take(self, shard: int) -> bool:
        """Count an IDENTIFY; returns whether it comes in time, or too soon after another one.

        Raises Closing 4004 when there is none left for the day: then, as on Discord, every session ends and
        the token is another one from now on.
        """
        settings, now = self._world.gateway, self._world.clock.now()
        if settings.pace_identifies:
            recent = self._recent.setdefault(shard % settings.max_concurrency, deque())
            while recent and now - recent[0] >= _PACE:
                recent.popleft()
            if recent:
                return False
            recent.append(now)
        if self._left() <= 0:
            self._world.new_token()
            for session in tuple(self._world.hub.sessions.values()):
                connection = session.connection
                self._world.hub.forget(session)
                if connection is not None:
                    connection.close(closing.AUTHENTICATION_FAILED)
            self._world.log.note("no session starts are left: all sessions ended, the token was reset")
            raise Closing(closing.AUTHENTICATION_FAILED)
        if self._since is None:
            self._since = now
        self._used += 1
        return True

    def limit(self) -> dict[str, int]:
        """Return the ``session_start_limit`` of GET /gateway/bot; ``reset_after`` in milliseconds."""
        remaining = self._left()
        ends = self._world.clock.now() if self._since is None else self._since
        reset_after = ends + _DAY - self._world.clock.now()
        return {
            "total": self._world.gateway.sessions_per_day,
            "remaining": remaining,
            "reset_after": reset_after // timedelta(milliseconds=1),
            "max_concurrency": self._world.gateway.max_concurrency,
        }

    def _left(self) -> int:
        if self._since is not None and self._world.clock.now() - self._since >= _DAY:
            self._since, self._used = None, 0
        return max(0, self._world.gateway.sessions_per_day - self._used)
