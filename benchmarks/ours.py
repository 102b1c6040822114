"""Our bot in a process of its own, as `redlegion run` has it, except that it talks to the measurer."""

# ruff: noqa: E402
from __future__ import annotations

from core.process import collect_seldom

# As `redlegion run` does it: before the bulk of the imports.
collect_seldom()

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from benchmarks.heard import NOTES
from benchmarks.talk import Job, Line
from core.clock import Clock, SystemClock
from core.connection import Connection
from core.database import VoiceSession
from core.logs import configure_logging
from core.runtime import Runtime
from core.settings import PluginSelection, Settings

PLUGINS = Path(__file__).resolve().parent / "plugins"

#: How much faster the clock goes while voice is flooded. A stay under a second is not kept, and in a
#: flood nobody sits anywhere for so long; with this every move leads to a row.
HASTE = 1_000.0
LOOK_EVERY = 0.001


class HastyClock(SystemClock):
    """A clock that shows more time than passes; what sleeps on it sleeps real seconds."""

    def __init__(self) -> None:
        self._lead = time.time() - time.monotonic() * HASTE

    def now(self) -> datetime:
        """Return a time that runs ahead."""
        return datetime.fromtimestamp(self._lead + time.monotonic() * HASTE, UTC)


async def run(job: Job) -> None:
    """Run the bot until the measurer says stop."""
    line = Line()
    selection = PluginSelection(load=job.plugins, folders=(PLUGINS,), on_by_default=job.on_by_default)
    floods = job.task in {"voice", "scale"}
    clock: Clock = HastyClock() if floods else SystemClock()
    connection = Connection(
        token=job.token,
        clock=clock,
        connector=lambda: aiohttp.UnixConnector(path=job.socket, limit=0),
    )
    runtime = Runtime(Settings(database_url=job.database_url, plugins=selection, strict=True), connection)
    try:
        await runtime.start()
        if job.task == "scale":
            # The menus of many guilds are sent after the start.
            await runtime.idle()
        line.say("ready")
        if floods:
            watching = asyncio.create_task(_watch_voice(runtime, line, job.events))
            stopped = asyncio.create_task(line.stopped.wait())
            await asyncio.wait({watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            watching.cancel()
            await asyncio.wait({watching})
            if not watching.cancelled():
                await watching
        await line.stopped.wait()
    finally:
        await runtime.close()


async def _watch_voice(runtime: Runtime, line: Line, events: int) -> None:
    """Say after each `events` voice events when their rows are committed, and when nothing moves any more."""
    goal = events
    while True:
        # Looked at now and then, since a listener of its own would cost more than what is measured.
        while runtime.bot.seen_events < goal:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)
        # It waits for each commit; what plugins read or write when they are told is not in the figure.
        await runtime.recorder.idle()
        line.say("done")
        await runtime.idle()
        line.say("idle", rows=await runtime.db.read(_count_rows), heard=NOTES.hand_over())
        goal += events


def _count_rows() -> int:
    return int(VoiceSession.select().count())


if __name__ == "__main__":
    configure_logging("ERROR")
    asyncio.run(run(Job.from_command_line()))
