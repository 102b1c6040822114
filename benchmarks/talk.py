"""The bot's side of a benchmark: what it is told to do, and the lines that it exchanges with the measurer.

Nothing of ours is imported here: the bare bots use this module too, and are measured without our code.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one bot process is to do.

    :param task: slash, voice, scale, commits or start.
    :param socket: the sandbox's unix socket.
    :param ready_timeout: seconds without a further guild after which discord.py says that it is ready.
    :param events: voice events of one round.
    :param database_url: where the bot keeps its data, when it keeps any.
    :param plugins: what our bot loads, all of it switched on by default as in plugins.toml.
    """

    task: str
    socket: str
    token: str
    ready_timeout: float
    events: int = 0
    database_url: str = ""
    plugins: tuple[str, ...] = ()
    on_by_default: tuple[str, ...] = ()

    def as_argument(self) -> str:
        """Return it as one command line argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_command_line(cls) -> Job:
        """Return the job that this process was started with."""
        fields: dict[str, Any] = json.loads(sys.argv[1])
        for name in ("plugins", "on_by_default"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


class Line:
    """The way to the measurer: lines of JSON out; in, a line asks for figures and the end says stop."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)

    def say(self, event: str, **values: object) -> None:
        """Send one line."""
        os.write(sys.stdout.fileno(), json.dumps({"event": event, **values}).encode() + b"\n")

    def _read(self) -> None:
        asked = os.read(sys.stdin.fileno(), 4096)
        if not asked:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.stopped.set()
        for _ in range(asked.count(b"\n")):
            self.say("figures", cpu_seconds=time.process_time(), peak_rss_bytes=peak_rss_bytes())


def peak_rss_bytes() -> int:
    """Return the most memory that this process has had resident so far."""
    try:
        # Not ru_maxrss where this is there: on Linux that one remembers the process that started ours.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
