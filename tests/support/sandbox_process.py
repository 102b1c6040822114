"""A sandbox in a process of its own, as `redlegion sandbox` serves it, with its control address at hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

_SERVE = """
import asyncio, sys
from sandbox.serve import SandboxError, serve
try:
    asyncio.run(serve({port}, {story!r}, seed={seed}, members={members}, channels={channels}))
except SandboxError as error:
    sys.exit(str(error))
"""


class SandboxProcess:
    """What the first line of a served sandbox said, and its control address."""

    def __init__(self, process: asyncio.subprocess.Process, line: dict[str, Any]) -> None:
        self.process = process
        self.rest: str = line["rest"]
        self.gateway: str = line["gateway"]
        self.token: str = line["token"]
        self.application_id: str = line["application_id"]
        self.guilds: list[str] = line["guilds"]
        self.control: str = line["control"]
        self.socket: str | None = line["socket"]

    async def get(self, path: str) -> Any:
        """Ask the control address. Raises AssertionError for anything but a 200."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Any) -> Any:
        """Act through the control address. Raises AssertionError for anything but a 200."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.control + path, json=body) as answer,
        ):
            result = await answer.json()
            assert answer.status == 200, f"{method} {path}: {result}"
            return result


@contextlib.asynccontextmanager
async def sandbox_process(
    story: str | None = "sunday", *, port: int = 0, seed: int = 0, members: int = 3, channels: int = 7
) -> AsyncIterator[SandboxProcess]:
    """Serve a sandbox in a process of its own; warnings there are errors, and it must end without a word."""
    code = _SERVE.format(port=port, story=story, seed=seed, members=members, channels=channels)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        code,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if not line:
            _, errors = await process.communicate()
            raise AssertionError(f"the sandbox did not start: {errors.decode()}")
        yield SandboxProcess(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    assert errors == b"", errors.decode()
