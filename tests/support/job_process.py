"""A process of its own that runs jobs: `python job_process.py URL FOLDER PLUGIN GUILD,GUILD`.

It says "ready" once it runs, prints what its handlers print, and ends in order when its input ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.job_host import JobHost

from core.clock import SystemClock
from core.settings import PluginSelection


async def main(url: str, folder: str, plugin: str, guilds: str) -> None:
    selection = PluginSelection(load=(plugin,), folders=(Path(folder),), on_by_default=(plugin,))
    host = JobHost(url, selection, SystemClock(), [int(guild) for guild in guilds.split(",")])
    await host.start(migrate=False)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await host.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
