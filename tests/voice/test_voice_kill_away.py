"""The bot is lost and away for five minutes, while people stay, leave, move, come, and leave and return."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from support.voice_stage import START, VoiceStage, voice_stage

from core.events import SessionRecord

GAP = 300


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


async def _away(on: VoiceStage) -> None:
    stays, leaves, moves, comes, returns, outside = on.people[:6]
    await on.sit((stays, leaves, moves, returns), on.alpha)
    await stays.set_voice(self_deaf=True)
    on.evening.deafen(stays.id, True, on.now)
    await on.stage.advance(97)
    await on.stage.kill_bot()
    lost = on.now
    beat = await on.last_beat()
    assert timedelta() <= lost - beat <= timedelta(seconds=15)
    await on.stage.advance(50)
    await leaves.leave()
    await moves.join(on.beta)
    await comes.join(on.alpha)
    await returns.leave()
    await on.stage.advance(100)
    await returns.join(on.alpha)
    await on.stage.advance(GAP - 150)
    await on.stage.start_bot()
    on.unseen(lost, leaves, moves, comes, returns, left=beat)
    await on.check()
    assert await on.rows(outside) == []


def _shape(rows: list[SessionRecord]) -> list[tuple[int | None, int | None, bool, bool]]:
    """Seconds since the evening began of each beginning and end, and what is estimated."""
    return [
        (_seconds(row.joined), None if row.left is None else _seconds(row.left), *_flags(row)) for row in rows
    ]


def _seconds(when: object) -> int:
    return round((when - START).total_seconds())  # type: ignore[operator]


def _flags(row: SessionRecord) -> tuple[bool, bool]:
    return row.joined_estimated, row.left_estimated


async def test_away_within_the_limit(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path) as on:
        stays, leaves, moves, comes, returns, _ = on.people[:6]
        await _away(on)
        assert _shape(await on.rows(stays)) == [(0, None, False, False)]
        assert _shape(await on.rows(leaves)) == [(0, 90, False, True)]
        before, after = await on.rows(moves)
        assert _shape([before, after]) == [(0, 90, False, True), (97 + GAP, None, True, False)]
        assert (after.previous_id, before.channel_id, after.channel_id) == (
            before.id,
            on.alpha.id,
            on.beta.id,
        )
        assert _shape(await on.rows(comes)) == [(97 + GAP, None, True, False)]
        assert _shape(await on.rows(returns)) == [(0, None, False, False)], "that it was away, nobody saw"
        await on.stage.advance(60)
        await on.sit(on.people, None)
        await on.check()
        [row] = await on.rows(stays)
        assert row.deafened_us == (97 + GAP + 60) * 1_000_000
        assert not any(row.left is None for row in await on.rows())


async def test_away_over_the_limit_trusts_nobody(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path, limit=timedelta(seconds=GAP - 1)) as on:
        await _away(on)
        gone, come = (0, 90, False, True), (97 + GAP, None, True, False)
        expected = ([gone, come], [gone], [gone, come], [come], [gone, come], [])
        for person, rows in zip(on.people, expected, strict=False):
            assert _shape(await on.rows(person)) == rows, person
        await on.stage.advance(60)
        await on.sit(on.people, None)
        await on.check()
        assert not any(row.left is None for row in await on.rows())


async def test_an_orderly_restart_knows_the_second(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path) as on:
        stays, leaves = on.people[:2]
        await on.sit((stays, leaves), on.alpha)
        await on.stage.advance(97)
        await on.stage.stop_bot()
        stopped = on.now
        assert await on.last_beat() == stopped
        await on.stage.advance(GAP)
        await leaves.leave()
        await on.stage.start_bot()
        on.unseen(stopped, leaves)
        await on.check()
        assert _shape(await on.rows(leaves)) == [(0, 97, False, True)]
