"""The Sunday scene with a bot that has the mining plugins and one that listens to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.listener import write_listener

from core.settings import PluginSelection
from sandbox.stage import Stage, open_stage

SUNDAY_EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
def plugins(tmp_path: Path) -> PluginSelection:
    folder = tmp_path / "plugins"
    folder.mkdir()
    write_listener(folder)
    return PluginSelection(
        load=("operations", "sunday_mining", "listener"),
        folders=(folder,),
        on_by_default=("sunday_mining", "listener"),
    )


@pytest.fixture
async def stage(tmp_path: Path, plugins: PluginSelection) -> AsyncIterator[Stage]:
    """The scene with a bot on SQLite."""
    async with _opened(f"sqlite:///{tmp_path / 'bot.sqlite3'}", plugins) as opened:
        yield opened


@pytest.fixture
async def each_stage(database_url: str, plugins: PluginSelection) -> AsyncIterator[Stage]:
    """The scene with a bot on each database."""
    async with _opened(database_url, plugins) as opened:
        yield opened


@asynccontextmanager
async def _opened(url: str, plugins: PluginSelection) -> AsyncIterator[Stage]:
    async with open_stage(url, plugins=plugins, start=SUNDAY_EVENING, members=12) as opened:
        await opened.start_bot()
        yield opened
