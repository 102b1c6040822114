"""What a process says of itself: whether it lives, whether it is ready, and in figures."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.clock import SystemClock
from core.health.readiness import Readiness
from core.health.watchdog import Watchdog

if TYPE_CHECKING:
    from core.health.server import HealthServer
    from core.runtime import Runtime

_monotonic = SystemClock().monotonic

log = logging.getLogger(__name__)


class Health:
    """The watchdog over the event loop, the checks, and the address at which both are served.

    :param runtime: not necessarily assembled.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        modules = {plugin.module.__name__: name for name, plugin in runtime.manager.loaded.items()}
        self.watchdog = Watchdog(modules, runtime.clock)
        self.readiness = Readiness(runtime)
        self.server: HealthServer | None = None
        self._made = _monotonic()

    @property
    def uptime(self) -> float:
        """Return the real seconds since this was made."""
        return _monotonic() - self._made

    async def start(self) -> None:
        """Begin to watch and, where the settings name an address, to serve.

        An address that cannot be used is said in the log; the bot does without.
        """
        self.watchdog.start()
        address = self._runtime.settings.health_address
        if address is None:
            log.info("health is not served; HEALTH_ADDRESS names an address for it")
            return
        # Its libraries cost a few megabytes, which a bot that serves nothing need not have.
        from core.health.server import HealthServer

        server = HealthServer(self._runtime, address)
        try:
            url = await server.start()
        except OSError as error:
            log.warning(
                "health is not served: %s cannot be used (%s); set HEALTH_ADDRESS to another one or to off",
                address,
                error.strerror or error,
            )
            return
        self.server = server
        log.info("health at %s/healthz, %s/readyz and %s/metrics", url, url, url)
        if not address.loopback:
            log.warning("everybody who can reach %s can read health and metrics there", url)

    async def close(self) -> None:
        """Stop serving and watching."""
        if self.server is not None:
            await self.server.close()
            self.server = None
        self.watchdog.close()
