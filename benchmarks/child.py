"""A bot in a process of its own, as the measurer sees it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.talk import Job

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0
#: Bytes of the longest line that a bot may say.
LONGEST_LINE = 1 << 24


class BenchmarkError(Exception):
    """Why nothing could be measured, in words."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process has used so far: processor seconds, and the most bytes resident."""

    cpu_seconds: float
    peak_rss_bytes: int


class BotProcess:
    """A bot that has been started; made by `bot_process`."""

    def __init__(self, module: str, process: Process) -> None:
        self._module = module
        self._process = process

    async def hear(self, event: str) -> dict[str, Any]:
        """Return the next line of the bot, which has to be this event.

        :raises BenchmarkError: it says something else, ends, or says nothing for a minute.
        """
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        except TimeoutError:
            raise BenchmarkError(f"{self._module} did not say {event!r} within {PATIENCE:g} s") from None
        if not line:
            raise BenchmarkError(f"{self._module} ended before it said {event!r}; its words are above")
        said: dict[str, Any] = json.loads(line)
        if said["event"] != event:
            raise BenchmarkError(f"{self._module} said {said['event']!r} instead of {event!r}")
        return said

    async def figures(self) -> Figures:
        """Ask the bot what it has used so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"figures\n")
        await self._process.stdin.drain()
        said = await self.hear("figures")
        return Figures(said["cpu_seconds"], said["peak_rss_bytes"])

    async def stop(self) -> None:
        """Have the bot stop in order, and make sure that it is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.communicate(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.communicate()


@asynccontextmanager
async def bot_process(module: str, job: Job, *, compiled: Path | None = None) -> AsyncIterator[BotProcess]:
    """Start a bot with this interpreter; it is stopped when the block ends.

    :param module: what runs it, such as benchmarks.bare.
    :param compiled: where Python keeps what it has compiled, whatever it is told elsewhere; None: as it is.
    """
    surroundings = dict(os.environ)
    if compiled is not None:
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        surroundings["PYTHONPYCACHEPREFIX"] = str(compiled)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        job.as_argument(),
        cwd=ROOT,
        env=surroundings,
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE,
    )
    bot = BotProcess(module, process)
    try:
        yield bot
    finally:
        await bot.stop()
