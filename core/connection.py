"""The way to Discord, and to time: the one seam between the bot and its surroundings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from core.clock import Clock, SystemClock

if TYPE_CHECKING:
    from core.runtime import Runtime

Detach = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to Discord.

    :param token: the bot's token.
    :param clock: the process's time.
    :param connector: makes another way for HTTP and websockets, such as a sandbox's socket.
    :param identify_pause: seconds between two IDENTIFY calls; Discord wants five.
    :param attach: called when the runtime is ready, such as to bind a stepped clock; what it returns is
        called before the runtime stops.
    """

    token: str
    clock: Clock = field(default_factory=SystemClock)
    connector: Callable[[], aiohttp.BaseConnector] | None = None
    identify_pause: float = 5.0
    attach: Callable[[Runtime], Awaitable[Detach]] | None = None
