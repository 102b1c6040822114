"""The last deliveries, one by one: who was called, how long it waited and ran, and how it ended."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.clock import Clock
from core.dispatch import limits

if TYPE_CHECKING:
    from core.plugins.manager import Target

#: Its own logger, so that tracing shows whatever the level of the others is.
log = logging.getLogger("core.dispatch.trace")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call of a plugin that has ended.

    :param at: when it ended; aware UTC.
    :param waited: seconds in its lane.
    :param ran: seconds from its begin to its end.
    :param outcome: done, failed, timed out, stopped, cancelled or nonsense.
    """

    plugin: str
    hook: str
    guild_id: int
    at: datetime
    waited: float
    ran: float
    outcome: str


class Trace:
    """A ring of deliveries.

    :param clock: says when they ended.
    :param logged: log each one too.
    """

    def __init__(self, clock: Clock, *, logged: bool = False) -> None:
        self._now = clock.now
        self._logged = logged
        # Plain tuples: one is made at every delivery, and hardly any is ever looked at.
        self._ring: deque[tuple[str, str, int, datetime, float, float, str]] = deque(
            maxlen=limits.TRACE_LENGTH
        )
        if logged:
            log.setLevel(logging.DEBUG)

    def add(self, target: Target, guild_id: int, waited: float, ran: float, outcome: str) -> None:
        """Note a call that has ended now."""
        self._ring.append((target.plugin, target.hook, guild_id, self._now(), waited, ran, outcome))
        if self._logged:
            log.debug(
                "%s.%s in guild %s: waited %.3f ms, ran %.3f ms, %s",
                target.plugin,
                target.hook,
                guild_id,
                1000 * waited,
                1000 * ran,
                outcome,
            )

    def all(self) -> list[Delivery]:
        """Return what is remembered, oldest first."""
        return [Delivery(*each) for each in self._ring]
