"""Plugins that a test writes for itself, and a stage that plays with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.plugin_folder import PluginFolder

from core.settings import PluginSelection
from sandbox.stage import Stage, open_stage

SUNDAY_EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)

Opener = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PluginFolder]:
    """An empty folder for plugins."""
    made = PluginFolder(tmp_path / "plugins")
    yield made
    made.forget()


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback the guilds come at once; later ones would be taken as they come."""
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


@pytest.fixture
def lite(tmp_path: Path) -> str:
    """The URL of a SQLite database, for what has nothing to do with the database."""
    return f"sqlite:///{tmp_path / 'bot.sqlite3'}"


@asynccontextmanager
async def staged(url: str, plugins: PluginSelection, **options: Any) -> AsyncIterator[Stage]:
    """A Sunday scene with a running bot."""
    async with open_stage(
        url, plugins=plugins, start=SUNDAY_EVENING, **{"members": 4, "channels": 3, **options}
    ) as opened:
        await opened.start_bot()
        yield opened


@pytest.fixture
def on_stage() -> Opener:
    """Opens a stage: `async with on_stage(url, folder.selection("alpha")) as stage`."""
    return staged
