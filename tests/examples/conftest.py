"""The example plugin, loaded from its folder as an author would while working on it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from example_places import SOURCE

from core.settings import PluginSelection
from sandbox.stage import Stage, open_stage

sys.path.append(str(SOURCE))

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)
PLUGINS = PluginSelection(load=("shift_log",), folders=(SOURCE,), on_by_default=("shift_log",))


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback the guilds come at once; later ones would be taken as they come."""
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


@pytest.fixture
async def each_stage(database_url: str) -> AsyncIterator[Stage]:
    """The Sunday scene with a bot that has the example, on each database."""
    async with open_stage(database_url, plugins=PLUGINS, start=EVENING, members=3, channels=2) as opened:
        await opened.start_bot()
        yield opened


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The same on SQLite."""
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, plugins=PLUGINS, start=EVENING, members=3, channels=2) as opened:
        await opened.start_bot()
        yield opened
