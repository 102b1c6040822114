"""A breaker per (plugin, guild): what keeps failing there is left alone for a while, then tried again.

Kept in this process only: what a guild wants is not touched by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from core.clock import Clock
from core.dispatch import limits
from core.dispatch.tables import Tables
from core.tasks import unowned_task

log = logging.getLogger(__name__)

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """A breaker that is not closed.

    :param failures: in a row, until it opened.
    :param opens_again: when the plugin is tried again; aware UTC.
    """

    plugin: str
    guild_id: int
    failures: int
    state: Literal["open", "half-open"]
    opens_again: datetime


@dataclass(slots=True)
class Breaker:
    """One plugin in one guild that has failed of late."""

    failures: int = 0
    #: Failures in a row of each hook that fails: what another hook does well says nothing about it.
    hooks: dict[str, int] = field(default_factory=dict)
    state: State = "closed"
    #: Seconds that it stays open the next time.
    delay: float = limits.BREAKER_DELAY
    #: When it is half-open next, or when it closed; on the clock's monotonic time.
    until: float = 0.0
    closed: float = 0.0
    opens_again: datetime | None = None


class Breakers:
    """Counts failures in a row and says who is to be left alone.

    One task, alive only while a breaker is open, sleeps until the next one is half-open.

    :param clock: the delays run on it.
    :param tables: where which plugin is on.
    :param on_open: called with plugin and guild when a breaker opens.
    :param on_half_open: called when the plugin is to be tried again.
    """

    def __init__(
        self,
        clock: Clock,
        tables: Tables,
        on_open: Callable[[str, int], None],
        on_half_open: Callable[[str, int], None],
    ) -> None:
        self._clock = clock
        self._tables = tables
        self._on_open = on_open
        self._on_half_open = on_half_open
        self._breakers: dict[tuple[str, int], Breaker] = {}
        self._alerted: set[str] = set()
        self._sleeper: asyncio.Task[None] | None = None
        self._wakes = 0.0

    def is_open(self, plugin: str, guild_id: int) -> bool:
        """Say whether events are kept from a plugin in a guild."""
        if not self._breakers:
            return False
        breaker = self._breakers.get((plugin, guild_id))
        return breaker is not None and breaker.state == "open"

    def succeeded(self, plugin: str, guild_id: int, hook: str) -> None:
        """Note a call that ended well: a half-open breaker closes."""
        if not self._breakers:
            return
        breaker = self._breakers.get((plugin, guild_id))
        # One that was under way when the breaker opened says nothing about now.
        if breaker is None or breaker.state == "open":
            return
        now = self._clock.monotonic()
        breaker.failures = 0
        breaker.hooks.pop(hook, None)
        if breaker.state == "half-open":
            breaker.state, breaker.closed, breaker.opens_again = "closed", now, None
            log.warning("%s works in guild %s again", plugin, guild_id)
            self._settle_alert(plugin)
        # How long it was open last is forgotten only after as long a time without another opening.
        elif now - breaker.closed >= breaker.delay or breaker.delay == limits.BREAKER_DELAY:
            breaker.delay = limits.BREAKER_DELAY
            if not breaker.hooks:
                del self._breakers[plugin, guild_id]

    def failed(
        self, plugin: str, guild_id: int, what: str, *, hook: str | None = None, in_a_row: int = 0
    ) -> None:
        """Note a failure; enough of them in a row, or one while half-open, open the breaker.

        :param what: what happened last, for the log.
        :param hook: which failed; enough failures in a row of one hook open the breaker, whatever others do.
        :param in_a_row: how many there were of this kind, by a count that successes do not end.
        """
        breaker = self._breakers.setdefault((plugin, guild_id), Breaker(delay=limits.BREAKER_DELAY))
        if breaker.state == "open":
            return
        breaker.failures = max(breaker.failures + 1, in_a_row)
        failures = breaker.failures
        if hook is not None:
            breaker.hooks[hook] = breaker.hooks.get(hook, 0) + 1
            failures = max(failures, breaker.hooks[hook])
        if breaker.state == "closed" and failures < limits.BREAKER_FAILURES:
            return
        breaker.failures = failures
        # Once it is open all of them are tried afresh.
        breaker.hooks.clear()
        delay = breaker.delay
        breaker.state = "open"
        breaker.until = self._clock.monotonic() + delay
        breaker.opens_again = self._clock.now() + timedelta(seconds=delay)
        breaker.delay = min(2 * delay, limits.BREAKER_LONGEST_DELAY)
        log.error(
            "%s keeps failing in guild %s (%s in a row, the last one: %s): no events for %.0f s",
            plugin,
            guild_id,
            breaker.failures,
            what,
            delay,
        )
        self._on_open(plugin, guild_id)
        self._alert(plugin)
        self._sleep(breaker.until)

    def reset(self, plugin: str, guild_id: int) -> bool:
        """Forget all failures of a plugin in a guild; returns whether its breaker was not closed."""
        breaker = self._breakers.pop((plugin, guild_id), None)
        self._settle_alert(plugin)
        return breaker is not None and breaker.state != "closed"

    def all(self) -> list[BreakerState]:
        """Return every breaker that is not closed."""
        return [
            BreakerState(plugin, guild_id, breaker.failures, breaker.state, breaker.opens_again)
            for (plugin, guild_id), breaker in self._breakers.items()
            if breaker.state != "closed" and breaker.opens_again is not None
        ]

    async def close(self) -> None:
        """Stop waiting for anything."""
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None:
            sleeper.cancel()
            await asyncio.wait({sleeper})

    def _sleep(self, until: float) -> None:
        if self._sleeper is not None:
            if until >= self._wakes:
                return
            self._sleeper.cancel()
        self._wakes = until
        self._sleeper = unowned_task(self._wake(until), "breakers")

    async def _wake(self, until: float) -> None:
        await self._clock.sleep(until - self._clock.monotonic())
        self._sleeper = None
        now = self._clock.monotonic()
        for (plugin, guild_id), breaker in list(self._breakers.items()):
            # A clock that is counted in microseconds may wake us a little early.
            if breaker.state == "open" and breaker.until <= now + 0.001:
                self._half_open(plugin, guild_id, breaker)
        later = [breaker.until for breaker in self._breakers.values() if breaker.state == "open"]
        if later:
            self._sleep(min(later))

    def _half_open(self, plugin: str, guild_id: int, breaker: Breaker) -> None:
        if self._tables.is_on(plugin, guild_id):
            breaker.state = "half-open"
            self._on_half_open(plugin, guild_id)
        else:
            del self._breakers[plugin, guild_id]

    def _open_guilds(self, plugin: str) -> int:
        return sum(
            1 for (name, _), breaker in self._breakers.items() if name == plugin and breaker.state != "closed"
        )

    def _many(self, plugin: str) -> bool:
        failing = self._open_guilds(plugin)
        return failing >= limits.ALERT_GUILDS and failing >= limits.ALERT_SHARE * self._tables.guilds[plugin]

    def _alert(self, plugin: str) -> None:
        if plugin not in self._alerted and self._many(plugin):
            self._alerted.add(plugin)
            log.error(
                "owner alert: %s keeps failing in %s of the %s guilds where it is on; "
                "look at its errors above, or take it out of plugins.toml and restart",
                plugin,
                self._open_guilds(plugin),
                self._tables.guilds[plugin],
            )

    def _settle_alert(self, plugin: str) -> None:
        if plugin in self._alerted and not self._many(plugin):
            self._alerted.discard(plugin)
