"""Our bot in a process of its own, on a sandbox: started, listened to, and ended by signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from core.settings import VARIABLES

READY = r"core\.runtime ready in"


class BotProcess:
    """A running `redlegion run --sandbox`, and what it has logged so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._more = asyncio.Condition()
        self._reading = asyncio.create_task(self._read(), name="bot's log")

    @property
    def log(self) -> str:
        """All that it has logged so far."""
        return "".join(self.lines)

    async def said(self, pattern: str, within: float = 60.0) -> str:
        """Return the first line that matches, waiting for it.

        :raises AssertionError: it did not come.
        """
        try:
            async with asyncio.timeout(within), self._more:
                while True:
                    for line in self.lines:
                        if re.search(pattern, line):
                            return line
                    assert not self._reading.done(), f"the bot ended without {pattern!r}:\n{self.log}"
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"the bot did not say {pattern!r}:\n{self.log}") from None

    async def health(self) -> str:
        """Return the address at which it serves health, without a trailing slash."""
        line = await self.said(r"health at (http://\S+)/healthz")
        found = re.search(r"health at (http://\S+)/healthz", line)
        assert found is not None
        return found[1]

    async def ended(self, within: float = 60.0) -> tuple[int, float]:
        """Wait for its end; return the exit status and the seconds that it took.

        :raises AssertionError: it did not end.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            status = await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            raise AssertionError(f"the bot did not end:\n{self.log}") from None
        took = loop.time() - began
        await self._reading
        return status, took

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal and wait for the end, as `ended`."""
        self.process.send_signal(number)
        return await self.ended()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._more:
                self.lines.append(line.decode())
                self._more.notify_all()
        async with self._more:
            self._more.notify_all()


@contextlib.asynccontextmanager
async def bot_process(
    control: str, folder: Path, settings: Mapping[str, str], *, ready: bool = True
) -> AsyncIterator[BotProcess]:
    """Run the bot in `folder`, which holds its plugins.toml, until the block ends.

    :param control: of the sandbox.
    :param settings: environment variables; what is not named has its default, health a free port.
    :param ready: whether to wait until it is.
    """
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "redlegion",
        "run",
        "--sandbox",
        control,
        cwd=folder,
        env={**environment, "HEALTH_ADDRESS": "127.0.0.1:0", **settings},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    bot = BotProcess(process)
    try:
        if ready:
            await bot.said(READY)
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
        await bot.ended()


def write_plugins_file(folder: Path, plugins: Path, *names: str) -> None:
    """Write the plugins.toml of a folder: these plugins, on by default."""
    listed = ", ".join(f'"{name}"' for name in names)
    text = f'[plugins]\nload = [{listed}]\nfolders = ["{plugins}"]\non_by_default = [{listed}]\n'
    (folder / "plugins.toml").write_text(text, encoding="utf-8")
