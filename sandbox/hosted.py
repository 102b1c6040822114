"""Our bot in the sandbox's own process, for people who just want to play: its database is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.runtime import Runtime
from core.settings import Settings
from sandbox.link import open_link
from sandbox.stage import OWN_PLUGINS


@asynccontextmanager
async def hosted_bot(control: str) -> AsyncIterator[Runtime]:
    """Run the bot with the plugins of this distribution on a sandbox, as long as the context lasts.

    :param control: the sandbox's control address.
    """
    with tempfile.TemporaryDirectory(prefix="redlegion-") as folder:
        url = f"sqlite:///{Path(folder) / 'play.sqlite3'}"
        async with open_link(control) as link:
            runtime = Runtime(Settings(database_url=url, plugins=OWN_PLUGINS), link.connection)
            try:
                await runtime.start()
                yield runtime
            finally:
                await runtime.close()
