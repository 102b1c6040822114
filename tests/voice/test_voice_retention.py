"""The daily job that folds old voice sessions, in a running bot with operations."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.plugin_folder import PluginFolder

from core.database import AuditEntry, JobRow, VoiceSession
from core.errors import UserError
from core.events import SessionRecord
from core.settings import PluginSelection
from core.stays.folding import Sums, sums
from core.stays.retention import FOLD
from core.voice.store import apply_transitions
from core.voice.transitions import Ended
from plugins.operations.models import Operation, OperationWindow
from sandbox.stage import Stage, open_stage

NOON = datetime.fromisoformat("2026-09-06T12:00+00:00")
LONG_AGO = datetime.fromisoformat("2026-05-03T18:00+00:00")
HOUR = timedelta(hours=1)
RESTS = """
SAYS = []
ASKED = []

@hookimpl
async def filter_retention(ctx, value, event):
    ASKED.append(event)
    if SAYS and SAYS[0] == "raise":
        raise RuntimeError("no idea")
    if SAYS and SAYS[0] == "nothing":
        return 7
    if SAYS and SAYS[0] == "swapped":
        return value.and_spans([(event.end, event.start)])
    if SAYS and SAYS[0] == "no id":
        return value.and_sessions([1, None])
    return value.and_sessions(SAYS)
