"""A hikari bot on a sandbox of the test's own process; only its rest_url is not the library's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import hikari

from sandbox.server import SandboxServer

WAIT = 60.0
_Event = TypeVar("_Event", bound=hikari.Event)


class Rabbit:
    """A started bot."""

    def __init__(self, bot: hikari.GatewayBot) -> None:
        self.bot = bot
        self.rest = bot.rest
        self.errors: list[str] = []
        bot.event_manager.subscribe(hikari.ExceptionEvent, self._failed)

    async def hears(
        self,
        kind: type[_Event],
        act: Callable[[], Awaitable[Any] | Any],
        which: Callable[[_Event], bool] | None = None,
    ) -> _Event:
        """Do something and return the event of a kind that comes of it. Raises TimeoutError."""
        coming = asyncio.create_task(self.bot.event_manager.wait_for(kind, timeout=WAIT, predicate=which))
        # The task listens from its first step on.
        await asyncio.sleep(0)
        done = act()
        if asyncio.iscoroutine(done):
            await done
        return await coming

    async def _failed(self, event: hikari.ExceptionEvent[Any]) -> None:
        self.errors.append(repr(event.exception))


@asynccontextmanager
async def rabbit(server: SandboxServer) -> AsyncIterator[Rabbit]:
    """Run a bot that has heard of its guilds; what its listeners raise fails the test."""
    bot = hikari.GatewayBot(
        server.world.token,
        rest_url=server.addresses.rest,
        intents=hikari.Intents.ALL,
        banner=None,
        logs=None,
        suppress_optimization_warning=True,
    )
    one = Rabbit(bot)
    try:
        await one.hears(hikari.GuildAvailableEvent, lambda: bot.start(check_for_updates=False))
        yield one
    finally:
        await bot.close()
    assert one.errors == []
