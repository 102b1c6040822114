"""The page's files over HTTP: from this package only, to this machine only, with nothing from outside."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from sandbox.server.control.routes import check_local
from sandbox.server.errors import Refused

PREFIX = "/page"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""The Content-Security-Policy: scripts, styles, pictures and answers come from this server alone."""

_FOLDER = Path(__file__).parent
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The files change with the installed version, and come from a disk a millimetre away.
    "Cache-Control": "no-cache",
}


def page_routes() -> list[web.RouteDef]:
    """The routes of the page; its address is /page/."""
    return [web.get(PREFIX, _to_page), web.get(PREFIX + "/{path:.*}", _file)]


async def _to_page(request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(PREFIX + "/")


async def _file(request: web.Request) -> web.StreamResponse:
    try:
        check_local(request)
    except Refused as refusal:
        return web.Response(status=refusal.status, text=str(refusal))
    name = request.match_info["path"] or "index.html"
    path = (_FOLDER / name).resolve()
    kind = _TYPES.get(path.suffix)
    if kind is None or not path.is_relative_to(_FOLDER) or not path.is_file():
        return web.Response(status=404, text=f"The page has no file {name}.", headers=_HEADERS)
    return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8", headers=_HEADERS)
