"""Serves /healthz, /readyz and /metrics from a thread and loop of its own.

So a bot whose own loop stands still can say so, and a slow scrape holds up no event.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from core.address import Address
from core.health.figures import gather
from core.health.metrics import exposition

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Seconds without a turn of the bot's loop after which the process counts as dead.
DEAD_AFTER = 10.0
#: Seconds that an answer may take that needs the bot's loop.
ANSWER_WITHIN = 5.0
#: Seconds that the listening may take to begin, and to end.
_SWITCH_SECONDS = 2.0

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

T = TypeVar("T")


class HealthServer:
    """Answers at one address; made and started on the bot's loop.

    :param address: where to listen; port 0 for any that is free.
    """

    def __init__(self, runtime: Runtime, address: Address) -> None:
        self._runtime = runtime
        self._address = address
        self._bot_loop = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)
        self._ready: Future[int] = Future()
        self._stop = asyncio.Event()
        self.url = ""

    async def start(self) -> str:
        """Listen, and return the address to ask, without a trailing slash.

        :raises OSError: it is taken, or not this machine's.
        """
        self._thread.start()
        port = await asyncio.wait_for(asyncio.wrap_future(self._ready), _SWITCH_SECONDS)
        self.url = f"http://{Address(self._address.host or '127.0.0.1', port)}"
        return self.url

    async def close(self) -> None:
        """Stop listening; requests under way are cut off."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        until = self._bot_loop.time() + _SWITCH_SECONDS
        while self._thread.is_alive() and self._bot_loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.002)

    # -- in the thread -----------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except Exception as error:
            if self._ready.done():
                log.exception("health is not served any more")
            else:
                self._ready.set_exception(error)
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        app = web.Application(middlewares=[self._guard], client_max_size=1024)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._address.host or None, self._address.port)
            await site.start()
            self._ready.set_result(int(runner.addresses[0][1]))
            await self._stop.wait()
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not self._address.expects(request.headers.get("Host")):
            return _json({"error": "ask for this address by its number or as localhost"}, 421)
        try:
            return await handler(request)
        except web.HTTPException as error:
            words = f"there is nothing at {request.path}; ask for /healthz, /readyz or /metrics"
            return _json({"error": words if error.status == 404 else error.reason}, error.status)
        except Exception:
            log.exception("%s could not be answered", request.path)
            return _json({"error": "this could not be found out; the log says why"}, 500)

    async def _healthz(self, _request: web.Request) -> web.Response:
        watchdog = self._runtime.health.watchdog
        still, recent = watchdog.still(), list(watchdog.recent)
        alive = still < DEAD_AFTER
        body: dict[str, Any] = {"alive": alive, "loop_stands_still_seconds": round(still, 3)}
        if not alive:
            body["problem"] = f"the event loop has not turned for {still:.0f} s; the log says who holds it"
        body["stalls"] = [
            {"at": each.at.isoformat(), "plugin": each.plugin, "seconds": round(each.seconds, 3)}
            for each in recent
        ]
        return _json(body, 200 if alive else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        try:
            report = await self._on_bot_loop(self._runtime.health.readiness.look())
        except TimeoutError:
            return _json({"ready": False, "problems": [self._silent()], "notes": []}, 503)
        body = {"ready": report.ready, "problems": report.problems, "notes": report.notes}
        return _json(body, 200 if report.ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        try:
            figures = await self._on_bot_loop(gather(self._runtime))
        except TimeoutError:
            return _json({"error": self._silent()}, 503)
        text, content_type = exposition(figures, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={**_HEADERS, "Content-Type": content_type})

    def _silent(self) -> str:
        return f"the event loop has not answered for {ANSWER_WITHIN:.0f} s"

    async def _on_bot_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """:raises TimeoutError: the bot's loop did not finish it in time."""
        try:
            waiting = asyncio.run_coroutine_threadsafe(work, self._bot_loop)
        except RuntimeError:
            work.close()
            raise TimeoutError from None
        return await asyncio.wait_for(asyncio.wrap_future(waiting), ANSWER_WITHIN)


def _json(body: object, status: int) -> web.Response:
    return web.Response(
        text=json.dumps(body, ensure_ascii=False, indent=1) + "\n",
        status=status,
        content_type="application/json",
        headers=_HEADERS,
    )
