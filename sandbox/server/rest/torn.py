"""Answers that a fault breaks on their way: torn down, left silent, or of a file that does not come."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from sandbox.server.http_faults import HALF_OPEN, RATE_LIMIT, SLOW, STATUS, HttpFault


async def torn(
    request: web.Request, fault: HttpFault, status: int, body: bytes, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send nothing or half an answer, and tear the connection down: at once, or when released."""
    answer = web.StreamResponse(status=status or 200, headers=headers)
    if fault.midway and status != 204:
        answer.content_length = len(body)
        await answer.prepare(request)
        await answer.write(body[: max(1, len(body) // 2)])
    if fault.kind == HALF_OPEN:
        await fault.wait()
    if request.transport is not None:
        request.transport.abort()
    return answer


async def broken_file(
    request: web.Request, fault: HttpFault, body: bytes, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a file as a fault lets it."""
    if fault.kind == SLOW:
        await fault.wait()
        return web.Response(body=body, headers=headers)
    if fault.kind == STATUS:
        return web.Response(status=fault.status, text=f"error code: {fault.status}")
    if fault.kind == RATE_LIMIT:
        return web.Response(status=429, text="error code: 1015")
    return await torn(request, fault, 200, body, headers)
