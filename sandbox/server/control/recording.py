"""The recording of a world over the control address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import Body, read_query
from sandbox.server.errors import Refused
from sandbox.server.recording import Filter, lines
from sandbox.server.world import World


async def recording(world: World, request: web.Request) -> Any:
    """Answer the world's recording as JSON lines, or what the query chooses of it. Raises Refused."""
    query = read_query(request, ("kind", "guild", "since", "until"))
    guild_id = query.optional_id("guild")
    if guild_id is not None:
        world.guild(guild_id)
    chosen = Filter(
        tuple(query.text("kind").split(",")) if "kind" in query else None,
        guild_id,
        _moment(query, "since"),
        _moment(query, "until"),
    )
    text = "".join(f"{line}\n" for line in lines(world, chosen))
    headers = {"Content-Disposition": 'attachment; filename="recording.jsonl"'}
    return web.Response(text=text, content_type="application/x-ndjson", headers=headers)


def _moment(query: Body, name: str) -> datetime | None:
    if name not in query:
        return None
    given = query.text(name)
    try:
        # A plus in a query stands for a space.
        return datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise Refused(f"{name} must be a time, such as 2026-03-01T18:00:00Z, not {given}") from error


RECORDING_VERBS = (("GET", "/recording", "?kind=act,rest,...&guild=&since=time&until=time", recording),)
"""Method, path, what it takes, and the act."""
