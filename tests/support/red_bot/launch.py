"""Starts Red-DiscordBot on a sandbox: ``python launch.py SOCKET redbot's own arguments``.

All it changes is the connection: discord.py's HTTP client, which Red gives no connector, gets one to the unix
socket, and aiohttp looks no name up, so that nothing leaves this machine. Red's code stays as it is.
"""

# ruff: noqa: E402, I001
from __future__ import annotations

import sys
from typing import Any

path = sys.argv.pop(1)

# Red wants to be the first to import discord.
from redbot.__main__ import main

import aiohttp
from discord.http import HTTPClient

_log_in = HTTPClient.static_login


async def log_in(self: HTTPClient, token: str) -> Any:
    self.connector = aiohttp.UnixConnector(path=path, limit=0)
    return await _log_in(self, token)


async def look_up(self: Any, host: str, *more: Any, **named: Any) -> Any:
    raise OSError(f"{host} is not on this machine")


HTTPClient.static_login = log_in
aiohttp.DefaultResolver.resolve = look_up
main()
