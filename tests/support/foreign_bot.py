"""Another person's bot as a process, and what people hear from it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from sandbox.server import Person, World
from sandbox.server.channels import Channel

PATIENCE = 60.0


class ForeignBot:
    """A running bot: its process and everything it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def printed(self, words: str) -> str:
        """Return the line with these words once it is printed. Raises AssertionError when it is not."""
        assert self.process.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while line := (await self.process.stdout.readline()).decode(errors="replace"):
                    self.lines.append(line)
                    if words in line:
                        return line
        raise AssertionError(f"it never printed {words!r}:\n{''.join(self.lines)}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(number)
        rest, _ = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        self.lines.append(rest.decode(errors="replace"))
        assert self.process.returncode is not None
        return self.process.returncode


@contextlib.asynccontextmanager
async def foreign_bot(
    python: Path, *arguments: str, environment: dict[str, str], folder: Path
) -> AsyncIterator[ForeignBot]:
    """Run a bot for as long as the context lasts; it is killed when it is still there at the end."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=folder,
    )
    bot = ForeignBot(process)
    try:
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ask(world: World, person: Person, channel: Channel, text: str) -> str:
    """Write a message and return the words of the bot's next message in that channel."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look(entry: dict[str, Any]) -> None:
        data = entry.get("response")
        if entry["kind"] != "rest" or answered.done() or not isinstance(data, dict):
            return
        if entry["method"] == "POST" and entry["path"] == f"/channels/{channel.id}/messages":
            answered.set_result(str(data.get("content")))

    end = world.log.on_entry(look)
    try:
        await person.send(channel, text)
        return await asyncio.wait_for(answered, PATIENCE)
    finally:
        end()


def refused_requests(world: World, but: Sequence[str] = ()) -> list[str]:
    """Return the requests that were answered with an error, except those for the paths ``but``."""
    return [
        f"{entry['method']} {entry['path']}: {entry['status']} {entry['response']}"
        for entry in world.log.entries
        if entry["kind"] == "rest" and entry["status"] >= 400 and entry["path"] not in but
    ]
