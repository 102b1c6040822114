"""HEALTH_ADDRESS: what it may say, and who answers there."""

from __future__ import annotations

import asyncio
import re

import pytest

from core.address import Address, parse_address
from core.cli.running import ask


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:9420", Address("127.0.0.1", 9420), True),
        ("9420", Address("127.0.0.1", 9420), True),
        ("localhost:0", Address("localhost", 0), True),
        ("[::1]:80", Address("::1", 80), True),
        ("0.0.0.0:9420", Address("0.0.0.0", 9420), False),
        ("*:9420", Address("", 9420), False),
        (":9420", Address("", 9420), False),
        ("bot.internal:9420", Address("bot.internal", 9420), False),
    ],
)
def test_addresses(text: str, address: Address, loopback: bool) -> None:
    assert parse_address(text) == address
    assert address.loopback is loopback
    if address.host:
        assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["off", "OFF", " none ", "no"])
def test_addresses_that_switch_it_off(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize("text", ["here", "127.0.0.1", "http://x:1", "x:99999", "x:y", "a:1/b", "::1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=re.compile(".")):
        parse_address(text)


async def test_doctor_asks_somebody_else(unused_tcp_port: int) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", unused_tcp_port):
        found = await asyncio.to_thread(lambda: list(ask(Address("127.0.0.1", unused_tcp_port))))
    ((level, words),) = found
    assert level == "FAIL"
    assert "is not a bot of this version (its /healthz says something else)" in words
