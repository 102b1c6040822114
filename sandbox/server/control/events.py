"""What changed, told as it happens: server-sent events for the page and whoever else watches."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import read_query
from sandbox.server.world import World

_QUIET_SECONDS = 15.0
_RETRY_MILLISECONDS = 500


async def events(world: World, request: web.Request) -> Any:
    """Serve one watcher until it goes or the server closes.

    Each event is `{"now", "log", "guilds": [ids], "channels": [ids]}`: what to look at again. The first comes
    at once; without news there is one every 15 s, so that both sides notice when the other has gone.
    """
    read_query(request, ())
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    with world.changes.watch() as watch:
        first = watch.state() | {"guilds": [], "channels": []}
        try:
            await response.write(f"retry: {_RETRY_MILLISECONDS}\ndata: {json.dumps(first)}\n\n".encode())
            while not watch.ended:
                news = await watch.next(_QUIET_SECONDS)
                await response.write(f"data: {json.dumps(news)}\n\n".encode())
        except ConnectionError:
            pass  # the watcher has gone, which is how this usually ends
    return response
