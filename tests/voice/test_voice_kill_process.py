"""The bot as a real process, killed at random moments under load: nothing wrong, lost or open for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.voice_kills import Kills


async def _kill(url: str, folder: Path, seed: int, times: int) -> Kills:
    async with Kills(url, folder, seed).open() as kills:
        for number in range(times):
            await kills.life(killed_early=number % 5 == 3)
        await kills.last_life()
        return kills


async def test_a_killed_bot_comes_back_with_the_truth(tmp_path: Path) -> None:
    kills = await _kill(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path, 1, 4)
    assert len(kills.evening.blinds) == 3, "of four kills, one came before the bot saw anything again"


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))
async def test_a_hundred_kills(database_url: str, tmp_path: Path, part: int) -> None:
    await _kill(database_url, tmp_path, 100 + part, 25)
