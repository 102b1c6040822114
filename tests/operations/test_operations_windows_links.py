"""Windows edited while an operation runs: stays are decided on anew, in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mining import add, participants, run

from plugins.operations.models import OperationSession
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)
COUNTS, CLOSED = ("counts", True), ("closed", False)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=6) as stage:
        await stage.start_bot()
        zone = {"timezone": "Europe/Berlin"}
        await stage.runtime.guilds.set_settings(stage.scene.guild.id, "operations", zone, None)
        yield stage


async def edit(stage: Stage, command: str, **options: Any) -> None:
    """Edit the windows as an officer a second later, and agree to what that leads to."""
    await stage.advance(1)
    asked = await (await run(stage, stage.scene.officer, f"operation {command}", **options)).final()
    ((button,),) = [row["components"] for row in asked["components"]]
    await stage.scene.officer.click(asked["id"], button["custom_id"])
    await stage.settle()


async def decisions(stage: Stage, user_id: int) -> list[tuple[str, bool]]:
    rows: Any = OperationSession.select().where(OperationSession.user_id == user_id)
    ordered = rows.order_by(OperationSession.session_id, OperationSession.since, OperationSession.id)
    found: list[tuple[str, bool]] = await stage.runtime.db.read(
        lambda: [(row.reason, row.linked) for row in ordered]
    )
    return found


async def test_a_stay_before_the_start_counts_once_the_start_is_moved_and_no_more_when_it_is_moved_back(
    stage: Stage,
) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await add(stage, *scene.voice_channels[:2])
    await quartz.join(scene.voice_channels[0])
    await beryl.join(scene.voice_channels[1])
    await stage.advance(900)
    await beryl.leave()
    await stage.advance(300)
    await run(stage, scene.officer, "mining start")
    await stage.advance(600)
    assert (await decisions(stage, quartz.id), await decisions(stage, beryl.id)) == ([COUNTS], [])
    await edit(stage, "edit", start="20:05")
    assert (await decisions(stage, quartz.id), await decisions(stage, beryl.id)) == ([COUNTS], [COUNTS])
    await edit(stage, "edit", start="20:18")
    assert await decisions(stage, beryl.id) == [COUNTS, CLOSED]
    await edit(stage, "edit", start="20:14")
    assert await decisions(stage, beryl.id) == [COUNTS, CLOSED, COUNTS]
    # Who sits there all the time is decided on once, wherever the window begins.
    assert await decisions(stage, quartz.id) == [COUNTS]
    await run(stage, scene.officer, "mining stop")
    credit = {each.user_id: each.seconds for each in await participants(stage)}
    assert credit == {quartz.id: 16 * 60 + 3, beryl.id: 60}


async def test_a_stay_within_a_pause_is_out_until_the_span_counts_again(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await add(stage, *scene.voice_channels[:2])
    await quartz.join(scene.voice_channels[0])
    await run(stage, scene.officer, "mining start")
    await stage.advance(300)
    await beryl.join(scene.voice_channels[1])
    await stage.advance(120)
    await beryl.leave()
    await stage.advance(300)
    assert await decisions(stage, beryl.id) == [COUNTS]
    await edit(stage, "pause", start="20:04", end="20:08")
    assert await decisions(stage, beryl.id) == [COUNTS, CLOSED]
    await edit(stage, "count", start="20:06", end="20:08")
    assert await decisions(stage, beryl.id) == [COUNTS, CLOSED, COUNTS]
    assert await decisions(stage, quartz.id) == [COUNTS]
    await run(stage, scene.officer, "mining stop")
    credit = {each.user_id: each.seconds for each in await participants(stage)}
    assert credit == {quartz.id: 722 - 120, beryl.id: 60}