"""


@asynccontextmanager
async def opened(url: str, folder: PluginFolder) -> AsyncIterator[Stage]:
    """A bot with operations and a plugin that is on nowhere."""
    folder.write("rests", RESTS)
    plugins = PluginSelection(
        load=("operations", "sunday_mining", "rests"),
        folders=(folder.path,),
        on_by_default=("sunday_mining",),
    )
    async with open_stage(url, plugins=plugins, start=NOON, members=2, channels=2) as stage:
        await stage.start_bot()
        yield stage


@pytest.fixture
async def stage(tmp_path: Path, database_url: str) -> AsyncIterator[Stage]:
    """The bot, with four sessions of long ago."""
    folder = PluginFolder(tmp_path / "plugins")
    try:
        async with opened(database_url, folder) as made:
            guild = made.scene.guild.id
            records = [
                SessionRecord(
                    id=number,
                    guild_id=guild,
                    user_id=10,
                    channel_id=100,
                    joined=LONG_AGO + number * 24 * HOUR,
                    left=LONG_AGO + (number * 24 + 1) * HOUR,
                    status="completed",
                )
                for number in range(1, 5)
            ]
            ended = [Ended(record) for record in records]
            await made.runtime.db.write(apply_transitions, ended, key=guild)
            yield made
    finally:
        folder.forget()


def _rests() -> Any:
    return __import__("rests")


async def _left(stage: Stage) -> list[int]:
    query = VoiceSession.select(VoiceSession.id).order_by(VoiceSession.id)
    found: list[int] = await stage.runtime.db.read(lambda: [row.id for row in query])
    return found


async def _run(stage: Stage) -> None:
    """Have the job done now, by the runner."""
    before = await _done(stage)
    await stage.runtime.retention._plan(stage.runtime.clock.now())
    while await _done(stage) == before:
        await stage.advance(1)


async def _done(stage: Stage) -> int:
    def count() -> int:
        return int(JobRow.select().where(JobRow.name == FOLD, JobRow.state == "done").count())

    return await stage.runtime.db.read(count)


def _operation(guild_id: int, opened_at: datetime, closed: datetime | None) -> None:
    operation = Operation.create(
        guild_id=guild_id,
        type="sunday",
        title="x",
        badge="x",
        status="ended",
        initiator_id=1,
        started_at=opened_at,
        ended_at=closed or opened_at,
        payroll_processed=True,
    )
    OperationWindow.create(operation_id=operation.id, opened=opened_at, closed=closed)


async def test_what_nobody_rests_on_is_folded_and_the_sums_stay(stage: Stage) -> None:
    guild, runtime = stage.scene.guild.id, stage.runtime
    window = LONG_AGO + 24 * HOUR
    await runtime.db.write(_operation, guild, window - HOUR, window + HOUR / 2, key=guild)
    _rests().SAYS[:] = [3]
    await _run(stage)
    assert await _left(stage) == [1, 2, 3, 4], "for ever, unless the guild says otherwise"
    assert _rests().ASKED == []

    await runtime.retention.set_days(guild, 30, stage.scene.owner.id)
    assert await runtime.retention.days(guild) == 30
    before = await runtime.db.read(sums, guild)
    await _run(stage)
    assert await _left(stage) == [1, 3]
    assert (
        await runtime.db.read(sums, guild)
        == before
        == {(10, 100): Sums(4 * HOUR // timedelta(microseconds=1), 0, 0, 4, 0)}
    )
    [asked] = _rests().ASKED
    assert (asked.guild_id, asked.start, asked.end) == (
        guild,
        window,
        datetime.fromisoformat("2026-08-07T00:00+00:00"),
    )
    await _run(stage)
    assert await runtime.db.read(sums, guild) == before
    _rests().SAYS.clear()
    await _run(stage)
    assert await _left(stage) == [1]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("raise", "no idea"),
        ("nothing", "returned 7"),
        ("swapped", "ends before it begins"),
        ("no id", "by its id, a number, not by None"),
    ],
)
async def test_a_plugin_that_fails_stops_it_for_the_day(
    stage: Stage, caplog: pytest.LogCaptureFixture, says: str, why: str
) -> None:
    guild = stage.scene.guild.id
    await stage.runtime.retention.set_days(guild, 30, stage.scene.owner.id)
    _rests().SAYS[:] = [says]
    with caplog.at_level(logging.ERROR, "core.stays.retention"):
        await _run(stage)
    assert await _left(stage) == [1, 2, 3, 4]
    assert f"no voice session of guild {guild} is folded today: rests could not say" in caplog.text
    assert why in caplog.text
    _rests().SAYS.clear()
    await _run(stage)
    assert await _left(stage) == []


async def test_a_plugin_that_is_not_loaded_cannot_be_asked(
    tmp_path: Path, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    guild = stage.scene.guild.id
    await stage.runtime.retention.set_days(guild, 30, stage.scene.owner.id)
    await stage.stop_bot()
    only = PluginFolder(tmp_path / "others")
    only.write("others")
    stage.settings = replace(stage.settings, plugins=only.selection("others"))
    await stage.start_bot()
    with caplog.at_level(logging.WARNING, "core.stays.retention"):
        await _run(stage)
    only.forget()
    assert "operations, sunday_mining could not be asked, being not loaded" in caplog.text
    assert await _left(stage) == [1, 2, 3, 4]


async def test_a_long_list_goes_on_a_minute_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    guild, other = stage.scene.guild.id, stage.scene.second_guild.id
    monkeypatch.setattr("core.stays.retention.CHUNK", 1)
    monkeypatch.setattr("core.stays.retention.ENOUGH", 0.0)
    for each in (guild, other):
        await stage.runtime.retention.set_days(each, 30, stage.scene.owner.id)
    await stage.runtime.retention._plan(stage.runtime.clock.now())
    seen = []
    for _ in range(12):
        await stage.advance(61)
        seen.append(len(await _left(stage)))
    assert seen[0] > 0
    assert seen[-1] == 0
    planned = await stage.runtime.db.read(
        lambda: [row.due for row in JobRow.select().where(JobRow.name == FOLD, JobRow.state == "waiting")]
    )
    assert planned == [datetime.fromisoformat("2026-09-07T05:00+00:00")]


async def test_the_setting_is_checked_and_audited(stage: Stage) -> None:
    guild, runtime, owner = stage.scene.guild.id, stage.runtime, stage.scene.owner.id
    for wrong in (-1, 1, 29, 3651):
        with pytest.raises(UserError, match="30 to 3650 days, or 0"):
            await runtime.retention.set_days(guild, wrong, owner)
    for days in (90, 90, 0):
        await runtime.retention.set_days(guild, days, owner)
        assert await runtime.retention.days(guild) == days
    log = await runtime.db.read(
        lambda: [
            (row.actor_id, row.before, row.after)
            for row in AuditEntry.select()
            .where(AuditEntry.action == "voice.retention")
            .order_by(AuditEntry.id)
        ]
    )
    key = "voice_retention_days"
    assert log == [(owner, {key: 0}, {key: 90}), (owner, {key: 90}, {key: 0})]


async def test_an_admin_sets_it_and_reads_who_did(stage: Stage) -> None:
    owner = stage.scene.owner
    assert "kept for ever" in str((await stage.slash(owner, "setup voice")).message)
    refused = await stage.slash(owner, "setup voice", {"days": 7})
    assert "Give 30 to 3650 days" in str(refused.message)
    told = await stage.slash(owner, "setup voice", {"days": 90})
    assert "older than 90 days" in str(told.message)
    assert await stage.runtime.retention.days(stage.scene.guild.id) == 90
    log = await stage.slash(owner, "setup audit")
    assert f"<@{owner.id}> has voice sessions kept for 90 days." in str(log.message)
