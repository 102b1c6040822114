"""A stage whose bot serves its health, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from support.plugin_folder import PluginFolder

from core.address import Address
from core.health import Health
from sandbox.stage import Stage, open_stage

ANYWHERE = Address("127.0.0.1", 0)
Serving = Callable[..., AbstractAsyncContextManager["Served"]]


class Served:
    """A stage whose bot serves its health."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self.stage, self.session = stage, session

    @property
    def health(self) -> Health:
        return self.stage.runtime.health

    async def ask(self, path: str, **headers: str) -> tuple[int, Any]:
        """Return the status and the answer, JSON where it is."""
        assert self.health.server is not None
        async with self.session.get(self.health.server.url + path, headers=headers) as answer:
            body = await (answer.json() if "json" in answer.content_type else answer.text())
            return answer.status, body

    async def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Return every sample by name and labels, read by Prometheus' own parser."""
        status, text = await self.ask("/metrics")
        assert status == 200
        families = list(text_string_to_metric_families(text))
        samples = [sample for family in families for sample in family.samples]
        found = {(one.name, frozenset(one.labels.items())): one.value for one in samples}
        assert len(found) == len(samples)
        return found

    async def metric(self, name: str, **labels: str) -> float:
        return (await self.metrics())[f"redlegion_{name}", frozenset(labels.items())]


@asynccontextmanager
async def serve(
    folder: PluginFolder, *plugins: str, url: str, address: Address = ANYWHERE
) -> AsyncIterator[Served]:
    """Run a bot with these plugins on, and everything in `folder` loaded.

    :param url: of its database.
    """
    async with (
        open_stage(url, plugins=folder.selection(*plugins), members=4, channels=3) as stage,
        aiohttp.ClientSession() as session,
    ):
        stage.settings = replace(stage.settings, health_address=address)
        await stage.start_bot()
        yield Served(stage, session)
