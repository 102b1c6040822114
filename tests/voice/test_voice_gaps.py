"""What the log says of how long the bot was away."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from core.voice.gaps import Gaps
from plugins.operations.models import OperationParticipant
from sandbox.stage import open_stage

START = datetime.fromisoformat("2026-09-06T18:00+00:00")
LIMIT = timedelta(minutes=15)
LOGGER = "core.voice.gaps"


@pytest.mark.parametrize(
    ("away", "said", "credited"),
    [
        (600, (logging.INFO, "shard 0 was away for 10 min, no longer than 15 min"), 1_200),
        (3_000, (logging.WARNING, "shard 0 was away for 50 min, longer than 15 min"), 600),
    ],
)
async def test_a_start_after_a_kill_tells_it_once_and_credits_as_it_says(
    database_url: str, caplog: pytest.LogCaptureFixture, away: int, said: tuple[int, str], credited: int
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    async with open_stage(database_url, start=START, members=2, channels=2) as stage:
        scene = stage.scene
        await stage.start_bot()
        await stage.slash(scene.officer, "mining channels add", {"channel": str(scene.voice_channels[0].id)})
        await scene.members[0].join(scene.voice_channels[0])
        await stage.slash(scene.officer, "mining start")
        await stage.advance(300)
        await stage.runtime.recorder.beat_now(0)
        assert not _told(caplog), "the first start of all follows on nothing"
        await stage.kill_bot()
        await stage.advance(away)
        await stage.start_bot()
        [record] = _told(caplog)
        assert (record.levelno, record.getMessage().partition(" (")[0]) == said
        await stage.advance(300)
        await stage.slash(scene.officer, "mining stop")
        query = OperationParticipant.select(OperationParticipant.seconds)
        assert await stage.runtime.db.read(lambda: [row.seconds for row in query]) == [credited]


def test_each_gap_is_told_once_per_shard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    gaps = Gaps(LIMIT)
    for shard, last in ((0, START), (0, START), (1, START), (2, None), (3, START + timedelta(days=1))):
        gaps.at_start(shard, last, START + timedelta(hours=3, minutes=5))
    for guild in (7, 8):
        gaps.while_running(0, guild, START, START + LIMIT)
        gaps.while_running(0, guild, START + timedelta(hours=4), START + timedelta(hours=5))
    gaps.while_running(1, 9, START + timedelta(hours=4), START + timedelta(hours=4) + LIMIT)
    assert [record.getMessage().partition(",")[0] for record in _told(caplog)] == [
        "shard 0 was away for 3 h 5 min",
        "shard 1 was away for 3 h 5 min",
        (
            "the clock of this machine is at least 20 h 55 min behind that of the bot before (shard 3): "
            "voice time is wrong until it has caught up; set the clock right"
        ),
        "guild 7 of shard 0 was out of sight for 60 min",
    ]


def _told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == LOGGER]
