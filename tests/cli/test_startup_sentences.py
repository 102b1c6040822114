"""What Discord's and the network's errors mean to an operator."""

from __future__ import annotations

import asyncio
import re
import socket
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from core.cli.errors import sentence_for
from core.database.errors import DatabaseUnavailable, MigrationFailed
from core.errors import StartupError


def _response(status: int) -> aiohttp.ClientResponse:
    return cast("aiohttp.ClientResponse", SimpleNamespace(status=status, reason="words"))


def _closed(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(cast("Any", SimpleNamespace(close_code=code)), shard_id=None, code=code)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (discord.LoginFailure("Improper token has been passed."), "does not accept DISCORD_TOKEN: copy"),
        (discord.PrivilegedIntentsRequired(None), "switch on Server Members Intent"),
        (_closed(4014), "switch on Server Members Intent"),
        (discord.GatewayNotFound(), "try again in a few minutes"),
        (discord.DiscordServerError(_response(503), "down"), "discordstatus.com"),
        (discord.HTTPException(_response(429), "slow down"), "wait some minutes"),
        (MigrationFailed("x/0002 lost rows."), r"rolled back.*: x/0002 lost rows\.$"),
        (DatabaseUnavailable(), "look whether it is running"),
        (StartupError("Own words."), "^Own words.$"),
    ],
)
def test_known_errors(error: Exception, words: str) -> None:
    found = sentence_for(error)
    assert found is not None
    assert found.exit_code != 0
    assert "\n" not in found.sentence
    assert re.search(words, found.sentence)


async def test_unreachable_host() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.get(f"http://127.0.0.1:{port}/")
    found = sentence_for(caught.value)
    assert found is not None
    assert found.sentence.startswith("127.0.0.1 cannot be reached")


def test_looks_into_groups_and_causes() -> None:
    inner = RuntimeError("wrapped")
    inner.__cause__ = discord.LoginFailure("no")
    found = sentence_for(ExceptionGroup("tasks", [ValueError("x"), inner]))
    assert found is not None
    assert "DISCORD_TOKEN" in found.sentence


@pytest.mark.parametrize("error", [ValueError("x"), _closed(1006), asyncio.CancelledError()])
def test_others_are_not_explained_away(error: BaseException) -> None:
    assert sentence_for(error) is None
