"""The guild's AFK channel is changed while people sit in it: through the real gateway, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.voice_stage import VoiceStage, voice_stage

from core.events import SessionRecord
from sandbox.server import Person


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


async def _shape(on: VoiceStage, person: Person) -> list[tuple[int, bool, int | None, bool]]:
    """Channel, whether it was the AFK channel, seconds that it lasted, and whether that is estimated."""
    await on.stage.settle()
    return [
        (row.channel_id, row.afk, None if row.left is None else _lasted(row), row.estimated)
        for row in await on.rows(person)
    ]


def _lasted(row: SessionRecord) -> int:
    assert row.left is not None
    return round((row.left - row.joined).total_seconds())


async def test_those_inside_are_away_and_the_others_back(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path) as on:
        away, mining, beside = on.people[:3]
        afk = on.scene.afk
        await away.join(afk)
        await mining.join(on.alpha)
        await beside.join(on.beta)
        await on.stage.advance(100)
        on.guild.set_afk_channel(on.alpha)
        await on.stage.advance(50)
        assert await _shape(on, away) == [(afk.id, True, 100, False), (afk.id, False, None, False)]
        assert await _shape(on, mining) == [
            (on.alpha.id, False, 100, False),
            (on.alpha.id, True, None, False),
        ]
        assert await _shape(on, beside) == [(on.beta.id, False, None, False)]
        here = on.stage.runtime.recorder.present_now(on.guild.id)
        assert {row.user_id for row in here} == {away.id, beside.id}
        # Another change of the guild is none of the AFK channel.
        on.guild.updated()
        await on.stage.advance(10)
        on.guild.set_afk_channel(None)
        await on.stage.advance(10)
        before, between, after = await on.rows(mining)
        assert (between.previous_id, after.previous_id) == (before.id, between.id)
        assert [row.afk for row in (before, between, after)] == [False, True, False]
        assert _lasted(between) == 60
        assert len(await on.rows(away)) == 2


async def test_a_change_that_was_missed_is_estimated(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path) as on:
        mining = on.people[0]
        await mining.join(on.alpha)
        await on.stage.advance(97)
        await on.stage.stop_bot()
        on.guild.set_afk_channel(on.alpha)
        await on.stage.advance(60)
        await on.stage.start_bot()
        await on.stage.advance(10)
        assert await _shape(on, mining) == [(on.alpha.id, False, 97, True), (on.alpha.id, True, None, True)]
