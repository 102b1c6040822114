"""One command for people: the sandbox, its page, and the bot on it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

import aiohttp


async def test_one_command_brings_page_and_bot() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "redlegion", "sandbox", "--page", "--with-bot", "--story", "sunday", "--members", "2"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        where = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        assert where["page"].endswith("/page/")
        guild = where["guilds"][0]
        async with aiohttp.ClientSession() as session, session.get(f"{where['control']}/events") as events:
            menu: list[Any] = []
            while not any(each["command"] == "payroll calculate" for each in menu):
                await asyncio.wait_for(events.content.readline(), 60)
                async with session.get(f"{where['control']}/guilds") as answer:
                    owner = (await answer.json())[0]["owner_id"]
                async with session.get(f"{where['control']}/guilds/{guild}/sight?as={owner}") as answer:
                    menu = (await answer.json())["menu"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors
    assert b"in a browser" in errors
